"""What the index needs to know of an instance."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from functools import lru_cache
from typing import Any, Final

from pydicom.datadict import tag_for_keyword

from storage.character_sets import SpecificCharacterSet, plain_text
from storage.dicom_header.errors import InvalidUid, MissingUid, tag_name
from storage.dicom_header.part10 import read_file_meta
from storage.dicom_header.scanner import DatasetScan, scan_dataset
from storage.dicom_header.values import as_date, as_integer, as_time, as_unsigned_short
from storage.dicom_header.windows import SeekableBytes
from storage.identifiers import InvalidIdentifier, Uid


def _tag(keyword: str) -> int:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise ValueError(f"{keyword} is no DICOM keyword")
    return int(tag)


_CHARACTER_SET: Final = _tag("SpecificCharacterSet")
_SOP_CLASS: Final = _tag("SOPClassUID")
_SOP_INSTANCE: Final = _tag("SOPInstanceUID")
_STUDY: Final = _tag("StudyInstanceUID")
_SERIES: Final = _tag("SeriesInstanceUID")
_PATIENT_NAME: Final = _tag("PatientName")
_REFERRER: Final = _tag("ReferringPhysicianName")
_PATIENT_ID: Final = _tag("PatientID")
_ISSUER: Final = _tag("IssuerOfPatientID")
_SEX: Final = _tag("PatientSex")
_AGE: Final = _tag("PatientAge")
_BIRTH_DATE: Final = _tag("PatientBirthDate")
_STUDY_ID: Final = _tag("StudyID")
_STUDY_DATE: Final = _tag("StudyDate")
_STUDY_TIME: Final = _tag("StudyTime")
_ACCESSION: Final = _tag("AccessionNumber")
_STUDY_DESCRIPTION: Final = _tag("StudyDescription")
_INSTITUTION: Final = _tag("InstitutionName")
_STATION: Final = _tag("StationName")
_MANUFACTURER: Final = _tag("Manufacturer")
_MODALITY: Final = _tag("Modality")
_SERIES_NUMBER: Final = _tag("SeriesNumber")
_SERIES_DATE: Final = _tag("SeriesDate")
_SERIES_TIME: Final = _tag("SeriesTime")
_STEP_START_DATE: Final = _tag("PerformedProcedureStepStartDate")
_STEP_START_TIME: Final = _tag("PerformedProcedureStepStartTime")
_SERIES_DESCRIPTION: Final = _tag("SeriesDescription")
_PROTOCOL: Final = _tag("ProtocolName")
_BODY_PART: Final = _tag("BodyPartExamined")
_LATERALITY: Final = _tag("Laterality")
_IMAGE_LATERALITY: Final = _tag("ImageLaterality")
_INSTANCE_NUMBER: Final = _tag("InstanceNumber")
_ROWS: Final = _tag("Rows")
_COLUMNS: Final = _tag("Columns")
_FRAMES: Final = _tag("NumberOfFrames")
_UTC_OFFSET: Final = _tag("TimezoneOffsetFromUTC")

HEADER_TAGS: Final = frozenset(
    {
        _CHARACTER_SET,
        _SOP_CLASS,
        _SOP_INSTANCE,
        _STUDY,
        _SERIES,
        _PATIENT_NAME,
        _REFERRER,
        _PATIENT_ID,
        _ISSUER,
        _SEX,
        _AGE,
        _BIRTH_DATE,
        _STUDY_ID,
        _STUDY_DATE,
        _STUDY_TIME,
        _ACCESSION,
        _STUDY_DESCRIPTION,
        _INSTITUTION,
        _STATION,
        _MANUFACTURER,
        _MODALITY,
        _SERIES_NUMBER,
        _SERIES_DATE,
        _SERIES_TIME,
        _STEP_START_DATE,
        _STEP_START_TIME,
        _SERIES_DESCRIPTION,
        _PROTOCOL,
        _BODY_PART,
        _LATERALITY,
        _IMAGE_LATERALITY,
        _INSTANCE_NUMBER,
        _ROWS,
        _COLUMNS,
        _FRAMES,
        _UTC_OFFSET,
    }
)
"""What `read_header` takes from a dataset."""

_COMMON_TAGS: Final = tuple(sorted(HEADER_TAGS - {_SOP_CLASS, _SOP_INSTANCE, _INSTANCE_NUMBER}))
# What is remembered of series: so many, of values that together have no more bytes.
_REMEMBERED: Final = 256
_REMEMBERED_BYTES: Final = 4096
_UID_NAMES: Final = {tag: tag_name(tag) for tag in (_SOP_CLASS, _SOP_INSTANCE, _STUDY, _SERIES)}
_UID_REMEDY: Final = "Correct it at the sending device and send the instance again."


@dataclass(frozen=True, slots=True)
class InstanceHeader:
    """The attributes of an instance that the index and the worklist use.

    Text is decoded, without padding; None or, for a name, "" when absent or
    empty. Numbers, dates and times are None when absent or malformed. Dates
    and times are as the device wrote them, in its own time zone.

    patient_name: with its "^" and "=", less those at the end that say nothing.
    patient_name_original: the value's bytes exactly as in the dataset.
    laterality: Laterality (0020,0060), else Image Laterality (0020,0062).
    text_was_guessed: the declared character set did not hold for some text.
    pixel_data_offset: where the element begins in the file that was read; None
        without pixel data and for a deflated dataset.
    oddities: what is against the standard and was passed over; no patient data.
    """

    sop_class_uid: Uid
    sop_instance_uid: Uid
    study_instance_uid: Uid
    series_instance_uid: Uid
    transfer_syntax_uid: str
    patient_name: str = ""
    patient_name_original: bytes = b""
    patient_id: str | None = None
    issuer_of_patient_id: str | None = None
    patient_sex: str | None = None
    patient_age: str | None = None
    patient_birth_date: date | None = None
    study_id: str | None = None
    study_date: date | None = None
    study_time: time | None = None
    accession_number: str | None = None
    study_description: str | None = None
    referring_physician_name: str | None = None
    institution_name: str | None = None
    station_name: str | None = None
    manufacturer: str | None = None
    modality: str | None = None
    series_number: int | None = None
    series_date: date | None = None
    series_time: time | None = None
    performed_procedure_step_start_date: date | None = None
    performed_procedure_step_start_time: time | None = None
    series_description: str | None = None
    protocol_name: str | None = None
    body_part_examined: str | None = None
    laterality: str | None = None
    instance_number: int | None = None
    rows: int | None = None
    columns: int | None = None
    number_of_frames: int | None = None
    timezone_offset_from_utc: str | None = None
    specific_character_set: str | None = None
    text_was_guessed: bool = False
    dataset_offset: int = 0
    dataset_length: int = 0
    pixel_data_offset: int | None = None
    oddities: tuple[str, ...] = ()


def read_header(file: SeekableBytes, transfer_syntax_uid: str | None = None) -> InstanceHeader:
    """Read the header of the instance that begins where `file` stands and goes to its end.

    transfer_syntax_uid: of the bare dataset there, as it is received over the
        network; None when it is a DICOM file with preamble and file meta
        information.

    The whole dataset is walked over, so that one that was cut is found out,
    but big values are not read. Where `file` stands afterwards is not defined.

    Raises:
        TruncatedDataset: the dataset ends within an element.
        MalformedDataset: the bytes are no dataset in this transfer syntax.
        MissingUid: the SOP Class, SOP Instance, Study Instance or Series
            Instance UID is absent or empty.
        InvalidUid: one of them is no UID.
    """
    if transfer_syntax_uid is None:
        transfer_syntax_uid = read_file_meta(file).transfer_syntax_uid
    return header_of(scan_dataset(file, transfer_syntax_uid, wanted=HEADER_TAGS))


def header_of(scan: DatasetScan) -> InstanceHeader:
    """Return the header in a scan for `HEADER_TAGS`.

    Raises:
        MissingUid, InvalidUid: as for `read_header`.
    """
    values = scan.values
    sop_class_uid, sop_instance_uid = _uid(values, _SOP_CLASS), _uid(values, _SOP_INSTANCE)
    raw = tuple(map(values.get, _COMMON_TAGS))
    small = sum(map(len, values.values())) <= _REMEMBERED_BYTES
    common = (_common if small else _common.__wrapped__)(raw, big_endian=scan.big_endian)
    pixels = scan.pixel_data
    return InstanceHeader(
        sop_class_uid=sop_class_uid,
        sop_instance_uid=sop_instance_uid,
        transfer_syntax_uid=scan.transfer_syntax_uid,
        instance_number=as_integer(values.get(_INSTANCE_NUMBER, b"")),
        dataset_offset=scan.dataset_offset,
        dataset_length=scan.dataset_length,
        pixel_data_offset=None if pixels is None or scan.deflated else pixels.offset,
        oddities=scan.oddities,
        **common,
    )


# Instances of a series differ in little else than their number: what the others say was a third
# of the time that a header took.
@lru_cache(maxsize=_REMEMBERED)
def _common(raw: tuple[bytes | None, ...], *, big_endian: bool) -> Mapping[str, Any]:
    """Return the attributes that the values of `_COMMON_TAGS` make.

    Raises:
        MissingUid, InvalidUid: as for `read_header`.
    """
    pairs = zip(_COMMON_TAGS, raw, strict=True)
    values = {tag: value for tag, value in pairs if value is not None}
    text = _Text(values)
    return {
        "study_instance_uid": _uid(values, _STUDY),
        "series_instance_uid": _uid(values, _SERIES),
        "patient_name": text.name(_PATIENT_NAME) or "",
        "patient_name_original": values.get(_PATIENT_NAME, b""),
        "patient_id": text.get(_PATIENT_ID),
        "issuer_of_patient_id": text.get(_ISSUER),
        "patient_sex": text.get(_SEX),
        "patient_age": text.get(_AGE),
        "patient_birth_date": as_date(values.get(_BIRTH_DATE, b"")),
        "study_id": text.get(_STUDY_ID),
        "study_date": as_date(values.get(_STUDY_DATE, b"")),
        "study_time": as_time(values.get(_STUDY_TIME, b"")),
        "accession_number": text.get(_ACCESSION),
        "study_description": text.get(_STUDY_DESCRIPTION),
        "referring_physician_name": text.name(_REFERRER),
        "institution_name": text.get(_INSTITUTION),
        "station_name": text.get(_STATION),
        "manufacturer": text.get(_MANUFACTURER),
        "modality": text.get(_MODALITY),
        "series_number": as_integer(values.get(_SERIES_NUMBER, b"")),
        "series_date": as_date(values.get(_SERIES_DATE, b"")),
        "series_time": as_time(values.get(_SERIES_TIME, b"")),
        "performed_procedure_step_start_date": as_date(values.get(_STEP_START_DATE, b"")),
        "performed_procedure_step_start_time": as_time(values.get(_STEP_START_TIME, b"")),
        "series_description": text.get(_SERIES_DESCRIPTION),
        "protocol_name": text.get(_PROTOCOL),
        "body_part_examined": text.get(_BODY_PART),
        "laterality": text.get(_LATERALITY) or text.get(_IMAGE_LATERALITY),
        "rows": as_unsigned_short(values.get(_ROWS, b""), big_endian=big_endian),
        "columns": as_unsigned_short(values.get(_COLUMNS, b""), big_endian=big_endian),
        "number_of_frames": as_integer(values.get(_FRAMES, b"")),
        "timezone_offset_from_utc": text.get(_UTC_OFFSET),
        "specific_character_set": text.declared,
        "text_was_guessed": text.guessed,
    }


class _Text:
    """Decodes the text of one dataset and remembers whether that took a guess."""

    def __init__(self, values: Mapping[int, bytes]) -> None:
        self._values = values
        self._declared = values.get(_CHARACTER_SET, b"")
        self._character_set: SpecificCharacterSet | None = None
        self.declared = self._declared.decode("latin_1").strip(" \0") or None
        self.guessed = False

    def get(self, tag: int) -> str | None:
        """Return the text of an element; None when it is absent or empty."""
        raw = self._values.get(tag)
        if not raw:
            return None
        plain = plain_text(raw)
        if plain is not None:
            return plain or None
        if self._character_set is None:
            self._character_set = SpecificCharacterSet.parse(self._declared)
        decoded = self._character_set.decode(raw)
        self.guessed = self.guessed or decoded.guessed
        return decoded.text or None

    def name(self, tag: int) -> str | None:
        """Return a person name without the delimiters at its end that say nothing."""
        text = self.get(tag)
        return text.rstrip("=^ ") or None if text else None


def _uid(values: Mapping[int, bytes], tag: int) -> Uid:
    raw = values.get(tag, b"").strip(b" \0")
    if not raw:
        raise MissingUid(
            f"{_UID_NAMES[tag]} is missing",
            expected="a UID",
            found="an empty value" if tag in values else "no such element",
            remedy=_UID_REMEDY,
        )
    try:
        return Uid.parse(raw.decode("latin_1"), what=_UID_NAMES[tag])
    except InvalidIdentifier as error:
        raise InvalidUid(
            error.what, expected=error.expected, found=error.found, remedy=_UID_REMEDY
        ) from error
