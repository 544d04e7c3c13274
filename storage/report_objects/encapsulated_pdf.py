"""The signed report as an Encapsulated PDF instance (PS3.3 A.45.1), in the study it belongs to.

Everything in it follows from the report version and the study, so that a
report sent twice is the same instance, byte for byte, and no second copy.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final
from uuid import UUID

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, EncapsulatedPDFStorage, ExplicitVRLittleEndian

from storage.implementation import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from storage.report_objects.names import (
    ReportObjectKind,
    series_instance_uid,
    sop_instance_uid,
)
from storage.report_objects.titles import title_of
from storage.study_facts import StudyFacts, fill_patient_and_study

# Behind whatever a modality or workstation has numbered.
_SERIES_NUMBER: Final = 9900
_MANUFACTURER: Final = "RDC"
_LO_LENGTH: Final = 64


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """The report version that is returned.

    title: Document Title (0042,0010).
    verified: whether a doctor who may has attested it for good (Verification Flag, C.24.2).
    """

    report_version_id: UUID
    workitem_id: UUID
    version_number: int
    title: str
    issued_at: datetime
    verified: bool = True


def encapsulate(
    report: ReportFacts, study: StudyFacts, pdf: bytes, *, utc_offset: timedelta
) -> Dataset:
    """Return the instance, with file meta information for Explicit VR Little Endian.

    utc_offset: of the clock on the wall where the report is read, for the content date and time.
    """
    instance = Dataset()
    fill_patient_and_study(instance, study)
    _series_and_equipment(instance, report)
    _document(instance, report, study, pdf, utc_offset)
    character_set = study.character_set((report.title,))
    if character_set is not None:
        instance.SpecificCharacterSet = character_set
    if study.timezone_offset is not None:
        instance.TimezoneOffsetFromUTC = study.timezone_offset
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = EncapsulatedPDFStorage
    meta.MediaStorageSOPInstanceUID = UID(_sop_instance_uid(report))
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    instance.file_meta = meta
    return instance


def _series_and_equipment(instance: Dataset, report: ReportFacts) -> None:
    """Fill Encapsulated Document Series (C.24.1), General and SC Equipment (C.7.5.1, C.8.6.1)."""
    instance.Modality = "DOC"
    instance.SeriesInstanceUID = series_instance_uid(ReportObjectKind.PDF, report.workitem_id)
    instance.SeriesNumber = _SERIES_NUMBER
    instance.SeriesDescription = report.title[:_LO_LENGTH]
    instance.Manufacturer = _MANUFACTURER
    instance.ConversionType = "WSD"


def _document(
    instance: Dataset, report: ReportFacts, study: StudyFacts, pdf: bytes, utc_offset: timedelta
) -> None:
    """Fill Encapsulated Document (C.24.2) and SOP Common (C.12.1)."""
    issued = report.issued_at.astimezone(timezone(utc_offset))
    instance.SOPClassUID = EncapsulatedPDFStorage
    instance.SOPInstanceUID = _sop_instance_uid(report)
    instance.InstanceCreationDate = instance.ContentDate = issued.strftime("%Y%m%d")
    instance.InstanceCreationTime = instance.ContentTime = issued.strftime("%H%M%S")
    instance.InstanceNumber = report.version_number
    instance.AcquisitionDateTime = ""
    # The page names the patient, and nothing in it has been blanked out.
    instance.BurnedInAnnotation = "YES"
    instance.DocumentTitle = report.title
    instance.VerificationFlag = "VERIFIED" if report.verified else "UNVERIFIED"
    instance.ConceptNameCodeSequence = [_concept(study)]
    instance.MIMETypeOfEncapsulatedDocument = "application/pdf"
    instance.EncapsulatedDocumentLength = len(pdf)
    instance.EncapsulatedDocument = pdf + b"\0" if len(pdf) % 2 else pdf


def _sop_instance_uid(report: ReportFacts) -> str:
    return sop_instance_uid(ReportObjectKind.PDF, report.report_version_id)


def _concept(study: StudyFacts) -> Dataset:
    """Return the document's kind (CID 7020, which has that of CID 7000)."""
    concept = Dataset()
    title = title_of(study.modalities)
    concept.CodeValue = title.value
    concept.CodingSchemeDesignator = title.scheme
    concept.CodeMeaning = title.meaning
    return concept
