"""How a receiving process tells the filing process of a file: a message in a pipe.

The files are the truth, the pipe only saves looking for them and reading them
again. It may lose anything: when it is full nobody waits, and when the filing
process dies what is in it is found on the disk.
"""

import fcntl
import os
import pickle
import select
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, fields
from io import BytesIO
from operator import attrgetter
from pathlib import PosixPath
from typing import Any, Final, Self, cast
from uuid import UUID

from pacs_gateway.spooled import SpooledInstance
from storage.dicom_header import InstanceHeader
from storage.receptions import Origin, Reception, Refusal

_LENGTH: Final = struct.Struct("<I")
# One write of so few bytes is atomic (POSIX): messages of many processes do not mix.
_MESSAGE_MAXIMUM: Final = select.PIPE_BUF
# The most that Linux gives a process without privileges: some hundred messages.
_PIPE_BYTES: Final = 1024 * 1024
_ANNOUNCED: Final[tuple[type[Any], ...]] = (
    SpooledInstance,
    Reception,
    Origin,
    Refusal,
    InstanceHeader,
)


def _by_fields(kind: type[Any]) -> Callable[[Any], tuple[type[Any], tuple[Any, ...]]]:
    """Pickle a dataclass as a call with its fields, read by one attrgetter."""
    values = attrgetter(*(one.name for one in fields(kind)))
    return lambda instance: (kind, values(instance))


def _encoded(message: object) -> bytes:
    encoded = BytesIO()
    _Pickler(encoded, pickle.HIGHEST_PROTOCOL).dump(message)
    return encoded.getvalue()


class _Pickler(pickle.Pickler):
    """What dataclasses and UUID do in Python to be pickled takes twice the time of all else."""

    dispatch_table = {  # noqa: RUF012 -- pickle's own name, read by its C code
        **{kind: _by_fields(kind) for kind in _ANNOUNCED},
        UUID: lambda uuid: (UUID, (None, uuid.bytes)),
        PosixPath: lambda path: (PosixPath, (str(path),)),
    }


@dataclass(frozen=True, slots=True)
class Announced:
    """A file below the spool that is complete.

    instance: all that filing needs; None when it must be read from the file.
    """

    name: str
    instance: SpooledInstance | None


class Announcements:
    """A pipe from any number of processes to one; made before they are forked."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        with suppress(OSError):
            # Where many pipes are open already the system may refuse; then more is looked for.
            fcntl.fcntl(self._write, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def announce(self, instance: SpooledInstance) -> None:
        """Tell of a file that is complete; never waits, never raises."""
        name = f"{instance.path.parent.name}/{instance.path.name}"
        message = _encoded((name, instance))
        unread = instance.header is None and instance.reception.refusal is None
        if unread or len(message) + _LENGTH.size > _MESSAGE_MAXIMUM:
            message = _encoded((name, None))
        self._tell(message)

    def wake(self) -> None:
        """End a `take` that waits."""
        self._tell(b"")

    def take(self, timeout: float) -> list[Announced]:
        """Return the files told of since, oldest first; wait `timeout` seconds for the first."""
        # Not select(): a process with many associations has descriptors beyond its 1024.
        readable = select.poll()
        readable.register(self._read, select.POLLIN)
        if not readable.poll(timeout * 1000):
            return []
        with suppress(BlockingIOError):
            self._rest += os.read(self._read, _PIPE_BYTES)
        return self._whole()

    def close(self) -> None:
        """Close both ends in this process. Idempotent."""
        ends, self._read, self._write = {self._read, self._write}, -1, -1
        for end in ends - {-1}:
            os.close(end)

    def _tell(self, message: bytes) -> None:
        with suppress(OSError):
            os.write(self._write, _LENGTH.pack(len(message)) + message)

    def _whole(self) -> list[Announced]:
        """Take the whole messages out of what was read."""
        at, found = 0, list[Announced]()
        while len(self._rest) - at >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._rest, at)
            end = at + _LENGTH.size + length
            if end > len(self._rest):
                break
            if length:
                # Written by a process that was forked from the same one, into a pipe that only
                # they have: nothing from outside comes here.
                name, instance = cast(
                    "tuple[str, SpooledInstance | None]",
                    pickle.loads(self._rest[at + _LENGTH.size : end]),  # noqa: S301 -- see above
                )
                found.append(Announced(name, instance))
            at = end
        self._rest = self._rest[at:]
        return found
