"""What the device measured and said: Waveform Annotation Sequence (0040,B020).

Values and statements are kept in the device's words beside ours, never
replaced. Devices code them in the retired SCPECG scheme, in MDC (CID 3227 to
3229) or not at all; only the global values get a concept, everything else keeps
its name and code.
"""

import re
from collections.abc import Sequence
from typing import Final

from pydicom.dataset import Dataset

from storage.ecg.dicom_values import (
    CONVERSION_ERRORS,
    first_item,
    free_text,
    items,
    number,
    text,
    values,
)
from storage.ecg.leads import Lead
from storage.ecg.waveform import DeviceMeasurement, DeviceStatement, MeasurementConcept

_C: Final = MeasurementConcept
_MAX_ANNOTATIONS: Final = 50_000

_BY_CODE: Final = {
    ("SCPECG", "5.10.2.5-1"): _C.HEART_RATE,
    ("SCPECG", "5.10.2.5-3"): _C.ATRIAL_RATE,
    ("SCPECG", "5.10.2.1-3"): _C.RR,
    ("SCPECG", "5.10.2.1-5"): _C.PP,
    ("SCPECG", "5.13.5-7"): _C.PR,
    ("SCPECG", "5.13.5-9"): _C.QRS,
    ("SCPECG", "5.13.5-11"): _C.QT,
    ("SCPECG", "5.10.2.5-5"): _C.QTC,
    ("SCPECG", "5.10.3-11"): _C.P_AXIS,
    ("SCPECG", "5.10.3-13"): _C.QRS_AXIS,
    ("SCPECG", "5.10.3-15"): _C.T_AXIS,
    ("MDC", "2:16016"): _C.HEART_RATE,
    ("MDC", "2:16020"): _C.ATRIAL_RATE,
    ("MDC", "2:16000"): _C.RR,
    ("MDC", "2:16168"): _C.RR,
    ("MDC", "2:16140"): _C.PP,
    ("MDC", "2:16184"): _C.P_DURATION,
    ("MDC", "2:15872"): _C.PR,
    ("MDC", "2:16156"): _C.QRS,
    ("MDC", "2:16160"): _C.QT,
    ("MDC", "2:15876"): _C.QTC,
    ("MDC", "2:15880"): _C.QTC_BAZETT,
    ("MDC", "2:15892"): _C.QTC_FRIDERICIA,
    ("MDC", "2:16128"): _C.P_AXIS,
    ("MDC", "2:16132"): _C.QRS_AXIS,
    ("MDC", "2:16136"): _C.T_AXIS,
    ("LN", "8867-4"): _C.HEART_RATE,
}

# For private codes: the name alone, letters only, without "global", "duration" and the like.
_BY_NAME: Final = {
    "VENTRICULARHEARTRATE": _C.HEART_RATE,
    "VENTRICULARRATE": _C.HEART_RATE,
    "VENTRATE": _C.HEART_RATE,
    "HEARTRATE": _C.HEART_RATE,
    "HR": _C.HEART_RATE,
    "心率": _C.HEART_RATE,
    "ATRIALHEARTRATE": _C.ATRIAL_RATE,
    "ATRIALRATE": _C.ATRIAL_RATE,
    "RR": _C.RR,
    "PP": _C.PP,
    "P": _C.P_DURATION,
    "PR": _C.PR,
    "PQ": _C.PR,
    "QRS": _C.QRS,
    "QT": _C.QT,
    "QTC": _C.QTC,
    "QTCBAZETT": _C.QTC_BAZETT,
    "QTCB": _C.QTC_BAZETT,
    "QTCFRIDERICIA": _C.QTC_FRIDERICIA,
    "QTCF": _C.QTC_FRIDERICIA,
    "PAXIS": _C.P_AXIS,
    "QRSAXIS": _C.QRS_AXIS,
    "RAXIS": _C.QRS_AXIS,
    "TAXIS": _C.T_AXIS,
}
_NAME_NOISE: Final = re.compile(
    r"\b(?:GLOBAL|INTERVAL|DURATION|TIME PERIOD|MEAN|AVERAGE|FRONTAL)\b|间期|时限"
    r"|[^A-Z\u4e00-\u9fff]"
)

