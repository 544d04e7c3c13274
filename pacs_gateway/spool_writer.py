"""One instance being received into a file of the spool.

A large one goes past the page cache (O_DIRECT): nobody reads it again soon, and
the pages that the system must find for it cost more processor time than all else
that is done with it (1.2 ms of 525 kB against 0.25 ms on a virtual machine that
gives freed memory back to its host).
"""

import errno
import fcntl
import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final, Protocol, cast

from pacs_gateway.memory_file import MemoryFile
from pacs_gateway.spool_buffers import BUFFER_BYTES, SpoolBuffers
from pacs_gateway.spooled import SpooledInstance
from storage import receptions
from storage.dicom_header import InstanceHeader
from storage.errors import RdcError
from storage.receptions import Origin, Reception, Refusal

# Beginning, length and memory of a write past the page cache are multiples of the disk's block.
_DISK_BLOCK: Final = 4096
# Below it the page cache is cheaper, measured with 20 kB (0.18 ms against 0.25).
_DIRECT_FROM: Final = 128 * 1024
_SPACE_CHECK_BYTES: Final = 32 * 1024 * 1024
_OUT_OF_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_DIRECT: Final = frozenset({errno.EINVAL, errno.ENOTSUP, errno.ENOSYS})


class SpoolFull(RdcError):
    """The spool's filesystem has less than its reserve left."""


class SpoolFailed(RdcError):
    """The spool's filesystem refused a write for another reason than space."""


@dataclass(frozen=True, slots=True)
class SpoolFile:
    """An empty file whose directory entry is on disk, open for writing."""

    path: Path
    descriptor: int


class SpoolHouse(Protocol):
    """What a writer needs of the spool it writes into."""

    @property
    def past_the_page_cache(self) -> bool:
        """Whether its filesystem can write past the page cache."""
        ...

    def take_file(self) -> SpoolFile:
        """Return a file of its own. Raises SpoolFull, SpoolFailed."""
        ...

    @property
    def buffers(self) -> SpoolBuffers:
        """The memory of its writers."""
        ...

    def require_space(self) -> None:
        """Raise SpoolFull when less than the reserve is free."""
        ...

    def admit(self, instance: SpooledInstance) -> None:
        """Announce an instance that is durable."""
        ...


