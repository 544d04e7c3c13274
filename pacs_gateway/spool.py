"""The receiving spool: where an instance is durable before its sender is told so.

An instance is received into a file whose name is durable already: such files
are made in advance, many with one sync of their directory. Its dataset is
written as it comes, then the record of the reception is written into the head,
and one `fsync` makes all of it durable; after that success is answered. A file
without its record was never acknowledged. One with a record proves itself by
the dataset's digest when it is read again after a crash.
"""

import errno
import fcntl
import hashlib
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final
from uuid import uuid4

from pacs_gateway import part10
from pacs_gateway.part10 import NotASpooledFile, Origin, Reception
from storage.dicom_header import InstanceHeader
from storage.errors import RdcError

_NAMES_AT_ONCE: Final = 64
_REMEMBERED: Final = 4096
_SPACE_CHECK_BYTES: Final = 32 * 1024 * 1024
_OUT_OF_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

_log = logging.getLogger(__name__)


class SpoolBusy(RdcError):
    """Another process receives into the same spool directory."""


class SpoolFull(RdcError):
    """The spool's filesystem has less than its reserve left."""


class SpoolFailed(RdcError):
    """The spool's filesystem refused a write for another reason than space."""


@dataclass(frozen=True, slots=True)
class SpooledInstance:
    """A complete file of the spool.

    header: what `storage.dicom_header` read when it was received; None when
        that is not known any more (after a restart) or the bytes were refused.
    """

    path: Path
    size: int
    dataset_offset: int
    reception: Reception
    header: InstanceHeader | None


class Spool:
    """One spool directory, owned by one process; its methods may be called from many threads."""

    def __init__(self, directory: Path, *, reserve_bytes: int) -> None:
        """Name the directory; nothing is touched before `open`.

        reserve_bytes: see `GatewayConfig.spool_reserve_bytes`.
        """
        self._directory = directory
        self._files = directory / "instances"
        self._reserve_bytes = reserve_bytes
        self._lock_file: BinaryIO | None = None
        self._naming = threading.Lock()
        self._unused: deque[Path] = deque()
        self._names_wanted = threading.Event()
        self._closing = False
        self._namer: threading.Thread | None = None
        self._arrival = threading.Condition()
        # Files that exist but hold no complete instance: unused ones, and those being received.
        self._incomplete: set[Path] = set()
        self._fresh: deque[SpooledInstance] = deque()
        self._forgotten = False
        self._backlog: deque[Path] = deque()
        self._waiting = 0

    def open(self) -> None:
        """Take the directory for this process and find what is still to be filed.

        Raises:
            SpoolBusy: another process has it.
        """
        self._files.mkdir(parents=True, exist_ok=True)
        _sync_directory(self._directory)
        lock_file = (self._directory / "owner.lock").open("ab")
        try:
            fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock_file.close()
            raise SpoolBusy(
                f"spool {self._directory} is in use by another gateway",
                remedy="Stop the other gateway, or give this one a spool directory of its own.",
            ) from error
        self._lock_file = lock_file
        for path in sorted(self._files.iterdir()):
            if path.stat().st_size:
                self._backlog.append(path)
            else:
                path.unlink()
        self._waiting = len(self._backlog)
        if self._backlog:
            _log.info("spool holds files of an earlier run", extra={"count": self._waiting})
        self._closing = False
        self._names_wanted.set()
        self._namer = threading.Thread(target=self._keep_names, name="spool-names")
        self._namer.start()

    def close(self) -> None:
        """Give the directory back; what waits stays for the next process."""
        self._closing = True
        self._names_wanted.set()
        if self._namer is not None:
            self._namer.join()
            self._namer = None
        while self._unused:
            self._unused.pop().unlink(missing_ok=True)
        if self._lock_file is not None:
            self._lock_file.close()
            self._lock_file = None

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
        return SpoolWriter(self, self._durable_name(), head)

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

    def _durable_name(self) -> Path:
        """Return an empty file whose directory entry is on disk."""
        if len(self._unused) < _NAMES_AT_ONCE:
            self._names_wanted.set()
        while True:
            with suppress(IndexError):
                return self._unused.popleft()
            with self._naming:
                if not self._unused:
                    self._make_names()

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
        made = [
            self._files / f"{now:020d}-{number:02d}-{uuid4().hex[:12]}.dcm"
            for number in range(_NAMES_AT_ONCE)
        ]
        with self._arrival:
            self._incomplete.update(made)
        with _spool_errors(self._files):
            for path in made:
                path.touch(exist_ok=False)
            _sync_directory(self._files)
        self._unused.extend(made)

    def admit(self, instance: SpooledInstance) -> None:
        """Offer a file that is complete and durable to `next_batch`."""
        with self._arrival:
            self._incomplete.discard(instance.path)
            self._waiting += 1
            if len(self._fresh) < _REMEMBERED:
                self._fresh.append(instance)
            else:
                self._forgotten = True
            self._arrival.notify()

    def next_batch(
        self, limit: int, *, timeout: float, gather: float = 0.0
    ) -> Sequence[SpooledInstance | Path]:
        """Return up to `limit` files, oldest first; none when nothing came in `timeout` seconds.

        A file whose facts are still in memory comes as `SpooledInstance`, one
        that must be read again as its path (see `load`). One thread may call
        this. What it got it must `remove` or `postpone`.

        gather: seconds to wait for more once something is there.
        """
        with self._arrival:
            if not self._backlog and not self._fresh and not self._forgotten:
                self._arrival.wait(timeout)
            if not self._backlog and not self._fresh and self._forgotten:
                self._forgotten = False
                complete = (p for p in self._files.iterdir() if p not in self._incomplete)
                self._backlog = deque(sorted(complete))
            if self._backlog:
                return [self._backlog.popleft() for _ in range(min(limit, len(self._backlog)))]
            if self._fresh:
                self._arrival.wait_for(lambda: len(self._fresh) >= limit, gather)
            return [self._fresh.popleft() for _ in range(min(limit, len(self._fresh)))]

    def postpone(self) -> None:
        """Let what was handed out and not removed be handed out again."""
        with self._arrival:
            self._forgotten = True

    def waiting(self) -> int:
        """Count the complete files that have not been filed."""
        with self._arrival:
            return self._waiting

    def remove(self, path: Path) -> None:
        """Drop a file that has been filed; one that is gone already is fine."""
        try:
            path.unlink()
        except FileNotFoundError:
            return
        with self._arrival:
            self._waiting -= 1

    def forget(self, path: Path) -> None:
        """Drop a file that never became complete."""
        with suppress(OSError):
            path.unlink(missing_ok=True)
        with self._arrival:
            self._incomplete.discard(path)


