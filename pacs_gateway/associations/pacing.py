"""Slowing a device down to the rate it may have, over all its associations and our processes.

What each device has taken stands in a piece of memory that all receiving processes
share. Devices without a limit never come here.
"""

import fcntl
import mmap
import os
import struct
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

# What may come at once after a pause, in seconds of the rate: small things are not slowed down.
_BURST_SECONDS: Final = 1.0
# A device, the time at which all that it has sent so far was due, how many gateways share its rate.
_ENTRY: Final = struct.Struct("=16sdI")
# After so long without a byte a device does not count as sending any more.
_BUSY_SECONDS: Final = 10.0
_NOBODY: Final = bytes(16)
# Of devices with a limit that send at the same time; beyond it the longest silent one is forgotten.
_DEVICES: Final = 1024


class Rates:
    """A token bucket for each device; made before the processes that share it are forked."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, *, devices: int = _DEVICES
    ) -> None:
        """Keep account of at most `devices` at a time.

        clock: seconds, the same in every process that shares this.
        """
        self._clock = clock
        self._devices = devices
        # A lock on a file ends with the process that holds it, however that ends.
        self._file = os.memfd_create("rdc-rates")
        os.ftruncate(self._file, devices * _ENTRY.size)
        self._memory = mmap.mmap(self._file, devices * _ENTRY.size)
        self._lock = threading.Lock()
        self._places: dict[UUID, int] = {}

    def take(self, device_id: UUID, rate: int, count: int) -> float:
        """Count bytes of a device that may send `rate` a second; return the seconds to wait now."""
        now = self._clock()
        with self._locked():
            place = self._place(device_id)
            _, due, gateways = _ENTRY.unpack_from(self._memory, place)
            due = max(due, now - _BURST_SECONDS) + count * gateways / rate
            _ENTRY.pack_into(self._memory, place, device_id.bytes, due, gateways)
        return max(0.0, due - now)

    def busy(self) -> list[UUID]:
        """Return the devices that have sent something lately."""
        since = self._clock() - _BUSY_SECONDS
        with self._locked():
            entries = list(_ENTRY.iter_unpack(self._memory[:]))
        return [UUID(bytes=owner) for owner, due, _ in entries if owner != _NOBODY and due > since]

    def divide(self, device_id: UUID, gateways: int) -> None:
        """Let a device have its rate divided by so many from now on; one that is unknown may be."""
        with self._locked():
            place = self._remembered(device_id)
            if place is not None:
                _, due, _ = _ENTRY.unpack_from(self._memory, place)
                _ENTRY.pack_into(self._memory, place, device_id.bytes, due, gateways)

    @contextmanager
    def _locked(self) -> Generator[None]:
        # The file's lock is between processes, and between threads there is none.
        with self._lock:
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN)

    def _place(self, device_id: UUID) -> int:
        """Return where the device's entry is: its own, a free one, or that of the longest quiet."""
        found = self._remembered(device_id)
        if found is None:
            # One that is free has no time of its own: it was due at the beginning of all.
            found = min(
                self._all_places(), key=lambda place: _ENTRY.unpack_from(self._memory, place)[1]
            )
            _ENTRY.pack_into(self._memory, found, device_id.bytes, 0.0, 1)
        self._places[device_id] = found
        return found

    def _remembered(self, device_id: UUID) -> int | None:
        """Return where the device's entry is, if it has one."""
        remembered = self._places.get(device_id)
        if remembered is not None and self._owner(remembered) == device_id.bytes:
            return remembered
        places = self._all_places()
        return next((place for place in places if self._owner(place) == device_id.bytes), None)

    def _all_places(self) -> range:
        return range(0, self._devices * _ENTRY.size, _ENTRY.size)

    def _owner(self, place: int) -> bytes:
        return self._memory[place : place + len(_NOBODY)]


class Pace:
    """Holds the reading of one association back: its window fills, and the sender waits too."""

    def __init__(
        self, rates: Rates, device_id: UUID, bytes_per_second: int, stopping: threading.Event
    ) -> None:
        """Let the device have `bytes_per_second` in all; `stopping` ends a wait."""
        self._rates = rates
        self._device_id = device_id
        self._rate = bytes_per_second
        self._stopping = stopping

    def take(self, count: int) -> None:
        """Count bytes, and wait while there are too many."""
        wait = self._rates.take(self._device_id, self._rate, count)
        if wait > 0:
            self._stopping.wait(wait)
