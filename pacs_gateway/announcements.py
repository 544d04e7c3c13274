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
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Any, Final, NamedTuple, Self, cast
from uuid import UUID

from pacs_gateway.spooled import SpooledInstance
from storage.dicom_header import InstanceHeader
from storage.identifiers import Uid
from storage.receptions import Origin, Reception, Refusal

_LENGTH: Final = struct.Struct("<I")
# One write of so few bytes is atomic (POSIX): messages of many processes do not mix.
_MESSAGE_MAXIMUM: Final = select.PIPE_BUF
# The most that Linux gives a process without privileges: some hundred messages.
_PIPE_BYTES: Final = 1024 * 1024
_HEADER_FIELDS: Final = fields(InstanceHeader)
_header_values: Final[Callable[[InstanceHeader], tuple[Any, ...]]] = attrgetter(
    *(one.name for one in _HEADER_FIELDS)
)
# They stand first; what is a text already can be pickled without a call of Python.
_UIDS: Final = sum(one.type is Uid for one in _HEADER_FIELDS)


class _Told(NamedTuple):
    """An instance in plain values: a message is one tuple of them.

    Naming the classes of what is announced, and pickling each by its fields, took three times as
    long for the one who receives, and five times for the one who files.
    """

    path: str
    size: int
    dataset_offset: int
    digest: str
    site_id: bytes
    device_id: bytes | None
    calling_ae_title: str
    called_ae_title: str
    peer_address: str
    transfer_syntax_uid: str
    received_at: str
    dataset_size: int
    dataset_sha256: str
    refusal: Refusal | None
    header: tuple[Any, ...] | None


def _encoded(name: str, instance: SpooledInstance | None) -> bytes:
    """Return a message."""
    told = None if instance is None else tuple(_told(instance))
    return pickle.dumps((name, told), pickle.HIGHEST_PROTOCOL)


def _told(instance: SpooledInstance) -> _Told:
    reception, header = instance.reception, instance.header
    origin = reception.origin
    values = None if header is None else _header_values(header)
    return _Told(
        str(instance.path),
        instance.size,
        instance.dataset_offset,
        instance.dataset_sha256,
        origin.site_id.bytes,
        None if origin.device_id is None else origin.device_id.bytes,
        origin.calling_ae_title,
        origin.called_ae_title,
        origin.peer_address,
        reception.transfer_syntax_uid,
        # Twice as fast as to pickle a time with its zone.
        reception.received_at.isoformat(),
        reception.dataset_size,
        reception.dataset_sha256,
        reception.refusal,
        None if values is None else (*map(str, values[:_UIDS]), *values[_UIDS:]),
    )


def _instance(told: _Told) -> SpooledInstance:
    reception = Reception(
        _origin(
            told.site_id,
            told.device_id,
            told.calling_ae_title,
            told.called_ae_title,
            told.peer_address,
        ),
        told.transfer_syntax_uid,
        datetime.fromisoformat(told.received_at),
        told.dataset_size,
        told.dataset_sha256,
        told.refusal,
    )
    return SpooledInstance(
        Path(told.path),
        told.size,
        told.dataset_offset,
        told.digest,
        reception,
        None if told.header is None else _header(told.header),
    )


def _header(values: tuple[Any, ...]) -> InstanceHeader:
    uids: list[Any] = [Uid(one) for one in values[:_UIDS]]
    return InstanceHeader(*uids, *values[_UIDS:])


# The same for all that one association sends.
@lru_cache(maxsize=256)
def _origin(site_id: bytes, device_id: bytes | None, *titles: str) -> Origin:
    device = None if device_id is None else UUID(bytes=device_id)
    return Origin(UUID(bytes=site_id), device, *titles)


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
        unread = instance.header is None and instance.reception.refusal is None
        message = _encoded(name, None if unread else instance)
        if len(message) + _LENGTH.size > _MESSAGE_MAXIMUM:
            message = _encoded(name, None)
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
                name, told = cast(
                    "tuple[str, tuple[Any, ...] | None]",
                    pickle.loads(self._rest[at + _LENGTH.size : end]),  # noqa: S301 -- see above
                )
                found.append(Announced(name, None if told is None else _instance(_Told(*told))))
            at = end
        self._rest = self._rest[at:]
        return found
