"""Documents tell the truth about commands and settings, and link to what is there."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from deploy.cli import app
from deploy.settings import OTHER_VARIABLES, Settings

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "deploy" / "docs"
CHINESE = DOCS / "zh-CN"
PAGES = sorted([*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "deploy/monitoring/README.md"])
BY_NAME = [pytest.param(page, id=str(page.relative_to(ROOT))) for page in PAGES]
CODE = re.compile(r"```[^\n]*\n(.*?)```|`([^`\n]+)`", re.DOTALL)
# Where a document says something about the past, or names a command of its own in prose.
PLACEHOLDERS = frozenset({"…", "..."})
OTHER_PROGRAMS = ("useradd", "kubectl", "docker")
PROGRAM: Any = typer.main.get_command(app)


def commands(text: str) -> Iterator[list[str]]:
    """The words of each `rdc …` in code, up to whatever ends a command of a shell."""
    for block, inline in CODE.findall(text):
        for line in (block or inline).splitlines():
            found = re.search(r"(?:^|[\s/])rdc ([a-z].*)", line.split("#")[0])
            if found and not line.lstrip().startswith(OTHER_PROGRAMS):
                yield re.split(r"\s(?:\|\||\||&&|<|>)", found.group(1))[0].split()


def resolve(words: list[str]) -> tuple[Any, list[str]]:
    """The command that the words begin with, and what is left of them."""
    command = PROGRAM
    for number, word in enumerate(words):
        if not hasattr(command, "commands"):
            return command, words[number:]
        if word not in command.commands:
            return None, words
        command = command.commands[word]
    return command, []


@pytest.mark.parametrize("page", BY_NAME)
def test_every_command_and_option_exists(page: Path) -> None:
    for words in commands(page.read_text(encoding="utf-8")):
        if PLACEHOLDERS & set(words) or words[0].startswith("-"):
            continue
        command, rest = resolve(words)
        assert command is not None, f"rdc {' '.join(words)}"
        options = {option for one in command.params for option in one.opts + one.secondary_opts}
        for word in rest:
            if word.startswith("--") and word != "--help":
                assert word.split("=")[0] in options, f"rdc {' '.join(words)}"


@pytest.mark.parametrize("page", BY_NAME)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in target or target.startswith("#"):
            continue
        file, _, anchor = target.partition("#")
        linked = (page.parent / file).resolve()
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {one.strip().lower().replace(" ", "-") for one in headings}, target


@pytest.mark.parametrize("page", BY_NAME)
def test_every_setting_exists(page: Path) -> None:
    known = {f"RDC_{name.upper()}" for name in Settings.model_fields} | OTHER_VARIABLES
    named = set(re.findall(r"`(RDC_[A-Z_]+)[`=]", page.read_text(encoding="utf-8")))
    assert named <= known


def test_what_the_it_man_needs_is_there_in_both_languages() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    for name in (
        *("install", "connect-a-modality", "connect-a-his", "security", "backup", "upgrade"),
        "distributed",
    ):
        assert (DOCS / f"{name}.md").exists()
        assert (CHINESE / f"{name}.md").exists()
        assert f"({name}.md)" in index
        assert f"(zh-CN/{name}.md)" in index
        english, chinese = (
            {
                " ".join(word for word in words if not word.startswith("'"))
                for words in commands((folder / f"{name}.md").read_text(encoding="utf-8"))
                if words[0] in {"backup", "restore", "tls", "up"}
            }
            for folder in (DOCS, CHINESE)
        )
        assert english == chinese, name
