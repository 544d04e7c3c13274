"""The printed report: from stored content to PDF/A-2b on A4, with two fields for signatures.

`ReportDocument` holds every fact on the paper, independent of language, and is
what gets stored (`to_content`, `from_content`): either language is rendered
from one stored version. `render` draws it.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal, cast
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from reading_worklist.ecg.statements.library import library
from reading_worklist.patient_age import Age
from reading_worklist.typesetting.labels import Language, labels

ECG_MODALITY: Final = "ECG"


class ReportStatus(StrEnum):
    """Status of a report in the words of FHIR R4 DiagnosticReport.status."""

    PRELIMINARY = "preliminary"
    FINAL = "final"
    AMENDED = "amended"
    APPENDED = "appended"
    REVOKED = "entered-in-error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Institution:
    """An organisation as printed; the English words may be empty, then the others are printed."""

    name: str
    name_en: str = ""
    branch: str = ""
    branch_en: str = ""

    def text(self, language: Language) -> str:
        """Return name and branch in a language."""
        if language is Language.EN:
            parts = (self.name_en or self.name, self.branch_en or self.branch)
        else:
            parts = (self.name, self.branch)
        return " · ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedPatient:
    """The patient as printed. sex: DICOM code M, F or O, anything else prints as unknown.

    identity: an identity document's number, already masked (`mask_identity`).
    visit_type: a word of the labels ("inpatient" …) or the site's own, as are department and bed.
    """

    name: str
    sex: str = ""
    age: Age | None = None
    identity: str = ""
    local_id: str = ""
    visit_type: str = ""
    visit_number: str = ""
    department: str = ""
    bed: str = ""


@dataclass(frozen=True, slots=True)
class EcgMeasurement:
    """One measured value.

    name: a key of the labels ("heart_rate", "pr", "qrs", "qt", "qtc_bazett" …) or words to print.
    value: empty for what was tried and could not be measured. unit: a key of the labels ("/min",
        "deg") or the unit to print, such as "ms".
    source: "device", "centre" or "confirmed"; values of one name stand in one row.
    reason: why there is no value, in the words of `ecg.measurement.results.NotMeasured`.
    """

    name: str
    value: str
    unit: str
    source: Literal["device", "centre", "confirmed"]
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EcgSource:
    """Which instance was read, and how it was recorded; twelve_leads: it has all of them."""

    series_instance_uid: str
    sop_class_uid: str
    sop_instance_uid: str
    sampling_rate_hz: float
    twelve_leads: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EcgTrace:
    """A drawn ECG. svg: the drawing (UTF-8), of exactly `width_mm` × `height_mm` on paper.

    speed: mm/s, gain: mm/mV. filter and sampling are printed as they are.
    """

    svg: str
    width_mm: float
    height_mm: float
    speed: float = 25
    gain: float = 10
    filter: str = ""
    sampling: str = ""
    caption: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EcgBlock:
    """What an ECG report has beside the text.

    device_statements: what the recorder printed by itself, shown apart from the diagnosis.
    ecg_class: the class of the ECG in words (正常, 大致正常, 可疑, 不正常).
    statements: ids of the library that were picked and still stand in the texts as they were.
    method: by what the centre measured, with its version. corrected: a reader had moved markers.
    source: None where no waveform could be read.
    """

    measurements: tuple[EcgMeasurement, ...] = ()
    device_statements: tuple[str, ...] = ()
    ecg_class: str = ""
    traces: tuple[EcgTrace, ...] = ()
    statements: tuple[str, ...] = ()
    method: str = ""
    corrected: bool = False
    source: EcgSource | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedImage:
    """A frame of the exam printed below the text, and where it is found again.

    picture: JPEG; empty where it was left out because it can be drawn again from the instance,
        which never changes.
    """

    series_instance_uid: str
    sop_instance_uid: str
    frame_number: int
    frame_count: int = 1
    series_number: int | None = None
    instance_number: int | None = None
    window_center: float | None = None
    window_width: float | None = None
    picture: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addendum:
    """What was added to a report that stood, printed below its text with the time of writing."""

    text: str
    written_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDocument:
    """Every fact of one report version; empty texts are left out of the paper.

    modality: DICOM modality, chooses the title. laterality: DICOM code R, L, B or U.
    codes: structured codes by name, see `reports.codes.Codes`.
    Times are aware and printed in `time_zone` (IANA name) to the minute.
    verification_url: what the QR code opens; verification_code: what a person types.
    recognition_mark, critical_notice, amendment_reason: printed when not empty.
    addenda: added one after the other; every later version keeps them.
    single_signature_basis: by what one signature is enough; empty for a report with two.
    """

    status: ReportStatus
    version_number: int
    modality: str
    examining: Institution
    diagnosing: Institution
    patient: PrintedPatient
    study_instance_uid: str
    verification_code: str
    verification_url: str
    findings: str
    impression: str
    reported_at: datetime
    time_zone: str
    advice: str = ""
    comparison: str = ""
    accession_number: str = ""
    order_number: str = ""
    requester: str = ""
    clinical_diagnosis: str = ""
    purpose: str = ""
    procedure: str = ""
    body_part: str = ""
    laterality: str = ""
    technique: str = ""
    contrast: str = ""
    dose: str = ""
    device: str = ""
    ordered_at: datetime | None = None
    performed_at: datetime | None = None
    received_at: datetime | None = None
    recognition_mark: str = ""
    critical_notice: str = ""
    amendment_reason: str = ""
    single_signature_basis: str = ""
    addenda: tuple[Addendum, ...] = ()
    ecg: EcgBlock | None = None
    key_images: tuple[PrintedImage, ...] = ()
    codes: Mapping[str, str] = field(default_factory=dict[str, str])

    def impression_in(self, language: Language) -> str:
        """Return the impression with what was picked from the statements in a language.

        What was typed stays as it was written.
        """
        picked = self.ecg.statements if self.ecg else ()
        return library().in_language(self.impression, picked, language)

    @property
    def is_ecg(self) -> bool:
        """Whether the report is of an ECG, with its own title and headings."""
        return self.ecg is not None or self.modality == ECG_MODALITY

    def title(self, language: Language) -> str:
        """Return the heading, chosen by modality."""
        titles = labels(language)["title"]
        return titles[ECG_MODALITY] if self.is_ecg else titles.get(self.modality, titles["other"])

    def local(self, moment: datetime | None) -> str:
        """Return a time as printed, empty for None."""
        if moment is None:
            return ""
        return f"{moment.astimezone(ZoneInfo(self.time_zone)):%Y-%m-%d %H:%M}"


_ADAPTER: Final = TypeAdapter(ReportDocument)


def to_content(document: ReportDocument) -> dict[str, object]:
    """Return the document as JSON values, to be stored."""
    return cast("dict[str, object]", _ADAPTER.dump_python(document, mode="json"))


def kept(document: ReportDocument) -> ReportDocument:
    """Return the document without what is drawn again from stored instances, which never change."""
    pictures = tuple(replace(one, picture=b"") for one in document.key_images)
    ecg = document.ecg and replace(document.ecg, traces=())
    return replace(document, key_images=pictures, ecg=ecg)


def content_digest(content: Mapping[str, object], language: Language) -> str:
    """Return the SHA-256 of a stored document, whatever the order of its members.

    It stands in the file, under the signatures: so the record says what was signed, or is found.
    """
    canonical = json.dumps(
        [language.value, content], sort_keys=True, ensure_ascii=False, separators=(",", ":")
    )
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def from_content(content: Mapping[str, object]) -> ReportDocument:
    """Return the document that `to_content` stored.

    Raises:
        pydantic.ValidationError: the content is not a stored report.
    """
    return _ADAPTER.validate_python(content)


def mask_identity(number: str) -> str:
    """Return an identity number with its middle hidden: 330102********1234."""
    shown_first, shown_last = 6, 4
    if len(number) <= shown_first + shown_last:
        return "*" * max(len(number) - shown_last, 0) + number[-shown_last:]
    hidden = len(number) - shown_first - shown_last
    return number[:shown_first] + "*" * hidden + number[-shown_last:]


def measurement_rows(
    measurements: Sequence[EcgMeasurement],
) -> tuple[list[str], list[tuple[str, str, dict[str, str]]]]:
    """Return the sources that occur, and one row (name, unit, value by source) per measure."""
    order = ("device", "centre", "confirmed")
    sources = [source for source in order if any(m.source == source for m in measurements)]
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for measurement in measurements:
        rows.setdefault((measurement.name, measurement.unit), {})[measurement.source] = (
            measurement.value
        )
    return sources, [(name, unit, values) for (name, unit), values in rows.items()]