class SpoolWriter:
    """One instance being received; ends with `publish` and `announce`, or with `discard`.

    The file is gathered in memory, and reaches the disk when the buffer is full
    or the dataset complete: a small one costs one write however finely it came.
    """

    def __init__(
        self, spool: SpoolHouse, origin: Origin, transfer_syntax_uid: str, head: receptions.Head
    ) -> None:
        self._spool = spool
        self._origin = origin
        self._transfer_syntax_uid = transfer_syntax_uid
        self._head = head
        self._digest = hashlib.sha256()
        buffer = spool.buffers.take()
        buffer[: len(head.encoded)] = head.encoded
        self._buffer: memoryview | None = buffer
        # Bytes in the buffer, which follow those in the file.
        self._gathered = len(head.encoded)
        self._written = 0
        self._unchecked = 0
        self._file: SpoolFile | None = None
        self._first_block = b""
        self._direct = False
        # Whether the next write goes past the page cache: to switch costs a call of the system.
        self._switched = False
        self._published: SpooledInstance | None = None

    @property
    def size(self) -> int:
        """Bytes of the dataset received so far."""
        return self._written + self._gathered - self.dataset_offset

    @property
    def dataset_offset(self) -> int:
        """Where the dataset begins in the file."""
        return len(self._head.encoded)

    def write(self, fragment: memoryview) -> None:
        """Append a fragment of the dataset.

        Raises:
            SpoolFull: no space, or less than the reserve, is left.
            SpoolFailed: the filesystem refuses.
        """
        buffer = self._buffer
        assert buffer is not None, "written to after its end"
        # At once: the sender prepares the next fragment meanwhile.
        self._digest.update(fragment)
        while True:
            end = self._gathered + len(fragment)
            if end <= BUFFER_BYTES:
                buffer[self._gathered : end] = fragment
                self._gathered = end
                return
            room = BUFFER_BYTES - self._gathered
            buffer[self._gathered :] = fragment[:room]
            self._gathered = BUFFER_BYTES
            self._write_out()
            fragment = fragment[room:]

    def room(self) -> memoryview:
        """Return the memory of what is gathered next, for who can receive right into it.

        Valid until anything else is called. Empty when `write` must make room first.
        """
        assert self._buffer is not None, "written to after its end"
        return self._buffer[self._gathered :]

    def filled(self, count: int) -> None:
        """Append the next `count` bytes, which are at the beginning of `room`."""
        self._digest.update(self.room()[:count])
        self._gathered += count

    def open_dataset(self) -> BinaryIO:
        """Return the file at the first byte of its dataset, which is complete, for reading.

        Valid until `publish` or `discard`. Nothing moves any more: where something is in this file
        it will be in the one that is published.

        Raises:
            SpoolFull, SpoolFailed: it is so large that it must go to the disk, which refuses.
        """
        self._end_with_a_block()
        if not self._written:
            assert self._buffer is not None
            file = cast("BinaryIO", MemoryFile(self._buffer[: self._gathered]))
        else:
            self._write_out()
            assert self._file is not None
            file = self._file.path.open("rb")
        file.seek(self.dataset_offset)
        return file

    def publish(
        self, received_at: datetime, refusal: Refusal | None, header: InstanceHeader | None = None
    ) -> SpooledInstance:
        """Make the instance durable; from here on it is not lost. Return what is known of it.

        refusal: why it is to be kept aside instead of filed.
        header: the dataset's, where the caller has it; without it filing reads the file.

        Raises:
            SpoolFull, SpoolFailed: it is not durable and must not be acknowledged.
        """
        self._end_with_a_block()
        digest = self._digest.hexdigest()
        reception = Reception(
            origin=self._origin,
            transfer_syntax_uid=self._transfer_syntax_uid,
            received_at=received_at,
            dataset_size=self.size,
            dataset_sha256=digest,
            refusal=refusal,
        )
        record = receptions.record(reception)
        file, size = self._complete(record), self._written
        self._end()
        instance = SpooledInstance(file.path, size, self.dataset_offset, digest, reception, header)
        self._published = instance
        return instance

    def announce(self) -> None:
        """Tell filing of what was published, if anything was; never raises. Idempotent.

        Filing finds it by itself too, only later: nothing is lost without this.
        """
        if self._published is not None:
            self._spool.admit(self._published)
            self._published = None

    def discard(self) -> None:
        """Drop what was received; for an instance that will not be acknowledged. Idempotent."""
        file = self._file
        self._end()
        if file is not None:
            with suppress(OSError):
                file.path.unlink(missing_ok=True)

    def _complete(self, record: bytes) -> SpoolFile:
        """Write what is left and the record, and make all of it durable."""
        buffer = self._buffer
        assert buffer is not None
        place = slice(self._head.record_at, self._head.record_at + len(record))
        at_once = self._file is None and self._open()
        if at_once:
            # The filesystem shows nothing of such a write before all of it is there.
            buffer[place] = record
        self._write_out()
        file = self._file
        assert file is not None
        with spool_errors(file.path):
            if not at_once:
                # Last, as a file that has it counts as complete.
                length = len(self._first_block)
                buffer[:length] = self._first_block
                buffer[place] = record
                _write_all(file.descriptor, buffer[:length], 0)
            # The size is made durable with it, the times are not: nobody needs them.
            os.fdatasync(file.descriptor)
        return file

    def _end_with_a_block(self) -> None:
        """Lengthen the head of an instance that is whole in the buffer, so that it ends a block.

        Idempotent. What lies beyond the last whole block would take a write of its own, through
        the page cache, and the disk one more wait (0.05 ms together; moving half a megabyte takes
        0.01).
        """
        buffer, gathered = self._buffer, self._gathered
        assert buffer is not None
        more = -gathered % _DISK_BLOCK
        # An element's length is even.
        if not more or more % 2 or gathered + more > BUFFER_BYTES:
            return
        if self._file is not None or not self._goes_direct():
            return
        begin = self.dataset_offset
        self._head = self._head.lengthened(more)
        buffer[begin + more : gathered + more] = buffer[begin:gathered]
        buffer[: begin + more] = self._head.encoded
        self._gathered = gathered + more

    def _goes_direct(self) -> bool:
        """Tell whether what has been gathered at first is written past the page cache."""
        return self._gathered >= _DIRECT_FROM and self._spool.past_the_page_cache

    def _open(self) -> bool:
        """Take a file for what has been gathered; tell whether it goes past the page cache."""
        assert self._buffer is not None
        self._file = self._spool.take_file()
        # A small file may end within it.
        self._first_block = bytes(self._buffer[: min(self._gathered, _DISK_BLOCK)])
        self._direct = self._goes_direct()
        return self._direct

    def _write_out(self) -> None:
        """Write what has been gathered: all of the buffer, or the rest of the file."""
        buffer, gathered = self._buffer, self._gathered
        assert buffer is not None
        if not gathered:
            return
        if self._file is None:
            self._open()
        file = self._file
        assert file is not None
        content, whole = buffer[:gathered], gathered
        with spool_errors(file.path):
            if self._direct and gathered % _DISK_BLOCK:
                # Through the page cache, and before the rest: a file cut short by a kill has then
                # all its length and no record. Cutting off a padded block instead would make the
                # filesystem read that block again (0.1 ms).
                whole -= gathered % _DISK_BLOCK
                self._switch(past_the_page_cache=False)
                _write_all(file.descriptor, content[whole:], self._written + whole)
            self._switch(past_the_page_cache=self._direct)
            _write_all(file.descriptor, content[:whole], self._written)
        self._written += gathered
        self._unchecked += gathered
        self._gathered = 0
        if self._unchecked >= _SPACE_CHECK_BYTES:
            self._unchecked = 0
            self._spool.require_space()

    def _switch(self, *, past_the_page_cache: bool) -> None:
        if past_the_page_cache != self._switched:
            assert self._file is not None
            _go_past_the_page_cache(self._file.descriptor, on=past_the_page_cache)
            self._switched = past_the_page_cache

    def _end(self) -> None:
        if self._buffer is not None:
            self._spool.buffers.give(self._buffer)
            self._buffer = None
        if self._file is not None:
            with suppress(OSError):
                os.close(self._file.descriptor)
            self._file = None


