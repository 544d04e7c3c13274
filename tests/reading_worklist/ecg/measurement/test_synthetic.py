"""Hearts whose points are known."""

import numpy as np
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from reading_worklist.ecg.measurement.measure import measure
from reading_worklist.ecg.measurement.results import BeatClass, NotMeasured, Quantity
from storage.ecg.leads import Lead
from tests.support.heartbeats import EIGHT_LEADS, Heart, heart_record, onsets, record_of, signal


def value(quantity: Quantity) -> float:
    assert quantity.value is not None, quantity
    return quantity.value


def test_one_wave_between_two_beats_is_neither_t_nor_p() -> None:
    """As in flutter with a fixed conduction, where it is the atria's."""
    found = measure(heart_record(Heart(rate=132, pr=130, qt=300)))

    assert value(found.heart_rate) == pytest.approx(132, abs=0.5)
    assert (found.qt.reason, found.pr.reason) == (NotMeasured.T_UNSURE, NotMeasured.P_UNSURE)


@settings(max_examples=25, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    rate=st.floats(40, 110),
    times=st.tuples(st.floats(120, 240), st.floats(80, 150)),
    axis=st.floats(-80, 170),
    sizes=st.tuples(st.floats(0.4, 3), st.floats(0, 15)),
)
# The QRS is across lead II, where P is all there is: P waves were beats.
@example(rate=58.9, times=(231.8, 123.3), axis=149.3, sizes=(1.46, 2.9))
def test_a_heart_is_measured_as_it_beats(
    rate: float, times: tuple[float, float], axis: float, sizes: tuple[float, float]
) -> None:
    (pr, qrs), (gain, noise) = times, sizes
    qt = min(420.0, 0.3 * 60_000 / rate + 180)
    # A P wave that begins as the T wave ends has no onset to be measured, nor T an end.
    pr = min(pr, 60_000 / rate - qt - 75)
    heart = Heart(rate=rate, pr=pr, qrs=qrs, qt=qt, axis=axis, gain=gain, noise=noise)
    found = measure(heart_record(heart))

    assert value(found.heart_rate) == pytest.approx(rate, abs=0.3)
    assert value(found.pr) == pytest.approx(pr, abs=15)
    assert value(found.qrs) == pytest.approx(qrs, abs=20)
    assert value(found.qt) == pytest.approx(qt, abs=25)
    assert abs((value(found.qrs_axis) - axis + 180) % 360 - 180) < 8
    assert len(found.beats) == len(onsets(heart, 10))
    assert found.rhythm.p_present is True
    assert found.rhythm.irregular is not True


@pytest.mark.parametrize("rate_hz", [100, 128, 200, 250, 257, 360, 400, 500, 1000])
def test_the_sampling_rate_does_not_matter(rate_hz: float) -> None:
    found = measure(heart_record(Heart(), rate_hz=rate_hz))

    assert value(found.heart_rate) == pytest.approx(72, abs=0.2)
    assert value(found.pr) == pytest.approx(160, abs=12)
    assert value(found.qrs) == pytest.approx(90, abs=15)
    assert value(found.qt) == pytest.approx(400, abs=15)


@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_few_leads_are_enough_for_times(count: int) -> None:
    found = measure(heart_record(Heart(leads=EIGHT_LEADS[:count])))

    assert value(found.pr) == pytest.approx(160, abs=15)
    assert value(found.qrs) == pytest.approx(90, abs=15)
    assert value(found.qt) == pytest.approx(400, abs=20)
    assert (found.qrs_axis.value is None) == (count < 2)
    assert found.sokolow_lyon.value is None


@pytest.mark.parametrize("rate", [25, 150, 200, 250])
def test_slow_and_fast_hearts_are_counted(rate: float) -> None:
    qt = max(200.0, min(420.0, 0.5 * 60_000 / rate + 60))
    found = measure(heart_record(Heart(rate=rate, pr=100, p=60, qrs=70, qt=qt)))

    assert value(found.heart_rate) == pytest.approx(rate, abs=1)


