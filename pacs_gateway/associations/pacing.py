"""Slowing a sender down to the rate it may have."""

import threading
import time
from collections.abc import Callable
from typing import Final

# What may come at once after a pause, in seconds of the rate: small things are not slowed down.
_BURST_SECONDS: Final = 1.0


class Pace:
    """A token bucket: reading waits, the connection's window fills, and the sender waits too."""

    def __init__(
        self,
        bytes_per_second: int,
        stopping: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Let `bytes_per_second` through; `stopping` ends a wait."""
        self._rate = bytes_per_second
        self._stopping = stopping
        self._clock = clock
        # The time at which all that has been taken so far was due.
        self._due = clock()

    def take(self, count: int) -> None:
        """Count bytes, and wait while there are too many."""
        now = self._clock()
        self._due = max(self._due, now - _BURST_SECONDS) + count / self._rate
        if self._due > now:
            self._stopping.wait(self._due - now)
