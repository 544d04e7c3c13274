"""The receiving spool: where an instance is durable before its sender is told so.

Every process that receives has a directory of its own below the common spool,
held by a lock as long as it lives. An instance is received into a file whose
name is durable already: such files are made in advance, many with one sync of
their directory. Its dataset is written in large pieces, then the record of the
reception is written into the head, and one sync makes all of it durable; after
that success is answered. A file without its record was never acknowledged. One
with a record proves itself by the dataset's checksum when it is read.

How files leave the spool stands in `pacs_gateway.inbox`.
"""

import errno
import fcntl
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final, cast
from uuid import uuid4

from blake3 import blake3

from pacs_gateway import part10
from pacs_gateway.memory_file import MemoryFile
from pacs_gateway.part10 import Origin, Reception, Refusal
from storage.errors import RdcError

FILE_SUFFIX: Final = ".dcm"
OWNER_LOCK: Final = "owner.lock"
_UNFINISHED_PREFIX: Final = "."
_NAMES_AT_ONCE: Final = 64
# What a dataset is gathered in before it is written: most instances are whole in it.
_BUFFER_BYTES: Final = 1024 * 1024
_BUFFERS_KEPT: Final = 16
_SPACE_CHECK_BYTES: Final = 32 * 1024 * 1024
_FILE_MODE: Final = 0o640
_OUT_OF_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

_log = logging.getLogger(__name__)


class SpoolFull(RdcError):
    """The spool's filesystem has less than its reserve left."""


class SpoolFailed(RdcError):
    """The spool's filesystem refused a write for another reason than space."""


@dataclass(frozen=True, slots=True)
class _Name:
    """An empty file whose directory entry is on disk, open for writing."""

    path: Path
    descriptor: int


