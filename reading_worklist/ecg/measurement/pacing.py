"""Finds pacing spikes and takes them out, so that none is taken for the onset of a wave."""

from collections.abc import Callable
from typing import Final, cast

import numpy as np
import numpy.typing as npt

from storage.ecg.waveform import Microvolts

# Below this rate a spike of 2 ms is not to be told from the rest.
MIN_RATE_HZ: Final = 450.0
_WIDTH_SECONDS: Final = 0.014
_NEAR_SECONDS: Final = 0.010
_FAR_SECONDS: Final = 0.030
_SHARE_OF_RANGE: Final = 0.06
_AGAINST_BEFORE: Final = 4.0
_AGAINST_AFTER: Final = 2.0


def find_spikes(signal: Microvolts, rate_hz: float) -> npt.NDArray[np.intp]:
    """Return the samples of narrow spikes in (leads, samples), in order; none at low rates.

    A spike is what a median over 14 ms takes away, if it is large against what
    the leads do within 30 ms before it and, as a captured beat may begin at
    once, a little less so against what they do after it. The top of a narrow
    QRS is as sharp but has steep flanks on both sides.
    """
    none = np.zeros(0, np.intp)
    if rate_hz < MIN_RATE_HZ:
        return none
    width = round(_WIDTH_SECONDS * rate_hz) | 1
    near, far = round(_NEAR_SECONDS * rate_hz), round(_FAR_SECONDS * rate_hz)
    if signal.shape[1] < 2 * far + 2:
        return none
    sharp = np.sum(np.abs(signal - _running_median(signal, width)), axis=0)
    steps = np.sum(np.abs(np.diff(signal, axis=1, prepend=signal[:, :1])), axis=0)
    steps *= rate_hz / 500.0
    floor = _SHARE_OF_RANGE * float(np.sum(np.ptp(signal, axis=1)))
    candidates = np.flatnonzero(sharp[far:-far] > floor) + far
    return np.array(
        [at for at in candidates if _is_spike(int(at), sharp, steps, near, far)], np.intp
    )


def _is_spike(at: int, sharp: Microvolts, steps: Microvolts, near: int, far: int) -> bool:
    if sharp[at] < np.max(sharp[at - near : at + near + 1]):
        return False
    before = float(np.max(steps[at - far : at - near + 1]))
    after = float(np.max(steps[at + near : at + far - near]))
    return bool(sharp[at] > _AGAINST_BEFORE * before and sharp[at] > _AGAINST_AFTER * after)


def without_spikes(signal: Microvolts, rate_hz: float, spikes: npt.NDArray[np.intp]) -> Microvolts:
    """Return the signal with a line drawn under each spike, from 6 ms before to 8 ms after it."""
    if not len(spikes):
        return signal
    cleared = signal.copy()
    last = signal.shape[1] - 1
    for at in spikes:
        start = max(0, int(at) - round(0.006 * rate_hz))
        stop = min(last, int(at) + round(0.008 * rate_hz))
        share = np.linspace(0.0, 1.0, stop - start + 1)
        cleared[:, start : stop + 1] = (
            signal[:, start, None] * (1 - share) + signal[:, stop, None] * share
        )
    return cleared


def _running_median(signal: Microvolts, width: int) -> Microvolts:
    from scipy import ndimage  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]

    run = cast("Callable[..., Microvolts]", ndimage.median_filter)
    return run(signal, size=(1, width), mode="nearest")
