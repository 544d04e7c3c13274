"""Received bytes that cannot be filed: kept for a person, with what was wrong and what to do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from storage.database import Database
from storage.index.ingest import IngestOutcome
from storage.index.received import ReceivedInstance
from storage.index.tables import Quarantine, QuarantineReason
from storage.objects import ObjectKey, ObjectStore
from storage.receptions import Origin
from storage.registry import Device, Organisation

_NAMESPACE: Final = UUID("b1c52a7e-0a34-4f0e-9c0f-3f2f7f6f8a11")
_TIMES: Final = "times_received"
_LAST: Final = "last_received_at"


@dataclass(frozen=True, slots=True)
class Advice:
    """What a person needs to know about a reason, beside what was found."""

    expected: str
    remedy: str


ADVICE: Final[Mapping[QuarantineReason, Advice]] = MappingProxyType(
    {
        QuarantineReason.MISSING_UID: Advice(
            "SOP Class, SOP Instance, Study Instance and Series Instance UID",
            "Correct the device's configuration and send again; nothing can be filed without them.",
        ),
        QuarantineReason.INVALID_UID: Advice(
            "UIDs of 1 to 64 characters, digits with single dots between (PS3.5 9.1)",
            "Correct the device's configuration and send again.",
        ),
        QuarantineReason.COMMAND_MISMATCH: Advice(
            "the dataset's SOP Class and Instance UID to be those of the C-STORE command",
            "Report it to the device's vendor: one of the two is wrong.",
        ),
        QuarantineReason.TRUNCATED: Advice(
            "a dataset whose last element is complete",
            "Send again; if it comes back, the file is damaged at the sender.",
        ),
        QuarantineReason.MALFORMED: Advice(
            "a dataset in the accepted transfer syntax (PS3.5)",
            "Send again with another transfer syntax, or report it to the device's vendor.",
        ),
        QuarantineReason.UID_CONFLICT: Advice(
            "one content for one SOP Instance UID",
            "Compare both versions; keep the filed one or replace it by this one.",
        ),
        QuarantineReason.PATIENT_MISMATCH: Advice(
            "the Patient ID of the instances of this study that came before",
            "Find out at the site which patient was examined, then file or discard.",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One received instance to be kept aside; see `storage.index.tables.Quarantine`.

    found: what was found instead of what was expected; no patient data.
    name: of the spool file; the same file makes the same entry.
    kept_as: the entry's id, when that is known from its object; the name says nothing then.
    """

    name: str
    origin: Origin | None
    reason: QuarantineReason
    found: str
    sop_instance_uid: str | None
    dataset_sha256: str
    received_at: datetime
    command: Mapping[str, str]
    kept_as: UUID | None = None

    @property
    def id(self) -> UUID:
        """The id of the entry that a spool file makes, whenever it makes it."""
        return self.kept_as or uuid5(_NAMESPACE, self.name)


_Bytes = tuple[UUID, str, QuarantineReason]
"""What makes two entries one: site, digest of the dataset, and what is wrong with it."""


def _bytes_of(entry: Entry) -> _Bytes | None:
    if entry.origin is None:
        return None
    return entry.origin.site_id, entry.dataset_sha256, entry.reason


def object_key(entry: Entry) -> ObjectKey:
    """Return where the bytes of an entry are kept."""
    site = entry.origin.site_id if entry.origin is not None else "unknown"
    return ObjectKey(f"quarantine/{site}/{entry.id}.dcm")


def keep_aside(
    database: Database,
    objects: ObjectStore,
    entries: Mapping[Path, Entry],
    *,
    content_type: str,
) -> None:
    """Quarantine many files, each under a key of its own, unless an open entry has its bytes.

    Stored first, then entered and counted in one transaction: what is interrupted is done again.

    Raises:
        ObjectConflict: the key of an entry holds other bytes.
        ObjectStoreUnavailable, OSError, DBAPIError: nothing is entered.
    """
    left = entries
    while left:
        with database.transaction() as session:
            known = _open_rows(session, left.values()).keys()
        new: dict[Path, Entry] = {}
        again = set(known)
        for path, entry in left.items():
            at = _bytes_of(entry)
            if at is None or at not in again:
                new[path] = entry
            if at is not None:
                # The same bytes once more in this batch are counted at the first.
                again.add(at)
        for conflict in objects.put_files(
            {object_key(entry): path for path, entry in new.items()}, content_type=content_type
        ).values():
            raise conflict
        with database.transaction() as session:
            left = _enter_all(session, left, new)


