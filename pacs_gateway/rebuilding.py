"""Making the index again from the objects alone.

Every object says in its head what the gateway knew when it received the
dataset (`storage.receptions`), and its name tells site and digest. Objects are
filed in the order in which they were received, by the same code as at first, so
that of two versions of one instance the same one is filed and the other is in
quarantine again. Of the objects of a study's reports those of the last version
are filed. What people decided afterwards is not in the objects; it comes from
the backup of the database.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BytesIO
from itertools import islice
from typing import Final, TypeVar
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from storage import audit, receptions
from storage.database import Database
from storage.dicom_header import DatasetError, read_file_meta, read_header
from storage.identifiers import InvalidIdentifier, Sha256
from storage.index import quarantine
from storage.index.ingest import Filing, IngestOutcome, ReceivedInstance, ingest
from storage.index.quarantine import Entry
from storage.index.tables import Instance, Quarantine, QuarantineReason, Study, StudyState
from storage.keeping.digests import digest_of
from storage.objects import ObjectKey, ObjectStore, StoredObject
from storage.receptions import NotASpooledFile, Origin, Reception
from storage.registry import Device, Organisation, OrganisationKind
from storage.report_objects.names import MADE_BY
from storage.report_objects.recovery import recover

INSTANCES: Final = "instances/"
QUARANTINED: Final = "quarantine/"
_HEAD_BYTES: Final = 8192
_BATCH: Final = 128
_READERS: Final = 4
_T = TypeVar("_T")
_ACTOR: Final = audit.system_actor("rdc rebuild-index")


@dataclass(slots=True)
class Rebuilt:
    """What a rebuilding has done so far.

    objects: read. filed: rows made. known: filed already. quarantined: entries made.
    without_record: objects that do not say how they were received, filed by their name and age.
    refused: objects that cannot be filed at all, by key with the reason; at most `REFUSED_KEPT`.
    placeholders: codes of organisations that had to be made up.
    """

    objects: int = 0
    filed: int = 0
    known: int = 0
    quarantined: int = 0
    without_record: int = 0
    refused: dict[str, str] = field(default_factory=dict[str, str])
    placeholders: list[str] = field(default_factory=list[str])


REFUSED_KEPT: Final = 1000


@dataclass(frozen=True, slots=True)
class _Found:
    """One object and what its head says."""

    key: ObjectKey
    size: int
    reception: Reception
    dataset_offset: int
    recorded: bool


class Rebuilder:
    """Files the objects of one store in one database; what is filed already stays as it is."""

    def __init__(
        self, database: Database, objects: ObjectStore, *, announce_since: datetime
    ) -> None:
        """Prepare; nothing is read before `run`.

        announce_since: a study whose last instance came before is complete without a message; a
            later one becomes complete as usual and is queued to be read.
        """
        self._database = database
        self._objects = objects
        self._announce_since = announce_since
        self._result = Rebuilt()
        self._sites: set[UUID] = set()
        self._devices: set[UUID] = set()

    def run(self, progress: Callable[[Rebuilt], None]) -> Rebuilt:
        """File everything and return what was done; to be run again after an interruption.

        progress: called after each batch.

        Raises:
            ObjectStoreUnavailable: the store went away.
        """
        with self._in_order_of_reception() as keys:
            for batch in _batches(keys, _BATCH):
                self._file([ObjectKey(key) for key in batch])
                progress(self._result)
        for batch in _batches(self._objects.list(QUARANTINED), _BATCH):
            self._set_aside(batch)
            progress(self._result)
        with self._database.transaction() as session:
            audit.record(
                session,
                _ACTOR,
                "index:rebuild",
                subject_kind="index",
                subject_id="all",
                detail={
                    "objects": self._result.objects,
                    "filed": self._result.filed,
                    "quarantined": self._result.quarantined,
                },
            )
        return self._result

    @contextmanager
    def _in_order_of_reception(self) -> Generator[Iterator[str]]:
        """Yield the keys of all instances, those received first before.

        PostgreSQL sorts them (a temporary table, read through a cursor WITH HOLD): neither memory
        here grows with their number nor does a transaction stay open.
        """
        with self._database.listen() as connection:
            connection.execute("CREATE TEMPORARY TABLE found (received_at timestamptz, key text)")
            with ThreadPoolExecutor(_READERS, thread_name_prefix="rebuild") as readers:
                for batch in _batches(self._objects.list(INSTANCES), _BATCH):
                    rows = [
                        (one.reception.received_at, one.key)
                        for one in readers.map(self._head, batch)
                    ]
                    with connection.cursor() as cursor:
                        cursor.executemany("INSERT INTO found VALUES (%s, %s)", rows)
            with connection.cursor("found", withhold=True) as cursor:
                cursor.execute("SELECT key FROM found ORDER BY received_at, key")
                yield (key for (key,) in cursor)

    def _head(self, stored: StoredObject) -> _Found:
        """Return what an object's head says; what its name and age say when it has no record."""
        encoded = self._objects.read(stored.key, 0, _HEAD_BYTES)
        try:
            found = receptions.read_reception(BytesIO(encoded), stored.key)
        except NotASpooledFile:
            found = None
        if found is not None:
            reception, offset = found
            return _Found(stored.key, stored.size, reception, offset, recorded=True)
        try:
            with self._objects.open(stored.key) as file:
                meta = read_file_meta(file)
            syntax, offset = meta.transfer_syntax_uid, meta.dataset_offset
        except DatasetError:
            syntax, offset = "", 0
        origin = Origin(_site_of(stored.key), None, "", "", "")
        name = stored.key.rpartition("/")[2].removesuffix(".dcm")
        size = stored.size - offset
        reception = Reception(origin, syntax, stored.modified_at, size, name, None)
        return _Found(stored.key, stored.size, reception, offset, recorded=False)

    def _file(self, keys: Sequence[ObjectKey]) -> None:
        """File a batch in one transaction."""
        with ThreadPoolExecutor(_READERS, thread_name_prefix="rebuild") as readers:
            received = [one for one in readers.map(self._received, keys) if one is not None]
        self._result.objects += len(keys)
        with self._database.transaction() as session:
            for one in received:
                self._require_origin(session, one[0].reception.origin)
            outcomes = ingest(session, [instance for _, instance in received])
            for (found, instance), outcome in zip(received, outcomes, strict=True):
                self._count(session, found, instance, outcome)
            self._settle(session, [one.instance_id for one in outcomes if _is_new(one)])
            recover(
                session,
                [
                    one.instance_id
                    for (found, _), one in zip(received, outcomes, strict=True)
                    if one.instance_id is not None and _is_new(one) and _is_ours(found)
                ],
            )

    def _received(self, key: ObjectKey) -> tuple[_Found, ReceivedInstance] | None:
        stored = self._objects.stat(key)
        if stored is None:
            return None  # deleted meanwhile
        found = self._head(stored)
        reception = found.reception
        try:
            digest = Sha256.parse(key.rpartition("/")[2].removesuffix(".dcm"))
            with self._objects.open(key) as file:
                file.seek(found.dataset_offset)
                header = read_header(file, reception.transfer_syntax_uid)
        except (DatasetError, InvalidIdentifier) as error:
            self._refuse(key, f"{error.what}: {error.found}")
            return None
        return found, ReceivedInstance(
            header=header,
            site_id=reception.origin.site_id,
            device_id=reception.origin.device_id,
            transfer_syntax_uid=reception.transfer_syntax_uid,
            object_key=key,
            object_size=stored.size,
            dataset_sha256=digest,
            dataset_offset=found.dataset_offset,
            pixel_data_offset=header.pixel_data_offset,
            received_at=reception.received_at,
            quiet=timedelta(0),
            evidence=_is_ours(found),
        )

    def _refuse(self, key: str, reason: str) -> None:
        if len(self._result.refused) < REFUSED_KEPT:
            self._result.refused[key] = reason

    def _count(
        self, session: Session, found: _Found, instance: ReceivedInstance, outcome: IngestOutcome
    ) -> None:
        self._result.without_record += not found.recorded
        if outcome.filing is Filing.STORED:
            self._result.filed += 1
        elif outcome.filing is Filing.DUPLICATE:
            self._result.known += 1
        elif not _is_entered(session, found.key):
            quarantine.enter_conflict(
                session, instance, outcome, found.reception.origin, name=found.key
            )
            self._result.quarantined += 1

    def _settle(self, session: Session, instance_ids: Sequence[int | None]) -> None:
        """Let old studies be complete without a message: nobody shall read them once more."""
        touched = select(Instance.study_id).where(Instance.id.in_(instance_ids))
        session.execute(
            update(Study)
            .where(Study.id.in_(touched), Study.last_received_at < self._announce_since)
            .values(
                state=StudyState.COMPLETE,
                generation=func.greatest(Study.generation, 1),
                completed_at=Study.last_received_at,
            )
            .execution_options(synchronize_session=False)
        )

    def _set_aside(self, batch: Sequence[StoredObject]) -> None:
        """Enter a batch of quarantined bytes that have no entry."""
        for stored in batch:
            self._result.objects += 1
            try:
                entry_id = UUID(stored.key.rpartition("/")[2].removesuffix(".dcm"))
            except ValueError:
                self._refuse(stored.key, "its name is not that of an entry")
                continue
            with self._database.transaction() as session:
                if _is_entered(session, stored.key):
                    self._result.known += 1
                    continue
            found = self._head(stored)
            digest = ""
            if found.recorded:
                digest, _ = digest_of(self._objects, stored.key, found.dataset_offset)
            with self._database.transaction() as session:
                entry = _refused_entry(found, entry_id, digest)
                if entry.origin is not None:
                    self._require_origin(session, entry.origin)
                quarantine.enter(session, entry, key=stored.key, size=stored.size)
                self._result.quarantined += 1

    def _require_origin(self, session: Session, origin: Origin) -> None:
        """Make site and device up where the registry does not have them (any more)."""
        if origin.site_id not in self._sites:
            if session.get(Organisation, origin.site_id) is None:
                code = f"recovered-{origin.site_id.hex[:8]}"
                session.add(
                    Organisation(
                        id=origin.site_id,
                        kind=OrganisationKind.SITE,
                        code=code,
                        name=code,
                        name_en=code,
                    )
                )
                session.flush()
                self._result.placeholders.append(code)
            self._sites.add(origin.site_id)
        device_id = origin.device_id
        if device_id is None or device_id in self._devices:
            return
        if session.get(Device, device_id) is None:
            session.add(
                Device(
                    id=device_id,
                    site_id=origin.site_id,
                    ae_title=_free_title(session, origin, device_id),
                    name=origin.calling_ae_title,
                    active=False,
                )
            )
            session.flush()
        self._devices.add(device_id)


