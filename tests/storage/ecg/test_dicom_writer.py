"""What is written is read again bit by bit, and is what the standard says."""

import io
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pydicom import dcmread

from storage.ecg.dicom_reader import read_ecg
from storage.ecg.dicom_writer import (
    AMBULATORY_ECG,
    GENERAL_32_BIT_ECG,
    GENERAL_ECG,
    ObjectIdentity,
    ecg_bytes,
)
from storage.ecg.errors import EcgUnsupported
from storage.ecg.identification import EcgAcquisition, EcgPatient
from storage.ecg.leads import STANDARD_LEADS, Lead
from storage.ecg.waveform import (
    ChannelStatus,
    DeviceMeasurement,
    DeviceStatement,
    EcgGroup,
    EcgRecord,
    FilterSettings,
    GroupKind,
    LeadOrigin,
    MeasurementConcept,
    RecordedChannel,
)
from tests.support.peers import require_corpus, require_program

IDENTITY = ObjectIdentity(
    "2.25.1", "2.25.2", "2.25.3", "Converted from a test", datetime(2026, 11, 22, 8, tzinfo=UTC)
)
PATIENT = EcgPatient("E1", "张^伟", date(1950, 5, 8), "M", 76)
ACQUISITION = EcgAcquisition(
    order_number="A1", institution="东河镇卫生院", operator="李^芳", reason="胸痛 1 h"
)
WALL_CLOCK = datetime(2026, 1, 2)  # noqa: DTZ001 -- as a device without a zone has it


def written(record: EcgRecord) -> bytes:
    return ecg_bytes(record, PATIENT, ACQUISITION, IDENTITY)


def again(record: EcgRecord) -> EcgRecord:
    return read_ecg(io.BytesIO(written(record)))


def group(
    channels: Sequence[RecordedChannel], *, rate: float = 500.0, kind: GroupKind = GroupKind.RHYTHM
) -> EcgGroup:
    return EcgGroup(kind, kind.value, rate, len(channels[0].samples), tuple(channels))


def channel(samples: Sequence[int], **more: object) -> RecordedChannel:
    made = RecordedChannel(Lead.II, "II", np.array(samples, dtype=np.int64))
    return replace(made, **more)  # pyright: ignore[reportArgumentType]


def assert_equal(first: EcgRecord, second: EcgRecord) -> None:
    assert first.acquired_at == second.acquired_at
    for one, other in zip(first.groups, second.groups, strict=True):
        assert (one.kind, one.sampling_rate_hz) == (other.kind, other.sampling_rate_hz)
        assert one.offset_seconds == pytest.approx(other.offset_seconds)
        for mine, theirs in zip(one.channels, other.channels, strict=True):
            assert (mine.lead, mine.label) == (theirs.lead, theirs.label)
            assert (mine.filters, mine.status) == (theirs.filters, theirs.status)
            assert mine.origin == theirs.origin
            values, found = mine.microvolts(), theirs.microvolts()
            assert np.array_equal(np.isnan(values), np.isnan(found))
            there = ~np.isnan(values)
            # The integers, whatever 16 characters of a decimal string make of the scale.
            assert np.array_equal(mine.samples[there], theirs.samples[there])
            assert np.allclose(values[there], found[there], rtol=1e-12, atol=1e-9)


@st.composite
def records(draw: st.DrawFn) -> EcgRecord:
    count = draw(st.integers(1, 40))
    leads = draw(st.lists(st.sampled_from(list(Lead)), min_size=1, max_size=12, unique=True))
    size = draw(st.sampled_from([np.int16, np.int32]))
    limit = 30_000 if size is np.int16 else 2**30
    scale = draw(st.sampled_from([1.0, 2.5, 4.88, 0.1, 1000 / 3, 0.00024414062]))
    channels: list[RecordedChannel] = []
    for lead in leads:
        samples = draw(hnp.arrays(size, count, elements=st.integers(-limit, limit)))
        missing = (int(samples[0]),) if draw(st.booleans()) else ()
        derived = lead in STANDARD_LEADS and draw(st.booleans())
        channels.append(
            RecordedChannel(
                lead,
                lead.value,
                samples,
                scale,
                draw(st.sampled_from([0.0, 12.5])),
                missing,
                draw(st.sampled_from([0.0, 0.002])),
                FilterSettings(*draw(st.tuples(*[st.sampled_from([None, 0.0, 0.05, 150.0])] * 3))),
                frozenset(draw(st.sets(st.sampled_from(list(ChannelStatus)), max_size=2))),
                LeadOrigin.DEVICE_DERIVED if derived else LeadOrigin.RECORDED,
            )
        )
    return EcgRecord((group(channels),), acquired_at=draw(st.sampled_from([None, WALL_CLOCK])))


