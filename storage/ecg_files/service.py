"""Taking an ECG file in: its bytes first, then its row, then somebody is woken for it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from storage import attempts, audit
from storage.clock import utc_now
from storage.database import Database, notify
from storage.ecg.identification import EcgPatient
from storage.ecg_files.tables import EcgFile, EcgFileState, EcgFileWay
from storage.errors import RdcError
from storage.objects import ObjectKey, ObjectStore

CHANNEL: Final = "rdc_ecg_file"
"""PostgreSQL's notification that a file waits."""
_CHUNK: Final = 1 << 20
_NAME_LENGTH: Final = 200


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends, for one site.

    client: a network address or the name of our own process.
    """

    site_id: UUID
    way: EcgFileWay
    client: str
    token_id: UUID | None = None
    device_id: UUID | None = None
    person_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Whose a file is, as a person says: an order of the site, or a patient; neither: the file's.

    The order comes first.
    """

    order_id: UUID | None = None
    patient: EcgPatient | None = None

    @property
    def is_made(self) -> bool:
        """Whether anything was chosen."""
        return self.order_id is not None or self.patient is not None


class NotWaitingForAPatient(RdcError):
    """A patient was chosen for a file that does not ask for one."""


def store_original(
    objects: ObjectStore, site_id: UUID, file: BinaryIO, *, sha256: str, size: int
) -> ObjectKey:
    """Make the bytes of a file durable under the site and their digest, once.

    file: read from its beginning.

    Raises:
        ObjectStoreUnavailable: the object store does not answer.
    """
    key = ObjectKey(f"ecg-files/{site_id}/{sha256[:2]}/{sha256}")
    file.seek(0)
    objects.put(key, file, size=size, content_type="application/octet-stream")
    return key


def digest(file: BinaryIO) -> tuple[str, int]:
    """Return the SHA-256 of a whole file, hexadecimal, and its size in bytes."""
    file.seek(0)
    found, size = hashlib.sha256(), 0
    while piece := file.read(_CHUNK):
        found.update(piece)
        size += len(piece)
    return found.hexdigest(), size


def receive(
    database: Database,
    objects: ObjectStore,
    sender: Sender,
    file: BinaryIO,
    *,
    file_name: str,
    choice: Choice = Choice(),
) -> UUID:
    """Take a file in and return its id; when this returns, it is durable and will be looked at.

    A file that the site has sent before is not taken again: its row is returned as it stands, and
    a choice is made for it where it waits for one.

    Raises:
        ObjectStoreUnavailable: the object store does not answer.
    """
    sha256, size = digest(file)
    with database.transaction() as session:
        known = _known(session, sender.site_id, sha256)
        if known is not None:
            _choose_if_waiting(session, known, choice)
            return known.id
    key = store_original(objects, sender.site_id, file, sha256=sha256, size=size)
    with database.transaction() as session:
        statement = (
            insert(EcgFile)
            .values(
                site_id=sender.site_id,
                sha256=sha256,
                size=size,
                object_key=key,
                file_name=_one_line(file_name),
                way=sender.way,
                client=sender.client,
                token_id=sender.token_id,
                device_id=sender.device_id,
                person_id=sender.person_id,
                order_id=choice.order_id,
                chosen_patient=_patient_words(choice.patient),
                state=EcgFileState.RECEIVED,
            )
            .on_conflict_do_nothing(
                index_elements=["site_id", "sha256"], index_where=EcgFile.purged_at.is_(None)
            )
            .returning(EcgFile.id)
        )
        made = session.scalar(statement)
        if made is None:
            # Somebody sent the same file in between.
            return session.scalars(
                select(EcgFile.id).where(
                    EcgFile.site_id == sender.site_id,
                    EcgFile.sha256 == sha256,
                    EcgFile.purged_at.is_(None),
                )
            ).one()
        audit.record(
            session,
            audit.Actor(sender.person_id, sender.site_id, sender.client),
            "ecg_file:receive",
            subject_kind="ecg_file",
            subject_id=made,
            detail={"sha256": sha256, "size": size, "way": sender.way.value},
        )
        notify(session, CHANNEL)
        return made


def choose(session: Session, row: EcgFile, choice: Choice, actor: audit.Actor) -> None:
    """Say whose a file is that waits for it; it is looked at again at once.

    Raises:
        NotWaitingForAPatient: it does not wait for this.
    """
    if row.state is not EcgFileState.NEEDS_PATIENT:
        raise NotWaitingForAPatient(
            "The file does not wait for a patient",
            expected=EcgFileState.NEEDS_PATIENT.value,
            found=row.state.value,
            remedy="Look at the list again; somebody may have chosen before you.",
        )
    _apply(session, row, choice)
    audit.record(
        session,
        actor,
        "ecg_file:choose_patient",
        subject_kind="ecg_file",
        subject_id=row.id,
        detail={"order_id": str(choice.order_id) if choice.order_id else None},
    )


def due(session: Session, limit: int) -> Sequence[UUID]:
    """Return the ids of files that wait to be looked at, oldest first; see `attempts.due`."""
    return attempts.due(session, EcgFile, EcgFile.state == EcgFileState.RECEIVED, limit)


def _patient_words(patient: EcgPatient | None) -> dict[str, Any] | None:
    return None if patient is None else patient.as_words()


def _known(session: Session, site_id: UUID, sha256: str) -> EcgFile | None:
    return session.scalar(
        select(EcgFile)
        .where(EcgFile.site_id == site_id, EcgFile.sha256 == sha256, EcgFile.purged_at.is_(None))
        .with_for_update()
    )


def _choose_if_waiting(session: Session, row: EcgFile, choice: Choice) -> None:
    if row.state is EcgFileState.NEEDS_PATIENT and choice.is_made:
        _apply(session, row, choice)


def _apply(session: Session, row: EcgFile, choice: Choice) -> None:
    row.order_id = choice.order_id
    row.chosen_patient = _patient_words(choice.patient)
    row.state = EcgFileState.RECEIVED
    row.next_attempt_at = utc_now()
    notify(session, CHANNEL)


def _one_line(name: str) -> str:
    plain = name.replace("\\", "/").rpartition("/")[2]
    return "".join(c if c.isprintable() else " " for c in plain)[:_NAME_LENGTH].strip() or "ecg"
