"""Filing received instances in the index, a batch in one transaction.

Filing is idempotent: an instance that is already there with the same bytes
changes nothing, one with other bytes or another patient is reported back and
never overwrites.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from storage.clock import utc_now
from storage.dicom_header import InstanceHeader
from storage.identifiers import time_ordered_uuid
from storage.index.tables import Instance, Patient, QuarantineReason, Series, Study, StudyState
from storage.person_name import search_keys


@dataclass(frozen=True, slots=True)
class ReceivedInstance:
    """An instance whose bytes are already durable in the object store.

    quiet: how long its study must be quiet afterwards to count as complete.
    dataset_offset, pixel_data_offset: see `Instance`.
    """

    header: InstanceHeader
    site_id: UUID
    device_id: UUID | None
    transfer_syntax_uid: str
    object_key: str
    object_size: int
    dataset_sha256: str
    dataset_offset: int
    pixel_data_offset: int | None
    received_at: datetime
    quiet: timedelta


class Filing(StrEnum):
    """What became of a received instance."""

    STORED = "STORED"
    DUPLICATE = "DUPLICATE"
    CONFLICT = "CONFLICT"


@dataclass(frozen=True, slots=True)
class IngestOutcome:
    """The outcome for one instance of a batch.

    reason: set for CONFLICT only; UID_CONFLICT or PATIENT_MISMATCH.
    instance_id: the filed instance with this SOP Instance UID; None for a patient mismatch.
    """

    filing: Filing
    instance_id: int | None
    reason: QuarantineReason | None = None


def ingest(session: Session, batch: Sequence[ReceivedInstance]) -> list[IngestOutcome]:
    """File `batch` in the caller's transaction and return one outcome per element, in its order.

    The studies concerned stay locked until the transaction ends, so that two
    gateways that receive parts of one study count correctly; locks are taken
    in one order, so they never wait for each other in a circle.
    """
    outcomes: list[IngestOutcome | None] = [None] * len(batch)
    order = sorted(range(len(batch)), key=lambda i: _lock_order(batch[i]))
    studies: dict[tuple[UUID, str], Study] = {}
    for index in order:
        item = batch[index]
        key = (item.site_id, str(item.header.study_instance_uid))
        if key not in studies:
            studies[key] = _locked_study(session, item)
    known = _known_instances(session, batch)
    # Counts are written once at the end, not before each statement in between.
    with session.no_autoflush:
        fresh = _fresh(session, batch, studies, known)
        made = _insert_instances(session, fresh.values())
    if len(made) < len(fresh):
        # A concurrent transaction has filed the same UID in the meantime.
        known |= _known_instances(
            session, [new.item for key, new in fresh.items() if key not in made]
        )
    known |= made
    for key in made:
        _count(fresh[key])
    for index, item in enumerate(batch):
        key = _sop_key(item)
        if key in made and fresh[key].item is item:
            outcomes[index] = IngestOutcome(Filing.STORED, made[key].id)
        elif key in known:
            outcomes[index] = _compare(known[key], item)
    session.flush()
    _drop_empty(session, list(studies.values()))
    # What is neither filed nor known did not fit its study's patient.
    mismatch = IngestOutcome(Filing.CONFLICT, None, QuarantineReason.PATIENT_MISMATCH)
    return [outcome or mismatch for outcome in outcomes]


@dataclass(frozen=True, slots=True)
class _New:
    """An instance to be inserted, and where."""

    study: Study
    series: Series
    item: ReceivedInstance


def _fresh(
    session: Session,
    batch: Sequence[ReceivedInstance],
    studies: Mapping[tuple[UUID, str], Study],
    known: Mapping[tuple[UUID, str], object],
) -> dict[tuple[UUID, str], _New]:
    """Return what of `batch` is neither known nor another patient's, the first of each UID."""
    series: dict[tuple[UUID, str], Series] = {}
    fresh: dict[tuple[UUID, str], _New] = {}
    for item in batch:
        if _sop_key(item) in known or _sop_key(item) in fresh:
            continue
        study = studies[item.site_id, str(item.header.study_instance_uid)]
        # Not the patient's own: a person may have given the study to another patient.
        if item.header.patient_id != study.header_patient_id:
            continue
        series_key = (study.id, str(item.header.series_instance_uid))
        if series_key not in series:
            series[series_key] = _series(session, study, item)
        fresh[_sop_key(item)] = _New(study, series[series_key], item)
    return fresh


