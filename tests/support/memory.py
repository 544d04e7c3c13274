"""Temporary files of tests in memory: every database and object store of a test is one of them.

On a disk that others use too, copying and dropping a database took 0.4 s, in memory 0.03 s.
Where there is too little room, and in a soak run, which fills gigabytes, they are on the disk as
pytest has it. Tests that need a disk take the fixture `disk_path`.
"""

import os
from pathlib import Path
from typing import Final

import psutil

from tests.support.soak import SOAK

MEMORY: Final = Path("/dev/shm")
DISK: Final = Path("/var/tmp")
# The quick tests left 0.7 GiB in all when nothing of theirs was removed.
ROOM_BYTES: Final = 3 << 30
_VARIABLE: Final = "PYTEST_DEBUG_TEMPROOT"


def keep_temporary_files() -> None:
    """Have pytest make its temporary folders in memory, unless its user chose a place."""
    if SOAK or _VARIABLE in os.environ or not _room():
        return
    os.environ[_VARIABLE] = str(MEMORY)
    for lock in MEMORY.glob("pytest-of-*/pytest-*/.lock"):
        _release(lock)


def _room() -> bool:
    """Whether there is memory enough, and a file system in it on which programs may run."""
    try:
        found = os.statvfs(MEMORY)
    except OSError:
        return False
    if found.f_flag & (os.ST_NOEXEC | os.ST_RDONLY) or not os.access(MEMORY, os.W_OK | os.X_OK):
        return False
    # What is taken is taken from the programs: half of what is free is left to them.
    free = min(found.f_bavail * found.f_frsize, psutil.virtual_memory().available // 2)
    return free >= ROOM_BYTES


def _release(lock: Path) -> None:
    """Give up the folder of a run that was killed: pytest would keep it for three days.

    The lock holds the process id of its owner. Without it pytest removes the folder as soon as
    three newer ones are there.
    """
    try:
        owner = int(lock.read_text(encoding="ascii"))
        if not psutil.pid_exists(owner):
            lock.unlink()
    except (OSError, ValueError):
        return  # another run was quicker, or it is being written
