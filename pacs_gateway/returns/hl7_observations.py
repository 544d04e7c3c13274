"""What a report says, as observations: the contents of the OBX segments of an ORU^R01.

An observation is known to its receiver by its code and sub-id (v2.5.1 §7.4.2.4), so these are the
same in every version of a report: a later version replaces it, and one that the later version does
not have any more is deleted by name.
"""

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from pacs_gateway.hl7 import writing
from storage.fhir.words import MEASUREMENT_LOINC, QTC, SECTION_CODES, UNITS, words
from storage.issued_reports import (
    IssuedCode,
    IssuedMeasurement,
    IssuedReport,
    IssuedSection,
    SectionLabel,
)
from storage.report_status import IssuedKind

OURS: Final = "99RDC"
"""The coding system of what no public one has (table 0396 reserves 99 and three letters)."""

Content = Literal["text", "pdf", "both"]
TextType = Literal["FT", "TX"]

# A partition and a code of ISO/IEEE 11073-10101; HL7 takes them as one number (IHE PCD TF-2 §B.8).
_MDC: Final = re.compile(r"(\d{1,5}):(\d{1,5})")
_PARTITION: Final = 65_536
_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d*)?|[+-]?\.\d+")
_REPORT: Final = ("18748-4", "Diagnostic imaging study")
_ECG_REPORT: Final = ("11524-6", "EKG study")
_IMPRESSION: Final = ("19005-8", "Radiology Imaging study [Impression] (narrative)")
_ECG_IMPRESSION: Final = ("8601-7", "EKG impression")
_TECHNIQUE: Final = ("55111-9", "Current imaging procedure descriptions Document")
_CODE_NAMES: Final[Mapping[str, str]] = {
    "bi_rads": "BI-RADS",
    "pi_rads": "PI-RADS",
    "ecg_class": "ECG class",
    "laterality": "Laterality",
    "result": "Result",
}
"""Codes that a receiver is told; the grade of the images is no finding of the patient's."""
_SCT: Final[Mapping[tuple[str, str], tuple[str, str]]] = {
    ("laterality", "R"): ("24028007", "Right"),
    ("laterality", "L"): ("7771000", "Left"),
    ("laterality", "B"): ("51440002", "Right and left"),
    ("result", "positive"): ("10828004", "Positive"),
    ("result", "negative"): ("260385009", "Negative"),
}
_QTC: Final = "qtc_"
_SOURCES: Final = {"device": "Device", "centre": "Centre", "confirmed": "Confirmed"}


