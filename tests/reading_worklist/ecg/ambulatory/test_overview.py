"""The overview of a long record: what is found, and what is said not to be known."""

from dataclasses import replace

import numpy as np
import pytest

from reading_worklist.ecg.ambulatory.overview import BIN_SECONDS, overview_of
from storage.datasets.sources import MemorySource
from storage.ecg.waveform import ChannelStatus, EcgGroup, EcgRecord, GroupKind, RecordedChannel
from storage.ecg.windows import open_ecg
from tests.support.long_ecg import Recording, write_long_ecg

SECONDS = 600.0


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return write_long_ecg(tmp_path_factory.mktemp("long") / "long.dcm", seconds=SECONDS)


@pytest.fixture(scope="module")
def record(recording: Recording) -> EcgRecord:
    return open_ecg(MemorySource(recording.path.read_bytes())).record


def without_signal(record: EcgRecord, begins: float, ends: float) -> EcgRecord:
    """The record with all its channels absent for a time."""
    (group,) = record.groups
    channels: list[RecordedChannel] = []
    for channel in group.channels:
        values = channel.microvolts()
        first, last = (round(one * group.sampling_rate_hz) for one in (begins, ends))
        values[first:last] = np.nan
        channels.append(RecordedChannel(channel.lead, channel.label, values))
    return replace(record, groups=(replace(group, channels=tuple(channels)),))


def test_every_beat_is_found_once_and_the_pause_is_the_longest_rr(
    record: EcgRecord, recording: Recording
) -> None:
    found = overview_of(record)
    # Of a beat that lies on an edge of the record there may be too little to be found.
    assert abs(found.beats - len(recording.beats)) <= 1
    assert found.longest_rr[0].seconds == pytest.approx(recording.pause[0], abs=0.04)
    assert found.longest_rr[0].rr_ms == pytest.approx(3400, abs=20)
    assert found.longest_rr[1].rr_ms < 1400
    assert found.without_signal_seconds == 0


def test_the_rate_and_the_envelope_of_each_bin(record: EcgRecord) -> None:
    found = overview_of(record)
    bins = round(SECONDS / BIN_SECONDS)
    assert len(found.heart_rate) == bins
    assert {rate is not None and 47 <= rate <= 53 for rate in found.heart_rate} == {True}
    assert [one.lead for one in found.envelopes] == ["V1", "V5", "II"]
    for one in found.envelopes:
        assert len(one.low) == len(one.high) == bins
    highest = found.envelopes[1].high[0]
    assert highest is not None
    assert 1050 <= highest <= 1200


def test_a_signal_that_is_away_is_no_pause(record: EcgRecord) -> None:
    found = overview_of(without_signal(record, 100, 190))
    # Of 90 to 120 s too little is there to find beats in: all of it counts as without.
    assert found.without_signal_seconds == pytest.approx(100, abs=0.1)
    assert found.longest_rr[0].rr_ms == pytest.approx(3400, abs=20)
    assert found.longest_rr[1].rr_ms < 1400
    assert found.heart_rate[3] is None
    assert found.heart_rate[4:6] == [None, None]
    assert found.envelopes[0].low[4] is None
    assert found.heart_rate[7] is not None


def test_a_record_of_disconnected_leads_has_no_rate(record: EcgRecord) -> None:
    (group,) = record.groups
    off = tuple(
        replace(channel, status=frozenset({ChannelStatus.DISCONNECTED}))
        for channel in group.channels
    )
    found = overview_of(replace(record, groups=(replace(group, channels=off),)))
    assert set(found.heart_rate) == {None}
    assert (found.beats, found.longest_rr) == (0, [])
    assert found.without_signal_seconds == SECONDS


def test_a_rate_at_which_beats_cannot_be_found_says_nothing() -> None:
    slow = RecordedChannel(None, "A", np.zeros(400 * 50))
    group = EcgGroup(GroupKind.RHYTHM, "", 50, 400 * 50, (slow,))
    found = overview_of(EcgRecord(groups=(group,)))
    assert set(found.heart_rate) == {None}
    assert found.without_signal_seconds == 400