def _sop_key(item: ReceivedInstance) -> tuple[UUID, str]:
    return (item.site_id, str(item.header.sop_instance_uid))


def _lock_order(item: ReceivedInstance) -> tuple[str, str, str]:
    return (str(item.site_id), item.header.patient_id or "", str(item.header.study_instance_uid))


def _locked_study(session: Session, item: ReceivedInstance) -> Study:
    """Return the instance's study, locked; made with its patient when it is new."""
    header = item.header
    query = (
        select(Study)
        .where(
            Study.site_id == item.site_id,
            Study.study_instance_uid == str(header.study_instance_uid),
        )
        .with_for_update()
    )
    found = session.scalar(query)
    if found is not None:
        return found
    patient_id = _patient_id(session, item)
    made = session.scalar(
        insert(Study)
        .values(
            id=time_ordered_uuid(),
            site_id=item.site_id,
            patient_id=patient_id,
            study_instance_uid=str(header.study_instance_uid),
            study_id_text=header.study_id,
            study_date=header.study_date,
            study_time=header.study_time,
            accession_number=header.accession_number,
            study_description=header.study_description,
            referring_physician_name=header.referring_physician_name,
            patient_age=header.patient_age,
            modalities=[],
            state=StudyState.RECEIVING,
            generation=0,
            first_received_at=item.received_at,
            last_received_at=item.received_at,
            quiet_due_at=utc_now() + item.quiet,
            series_count=0,
            instance_count=0,
            byte_count=0,
            header_patient_id=header.patient_id,
            header_patient_name=header.patient_name,
            header_name_guessed=header.text_was_guessed,
            header_patient_sex=header.patient_sex,
            header_patient_birth_date=header.patient_birth_date,
        )
        .on_conflict_do_nothing(index_elements=["site_id", "study_instance_uid"])
        .returning(Study.id)
    )
    if made is None and header.patient_id is None:
        # Another gateway made the study first: the patient made here would belong to nothing.
        session.execute(delete(Patient).where(Patient.id == patient_id))
    return session.scalars(query).one()


def _patient_id(session: Session, item: ReceivedInstance) -> UUID:
    """Return the id of the instance's patient, made when new.

    Without a PatientID always a new one.
    """
    header = item.header
    local_id = header.patient_id
    values = {
        "id": time_ordered_uuid(),
        "site_id": item.site_id,
        "local_id": local_id,
        "name": header.patient_name,
        "name_original": header.patient_name_original,
        "name_guessed": header.text_was_guessed,
        "name_keys": search_keys(header.patient_name),
        "sex": header.patient_sex,
        "birth_date": header.patient_birth_date,
    }
    made = session.scalar(
        insert(Patient)
        .values(values)
        .on_conflict_do_nothing(index_elements=["site_id", "local_id"])
        .returning(Patient.id)
    )
    if made is not None:
        return made
    return session.scalars(
        select(Patient.id).where(Patient.site_id == item.site_id, Patient.local_id == local_id)
    ).one()


@dataclass(frozen=True, slots=True)
class _Filed:
    id: int
    dataset_sha256: str
    transfer_syntax_uid: str


def _known_instances(
    session: Session, batch: Sequence[ReceivedInstance]
) -> dict[tuple[UUID, str], _Filed]:
    keys = {(item.site_id, str(item.header.sop_instance_uid)) for item in batch}
    found = session.execute(
        select(
            Instance.site_id,
            Instance.sop_instance_uid,
            Instance.id,
            Instance.dataset_sha256,
            Instance.transfer_syntax_uid,
        ).where(tuple_(Instance.site_id, Instance.sop_instance_uid).in_(keys))
    )
    return {
        (site_id, uid): _Filed(pk, digest, syntax) for site_id, uid, pk, digest, syntax in found
    }


