"""The object around a tree: SR Document General (PS3.3 C.17.2) in the study it belongs to.

Everything in it follows from the report version and the study, so that one version is one instance.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, BasicTextSRStorage, EnhancedSRStorage, ExplicitVRLittleEndian

from reading_worklist.reports.document import ReportStatus
from reading_worklist.reports.structured.content_items import (
    InstanceReference,
    dicom_moment,
    person_name,
)
from reading_worklist.reports.structured.ecg_tree import ecg_tree
from reading_worklist.reports.structured.report import SignedBy, StructuredSource
from reading_worklist.reports.structured.text_tree import text_tree
from storage.identifiers import Uid
from storage.implementation import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from storage.structured_reports import sop_instance_uid
from storage.study_facts import StudyFacts, fill_patient_and_study

# The namespace of the UIDs made here; drawn once.
_NAMESPACE: Final = UUID("0f0c0f4e-6c1b-4c41-9f0e-0d2a6f8f7a53")
# Beside the PDF's, behind whatever a modality or workstation has numbered.
_SERIES_NUMBER: Final = 9901
_MANUFACTURER: Final = "RDC"
_LO_LENGTH: Final = 64


@dataclass(frozen=True, slots=True)
class Flags:
    """Completion Flag, Verification Flag and Preliminary Flag (PS3.3 C.17.2)."""

    completion: str
    verification: str
    preliminary: str


FLAGS: Final[Mapping[ReportStatus, Flags]] = {
    ReportStatus.PRELIMINARY: Flags("PARTIAL", "UNVERIFIED", "PRELIMINARY"),
    ReportStatus.FINAL: Flags("COMPLETE", "VERIFIED", "FINAL"),
    ReportStatus.AMENDED: Flags("COMPLETE", "VERIFIED", "FINAL"),
    ReportStatus.APPENDED: Flags("COMPLETE", "VERIFIED", "FINAL"),
}
"""A revoked report has a notice and no tree."""


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """Which version an object is of.

    predecessor: the object of the version that this one replaces.
    """

    report_version_id: UUID
    workitem_id: UUID
    number: int
    issued_at: datetime
    predecessor: InstanceReference | None = None


def series_instance_uid(workitem_id: UUID) -> Uid:
    """Return the UID of the series that holds all structured reports of a workitem."""
    return Uid.from_uuid(uuid5(_NAMESPACE, f"series:{workitem_id}"))


def structured_report(
    source: StructuredSource, version: VersionFacts, study: StudyFacts
) -> Dataset:
    """Return the object, with file meta information for Explicit VR Little Endian.

    An ECG's is an Enhanced SR (PS3.3 A.35.2) of TID 3700, any other a Basic Text SR (A.35.1) of
    TID 2000. Raises KeyError for a revoked report, which has none.
    """
    is_ecg = source.document.is_ecg
    instance = ecg_tree(source) if is_ecg else text_tree(source)
    sop_class = EnhancedSRStorage if is_ecg else BasicTextSRStorage
    fill_patient_and_study(instance, study)
    issued = version.issued_at.astimezone(_zone(source, study))
    title = source.document.title(source.language)
    instance.Modality = "SR"
    instance.SeriesInstanceUID = series_instance_uid(version.workitem_id)
    instance.SeriesNumber = _SERIES_NUMBER
    instance.SeriesDescription = title[:_LO_LENGTH]
    instance.ReferencedPerformedProcedureStepSequence = []
    instance.Manufacturer = _MANUFACTURER
    instance.InstanceNumber = version.number
    instance.SOPClassUID = sop_class
    instance.SOPInstanceUID = sop_instance_uid(version.report_version_id)
    instance.InstanceCreationDate = instance.ContentDate = issued.strftime("%Y%m%d")
    instance.InstanceCreationTime = instance.ContentTime = issued.strftime("%H%M%S")
    _document_general(instance, source, version, study)
    character_set = study.character_set(_texts(instance))
    if character_set is not None:
        instance.SpecificCharacterSet = character_set
    if study.timezone_offset is not None:
        instance.TimezoneOffsetFromUTC = study.timezone_offset
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = UID(instance.SOPInstanceUID)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    instance.file_meta = meta
    return instance


def _document_general(
    instance: Dataset, source: StructuredSource, version: VersionFacts, study: StudyFacts
) -> None:
    flags = FLAGS[source.document.status]
    instance.CompletionFlag = flags.completion
    instance.VerificationFlag = flags.verification
    instance.PreliminaryFlag = flags.preliminary
    if flags.verification == "VERIFIED":
        zone = ZoneInfo(source.document.time_zone)
        instance.VerifyingObserverSequence = [_observer(one, zone) for one in source.signers]
    instance.PerformedProcedureCodeSequence = []
    if source.waveform is not None:
        instance.CurrentRequestedProcedureEvidenceSequence = _evidence(source.waveform)
    if version.predecessor is not None:
        instance.PredecessorDocumentsSequence = _evidence(version.predecessor)
    if study.accession_number:
        request = Dataset()
        request.StudyInstanceUID = study.study_instance_uid
        request.ReferencedStudySequence = []
        request.AccessionNumber = study.accession_number
        request.PlacerOrderNumberImagingServiceRequest = source.document.order_number
        request.FillerOrderNumberImagingServiceRequest = ""
        request.RequestedProcedureID = ""
        request.RequestedProcedureDescription = source.document.procedure[:_LO_LENGTH]
        request.RequestedProcedureCodeSequence = []
        instance.ReferencedRequestSequence = [request]


def _observer(signer: SignedBy, zone: ZoneInfo) -> Dataset:
    item = Dataset()
    item.VerifyingObserverName = person_name(signer.name)
    item.VerifyingObserverIdentificationCodeSequence = []
    item.VerifyingOrganization = signer.organisation[:_LO_LENGTH]
    item.VerificationDateTime = dicom_moment(signer.at.astimezone(zone))
    return item


def _evidence(reference: InstanceReference) -> list[Dataset]:
    """Return a Hierarchical SOP Instance Reference (PS3.3 C.17.2.1)."""
    sop = Dataset()
    sop.ReferencedSOPClassUID = reference.sop_class_uid
    sop.ReferencedSOPInstanceUID = reference.sop_instance_uid
    series = Dataset()
    series.SeriesInstanceUID = reference.series_instance_uid
    series.ReferencedSOPSequence = [sop]
    study = Dataset()
    study.StudyInstanceUID = reference.study_instance_uid
    study.ReferencedSeriesSequence = [series]
    return [study]


def _zone(source: StructuredSource, study: StudyFacts) -> timezone | ZoneInfo:
    """Return the zone of content date and time: the one that the study's own times are in."""
    said = study.timezone_offset
    if said is None:
        return ZoneInfo(source.document.time_zone)
    minutes = int(said[-4:-2]) * 60 + int(said[-2:])
    return timezone(timedelta(minutes=-minutes if said.startswith("-") else minutes))


def _texts(instance: Dataset) -> Sequence[str]:
    """Return every text that is not a name of the study's own, at any depth."""
    return [
        str(element.value)
        for element in instance.iterall()
        if element.VR in {"LO", "PN", "SH", "UT"} and element.value
    ]
