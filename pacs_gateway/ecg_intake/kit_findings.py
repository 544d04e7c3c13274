"""What a device measured and said, as its file has it: values stay the device's.

The library keeps what it has a field for apart from what it has none for, and
the latter under the format's own names; both end in one list here.
"""

import re
from typing import Any, Final, cast

from ecgdatakit.models import ECGRecord

from pacs_gateway.ecg_intake.words import by_evidence
from storage.ecg.waveform import DeviceMeasurement, DeviceStatement, MeasurementConcept
from storage.ecg_files import EcgFormat

_C: Final = MeasurementConcept
_FIELDS: Final = {
    "heart_rate": _C.HEART_RATE,
    "rr_interval": _C.RR,
    "pr_interval": _C.PR,
    "qrs_duration": _C.QRS,
    "qt_interval": _C.QT,
    "qtc_bazett": _C.QTC_BAZETT,
    "qtc_fridericia": _C.QTC_FRIDERICIA,
    "p_axis": _C.P_AXIS,
    "qrs_axis": _C.QRS_AXIS,
    "t_axis": _C.T_AXIS,
}
# Annotations by the names that the formats give them.
_NAMED: Final = {
    "atrialrate": _C.ATRIAL_RATE,
    "qtcorrected": _C.QTC,
    "qtc": _C.QTC,
    "pdur": _C.P_DURATION,
    "p_duration": _C.P_DURATION,
    "mdc_ecg_time_pd_p": _C.P_DURATION,
    "mdc_ecg_time_pd_qtc": _C.QTC,
    "mdc_ecg_time_pd_pp": _C.PP,
}
_RATES: Final = frozenset({_C.HEART_RATE, _C.ATRIAL_RATE})
_AXES: Final = frozenset({_C.P_AXIS, _C.QRS_AXIS, _C.T_AXIS})
_LEADING_NUMBER: Final = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*(?:ms|/min|bpm)?(?=$|[\s(])")
# Marks of the mean beat that EN 1064 stores instead of intervals: concept, from, to.
_BETWEEN_MARKS: Final = (
    (_C.P_DURATION, "p_onset", "p_offset"),
    (_C.PR, "p_onset", "qrs_onset"),
    (_C.QRS, "qrs_onset", "qrs_offset"),
    (_C.QT, "qrs_onset", "t_offset"),
)
_MARKS_FROM: Final = frozenset({EcgFormat.SCP, EcgFormat.AECG})


def measurements_of(found: ECGRecord, file_format: EcgFormat) -> tuple[DeviceMeasurement, ...]:
    """Return the global values of the device, each concept once.

    SCP-ECG stores the marks of its mean beat; the intervals between them are the device's too,
    and named after the marks.
    """
    values: dict[MeasurementConcept, DeviceMeasurement] = {}
    for name, concept in _FIELDS.items():
        value = getattr(found.measurements, name)
        if value is not None:
            values[concept] = _measurement(concept, name, str(value))
    for name, text in found.annotations.items():
        concept = _NAMED.get(name.lower())
        number = _LEADING_NUMBER.match(text)
        if concept is not None and concept not in values and number is not None:
            values[concept] = _measurement(concept, name, number[1])
    if file_format in _MARKS_FROM:
        for concept, begin, end in _BETWEEN_MARKS:
            first, last = _mark(found, begin), _mark(found, end)
            if concept not in values and first is not None and last is not None and last > first:
                values[concept] = _measurement(concept, f"{begin} to {end}", f"{last - first:g}")
    return tuple(values.values())


def _mark(found: ECGRecord, name: str) -> float | None:
    text = found.annotations.get(f"median_{name}_ms", "")
    number = _LEADING_NUMBER.match(text)
    return None if number is None else float(number[1])


def _measurement(concept: MeasurementConcept, name: str, written: str) -> DeviceMeasurement:
    value: float | None = float(written)
    unit = "deg" if concept in _AXES else "/min" if concept in _RATES else "ms"
    if value == 0 and concept not in _AXES:
        value = None  # how devices say "not measured"
    return DeviceMeasurement(concept, name, "", value, unit, written, unit)


def statements_of(found: ECGRecord) -> tuple[DeviceStatement, ...]:
    """Return the statements, each with the reason that the device gives in brackets."""
    meta = cast("dict[str, Any]", found.raw_metadata)  # pyright: ignore[reportUnknownMemberType]
    coded = _codes(meta)
    statements: list[DeviceStatement] = []
    for index, (left, right) in enumerate(found.interpretation.statements):
        said, reason = by_evidence(left), by_evidence(right)
        if not said and not reason:
            continue
        text = f"{said} [{reason}]" if said and reason else said or reason
        statements.append(DeviceStatement(text, coded.get(index, "")))
    return tuple(statements)


def _codes(meta: dict[str, Any]) -> dict[int, str]:
    """Return the vendor's codes by the statements' places; only Philips writes them."""
    listed = meta.get("statements")
    if not isinstance(listed, list):
        return {}
    codes = cast("list[dict[str, Any]]", listed)
    return {
        index: f"99PHILIPS:{code}"
        for index, one in enumerate(codes)
        if (code := str(one.get("code") or "").strip())
    }
