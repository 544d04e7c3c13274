"""Decimation: fewer points, the same trace."""

import re

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from reading_worklist.ecg.polyline import (
    UNITS_PER_MM,
    Millimetres,
    extremes_per_step,
    path_data,
    runs_without_gaps,
    significant_points,
)


def axis(count: int, step: float) -> Millimetres:
    """Evenly spaced x from 0."""
    return np.array([index * step for index in range(count)], dtype=np.float64)


LINES = hnp.arrays(np.float64, st.integers(1, 700), elements=st.floats(-50, 50, width=32))


def points_of(data: str) -> npt.NDArray[np.float64]:
    """The absolute points of path data with one M and relative lines, in millimetres."""
    numbers = [int(text) for text in re.findall(r"-?\d+", data)]
    return np.cumsum(np.array(numbers).reshape(-1, 2), axis=0) / UNITS_PER_MM


@settings(deadline=None)
@given(y=LINES, tolerance=st.floats(0.001, 2))
def test_every_sample_lies_within_the_tolerance_of_the_drawn_line(
    y: npt.NDArray[np.float64], tolerance: float
) -> None:
    x = axis(len(y), 0.05)
    kept = significant_points(x, y, tolerance)
    assert kept[0] == 0
    assert kept[-1] == len(y) - 1
    assert np.all(np.diff(kept) > 0)
    drawn = np.interp(x, x[kept], y[kept])
    assert np.abs(drawn - y).max() <= tolerance + 1e-9


@settings(deadline=None)
@given(y=LINES, per_step=st.integers(0, 40))
def test_no_step_loses_its_lowest_or_highest_sample(
    y: npt.NDArray[np.float64], per_step: int
) -> None:
    kept = extremes_per_step(y, per_step)
    assert kept[0] == 0
    assert kept[-1] == len(y) - 1
    assert np.all(np.diff(kept) > 0)
    for start in range(0, len(y), max(per_step, 1)):
        step = np.arange(start, min(start + max(per_step, 1), len(y)))
        chosen = np.intersect1d(step, kept)
        assert y[chosen].min() == y[step].min()
        assert y[chosen].max() == y[step].max()


@settings(deadline=None)
@given(y=LINES, per_step=st.integers(3, 12))
def test_what_is_left_out_lies_within_one_step_of_the_ink(
    y: npt.NDArray[np.float64], per_step: int
) -> None:
    kept = extremes_per_step(y, per_step)
    for index in range(len(y)):
        near = kept[(kept >= index - per_step) & (kept <= index + per_step)]
        assert y[near].min() <= y[index] <= y[near].max()


@settings(deadline=None)
@given(y=LINES, per_step=st.integers(0, 20))
def test_the_written_path_keeps_the_extremes_within_two_hundredths_of_a_millimetre(
    y: npt.NDArray[np.float64], per_step: int
) -> None:
    x = axis(len(y), 0.025)
    kept = extremes_per_step(y, per_step)
    kept = kept[significant_points(x[kept], y[kept], 0.008)]
    drawn = points_of(path_data(x[kept], y[kept]).replace("h0", ""))
    width = max(per_step, 1)
    for start in range(0, len(y), width):
        step = y[start : start + width]
        left, right = x[start], x[min(start + width, len(y)) - 1]
        near = drawn[(drawn[:, 0] >= left - 0.011) & (drawn[:, 0] <= right + 0.011), 1]
        ends = np.interp([left, right], drawn[:, 0], drawn[:, 1])
        assert max(near.max(initial=-np.inf), ends.max()) >= step.max() - 0.02
        assert min(near.min(initial=np.inf), ends.min()) <= step.min() + 0.02


def test_rounding_does_not_accumulate() -> None:
    x = axis(10_000, 0.0333)
    y = np.sin(x)
    drawn = points_of(path_data(x, y))
    assert np.abs(drawn[:, 0] - x).max() <= 0.5 / UNITS_PER_MM + 1e-9
    assert np.abs(drawn[:, 1] - y).max() <= 0.5 / UNITS_PER_MM + 1e-9


def test_a_straight_line_is_two_points() -> None:
    x = axis(5001, 0.05)
    assert len(significant_points(x, np.zeros(5001), 0.008)) <= 5001 / 128 + 2


def test_a_single_sample_is_a_dot() -> None:
    assert path_data(np.array([1.0]), np.array([2.0])) == "M50 100h0"


@pytest.mark.parametrize(
    ("missing", "runs"),
    [
        ([], [(0, 6)]),
        ([0, 1], [(2, 6)]),
        ([2, 3], [(0, 2), (4, 6)]),
        ([5], [(0, 5)]),
        ([0, 1, 2, 3, 4, 5], []),
        ([1, 3, 5], [(0, 1), (2, 3), (4, 5)]),
    ],
)
def test_runs_are_what_lies_between_gaps(missing: list[int], runs: list[tuple[int, int]]) -> None:
    y = np.zeros(6)
    y[missing] = np.nan
    assert runs_without_gaps(y) == runs
