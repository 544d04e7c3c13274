"""The house's rules that a program can check."""

import ast
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("storage", "pacs_gateway", "reading_worklist", "deploy")
LONGEST_FILE = 400
NOT_OURS = ("node_modules", "__pycache__")
MAKERS = ("pypi", "pythonhosted", "npmjs", "yarnpkg")


def sources(*rooms: str) -> Iterator[Path]:
    for room in rooms:
        for path in sorted((ROOT / room).rglob("*.py")):
            if not any(part in NOT_OURS for part in path.parts):
                yield path


def test_the_import_directions_hold() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [program, "--no-logo", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("room", ["storage", "pacs_gateway", "reading_worklist"])
def test_only_deploy_reads_the_environment(room: str) -> None:
    readers: list[str] = []
    for path in sources(room):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = (isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}) or (
                isinstance(node, ast.ImportFrom)
                and node.module == "os"
                and any(alias.name in {"environ", "getenv"} for alias in node.names)
            )
            if named and isinstance(node, ast.Attribute | ast.ImportFrom):
                readers.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert readers == [], "configuration comes from deploy as a frozen dataclass"


def test_no_file_names_a_package_registry() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False
    ).stdout.decode()
    names = [name for name in listed.split("\0") if name and (ROOT / name).is_file()]
    if not names:
        pytest.skip("not a git checkout")
    found = [
        f"{name}: {maker}"
        for name in names
        for maker in MAKERS
        if name != "tests/test_architecture.py"
        and any(
            f"{maker}.{ending}".encode() in (ROOT / name).read_bytes() for ending in ("org", "com")
        )
    ]
    assert found == []


def test_files_stay_readable() -> None:
    """A long file is not an error, but it is named."""
    long_ones = {
        str(path.relative_to(ROOT)): lines
        for path in sources(*ROOMS, "tests")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_FILE
    }
    for name, lines in long_ones.items():
        warnings.warn(f"{name} has {lines} lines; split it by topic", stacklevel=1)
