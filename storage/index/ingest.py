"""Filing received instances in the index, a batch in one transaction.

Filing is idempotent: an instance that is already there with the same bytes
changes nothing, one with other bytes or another patient is reported back and
never overwrites.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import delete, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from storage.clock import utc_now
from storage.dicom_header import InstanceHeader
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
    local_ids = {
        study.patient_id: session.get_one(Patient, study.patient_id).local_id
        for study in studies.values()
    }
    known = _known_instances(session, batch)
    series: dict[tuple[UUID, str], Series] = {}
    # Counts are written once at the end, not before each statement in between.
    with session.no_autoflush:
        for index, item in enumerate(batch):
            sop_key = (item.site_id, str(item.header.sop_instance_uid))
            if sop_key in known:
                outcomes[index] = _compare(known[sop_key], item)
                continue
            study = studies[item.site_id, str(item.header.study_instance_uid)]
            if item.header.patient_id != local_ids[study.patient_id]:
                outcomes[index] = IngestOutcome(
                    Filing.CONFLICT, None, QuarantineReason.PATIENT_MISMATCH
                )
                continue
            series_key = (study.id, str(item.header.series_instance_uid))
            if series_key not in series:
                series[series_key] = _series(session, study, item)
            made = _insert_instance(session, study, series[series_key], item)
            if made is None:
                known.update(_known_instances(session, [item]))
                outcomes[index] = _compare(known[sop_key], item)
                continue
            known[sop_key] = made
            _count(study, series[series_key], item)
            outcomes[index] = IngestOutcome(Filing.STORED, made.id)
    session.flush()
    _drop_empty(session, list(studies.values()))
    return [outcome for outcome in outcomes if outcome is not None]


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
            id=uuid4(),
            site_id=item.site_id,
            patient_id=patient_id,
            study_instance_uid=str(header.study_instance_uid),
            study_id_text=header.study_id,
            study_date=header.study_date,
            study_time=header.study_time,
            accession_number=header.accession_number,
            study_description=header.study_description,
            referring_physician_name=header.referring_physician_name,
            modalities=[],
            state=StudyState.RECEIVING,
            generation=0,
            first_received_at=item.received_at,
            last_received_at=item.received_at,
            quiet_due_at=utc_now() + item.quiet,
            series_count=0,
            instance_count=0,
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
        "id": uuid4(),
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
        instance_count=0,
        revision=0,
    )
    session.add(series)
    session.flush()
    study.series_count += 1
    if header.modality and header.modality not in study.modalities:
        study.modalities = sorted({*study.modalities, header.modality})
    return series


def _insert_instance(
    session: Session, study: Study, series: Series, item: ReceivedInstance
) -> _Filed | None:
    """Insert the instance; None when a concurrent transaction has filed its UID in the meantime."""
    header = item.header
    made = session.scalar(
        insert(Instance)
        .values(
            site_id=item.site_id,
            study_id=study.id,
            series_id=series.id,
            sop_instance_uid=str(header.sop_instance_uid),
            sop_class_uid=str(header.sop_class_uid),
            transfer_syntax_uid=item.transfer_syntax_uid,
            instance_number=header.instance_number,
            rows=header.rows,
            columns=header.columns,
            number_of_frames=header.number_of_frames,
            object_key=item.object_key,
            object_size=item.object_size,
            dataset_sha256=item.dataset_sha256,
            dataset_offset=item.dataset_offset,
            pixel_data_offset=item.pixel_data_offset,
            received_at=item.received_at,
            device_id=item.device_id,
        )
        .on_conflict_do_nothing(index_elements=["site_id", "sop_instance_uid"])
        .returning(Instance.id)
    )
    return None if made is None else _Filed(made, item.dataset_sha256, item.transfer_syntax_uid)


def _count(study: Study, series: Series, item: ReceivedInstance) -> None:
    series.instance_count += 1
    series.revision += 1
    study.instance_count += 1
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
