"""The neutral, machine-readable form of one issued report version.

Everything a receiver may be told, in no standard's own shape: senders and the FHIR interface are
made from it, and nothing else of the reading side is needed for them. It is written once, in the
transaction that issues the version, and never changed.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from storage.report_status import STATUS, IssuedKind


class SectionLabel(StrEnum):
    """What a section of the text is."""

    FINDINGS = "findings"
    IMPRESSION = "impression"
    ADVICE = "advice"
    COMPARISON = "comparison"
    ADDENDUM = "addendum"
    TECHNIQUE = "technique"
    AMENDMENT_REASON = "amendment_reason"
    DEVICE_STATEMENT = "device_statement"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedSection:
    """A piece of text; paragraphs are separated by line breaks. at: when it was added later."""

    label: SectionLabel
    text: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedOrganisation:
    """An organisation by our id and code; names as registered."""

    id: UUID
    code: str
    name: str
    name_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedPatient:
    """The patient as decided when the report was signed.

    local_id: PatientID at the site, whose `issuer` the site's code stands for where none was told.
    name: as displayed, Hanzi where there are any. pinyin: Latin letters ("Zhang San") where `name`
        is not in them, else ""; where the device wrote none it is filled in as a row is read.
    name_value: the DICOM value (VR PN) it comes from.
    sex: DICOM code M, F, O or "".
    """

    local_id: str | None
    issuer: str | None
    name: str
    pinyin: str
    name_value: str
    sex: str
    birth_date: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedVisit:
    """Where the patient was seen; visit_type: a word of `storage.orders.words.VisitType` or ""."""

    visit_type: str = ""
    visit_number: str = ""
    department: str = ""
    bed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedOrder:
    """The order the report answers; empty where none was placed.

    Numbers: placer is the site's (ORC-2), filler is ours (ORC-3).
    """

    accession_number: str = ""
    placer_order_number: str = ""
    filler_order_number: str = ""
    requested_procedure_id: str = ""
    procedure_code: str = ""
    procedure: str = ""
    requester: str = ""
    clinical_diagnosis: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedSeries:
    """A series of the study when the report was issued."""

    series_instance_uid: str
    modality: str
    number: int | None
    description: str
    body_part: str
    laterality: str
    instance_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedExam:
    """What was examined. laterality: DICOM code R, L, B or "". device: as people call it."""

    study_instance_uid: str
    modality: str
    modalities: tuple[str, ...]
    description: str
    body_part: str
    laterality: str
    device: str
    study_date: date | None
    series: tuple[IssuedSeries, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedTimes:
    """When it happened; aware, UTC. acquired: by the device's clock, taken to be of the site."""

    issued: datetime
    written: datetime
    received: datetime | None = None
    ordered: datetime | None = None
    acquired: datetime | None = None
    reviewed: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedSigner:
    """A doctor who signed. certificate_serial: upper-case hexadecimal."""

    person_id: UUID
    name: str
    title: str
    organisation: IssuedOrganisation
    certificate_serial: str
    signed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedCode:
    """A structured code: `name` is one of `reading_worklist.reports.codes` (bi_rads, result …)."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedMeasurement:
    """A value of an ECG.

    name: as in the report ("heart_rate", "pr", "qrs", "qt", "qtc_bazett" …), or a device's words.
    mdc: code of ISO/IEEE 11073-10101, scheme MDC ("2:16016"), None where there is none.
    value: decimal text, empty where it could not be measured, for `reason`. unit: as in the report
        ("/min", "ms", "deg", "mV"). source: "device", "centre" or "confirmed".
    """

    name: str
    mdc: str | None
    value: str
    unit: str
    source: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedKeyImage:
    """A frame that was picked; frame_number counts from 1."""

    series_instance_uid: str
    sop_class_uid: str
    sop_instance_uid: str
    frame_number: int
    frame_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedPredecessor:
    """The version that this document takes the place of, or says to be void."""

    report_version_id: UUID
    version_number: int
    issued_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedDocument:
    """The signed PDF. sha256: hexadecimal. verification_code: the word on the paper."""

    object_key: str
    sha256: str
    verification_code: str
    verification_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedReport:
    """One issued version, or the notice that one is void.

    report_version_id: of a notice it is the notice's own id, under which it is delivered.
    version_number: of a notice it is the voided version's.
    title: of the document, in `language` ("zh-CN", "en"), as the text was signed.
    critical_notice: who was told of a critical value, as printed; "" where there was none.
    """

    report_version_id: UUID
    workitem_id: UUID
    study_id: UUID
    kind: IssuedKind
    version_number: int
    predecessor: IssuedPredecessor | None
    title: str
    language: str
    time_zone: str
    site: IssuedOrganisation
    centre: IssuedOrganisation
    patient: IssuedPatient
    visit: IssuedVisit
    order: IssuedOrder
    exam: IssuedExam
    times: IssuedTimes
    writer: IssuedSigner | None
    reviewer: IssuedSigner | None
    sections: tuple[IssuedSection, ...]
    codes: tuple[IssuedCode, ...]
    measurements: tuple[IssuedMeasurement, ...]
    key_images: tuple[IssuedKeyImage, ...]
    critical: bool
    critical_notice: str
    document: IssuedDocument

    @property
    def status(self) -> str:
        """FHIR R4 DiagnosticReport.status."""
        return STATUS[self.kind].fhir

    @property
    def is_ecg(self) -> bool:
        """Whether the report is of an ECG."""
        return self.exam.modality == "ECG"

    def text(self, label: SectionLabel) -> str:
        """Return the text of the sections with this label, one paragraph each; "" for none."""
        return "\n".join(one.text for one in self.sections if one.label is label)
