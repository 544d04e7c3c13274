"""The filing side of the spool: what waits in the directories of all receiving processes.

Files are announced when they become durable (`announcements`), with all that
filing needs, so that they need not be read. They are looked for on the disk now
and then too: after a start, while nothing is announced, and for what could not
be filed. A directory whose owner is gone is emptied and removed.
"""

import fcntl
import hashlib
import io
import itertools
import logging
import os
import shutil
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final, cast

from pacs_gateway.announcements import Announcements
from pacs_gateway.announcer import GATHER_SECONDS
from pacs_gateway.memory_file import MemoryFile
from pacs_gateway.spool import FILE_SUFFIX, OWNER_LOCK
from pacs_gateway.spooled import SpooledInstance
from storage import metering, receptions
from storage.dicom_header import read_header
from storage.errors import RdcError
from storage.receptions import NotASpooledFile, Reception

_FILING_LOCK: Final = "filing.lock"
_LOOK_SECONDS: Final = 5.0
_LISTED: Final = 20_000
# Nothing for so long: whoever sent has ended, or is slow enough for batches of their own. Receivers
# announce after a part of it what has come meanwhile.
_LULL_SECONDS: Final = 2.5 * GATHER_SECONDS
# What was announced is remembered for so many files, of about 3 kB each; others are read.
_REMEMBERED: Final = 4096
# Read in pieces of so many bytes, into one buffer for each thread: memory that the process has
# just been given costs more to touch than a file in the page cache costs to read.
_PIECE: Final = 1024 * 1024

_buffers = threading.local()

_log = logging.getLogger(__name__)


class SpoolBusy(RdcError):
    """Another process files what is in the same spool."""


