"""Where the Unix socket of an embedded server goes."""

import os
import shutil
import tempfile
from pathlib import Path

LONGEST_SOCKET_PATH = 107
"""Bytes of a socket's path that Linux takes, without the closing NUL (unix(7))."""

FALLBACK_PREFIX = "rdc-"


def _clear(path: Path) -> None:
    if path.exists() and not path.is_symlink():
        shutil.rmtree(path)


def make_socket_directory(directory: Path, socket_name: str, *, again: Path | None = None) -> Path:
    """Make an empty directory, mode 0700, in which a socket of that name can be bound.

    It lies inside `directory`, or in /tmp under a random name when that path is
    too long for a socket; the file `socket-directory` remembers which. Whatever
    an earlier run left, a lock file naming a process id for one, is removed, so
    call this only while no server uses the directory. `again` is the place of
    a server that is started again at the same address.
    """
    place = directory / "socket"
    note = directory / "socket-directory"
    if note.exists():
        former = Path(note.read_text(encoding="utf-8").strip())
        if former.name.startswith(FALLBACK_PREFIX) and former != again:
            _clear(former)
    if again is not None and again.is_dir():
        for leftover in again.iterdir():
            leftover.unlink()
        return again
    _clear(place)
    if len(os.fsencode(place / socket_name)) > LONGEST_SOCKET_PATH:
        place = Path(tempfile.mkdtemp(prefix=FALLBACK_PREFIX, dir="/tmp"))
    place.mkdir(mode=0o700, exist_ok=True)
    note.write_text(f"{place}\n", encoding="utf-8")
    return place


def remove_socket_directory(directory: Path, place: Path) -> None:
    """Remove what `make_socket_directory` made."""
    _clear(place)
    (directory / "socket-directory").unlink(missing_ok=True)
