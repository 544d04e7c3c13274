"""The calibration pulse that some devices record behind the heart's signal, in the same samples.

They end every lead with a stretch of zeros and a square pulse of 1 mV, which is there to check the
gain of a print and would be read as a beat.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from storage.ecg.waveform import EcgGroup, EcgRecord, GroupKind, Microvolts

_MIN_SECONDS: Final = 0.2
_SAME_MICROVOLT: Final = 1.0
_MIN_STEP_MICROVOLT: Final = 100.0
_PULSE_MICROVOLTS: Final = 1000.0
_PULSE_SECONDS: Final = (0.08, 0.3)
_TAIL_SECONDS: Final = 2.0
_NOTE: Final = "A calibration pulse of 1 mV at the end was taken off."


def calibration_pulses(signal: Microvolts, rate_hz: float) -> Sequence[tuple[int, int]]:
    """Return the half-open ranges of (leads, samples) where a calibration pulse stands, in order.

    There all leads hold the same value for 0.2 s and more, and step together: no heart does that.
    Ask for leads that do not follow from each other; of one alone nothing can be said.
    """
    if len(signal) <= 1 or not signal.shape[1]:
        return []
    same = np.nan_to_num(np.max(signal, axis=0) - np.min(signal, axis=0), nan=np.inf)
    alike = np.concatenate([[False], same < _SAME_MICROVOLT, [False]])
    edges = np.flatnonzero(np.diff(alike.astype(np.int8)))
    return [
        (start, stop)
        for start, stop in edges.reshape(-1, 2).tolist()
        if stop - start >= _MIN_SECONDS * rate_hz
        and np.ptp(signal[0, start:stop]) > _MIN_STEP_MICROVOLT
    ]


def without_pulse(record: EcgRecord) -> EcgRecord:
    """Return the record without calibration pulses at the end of its rhythm groups.

    A pulse is where every channel is at 0 and then together at 1 mV for about 0.2 s: no heart does
    that. A note says so; a record without one is returned as it is.
    """
    groups = tuple(
        _cut(group) if group.kind is GroupKind.RHYTHM else group for group in record.groups
    )
    if all(new is old for new, old in zip(groups, record.groups, strict=True)):
        return record
    return replace(record, groups=groups, notes=(*record.notes, _NOTE))


def _cut(group: EcgGroup) -> EcgGroup:
    tail = min(round(_TAIL_SECONDS * group.sampling_rate_hz), group.sample_count)
    begin = group.sample_count - tail
    values = np.array([one.microvolts(begin, group.sample_count) for one in group.channels])
    found = calibration_pulses(values, group.sampling_rate_hz)
    if not found or found[-1][1] < tail:
        return group
    first = found[-1][0]
    level = values[0, first:]
    others = np.flatnonzero((level != 0.0) & (level != _PULSE_MICROVOLTS))
    first += int(others[-1]) + 1 if others.size else 0
    high = values[0, first:] == _PULSE_MICROVOLTS
    pulses = np.flatnonzero(np.diff(np.concatenate(([False], high, [False]))))
    lasts = (pulses[1::2] - pulses[::2]) / group.sampling_rate_hz
    shortest, longest = _PULSE_SECONDS
    if lasts.size != 1 or not shortest <= float(lasts[0]) <= longest or begin + first == 0:
        return group
    end = begin + first
    return replace(
        group,
        sample_count=end,
        channels=tuple(replace(one, samples=one.samples[:end]) for one in group.channels),
    )