def _enter_all(
    session: Session, entries: Mapping[Path, Entry], stored: Mapping[Path, Entry]
) -> dict[Path, Entry]:
    """Enter what is stored, count the rest; return those whose open entry was decided meanwhile."""
    rows = _open_rows(session, entries.values())
    ids = [entry.id for entry in entries.values()]
    there = set(session.scalars(select(Quarantine.id).where(Quarantine.id.in_(ids))))
    left: dict[Path, Entry] = {}
    for path, entry in entries.items():
        at = _bytes_of(entry)
        first = None if at is None else rows.get(at)
        if first is not None and first.id != entry.id:
            _count(first, entry)
        elif entry.id in there:
            continue
        elif path in stored:
            row = _row(session, entry, key=object_key(entry), size=path.stat().st_size)
            session.add(row)
            if at is not None:
                rows[at] = row
        else:
            left[path] = entry
    return left


def _open_rows(session: Session, entries: Iterable[Entry]) -> dict[_Bytes, Quarantine]:
    """Return the open entries with the bytes of `entries`, locked; of several the oldest."""
    wanted = {at for at in map(_bytes_of, entries) if at is not None}
    rows = session.scalars(
        select(Quarantine)
        .where(
            tuple_(Quarantine.site_id, Quarantine.dataset_sha256, Quarantine.reason).in_(wanted),
            Quarantine.resolved_at.is_(None),
        )
        .order_by(Quarantine.received_at.desc(), Quarantine.id)
        .with_for_update()
    )
    return {
        (row.site_id, row.dataset_sha256, row.reason): row
        for row in rows
        if row.site_id is not None
    }


def repeated(session: Session, entry: Entry) -> bool:
    """Count `entry` at an open one for the same bytes and reason; False when there is none.

    A device that tries the same broken instance every minute makes one entry, not a thousand.
    """
    if entry.origin is None:
        return False
    row = session.scalar(
        select(Quarantine)
        .where(
            Quarantine.site_id == entry.origin.site_id,
            Quarantine.dataset_sha256 == entry.dataset_sha256,
            Quarantine.reason == entry.reason,
            Quarantine.resolved_at.is_(None),
            Quarantine.id != entry.id,
        )
        .with_for_update()
        .limit(1)
    )
    if row is None:
        return False
    _count(row, entry)
    return True


def _count(row: Quarantine, entry: Entry) -> None:
    row.detail = {
        **row.detail,
        _TIMES: str(int(row.detail.get(_TIMES, "1")) + 1),
        _LAST: entry.received_at.isoformat(),
    }


def enter_conflict(
    session: Session,
    received: ReceivedInstance,
    outcome: IngestOutcome,
    origin: Origin,
    *,
    name: str,
) -> None:
    """Enter a version that may not be filed; its bytes stay where they are.

    outcome: of filing it, a conflict. name: what makes the same entry for the same reception.
    """
    header, digest = received.header, received.dataset_sha256
    entry = Entry(
        name=name,
        origin=origin,
        reason=outcome.reason or QuarantineReason.UID_CONFLICT,
        found=f"dataset {digest[:12]} in {received.transfer_syntax_uid}",
        sop_instance_uid=header.sop_instance_uid,
        dataset_sha256=digest,
        received_at=received.received_at,
        command={"study_instance_uid": header.study_instance_uid},
    )
    if not repeated(session, entry):
        enter(
            session,
            entry,
            key=received.object_key,
            size=received.object_size,
            instance_id=outcome.instance_id,
        )


def enter(
    session: Session, entry: Entry, *, key: str, size: int, instance_id: int | None = None
) -> None:
    """Write the entry, once for one spool file; its bytes are durable under `key` already."""
    if session.get(Quarantine, entry.id) is None:
        session.add(_row(session, entry, key=key, size=size, instance_id=instance_id))


def _row(
    session: Session, entry: Entry, *, key: str, size: int, instance_id: int | None = None
) -> Quarantine:
    advice = ADVICE[entry.reason]
    origin = entry.origin
    # Site or device may have been removed since; the bytes are kept all the same.
    site = session.get(Organisation, origin.site_id) if origin else None
    device = session.get(Device, origin.device_id) if origin and origin.device_id else None
    return Quarantine(
        id=entry.id,
        site_id=site.id if site else None,
        device_id=device.id if device else None,
        calling_ae_title=origin.calling_ae_title if origin else "",
        peer_address=origin.peer_address if origin else "",
        reason=entry.reason,
        sop_instance_uid=entry.sop_instance_uid,
        instance_id=instance_id,
        object_key=key,
        object_size=size,
        dataset_sha256=entry.dataset_sha256,
        detail={
            "expected": advice.expected,
            "found": entry.found,
            "remedy": advice.remedy,
            **entry.command,
        },
        received_at=entry.received_at,
    )
