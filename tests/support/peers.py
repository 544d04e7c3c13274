"""Programs of others that tests need: present, or the test says loudly why it did not run."""

import os
import shutil
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
CORPUS = REPOSITORY.parent / "shared" / "corpus"
REQUIRED = os.environ.get("RDC_REQUIRE_PEERS") == "1"


def _absent(what: str, remedy: str) -> None:
    message = f"{what} is not here. {remedy}"
    if REQUIRED:
        pytest.fail(f"{message} RDC_REQUIRE_PEERS=1 forbids to skip.", pytrace=False)
    sys.stderr.write(f"\nNOT TESTED: {message}\n")
    pytest.skip(message)


def find_program(name: str) -> str | None:
    """Return the path of a program of the operating system, or None.

    A wheel in our environment brings programs of the same names as DCMTK's: they do not count.
    Servers may lie where only root looks.
    """
    venv = Path(sys.executable).parent
    folders = [
        *os.environ.get("PATH", os.defpath).split(os.pathsep),
        "/usr/local/sbin",
        "/usr/sbin",
    ]
    return shutil.which(name, path=os.pathsep.join(one for one in folders if Path(one) != venv))


def require_program(name: str, *, package: str) -> str:
    """Return the path of a program; skip the test, or fail it where peers are required."""
    found = find_program(name)
    if found is None:
        _absent(f"the program {name}", f"Install the package {package}.")
        raise AssertionError  # not reached: both ways above raise
    return found


def require_corpus(*parts: str) -> Path:
    """Return a folder of the shared corpus; skip the test where the corpus is not laid out.

    The corpus is no part of the repository, so it is never required.
    """
    folder = CORPUS.joinpath(*parts)
    if not folder.is_dir():
        message = f"the corpus folder {folder} is not here"
        sys.stderr.write(f"\nNOT TESTED: {message}\n")
        pytest.skip(message)
    return folder
