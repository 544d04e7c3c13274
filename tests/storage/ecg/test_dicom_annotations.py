"""What devices measured and said, in whatever code and character set they wrote it."""

import io

import numpy as np
import pytest
from pydicom import Dataset

from storage.ecg.dicom_reader import read_ecg
from storage.ecg.leads import Lead
from storage.ecg.waveform import DeviceMeasurement, DeviceStatement, EcgRecord
from storage.ecg.waveform import MeasurementConcept as Concept
from tests.support.ecg import (
    channel,
    code,
    ecg_dataset,
    file_bytes,
    multiplex_group,
    read,
)


def measured(name: Dataset, value: str, unit: str, channels: list[int] | None = None) -> Dataset:
    item = Dataset()
    item.ConceptNameCodeSequence = [name]
    item.NumericValue = value
    item.MeasurementUnitsCodeSequence = [code(unit, "UCUM")]
    item.ReferencedWaveformChannels = channels or [1, 0]
    return item


def said(text: str = "", coded: Dataset | None = None) -> Dataset:
    item = Dataset()
    if text:
        item.UnformattedTextValue = text
    if coded is not None:
        item.ConceptCodeSequence = [coded]
    return item


def annotated(*annotations: Dataset, **more: object) -> Dataset:
    samples = np.zeros((10, 2), dtype="<i2")
    group = multiplex_group(samples, [channel(Lead.I), channel(Lead.V4)])
    return ecg_dataset(group, WaveformAnnotationSequence=list(annotations), **more)


def only_measurement(item: Dataset) -> DeviceMeasurement:
    (found,) = read(annotated(item)).measurements
    return found


@pytest.mark.parametrize(
    ("scheme", "value", "concept"),
    [
        ("SCPECG", "5.10.2.1-3", Concept.RR),
        ("SCPECG", "5.13.5-9", Concept.QRS),
        ("MDC", "2:15872", Concept.PR),
        ("MDC", "2:15880", Concept.QTC_BAZETT),
        ("MDC", "2:16184", Concept.P_DURATION),
        ("LN", "8867-4", Concept.HEART_RATE),
    ],
)
def test_standard_codes_are_known(scheme: str, value: str, concept: Concept) -> None:
    found = only_measurement(measured(code(value, scheme, "whatever"), "88", "ms"))
    assert found.concept is concept
    assert found.code == f"{scheme}:{value}"
    assert found.name == "whatever"
    assert found.value == 88


@pytest.mark.parametrize(
    ("meaning", "unit", "concept"),
    [
        ("QRS Duration", "ms", Concept.QRS),
        ("PR interval", "ms", Concept.PR),
        ("Ventricular Rate", "/min", Concept.HEART_RATE),
        ("QTc Bazett", "ms", Concept.QTC_BAZETT),
        ("R axis", "deg", Concept.QRS_AXIS),
        ("心率", "bpm", Concept.HEART_RATE),
        ("QT间期", "ms", Concept.QT),
        ("QRS amplitude", "uV", None),
        ("QRS", "uV", None),
        ("Something else", "ms", None),
    ],
)
def test_private_codes_are_known_by_their_name_where_the_unit_agrees(
    meaning: str, unit: str, concept: Concept | None
) -> None:
    dataset = annotated(measured(code("17", "99VENDOR", meaning), "92", unit))
    dataset.SpecificCharacterSet = "ISO_IR 192"
    (found,) = read(dataset).measurements
    assert found.concept is concept
    assert found.name == meaning


def test_seconds_become_milliseconds_and_the_written_text_stays() -> None:
    found = only_measurement(measured(code("2:15872", "MDC", "PR"), "0.16", "s"))
    assert (found.value, found.unit) == (160, "ms")
    assert (found.value_as_written, found.unit_as_written) == ("0.16", "s")


def test_zero_is_not_measured_except_for_an_axis() -> None:
    assert only_measurement(measured(code("2:15872", "MDC", "PR"), "0", "ms")).value is None
    assert only_measurement(measured(code("2:16132", "MDC", "axis"), "0", "deg")).value == 0


def test_a_value_of_one_lead_is_not_taken_for_a_global_one() -> None:
    record = read(annotated(measured(code("2:7936", "MDC", "QRS duration"), "90", "ms", [1, 2])))
    (found,) = record.measurements
    assert (found.lead, found.concept) == (Lead.V4, None)
    assert record.measurement(Concept.QRS) is None


def test_statements_are_text_or_codes_in_file_order() -> None:
    record = read(
        annotated(
            said("SINUS RHYTHM"),
            Dataset(),
            said(coded=code("10:9472", "MDC", "Atrial fibrillation")),
            said("  TWO\r\n LINES "),
        )
    )
    assert record.statements == (
        DeviceStatement("SINUS RHYTHM"),
        DeviceStatement("Atrial fibrillation", "MDC:10:9472"),
        DeviceStatement("TWO LINES"),
    )


def test_marks_on_samples_are_neither() -> None:
    mark = Dataset()
    mark.ConceptNameCodeSequence = [code("5.10.3-1", "SCPECG", "P Onset")]
    mark.TemporalRangeType = "POINT"
    mark.ReferencedSamplePositions = [299]
    record = read(annotated(mark))
    assert (record.measurements, record.statements) == ((), ())


def chinese(declared: str | None, encoding: str) -> EcgRecord:
    dataset = annotated(said("#" * 20))
    if declared is not None:
        dataset.SpecificCharacterSet = declared
    words = "窦性心律,正常心电图".encode(encoding)
    padded = words + b" " * (20 - len(words) % 2 - len(words)) if len(words) < 20 else words[:20]
    data = file_bytes(dataset)
    assert data.count(b"#" * 20) == 1
    return read_ecg(io.BytesIO(data.replace(b"#" * 20, padded.ljust(20)[:20])))


@pytest.mark.parametrize("declared", ["GB18030", "GBK", "ISO_IR 100", None])
def test_chinese_statements_survive_a_wrong_declaration(declared: str | None) -> None:
    assert chinese(declared, "gb18030").statements[0].text == "窦性心律,正常心电图"


def test_malformed_values_are_left_out_not_fatal() -> None:
    data = file_bytes(annotated(measured(code("2:15872", "MDC", "PR"), "123456", "ms")))
    damaged = data.replace(b"123456", b"12x456")
    (found,) = read_ecg(io.BytesIO(damaged)).measurements or (None,)
    assert found is None or found.value is None
