"""Finds the ventricular beats: where the leads together move as fast as a QRS does."""

from itertools import pairwise
from typing import Final

import numpy as np

from reading_worklist.ecg.measurement.filtering import RATE_HZ, band_pass, moving_mean
from reading_worklist.ecg.measurement.signals import Indices, Stretch
from storage.ecg.waveform import Microvolts


def samples(seconds: float) -> int:
    """Return the time in samples at 500 Hz."""
    return round(seconds * RATE_HZ)


# The energy of a QRS lies at 8 to 25 Hz, that of T and of wander below.
_BAND_HZ: Final = (8.0, 30.0)
_SMOOTH: Final = samples(0.08)
_REFRACTORY: Final = samples(0.2)
_LEVEL_WINDOW: Final = samples(2.0)
_THRESHOLD: Final = 0.35
_SEARCH_BACK_THRESHOLD: Final = 0.18
_SEARCH_BACK_RR: Final = 1.6
_T_WAVE: Final = samples(0.36)
_P_WAVE: Final = samples(0.26)
_SMALL_WAVE_SHARE: Final = 0.55
# A long PR, and what a P wave is of a QRS in µV, where every lead counts as it is.
_EARLY_P_WAVE: Final = samples(0.36)
_P_WAVE_SHARE: Final = 0.2
_CAP: Final = 40.0
# Noise alone has peaks of twice what lies between them; the least distinct beats of LUDB have
# eleven times. At 250 beats a minute most of the time is QRS; the lowest fifth is not.
_BETWEEN_PERCENTILE: Final = 20
_DISTINCT: Final = 3.5


def activity(stretch: Stretch) -> Microvolts:
    """Return how much the independent leads together move in the band of the QRS, unit-free.

    Each lead counts by its own background, so that one with noise or a small
    signal cannot drown the others; where it has no signal it counts nothing.
    """
    fast = _fast(stretch)
    background = np.median(np.abs(fast), axis=1, keepdims=True)
    scale = np.maximum(background, 0.02 * np.max(np.abs(fast), axis=1, keepdims=True))
    scaled = np.minimum(np.abs(fast) / np.maximum(scale, 1.0), _CAP)
    return np.sqrt(moving_mean(np.mean(scaled**2, axis=0), _SMOOTH))


def _fast(stretch: Stretch) -> Microvolts:
    """Return the independent leads in the band of the QRS, 0 where they have no signal."""
    rows = list(stretch.basis)
    fast = band_pass(stretch.microvolts[rows], *_BAND_HZ)
    return np.where(stretch.valid[rows], fast, 0.0)


def find_beats(stretch: Stretch) -> Indices:
    """Return the samples of the beats, in order; to within a QRS width.

    None in noise: a QRS stands out of what lies between it and the next.
    """
    moved = activity(stretch)
    peaks = _local_maxima(moved, _REFRACTORY)
    if not len(peaks):
        return peaks
    level = _level(moved)
    found = peaks[moved[peaks] > _THRESHOLD * level]
    if np.median(moved[found]) < _DISTINCT * np.percentile(moved, _BETWEEN_PERCENTILE):
        return found[:0]
    found = _without_p_waves(found, moved, soon=_P_WAVE, share=_SMALL_WAVE_SHARE)
    # Where the axis of the QRS is across a lead its largest wave is P, and counts there as a QRS
    # does elsewhere. Of long PR such a P wave was a beat.
    plain = np.sqrt(moving_mean(np.mean(_fast(stretch) ** 2, axis=0), _SMOOTH))
    found = _without_p_waves(found, plain, soon=_EARLY_P_WAVE, share=_P_WAVE_SHARE)
    found = _without_t_waves(found, moved)
    return _searched_back(found, peaks, moved, level)


def _local_maxima(signal: Microvolts, distance: int) -> Indices:
    inner = np.flatnonzero((signal[1:-1] >= signal[:-2]) & (signal[1:-1] > signal[2:])) + 1
    kept: list[int] = []
    taken = np.zeros(len(signal), np.bool_)
    for at in inner[np.argsort(-signal[inner])]:
        if not taken[at]:
            kept.append(int(at))
            taken[max(0, at - distance) : at + distance + 1] = True
    return np.array(sorted(kept), np.intp)


def _level(moved: Microvolts) -> float:
    """Return what a QRS reaches: the median of the largest activity per 2 s."""
    count = max(1, len(moved) // _LEVEL_WINDOW)
    return float(np.median([part.max() for part in np.array_split(moved, count)]))


def _without_p_waves(found: Indices, moved: Microvolts, *, soon: int, share: float) -> Indices:
    """Leave out what is small and comes shortly before something much larger.

    soon: how many samples before. share: of what follows, below which it is small; one before an
        artefact is not, against the others.
    """
    near = np.diff(found) < soon
    following = np.minimum(moved[found[1:]], _level(moved))
    small = moved[found[:-1]] < share * following
    return found[~np.append(near & small, [False])]


def _without_t_waves(found: Indices, moved: Microvolts) -> Indices:
    kept: list[int] = []
    for at in found:
        if kept and at - kept[-1] < _T_WAVE and moved[at] < _SMALL_WAVE_SHARE * moved[kept[-1]]:
            continue
        kept.append(int(at))
    return np.array(kept, np.intp)


def _searched_back(found: Indices, peaks: Indices, moved: Microvolts, level: float) -> Indices:
    """Add the smaller peaks inside of gaps that are far longer than the usual RR."""
    if len(found) < 3:  # noqa: PLR2004 - no usual RR yet
        return found
    usual = float(np.median(np.diff(found)))
    added: list[int] = []
    for before, after in pairwise(found.tolist()):
        if after - before > _SEARCH_BACK_RR * usual:
            inside = peaks[(peaks > before + _T_WAVE) & (peaks < after - _REFRACTORY)]
            inside = inside[moved[inside] > _SEARCH_BACK_THRESHOLD * level]
            added.extend(int(at) for at in inside)
    return np.array(sorted({*map(int, found), *added}), np.intp)
