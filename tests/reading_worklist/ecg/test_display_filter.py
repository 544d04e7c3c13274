"""Display filters: what they pass, what they leave in place."""

from datetime import date

import numpy as np
import numpy.typing as npt
import pytest

from reading_worklist.ecg.display_filter import (
    DisplayFilter,
    diagnostic_filter,
    effective_band_hz,
    shown_microvolts,
)
from storage.ecg.leads import Lead
from storage.ecg.waveform import EcgGroup, GroupKind, RecordedChannel


def shown(
    values: npt.NDArray[np.float64],
    chosen: DisplayFilter,
    *,
    rate: float = 1000,
    start: int = 0,
    stop: int | None = None,
) -> npt.NDArray[np.float64]:
    channel = RecordedChannel(Lead.II, "II", values)
    group = EcgGroup(GroupKind.RHYTHM, "", rate, len(values), (channel,))
    return shown_microvolts(group, channel, start, len(values) if stop is None else stop, chosen)


def gain_at(hz: float, chosen: DisplayFilter, *, seconds: float = 60) -> float:
    time = np.arange(round(seconds * 1000)) / 1000
    middle = slice(len(time) // 4, -len(time) // 4)
    wave = np.sin(2 * np.pi * hz * time)
    return float(np.std(shown(wave, chosen)[middle]) / np.std(wave[middle]))


def test_none_shows_the_samples_as_recorded() -> None:
    values = np.random.default_rng(1).normal(size=500)
    np.testing.assert_array_equal(shown(values, DisplayFilter.NONE), values)


@pytest.mark.parametrize(
    ("chosen", "corners"),
    [(DisplayFilter.DIAGNOSTIC, (0.05, 150)), (DisplayFilter.MONITOR, (0.5, 40))],
)
def test_the_stated_corners_are_at_minus_3_db(
    chosen: DisplayFilter, corners: tuple[float, float]
) -> None:
    low, high = corners
    assert gain_at(low, chosen, seconds=max(20 / low, 60)) == pytest.approx(0.7071, abs=0.02)
    assert gain_at(high, chosen) == pytest.approx(0.7071, abs=0.01)
    assert gain_at((low * high) ** 0.5 * 2, chosen) == pytest.approx(1, abs=0.02)


def test_no_wave_moves_in_time() -> None:
    values = np.zeros(10_000)
    values[4980:5021] = 1000 * np.hanning(41)
    for chosen in (DisplayFilter.DIAGNOSTIC, DisplayFilter.MONITOR):
        assert abs(int(np.argmax(shown(values, chosen))) - 5000) <= 1


def test_a_record_that_begins_within_a_wave_is_not_tilted() -> None:
    time = np.arange(10_000) / 1000
    values = 400 * np.exp(-(((time + 0.48) % 1.0 - 0.5) ** 2) / 0.005)
    filtered = shown(values, DisplayFilter.DIAGNOSTIC)
    difference = filtered - values
    assert np.ptp(difference) < 80


def test_missing_samples_stay_missing_and_harm_nothing_else() -> None:
    values = 500 * np.sin(2 * np.pi * 5 * np.arange(10_000) / 1000)
    holed = values.copy()
    holed[3000:3200] = np.nan
    filtered = shown(holed, DisplayFilter.DIAGNOSTIC)
    np.testing.assert_array_equal(np.isnan(filtered), np.isnan(holed))
    assert np.nanmax(np.abs(filtered[5000:9000] - values[5000:9000])) < 25


def test_all_missing_and_one_sample_are_left_alone() -> None:
    assert np.isnan(shown(np.full(100, np.nan), DisplayFilter.MONITOR)).all()
    assert shown(np.array([5.0]), DisplayFilter.MONITOR) == [5.0]


def test_two_samples_do_not_break_the_filter() -> None:
    assert len(shown(np.array([5.0, 6.0]), DisplayFilter.MONITOR)) == 2


def test_pages_of_a_long_record_fit_together() -> None:
    generator = np.random.default_rng(2)
    values = np.cumsum(generator.normal(size=120_000))
    whole = shown(values, DisplayFilter.MONITOR)
    page = shown(values, DisplayFilter.MONITOR, start=50_000, stop=60_000)
    np.testing.assert_allclose(page, whole[50_000:60_000], atol=0.5)


def test_a_low_sampling_rate_leaves_the_upper_corner_out_and_says_so() -> None:
    assert effective_band_hz(DisplayFilter.DIAGNOSTIC, 250) == (0.05, None)
    assert effective_band_hz(DisplayFilter.DIAGNOSTIC, 500) == (0.05, 150)
    assert effective_band_hz(DisplayFilter.MONITOR, 1) is None
    assert effective_band_hz(DisplayFilter.NONE, 500) is None
    assert shown(np.ones(5), DisplayFilter.MONITOR, rate=1).tolist() == [1] * 5
    shown(np.ones(1000), DisplayFilter.DIAGNOSTIC, rate=250)


def test_only_the_narrow_band_is_not_diagnostic() -> None:
    assert [one for one in DisplayFilter if not one.diagnostic] == [DisplayFilter.MONITOR]


def test_children_need_the_wider_band() -> None:
    assert DisplayFilter.DIAGNOSTIC_CHILD.band_hz == (0.05, 250)
    assert effective_band_hz(DisplayFilter.DIAGNOSTIC_CHILD, 1000) == (0.05, 250)
    assert effective_band_hz(DisplayFilter.DIAGNOSTIC_CHILD, 500) == (0.05, None)
    assert diagnostic_filter(date(2016, 5, 2), date(2026, 11, 22)) is DisplayFilter.DIAGNOSTIC_CHILD
    assert diagnostic_filter(date(2014, 11, 22), date(2026, 11, 22)) is DisplayFilter.DIAGNOSTIC
    assert diagnostic_filter(None, date(2026, 11, 22)) is DisplayFilter.DIAGNOSTIC
