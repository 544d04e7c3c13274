"""Filters for the eye: chosen by the reader, named on the page, off by default.

Zero-phase, so that no wave moves in time. They act on what is shown only; the
record and every measurement stay as recorded.
"""

import math
from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Final, cast

import numpy as np

from storage.ecg.waveform import Channel, EcgGroup, FilterSettings, Microvolts


def _butter(*arguments: object, **options: object) -> Microvolts:
    """Design a Butterworth filter, as `scipy.signal.butter` does."""
    return _scipy("butter")(*arguments, **options)


def _sosfiltfilt(*arguments: object, **options: object) -> Microvolts:
    """Filter forwards and backwards, as `scipy.signal.sosfiltfilt` does."""
    return _scipy("sosfiltfilt")(*arguments, **options)


def _scipy(name: str) -> Callable[..., Microvolts]:
    """Return a function of scipy.signal, loaded at first use: it takes over a second to load.

    No start of the server should wait for a filter that is off by default.
    """
    from scipy import signal  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]

    return cast("Callable[..., Microvolts]", getattr(signal, name))


_ORDER: Final = 2
# Filtering forwards and backwards squares the response, so a Butterworth corner has to lie this
# much farther out (in the frequency of the analogue prototype) for -3 dB where the page says it.
_CORNER_SHIFT: Final = (2**0.5 - 1) ** (1 / (2 * _ORDER))
_HIGHEST_OF_NYQUIST: Final = 0.95
_MARGIN_SECONDS: Final = 10.0
_ADOLESCENT: Final = 12


class DisplayFilter(StrEnum):
    """What may be switched on; the value is the band in Hz."""

    NONE = "none"
    DIAGNOSTIC = "0.05-150"
    DIAGNOSTIC_CHILD = "0.05-250"
    MONITOR = "0.5-40"

    @property
    def band_hz(self) -> tuple[float, float] | None:
        """The -3 dB corners, None for no filter."""
        return _BANDS[self]

    @property
    def diagnostic(self) -> bool:
        """Whether ST segments and R amplitudes may still be judged.

        AHA 2007 asks 0.05 to 150 Hz for adults, to 250 Hz for children.
        """
        return self is not DisplayFilter.MONITOR


_BANDS: Final = {
    DisplayFilter.NONE: None,
    DisplayFilter.DIAGNOSTIC: (0.05, 150.0),
    DisplayFilter.DIAGNOSTIC_CHILD: (0.05, 250.0),
    DisplayFilter.MONITOR: (0.5, 40.0),
}


def diagnostic_filter(birth: date | None, on: date) -> DisplayFilter:
    """Return the diagnostic filter for a patient's age on a day; that of adults when unknown.

    Adolescents, from twelve on, count as adults (AHA/ACC/HRS 2007, part I).
    """
    if birth is None:
        return DisplayFilter.DIAGNOSTIC
    years = on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))
    return DisplayFilter.DIAGNOSTIC_CHILD if years < _ADOLESCENT else DisplayFilter.DIAGNOSTIC


def is_narrower(recorded: FilterSettings, needed: DisplayFilter) -> bool:
    """Tell whether the device let through less than a filter does, as far as the file says.

    Only the upper corner counts: what a lower one above 0.05 Hz does to the ST segment depends on
    its phase, of which no file tells.
    """
    band = needed.band_hz
    high = recorded.high_hz
    return band is not None and high is not None and 0 < high < band[1]


def effective_band_hz(
    chosen: DisplayFilter, sampling_rate_hz: float
) -> tuple[float, float | None] | None:
    """Return the corners that act at this sampling rate.

    The upper is None when the rate leaves nothing above it; None for no filter,
    or when the rate is too low for any.
    """
    band = chosen.band_hz
    if band is None:
        return None
    low, high = band
    highest = _HIGHEST_OF_NYQUIST * sampling_rate_hz / 2
    if low >= highest:
        return None
    return low, high if high < highest else None


def shown_microvolts(
    group: EcgGroup, channel: Channel, start: int, stop: int, chosen: DisplayFilter
) -> Microvolts:
    """Return samples [start, stop) of the channel as the filter shows them.

    Ten seconds on either side are filtered along, so that pages of a long
    record fit together. Missing samples are bridged for the filter and missing
    again afterwards.
    """
    band = effective_band_hz(chosen, group.sampling_rate_hz)
    if band is None:
        return channel.microvolts(start, stop)
    margin = round(_MARGIN_SECONDS * group.sampling_rate_hz)
    first = max(start - margin, 0)
    values = channel.microvolts(first, min(stop + margin, group.sample_count))
    return _apply(values, band, group.sampling_rate_hz)[start - first : stop - first]


def _apply(
    values: Microvolts, band: tuple[float, float | None], sampling_rate_hz: float
) -> Microvolts:
    absent = np.isnan(values)
    if len(values) <= 1 or absent.all():
        return values
    if absent.any():
        positions = np.arange(len(values))
        values = np.interp(positions, positions[~absent], values[~absent])
    low, high = band
    corner = _shifted(low, _CORNER_SHIFT, sampling_rate_hz)
    stages = [_butter(_ORDER, corner, "highpass", fs=sampling_rate_hz, output="sos")]
    if high is not None:
        corner = _shifted(high, 1 / _CORNER_SHIFT, sampling_rate_hz)
        stages.append(_butter(_ORDER, corner, "lowpass", fs=sampling_rate_hz, output="sos"))
    filtered = values
    for stage in stages:
        # Mirrored ends keep the mean; scipy's default, point reflection, would tilt a record
        # that begins or ends within a T wave.
        filtered = _sosfiltfilt(stage, filtered, padtype="even", padlen=len(values) - 1)
    return np.where(absent, np.nan, filtered)


def _shifted(corner_hz: float, factor: float, sampling_rate_hz: float) -> float:
    """Move a corner by a factor in the analogue prototype (bilinear transform)."""
    warped = math.tan(math.pi * corner_hz / sampling_rate_hz) * factor
    return math.atan(warped) * sampling_rate_hz / math.pi
