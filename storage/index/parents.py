"""The patients, studies and series that received instances belong to: found, or made."""

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from sqlalchemy import ARRAY, Connection, String, bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from storage.clock import utc_now
from storage.dicom_header import InstanceHeader
from storage.identifiers import time_ordered_uuid
from storage.index.received import ReceivedInstance
from storage.index.tables import Patient, Series, Study, StudyState
from storage.person_name import search_keys


@dataclass(slots=True)
class SeriesInHand:
    """A series of the batch.

    made: in this transaction, as `header` says.
    filed: how many of the batch were filed in it and were not there before.
    """

    id: int
    made: bool
    header: InstanceHeader
    filed: int = 0


@dataclass(slots=True)
class StudyInHand:
    """A study of the batch, locked until the transaction ends.

    text: its id as the rows have it.
    made_with: the patient, where the study was made in this transaction.
    fresh: what of the batch may be filed in it, the first of each SOP Instance UID.
    """

    id: UUID
    header_patient_id: str | None
    series_count: int
    modalities: list[str]
    made_with: UUID | None
    text: str = field(init=False)
    fresh: dict[str, ReceivedInstance] = field(default_factory=dict[str, ReceivedInstance])
    series: dict[str, SeriesInHand] = field(default_factory=dict[str, SeriesInHand])

    def __post_init__(self) -> None:
        self.text = str(self.id)


_LOCK_STUDY: Final = (
    select(Study.id, Study.header_patient_id, Study.series_count, Study.modalities)
    .where(Study.site_id == bindparam("site_id"), Study.study_instance_uid == bindparam("uid"))
    .with_for_update()
)
_INSERT_STUDY: Final = (
    insert(Study)
    .on_conflict_do_nothing(index_elements=["site_id", "study_instance_uid"])
    .returning(Study.id)
)


def locked_study(connection: Connection, item: ReceivedInstance) -> StudyInHand:
    """Return the instance's study, locked; made with its patient when it is new.

    Nothing is counted on what is made.
    """
    header = item.header
    wanted = {"site_id": item.site_id, "uid": header.study_instance_uid}
    found = connection.execute(_LOCK_STUDY, wanted).one_or_none()
    if found is not None:
        return StudyInHand(*found, made_with=None)
    patient_id = _patient_id(connection, item)
    row: dict[str, object] = {
        "id": time_ordered_uuid(),
        "site_id": item.site_id,
        "patient_id": patient_id,
        "study_instance_uid": header.study_instance_uid,
        "study_id_text": header.study_id,
        "study_date": header.study_date,
        "study_time": header.study_time,
        "accession_number": header.accession_number,
        "study_description": header.study_description,
        "referring_physician_name": header.referring_physician_name,
        "patient_age": header.patient_age,
        "modalities": [],
        "state": StudyState.RECEIVING,
        "generation": 0,
        "first_received_at": item.received_at,
        "last_received_at": item.received_at,
        "quiet_due_at": utc_now() + item.quiet,
        "series_count": 0,
        "instance_count": 0,
        "byte_count": 0,
        "header_patient_id": header.patient_id,
        "header_patient_name": header.patient_name,
        "header_name_guessed": header.text_was_guessed,
        "header_patient_sex": header.patient_sex,
        "header_patient_birth_date": header.patient_birth_date,
    }
    made = connection.scalar(_INSERT_STUDY, row)
    if made is not None:
        return StudyInHand(made, header.patient_id, 0, [], made_with=patient_id)
    if header.patient_id is None:
        # Another gateway made the study first: the patient made here would belong to nothing.
        connection.execute(delete(Patient).where(Patient.id == patient_id))
    return StudyInHand(*connection.execute(_LOCK_STUDY, wanted).one(), made_with=None)


_INSERT_PATIENT: Final = (
    insert(Patient)
    .on_conflict_do_nothing(index_elements=["site_id", "local_id"])
    .returning(Patient.id)
)


def _patient_id(connection: Connection, item: ReceivedInstance) -> UUID:
    """Return the id of the instance's patient, made when new.

    Without a PatientID always a new one.
    """
    header = item.header
    row: dict[str, object] = {
        "id": time_ordered_uuid(),
        "site_id": item.site_id,
        "local_id": header.patient_id,
        "name": header.patient_name,
        "name_original": header.patient_name_original,
        "name_guessed": header.text_was_guessed,
        "name_keys": search_keys(header.patient_name),
        "sex": header.patient_sex,
        "birth_date": header.patient_birth_date,
    }
    made = connection.scalar(_INSERT_PATIENT, row)
    if made is not None:
        return made
    return connection.scalars(
        select(Patient.id).where(
            Patient.site_id == item.site_id, Patient.local_id == header.patient_id
        )
    ).one()


_FIND_SERIES: Final = select(Series.series_instance_uid, Series.id).where(
    Series.study_id == bindparam("study_id"),
    Series.series_instance_uid == func.any(bindparam("uids", type_=ARRAY(String))),
)
_INSERT_SERIES: Final = insert(Series).returning(Series.id, sort_by_parameter_order=True)


def find_series(connection: Connection, study: StudyInHand) -> None:
    """Find or make the series of what is fresh; the study's lock keeps others from making them."""
    headers: dict[str, InstanceHeader] = {}
    for item in study.fresh.values():
        headers.setdefault(item.header.series_instance_uid, item.header)
    if headers and study.made_with is None:
        wanted = {"study_id": study.id, "uids": list(headers)}
        for uid, pk in connection.execute(_FIND_SERIES, wanted):
            study.series[uid] = SeriesInHand(pk, made=False, header=headers[uid])
    new = [header for uid, header in headers.items() if uid not in study.series]
    if new:
        rows = [_series_row(study, header) for header in new]
        for header, pk in zip(new, connection.scalars(_INSERT_SERIES, rows), strict=True):
            study.series[header.series_instance_uid] = SeriesInHand(pk, made=True, header=header)


def _series_row(study: StudyInHand, header: InstanceHeader) -> dict[str, object]:
    return {
        "study_id": study.id,
        "series_instance_uid": header.series_instance_uid,
        "modality": header.modality,
        "series_number": header.series_number,
        "series_description": header.series_description,
        "body_part_examined": header.body_part_examined,
        "laterality": header.laterality,
        "series_date": header.series_date,
        "series_time": header.series_time,
        "performed_procedure_step_start_date": header.performed_procedure_step_start_date,
        "performed_procedure_step_start_time": header.performed_procedure_step_start_time,
        "protocol_name": header.protocol_name,
        "institution_name": header.institution_name,
        "station_name": header.station_name,
        "manufacturer": header.manufacturer,
        "instance_count": 0,
        "byte_count": 0,
        "revision": 0,
    }