def test_st_is_the_level_against_the_pq_segment_under_wander() -> None:
    waves = signal(Heart(st=200, noise=3))
    wander = 500 * np.sin(2 * np.pi * 0.2 * np.arange(waves.shape[1]) / 500)
    found = measure(record_of(waves + wander))

    for lead in EIGHT_LEADS:
        assert value(found.by_lead[lead].st_j60) == pytest.approx(200, abs=25)
    # Einthoven: III is II less I, so a level common to both leaves it.
    assert value(found.by_lead[Lead.III].st_j60) == pytest.approx(0, abs=25)


def test_voltages_are_those_of_the_leads() -> None:
    found = measure(heart_record(Heart(noise=0)))

    assert value(found.rv5) == pytest.approx(1100, abs=40)
    assert value(found.sv1) == pytest.approx(800, abs=40)
    assert value(found.sokolow_lyon) == pytest.approx(1900, abs=60)


def test_a_pause_is_told_and_a_gap_in_the_signal_is_none() -> None:
    beats = [0.5, 1.3, 2.1, 5.6, 6.4, 7.2, 8.0, 8.8]
    paused = measure(heart_record(Heart(beats=beats)))
    waves = signal(Heart(beats=beats))
    waves[:, 1300:2700] = np.nan
    broken = measure(record_of(waves))

    assert [pause.duration_ms for pause in paused.rhythm.pauses] == pytest.approx([3500], abs=4)
    assert paused.rhythm.longest_rr.value == pytest.approx(3500, abs=4)
    assert broken.rhythm.pauses == ()
    assert len(broken.rr_ms) == len(paused.rr_ms) - 1
    assert value(broken.heart_rate) == pytest.approx(75, abs=0.5)


def test_irregular_beats_without_p_are_told_and_either_alone_is_not() -> None:
    rng = np.random.default_rng(7)
    chaotic = (0.5 + np.cumsum([0.0, *rng.uniform(0.5, 1.1, 11)])).tolist()
    fibrillating = measure(heart_record(Heart(beats=chaotic, has_p=False, qt=330)))
    with_p = measure(heart_record(Heart(beats=chaotic, qt=330)))
    regular = measure(heart_record(Heart(has_p=False)))

    assert fibrillating.rhythm.irregular_without_p
    assert fibrillating.pr.value is None
    assert with_p.rhythm.irregular
    assert not with_p.rhythm.irregular_without_p
    assert regular.rhythm.p_present is False
    assert not regular.rhythm.irregular_without_p


def test_beats_of_another_shape_and_early_beats_are_ectopic() -> None:
    waves = signal(Heart(beats=[0.5, 1.3, 2.1, 2.6, 3.7, 4.5, 5.3, 6.1, 6.9, 8.5, 9.3]))
    other = signal(
        Heart(beats=[7.5], qrs=160, axis=-120, has_p=False, leads=EIGHT_LEADS, noise=0, qt=420)
    )
    found = measure(record_of(waves - 1.5 * other))
    ectopic = [beat.r_seconds for beat in found.beats if beat.kind is BeatClass.ECTOPIC]

    assert ectopic == pytest.approx([2.645, 7.58], abs=0.06)
    assert found.rhythm.ectopic_count == 2
    assert not any(beat.in_median for beat in found.beats if beat.kind is BeatClass.ECTOPIC)
    assert value(found.qrs) == pytest.approx(90, abs=15)


def test_paced_beats_are_told_and_their_spikes_are_no_part_of_the_qrs() -> None:
    found = measure(heart_record(Heart(has_p=False, qrs=150, qt=440, spike=3000)))

    assert found.rhythm.paced_count == len(found.beats)
    assert len(found.rhythm.pacing_spikes) == len(found.beats)
    assert value(found.qrs) == pytest.approx(150, abs=20)
    assert found.pr.value is None


def test_the_formulas_of_qtc() -> None:
    found = measure(heart_record(Heart(rate=90, qt=360)))
    qt, rr = value(found.qt), 60 / value(found.heart_rate)

    assert value(found.qtc.bazett) == pytest.approx(qt / rr**0.5)
    assert value(found.qtc.fridericia) == pytest.approx(qt / rr ** (1 / 3))
    assert value(found.qtc.framingham) == pytest.approx(qt + 154 * (1 - rr))
    assert value(found.qtc.hodges) == pytest.approx(qt + 1.75 * (60 / rr - 60))
