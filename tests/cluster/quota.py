"""A part of a processor for some processes, as if their machine had no more."""

import os
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import psutil
import pytest

_GROUPS: Final = Path("/sys/fs/cgroup/cpu")
_PERIOD_US: Final = 50_000


@contextmanager
def limited(name: str, processes: Iterable[psutil.Process], cores: float) -> Generator[None]:
    """Give processes, and what they start, a part of a processor inside the block.

    name: of the group, of one kind with others of this run. Skips the test, and says so loudly,
    where control groups (version 1) of the processor cannot be made.
    """
    if not os.access(_GROUPS / "cpu.cfs_quota_us", os.W_OK):
        message = f"a part of a processor needs root and {_GROUPS}"
        sys.stderr.write(f"\nNOT TESTED: {message}\n")
        pytest.skip(message)
    group = _GROUPS / f"rdc{os.getpid()}-{name}"
    group.mkdir()
    try:
        (group / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
        (group / "cpu.cfs_quota_us").write_text(str(int(_PERIOD_US * cores)))
        _move((one.pid for one in processes), group)
        yield
    finally:
        _move(map(int, (group / "cgroup.procs").read_text().split()), _GROUPS)
        group.rmdir()


def _move(processes: Iterable[int], group: Path) -> None:
    for pid in processes:
        # One may end meanwhile.
        with suppress(ProcessLookupError):
            (group / "cgroup.procs").write_text(str(pid))
