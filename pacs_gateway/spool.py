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

import fcntl
import logging
import os
import threading
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final
from uuid import uuid4

from pacs_gateway.spool_buffers import SpoolBuffers
from pacs_gateway.spool_writer import (
    Announce,
    SpoolFailed,
    SpoolFile,
    SpoolFull,
    SpoolWriter,
    can_go_past_the_page_cache,
    spool_errors,
)
from pacs_gateway.spooled import SpooledInstance
from storage import receptions
from storage.receptions import Origin

FILE_SUFFIX: Final = ".dcm"
OWNER_LOCK: Final = "owner.lock"
_UNFINISHED_PREFIX: Final = "."
_NAMES_AT_ONCE: Final = 64
_FILE_MODE: Final = 0o640
# For so long after there was room, new instances are received without another look, which adds up
# counters of all processors: what comes meanwhile is far less than a reserve of a gigabyte.
_SPACE_SEEN_SECONDS: Final = 0.1

_log = logging.getLogger(__name__)


class Spool:
    """The spool directory of one process; its methods may be called from many threads."""

    def __init__(self, root: Path, *, reserve_bytes: int, announce: Announce | None = None) -> None:
        """Name the common spool; nothing is touched before `open`.

        reserve_bytes: see `GatewayConfig.spool_reserve_bytes`.
        announce: is told of each instance that has become durable; files are found without it too,
            only later.
        """
        self._root = root
        self._directory = root
        self._reserve_bytes = reserve_bytes
        self._announce = announce or _nobody
        self._lock: BinaryIO | None = None
        self._naming = threading.Lock()
        self._unused: deque[SpoolFile] = deque()
        self._names_wanted = threading.Event()
        self._closing = False
        self._namer: threading.Thread | None = None
        self.buffers: Final = SpoolBuffers()
        self._space_seen_at = -_SPACE_SEEN_SECONDS
        self._past_the_page_cache = False

    def open(self) -> None:
        """Make a directory of our own; what others left is none of our business."""
        self._root.mkdir(parents=True, exist_ok=True)
        name = f"{time.time_ns():020d}-{uuid4().hex[:8]}"
        # Under its final name it is locked from the beginning: an unlocked one is without an owner.
        making = self._root / f"{_UNFINISHED_PREFIX}{name}"
        making.mkdir()
        self._lock = (making / OWNER_LOCK).open("ab")
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Nothing is ever written into this file.
        self._past_the_page_cache = can_go_past_the_page_cache(self._lock.fileno())
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

    @property
    def past_the_page_cache(self) -> bool:
        """Whether the filesystem can write past the page cache; known after `open`."""
        return self._past_the_page_cache

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
        if time.monotonic() - self._space_seen_at > _SPACE_SEEN_SECONDS:
            self.require_space()
            self._space_seen_at = time.monotonic()
        head = receptions.head(origin, sop_class_uid, sop_instance_uid, transfer_syntax_uid)
        return SpoolWriter(self, origin, transfer_syntax_uid, head)

    def require_space(self) -> None:
        """Check that the reserve is free.

        Raises:
            SpoolFull: it is not.
            SpoolFailed: the filesystem cannot be asked.
        """
        with spool_errors(self._directory):
            found = os.statvfs(self._directory)
        free = found.f_bavail * found.f_frsize
        if free < self._reserve_bytes:
            raise SpoolFull(
                "spool is short of disk space",
                expected=f"at least {self._reserve_bytes} bytes free",
                found=f"{free} bytes",
                remedy="Free space on the gateway's disk; senders will try again.",
            )

    def take_file(self) -> SpoolFile:
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

    def admit(self, instance: SpooledInstance) -> None:
        """Announce an instance that is complete and durable."""
        self._announce(instance)

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
        begun = f"{time.time_ns():020d}-{uuid4().hex[:12]}"
        folder = str(self._directory)
        made: list[SpoolFile] = []
        try:
            with spool_errors(self._directory):
                for number in range(_NAMES_AT_ONCE):
                    path = f"{folder}/{begun}-{number:02d}{FILE_SUFFIX}"
                    opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, _FILE_MODE)
                    made.append(SpoolFile(Path(path), opened))
                _sync_directory(self._directory)
        except (SpoolFull, SpoolFailed):
            for name in made:
                os.close(name.descriptor)
                name.path.unlink(missing_ok=True)
            raise
        self._unused.extend(made)


def _nobody(instance: SpooledInstance) -> None:
    del instance


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
