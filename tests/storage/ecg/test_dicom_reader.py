"""Reading DICOM waveform objects: what samples mean, what is read leniently."""

import io
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import numpy.typing as npt
import pytest
from pydicom import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from storage.ecg.dicom_reader import read_ecg
from storage.ecg.leads import STANDARD_LEADS, Lead
from storage.ecg.waveform import (
    ChannelStatus,
    EcgRecord,
    FilterSettings,
    GroupKind,
    LeadOrigin,
)
from tests.support.ecg import (
    channel,
    code,
    ecg_dataset,
    file_bytes,
    multiplex_group,
    one_lead,
    read,
)

RAMP = np.arange(-50, 50, dtype="<i2")


def single(
    source: Lead | Dataset = Lead.I,
    samples: npt.NDArray[np.integer] = RAMP,
    **group: object,
) -> EcgRecord:
    """The record of a file with one group of one channel; `group` are its further elements."""
    return read(ecg_dataset(multiplex_group(samples[:, None], [channel(source)], **group)))


# ---- what a sample means ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unit", "microvolts"),
    [("uV", 1), ("mV", 1000), ("V", 1e6), ("nV", 0.001), ("\N{MICRO SIGN}V", 1), ("UV", 1)],
)
def test_every_voltage_unit_becomes_microvolts(unit: str, microvolts: float) -> None:
    found = one_lead([1, -2], unit=unit)
    np.testing.assert_allclose(found.microvolts(), [microvolts, -2 * microvolts])


def test_sensitivity_correction_and_baseline_follow_the_standard() -> None:
    found = one_lead(
        [0, 100],
        unit="mV",
        sensitivity=0.005,
        ChannelSensitivityCorrectionFactor=0.5,
        ChannelBaseline=2,
    )
    np.testing.assert_allclose(found.microvolts(), [2000, 2250])


@pytest.mark.parametrize("dtype", ["<i1", "<u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8"])
def test_every_linear_sample_type_is_read(dtype: str) -> None:
    info = np.iinfo(dtype)
    samples = np.array([0, 1, 100, info.max], dtype=dtype)
    found = single(samples=samples).groups[0].channels[0]
    np.testing.assert_array_equal(found.samples, samples)
    np.testing.assert_array_equal(found.microvolts()[:3], [0, 1, 100])


@pytest.mark.parametrize(
    "syntax",
    [
        ExplicitVRLittleEndian,
        ImplicitVRLittleEndian,
        DeflatedExplicitVRLittleEndian,
        ExplicitVRBigEndian,
    ],
)
def test_every_transfer_syntax_gives_the_same_signal(syntax: str) -> None:
    order = ">i2" if syntax == ExplicitVRBigEndian else "<i2"
    samples = RAMP.astype(order)[:, None]
    item = multiplex_group(samples, [channel(Lead.I)], WaveformSampleInterpretation="SS")
    record = read(ecg_dataset(item), syntax)
    np.testing.assert_array_equal(record.groups[0].channels[0].microvolts(), RAMP)


def test_channels_are_taken_apart_in_order() -> None:
    samples = np.arange(36, dtype="<i2").reshape(3, 12)
    record = read(ecg_dataset(multiplex_group(samples, [channel(lead) for lead in STANDARD_LEADS])))
    for index, lead in enumerate(STANDARD_LEADS):
        found = record.groups[0].channel(lead)
        assert found is not None
        np.testing.assert_array_equal(found.microvolts(), samples[:, index])


def test_a_padding_value_of_zero_blanks_nothing() -> None:
    record = single(WaveformPaddingValue=b"\0\0")
    np.testing.assert_array_equal(record.groups[0].channels[0].microvolts(), RAMP)
    assert record.notes == ("Waveform Padding Value 0 is not taken as missing samples",)


def test_another_padding_value_marks_missing_samples() -> None:
    padding = np.array([-7], dtype="<i2").tobytes()
    values = single(WaveformPaddingValue=padding).groups[0].channels[0].microvolts()
    np.testing.assert_array_equal(np.isnan(values), RAMP == -7)


