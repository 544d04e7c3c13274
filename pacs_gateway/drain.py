"""From the spool to the archive: objects first, then the index, then the spooled file goes.

Each step can be repeated: an object that is there already, an instance that is
filed already and a spool file that is gone already are all fine. So whatever
dies at whatever moment, the next run ends in the same state. While database or
object store are away the spool keeps what it has, and the drain waits.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from pacs_gateway.announcements import Announcements
from pacs_gateway.config import GatewayConfig
from pacs_gateway.inbox import Inbox
from pacs_gateway.spooled import SpooledInstance
from storage import metering, receptions, tracing
from storage.database import Database
from storage.dicom_header import DatasetError, InstanceHeader
from storage.index import quarantine
from storage.index.ingest import Filing, IngestOutcome, ReceivedInstance, ingest
from storage.index.quarantine import Entry
from storage.index.received import instance_key
from storage.index.tables import QuarantineReason
from storage.objects import ObjectConflict, ObjectKey, ObjectStore, ObjectStoreUnavailable
from storage.outbox import backoff_seconds
from storage.receptions import NotASpooledFile

_READERS: Final = 4
_IDLE_SECONDS: Final = 0.5
# Each batch costs a commit of the database and of the filesystem's journal, for which receiving
# waits too: while much comes, few large batches.
_GATHER_SECONDS: Final = 0.25
_BACKOFF_BASE_SECONDS: Final = 0.2
_BACKOFF_CAP_SECONDS: Final = 10.0
_TRIES: Final = 3
_HEAD_LENGTH: Final = 8192
_CONTENT_TYPE: Final = "application/dicom"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Stored:
    """An instance whose bytes are in the object store."""

    spooled: SpooledInstance
    header: InstanceHeader
    key: ObjectKey
    size: int
    dataset_offset: int


class Drain:
    """Files what the spool holds, in a thread of its own, until stopped."""

    def __init__(
        self,
        announcements: Announcements,
        database: Database,
        objects: ObjectStore,
        config: GatewayConfig,
    ) -> None:
        """Prepare to file; nothing happens before `start`."""
        self._inbox = Inbox(config.spool_dir, announcements)
        self._announcements = announcements
        self._database = database
        self._objects = objects
        self._config = config
        self._stopping = threading.Event()
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="drain-read")
        self._thread = threading.Thread(target=self._run, name="drain")

    def start(self) -> None:
        """File what is there and what comes.

        Raises:
            SpoolBusy: another process files from the same spool.
        """
        self._inbox.open()
        self._thread.start()

    def stop(self) -> None:
        """End after the batch at hand; what is left waits for the next start."""
        self._stopping.set()
        self._announcements.wake()
        if self._thread.is_alive():
            self._thread.join()
        self._readers.shutdown()
        self._inbox.close()

    def _run(self) -> None:
        setbacks = 0
        while not self._stopping.is_set():
            if self._round():
                setbacks = 0
                continue
            setbacks += 1
            self._inbox.postpone()
            self._pause(setbacks)

    def _round(self) -> bool:
        """Take a batch and file it; return whether all of it is done."""
        try:
            batch = self._inbox.next_batch(
                self._config.drain_batch, timeout=_IDLE_SECONDS, gather=_GATHER_SECONDS
            )
            return not batch or self._file_all(batch)
        except Exception:  # noqa: BLE001 -- see below
            # Receiving goes on without us: the drain must not end while the gateway runs.
            _log.exception("drain met an error of ours")
            return False

    def _file_all(self, batch: Sequence[Path]) -> bool:
        """File a batch however long it takes; return whether all of it is done."""
        if self._persist(partial(self._file, batch)) is None:
            return True
        # One file of the batch may be the cause: let it not hold up the others.
        done = True
        for path in batch:
            error = self._file_alone(path)
            if (
                error is not None
                and self._persist(partial(self._put_aside, path, error)) is not None
            ):
                _log.error("file can neither be filed nor put aside", extra={"file": path.name})
                done = False
        return done

    def _file_alone(self, path: Path) -> Exception | None:
        error: Exception | None = None
        for attempt in range(_TRIES):
            error = self._persist(partial(self._file, [path]))
            if error is None:
                return None
            self._pause(attempt + 1)
        return error

    def _persist(self, step: Callable[[], None]) -> Exception | None:
        """Run `step`, repeatedly while the archive is away; return what else it raised.

        When the drain is to stop, the last error is returned and the file stays where it is.
        """
        tries = 0
        while True:
            try:
                step()
            except Exception as error:  # noqa: BLE001 -- whatever it is, the drain goes on
                if not is_outage(error):
                    # The message of a database error holds the values: patient data.
                    _log.warning("filing failed", extra={"error": type(error).__name__})
                    return error
                tries += 1
                _log.warning(
                    "archive is away, the spool keeps what it has",
                    extra={"error": type(error).__name__},
                )
                self._pause(tries)
                if self._stopping.is_set():
                    return error
            else:
                return None

    def _pause(self, tries: int) -> None:
        self._stopping.wait(
            backoff_seconds(tries, base=_BACKOFF_BASE_SECONDS, cap=_BACKOFF_CAP_SECONDS)
        )

    def _file(self, batch: Sequence[Path]) -> None:
        """File a batch in one transaction; what was never acknowledged is dropped."""
        items = self._load(batch)
        self._keep_aside(
            {item.path: _refused(item) for item in items if item.reception.refusal is not None}
        )
        began = datetime.now(UTC)
        stored = self._store([item for item in items if item.reception.refusal is None])
        if stored:
            with self._database.transaction() as session:
                received = [self._received(item) for item in stored]
                outcomes = ingest(session, received)
                _enter_conflicts(session, stored, received, outcomes)
            _count(received, outcomes)
            _trace(received, began)
        for path in batch:
            self._inbox.remove(path)

    def _load(self, batch: Sequence[Path]) -> list[SpooledInstance]:
        """Return what is known of each file that was acknowledged, in the same order."""
        # Handing over to a thread costs a fifth of all that filing does with an instance: only
        # for those that have to be read.
        unread = [path for path in batch if not self._inbox.announced(path)]
        read = dict(zip(unread, self._readers.map(self._inbox.load, unread), strict=True))
        items = (read[path] if path in read else self._inbox.load(path) for path in batch)
        return [item for item in items if item is not None]

    def _store(self, items: Sequence[SpooledInstance]) -> list[_Stored]:
        """Put the bytes into the object store, or find that it has the same datasets already."""
        keys = [_key(item) for item in items]
        # The same dataset may come twice in one batch, under two heads: the first is stored.
        files: dict[ObjectKey, Path] = {}
        for key, item in zip(keys, items, strict=True):
            files.setdefault(key, item.path)
        # What is known by its announcement has been synced before it was announced.
        synced = {item.path for item in items if self._inbox.announced(item.path)}
        conflicts = self._objects.put_files(files, content_type=_CONTENT_TYPE, synced=synced)
        return [
            self._received_before(item, key, conflicts.get(key))
            if key in conflicts or files[key] != item.path
            else _Stored(item, _header(item), key, item.size, item.dataset_offset)
            for key, item in zip(keys, items, strict=True)
        ]

    def _received_before(
        self, item: SpooledInstance, key: ObjectKey, conflict: ObjectConflict | None
    ) -> _Stored:
        """Point to an object with the same dataset under another head.

        It came from another association, or from a run that died.
        """
        offset = receptions.dataset_offset(self._objects.read(key, 0, _HEAD_LENGTH))
        found = self._objects.stat(key)
        if offset is None or found is None or found.size - offset != item.reception.dataset_size:
            raise conflict or NotASpooledFile(f"object {key} is not the dataset that names it")
        return _Stored(item, _header(item), key, found.size, offset)

    def _received(self, item: _Stored) -> ReceivedInstance:
        reception = item.spooled.reception
        return ReceivedInstance(
            header=item.header,
            site_id=reception.origin.site_id,
            device_id=reception.origin.device_id,
            transfer_syntax_uid=reception.transfer_syntax_uid,
            object_key=item.key,
            object_size=item.size,
            dataset_sha256=item.spooled.dataset_sha256,
            dataset_offset=item.dataset_offset,
            pixel_data_offset=_in_object(item),
            received_at=reception.received_at,
            quiet=self._config.quiet(item.header.modality),
        )

    def _keep_aside(self, entries: Mapping[Path, Entry]) -> None:
        quarantine.keep_aside(self._database, self._objects, entries, content_type=_CONTENT_TYPE)

    def _put_aside(self, path: Path, error: Exception) -> None:
        """Quarantine a file that cannot be filed for a reason nobody foresaw."""
        found = f"filing failed with {type(error).__name__}"
        try:
            spooled = self._inbox.load(path)
        except (NotASpooledFile, DatasetError):
            entry = Entry(
                path.name, None, QuarantineReason.MALFORMED, found, None, "", datetime.now(UTC), {}
            )
        else:
            if spooled is None:
                self._inbox.remove(path)
                return
            entry = Entry(
                path.name,
                spooled.reception.origin,
                QuarantineReason.MALFORMED,
                found,
                None,
                spooled.dataset_sha256,
                spooled.reception.received_at,
                {},
            )
        self._keep_aside({path: entry})
        self._inbox.remove(path)


def _count(received: Sequence[ReceivedInstance], outcomes: Sequence[IngestOutcome]) -> None:
    if not metering.is_enabled():
        return
    now = datetime.now(UTC)
    for one, outcome in zip(received, outcomes, strict=True):
        metering.count("rdc_filed_instances_total", outcome.filing.value)
        metering.observe("rdc_filing_lag_seconds", (now - one.received_at).total_seconds())


def _trace(received: Sequence[ReceivedInstance], began: datetime) -> None:
    if not tracing.is_enabled():
        return
    now = datetime.now(UTC)
    studies: dict[tuple[UUID, str], list[datetime]] = {}
    for one in received:
        key = (one.site_id, one.header.study_instance_uid)
        studies.setdefault(key, []).append(one.received_at)
    for (site_id, uid), moments in studies.items():
        count = len(moments)
        tracing.note(site_id, uid, "receive", min(moments), max(moments), instances=count)
        tracing.note(site_id, uid, "file", began, now, instances=count)


def is_outage(error: Exception) -> bool:
    """Tell whether database or object store are away, rather than a file wrong."""
    if isinstance(error, (ObjectStoreUnavailable, OperationalError, InterfaceError, PoolTimeout)):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _key(item: SpooledInstance) -> ObjectKey:
    site = item.reception.origin.site_id
    return instance_key(site, _header(item).study_instance_uid, item.dataset_sha256)


def _header(item: SpooledInstance) -> InstanceHeader:
    assert item.header is not None, "only what was not refused is stored"
    return item.header


def _in_object(item: _Stored) -> int | None:
    """Return where Pixel Data begins in the object, whose head may not be the spooled file's."""
    in_file = item.header.pixel_data_offset
    return None if in_file is None else in_file - item.spooled.dataset_offset + item.dataset_offset


def _refused(item: SpooledInstance) -> Entry:
    reception = item.reception
    refusal = reception.refusal
    assert refusal is not None
    return Entry(
        item.path.name,
        reception.origin,
        refusal.reason,
        refusal.found,
        refusal.command_sop_instance_uid or None,
        item.dataset_sha256,
        reception.received_at,
        {
            "command_sop_class_uid": refusal.command_sop_class_uid,
            "command_sop_instance_uid": refusal.command_sop_instance_uid,
            "transfer_syntax_uid": reception.transfer_syntax_uid,
        },
    )


def _enter_conflicts(
    session: Session,
    stored: Sequence[_Stored],
    received: Sequence[ReceivedInstance],
    outcomes: Sequence[IngestOutcome],
) -> None:
    """Quarantine the versions that may not be filed; their bytes stay where they were put."""
    for item, one, outcome in zip(stored, received, outcomes, strict=True):
        if outcome.filing is Filing.CONFLICT:
            spooled = item.spooled
            quarantine.enter_conflict(
                session, one, outcome, spooled.reception.origin, name=spooled.path.name
            )
