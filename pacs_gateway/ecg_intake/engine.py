"""Takes each ECG file that came from its original to what it is: an ECG in the index, mostly.

One attempt leases the file's row, reads and converts outside of any
transaction, makes the object's bytes durable, and files it, tells the row and
the audit trail in one transaction. Whatever dies in between is done again and
comes to the same: keys and UIDs follow from site and digest.
"""

import logging
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from pacs_gateway.config import EcgIntakeConfig
from pacs_gateway.ecg_intake.conversion import Conversion, Outcome, Request, problem_of
from pacs_gateway.ecg_intake.workshop import Workshop
from storage import attempts, audit
from storage.clock import utc_now
from storage.database import Database
from storage.dicom_header import DatasetError, InstanceHeader, read_header
from storage.ecg.identification import EcgPatient
from storage.ecg_files import service
from storage.ecg_files.tables import EcgFile, EcgFileState
from storage.index import quarantine
from storage.index.ingest import Filing, ingest
from storage.index.putting import put_instance
from storage.index.received import ReceivedInstance
from storage.objects import ObjectKey, ObjectStore, ObjectStoreUnavailable
from storage.orders.tables import Order
from storage.receptions import Origin
from storage.registry import Device

CHANNEL: Final = service.CHANNEL
CALLING_AE_TITLE: Final = "ECG-FILE"
"""Stands where a device's AE title would, for files of no device of the registry."""
_ACTOR: Final = audit.system_actor("ecg intake")
# A file is one study and nothing follows it, so nothing is waited for.
_QUIET: Final = timedelta(0)

_log = logging.getLogger(__name__)

due = service.due


@dataclass(frozen=True, slots=True)
class _Job:
    """What an attempt knows of its file."""

    file_id: UUID
    object_key: ObjectKey
    origin: Origin
    request: Request


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why a converted object was not filed."""

    problem: dict[str, str]


def attempt(
    file_id: UUID,
    database: Database,
    objects: ObjectStore,
    config: EcgIntakeConfig,
    workshop: Workshop,
) -> EcgFileState | None:
    """Look at one file; return its state afterwards, None when somebody else is at it.

    An outage puts it off; nothing else leaves it as it was.
    """
    with database.transaction() as session:
        job = _begin(session, file_id, config)
    if job is None:
        return None
    try:
        with _working_directory(config) as directory:
            return _work(job, directory, database, objects, workshop)
    except (ObjectStoreUnavailable, SQLAlchemyError, OSError) as error:
        _log.warning("an ECG file is put off", extra={"why": type(error).__name__})
        with database.transaction() as session:
            row = session.get_one(EcgFile, file_id, with_for_update=True)
            attempts.failed(
                row,
                type(error).__name__,
                first_seconds=config.first_retry_seconds,
                longest_seconds=config.longest_retry_seconds,
            )
        return EcgFileState.RECEIVED


def _begin(session: Session, file_id: UUID, config: EcgIntakeConfig) -> _Job | None:
    row = attempts.take(session, EcgFile, file_id, config.lease_seconds)
    if row is None:
        return None
    if row.state is not EcgFileState.RECEIVED:
        attempts.succeeded(row)
        return None
    order = None if row.order_id is None else session.get_one(Order, row.order_id)
    device = None if row.device_id is None else session.get_one(Device, row.device_id)
    calling = CALLING_AE_TITLE if device is None else device.ae_title
    patient = None
    if row.chosen_patient is not None:
        patient = EcgPatient.from_words(row.chosen_patient)
    if order is not None:
        patient = _patient_of(order)
    request = Request(
        site_id=str(row.site_id),
        sha256=row.sha256,
        received_at=row.received_at.isoformat(),
        order_number=(order.accession_number or "") if order is not None else "",
        patient=patient,
    )
    origin = Origin(row.site_id, row.device_id, calling, config.ae_title, row.client)
    return _Job(row.id, ObjectKey(row.object_key), origin, request)


def _patient_of(order: Order) -> EcgPatient:
    return EcgPatient(
        patient_id=order.patient_local_id or "",
        name=order.patient_name,
        birth_date=order.patient_birth_date,
        sex=order.patient_sex or "",
    )


@contextmanager
def _working_directory(config: EcgIntakeConfig) -> Generator[Path]:
    config.scratch_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=config.scratch_dir) as directory:
        yield Path(directory)


def _work(
    job: _Job, directory: Path, database: Database, objects: ObjectStore, workshop: Workshop
) -> EcgFileState:
    source, target = directory / "original", directory / "object.dcm"
    with objects.open(job.object_key) as kept, source.open("wb") as copy:
        shutil.copyfileobj(kept, copy, 1 << 20)
    done = workshop.convert(source, target, job.request)
    received: ReceivedInstance | None = None
    if done.outcome in {Outcome.WAVEFORM, Outcome.DOCUMENT}:
        path = source if done.as_is else target
        try:
            with path.open("rb") as file:
                header = read_header(file)
                received = put_instance(objects, job.origin, header, file, quiet=_QUIET)
        except DatasetError as error:
            # What we have written is our fault, and a person has to see it.
            done = Conversion(Outcome.UNREADABLE, done.format, problem=problem_of(error))
    with database.transaction() as session:
        state = _settle(session, job, done, received)
    if state is EcgFileState.REFUSED:
        objects.delete(job.object_key)
    return state


def _settle(
    session: Session, job: _Job, done: Conversion, received: ReceivedInstance | None
) -> EcgFileState:
    """Write what came of the file, with the instance if there is one."""
    row = session.get_one(EcgFile, job.file_id, with_for_update=True)
    row.format = done.format
    row.summary = done.summary
    row.problem = done.problem
    if received is not None:
        refusal = _file(session, job, received)
        if refusal is not None:
            row.problem = refusal.problem
            row.state = EcgFileState.UNREADABLE
        else:
            header: InstanceHeader = received.header
            row.state = (
                EcgFileState.FILED if done.outcome is Outcome.WAVEFORM else EcgFileState.DOCUMENT
            )
            row.study_instance_uid = header.study_instance_uid
            row.sop_instance_uid = header.sop_instance_uid
    else:
        row.state = _STATES[done.outcome]
    row.settled_at = utc_now()
    attempts.succeeded(row)
    audit.record(
        session,
        _ACTOR,
        f"ecg_file:{row.state.value.lower()}",
        subject_kind="ecg_file",
        subject_id=row.id,
        detail={
            "format": str(done.format or ""),
            "sop_instance_uid": row.sop_instance_uid,
            "problem": (row.problem or {}).get("code"),
        },
    )
    return row.state


_STATES: Final = {
    Outcome.NO_PATIENT: EcgFileState.NEEDS_PATIENT,
    Outcome.UNREADABLE: EcgFileState.UNREADABLE,
    Outcome.UNKNOWN: EcgFileState.REFUSED,
}


def _file(session: Session, job: _Job, received: ReceivedInstance) -> _Refusal | None:
    """File the instance, or put it in quarantine as C-STORE would; None when it is filed."""
    (outcome,) = ingest(session, [received])
    if outcome.filing is not Filing.CONFLICT:
        return None
    quarantine.enter_conflict(session, received, outcome, job.origin, name=uuid4().hex)
    assert outcome.reason is not None
    advice = quarantine.ADVICE[outcome.reason]
    return _Refusal(
        {
            "code": "Quarantined",
            "what": "The object contradicts one that was there before and waits for a decision",
            "expected": advice.expected,
            "found": outcome.reason.value,
            "remedy": advice.remedy,
        }
    )
