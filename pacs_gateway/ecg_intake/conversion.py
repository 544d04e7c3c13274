"""From an original file to the object that is filed, or to the reason why there is none."""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Self
from uuid import UUID, uuid5

from pacs_gateway.ecg_intake.contents import EcgContents
from pacs_gateway.ecg_intake.document import write_document
from pacs_gateway.ecg_intake.formats import LIMITS, detect
from pacs_gateway.ecg_intake.reading import read_ecg_file
from storage.dicom_header import DatasetError, InvalidUid, read_header
from storage.ecg.dicom_reader import ECG_STORAGE
from storage.ecg.dicom_writer import ObjectIdentity, write_ecg
from storage.ecg.errors import EcgError
from storage.ecg.identification import EcgAcquisition, EcgPatient
from storage.ecg_files import EcgFormat
from storage.errors import RdcError
from storage.identifiers import Uid

# The namespace of the UIDs made here; drawn once.
_NAMESPACE: Final = UUID("0f0a7c53-6f2e-4a55-9f5d-2b7c0b7f4c1e")
_PDF_STORAGE: Final = "1.2.840.10008.5.1.4.1.1.104.1"
_NOTES: Final = 20
_FORMATS: Final = ", ".join(EcgFormat)


class Outcome(StrEnum):
    """What a file turned out to be.

    WAVEFORM: an ECG; its object is in the target, or the file itself is the object.
    DOCUMENT: a printed ECG; as above.
    NO_PATIENT: readable, and nobody has said whose it is.
    UNREADABLE: of a known format, and not to be read.
    UNKNOWN: of no format that is known.
    """

    WAVEFORM = "WAVEFORM"
    DOCUMENT = "DOCUMENT"
    NO_PATIENT = "NO_PATIENT"
    UNREADABLE = "UNREADABLE"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Request:
    """A file to be converted.

    sha256: of the file. received_at: ISO 8601 with offset.
    order_number: of the order that a person has chosen; empty without.
    patient: who it is of, where the file does not say; None when nobody has said.
    """

    site_id: str
    sha256: str
    received_at: str
    order_number: str = ""
    patient: EcgPatient | None = None