def can_go_past_the_page_cache(descriptor: int) -> bool:
    """Tell whether a file's filesystem can write past the page cache; leaves it switched to that.

    Raises OSError when the filesystem fails otherwise.
    """
    try:
        _go_past_the_page_cache(descriptor, on=True)
    except OSError as error:
        if error.errno not in _NO_DIRECT:
            raise
        return False
    return True


def _go_past_the_page_cache(descriptor: int, *, on: bool) -> None:
    # None of the other flags that can be set so is set on a file of the spool.
    fcntl.fcntl(descriptor, fcntl.F_SETFL, os.O_DIRECT if on else 0)


def _write_all(descriptor: int, content: memoryview, at: int) -> None:
    """Write all at offset `at`; the system may take fewer bytes than it is given."""
    while content:
        written = os.pwrite(descriptor, content, at)
        at += written
        content = content[written:]


class spool_errors:  # noqa: N801 -- used as a statement
    """Turns the OSError of a block into the spool's own."""

    def __init__(self, path: Path) -> None:
        """Name the file or directory that the block works with."""
        self._path = path

    def __enter__(self) -> None:
        """Enter the block."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Raise SpoolFull or SpoolFailed from an OSError; let everything else through."""
        if not isinstance(error, OSError):
            return
        where = f"spool file {self._path.name}"
        if error.errno in _OUT_OF_SPACE:
            raise SpoolFull(
                where, found=error.strerror or "", remedy="Free space on the gateway's disk."
            ) from error
        raise SpoolFailed(where, found=str(error), remedy="Look at the gateway's disk.") from error


Announce = Callable[[SpooledInstance], None]
