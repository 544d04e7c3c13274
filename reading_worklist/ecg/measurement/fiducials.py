"""Where the waves of the median beat begin and end: one point for all leads together.

QRS and P are bounded where the spatial velocity, the length of the slope's
vector over the independent leads, falls to a share of its largest value above
the noise. The end of T is found per lead, as the mean of where the steepest
tangent meets the zero line and of where the trapezium under the descending
limb is largest (which cuts T shorter and longer than the eye does), and then
the median of the leads by size of T. Points are samples of the median beat.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from reading_worklist.ecg.measurement.beats import samples
from reading_worklist.ecg.measurement.filtering import RATE_HZ, low_pass
from reading_worklist.ecg.measurement.median import BEFORE
from storage.ecg.waveform import Microvolts

_QRS_CORNER_HZ: Final = 40.0
_QRS_SHARE: Final = 0.055
_QRS_CORE_SHARE: Final = 0.3
_QRS_CORE: Final = (samples(0.12), samples(0.16))
_QRS_REACH: Final = (samples(0.24), samples(0.32))
_QUIET: Final = 30
_STAY: Final = samples(0.006)
# What moves outside of the waves, against the QRS; LUDB's noisiest has 0.02.
_MAX_NOISE: Final = 0.12
_PQ: Final = (samples(0.3), samples(0.08))
_ST_T: Final = (samples(0.08), samples(0.5))

_P_CORNER_HZ: Final = 15.0
_P_ON_SHARE: Final = 0.5
_P_OFF_SHARE: Final = 0.6
_P_LOOK: Final = samples(0.28)
_P_LOOK_OF_RR: Final = 0.42
_P_HALF: Final = samples(0.08)

_T_CORNER_HZ: Final = 15.0
_T_AFTER_QRS: Final = samples(0.04)
_T_LATEST: Final = samples(0.62)
_SECOND_PART: Final = 0.3
# From 0.12 to 0.2 s it changes little; the middle errs to neither side.
_T_LIMB: Final = samples(0.16)
_T_TAIL: Final = samples(0.06)
_LEVEL: Final = samples(0.03)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Onset and end of a wave, in samples of the median beat."""

    onset: int
    end: int


@dataclass(frozen=True, slots=True)
class TEnd:
    """End of T, and the interquartile range of the leads' own ends by size of T, in samples."""

    at: float
    spread: float


def qrs_bounds(beat: Microvolts) -> Bounds | None:
    """Return the QRS of (independent leads, samples); None when its end is lost in noise."""
    speed = _speed(low_pass(beat, _QRS_CORNER_HZ))
    core_start = BEFORE - _QRS_CORE[0]
    core = speed[core_start : BEFORE + _QRS_CORE[1]]
    peak = float(np.max(speed[BEFORE - samples(0.1) : BEFORE + samples(0.15)]))
    inside = np.flatnonzero(core > _QRS_CORE_SHARE * peak) + core_start
    if not len(inside) or peak <= 0:
        return None
    before = _quiet(speed[BEFORE - _PQ[0] : BEFORE - _PQ[1]])
    after = _quiet(speed[BEFORE + _ST_T[0] : BEFORE + _ST_T[1]])
    if max(before, after) > _MAX_NOISE * peak:
        return None
    backwards = len(speed) - 1 - int(inside[0])
    onset = len(speed) - 1 - _leave(speed[::-1], backwards, before + _QRS_SHARE * (peak - before))
    end = _leave(speed, int(inside[-1]), after + _QRS_SHARE * (peak - after))
    if onset <= BEFORE - _QRS_REACH[0] or end >= BEFORE + _QRS_REACH[1]:
        return None
    return Bounds(onset, end)


