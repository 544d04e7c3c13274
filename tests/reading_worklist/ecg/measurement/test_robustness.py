"""What cannot be measured says why, and nothing is measured where there is no heart."""

import numpy as np
import pytest

from reading_worklist.ecg.measurement.measure import measure
from reading_worklist.ecg.measurement.results import (
    EcgMeasurement,
    Limit,
    Note,
    NotMeasured,
    Quantity,
)
from storage.ecg.leads import Lead
from storage.ecg.waveform import EcgGroup, EcgRecord, GroupKind, RecordedChannel
from tests.support.heartbeats import EIGHT_LEADS, Heart, heart_record, onsets, record_of, signal


def global_values(found: EcgMeasurement) -> list[Quantity]:
    return [found.heart_rate, found.p_duration, found.pr, found.qrs, found.qt, found.qtc.bazett]


def assert_nothing(found: EcgMeasurement, reason: NotMeasured) -> None:
    assert [quantity.value for quantity in global_values(found)] == [None] * 6
    assert {quantity.reason for quantity in global_values(found)} == {reason}
    assert found.median_beat is None
    assert not found.by_lead
    assert not found.rhythm.irregular_without_p


@pytest.mark.parametrize("microvolts", [0.0, 77.0, np.nan, 40_000.0])
def test_a_line_is_no_signal(microvolts: float) -> None:
    assert_nothing(measure(record_of(np.full((8, 5000), microvolts))), NotMeasured.NO_SIGNAL)


@pytest.mark.parametrize("size", [5, 50, 500])
@pytest.mark.parametrize("leads", [1, 8])
def test_noise_has_no_beats(size: float, leads: int) -> None:
    noise = np.random.default_rng(3).normal(0, size, (leads, 5000))
    found = measure(record_of(noise, leads=EIGHT_LEADS[:leads]))

    assert_nothing(found, NotMeasured.NO_BEATS)
    assert found.beats == ()


def test_wandering_and_mains_have_no_beats() -> None:
    time = np.arange(5000) / 500
    noise = np.random.default_rng(3).normal(0, 3, (8, 5000))
    for wave in (200 * np.sin(2 * np.pi * 50 * time), 800 * np.sin(2 * np.pi * 0.3 * time)):
        assert_nothing(measure(record_of(noise + wave)), NotMeasured.NO_BEATS)


@pytest.mark.parametrize(
    ("seconds", "rate_hz", "reason"),
    [
        (1.5, 500, NotMeasured.TOO_SHORT),
        (10, 99, NotMeasured.SAMPLING_RATE),
        (10, 2000, NotMeasured.SAMPLING_RATE),
    ],
)
def test_what_is_too_short_or_too_coarse_is_not_measured(
    seconds: float, rate_hz: float, reason: NotMeasured
) -> None:
    assert_nothing(measure(heart_record(Heart(), seconds=seconds, rate_hz=rate_hz)), reason)


def test_one_beat_is_too_few_and_two_are_enough() -> None:
    one = measure(heart_record(Heart(beats=[1.0]), seconds=2))
    two = measure(heart_record(Heart(rate=60), seconds=2.5))

    assert_nothing(one, NotMeasured.TOO_FEW_BEATS)
    assert two.heart_rate.value == pytest.approx(60, abs=0.5)
    assert two.qrs.value == pytest.approx(90, abs=15)


def test_leads_that_are_off_are_left_out() -> None:
    waves = signal(Heart())
    waves[3] = 32_767
    waves[4] = np.nan
    waves[5] = 12.0
    found = measure(record_of(waves))

    assert set(found.leads) & {Lead.V2, Lead.V3, Lead.V4} == set()
    assert not {Lead.V2, Lead.V3, Lead.V4} & set(found.by_lead)
    assert found.pr.value == pytest.approx(160, abs=15)


