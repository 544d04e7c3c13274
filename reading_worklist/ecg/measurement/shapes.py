"""Aligns the beats with each other and sorts them by shape."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from reading_worklist.ecg.measurement.beats import samples
from reading_worklist.ecg.measurement.filtering import band_pass, moving_mean
from reading_worklist.ecg.measurement.signals import Indices, Stretch
from storage.ecg.waveform import Microvolts

Mask = npt.NDArray[np.bool_]

_BAND_HZ: Final = (1.0, 40.0)
_PEAK_REACH: Final = samples(0.07)
_PEAK_SMOOTH: Final = samples(0.012)
# The window a shape is compared in: all of a wide QRS, little of P and T.
_BEFORE: Final = samples(0.09)
_AFTER: Final = samples(0.13)
_LAG: Final = samples(0.04)
_STRIDE: Final = 3
_COARSE: Final = 4
_SAME_SHAPE: Final = 0.87
_NEAR_BEST: Final = 0.75


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """Beats moved so that their QRS complexes lie upon each other.

    r: the samples of R. dominant: which beats have the dominant shape.
    by_hand: which of them a reader added.
    """

    r: Indices
    dominant: Mask
    by_hand: Mask


def align(stretch: Stretch, found: Indices, by_hand: Mask) -> Aligned:
    """Return the beats, each at its R, and which of them have the dominant shape.

    The dominant shape is the one most beats have; where two are about as
    frequent, as in bigeminy, the one that comes after the longer intervals.
    A beat of another shape that is cut off by the record's edge is left out:
    it may be no beat at all.
    """
    if not len(found):
        return Aligned(found, np.zeros(0, np.bool_), by_hand)
    rows = list(stretch.basis)
    signal = band_pass(stretch.microvolts[rows], *_BAND_HZ)
    signal = signal * stretch.valid[rows]
    r = _peaks(signal, found)
    reach = _LAG + max(_BEFORE, _AFTER)
    padded = np.pad(signal.astype(np.float32), ((0, 0), (reach, reach)))
    lags = np.arange(-_LAG, _LAG + 1)
    window = np.arange(-_BEFORE, _AFTER, _STRIDE)
    # Every beat at every lag, as one unit vector over leads and time.
    at = r[:, None, None] + reach + lags[None, :, None] + window[None, None, :]
    shapes = padded[:, at].transpose(1, 2, 0, 3).reshape(len(r), len(lags), -1)
    shapes = shapes / np.maximum(np.linalg.norm(shapes, axis=2, keepdims=True), 1e-9)
    best = np.argmax(_of_each(shapes, _centre(shapes, r)), axis=1)
    template = np.median(shapes[np.arange(len(r)), best][_dominant(shapes, r)], axis=0)
    template /= max(float(np.linalg.norm(template)), 1e-9)
    likeness = _of_each(shapes, template)
    best = np.argmax(likeness, axis=1)
    dominant = likeness[np.arange(len(r)), best] >= _SAME_SHAPE
    if not dominant.any():
        dominant[int(np.argmax(likeness.max(axis=1)))] = True
    moved = np.clip(np.where(dominant, r + lags[best], r), 0, stretch.sample_count - 1)
    whole = (moved >= _BEFORE) & (moved < stretch.sample_count - _AFTER)
    kept = whole | dominant | by_hand
    return Aligned(moved[kept], dominant[kept], by_hand[kept])


def _peaks(signal: Microvolts, found: Indices) -> Indices:
    magnitude = moving_mean(np.sum(signal**2, axis=0), _PEAK_SMOOTH)
    padded = np.pad(magnitude, _PEAK_REACH)
    around = padded[found[:, None] + np.arange(2 * _PEAK_REACH + 1)[None, :]]
    return found + np.argmax(around, axis=1) - _PEAK_REACH


def _of_each(shapes: Microvolts, template: Microvolts) -> Microvolts:
    return shapes @ template


def _neighbours(shapes: Microvolts) -> Mask:
    """Return which beats have the shape of which, the best lag taken."""
    still = shapes[:, shapes.shape[1] // 2]
    count = len(shapes)
    coarse = shapes[:, ::_COARSE]
    likeness = coarse.reshape(-1, coarse.shape[2]) @ still.T
    return likeness.reshape(count, -1, count).max(axis=1) >= _SAME_SHAPE


def _medoid(shapes: Microvolts, r: Indices) -> tuple[int, Mask]:
    alike = _neighbours(shapes)
    counts = alike.sum(axis=1)
    intervals = np.diff(r, prepend=r[0]).astype(np.float64)
    if len(r) > 1:
        intervals[0] = float(np.median(intervals[1:]))
    mean_interval = (alike @ intervals) / counts
    candidates = np.flatnonzero(counts >= _NEAR_BEST * counts.max())
    best = int(candidates[np.argmax(mean_interval[candidates] + 1e-3 * counts[candidates])])
    return best, alike[best]


def _centre(shapes: Microvolts, r: Indices) -> Microvolts:
    return shapes[_medoid(shapes, r)[0], shapes.shape[1] // 2]


def _dominant(shapes: Microvolts, r: Indices) -> Mask:
    return _medoid(shapes, r)[1]
