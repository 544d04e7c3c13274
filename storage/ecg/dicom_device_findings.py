"""What the device measured and said, as Waveform Annotation Sequence items (PS3.3 C.10.10).

The other direction of `dicom_annotations`: values get the MDC codes of CID 3227
to 3229, statements stay the device's own words.
"""

from typing import Final

from pydicom.dataset import Dataset
from pydicom.valuerep import DSfloat, format_number_as_ds

from storage.ecg.leads import Lead
from storage.ecg.waveform import (
    DeviceMeasurement,
    DeviceStatement,
    EcgRecord,
    MeasurementConcept,
)

_C: Final = MeasurementConcept
_CODES: Final = {
    _C.HEART_RATE: ("2:16016", "Heart rate"),
    _C.ATRIAL_RATE: ("2:16020", "Atrial heart rate"),
    _C.RR: ("2:16168", "RR interval"),
    _C.PP: ("2:16140", "PP interval"),
    _C.P_DURATION: ("2:16184", "P wave duration"),
    _C.PR: ("2:15872", "PR interval"),
    _C.QRS: ("2:16156", "QRS duration"),
    _C.QT: ("2:16160", "QT interval"),
    _C.QTC: ("2:15876", "QTc interval"),
    _C.QTC_BAZETT: ("2:15880", "QTc interval, Bazett"),
    _C.QTC_FRIDERICIA: ("2:15892", "QTc interval, Fridericia"),
    _C.P_AXIS: ("2:16128", "P wave axis"),
    _C.QRS_AXIS: ("2:16132", "QRS axis"),
    _C.T_AXIS: ("2:16136", "T wave axis"),
}
_UNITS: Final = {"ms": "ms", "deg": "deg", "/min": "{H.B.}/min", "": "1"}
_PRIVATE_SCHEME: Final = "99RDC_ECG"
_MEANING_LENGTH: Final = 64
_VALUE_LENGTH: Final = 16
_TEXT_LENGTH: Final = 1024


def annotation_items(record: EcgRecord) -> list[Dataset]:
    """Return the items for the record's device measurements and statements, in their order.

    A value that is no number (devices write "Failed" or "--") has no item.
    """
    items: list[Dataset] = []
    for measurement in record.measurements:
        item = _measurement(measurement, record)
        if item is not None:
            items.append(item)
    items.extend(_statement(statement) for statement in record.statements)
    for number, item in enumerate(items, start=1):
        item.AnnotationGroupNumber = number
    return items


def _measurement(measurement: DeviceMeasurement, record: EcgRecord) -> Dataset | None:
    value = measurement.value if measurement.value is not None else _zero(measurement)
    channels = _channels(record, measurement.lead)
    if value is None or channels is None:
        return None
    item = Dataset()
    if measurement.concept is None:
        name = measurement.name[:_MEANING_LENGTH]
        concept = _code(_private_value(name), _PRIVATE_SCHEME, name or "?")
    else:
        code, meaning = _CODES[measurement.concept]
        concept = _code(code, "MDC", meaning)
    item.ConceptNameCodeSequence = [concept]
    unit = _UNITS.get(measurement.unit, measurement.unit)[:_VALUE_LENGTH]
    item.MeasurementUnitsCodeSequence = [_code(unit, "UCUM", "no units" if unit == "1" else unit)]
    item.NumericValue = DSfloat(format_number_as_ds(float(value)))
    item.ReferencedWaveformChannels = channels
    return item


def _zero(measurement: DeviceMeasurement) -> float | None:
    """Return the 0 by which a device says "not measured", None where it wrote something else."""
    return 0.0 if measurement.value_as_written.strip().strip("0.") == "" else None


def _channels(record: EcgRecord, lead: Lead | None) -> list[int] | None:
    """Return (group, channel) of a lead as C.10.10 counts; channel 0 is the whole group."""
    if lead is None:
        return [1, 0]
    for group_number, group in enumerate(record.groups, start=1):
        for channel_number, channel in enumerate(group.channels, start=1):
            if channel.lead is lead:
                return [group_number, channel_number]
    return None


def _private_value(name: str) -> str:
    plain = "".join(c for c in name if c.isascii() and (c.isalnum() or c in "_-")) or "VALUE"
    return plain[:_VALUE_LENGTH]


def _statement(statement: DeviceStatement) -> Dataset:
    item = Dataset()
    scheme, _, value = statement.code.rpartition(":")
    coded = scheme and value and max(len(scheme), len(value)) <= _VALUE_LENGTH
    if coded and len(statement.text) <= _MEANING_LENGTH:
        item.ConceptNameCodeSequence = [_code("121071", "DCM", "Finding")]
        item.ConceptCodeSequence = [_code(value, scheme, statement.text)]
    else:
        item.UnformattedTextValue = statement.text[:_TEXT_LENGTH]
    item.ReferencedWaveformChannels = [1, 0]
    return item


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = scheme
    item.CodeMeaning = meaning
    return item
