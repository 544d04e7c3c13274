"""Whether what lies before the QRS is a P wave: does every beat have it, and at the same place?"""

from enum import Enum
from typing import Final

import numpy as np

from reading_worklist.ecg.measurement.beats import samples
from reading_worklist.ecg.measurement.fiducials import Bounds
from reading_worklist.ecg.measurement.filtering import low_pass
from storage.ecg.waveform import Microvolts

_CORNER_HZ: Final = 20.0
_MARGIN: Final = samples(0.008)
_BEFORE_QRS: Final = samples(0.01)
_RUN_IN: Final = samples(0.1)

# On LUDB both halves of the beats are alike there by 0.95 and more in sinus rhythm, by 0.8 at
# most in fibrillation.
_PRESENT: Final = 0.88
_MIN_BEATS: Final = 4
_MIN_PR: Final = samples(0.08)
# What is left of noise in half of the beats, below which no P wave of a usual size hides.
_HIDING_MICROVOLT: Final = 15.0
_LENGTHS: Final = (samples(0.03), samples(0.19))


class PState(Enum):
    """Whether there is a P wave before the QRS."""

    PRESENT = True
    ABSENT = False
    UNSURE = None

    @property
    def present(self) -> bool | None:
        """The same as a truth value."""
        return self.value


def judge_p(beats: Microvolts, found: Bounds | None, qrs_onset: int) -> PState:
    """Say whether the wave found in (independent leads, beats, samples) is a P wave.

    It is when the median of one half of the beats looks like that of the other
    half there; fibrillation differs from beat to beat. Where the halves differ
    and noise is the reason, or there are too few beats to say, it is unsure.
    """
    if found is None:
        return PState.UNSURE
    alike, noisy = _likeness(beats, found, qrs_onset)
    length = found.end - found.onset
    if (
        alike >= _PRESENT
        and _LENGTHS[0] <= length <= _LENGTHS[1]
        and qrs_onset - found.onset >= _MIN_PR
    ):
        return PState.PRESENT
    if noisy or beats.shape[1] < _MIN_BEATS:
        return PState.UNSURE
    # A wave of every beat that is too long is the T wave before.
    return PState.UNSURE if alike >= _PRESENT and length <= _LENGTHS[1] else PState.ABSENT


def _likeness(beats: Microvolts, p: Bounds, qrs_onset: int) -> tuple[float, bool]:
    """Return how alike the beats are there, and whether noise hides it.

    Alike: the median correlation of halves of the beats, split in three ways.
    Noise is what changes faster than an atrium does, above 20 Hz.
    """
    start, stop = max(0, p.onset - _MARGIN), min(qrs_onset - _BEFORE_QRS, p.end + _MARGIN)
    run_in = min(start, _RUN_IN)
    window = np.nan_to_num(beats[:, :, start - run_in : stop])
    smooth = low_pass(window, _CORNER_HZ)
    fast = (window - smooth)[:, :, run_in:]
    smooth = smooth[:, :, run_in:]
    share = np.linspace(0.0, 1.0, smooth.shape[2])
    chord = smooth[:, :, :1] * (1 - share) + smooth[:, :, -1:] * share
    waves = (smooth - chord).transpose(1, 0, 2).reshape(beats.shape[1], -1)
    index = np.arange(len(waves))
    halves = (index % 2 == 0, index < len(waves) / 2, index % 4 < 2)  # noqa: PLR2004
    likeness = [
        _correlation(np.median(waves[half], axis=0), np.median(waves[~half], axis=0))
        for half in halves
        if half.any() and not half.all()
    ]
    left = float(np.sqrt(np.mean(fast**2) / (len(waves) / 2)))
    return float(np.median(likeness)) if likeness else 0.0, left > _HIDING_MICROVOLT


def _correlation(a: Microvolts, b: Microvolts) -> float:
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / length if length else 0.0
