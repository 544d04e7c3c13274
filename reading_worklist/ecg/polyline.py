"""A trace as few points as paper needs, without ever losing a peak.

Two steps. Where there are more than two samples per drawn step (less than the
stroke's width), the lowest and the highest of each step are kept, each at its
own time; the others lie between them, within one step of the ink. Then points
go that lie within a hundredth of a millimetre of the line between their
neighbours: they say nothing that ink could show.
"""

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Millimetres: TypeAlias = npt.NDArray[np.float64]
Indices: TypeAlias = npt.NDArray[np.intp]

UNITS_PER_MM: Final = 50
"""Path coordinates are written in steps of 0.02 mm."""

_LONGEST_CHORD: Final = 128


def extremes_per_step(y: Millimetres, samples_per_step: int) -> Indices:
    """Return the indices of the lowest and highest sample of each step, in order.

    The first and the last sample are among them. With fewer than three samples
    per step every sample is kept. y holds no NaN.
    """
    count = len(y)
    if samples_per_step <= 2 or count <= 2:  # noqa: PLR2004 -- lowest and highest
        return np.arange(count)
    steps = -(-count // samples_per_step)
    filling = np.full(steps * samples_per_step - count, y[-1])
    by_step = np.concatenate([y, filling]).reshape(steps, samples_per_step)
    first = np.arange(steps) * samples_per_step
    chosen = [first + by_step.argmin(axis=1), first + by_step.argmax(axis=1), [0, count - 1]]
    return np.unique(np.minimum(np.concatenate(chosen), count - 1))


def significant_points(x: Millimetres, y: Millimetres, tolerance: float) -> Indices:
    """Return the indices of the points to keep from a line with ascending x and no NaN.

    The first and last are always kept. The vertical distance of every point to
    the line through the kept ones is at most tolerance.
    """
    count = len(y)
    if count <= 2:  # noqa: PLR2004 - a point or one chord
        return np.arange(count)
    blocks = -(-(count - 1) // _LONGEST_CHORD)
    # Repeating the end gives whole blocks; the repeats are dropped again below.
    extra = blocks * _LONGEST_CHORD + 1 - count
    padded_x = np.concatenate([x, x[-1] + np.arange(1, extra + 1)])
    padded_y = np.concatenate([y, np.full(extra, y[-1])])
    keep = np.zeros(len(padded_y), dtype=np.bool_)
    starts = np.arange(blocks) * _LONGEST_CHORD
    length = _LONGEST_CHORD
    while len(starts):
        inside = starts[:, None] + np.arange(length + 1)
        inside_x, inside_y = padded_x[inside], padded_y[inside]
        x0, x1, y0, y1 = inside_x[:, :1], inside_x[:, -1:], inside_y[:, :1], inside_y[:, -1:]
        chord = y0 + (y1 - y0) * ((inside_x - x0) / (x1 - x0))
        straight = np.abs(inside_y - chord).max(axis=1) <= tolerance
        keep[starts[straight]] = True
        bent = starts[~straight]
        length //= 2
        starts = np.concatenate([bent, bent + length]) if length else bent[:0]
    keep[count - 1] = True
    return np.flatnonzero(keep[:count])


def runs_without_gaps(y: Millimetres) -> list[tuple[int, int]]:
    """Return the half-open index ranges of consecutive samples that are not NaN, in order."""
    present = np.concatenate([[False], ~np.isnan(y), [False]])
    edges = np.flatnonzero(present[1:] != present[:-1])
    return [(int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]


def path_data(x: Millimetres, y: Millimetres) -> str:
    """Return SVG path data through the points, in steps of 0.02 mm.

    Rounding moves a point by at most half a step and does not accumulate. A
    single point becomes a dot as wide as the stroke.
    """
    points = np.rint(np.column_stack([x, y]) * UNITS_PER_MM).astype(np.int64)
    first_x, first_y = points[0].tolist()
    if len(points) == 1:
        return f"M{first_x} {first_y}h0"
    steps: list[int] = np.diff(points, axis=0).ravel().tolist()
    return f"M{first_x} {first_y}l{' '.join(map(str, steps))}".replace(" -", "-")