def test_the_lowest_value_is_missing_only_where_it_cannot_be_a_heart() -> None:
    assert np.isnan(one_lead([-32768, 1], sensitivity=5).microvolts()[0])
    assert one_lead([-32768, 1], unit="nV", sensitivity=100).microvolts()[0] == -3276.8


def test_skew_is_seconds_or_samples() -> None:
    assert one_lead([1], ChannelTimeSkew=0.002).skew_seconds == 0.002
    assert one_lead([1], ChannelSampleSkew=0.5).skew_seconds == 0.001


def test_filter_settings_tell_off_from_not_stated() -> None:
    stated = one_lead([1], FilterLowFrequency=0.05, FilterHighFrequency=150, NotchFilterFrequency=0)
    assert stated.filters == FilterSettings(0.05, 150, 0)
    assert one_lead([1]).filters == FilterSettings(None, None, None)


def test_what_the_device_says_of_a_channel_is_kept() -> None:
    found = one_lead([1], ChannelStatus=["DISCONNECTED", "UNCALIBRATED"])
    assert found.status == {ChannelStatus.DISCONNECTED, ChannelStatus.UNCALIBRATED}
    assert one_lead([1], ChannelStatus="OK").status == frozenset()


# ---- leads -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("definition", "lead"),
    [
        (channel(code("5.6.3-9-62", "SCPECG", "Lead aVR")), Lead.AVR),
        (channel(code("X17", "99VENDOR", "Lead V3")), Lead.V3),
        (channel(code("X17", "99VENDOR", "?"), ChannelLabel="aVL"), Lead.AVL),
        (channel(None, ChannelLabel="II"), Lead.II),
        (channel(code("2:127", "MDC", "Auxiliary bipolar lead 1")), None),
    ],
)
def test_a_lead_is_found_by_code_then_meaning_then_label(
    definition: Dataset, lead: Lead | None
) -> None:
    record = read(ecg_dataset(multiplex_group(RAMP[:, None], [definition])))
    assert record.groups[0].channels[0].lead is lead


def test_a_channel_without_a_known_lead_keeps_its_label() -> None:
    definition = channel(code("2:127", "MDC", "Auxiliary bipolar lead 1"), ChannelLabel="AUX1")
    record = read(ecg_dataset(multiplex_group(RAMP[:, None], [definition])))
    assert record.groups[0].channels[0].label == "AUX1"


def test_a_device_derived_lead_says_so() -> None:
    record = single(code("2:33", "MDC", "Derived Lead V1"))
    assert record.groups[0].channels[0].origin is LeadOrigin.DEVICE_DERIVED


def test_twenty_four_channels_in_one_group_are_read() -> None:
    samples = np.tile(np.arange(24, dtype="<i2"), (10, 1))
    definitions = [channel(lead) for lead in (*STANDARD_LEADS, *STANDARD_LEADS)]
    record = read(ecg_dataset(multiplex_group(samples, definitions)))
    assert len(record.groups[0].channels) == 24
    first = record.groups[0].channel(Lead.V6)
    assert first is not None
    assert first.microvolts()[0] == 11


def test_a_channel_without_voltage_is_left_out_and_said_so() -> None:
    samples = np.column_stack([RAMP, RAMP])
    definitions = [channel(None, unit="mm[Hg]", ChannelLabel="ABP"), channel(Lead.II)]
    record = read(ecg_dataset(multiplex_group(samples, definitions)))
    assert [one.lead for one in record.groups[0].channels] == [Lead.II]
    assert record.notes == ("multiplex group 1, channel 1 has no voltage scale and is not shown",)


def test_channels_beyond_the_definitions_are_said_so() -> None:
    record = read(ecg_dataset(multiplex_group(np.column_stack([RAMP, RAMP]), [channel(Lead.I)])))
    assert record.notes == ("multiplex group 1: 1 channels have no definition and are not shown",)


