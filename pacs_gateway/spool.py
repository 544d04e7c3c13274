"""The receiving spool: where an instance is durable before its sender is told so.

`incoming/` holds what is being received, `ready/` what has been acknowledged
and waits to be filed. A file enters `ready/` by an atomic rename after its
bytes are on disk, and success is answered only after the rename itself is on
disk. What a dead process left in `incoming/` was never acknowledged.
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
from pacs_gateway.part10 import Origin, Reception
from storage.dicom_header import InstanceHeader
from storage.errors import RdcError

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
    """A complete file in `ready/`.

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
        self._incoming = directory / "incoming"
        self._ready = directory / "ready"
        self._reserve_bytes = reserve_bytes
        self._lock_file: BinaryIO | None = None
        self._sync: _DirectorySync | None = None
        self._arrival = threading.Condition()
        self._fresh: deque[SpooledInstance] = deque()
        self._forgotten = False
        self._backlog: deque[Path] = deque()

    def open(self) -> None:
        """Take the directory for this process and find what is still to be filed.

        Raises:
            SpoolBusy: another process has it.
        """
        self._incoming.mkdir(parents=True, exist_ok=True)
        self._ready.mkdir(exist_ok=True)
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
        for partial in self._incoming.iterdir():
            partial.unlink()
        self._backlog = deque(sorted(self._ready.iterdir()))
        self._sync = _DirectorySync(self._ready)
        if self._backlog:
            _log.info(
                "spool holds instances of an earlier run", extra={"count": len(self._backlog)}
            )

    def close(self) -> None:
        """Give the directory back; what is in `ready/` stays for the next process."""
        if self._sync is not None:
            self._sync.close()
            self._sync = None
        if self._lock_file is not None:
            self._lock_file.close()
            self._lock_file = None

    def begin(
        self, origin: Origin, *, sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str
    ) -> "SpoolWriter":
        """Start to receive an instance.

        sop_class_uid, sop_instance_uid: of the C-STORE command; empty when they are no UIDs.

        Raises:
            SpoolFull: less than the reserve is free.
            SpoolFailed: the file cannot be made.
        """
        self.require_space()
        # Sorts by arrival; the random part keeps names apart even when the clock is set back.
        name = f"{time.time_ns():020d}-{uuid4().hex[:12]}.dcm"
        head = part10.head(origin, sop_class_uid, sop_instance_uid, transfer_syntax_uid)
        return SpoolWriter(self, self._incoming / name, head)

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

    def admit(self, written: Path, instance: SpooledInstance) -> None:
        """Make a finished file part of `ready/`, durably, and offer it to `next_batch`.

        Raises:
            SpoolFailed: it is not durable.
        """
        sync = self._sync
        if sync is None:
            raise SpoolFailed("spool is closed", remedy="Start the gateway.")
        try:
            written.rename(instance.path)
            sync.wait()
        except OSError as error:
            raise SpoolFailed(f"spool {self._ready}", found=str(error)) from error
        with self._arrival:
            if len(self._fresh) < _REMEMBERED:
                self._fresh.append(instance)
            else:
                self._forgotten = True
            self._arrival.notify()

    def ready_path(self, name: str) -> Path:
        """Return where a file of this name stands once it is complete."""
        return self._ready / name

    def next_batch(
        self, limit: int, *, timeout: float, gather: float = 0.0
    ) -> Sequence[SpooledInstance | Path]:
        """Return up to `limit` files, oldest first; none when nothing came in `timeout` seconds.

        A file whose facts are still in memory comes as `SpooledInstance`, one
        that must be read again as its path (see `load`); now and then one
        comes twice, and is gone the second time. One thread may call this.
        What it got it must `remove` or `postpone`.

        gather: seconds to wait for more once something is there.
        """
        with self._arrival:
            if not self._backlog and not self._fresh and not self._forgotten:
                self._arrival.wait(timeout)
            if not self._backlog and not self._fresh and self._forgotten:
                self._forgotten = False
                self._backlog = deque(sorted(self._ready.iterdir()))
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
        """Count the files in `ready/`."""
        return sum(1 for _ in self._ready.iterdir())

    @staticmethod
    def remove(path: Path) -> None:
        """Drop a file that has been filed; one that is gone already is fine."""
        path.unlink(missing_ok=True)


def load(path: Path) -> SpooledInstance:
    """Read a file of `ready/` again; its header is left to the caller.

    Raises:
        NotASpooledFile: it is damaged.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        reception, offset = part10.read_reception(file, path.name)
    return SpooledInstance(path, path.stat().st_size, offset, reception, None)


class SpoolWriter:
    """One instance being received; ends with `publish` or `discard`."""

    def __init__(self, spool: Spool, path: Path, head: part10.Head) -> None:
        """Make the partial file.

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
        with _spool_errors(path):
            self._file = path.open("x+b", buffering=0)
        try:
            with _spool_errors(path):
                self._file.write(head.encoded)
        except SpoolFull:
            self.discard()
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
        """Make the instance durable in `ready/`; from here on it is not lost.

        Raises:
            SpoolFull, SpoolFailed: it is not durable and must not be acknowledged.
        """
        with _spool_errors(self._path):
            self._file.seek(self._head.record_at)
            self._file.write(part10.record(reception))
            os.fsync(self._file.fileno())
            self._file.close()
        instance = SpooledInstance(
            path=self._spool.ready_path(self._path.name),
            size=self.dataset_offset + self._size,
            dataset_offset=self.dataset_offset,
            reception=reception,
            header=header,
        )
        self._spool.admit(self._path, instance)
        return instance

    def discard(self) -> None:
        """Drop what was received; for an instance that will not be acknowledged."""
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


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


class _DirectorySync:
    """fsync of one directory, shared by all threads that wait for it at the same time."""

    def __init__(self, directory: Path) -> None:
        self._descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        self._turn = threading.Condition()
        self._asked = 0
        self._covered = 0
        self._busy = False

    def wait(self) -> None:
        """Return when every change this thread made to the directory before the call is on disk.

        Raises:
            OSError: it is not.
        """
        with self._turn:
            self._asked += 1
            mine = self._asked
            while self._covered < mine:
                if self._busy:
                    self._turn.wait()
                else:
                    self._sync_once()

    def _sync_once(self) -> None:
        """Sync with the lock released; covers all who asked before it started."""
        self._busy = True
        covers = self._asked
        self._turn.release()
        try:
            os.fsync(self._descriptor)
        except OSError:
            covers = 0
            raise
        finally:
            self._turn.acquire()
            self._busy = False
            self._covered = max(self._covered, covers)
            self._turn.notify_all()

    def close(self) -> None:
        os.close(self._descriptor)
