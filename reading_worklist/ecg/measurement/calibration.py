"""Finds the calibration pulse that some devices record after the heart, in the same samples."""

from typing import Final

import numpy as np
import numpy.typing as npt

from storage.ecg.waveform import Microvolts

_MIN_LEADS: Final = 3
_MIN_SECONDS: Final = 0.2
_SAME_MICROVOLT: Final = 1.0
_MIN_STEP_MICROVOLT: Final = 100.0
# Leads that are the same throughout are a test signal, of which the pulse is no part.
_MAX_SHARE: Final = 0.5


def calibration_pulse(signal: Microvolts, rate_hz: float) -> npt.NDArray[np.bool_]:
    """Return which samples of (independent leads, samples) belong to a calibration pulse.

    There all leads hold the same value and step together, which no heart does.
    """
    none = np.zeros(signal.shape[1], np.bool_)
    if len(signal) < _MIN_LEADS:
        return none
    same = np.nan_to_num(np.max(signal, axis=0) - np.min(signal, axis=0), nan=np.inf)
    alike = np.concatenate([[False], same < _SAME_MICROVOLT, [False]])
    edges = np.flatnonzero(np.diff(alike.astype(np.int8)))
    found = none.copy()
    for start, stop in edges.reshape(-1, 2).tolist():
        run = signal[0, start:stop]
        if stop - start >= _MIN_SECONDS * rate_hz and np.ptp(run) > _MIN_STEP_MICROVOLT:
            found[start:stop] = True
    return none if found.mean() > _MAX_SHARE else found
