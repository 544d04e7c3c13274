"""The objects around the trees: SR Document and Key Object Document in the study they belong to.

Everything in them follows from the report version and the study, so that one version is one
instance of each kind.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    BasicTextSRStorage,
    EnhancedSRStorage,
    ExplicitVRLittleEndian,
    KeyObjectSelectionDocumentStorage,
)

from reading_worklist.reports.document import ReportStatus
from reading_worklist.reports.structured.concepts import Concept
from reading_worklist.reports.structured.content_items import (
    InstanceReference,
    dicom_moment,
    person_name,
)
from reading_worklist.reports.structured.ecg_tree import ecg_tree
from reading_worklist.reports.structured.key_objects import key_objects_tree
from reading_worklist.reports.structured.report import SignedBy, StructuredSource
from reading_worklist.reports.structured.text_tree import text_tree
from storage.implementation import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from storage.report_objects.names import (
    ReportObjectKind,
    series_instance_uid,
    sop_instance_uid,
)
from storage.report_objects.titles import title_of
from storage.report_status import KIND_OF_FHIR_STATUS, STATUS
from storage.study_facts import StudyFacts, fill_patient_and_study

# Beside the PDF's, behind whatever a modality or workstation has numbered.
_SERIES_NUMBERS: Final = {ReportObjectKind.STRUCTURED: 9901, ReportObjectKind.KEY_OBJECTS: 9902}
_MODALITIES: Final = {ReportObjectKind.STRUCTURED: "SR", ReportObjectKind.KEY_OBJECTS: "KO"}
_MANUFACTURER: Final = "RDC"
_LO_LENGTH: Final = 64


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


def structured_report(
    source: StructuredSource, version: VersionFacts, study: StudyFacts
) -> Dataset:
    """Return the report, with file meta information for Explicit VR Little Endian.

    An ECG's is an Enhanced SR (PS3.3 A.35.2) of TID 3700, any other a Basic Text SR (A.35.1) of
    TID 2000, as is the notice that a report is void, which has no value of an ECG in it.
    """
    document = source.document
    measured = document.is_ecg and document.status is not ReportStatus.REVOKED
    title = Concept(*title_of(study.modalities))
    instance = ecg_tree(source) if measured else text_tree(source, title)
    _document_general(instance, source, version)
    _request(instance, source, study)
    return _around(
        instance,
        ReportObjectKind.STRUCTURED,
        EnhancedSRStorage if measured else BasicTextSRStorage,
        source=source,
        version=version,
        study=study,
    )


def key_object_selection(
    source: StructuredSource, version: VersionFacts, study: StudyFacts
) -> Dataset:
    """Return the frames that were picked as a Key Object Selection Document (PS3.3 A.35.4).

    `source` has picked some. With file meta information for Explicit VR Little Endian.
    """
    instance = key_objects_tree(source)
    picked = {one.sop_instance_uid: one for one in source.key_images}
    # C.17.6.2.1: what is selected, and nothing else.
    instance.CurrentRequestedProcedureEvidenceSequence = _evidence(picked.values())
    _request(instance, source, study)
    return _around(
        instance,
        ReportObjectKind.KEY_OBJECTS,
        KeyObjectSelectionDocumentStorage,
        source=source,
        version=version,
        study=study,
    )


def _around(
    instance: Dataset,
    kind: ReportObjectKind,
    sop_class: UID,
    *,
    source: StructuredSource,
    version: VersionFacts,
    study: StudyFacts,
) -> Dataset:
    """Fill patient, study, series (PS3.3 C.17.1, C.17.6.1), equipment and SOP Common."""
    fill_patient_and_study(instance, study)
    issued = version.issued_at.astimezone(_zone(source, study))
    instance.Modality = _MODALITIES[kind]
    instance.SeriesInstanceUID = series_instance_uid(kind, version.workitem_id)
    instance.SeriesNumber = _SERIES_NUMBERS[kind]
    instance.SeriesDescription = source.document.title(source.language)[:_LO_LENGTH]
    instance.ReferencedPerformedProcedureStepSequence = []
    instance.Manufacturer = _MANUFACTURER
    instance.InstanceNumber = version.number
    instance.SOPClassUID = sop_class
    instance.SOPInstanceUID = sop_instance_uid(kind, version.report_version_id)
    instance.InstanceCreationDate = instance.ContentDate = issued.strftime("%Y%m%d")
    instance.InstanceCreationTime = instance.ContentTime = issued.strftime("%H%M%S")
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


def _document_general(instance: Dataset, source: StructuredSource, version: VersionFacts) -> None:
    """Fill SR Document General (PS3.3 C.17.2) but for the request."""
    flags = STATUS[KIND_OF_FHIR_STATUS[source.document.status]]
    instance.CompletionFlag = flags.completion
    instance.VerificationFlag = flags.verification
    instance.PreliminaryFlag = flags.preliminary
    if flags.verification == "VERIFIED":
        zone = ZoneInfo(source.document.time_zone)
        instance.VerifyingObserverSequence = [_observer(one, zone) for one in source.signers]
    instance.PerformedProcedureCodeSequence = []
    named = [*source.evidence, *source.key_images]
    if source.waveform is not None:
        named.append(source.waveform)
    if named:
        instance.CurrentRequestedProcedureEvidenceSequence = _evidence(named)
    if version.predecessor is not None:
        instance.PredecessorDocumentsSequence = _evidence([version.predecessor])


def _request(instance: Dataset, source: StructuredSource, study: StudyFacts) -> None:
    """Fill Referenced Request Sequence where the exam was asked for under a number."""
    if not study.accession_number:
        return
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


def _evidence(references: Iterable[InstanceReference]) -> list[Dataset]:
    """Return a Hierarchical SOP Instance Reference (PS3.3 C.17.2.1), each instance once."""
    studies: dict[str, dict[str, dict[str, str]]] = {}
    for one in references:
        series = studies.setdefault(one.study_instance_uid, {})
        series.setdefault(one.series_instance_uid, {})[one.sop_instance_uid] = one.sop_class_uid
    return [
        _item(
            StudyInstanceUID=study,
            ReferencedSeriesSequence=[
                _item(
                    SeriesInstanceUID=uid,
                    ReferencedSOPSequence=[
                        _item(ReferencedSOPClassUID=sop_class, ReferencedSOPInstanceUID=instance)
                        for instance, sop_class in instances.items()
                    ],
                )
                for uid, instances in series.items()
            ],
        )
        for study, series in studies.items()
    ]


def _item(**attributes: object) -> Dataset:
    item = Dataset()
    for keyword, value in attributes.items():
        setattr(item, keyword, value)
    return item


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