def test_gaps_are_bridged_and_no_beat_is_made_up_in_them() -> None:
    waves = signal(Heart())
    waves[:, 2000:2600] = np.nan
    waves[np.random.default_rng(5).random(waves.shape) < 0.02] = np.nan
    found = measure(record_of(waves))

    assert not any(4.0 < beat.r_seconds < 5.2 for beat in found.beats)
    assert found.heart_rate.value == pytest.approx(72, abs=0.5)
    assert found.qt.value == pytest.approx(400, abs=20)


def test_a_saturated_record_keeps_its_times() -> None:
    found = measure(record_of(np.clip(signal(Heart()) * 3, -1000, 1000)))

    assert found.heart_rate.value == pytest.approx(72, abs=0.5)
    assert found.qrs.value == pytest.approx(90, abs=20)


def test_noise_as_large_as_the_waves_leaves_small_waves_out() -> None:
    found = measure(heart_record(Heart(noise=200)))

    assert found.pr.value is None
    assert found.rhythm.p_present is None
    assert found.heart_rate.value == pytest.approx(72, abs=1)


def test_a_p_wave_on_the_t_wave_before_is_not_timed() -> None:
    found = measure(heart_record(Heart(rate=108, pr=225, qt=345)))

    assert found.pr.reason is NotMeasured.P_UNSURE
    assert found.rhythm.p_present is None


def test_a_calibration_pulse_is_no_beat() -> None:
    waves = signal(Heart(), seconds=11)
    waves[:, 5250:] = 0.0
    waves[:, 5340:5440] = 1000.0
    found = measure(record_of(waves))

    assert found.beats[-1].r_seconds < 10.5
    assert found.heart_rate.value == pytest.approx(72, abs=0.5)
    assert found.rhythm.ectopic_count == 0


def test_a_step_at_the_edge_is_no_beat() -> None:
    waves = signal(Heart())
    waves[:, -40:] += 3000
    found = measure(record_of(waves))

    assert len(found.beats) == len(onsets(Heart(), 10))
    assert found.heart_rate.value == pytest.approx(72, abs=1)


def test_of_a_long_record_the_first_minute_is_measured_and_said() -> None:
    found = measure(heart_record(Heart(), seconds=70))

    assert (found.start_seconds, found.end_seconds) == (0.0, 60.0)
    assert found.beats[-1].r_seconds < 60
    assert found.notes == (
        Note(Limit.FIRST_SECONDS, {"measured_seconds": 60.0, "record_seconds": 70.0}),
    )


def test_of_several_groups_that_with_most_leads_is_measured_on_the_records_axis() -> None:
    waves = signal(Heart(), seconds=5)
    parts = [(leads, waves[list(leads)]) for leads in ((0, 1), (2, 3, 4, 5, 6, 7))]
    record = EcgRecord(
        tuple(
            EcgGroup(
                GroupKind.RHYTHM,
                "",
                500,
                2500,
                tuple(
                    RecordedChannel(EIGHT_LEADS[at], EIGHT_LEADS[at].value, row)
                    for at, row in zip(leads, rows, strict=True)
                ),
                offset_seconds=5.0 * index,
            )
            for index, (leads, rows) in enumerate(parts)
        )
    )
    found = measure(record)

    assert found.start_seconds == 5.0
    assert found.beats[0].r_seconds == pytest.approx(5.545, abs=0.02)
    assert found.qrs_axis.reason is NotMeasured.LEAD_MISSING
    assert Note(Limit.ONE_GROUP, {"groups": 2}) in found.notes


def test_the_same_record_measures_the_same_and_stays_as_it_is() -> None:
    record = heart_record(Heart())
    before = [channel.samples.copy() for channel in record.groups[0].channels]
    first, second = measure(record), measure(record)

    assert global_values(first) == global_values(second)
    assert first.beats == second.beats
    for channel, samples in zip(record.groups[0].channels, before, strict=True):
        np.testing.assert_array_equal(channel.samples, samples)