class Spool:
    """The spool directory of one process; its methods may be called from many threads."""

    def __init__(
        self, root: Path, *, reserve_bytes: int, announce: Callable[[Path], None] | None = None
    ) -> None:
        """Name the common spool; nothing is touched before `open`.

        reserve_bytes: see `GatewayConfig.spool_reserve_bytes`.
        announce: is told of each file that has become durable; files are found without it too,
            only later.
        """
        self._root = root
        self._directory = root
        self._reserve_bytes = reserve_bytes
        self._announce = announce or _nobody
        self._lock: BinaryIO | None = None
        self._naming = threading.Lock()
        self._unused: deque[_Name] = deque()
        self._names_wanted = threading.Event()
        self._closing = False
        self._namer: threading.Thread | None = None
        self._buffers: deque[bytearray] = deque(maxlen=_BUFFERS_KEPT)

    def open(self) -> None:
        """Make a directory of our own; what others left is none of our business."""
        self._root.mkdir(parents=True, exist_ok=True)
        name = f"{time.time_ns():020d}-{uuid4().hex[:8]}"
        # Under its final name it is locked from the beginning: an unlocked one is without an owner.
        making = self._root / f"{_UNFINISHED_PREFIX}{name}"
        making.mkdir()
        self._lock = (making / OWNER_LOCK).open("ab")
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._directory = making.rename(self._root / name)
        _sync_directory(self._root)
        self._closing = False
        self._names_wanted.set()
        self._namer = threading.Thread(target=self._keep_names, name="spool-names", daemon=True)
        self._namer.start()

    def close(self) -> None:
        """Give the directory up; what waits in it is filed by whoever works through the spools."""
        self._closing = True
        self._names_wanted.set()
        if self._namer is not None:
            self._namer.join()
            self._namer = None
        while self._unused:
            name = self._unused.pop()
            os.close(name.descriptor)
            name.path.unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def directory(self) -> Path:
        """Our own directory; known after `open`."""
        return self._directory

    def begin(
        self,
        origin: Origin,
        *,
        sop_class_uid: str,
        sop_instance_uid: str,
        transfer_syntax_uid: str,
    ) -> "SpoolWriter":
        """Start to receive an instance.

        sop_class_uid, sop_instance_uid: of the C-STORE command; empty when they are no UIDs.

        Raises:
            SpoolFull: less than the reserve is free.
            SpoolFailed: the file cannot be made.
        """
        self.require_space()
        head = part10.head(origin, sop_class_uid, sop_instance_uid, transfer_syntax_uid)
        return SpoolWriter(self, origin, transfer_syntax_uid, head)

    def require_space(self) -> None:
        """Check that the reserve is free.

        Raises:
            SpoolFull: it is not.
            SpoolFailed: the filesystem cannot be asked.
        """
        with _spool_errors(self._directory):
            found = os.statvfs(self._directory)
        free = found.f_bavail * found.f_frsize
        if free < self._reserve_bytes:
            raise SpoolFull(
                "spool is short of disk space",
                expected=f"at least {self._reserve_bytes} bytes free",
                found=f"{free} bytes",
                remedy="Free space on the gateway's disk; senders will try again.",
            )

    def take_name(self) -> _Name:
        """Return an empty file whose directory entry is on disk.

        Raises:
            SpoolFull, SpoolFailed: none can be made.
        """
        if len(self._unused) < _NAMES_AT_ONCE:
            self._names_wanted.set()
        while True:
            with suppress(IndexError):
                return self._unused.popleft()
            with self._naming:
                if not self._unused:
                    self._make_names()

    def take_buffer(self) -> bytearray:
        """Return a buffer of `_BUFFER_BYTES`, which `give_buffer` gives back."""
        with suppress(IndexError):
            return self._buffers.pop()
        return bytearray(_BUFFER_BYTES)

    def give_buffer(self, buffer: bytearray) -> None:
        """Take a buffer back; nobody looks at it any more."""
        self._buffers.append(buffer)

    def admit(self, path: Path) -> None:
        """Announce a file that is complete and durable."""
        self._announce(path)

    def _keep_names(self) -> None:
        """Make names before they are needed: it takes the filesystem longer than writing does."""
        while self._names_wanted.wait() and not self._closing:
            self._names_wanted.clear()
            try:
                with self._naming:
                    while len(self._unused) < 2 * _NAMES_AT_ONCE:
                        self._make_names()
            except (SpoolFull, SpoolFailed) as error:
                # Whoever needs a name will try himself and tell the sender.
                _log.warning("spool cannot make files", extra={"why": str(error)})

    def _make_names(self) -> None:
        # Sorts by age; the random part keeps names apart even when the clock is set back.
        now = time.time_ns()
        made: list[_Name] = []
        try:
            with _spool_errors(self._directory):
                for number in range(_NAMES_AT_ONCE):
                    name = f"{now:020d}-{number:02d}-{uuid4().hex[:12]}{FILE_SUFFIX}"
                    path = self._directory / name
                    opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, _FILE_MODE)
                    made.append(_Name(path, opened))
                _sync_directory(self._directory)
        except (SpoolFull, SpoolFailed):
            for name in made:
                os.close(name.descriptor)
                name.path.unlink(missing_ok=True)
            raise
        self._unused.extend(made)


def _nobody(path: Path) -> None:
    del path