@given(records())
@settings(max_examples=30, deadline=None)
def test_what_is_written_is_read_again(record: EcgRecord) -> None:
    assert_equal(record, again(record))


def test_the_device_is_quoted_as_it_was() -> None:
    measurements = (
        DeviceMeasurement(MeasurementConcept.HEART_RATE, "HR", "", 97.0, "/min", "97", "bpm"),
        DeviceMeasurement(MeasurementConcept.PR, "PR", "", None, "ms", "0", "ms"),
        DeviceMeasurement(MeasurementConcept.T_AXIS, "T", "", -168.0, "deg", "-168", "deg"),
        DeviceMeasurement(None, "R amplitude", "", 912.0, "uV", "912", "uV", Lead.II),
        DeviceMeasurement(None, "odd", "", None, "ms", "Failed", "ms"),
    )
    statements = (DeviceStatement("窦性心律"), DeviceStatement("SINUS RHYTHM", "99PHILIPS:SR"))
    record = EcgRecord(
        (group([channel([1, 2, 3])]),), measurements=measurements, statements=statements
    )
    found = again(record)
    assert [(one.concept, one.value, one.lead) for one in found.measurements] == [
        (one.concept, one.value, one.lead) for one in measurements[:4]
    ]
    assert found.statements == statements


@pytest.mark.parametrize(
    ("samples", "rate", "sop_class"),
    [
        ([1, 2], 500.0, GENERAL_ECG),
        ([1, 40_000], 500.0, GENERAL_32_BIT_ECG),
        ([1, 2], 128.0, AMBULATORY_ECG),
        ([0] * 660_000, 1000.0, AMBULATORY_ECG),
    ],
)
def test_the_class_is_the_one_that_holds_it(
    samples: list[int], rate: float, sop_class: str
) -> None:
    record = EcgRecord((group([channel(samples)], rate=rate),))
    assert dcmread(io.BytesIO(written(record))).SOPClassUID == sop_class


def test_what_is_no_integer_is_refused() -> None:
    broken = replace(channel([1, 2]), samples=np.array([0.5, 1.0]))
    with pytest.raises(EcgUnsupported, match="not integers"):
        written(EcgRecord((group([broken]),)))


def test_without_a_time_of_acquisition_none_is_invented() -> None:
    made = dcmread(io.BytesIO(written(EcgRecord((group([channel([1, 2])]),)))))
    assert not made.AcquisitionDateTime
    assert not made.StudyDate


def test_the_same_file_makes_the_same_bytes() -> None:
    record = EcgRecord((group([channel([1, 2])]),))
    assert written(record) == written(record)


def objects() -> list[EcgRecord]:
    rhythm = [channel(range(5000), lead=lead, label=lead.value) for lead in STANDARD_LEADS]
    beat = [replace(one, samples=one.samples[:600]) for one in rhythm]
    late = replace(group(rhythm), offset_seconds=10.0)
    return [
        EcgRecord(
            (group(rhythm), late, group(beat, kind=GroupKind.MEDIAN_BEAT)),
            acquired_at=datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
            measurements=(
                DeviceMeasurement(MeasurementConcept.QT, "QT", "", 400.0, "ms", "400", "ms"),
            ),
            statements=(DeviceStatement("窦性心律"), DeviceStatement("SINUS RHYTHM", "99X:SR")),
        ),
        EcgRecord((group(rhythm[:3], rate=128.0),), acquired_at=WALL_CLOCK),
    ]


def test_the_standard_is_kept(tmp_path: Path) -> None:
    validator = require_program("dciodvfy", package="dicom3tools")
    records = objects()
    for path in sorted(require_corpus("ecg", "formats").glob("*.dcm")):
        with path.open("rb") as file:
            records.append(read_ecg(file))
    for number, record in enumerate(records):
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(written(record))
        done = subprocess.run([validator, path], capture_output=True, text=True, check=False)
        errors = [line for line in done.stderr.splitlines() if line.startswith("Error")]
        # The program looks for Acquisition Time Synchronized in the item, and it is not there.
        known = "Conditional Element=<MultiplexGroupTimeOffset>"
        assert [one for one in errors if known not in one] == []
        assert not errors or len(record.rhythm_groups) > 1
        assert_equal(record, again(record))