class Inbox:
    """All that waits below one spool; used by one thread of the one process that files."""

    def __init__(self, root: Path, announcements: Announcements) -> None:
        """Name the spool; nothing is touched before `open`."""
        self._root = root
        self._announcements = announcements
        self._lock: BinaryIO | None = None
        self._queue: deque[Path] = deque()
        # What is queued or handed out, so that looking does not find it again.
        self._known: set[Path] = set()
        self._instances: dict[Path, SpooledInstance] = {}
        self._looked_at = -_LOOK_SECONDS

    def open(self) -> None:
        """Take the spool.

        Raises:
            SpoolBusy: another process files from it.
        """
        self._root.mkdir(parents=True, exist_ok=True)
        lock = (self._root / _FILING_LOCK).open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.close()
            raise SpoolBusy(
                f"spool {self._root} is in use by another gateway",
                remedy="Stop the other gateway, or give this one a data directory of its own.",
            ) from error
        self._lock = lock

    def close(self) -> None:
        """Give the spool back."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def next_batch(self, limit: int, *, timeout: float, gather: float = 0.0) -> list[Path]:
        """Return up to `limit` files, oldest first; none when nothing came in `timeout` seconds.

        What it got the caller must `remove` or `postpone`.

        gather: seconds to wait for more once something is there, while more comes.
        """
        now = time.monotonic()
        if now - self._looked_at > _LOOK_SECONDS:
            # Or what is only waiting in the pipe would be found, and read from the disk.
            self._listen(0)
            self._look()
        if not self._queue:
            self._listen(timeout)
            if not self._queue:
                self._look()
        deadline = time.monotonic() + gather
        while self._queue and len(self._queue) < limit and time.monotonic() < deadline:
            before = len(self._queue)
            # Not woken by each announcement: that would cost more than what is done with it.
            time.sleep(min(gather, _LULL_SECONDS))
            self._listen(0)
            if len(self._queue) == before:
                break
        return [self._queue.popleft() for _ in range(min(limit, len(self._queue)))]

    def load(self, path: Path) -> SpooledInstance | None:
        """Return what is known of a file that was handed out; it is read when it must be.

        May be called from several threads. Raises and returns None as `load` does.
        """
        instance = self._instances.get(path)
        if instance is not None and instance.path.exists():
            return instance
        return load(path)

    def announced(self, path: Path) -> bool:
        """Tell whether the receiver has told of the file, so that it is durable."""
        return path in self._instances

    def postpone(self) -> None:
        """Let all that was handed out and not removed be handed out again."""
        self._known = set(self._queue)
        self._looked_at = -_LOOK_SECONDS

    def remove(self, path: Path) -> None:
        """Drop a file that has been filed; one that is gone already is fine."""
        path.unlink(missing_ok=True)
        self._known.discard(path)
        self._instances.pop(path, None)

    def _listen(self, timeout: float) -> None:
        for announced in self._announcements.take(timeout):
            instance = announced.instance
            path = self._root / announced.name if instance is None else instance.path
            self._add(path)
            if instance is not None and len(self._instances) < _REMEMBERED:
                self._instances[path] = instance

    def _add(self, path: Path) -> None:
        if path not in self._known:
            self._known.add(path)
            self._queue.append(path)

    def _look(self) -> None:
        """Look for complete files on the disk."""
        complete = itertools.chain.from_iterable(
            self._complete(directory) for directory in spool_directories(self._root)
        )
        found = itertools.islice(complete, _LISTED)
        for path in sorted(found, key=lambda path: path.name):
            self._add(path)
        self._measure()
        # Counted from the end: a long look must not be followed by the next at once.
        self._looked_at = time.monotonic()

    def _measure(self) -> None:
        """Tell how much waits, since when, and what room there is."""
        if not metering.is_enabled():
            return
        oldest = 0.0
        if self._known:
            with suppress(FileNotFoundError):
                oldest = min(self._known, key=lambda path: path.name).stat().st_mtime
        metering.put("rdc_spool_instances", len(self._known))
        metering.put("rdc_spool_oldest_timestamp_seconds", oldest)
        metering.put("rdc_spool_free_bytes", shutil.disk_usage(self._root).free)

    def _complete(self, directory: Path) -> Iterator[Path]:
        """Yield the complete files of a directory that are not known yet.

        When its owner is gone, what is not complete never will be and is removed.
        """
        with _owner_gone(directory) as gone:
            with suppress(FileNotFoundError), os.scandir(directory) as entries:
                for entry in entries:
                    path = directory / entry.name
                    if path in self._known or not entry.name.endswith(FILE_SUFFIX):
                        continue
                    try:
                        complete = entry.stat().st_size > 0 and _has_record(path)
                    except FileNotFoundError:
                        continue
                    if complete:
                        yield path
                    elif gone:
                        path.unlink(missing_ok=True)
            if gone:
                _remove_empty(directory)


def spool_directories(root: Path) -> list[Path]:
    """Return the directories of receiving processes below a spool, oldest first."""
    if not root.is_dir():
        return []
    return sorted(path for path in root.iterdir() if path.is_dir() and path.name[0] != ".")


def waiting(root: Path) -> int:
    """Count the files below a spool that hold an instance, complete or being received.

    For status and metrics; it may be called by any process.
    """
    count = 0
    for directory in spool_directories(root):
        with suppress(FileNotFoundError), os.scandir(directory) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    count += entry.name.endswith(FILE_SUFFIX) and entry.stat().st_size > 0
    return count


def load(path: Path) -> SpooledInstance | None:
    """Read a spooled file; None when it was never acknowledged, or is gone.

    Memory does not grow with its size.

    Raises:
        NotASpooledFile: it is damaged.
        OSError: it cannot be read.
        storage.dicom_header.DatasetError: its header cannot be read, which could be before.
    """
    try:
        file = path.open("rb", buffering=0)
    except FileNotFoundError:
        return None
    with file:
        size = os.fstat(file.fileno()).st_size
        source = _in_memory(file, size) if size <= _PIECE else file
        stream = cast("BinaryIO", source)
        found = receptions.read_reception(stream, path.name)
        if found is None:
            return None
        reception, offset = found
        digest = _verified_digest(source, offset, reception, path.name)
        header = None
        if reception.refusal is None:
            source.seek(offset)
            header = read_header(stream, reception.transfer_syntax_uid)
    return SpooledInstance(path, size, offset, digest, reception, header)


def _buffer() -> bytearray:
    """Return the buffer of this thread."""
    buffer: bytearray | None = getattr(_buffers, "piece", None)
    if buffer is None:
        buffer = _buffers.piece = bytearray(_PIECE)
    return buffer


def _in_memory(file: io.FileIO, size: int) -> MemoryFile:
    """Read a file of `size` bytes, at most `_PIECE`, into the buffer of this thread."""
    content = memoryview(_buffer())[:size]
    filled = 0
    while filled < size and (read := file.readinto(content[filled:])):
        filled += read
    return MemoryFile(content[:filled])


def _pieces(source: MemoryFile | io.FileIO, offset: int) -> Iterator[memoryview]:
    """Yield all from `offset` on; each piece is valid until the next."""
    if isinstance(source, MemoryFile):
        yield source.content[offset:]
        return
    source.seek(offset)
    buffer = memoryview(_buffer())
    while read := source.readinto(buffer):
        yield buffer[:read]


def _verified_digest(
    source: MemoryFile | io.FileIO, offset: int, reception: Reception, name: str
) -> str:
    """Return the SHA-256 of the dataset after checking that it is the one that was received."""
    digest, size = hashlib.sha256(), 0
    for piece in _pieces(source, offset):
        digest.update(piece)
        size += len(piece)
    found = digest.hexdigest()
    if size != reception.dataset_size or found != reception.dataset_sha256:
        raise NotASpooledFile(
            f"dataset of spooled file {name}",
            expected=f"{reception.dataset_size} bytes with SHA-256 {reception.dataset_sha256}",
            found=f"{size} bytes with SHA-256 {found}",
        )
    return found


def _has_record(path: Path) -> bool:
    """Tell whether the file was complete when it was looked at; a damaged one counts as such."""
    try:
        with path.open("rb") as file:
            return receptions.read_reception(file, path.name) is not None
    except NotASpooledFile:
        return True


class _owner_gone:  # noqa: N801 -- used as a statement
    """Holds the lock of a directory whose owner is gone; tells False while it lives."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / OWNER_LOCK
        self._file: BinaryIO | None = None

    def __enter__(self) -> bool:
        try:
            self._file = self._path.open("rb")
        except FileNotFoundError:
            return True
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def __exit__(self, *_exception: object) -> None:
        if self._file is not None:
            self._file.close()


def _remove_empty(directory: Path) -> None:
    if directory.is_dir() and {path.name for path in directory.iterdir()} <= {OWNER_LOCK}:
        (directory / OWNER_LOCK).unlink(missing_ok=True)
        with suppress(OSError):
            directory.rmdir()