@dataclass(frozen=True, slots=True)
class Conversion:
    """What came of it.

    as_is: the file itself is the object to be filed.
    problem: what, expected, found, remedy; None unless it is unreadable or unknown.
    summary: see `EcgFile.summary`.
    """

    outcome: Outcome
    format: EcgFormat | None = None
    as_is: bool = False
    problem: dict[str, str] | None = None
    summary: dict[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON keeps it."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Self:
        """Return what `as_json` gave."""
        return cls(
            Outcome(found["outcome"]),
            None if found["format"] is None else EcgFormat(found["format"]),
            found["as_is"],
            found["problem"],
            found["summary"],
        )


def identity_of(request: Request, source: str) -> ObjectIdentity:
    """Return the UIDs that follow from site and digest: the same file is the same ECG."""

    def uid(kind: str) -> Uid:
        return Uid.from_uuid(uuid5(_NAMESPACE, f"{kind}:{request.site_id}:{request.sha256}"))

    return ObjectIdentity(
        study_instance_uid=uid("study"),
        series_instance_uid=uid("series"),
        sop_instance_uid=uid("instance"),
        converted_from=f"Converted from {source}, original file SHA-256 {request.sha256}",
        made_at=datetime.fromisoformat(request.received_at),
    )


def convert(source: Path, target: Path, request: Request) -> Conversion:
    """Write the object of an ECG file to `target`, or say why not. Never raises for a bad file.

    Raises:
        OSError: the disk failed.
    """
    file_format = detect(source)
    if file_format is None:
        return Conversion(Outcome.UNKNOWN, problem=_unknown())
    try:
        if file_format is EcgFormat.DICOM:
            return _dicom(source, target, request)
        if file_format is EcgFormat.PDF:
            return _document(source, target, request)
        return _waveform(source, target, request, file_format)
    except EcgError as error:
        return Conversion(Outcome.UNREADABLE, file_format, problem=problem_of(error))
    except (MemoryError, RecursionError) as error:
        return Conversion(
            Outcome.UNREADABLE, file_format, problem=out_of_bounds(type(error).__name__)
        )


def problem_of(error: RdcError) -> dict[str, str]:
    """Return an error in its four parts."""
    return {
        "code": type(error).__name__,
        "what": error.what,
        "expected": error.expected,
        "found": error.found,
        "remedy": error.remedy,
    }


def out_of_bounds(found: str) -> dict[str, str]:
    """Return the problem of a file whose reading had to be ended."""
    return {
        "code": "OutOfBounds",
        "what": "Reading the file took more time or memory than an ECG of its size can take",
        "expected": "a header that fits the file",
        "found": found,
        "remedy": "It was miswritten; export the ECG again at the device. The original is kept.",
    }


def _unknown() -> dict[str, str]:
    return {
        "code": "UnknownFormat",
        "what": "The file is no ECG in a format that is read here",
        "expected": _FORMATS,
        "found": "something else",
        "remedy": "Set up the device to export one of these formats, or print to PDF.",
    }


def _dicom(source: Path, target: Path, request: Request) -> Conversion:
    """Let a DICOM file be filed as it is when it is an ECG or a document.

    An ECG that no index can hold, since its UIDs are none, becomes an object of ours.
    """
    try:
        with source.open("rb") as file:
            header = read_header(file)
    except InvalidUid:
        return _waveform(source, target, request, EcgFormat.DICOM)
    except DatasetError as error:
        return Conversion(Outcome.UNREADABLE, EcgFormat.DICOM, problem=problem_of(error))
    if header.sop_class_uid.startswith(ECG_STORAGE):
        return Conversion(Outcome.WAVEFORM, EcgFormat.DICOM, as_is=True)
    if header.sop_class_uid == _PDF_STORAGE:
        return Conversion(Outcome.DOCUMENT, EcgFormat.DICOM, as_is=True)
    problem = _unknown() | {
        "code": "NotAnEcg",
        "what": "The DICOM file is not an ECG",
        "expected": f"an ECG waveform ({ECG_STORAGE}1 to .4) or an encapsulated PDF",
        "found": str(header.sop_class_uid),
        "remedy": "Send images by C-STORE or STOW-RS.",
    }
    return Conversion(Outcome.UNKNOWN, EcgFormat.DICOM, problem=problem)


def _document(source: Path, target: Path, request: Request) -> Conversion:
    if source.stat().st_size > LIMITS[EcgFormat.PDF]:
        problem = out_of_bounds(f"{source.stat().st_size} bytes")
        return Conversion(Outcome.UNREADABLE, EcgFormat.PDF, problem=problem)
    if request.patient is None:
        return Conversion(Outcome.NO_PATIENT, EcgFormat.PDF)
    acquisition = EcgAcquisition(order_number=request.order_number)
    with target.open("wb") as file:
        write_document(
            file, source, request.patient, acquisition, identity_of(request, EcgFormat.PDF.value)
        )
    return Conversion(Outcome.DOCUMENT, EcgFormat.PDF)


def _waveform(source: Path, target: Path, request: Request, file_format: EcgFormat) -> Conversion:
    contents = read_ecg_file(source, file_format)
    summary = _summary(contents)
    patient = _whose(contents.patient, request.patient)
    if patient is None:
        return Conversion(Outcome.NO_PATIENT, file_format, summary=summary)
    acquisition = contents.acquisition
    if request.order_number:
        acquisition = replace(acquisition, order_number=request.order_number)
    with target.open("wb") as file:
        write_ecg(
            file, contents.record, patient, acquisition, identity_of(request, file_format.value)
        )
    return Conversion(Outcome.WAVEFORM, file_format, summary=summary)


def _whose(said: EcgPatient, chosen: EcgPatient | None) -> EcgPatient | None:
    """Return the patient of the file, else the one chosen.

    A number of zeros alone is what devices write when nobody entered one: it would make one
    patient of many. What the file does say stands: where it contradicts the order that was
    chosen, the identity desk sees both.
    """
    if said.patient_id.strip("0 ") and said.is_known:
        return said
    if chosen is None:
        return None
    return chosen if chosen.age_years is not None else replace(chosen, age_years=said.age_years)


def _summary(contents: EcgContents) -> dict[str, Any]:
    record = contents.record
    return {
        "acquired_at": record.acquired_at.isoformat() if record.acquired_at else None,
        "seconds": round(record.duration_seconds, 3),
        "leads": [str(lead) for lead in record.leads()],
        "notes": list(record.notes[:_NOTES]),
        "patient_name": contents.patient.name,
    }
