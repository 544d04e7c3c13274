"""What a peer sends, read in large pieces (PS3.8 §9.3)."""

import select
import socket
import ssl
import time
from collections.abc import Callable
from typing import Final

from pacs_gateway.associations.transport import WAKE_SECONDS, acknowledge_at_once

# Headers, commands and datasets of a few slices come in one piece; larger ones pass it by.
_BUFFER: Final = 32 * 1024


class PeerSilent(Exception):
    """Nothing came for longer than the network timeout, or we are to stop."""


class PeerGone(Exception):
    """The connection ended."""


class PduReader:
    """Reads one connection in large pieces, and can give back what it read too much."""

    def __init__(
        self,
        connection: socket.socket,
        wait: Callable[[float], None],
        pace: Callable[[int], None] | None = None,
    ) -> None:
        """Read `connection`, whose SO_RCVTIMEO is set, or its timeout when it is a TLS one.

        wait: called whenever that time passes without data, with the seconds of silence so far;
            raises `PeerSilent` to end the reading.
        pace: called with the bytes received each time; it waits when they come too fast.
        """
        self._connection = connection
        self._wait = wait
        self._pace = pace
        self._buffer = memoryview(bytearray(_BUFFER))
        self._start = 0
        self._end = 0

    def exactly(self, count: int) -> memoryview:
        """Return the next `count` bytes, at most the buffer's size; valid until the next call.

        Raises:
            PeerGone, PeerSilent: they did not come.
        """
        while self._end - self._start < count:
            if len(self._buffer) - self._start < count:
                self._compact()
            self._receive()
        taken = self._buffer[self._start : self._start + count]
        self._start += count
        return taken

    def some(self, limit: int) -> memoryview:
        """Return at least one and at most `limit` bytes; valid until the next call.

        Raises:
            PeerGone, PeerSilent: none came.
        """
        if self.drained:
            self._receive()
        taken = self._buffer[self._start : min(self._end, self._start + limit)]
        self._start += len(taken)
        return taken

    def into(self, room: memoryview, count: int, *, ahead: int) -> int:
        """Receive at least one and at most `count` bytes into `room`; return how many.

        What was received before must have been taken. ahead: so many bytes more may be received,
        where `room` holds them, and are kept for the next call: the header of what follows then
        costs no call of the system.

        Raises:
            PeerGone, PeerSilent: none came.
        """
        assert self.drained, "bytes received before would come after those received now"
        received = self._received(room[: count + ahead])
        beyond = max(0, received - count)
        self._buffer[:beyond] = room[received - beyond : received]
        self._start, self._end = 0, beyond
        return received - beyond

    @property
    def drained(self) -> bool:
        """Whether all that was received has been taken."""
        return self._start == self._end

    def readable(self, seconds: float) -> bool:
        """Tell whether bytes are here, or come within `seconds`; also when the connection ended."""
        if not self.drained:
            return True
        if isinstance(self._connection, ssl.SSLSocket) and self._connection.pending():
            return True
        readable = select.poll()
        readable.register(self._connection, select.POLLIN)
        return bool(readable.poll(seconds * 1000))

    def unread(self, count: int) -> None:
        """Give the last `count` bytes of the last `exactly` back."""
        self._start -= count

    def remainder(self) -> bytes:
        """Return what was read from the connection and not taken."""
        return bytes(self._buffer[self._start : self._end])

    def _compact(self) -> None:
        left = self._end - self._start
        self._buffer[:left] = bytes(self._buffer[self._start : self._end])
        self._start, self._end = 0, left

    def _receive(self) -> None:
        if self._start == self._end:
            self._start = self._end = 0
        self._end += self._received(self._buffer[self._end :])

    def _received(self, room: memoryview) -> int:
        """Wait for bytes, at least one, and return how many are in `room`."""
        since = 0.0
        while True:
            try:
                received = self._connection.recv_into(room)
            except (BlockingIOError, TimeoutError, ssl.SSLWantReadError):
                since = since or time.monotonic() - WAKE_SECONDS
                self._wait(time.monotonic() - since)
                continue
            except OSError as error:
                raise PeerGone from error
            if not received:
                raise PeerGone
            # More is there already where it filled the room: then nobody waits for us.
            if received < len(room):
                acknowledge_at_once(self._connection)
            if self._pace is not None:
                self._pace(received)
            return received
