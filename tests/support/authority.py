"""The signing authority of a test's centre: one for all tests of a process.

Making and opening one was the greater part of making an application: its key is sealed under a
passphrase at the cost of thousands of hashes.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from reading_worklist.signing.authority import Authority, open_authority
from reading_worklist.signing.service_keys import ServiceKeys, make_service_keys


@dataclass(frozen=True, slots=True)
class Centre:
    """A centre's authority, and the keys of its services."""

    authority: Authority
    service_keys: ServiceKeys


def open_centre(directory: Path) -> Centre:
    """Open what is kept in `directory`; where it is missing, the files of all tests are put there.

    A test that wants an authority of its own makes one there first.
    """
    files, shared = _shared()
    if not directory.exists():
        directory.mkdir(parents=True, mode=0o700)
        for name, (content, mode) in files.items():
            path = directory / name
            path.touch(mode)
            path.write_bytes(content)
    if all(_holds(directory / name, content) for name, (content, _) in files.items()):
        return shared
    return _opened(directory)


@cache
def _shared() -> tuple[Mapping[str, tuple[bytes, int]], Centre]:
    """Return each file with its mode, and what is in them."""
    with tempfile.TemporaryDirectory() as place:
        made = _opened(Path(place))
        files = {
            path.name: (path.read_bytes(), path.stat().st_mode & 0o777)
            for path in Path(place).iterdir()
        }
    return files, made


def _opened(directory: Path) -> Centre:
    authority = open_authority(directory, organisation="青山县医共体", name="测试 CA")
    return Centre(authority, make_service_keys(directory, authority))


def _holds(path: Path, content: bytes) -> bool:
    return path.exists() and path.read_bytes() == content
