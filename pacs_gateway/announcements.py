"""How a receiving process tells the filing process of a file: a name in a pipe.

The files are the truth, the pipe only saves looking for them. It may lose
anything: when it is full nobody waits, and when the filing process dies what is
in it is found on the disk.
"""

import os
import select
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

_READ_BYTES: Final = 65_536


class Announcements:
    """A pipe from any number of processes to one; made before they are forked."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def announce(self, path: Path) -> None:
        """Tell of a file that is complete; never waits, never raises."""
        # One write of so few bytes is atomic (POSIX: up to PIPE_BUF): names do not mix.
        with suppress(OSError):
            os.write(self._write, f"{path.parent.name}/{path.name}\n".encode())

    def wake(self) -> None:
        """End a `take` that waits."""
        with suppress(OSError):
            os.write(self._write, b"\n")

    def take(self, timeout: float) -> list[str]:
        """Return the names below the spool told of since, oldest first; wait `timeout` seconds."""
        # Not select(): a process with many associations has descriptors beyond its 1024.
        readable = select.poll()
        readable.register(self._read, select.POLLIN)
        if not readable.poll(timeout * 1000):
            return []
        with suppress(BlockingIOError):
            self._rest += os.read(self._read, _READ_BYTES)
        whole, _, self._rest = self._rest.rpartition(b"\n")
        return [name.decode() for name in whole.split(b"\n") if name]

    def close(self) -> None:
        """Close both ends in this process. Idempotent."""
        ends, self._read, self._write = {self._read, self._write}, -1, -1
        for end in ends - {-1}:
            os.close(end)
