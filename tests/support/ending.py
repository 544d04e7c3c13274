"""Processes that are about to end."""

import time
from collections.abc import Iterable

import psutil


def left_of(processes: Iterable[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Return which of the processes have not ended within the time; at once when all have."""
    waited_for = list(processes)
    deadline = time.monotonic() + seconds
    while True:
        try:
            return psutil.wait_procs(waited_for, timeout=max(deadline - time.monotonic(), 0))[1]
        except FileNotFoundError:
            # Of a process that is being taken away at this moment Linux 6.18 says so, which psutil
            # does not know; a moment later it is gone.
            if time.monotonic() > deadline + 1:
                raise