_AXES: Final = frozenset({_C.P_AXIS, _C.QRS_AXIS, _C.T_AXIS})
_RATES: Final = frozenset({_C.HEART_RATE, _C.ATRIAL_RATE})
_RATE_UNITS: Final = frozenset(
    {"", "/min", "{h.b.}/min", "{beats}/min", "{beat}/min", "bpm", "1/min", "min-1"}
)
_SECONDS: Final = frozenset({"s", "sec"})
_DURATIONS: Final = _SECONDS | {"", "ms", "msec"}
_ANGLES: Final = frozenset({"", "deg", "degree", "degrees", "°"})


def read_annotations(
    dataset: Dataset, leads: Sequence[Sequence[Lead | None]]
) -> tuple[tuple[DeviceMeasurement, ...], tuple[DeviceStatement, ...]]:
    """Return the device's measurements and statements in file order.

    leads are those of each multiplex group's channels as the file orders them,
    to name the lead that a value refers to. Empty items, which some devices
    write by the dozen, and marks on single samples (wave onsets per beat) are
    neither and are left out.
    """
    character_set = text(dataset, "SpecificCharacterSet")
    measurements: list[DeviceMeasurement] = []
    statements: list[DeviceStatement] = []
    for item in items(dataset, "WaveformAnnotationSequence")[:_MAX_ANNOTATIONS]:
        concept_name = first_item(item, "ConceptNameCodeSequence")
        if concept_name is not None and text(item, "NumericValue"):
            measurements.append(_measurement(item, concept_name, leads, character_set))
            continue
        coded = first_item(item, "ConceptCodeSequence")
        free = free_text(item, "UnformattedTextValue", character_set)
        if free:
            statements.append(DeviceStatement(free, _code(coded) if coded is not None else ""))
        elif coded is not None and (meaning := free_text(coded, "CodeMeaning", character_set)):
            statements.append(DeviceStatement(meaning, _code(coded)))
    return tuple(measurements), tuple(statements)


def _measurement(
    item: Dataset,
    concept_name: Dataset,
    leads: Sequence[Sequence[Lead | None]],
    character_set: str,
) -> DeviceMeasurement:
    written = text(item, "NumericValue")
    name = free_text(concept_name, "CodeMeaning", character_set)
    units = first_item(item, "MeasurementUnitsCodeSequence")
    unit_as_written = text(units, "CodeValue") if units is not None else ""
    lead = _lead(item, leads)
    concept = _concept(concept_name, name, unit_as_written.lower()) if lead is None else None
    measured, unit = _in_canonical_unit(concept, number(item, "NumericValue"), unit_as_written)
    return DeviceMeasurement(
        concept, name, _code(concept_name), measured, unit, written, unit_as_written, lead
    )


def _concept(coded: Dataset, name: str, unit: str) -> MeasurementConcept | None:
    known = _BY_CODE.get((text(coded, "CodingSchemeDesignator").upper(), text(coded, "CodeValue")))
    if known is not None:
        return known
    named = _BY_NAME.get(_NAME_NOISE.sub("", name.upper()))
    if named in _AXES:
        return named if unit in _ANGLES else None
    if named in _RATES:
        return named if unit in _RATE_UNITS else None
    return named if unit in _DURATIONS else None


def _in_canonical_unit(
    concept: MeasurementConcept | None, measured: float | None, unit: str
) -> tuple[float | None, str]:
    """Return the value in ms, deg or /min for a known concept; as written for others.

    An axis is an angle whatever unit the device put beside it (some write ms).
    A rate or an interval in a unit that is neither is left as it stands.
    """
    if concept is None:
        return measured, unit
    if concept in _AXES:
        return measured, "deg"
    if measured == 0:
        measured = None
    if concept in _RATES:
        return measured, "/min" if unit.lower() in _RATE_UNITS else unit
    if unit.lower() in _SECONDS:
        return (None if measured is None else measured * 1000), "ms"
    return measured, unit or "ms"


def _code(coded: Dataset) -> str:
    scheme, code = (
        text(coded, "CodingSchemeDesignator"),
        text(coded, "CodeValue") or text(coded, "LongCodeValue"),
    )
    return f"{scheme}:{code}" if code else ""


def _lead(item: Dataset, leads: Sequence[Sequence[Lead | None]]) -> Lead | None:
    """Return the lead of the first referenced channel.

    Channel 0 means the whole multiplex group (PS3.3 C.10.10).
    """
    try:
        group_number, channel_number = (
            int(part) for part in values(item, "ReferencedWaveformChannels")[:2]
        )
    except CONVERSION_ERRORS:
        return None
    if not 1 <= group_number <= len(leads) or not 1 <= channel_number <= len(
        leads[group_number - 1]
    ):
        return None
    return leads[group_number - 1][channel_number - 1]