def p_bounds(beat: Microvolts, qrs_onset: int, rr: float) -> Bounds | None:
    """Return the largest wave before the QRS of (independent leads, samples), P or not.

    rr: the usual RR in samples, which bounds how far back to look. None when
    there is no room for one. Whether it is a P wave is another question.
    """
    first = int(max(samples(0.04), qrs_onset - min(_P_LOOK, _P_LOOK_OF_RR * rr)))
    if qrs_onset - first < samples(0.05):
        return None
    held = beat.copy()
    # The filter must not carry the QRS into the PQ segment.
    held[:, qrs_onset:] = held[:, qrs_onset - 1 : qrs_onset]
    smooth = low_pass(held, _P_CORNER_HZ)
    speed = _speed(smooth)
    window = smooth[:, first:qrs_onset]
    share = np.linspace(0.0, 1.0, window.shape[1])
    chord = np.outer(np.mean(window[:, :5], axis=1), 1 - share)
    chord += np.outer(np.mean(window[:, -5:], axis=1), share)
    top = first + int(np.argmax(np.sum((window - chord) ** 2, axis=0)))
    start, stop = max(first, top - _P_HALF), min(qrs_onset - 1, top + _P_HALF)
    if top - start < 2 or stop - top < 2:  # noqa: PLR2004 - no two flanks
        return None
    rising = start + int(np.argmax(speed[start:top]))
    falling = top + int(np.argmax(speed[top:stop]))
    quiet = float(np.mean(np.sort(speed[first:qrs_onset])[: max(5, (qrs_onset - first) // 6)]))
    lowest = max(0, first - samples(0.04))
    onset = rising
    while onset > lowest and speed[onset] > quiet + _P_ON_SHARE * (speed[rising] - quiet):
        onset -= 1
    end = falling
    while end < qrs_onset and speed[end] > quiet + _P_OFF_SHARE * (speed[falling] - quiet):
        end += 1
    return Bounds(onset, end)


def t_end(beat: Microvolts, qrs: Bounds, latest: int) -> TEnd | None:
    """Return the end of T of (independent leads, samples); None when no lead shows one.

    latest: the sample by which T has ended, as the next P wave or beat begins.
    """
    smooth = low_pass(beat, _T_CORNER_HZ)
    start = qrs.end + _T_AFTER_QRS
    last = min(BEFORE + _T_LATEST, latest - _LEVEL // 2, beat.shape[1] - _T_LIMB)
    ends: list[float] = []
    sizes: list[float] = []
    if last - start < _T_TAIL:
        return None
    for lead in smooth:
        found = _t_end_of_lead(lead, start, last, float(lead[max(0, qrs.onset - _T_TAIL // 6)]))
        if found is not None:
            ends.append(found[0])
            sizes.append(found[1])
    if not ends:
        return None
    low, middle, high = (_weighted(ends, sizes, share) for share in (0.25, 0.5, 0.75))
    return TEnd(middle, high - low)


def _t_end_of_lead(
    lead: Microvolts, start: int, last: int, before: float
) -> tuple[float, float] | None:
    zero = float(np.median(lead[last - _LEVEL // 2 : last + _LEVEL // 2]))
    top = _last_top(lead[start:last] - 0.5 * (before + zero)) + start
    size = float(lead[top] - zero)
    limb_end = min(last, top + _T_LIMB)
    if limb_end - top < samples(0.02) or size == 0:
        return None
    slope = np.gradient(lead)
    steepest = top + int(np.argmin(np.sign(size) * slope[top:limb_end]))
    if np.sign(size) * slope[steepest] >= 0:
        return None
    tangent = steepest + (zero - float(lead[steepest])) / float(slope[steepest])
    right = min(steepest + _T_LIMB, last + _T_TAIL, len(lead) - 1)
    at = np.arange(steepest, right)
    areas = np.sign(size) * (lead[steepest] - lead[at]) * (2 * right - at - steepest)
    trapezium = float(at[int(np.argmax(areas))])
    return (min(tangent, right) + trapezium) / 2, abs(size)


def _last_top(wave: Microvolts) -> int:
    """Return the top of T: of a biphasic one that of its second part."""
    top = int(np.argmax(np.abs(wave)))
    opposite = -np.sign(wave[top]) * wave[top:]
    second = int(np.argmax(opposite))
    inside = second < len(opposite) - samples(0.03)
    if inside and opposite[second] >= _SECOND_PART * abs(wave[top]):
        return top + second
    return top


def _speed(beat: Microvolts) -> Microvolts:
    """Return the spatial velocity in µV/ms."""
    return np.sqrt(np.sum(np.gradient(beat, axis=1) ** 2, axis=0)) * (RATE_HZ / 1000.0)


def _quiet(speed: Microvolts) -> float:
    return float(np.mean(np.sort(speed)[:_QUIET]))


def _leave(speed: Microvolts, at: int, threshold: float) -> int:
    """Return where the speed, followed from at, falls below the threshold to stay there.

    At the top of a wave it stands still too, in few leads, but not for 6 ms.
    """
    below = speed <= threshold
    while at < len(speed) - _STAY and not below[at : at + _STAY].all():
        at += 1
    return at


def _weighted(values: Sequence[float], weights: Sequence[float], share: float) -> float:
    """Return the value that the share of all weight does not exceed."""
    order = np.argsort(values)
    total = np.cumsum(np.array(weights)[order])
    return float(np.array(values)[order][np.flatnonzero(total >= total[-1] * share)[0]])
