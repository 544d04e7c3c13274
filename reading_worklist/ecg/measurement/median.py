"""The median beat: what the beats of one shape have in common, without noise and wander."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from reading_worklist.ecg.measurement.beats import samples
from reading_worklist.ecg.measurement.signals import Indices, Mask, Stretch
from storage.ecg.waveform import Microvolts

BEFORE: Final = samples(0.6)
AFTER: Final = samples(0.9)
_LEVEL: Final = samples(0.02)
# How far the QRS of a neighbour reaches from its R.
_QRS: Final = samples(0.1)
_HALF: Final = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Beats laid upon each other.

    beats: (leads, beats, BEFORE + AFTER samples), R at sample BEFORE, NaN
        where there is no sample. median: (leads, samples); where no
        beat has one, the nearest that one has.
    last: the last sample that at least half of the beats have.
    """

    beats: Microvolts
    median: Microvolts
    last: int


def stack_beats(stretch: Stretch, all_r: Indices, chosen: Mask, level_at: int) -> Stack:
    """Return the chosen ones of the beats at all_r, each at its zero level, and their median.

    level_at: where a beat is at its zero level, in samples against R: just
        before the QRS begins. A line from each beat's level to the next takes
        the wander out and leaves the ST segment as it was, which no high-pass
        filter would.

    A beat ends where the QRS of the next begins, and begins where that of the one before ended.
    """
    r = all_r[chosen]
    flat = stretch.microvolts - _wander(stretch, r, level_at)
    flat[~stretch.valid] = np.nan
    padded = np.pad(flat, ((0, 0), (BEFORE, AFTER)), constant_values=np.nan)
    beats = padded[:, r[:, None] + np.arange(BEFORE + AFTER)[None, :]]
    after = np.append(all_r[1:], stretch.sample_count + BEFORE + AFTER)[chosen]
    before = np.append(-BEFORE - AFTER, all_r[:-1])[chosen]
    for index, at in enumerate(r.tolist()):
        beats[:, index, max(0, BEFORE + int(after[index]) - at - _QRS) :] = np.nan
        beats[:, index, : max(0, BEFORE + int(before[index]) - at + _QRS)] = np.nan
    share = np.mean(np.isfinite(beats).any(axis=0), axis=0)
    some = np.flatnonzero(share > 0)
    held = np.clip(np.arange(BEFORE + AFTER), some[0], some[-1])
    return Stack(beats, _median(beats)[:, held], int(np.flatnonzero(share >= _HALF)[-1]))


def _median(beats: Microvolts) -> Microvolts:
    # numpy.nanmedian takes ten times as long.
    ordered = np.sort(beats, axis=1)
    count = np.sum(np.isfinite(ordered), axis=1, keepdims=True)
    low = np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, axis=1)[:, 0]
    high = np.take_along_axis(ordered, np.minimum(count // 2, beats.shape[1] - 1), axis=1)[:, 0]
    return np.nan_to_num((low + high) / 2.0)


def _wander(stretch: Stretch, r: Indices, level_at: int) -> Microvolts:
    around = np.arange(-_LEVEL, 1) + level_at
    at = np.clip(r[:, None] + around[None, :], 0, stretch.sample_count - 1)
    levels = np.mean(stretch.microvolts[:, at], axis=2)
    grid = np.arange(stretch.sample_count)
    knots = (r + level_at).astype(np.float64)
    wander = np.empty(stretch.microvolts.shape)
    for row, level in zip(wander, levels, strict=True):
        row[:] = np.interp(grid, knots, level)
    return wander
