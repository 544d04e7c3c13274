"""Puts each beat into a class, by its shape, its timing and a spike before it."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from reading_worklist.ecg.measurement.filtering import RATE_HZ
from reading_worklist.ecg.measurement.results import BeatClass
from reading_worklist.ecg.measurement.shapes import Aligned
from reading_worklist.ecg.measurement.signals import Indices

_SPIKE_BEFORE_SECONDS: Final = 0.12
_SPIKE_AFTER_SECONDS: Final = 0.02
_MIN_SPIKES: Final = 3
_EARLY: Final = 0.8
_REGULAR: Final = 0.12


def classify(
    aligned: Aligned, spikes: Sequence[float], start_seconds: float
) -> Sequence[BeatClass]:
    """Return the class of every beat.

    One or two spikes in a record are disturbances rather than a pacemaker.
    An early beat of the dominant shape is ectopic only where the rhythm is
    regular but for few beats: in an irregular one every other beat is early.
    """
    times = start_seconds + aligned.r / RATE_HZ
    own = np.array(spikes if len(spikes) >= _MIN_SPIKES else ())
    early = _early(aligned.r)
    classes: list[BeatClass] = []
    for time, dominant, comes_early in zip(times, aligned.dominant, early, strict=True):
        if np.any((own >= time - _SPIKE_BEFORE_SECONDS) & (own <= time + _SPIKE_AFTER_SECONDS)):
            classes.append(BeatClass.PACED)
        elif dominant and not comes_early:
            classes.append(BeatClass.NORMAL)
        else:
            classes.append(BeatClass.ECTOPIC)
    return classes


def _early(r: Indices) -> Sequence[bool]:
    intervals = np.diff(r).astype(np.float64)
    if len(intervals) < _MIN_SPIKES:
        return [False] * len(r)
    usual = float(np.median(intervals))
    # The median deviation is blind to few early beats and large in an irregular rhythm.
    regular = float(np.median(np.abs(intervals - usual))) < _REGULAR * usual / 2
    return [False, *(bool(regular and interval < _EARLY * usual) for interval in intervals)]
