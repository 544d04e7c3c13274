"""Filters of the measurement: zero-phase, so that no wave moves in time."""

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import Final, cast

import numpy as np

from storage.ecg.waveform import Microvolts

RATE_HZ: Final = 500.0
_ORDER: Final = 2
_MAX_TERM: Final = 2000


def _scipy(name: str) -> Callable[..., Microvolts]:
    """Return a function of scipy.signal, loaded at first use: it takes over a second to load."""
    from scipy import signal  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]

    return cast("Callable[..., Microvolts]", getattr(signal, name))


@lru_cache(maxsize=16)
def _sections(band: str, low_hz: float, high_hz: float | None = None) -> Microvolts:
    corners = low_hz if high_hz is None else (low_hz, high_hz)
    return _scipy("butter")(_ORDER, corners, band, fs=RATE_HZ, output="sos")


def band_pass(signal: Microvolts, low_hz: float, high_hz: float) -> Microvolts:
    """Return the signal (…, samples at 500 Hz) between the corners."""
    return _forth_and_back(_sections("bandpass", low_hz, high_hz), signal)


def low_pass(signal: Microvolts, corner_hz: float) -> Microvolts:
    """Return the signal (…, samples at 500 Hz) below the corner."""
    return _forth_and_back(_sections("lowpass", corner_hz), signal)


def _forth_and_back(sections: Microvolts, signal: Microvolts) -> Microvolts:
    pad = min(signal.shape[-1] - 1, int(RATE_HZ))
    return _scipy("sosfiltfilt")(sections, signal, axis=-1, padlen=pad)


def to_common_rate(signal: Microvolts, rate_hz: float) -> Microvolts:
    """Return the signal (…, samples at rate_hz) at 500 Hz, where all constants here are set.

    A polyphase filter keeps what lies below both Nyquist rates in its place in time.
    """
    if rate_hz == RATE_HZ:
        return signal
    ratio = Fraction(RATE_HZ / rate_hz).limit_denominator(_MAX_TERM)
    if signal.shape[-1] == 0:
        return signal
    # The ends are held by the line between them, so that no step rings into the record.
    return _scipy("resample_poly")(
        signal, ratio.numerator, ratio.denominator, axis=-1, padtype="line"
    )


def moving_mean(signal: Microvolts, width: int) -> Microvolts:
    """Return the centred mean over width samples (made odd) along the last axis."""
    half = width // 2
    padded = np.concatenate(
        [
            np.repeat(signal[..., :1], half + 1, axis=-1),
            signal,
            np.repeat(signal[..., -1:], half, axis=-1),
        ],
        axis=-1,
    )
    total = np.cumsum(padded, axis=-1)
    return (total[..., 2 * half + 1 :] - total[..., : -(2 * half + 1)]) / (2 * half + 1)
