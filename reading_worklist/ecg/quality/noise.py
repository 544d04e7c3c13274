"""How much of a lead is not the heart: mains, muscle, and a baseline that wanders.

Each function takes µV as (leads, samples) and returns µV for each lead.
"""

from typing import Final

import numpy as np

from storage.ecg.waveform import Microvolts

_MAINS_HZ: Final = (50, 60)
_NEIGHBOURS_HZ: Final = (-5, -4, 4, 5)
_WINDOW_SECONDS: Final = 1.0
_MUSCLE_HZ: Final = (35.0, 150.0)
_MAINS_WIDTH_HZ: Final = 2.0
_MOVING_SECONDS: Final = 0.1
# QRS complexes take a fifth of the time at most rates; this share is surely between them.
_BETWEEN_BEATS: Final = 30


def mains_noise(values: Microvolts, rate_hz: float) -> Microvolts:
    """Return the peak-to-peak voltage of the stronger of 50 and 60 Hz.

    In windows of one second; what is left after the neighbouring frequencies, which a QRS complex
    fills alike, are taken off. 0 where the sampling rate or the length does not allow it.
    """
    count = round(rate_hz * _WINDOW_SECONDS)
    highest = max(_MAINS_HZ) + max(_NEIGHBOURS_HZ)
    if values.shape[1] < count or rate_hz <= 2 * highest:
        return np.zeros(len(values))
    windows = np.lib.stride_tricks.sliding_window_view(values, count, axis=1)[:, :: count // 2]
    shape = np.hanning(count)
    bins = rate_hz / count
    amplitude = np.abs(np.fft.rfft((windows - windows.mean(axis=2, keepdims=True)) * shape, axis=2))
    amplitude *= 2 / shape.sum()

    def at(hertz: float) -> Microvolts:
        return amplitude[:, :, round(hertz / bins)]

    strongest = np.zeros(len(values))
    for mains in _MAINS_HZ:
        around = np.mean([at(mains + offset) ** 2 for offset in _NEIGHBOURS_HZ], axis=0)
        alone = np.sqrt(np.maximum(at(mains) ** 2 - around, 0.0))
        strongest = np.maximum(strongest, 2 * np.median(alone, axis=1))
    return strongest


def muscle_noise(values: Microvolts, rate_hz: float) -> Microvolts:
    """Return the root mean square between beats of what is faster than a heart, without mains."""
    count = values.shape[1]
    moving = max(round(rate_hz * _MOVING_SECONDS), 1)
    if count <= moving:
        return np.zeros(len(values))
    hertz = np.fft.rfftfreq(count, 1 / rate_hz)
    low, high = _MUSCLE_HZ
    kept = (hertz >= low) & (hertz <= high)
    for mains in _MAINS_HZ:
        for harmonic in (1, 2):
            kept &= np.abs(hertz - mains * harmonic) > _MAINS_WIDTH_HZ
    fast = np.fft.irfft(np.fft.rfft(values, axis=1) * kept, count, axis=1)
    sums = np.cumsum(fast**2, axis=1)
    power = (sums[:, moving:] - sums[:, :-moving]) / moving
    return np.sqrt(np.maximum(np.percentile(power, _BETWEEN_BEATS, axis=1), 0.0))


def baseline_wander(values: Microvolts, rate_hz: float) -> Microvolts:
    """Return how far apart the middles of the record's seconds lie."""
    count = round(rate_hz * _WINDOW_SECONDS)
    if values.shape[1] < count:
        return np.zeros(len(values))
    windows = np.lib.stride_tricks.sliding_window_view(values, count, axis=1)[:, :: count // 2]
    return np.ptp(np.median(windows, axis=2), axis=1)