@dataclass(frozen=True, slots=True)
class Identity:
    """By what a receiver knows an observation: OBX-3, encoded, and OBX-4."""

    code: str
    sub_id: str

    @property
    def key(self) -> tuple[str, str]:
        """The code without its words, which may be in another language in another version."""
        return self.code.split("^", maxsplit=1)[0], self.sub_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One OBX; what is text here is encoded already.

    data_type: OBX-2. value: OBX-5. unit: OBX-6. flag: OBX-8 (table 0078). status: OBX-11 where it
    is not that of the report. observed_at: OBX-14 where it is not that of the exam.
    method: OBX-17. note: text of an NTE below it, not encoded.
    """

    identity: Identity
    data_type: str
    value: str
    unit: str = ""
    flag: str = ""
    status: str = ""
    observed_at: datetime | None = None
    method: str = ""
    note: str = ""


def observations(
    report: IssuedReport, *, content: Content, text_type: TextType, pdf: bytes | None
) -> Iterator[Observation]:
    """Yield the observations of a report in the order in which people read them.

    pdf: the signed document; of `content` "text" it is not asked for, and for the identities alone
        it may be None.
    """
    known = words(report.language)
    yield Observation(
        identity=Identity(writing.components("110180", "Study Instance UID", "DCM"), "1"),
        data_type="ST",
        value=writing.escaped(report.exam.study_instance_uid),
    )
    if content != "pdf":
        yield from _texts(report, known, text_type)
    yield from _codes(report)
    yield from _measurements(report)
    if content != "text":
        code, name = _ECG_REPORT if report.is_ecg else _REPORT
        own = "NOTICE" if report.kind is IssuedKind.NOTICE else "PDF"
        yield Observation(
            identity=Identity(writing.components(code, name, "LN", "", report.title, OURS), own),
            data_type="ED",
            value="" if pdf is None else _encapsulated(pdf),
        )


def _texts(
    report: IssuedReport, known: Mapping[str, str], text_type: TextType
) -> Iterator[Observation]:
    numbers: dict[SectionLabel, int] = {}
    for section in report.sections:
        number = numbers[section.label] = numbers.get(section.label, 0) + 1
        impression = section.label is SectionLabel.IMPRESSION
        yield _text(
            _section_code(report, section, known),
            str(number),
            section.text,
            text_type,
            flag=_flag(report) if impression else "",
            observed_at=section.at,
        )
    # A void report's is withdrawn with it: nobody shall act on it any more.
    if report.critical_notice and report.kind is not IssuedKind.NOTICE:
        code = writing.components("CRITICAL_NOTICE", known["critical"], OURS)
        yield _text(code, "1", report.critical_notice, text_type, flag="AA")


def _text(
    code: str,
    sub_id: str,
    text: str,
    text_type: TextType,
    *,
    flag: str = "",
    observed_at: datetime | None = None,
) -> Observation:
    encode = writing.formatted if text_type == "FT" else writing.repeated_lines
    return Observation(
        identity=Identity(code, sub_id),
        data_type=text_type,
        value=encode(text),
        flag=flag,
        observed_at=observed_at,
    )


def _section_code(report: IssuedReport, section: IssuedSection, known: Mapping[str, str]) -> str:
    label = section.label
    local = (label.value.upper(), known[label.value], OURS)
    public: tuple[str, str] | None = None
    if label is SectionLabel.IMPRESSION:
        public = _ECG_IMPRESSION if report.is_ecg else _IMPRESSION
    elif label is SectionLabel.TECHNIQUE:
        public = _TECHNIQUE
    elif label in SECTION_CODES:
        public = (SECTION_CODES[label]["code"], SECTION_CODES[label]["display"])
    if public is None:
        return writing.components(*local)
    return writing.components(*public, "LN", *local)


def _flag(report: IssuedReport) -> str:
    """Return OBX-8 of the impression: beyond panic limits, abnormal, normal, or nothing said."""
    if report.critical:
        return "AA"
    told = {one.name: one.value for one in report.codes}
    return {"positive": "A", "negative": "N"}.get(told.get("result", ""), "")


def _codes(report: IssuedReport) -> Iterator[Observation]:
    for code in report.codes:
        if code.name in _CODE_NAMES:
            name = writing.components(code.name.upper(), _CODE_NAMES[code.name], OURS)
            yield Observation(identity=Identity(name, "1"), data_type="CE", value=_coded(code))


def _coded(code: IssuedCode) -> str:
    public = _SCT.get((code.name, code.value))
    named = f"{_CODE_NAMES[code.name]} {code.value}"
    if public is None:
        return writing.components(code.value, named, OURS)
    return writing.components(*public, "SCT", code.value, named, OURS)


def _measurements(report: IssuedReport) -> Iterator[Observation]:
    used: dict[tuple[str, str], int] = {}
    for measurement in report.measurements:
        code, sub_id = _measure_code(measurement), measurement.source
        if measurement.name.startswith(_QTC):
            sub_id += f".{measurement.name.removeprefix(_QTC)}"
        key = Identity(code, sub_id).key
        # Of one name a source has one value; a device may say more under words of its own.
        used[key] = used.get(key, 0) + 1
        if used[key] > 1:
            sub_id += f".{used[key]}"
        measured = measurement.value.strip()
        numeric = _NUMBER.fullmatch(measured) is not None or not measured
        unit = UNITS.get(measurement.unit, measurement.unit)
        source = _SOURCES.get(measurement.source, measurement.source)
        yield Observation(
            identity=Identity(code, writing.escaped(sub_id)),
            data_type="NM" if numeric else "ST",
            value=writing.escaped(measured),
            unit=writing.components(unit, unit, "UCUM") if unit else "",
            # Table 0085: results cannot be obtained for this observation.
            status="" if measured else "X",
            method=writing.components(measurement.source, source, OURS),
            note="" if measured else measurement.reason,
        )


def _measure_code(measurement: IssuedMeasurement) -> str:
    """Return OBX-3; the formula of a QTc stands in the sub-id, the standards have one code."""
    qtc = measurement.name.startswith("qtc")
    loinc = QTC if qtc else MEASUREMENT_LOINC.get(measurement.name)
    own = ("QTC" if qtc else measurement.name.upper(), measurement.name, OURS)
    name = loinc["display"] if loinc else measurement.name
    parts = _MDC.fullmatch(measurement.mdc or "")
    if parts is not None:
        number = str(int(parts[1]) * _PARTITION + int(parts[2]))
        return writing.components(number, name, "MDC", *own)
    if loinc is not None:
        return writing.components(loinc["code"], name, "LN", *own)
    return writing.components(*own)


def _encapsulated(pdf: bytes) -> str:
    """Return a PDF as ED (§2.A.24): base64, as application data (tables 0191, 0291, 0299)."""
    return writing.joined("", "AP", "PDF", "Base64", base64.b64encode(pdf).decode("ascii"))