class SpoolWriter:
    """One instance being received; ends with `publish` or `discard`.

    It is gathered in memory and reaches the file when the buffer is full or the
    dataset complete, so that a small one costs two writes however finely it came.
    """

    def __init__(
        self, spool: Spool, origin: Origin, transfer_syntax_uid: str, head: part10.Head
    ) -> None:
        self._spool = spool
        self._origin = origin
        self._transfer_syntax_uid = transfer_syntax_uid
        self._head = head
        self._checksum = blake3()
        self._buffer: bytearray | None = spool.take_buffer()
        self._gathered = 0
        self._written = 0
        self._unchecked = 0
        self._name: _Name | None = None

    @property
    def size(self) -> int:
        """Bytes of the dataset received so far."""
        return self._written + self._gathered

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
        while True:
            end = self._gathered + len(fragment)
            if end <= _BUFFER_BYTES:
                buffer[self._gathered : end] = fragment
                self._gathered = end
                return
            room = _BUFFER_BYTES - self._gathered
            buffer[self._gathered :] = fragment[:room]
            self._gathered = _BUFFER_BYTES
            self._write_out()
            fragment = fragment[room:]

    def open_dataset(self) -> BinaryIO:
        """Return the dataset for reading, from its first byte; valid until `publish` or `discard`.

        Raises:
            SpoolFull, SpoolFailed: it is so large that it must go to the disk, which refuses.
        """
        if not self._written:
            assert self._buffer is not None
            content = memoryview(self._buffer)[: self._gathered]
            return cast("BinaryIO", MemoryFile(content))
        self._write_out()
        assert self._name is not None
        file = self._name.path.open("rb")
        file.seek(self.dataset_offset)
        return file

    def publish(self, received_at: datetime, refusal: Refusal | None) -> Path:
        """Make the instance durable; from here on it is not lost. Return where it is.

        refusal: why it is to be kept aside instead of filed.

        Raises:
            SpoolFull, SpoolFailed: it is not durable and must not be acknowledged.
        """
        self._write_out()
        name = self._name
        assert name is not None
        reception = Reception(
            origin=self._origin,
            transfer_syntax_uid=self._transfer_syntax_uid,
            received_at=received_at,
            dataset_size=self.size,
            dataset_sha256=None,
            refusal=refusal,
            dataset_blake3=self._checksum.hexdigest(),
        )
        with _spool_errors(name.path):
            os.pwrite(name.descriptor, part10.record(reception), self._head.record_at)
            # The size is made durable with it, the times are not: nobody needs them.
            os.fdatasync(name.descriptor)
        self._end()
        self._spool.admit(name.path)
        return name.path

    def discard(self) -> None:
        """Drop what was received; for an instance that will not be acknowledged. Idempotent."""
        name = self._name
        self._end()
        if name is not None:
            with suppress(OSError):
                name.path.unlink(missing_ok=True)

    def _write_out(self) -> None:
        """Write what has been gathered, after the head if it is the first."""
        buffer = self._buffer
        assert buffer is not None
        gathered = memoryview(buffer)[: self._gathered]
        if self._name is None:
            self._name = self._spool.take_name()
            parts = [memoryview(self._head.encoded), gathered]
            at = 0
        else:
            parts = [gathered]
            at = self.dataset_offset + self._written
        self._checksum.update(gathered)
        with _spool_errors(self._name.path):
            _write_all(self._name.descriptor, parts, at)
        self._written += self._gathered
        self._unchecked += self._gathered
        self._gathered = 0
        if self._unchecked >= _SPACE_CHECK_BYTES:
            self._unchecked = 0
            self._spool.require_space()

    def _end(self) -> None:
        if self._buffer is not None:
            self._spool.give_buffer(self._buffer)
            self._buffer = None
        if self._name is not None:
            with suppress(OSError):
                os.close(self._name.descriptor)
            self._name = None


def _write_all(descriptor: int, parts: list[memoryview], at: int) -> None:
    """Write all parts at offset `at`; the system may take fewer bytes than it is given."""
    while parts:
        written = os.pwritev(descriptor, parts, at)
        at += written
        while parts and written >= len(parts[0]):
            written -= len(parts.pop(0))
        if written:
            parts[0] = parts[0][written:]


class _spool_errors:  # noqa: N801 -- used as a statement
    """Turns the OSError of a block into the spool's own."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, OSError):
            return
        where = f"spool file {self._path.name}"
        if error.errno in _OUT_OF_SPACE:
            raise SpoolFull(
                where, found=error.strerror or "", remedy="Free space on the gateway's disk."
            ) from error
        raise SpoolFailed(where, found=str(error), remedy="Look at the gateway's disk.") from error


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
