"""Features of the rhythm from the times of the beats; none of them is a diagnosis."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from reading_worklist.ecg.measurement.results import (
    Beat,
    BeatClass,
    NotMeasured,
    Pause,
    Quantity,
    RhythmFeatures,
    Unit,
)
from reading_worklist.ecg.measurement.values import missing

Milliseconds: TypeAlias = npt.NDArray[np.float64]

PAUSE_MS: Final = 3000.0
_MIN_INTERVALS: Final = 5
# Successive RR of sinus arrhythmia differ by less than this share of the mean RR.
_IRREGULAR_RMSSD: Final = 0.1
_IRREGULAR_MEDIAN: Final = 0.06


def rhythm_features(
    beats: Sequence[Beat],
    rr_ms: Sequence[float | None],
    *,
    p_present: bool | None,
    spikes: Sequence[float],
    reason: NotMeasured,
) -> RhythmFeatures:
    """Return the features of beats by time.

    rr_ms: the interval after each beat but the last, None across a gap.
    reason: why there is no interval, when there is none.
    """
    known = [interval for interval in rr_ms if interval is not None]
    own = _between_normal(beats, rr_ms)
    steps = _steps(own)
    normal = np.array([interval for interval in own if interval is not None])
    irregular = _irregular(normal, steps)
    if irregular is None:
        irregular = _irregular(np.array(known), _steps(rr_ms))
    return RhythmFeatures(
        rr_sd=_ms(float(np.std(normal, ddof=1)) if len(normal) > 1 else None, reason),
        rmssd=_ms(float(np.sqrt(np.mean(steps**2))) if len(steps) else None, reason),
        longest_rr=_ms(max(known, default=None), reason),
        slowest_rate=_rate(max(known, default=None), reason),
        fastest_rate=_rate(min(known, default=None), reason),
        irregular=irregular,
        p_present=p_present,
        irregular_without_p=irregular is True and p_present is False,
        pauses=tuple(
            Pause(beat.r_seconds, interval)
            for beat, interval in zip(beats, rr_ms, strict=False)
            if interval is not None and interval >= PAUSE_MS
        ),
        ectopic_count=sum(beat.kind is BeatClass.ECTOPIC for beat in beats),
        paced_count=sum(beat.kind is BeatClass.PACED for beat in beats),
        pacing_spikes=tuple(spikes),
    )


def _between_normal(beats: Sequence[Beat], rr_ms: Sequence[float | None]) -> Sequence[float | None]:
    """Return the intervals with None where either beat is ectopic or the one before was."""
    kinds = [beat.kind is BeatClass.ECTOPIC for beat in beats]
    return [
        None if first or second else interval
        for (first, second), interval in zip(pairwise(kinds), rr_ms, strict=True)
    ]


def _steps(rr_ms: Sequence[float | None]) -> Milliseconds:
    return np.array([b - a for a, b in pairwise(rr_ms) if a is not None and b is not None])


def _irregular(normal: Milliseconds, steps: Milliseconds) -> bool | None:
    """Say whether successive intervals differ by much and throughout, not just at one beat."""
    if len(normal) < _MIN_INTERVALS or len(steps) < _MIN_INTERVALS - 1:
        return None
    mean = float(np.mean(normal))
    rmssd = float(np.sqrt(np.mean(steps**2))) / mean
    return bool(rmssd > _IRREGULAR_RMSSD and np.median(np.abs(steps)) / mean > _IRREGULAR_MEDIAN)


def _ms(value: float | None, reason: NotMeasured) -> Quantity:
    return missing(Unit.MS, reason) if value is None else Quantity(value, Unit.MS)


def _rate(interval: float | None, reason: NotMeasured) -> Quantity:
    if interval is None:
        return missing(Unit.PER_MINUTE, reason)
    return Quantity(60_000.0 / interval, Unit.PER_MINUTE)