def _batches(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch


def _is_new(outcome: IngestOutcome) -> bool:
    return outcome.filing is Filing.STORED


def _is_ours(found: _Found) -> bool:
    """Tell whether we had made an object ourselves: no device has sent it."""
    origin = found.reception.origin
    return origin.device_id is None and origin.calling_ae_title == MADE_BY


def _is_entered(session: Session, key: str) -> bool:
    found = select(Quarantine.id).where(Quarantine.object_key == key).limit(1)
    return session.scalar(found) is not None


def _site_of(key: str) -> UUID:
    """Return the site that an object's name tells; the nil UUID where it tells none."""
    try:
        return UUID(key.split("/")[1])
    except ValueError:
        return UUID(int=0)


def _free_title(session: Session, origin: Origin, device_id: UUID) -> str:
    """Return the device's AE title, or a made-up one where another device has it by now."""
    title = origin.calling_ae_title
    taken = session.scalar(select(Device.id).where(Device.ae_title == title)) is not None
    return f"R{device_id.hex[:15].upper()}" if taken or not title else title


def _refused_entry(found: _Found, entry_id: UUID, digest: str) -> Entry:
    refusal = found.reception.refusal
    if refusal is None:
        # Put aside because filing failed; nobody knows why any more.
        reason, what, command = QuarantineReason.MALFORMED, "put aside for an unknown reason", {}
        uid = None
    else:
        reason, what = refusal.reason, refusal.found
        uid = refusal.command_sop_instance_uid or None
        command = {
            "command_sop_class_uid": refusal.command_sop_class_uid,
            "command_sop_instance_uid": refusal.command_sop_instance_uid,
            "transfer_syntax_uid": found.reception.transfer_syntax_uid,
        }
    nobody = found.reception.origin.site_id == UUID(int=0)
    return Entry(
        name=found.key,
        origin=None if nobody else found.reception.origin,
        reason=reason,
        found=what,
        sop_instance_uid=uid,
        dataset_sha256=digest,
        received_at=found.reception.received_at,
        command=command,
        kept_as=entry_id,
    )