def load(path: Path) -> SpooledInstance | None:
    """Read a file again that an earlier run left; None when it was never acknowledged.

    Raises:
        NotASpooledFile: it is damaged.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        found = part10.read_reception(file, path.name)
        if found is None:
            return None
        reception, offset = found
        file.seek(offset)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.tell()
    if digest != reception.dataset_sha256:
        raise NotASpooledFile(
            f"dataset of spooled file {path.name}",
            expected=f"{reception.dataset_size} bytes with SHA-256 {reception.dataset_sha256}",
            found=f"{size - offset} bytes with SHA-256 {digest}",
        )
    return SpooledInstance(path, size, offset, reception, None)


class SpoolWriter:
    """One instance being received; ends with `publish` or `discard`."""

    def __init__(self, spool: Spool, path: Path, head: part10.Head) -> None:
        """Begin to fill the empty file at `path`.

        Raises:
            SpoolFull: no space is left.
            SpoolFailed: the filesystem refuses.
        """
        self._spool = spool
        self._path = path
        self._head = head
        self._digest = hashlib.sha256()
        self._size = 0
        self._unchecked = 0
        try:
            with _spool_errors(path):
                self._file = path.open("r+b", buffering=0)
                self._file.write(head.encoded)
        except (SpoolFull, SpoolFailed):
            spool.forget(path)
            raise

    @property
    def size(self) -> int:
        """Bytes of the dataset written so far."""
        return self._size

    def write(self, fragment: memoryview) -> None:
        """Append a fragment of the dataset.

        Raises:
            SpoolFull: no space, or less than the reserve, is left.
            SpoolFailed: the filesystem refuses.
        """
        self._digest.update(fragment)
        with _spool_errors(self._path):
            written = 0
            while written < len(fragment):
                written += self._file.write(fragment[written:])
        self._size += len(fragment)
        self._unchecked += len(fragment)
        if self._unchecked >= _SPACE_CHECK_BYTES:
            self._unchecked = 0
            self._spool.require_space()

    def open_dataset(self) -> BinaryIO:
        """Return the file, at the first byte of the dataset; the caller closes it."""
        file = self._path.open("rb")
        file.seek(len(self._head.encoded))
        return file

    @property
    def dataset_sha256(self) -> str:
        """Digest of the dataset bytes written so far."""
        return self._digest.hexdigest()

    @property
    def dataset_offset(self) -> int:
        """Where the dataset begins in the file."""
        return len(self._head.encoded)

    def publish(self, reception: Reception, header: InstanceHeader | None) -> SpooledInstance:
        """Make the instance durable; from here on it is not lost.

        Raises:
            SpoolFull, SpoolFailed: it is not durable and must not be acknowledged.
        """
        with _spool_errors(self._path):
            self._file.seek(self._head.record_at)
            self._file.write(part10.record(reception))
            os.fsync(self._file.fileno())
            self._file.close()
        instance = SpooledInstance(
            path=self._path,
            size=self.dataset_offset + self._size,
            dataset_offset=self.dataset_offset,
            reception=reception,
            header=header,
        )
        self._spool.admit(instance)
        return instance

    def discard(self) -> None:
        """Drop what was received; for an instance that will not be acknowledged."""
        with suppress(OSError):
            self._file.close()
        self._spool.forget(self._path)


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
