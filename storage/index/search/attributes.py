"""The one table of what the index can be asked: by QIDO-RS and by C-FIND alike.

What is not here is not invented: it is neither matched on nor returned, and the
faces say so to whoever asks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Any, Final

from pydicom.datadict import dictionary_VR, tag_for_keyword
from sqlalchemy import ColumnElement, case, distinct, func, literal, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from storage.index.tables import Instance, Patient, Series, Study


class Level(IntEnum):
    """Query/Retrieve Level (0008,0052): what a search returns one of per result."""

    PATIENT = 0
    STUDY = 1
    SERIES = 2
    INSTANCE = 3


class Matching(Enum):
    """How an attribute is matched (PS3.4 §C.2.2.2); the value says it in the documents."""

    TEXT = "single value, wild card"
    WORDS = "single value, wild card, list"
    UIDS = "UID, list of UIDs"
    INTEGER = "single number"
    DATE = "single date, range"
    TIME = "single time, range"
    PATIENT_NAME = "single value, wild card, no case; fuzzy"
    PERSON_NAME = "single value, wild card, no case"
    MODALITIES = "single value, wild card, list: of any series"
    SOP_CLASSES = "UID, list of UIDs: of any instance"
    NONE = "not matched on"


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute that the index knows.

    level: of the entity it belongs to (PS3.4 §C.6.1.1 and C.6.2.1).
    source: the column, or the expression over the row of that entity.
    """

    keyword: str
    level: Level
    matching: Matching
    source: InstrumentedAttribute[Any] | ColumnElement[Any]

    @property
    def tag(self) -> int:
        """The tag as a number."""
        return int(tag_for_keyword(self.keyword) or 0)

    @property
    def vr(self) -> str:
        """The value representation (PS3.6)."""
        return dictionary_VR(self.tag)


_OfPatient: Final = aliased(Study)


def _sum_over_studies(column: Any) -> ColumnElement[Any]:  # noqa: ANN401 -- any aggregate
    return (
        select(column)
        .where(_OfPatient.patient_id == Patient.id)
        .correlate(Patient)
        .scalar_subquery()
    )


_SOP_CLASSES: Final = (
    select(func.array_agg(distinct(Instance.sop_class_uid)))
    .where(Instance.study_id == Study.id)
    .correlate(Study)
    .scalar_subquery()
)
# A purged study's row stays as the proof of what was kept and how long.
_AVAILABILITY: Final = case((Study.purged_at.is_(None), literal("ONLINE")), else_="UNAVAILABLE")

_P, _ST, _SE, _I = Level.PATIENT, Level.STUDY, Level.SERIES, Level.INSTANCE
_TABLE: Final = (
    Attribute("PatientName", _P, Matching.PATIENT_NAME, Patient.name),
    Attribute("PatientID", _P, Matching.TEXT, Patient.local_id),
    Attribute("PatientBirthDate", _P, Matching.DATE, Patient.birth_date),
    Attribute("PatientSex", _P, Matching.WORDS, Patient.sex),
    Attribute("NumberOfPatientRelatedStudies", _P, Matching.NONE, _sum_over_studies(func.count())),
    Attribute(
        "NumberOfPatientRelatedSeries",
        _P,
        Matching.NONE,
        _sum_over_studies(func.sum(_OfPatient.series_count)),
    ),
    Attribute(
        "NumberOfPatientRelatedInstances",
        _P,
        Matching.NONE,
        _sum_over_studies(func.sum(_OfPatient.instance_count)),
    ),
    Attribute("StudyInstanceUID", _ST, Matching.UIDS, Study.study_instance_uid),
    Attribute("StudyDate", _ST, Matching.DATE, Study.study_date),
    Attribute("StudyTime", _ST, Matching.TIME, Study.study_time),
    Attribute("AccessionNumber", _ST, Matching.TEXT, Study.accession_number),
    Attribute("StudyID", _ST, Matching.TEXT, Study.study_id_text),
    Attribute("StudyDescription", _ST, Matching.TEXT, Study.study_description),
    Attribute("ReferringPhysicianName", _ST, Matching.PERSON_NAME, Study.referring_physician_name),
    Attribute("PatientAge", _ST, Matching.TEXT, Study.patient_age),
    Attribute("ModalitiesInStudy", _ST, Matching.MODALITIES, Study.modalities),
    Attribute("SOPClassesInStudy", _ST, Matching.SOP_CLASSES, _SOP_CLASSES),
    Attribute("NumberOfStudyRelatedSeries", _ST, Matching.INTEGER, Study.series_count),
    Attribute("NumberOfStudyRelatedInstances", _ST, Matching.INTEGER, Study.instance_count),
    Attribute("InstanceAvailability", _ST, Matching.NONE, _AVAILABILITY),
    Attribute("SeriesInstanceUID", _SE, Matching.UIDS, Series.series_instance_uid),
    Attribute("Modality", _SE, Matching.WORDS, Series.modality),
    Attribute("SeriesNumber", _SE, Matching.INTEGER, Series.series_number),
    Attribute("SeriesDescription", _SE, Matching.TEXT, Series.series_description),
    Attribute("SeriesDate", _SE, Matching.DATE, Series.series_date),
    Attribute("SeriesTime", _SE, Matching.TIME, Series.series_time),
    Attribute("BodyPartExamined", _SE, Matching.WORDS, Series.body_part_examined),
    Attribute("Laterality", _SE, Matching.WORDS, Series.laterality),
    Attribute("ProtocolName", _SE, Matching.TEXT, Series.protocol_name),
    Attribute("InstitutionName", _SE, Matching.TEXT, Series.institution_name),
    Attribute("StationName", _SE, Matching.TEXT, Series.station_name),
    Attribute("Manufacturer", _SE, Matching.TEXT, Series.manufacturer),
    Attribute(
        "PerformedProcedureStepStartDate",
        _SE,
        Matching.DATE,
        Series.performed_procedure_step_start_date,
    ),
    Attribute(
        "PerformedProcedureStepStartTime",
        _SE,
        Matching.TIME,
        Series.performed_procedure_step_start_time,
    ),
    Attribute("NumberOfSeriesRelatedInstances", _SE, Matching.INTEGER, Series.instance_count),
    Attribute("SOPInstanceUID", _I, Matching.UIDS, Instance.sop_instance_uid),
    Attribute("SOPClassUID", _I, Matching.UIDS, Instance.sop_class_uid),
    Attribute("InstanceNumber", _I, Matching.INTEGER, Instance.instance_number),
    Attribute("NumberOfFrames", _I, Matching.INTEGER, Instance.number_of_frames),
    Attribute("Rows", _I, Matching.INTEGER, Instance.rows),
    Attribute("Columns", _I, Matching.INTEGER, Instance.columns),
    Attribute("AvailableTransferSyntaxUID", _I, Matching.UIDS, Instance.transfer_syntax_uid),
)
ATTRIBUTES: Final[Mapping[str, Attribute]] = {one.keyword: one for one in _TABLE}
"""Every attribute the index knows, by keyword, the levels in their order."""

UNIQUE_KEYS: Final[Mapping[Level, str]] = {
    Level.PATIENT: "PatientID",
    Level.STUDY: "StudyInstanceUID",
    Level.SERIES: "SeriesInstanceUID",
    Level.INSTANCE: "SOPInstanceUID",
}
"""The unique key of each level (PS3.4 §C.2.2.1.1)."""
