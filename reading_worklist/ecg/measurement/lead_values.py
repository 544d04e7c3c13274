"""What each lead of the median beat shows: ST levels, the waves of the QRS, P and T."""

from itertools import pairwise
from typing import Final

import numpy as np

from reading_worklist.ecg.measurement.beats import samples
from reading_worklist.ecg.measurement.fiducials import Bounds
from reading_worklist.ecg.measurement.results import LeadMeasurement, NotMeasured, Quantity, Unit
from reading_worklist.ecg.measurement.values import missing
from storage.ecg.waveform import Microvolts

_LEVEL: Final = samples(0.016)
_J60: Final = samples(0.06)
_T_AFTER_J: Final = samples(0.06)
# A deflection is a wave from 20 µV and 6 ms on.
_MIN_WAVE_MICROVOLT: Final = 20.0
_MIN_WAVE: Final = samples(0.006)


def zero_level(lead: Microvolts, qrs_onset: int) -> float:
    """Return the level of the last 16 ms before the QRS, which ST is measured against."""
    return float(np.mean(lead[max(0, qrs_onset - _LEVEL) : max(1, qrs_onset)]))


def measure_lead(
    lead: Microvolts, p: Bounds | None, qrs: Bounds, t_end: int | None, no_p: NotMeasured
) -> LeadMeasurement:
    """Return the values of one lead of the median beat, (samples,) in µV with its level at 0."""
    q, r, s, r_prime = _qrs_waves(lead[qrs.onset : qrs.end + 1])
    return LeadMeasurement(
        st_j=_level(lead, qrs.end),
        st_j60=_level(lead, qrs.end + _J60),
        p=missing(Unit.MICROVOLT, no_p)
        if p is None
        else _microvolt(_largest(_detrended(lead[p.onset : p.end + 1]))),
        q=_microvolt(q),
        r=_microvolt(r),
        s=_microvolt(s),
        r_prime=_microvolt(r_prime),
        t=missing(Unit.MICROVOLT, NotMeasured.T_UNSURE)
        if t_end is None
        else _microvolt(_largest(lead[min(qrs.end + _T_AFTER_J, t_end) : t_end + 1])),
    )


def _level(lead: Microvolts, at: int) -> Quantity:
    return _microvolt(float(np.mean(lead[at - 1 : at + 2])))


def _microvolt(value: float) -> Quantity:
    return Quantity(value, Unit.MICROVOLT)


def _largest(wave: Microvolts) -> float:
    return float(wave[int(np.argmax(np.abs(wave)))])


def _detrended(wave: Microvolts) -> Microvolts:
    """Return the wave against the line from its onset to its end, as P is read."""
    return wave - np.linspace(float(wave[0]), float(wave[-1]), len(wave))


def _qrs_waves(complex_: Microvolts) -> tuple[float, float, float, float]:
    """Return q, r, s and r' in µV.

    Of several positive waves the first is R, the largest later one R'; without
    any, the complex is a QS, told as q.
    """
    signs = np.sign(complex_)
    edges = [0, *(np.flatnonzero(np.diff(signs) != 0) + 1).tolist(), len(complex_)]
    waves = [
        _largest(part)
        for start, stop in pairwise(edges)
        if len(part := complex_[start:stop]) >= _MIN_WAVE
        and np.max(np.abs(part)) >= _MIN_WAVE_MICROVOLT
    ]
    first = next((index for index, wave in enumerate(waves) if wave > 0), None)
    if first is None:
        return min(waves, default=0.0), 0.0, 0.0, 0.0
    q = min(waves[:first], default=0.0)
    after = waves[first + 1 :]
    s = min((wave for wave in after if wave < 0), default=0.0)
    return q, waves[first], s, max((wave for wave in after if wave > 0), default=0.0)
