"""A calibration pulse that a device has recorded behind the heart's signal is taken off.

Some devices end every lead with a stretch of zeros and a square pulse of 1 mV, which is there to
check the gain of a print and would be read as a beat.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from storage.ecg.waveform import EcgGroup, EcgRecord, GroupKind

_PULSE_MICROVOLTS: Final = 1000.0
_PULSE_SECONDS: Final = (0.08, 0.3)
_TAIL_SECONDS: Final = 2.0
_NOTE: Final = "A calibration pulse of 1 mV at the end was taken off."


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
    # With one channel alone, nothing tells a pulse from a signal.
    if len(group.channels) < 2 or tail == 0:  # noqa: PLR2004
        return group
    values = np.array([one.microvolts(begin, group.sample_count) for one in group.channels])
    high = (values == _PULSE_MICROVOLTS).all(axis=0)
    level = high | (values == 0.0).all(axis=0)
    if not level[-1]:
        return group
    others = np.flatnonzero(~level)
    first = int(others[-1]) + 1 if others.size else 0
    pulses = np.flatnonzero(np.diff(np.concatenate(([False], high[first:], [False]))))
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