# ---- groups and time -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"MultiplexGroupLabel": "MEDIAN BEAT"}, GroupKind.MEDIAN_BEAT),
        ({"MultiplexGroupLabel": "Median"}, GroupKind.MEDIAN_BEAT),
        ({"WaveformOriginality": "DERIVED"}, GroupKind.MEDIAN_BEAT),
        ({"WaveformOriginality": "DERIVED", "MultiplexGroupLabel": "RHYTHM"}, GroupKind.RHYTHM),
        ({}, GroupKind.RHYTHM),
    ],
)
def test_a_median_beat_is_told_from_a_rhythm(more: dict[str, str], kind: GroupKind) -> None:
    item = multiplex_group(RAMP[:, None], [channel(Lead.I)], **more)
    assert read(ecg_dataset(item)).groups[0].kind is kind


def test_groups_stand_on_one_time_axis_from_zero() -> None:
    groups = [
        multiplex_group(RAMP[:, None], [channel(lead)], MultiplexGroupTimeOffset=offset)
        for lead, offset in ((Lead.I, 2500), (Lead.V1, 5000))
    ]
    record = read(ecg_dataset(*groups))
    assert [group.offset_seconds for group in record.groups] == [0, 2.5]
    assert record.duration_seconds == 2.7


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        (
            {"AcquisitionDateTime": "20261120081530.500+0800"},
            datetime(2026, 11, 20, 8, 15, 30, 500_000, timezone(timedelta(hours=8))),
        ),
        (
            {"AcquisitionDateTime": "20261120081530", "TimezoneOffsetFromUTC": "+0000"},
            datetime(2026, 11, 20, 8, 15, 30, tzinfo=UTC),
        ),
        ({"AcquisitionDateTime": "20261120081530"}, datetime(2026, 11, 20, 8, 15, 30)),  # noqa: DTZ001 -- a wall clock
        (
            {"AcquisitionDateTime": "not a time", "ContentDate": "20261120", "ContentTime": "0815"},
            datetime(2026, 11, 20, 8, 15),  # noqa: DTZ001 -- a wall clock
        ),
        ({"StudyDate": "20261120"}, datetime(2026, 11, 20)),  # noqa: DTZ001 -- a wall clock
        ({}, None),
    ],
)
def test_the_time_of_acquisition_is_the_most_specific_one(
    elements: dict[str, str], expected: datetime | None
) -> None:
    record = read(ecg_dataset(multiplex_group(RAMP[:, None], [channel(Lead.I)]), **elements))
    assert record.acquired_at == expected
    assert (record.acquired_at is None) == (expected is None)
    if record.acquired_at and expected:
        assert record.acquired_at.tzinfo == expected.tzinfo


def test_counts_that_are_missing_follow_from_the_data() -> None:
    dataset = ecg_dataset(multiplex_group(RAMP[:, None], [channel(Lead.I)]))
    del dataset.WaveformSequence[0].NumberOfWaveformSamples
    del dataset.WaveformSequence[0].NumberOfWaveformChannels
    del dataset.WaveformSequence[0].WaveformSampleInterpretation
    np.testing.assert_array_equal(read(dataset).groups[0].channels[0].microvolts(), RAMP)


def test_malformed_optional_values_do_not_hide_the_ecg() -> None:
    dataset = ecg_dataset(multiplex_group(RAMP[:, None], [channel(Lead.I)]))
    data = file_bytes(dataset).replace(b"2:1 ", b"\xff:\xff ")
    assert read_ecg(io.BytesIO(data)).groups[0].channels[0].lead is Lead.I


def test_a_dataset_without_a_file_header_is_read() -> None:
    dataset = ecg_dataset(multiplex_group(RAMP[:, None], [channel(Lead.I)]))
    data = file_bytes(dataset, ImplicitVRLittleEndian)
    bare = data[data.index(b"\x08\x00\x16\x00") :]
    np.testing.assert_array_equal(
        read_ecg(io.BytesIO(bare)).groups[0].channels[0].microvolts(), RAMP
    )


def test_the_source_stays_open_and_may_stand_anywhere() -> None:
    source = io.BytesIO(file_bytes(ecg_dataset(multiplex_group(RAMP[:, None], [channel(Lead.I)]))))
    source.seek(17)
    read_ecg(source)
    assert not source.closed


def test_samples_are_not_copied() -> None:
    record = single(samples=np.zeros(100_000, dtype="<i2"))
    assert record.groups[0].channels[0].samples.base is not None
    assert record.size_bytes == 200_000
