"""Objects that cannot be read: a typed error that says what to do, never a crash, never memory."""

import io
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_file
from pydicom.uid import DeflatedExplicitVRLittleEndian

from storage.ecg.dicom_reader import ReadLimits, read_ecg
from storage.ecg.errors import (
    EcgBroken,
    EcgError,
    EcgTooLarge,
    EcgUnsupported,
    NotAnEcg,
)
from storage.ecg.leads import STANDARD_LEADS, Lead
from tests.support.ecg import (
    channel,
    ecg_dataset,
    file_bytes,
    multiplex_group,
)

SAMPLES = np.zeros((100, 12), dtype="<i2")
CHANNELS = [channel(lead) for lead in STANDARD_LEADS]


def good(**group: object) -> bytes:
    return file_bytes(ecg_dataset(multiplex_group(SAMPLES, CHANNELS, **group)))


GOOD = good()


def error_of(data: bytes, **limits: int) -> EcgError:
    with pytest.raises(EcgError) as caught:
        read_ecg(io.BytesIO(data), limits=ReadLimits(**limits))
    assert caught.value.what
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize("data", [b"", b"\0", b"plain text, no ECG at all\n" * 20, bytes(5000)])
def test_what_is_no_dicom_is_refused(data: bytes) -> None:
    assert isinstance(error_of(data), NotAnEcg | EcgBroken)


def test_an_image_is_not_an_ecg() -> None:
    path = get_testdata_file("CT_small.dcm")
    assert isinstance(path, str)
    with Path(path).open("rb") as source, pytest.raises(NotAnEcg, match="image viewer"):
        read_ecg(source)


def test_an_ecg_object_without_waveform_is_not_an_ecg() -> None:
    assert isinstance(error_of(file_bytes(ecg_dataset())), NotAnEcg)


@pytest.mark.parametrize("rate", [0, -500, 1e9])
def test_an_impossible_sampling_rate_is_refused(rate: float) -> None:
    error = error_of(good(SamplingFrequency=rate))
    assert isinstance(error, EcgBroken)
    assert "Hz" in error.found


def test_a_missing_sampling_rate_is_refused() -> None:
    dataset = ecg_dataset(multiplex_group(SAMPLES, CHANNELS))
    del dataset.WaveformSequence[0].SamplingFrequency
    assert isinstance(error_of(file_bytes(dataset)), EcgBroken)


@pytest.mark.parametrize("count", [0, 101, 4_000_000_000])
def test_a_sample_count_the_data_does_not_hold_is_refused(count: int) -> None:
    error = error_of(good(NumberOfWaveformSamples=count))
    assert isinstance(error, EcgBroken)
    assert "2400 bytes" in error.found


@pytest.mark.parametrize("count", [0, 13, 65_535])
def test_a_channel_count_the_data_does_not_hold_is_refused(count: int) -> None:
    assert isinstance(error_of(good(NumberOfWaveformChannels=count)), EcgBroken)


def test_channels_without_definitions_are_refused() -> None:
    assert isinstance(error_of(file_bytes(ecg_dataset(multiplex_group(SAMPLES, [])))), EcgBroken)


def test_a_group_without_data_is_refused() -> None:
    dataset = ecg_dataset(multiplex_group(SAMPLES, CHANNELS))
    del dataset.WaveformSequence[0].WaveformData
    assert isinstance(error_of(file_bytes(dataset)), EcgBroken)


@pytest.mark.parametrize(
    "more", [{"WaveformSampleInterpretation": "MB"}, {"WaveformBitsAllocated": 12}]
)
def test_an_encoding_that_is_not_read_is_refused_by_name(more: dict[str, object]) -> None:
    assert isinstance(error_of(good(**more)), EcgUnsupported)


def test_samples_without_any_voltage_scale_are_refused() -> None:
    dataset = ecg_dataset(multiplex_group(SAMPLES[:, :1], [channel(Lead.I, unit=None)]))
    assert isinstance(error_of(file_bytes(dataset)), EcgUnsupported)


def test_sizes_beyond_the_limits_are_refused() -> None:
    assert isinstance(error_of(GOOD, object_bytes=len(GOOD) - 1), EcgTooLarge)
    assert isinstance(error_of(GOOD, groups=0), EcgTooLarge)
    assert isinstance(error_of(GOOD, channels_per_group=11), EcgBroken)


def test_a_length_field_that_claims_gigabytes_allocates_nothing() -> None:
    at = GOOD.index(b"\x00\x54\x10\x10OW")
    claimed = GOOD[: at + 8] + struct.pack("<I", 0xFFFFFFFE) + GOOD[at + 12 : -10]
    tracemalloc.start()
    try:
        error_of(claimed)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000


def test_a_deflate_bomb_is_refused_before_it_is_inflated() -> None:
    head = file_bytes(
        ecg_dataset(multiplex_group(SAMPLES, CHANNELS)), DeflatedExplicitVRLittleEndian
    )
    length = struct.unpack("<I", head[140:144])[0]
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = squeezer.compress(bytes(300_000_000)) + squeezer.flush()
    tracemalloc.start()
    try:
        error = error_of(head[: 144 + length] + bomb, object_bytes=1_000_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(error, EcgTooLarge)
    assert peak < 20_000_000


@pytest.mark.parametrize("depth", [200, 2000, 50_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    opening = struct.pack("<HHLHHL", 0x5400, 0x0100, 0xFFFFFFFF, 0xFFFE, 0xE000, 0xFFFFFFFF)
    closing = struct.pack("<HHLHHL", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
    error_of(opening * depth + closing * depth)


def test_a_disk_that_fails_is_not_blamed_on_the_ecg() -> None:
    class Failing(io.BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"):
        read_ecg(Failing(GOOD))


@pytest.mark.parametrize("kept", [0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_a_cut_off_object_is_refused(kept: float) -> None:
    error_of(GOOD[: int(len(GOOD) * kept)])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_damaged_bytes_give_a_record_or_a_typed_error(data: st.DataObject) -> None:
    damaged = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(damaged)))
    try:
        read_ecg(io.BytesIO(bytes(damaged[:end])))
    except EcgError as error:
        assert error.what  # noqa: PT017 -- either outcome is right