def _compare(filed: _Filed, item: ReceivedInstance) -> IngestOutcome:
    same = (
        filed.dataset_sha256 == item.dataset_sha256
        and filed.transfer_syntax_uid == item.transfer_syntax_uid
    )
    if same:
        return IngestOutcome(Filing.DUPLICATE, filed.id)
    return IngestOutcome(Filing.CONFLICT, filed.id, QuarantineReason.UID_CONFLICT)


def _series(session: Session, study: Study, item: ReceivedInstance) -> Series:
    """Return the instance's series, made when new; the study's lock keeps others from making it."""
    header = item.header
    found = session.scalar(
        select(Series).where(
            Series.study_id == study.id,
            Series.series_instance_uid == str(header.series_instance_uid),
        )
    )
    if found is not None:
        return found
    series = Series(
        study_id=study.id,
        series_instance_uid=str(header.series_instance_uid),
        modality=header.modality,
        series_number=header.series_number,
        series_description=header.series_description,
        body_part_examined=header.body_part_examined,
        laterality=header.laterality,
        series_date=header.series_date,
        series_time=header.series_time,
        performed_procedure_step_start_date=header.performed_procedure_step_start_date,
        performed_procedure_step_start_time=header.performed_procedure_step_start_time,
        protocol_name=header.protocol_name,
        institution_name=header.institution_name,
        station_name=header.station_name,
        manufacturer=header.manufacturer,
        instance_count=0,
        byte_count=0,
        revision=0,
    )
    session.add(series)
    session.flush()
    study.series_count += 1
    if header.modality and header.modality not in study.modalities:
        study.modalities = sorted({*study.modalities, header.modality})
    return series


_INSERT_INSTANCES: Final = (
    insert(Instance)
    .on_conflict_do_nothing(index_elements=["site_id", "sop_instance_uid"])
    .returning(
        Instance.site_id,
        Instance.sop_instance_uid,
        Instance.id,
        Instance.dataset_sha256,
        Instance.transfer_syntax_uid,
    )
)


def _insert_instances(session: Session, fresh: Iterable[_New]) -> dict[tuple[UUID, str], _Filed]:
    """Insert instances by one statement; one that somebody else has filed since is not returned.

    On the connection and not through the ORM: these are the rows that come a thousand a second.
    """
    rows = [_instance_row(new) for new in fresh]
    if not rows:
        return {}
    made = session.connection().execute(_INSERT_INSTANCES, rows)
    return {(site_id, uid): _Filed(pk, digest, syntax) for site_id, uid, pk, digest, syntax in made}


def _instance_row(new: _New) -> dict[str, object]:
    item, header = new.item, new.item.header
    return {
        "site_id": item.site_id,
        "study_id": new.study.id,
        "series_id": new.series.id,
        "sop_instance_uid": str(header.sop_instance_uid),
        "sop_class_uid": str(header.sop_class_uid),
        "transfer_syntax_uid": item.transfer_syntax_uid,
        "instance_number": header.instance_number,
        "rows": header.rows,
        "columns": header.columns,
        "number_of_frames": header.number_of_frames,
        "object_key": item.object_key,
        "object_size": item.object_size,
        "dataset_sha256": item.dataset_sha256,
        "dataset_offset": item.dataset_offset,
        "pixel_data_offset": item.pixel_data_offset,
        "received_at": item.received_at,
        "device_id": item.device_id,
    }


def _count(new: _New) -> None:
    study, series, item = new.study, new.series, new.item
    series.instance_count += 1
    series.byte_count += item.object_size
    series.revision += 1
    study.instance_count += 1
    study.byte_count += item.object_size
    study.purged_at = None
    study.last_received_at = max(study.last_received_at, item.received_at)
    study.quiet_due_at = utc_now() + item.quiet
    study.state = StudyState.RECEIVING


def _drop_empty(session: Session, studies: Sequence[Study]) -> None:
    """Remove studies made in this batch whose instances were all known elsewhere or refused."""
    for study in studies:
        if study.instance_count == 0:
            patient = session.get_one(Patient, study.patient_id)
            session.delete(study)
            session.flush()
            if (
                session.scalar(select(Study.id).where(Study.patient_id == patient.id).limit(1))
                is None
            ):
                session.delete(patient)
    session.flush()
