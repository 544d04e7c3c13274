"""Waiting for PostgreSQL's notifications in a thread that another one ends."""

import select
import socket
import threading
import time
from contextlib import suppress
from typing import Any

import psycopg


class Hearing:
    """Hears what a connection is notified of, until `end`; see `Database.listen`.

    Waiting for notifications alone, a thread would learn that it is to end when it looks next: a
    process that is asked to stop would wait for that.
    """

    def __init__(self) -> None:
        """Begin; who made it closes it."""
        self._ended, self._end = socket.socketpair()
        self._lock = threading.Lock()

    def news(self, connection: psycopg.Connection[Any], seconds: float) -> list[psycopg.Notify]:
        """Return what was notified, as soon as there is something.

        Nothing after so many seconds, nor after `end`, which does not wait for them.

        Raises:
            psycopg.OperationalError: the connection is lost.
        """
        deadline = time.monotonic() + seconds
        # What came with the answer to a statement is in memory, and no longer on the socket. The
        # server says other things than news, too, such as that it ends the connection.
        while not (found := list(connection.notifies(timeout=0))):
            if not self._wait(connection.fileno(), max(0.0, deadline - time.monotonic())):
                break
        return found

    def end(self) -> None:
        """Let `news` return from now on without waiting; from any thread, also after `close`."""
        with self._lock, suppress(OSError):
            self._end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give back what it holds, after the last `news`."""
        with self._lock:
            self._end.close()
            self._ended.close()

    def _wait(self, descriptor: int, seconds: float) -> bool:
        """Return whether something came from the server, and this has not ended."""
        waiting = select.poll()
        waiting.register(descriptor, select.POLLIN)
        waiting.register(self._ended, select.POLLIN)
        return [ready for ready, _ in waiting.poll(seconds * 1000)] == [descriptor]
