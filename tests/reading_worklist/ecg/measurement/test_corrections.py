"""What a reader sets by hand: measures follow."""

import pytest

from reading_worklist.ecg.measurement.errors import MarkersImpossible
from reading_worklist.ecg.measurement.measure import measure, remeasure
from reading_worklist.ecg.measurement.results import BeatClass, Corrections, NotMeasured
from tests.support.heartbeats import Heart, heart_record

RECORD = heart_record(Heart())


def test_intervals_follow_the_markers() -> None:
    found = remeasure(
        RECORD,
        Corrections(
            p_onset_ms=-220, p_offset_ms=-110, qrs_onset_ms=-50, qrs_offset_ms=60, t_end_ms=380
        ),
    )

    assert (found.p_duration.value, found.pr.value) == (110, 170)
    assert (found.qrs.value, found.qt.value) == (110, 430)
    assert found.qtc.hodges.value == pytest.approx(430 + 1.75 * 12, abs=1)
    assert found.corrections.t_end_ms == 380
    assert found.beats[0].onset_seconds == pytest.approx(found.beats[0].r_seconds - 0.05)


def test_one_marker_leaves_the_others_to_the_method() -> None:
    found, corrected = measure(RECORD), remeasure(RECORD, Corrections(t_end_ms=400))

    assert corrected.pr == found.pr
    assert corrected.qrs == found.qrs
    assert found.median_beat is not None
    assert found.median_beat.fiducials.qrs_onset_ms is not None
    assert corrected.qt.value == 400 - found.median_beat.fiducials.qrs_onset_ms


def test_a_reader_may_say_that_there_is_no_p() -> None:
    found = remeasure(RECORD, Corrections(no_p=True))

    assert found.pr.reason is NotMeasured.NO_P_WAVE
    assert found.rhythm.p_present is False


def test_beats_are_removed_added_and_put_into_another_class() -> None:
    found = measure(RECORD)
    third, fifth = found.beats[2].r_seconds, found.beats[4].r_seconds
    fewer = remeasure(RECORD, Corrections(removed_beats=[third + 0.05]))
    more = remeasure(RECORD, Corrections(added_beats=[third + 0.4]))
    other = remeasure(RECORD, Corrections(reclassified=[(fifth, BeatClass.ECTOPIC)]))

    assert len(fewer.beats) == len(found.beats) - 1
    assert max(fewer.rr_ms) == pytest.approx(2 * 833, abs=5)
    assert [beat.by_hand for beat in more.beats].count(True) == 1
    assert len(more.beats) == len(found.beats) + 1
    assert other.rhythm.ectopic_count == 1
    assert not other.beats[4].in_median


def test_an_added_beat_takes_the_place_of_the_one_beside_it() -> None:
    found = measure(RECORD)
    moved = remeasure(RECORD, Corrections(added_beats=[found.beats[2].r_seconds + 0.02]))

    assert len(moved.beats) == len(found.beats)
    assert moved.beats[2].by_hand


@pytest.mark.parametrize(
    "corrections",
    [
        Corrections(qrs_onset_ms=40, qrs_offset_ms=-40),
        Corrections(p_onset_ms=-100, p_offset_ms=-120),
        Corrections(t_end_ms=5000),
        Corrections(qrs_onset_ms=300),
        Corrections(p_onset_ms=100),
        Corrections(t_end_ms=-100),
    ],
)
def test_markers_out_of_order_are_refused(corrections: Corrections) -> None:
    with pytest.raises(MarkersImpossible):
        remeasure(RECORD, corrections)
