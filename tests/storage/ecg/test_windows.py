"""A long ECG opened by its header: the same record as when it is read whole, by ranges."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pydicom.data import get_testdata_file
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from storage.datasets.sources import MemorySource
from storage.ecg.dicom_reader import read_ecg
from storage.ecg.errors import EcgBroken, EcgError, EcgUnsupported, NotAnEcg
from storage.ecg.leads import Lead
from storage.ecg.waveform import EcgRecord
from storage.ecg.windows import open_ecg
from tests.support.ecg import channel, ecg_dataset, file_bytes, multiplex_group
from tests.support.long_ecg import LEADS, STARTED, write_long_ecg


class CountingSource(MemorySource):
    """Says how much of it was read."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.bytes_read = 0

    def read(self, offset: int, length: int) -> bytes:
        data = super().read(offset, length)
        self.bytes_read += len(data)
        return data

    def stream(self, offset: int, length: int) -> Iterator[bytes]:
        yield self.read(offset, length)


def small_file(transfer_syntax: str = ExplicitVRLittleEndian, **elements: object) -> bytes:
    samples = np.arange(4000, dtype=">i2" if transfer_syntax == ExplicitVRBigEndian else "<i2")
    definitions = [channel(Lead.I, sensitivity=2.5), channel(Lead.II, ChannelBaseline="10")]
    group = multiplex_group(samples.reshape(2000, 2), definitions, **elements)
    return file_bytes(ecg_dataset(group), transfer_syntax)


def assert_same(one: EcgRecord, other: EcgRecord) -> None:
    assert (one.acquired_at, one.model, one.notes) == (other.acquired_at, other.model, other.notes)
    assert one.measurements == other.measurements
    assert one.statements == other.statements
    assert len(one.groups) == len(other.groups)
    for mine, whole in zip(one.groups, other.groups, strict=True):
        assert (mine.kind, mine.sampling_rate_hz, mine.sample_count, mine.offset_seconds) == (
            whole.kind,
            whole.sampling_rate_hz,
            whole.sample_count,
            whole.offset_seconds,
        )
        for channel_mine, channel_whole in zip(mine.channels, whole.channels, strict=True):
            assert (channel_mine.lead, channel_mine.filters) == (
                channel_whole.lead,
                channel_whole.filters,
            )
            np.testing.assert_array_equal(channel_mine.microvolts(), channel_whole.microvolts())
            np.testing.assert_array_equal(
                channel_mine.microvolts(100, 130), channel_whole.microvolts(100, 130)
            )


@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]
)
def test_it_is_the_record_that_reading_it_whole_gives(syntax: str) -> None:
    data = small_file(syntax)
    assert_same(open_ecg(MemorySource(data)).record, read_ecg(io.BytesIO(data)))


def test_a_devices_file_is_the_same_too() -> None:
    path = get_testdata_file("waveform_ecg.dcm")
    assert isinstance(path, str)
    data = Path(path).read_bytes()
    assert_same(open_ecg(MemorySource(data)).record, read_ecg(io.BytesIO(data)))


def test_only_the_header_and_what_is_looked_at_are_read(tmp_path: Path) -> None:
    made = write_long_ecg(tmp_path / "long.dcm", seconds=1800)
    source = CountingSource(made.path.read_bytes())

    record = open_ecg(source).record

    assert record.leads() == list(LEADS)
    assert record.duration_seconds == 1800
    assert record.acquired_at == STARTED
    assert record.size_bytes == 0
    assert source.bytes_read < 300_000
    before = source.bytes_read
    found = record.find(Lead.II)
    assert found is not None
    assert len(found[1].microvolts(250_000, 252_500)) == 2500
    assert source.bytes_read - before == 2500 * 3 * 2
    # The other channels of the same stretch are there already.
    other = record.find(Lead.V1)
    assert other is not None
    other[1].microvolts(250_100, 252_400)
    assert source.bytes_read - before == 2500 * 3 * 2


def test_the_marks_of_the_file_are_events_at_their_times(tmp_path: Path) -> None:
    made = write_long_ecg(tmp_path / "long.dcm", seconds=600)

    pressed, pause = open_ecg(MemorySource(made.path.read_bytes())).events

    assert (pressed.text, pressed.seconds, pressed.until_seconds) == ("患者按键", 150.0, None)
    assert (pause.text, pause.code) == ("PAUSE", "99TEST:RR-PAUSE")
    assert (pause.seconds, pause.until_seconds) == pytest.approx(made.pause, abs=1e-3)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", EcgBroken),
        (b"not DICOM at all" * 20, EcgBroken),
        (small_file()[:-4000], EcgError),
        (small_file(DeflatedExplicitVRLittleEndian), EcgUnsupported),
        (small_file(NumberOfWaveformSamples=4_000_000_000), EcgBroken),
        (small_file(SamplingFrequency=0), EcgBroken),
        (file_bytes(ecg_dataset()), NotAnEcg),
    ],
    ids=["empty", "other", "cut off", "deflated", "claims more", "no rate", "no waveform"],
)
def test_what_cannot_be_read_says_so(data: bytes, error: type[EcgError]) -> None:
    with pytest.raises(error):
        open_ecg(MemorySource(data))
