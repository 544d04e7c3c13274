"""What is measured of a record: the leads with a signal, one stretch of time, one sampling rate."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from reading_worklist.ecg.measurement.filtering import to_common_rate
from reading_worklist.ecg.measurement.pacing import find_spikes, without_spikes
from storage.ecg.calibration import calibration_pulses
from storage.ecg.leads import CHEST_LEADS, LIMB_LEADS, STANDARD_LEADS, Lead
from storage.ecg.waveform import NO_SIGNAL, Channel, EcgGroup, EcgRecord, Microvolts

MIN_RATE_HZ: Final = 100.0
MAX_RATE_HZ: Final = 1000.0
MIN_SECONDS: Final = 2.0
MAX_SECONDS: Final = 60.0

# A lead counts where it has a signal for at least this share of the stretch.
_MIN_VALID_SHARE: Final = 0.5
_MIN_PULSE_LEADS: Final = 3
_MAX_PULSE_SHARE: Final = 0.5
# An electrode that is off, or an amplifier at its limit, holds one value; a heart does not for 2 s.
_FLAT_SECONDS: Final = 2.0
_MIN_MICROVOLTS: Final = 20.0
_MAX_MICROVOLTS: Final = 30_000.0

Mask: TypeAlias = npt.NDArray[np.bool_]
Indices: TypeAlias = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Simultaneous leads at 500 Hz.

    start_seconds: of the first sample, on the record's axis.
    names: per row; None for a channel without a standard name, which helps to
        find and time waves but has no values of its own.
    microvolts: (leads, samples), gaps bridged by a line.
    valid: (leads, samples), False where a sample is missing or held flat.
    basis: the rows that are linearly independent: of the limb leads two.
    spikes: times of pacing spikes, seconds on the record's axis; they are no
        longer in the samples.
    """

    start_seconds: float
    names: Sequence[Lead | None]
    microvolts: Microvolts
    valid: Mask
    basis: Sequence[int]
    spikes: Sequence[float]

    @property
    def sample_count(self) -> int:
        """Samples at 500 Hz."""
        return self.microvolts.shape[1]

    @property
    def gap(self) -> Mask:
        """(samples,), True where fewer than half of the independent leads have a signal."""
        return self.valid[list(self.basis)].mean(axis=0) < _MIN_VALID_SHARE

    def row(self, lead: Lead) -> int | None:
        """Return the row of a lead."""
        return self.names.index(lead) if lead in self.names else None


def best_group(record: EcgRecord) -> EcgGroup:
    """Return the rhythm group to measure: most independent leads first, then the longest."""
    return max(
        record.rhythm_groups,
        key=lambda group: (
            min(group.duration_seconds, MAX_SECONDS) >= MIN_SECONDS,
            len(_basis_channels(group)),
            group.duration_seconds,
        ),
    )


def read_stretch(group: EcgGroup) -> Stretch | None:
    """Return the group's first 60 s as a stretch; None when no lead has a signal.

    The caller checks rate and length.
    """
    rate = group.sampling_rate_hz
    stop = min(group.sample_count, int(MAX_SECONDS * rate))
    leads = [
        (lead, values, valid)
        for lead, channel in _channels(group)
        if not channel.status & NO_SIGNAL
        and (valid := _valid(values := channel.microvolts(0, stop), rate)).mean()
        >= _MIN_VALID_SHARE
    ]
    basis = _basis([lead for lead, _, _ in leads])
    if not basis:
        return None
    pulse = _pulse(np.array([leads[row][1] for row in basis]), rate)
    return _stretch(group, [(lead, values, valid & ~pulse) for lead, values, valid in leads])


def _stretch(
    group: EcgGroup, leads: Sequence[tuple[Lead | None, Microvolts, Mask]]
) -> Stretch | None:
    rate = group.sampling_rate_hz
    kept = [
        (lead, filled, valid)
        for lead, values, valid in leads
        if valid.any() and np.ptp(filled := _bridged(values, valid)) >= _MIN_MICROVOLTS
    ]
    if not kept:
        return None
    names = [lead for lead, _, _ in kept]
    basis = _basis(names)
    native = np.array([filled for _, filled, _ in kept])
    spikes = find_spikes(native[basis], rate)
    microvolts = to_common_rate(without_spikes(native, rate, spikes), rate)
    count = microvolts.shape[1]
    at = np.array(np.linspace(0, native.shape[1] - 1, count), np.intp)
    return Stretch(
        start_seconds=group.offset_seconds,
        names=tuple(names),
        microvolts=microvolts,
        valid=np.array([valid for _, _, valid in kept])[:, at],
        basis=tuple(basis),
        spikes=tuple(group.offset_seconds + spikes / rate),
    )


def _pulse(basis: Microvolts, rate_hz: float) -> Mask:
    """Return which samples belong to a calibration pulse."""
    found = np.zeros(basis.shape[1], np.bool_)
    if len(basis) >= _MIN_PULSE_LEADS:
        for start, stop in calibration_pulses(basis, rate_hz):
            found[start:stop] = True
    # Leads that are the same throughout are a test signal, of which the pulse is no part.
    return found & (found.mean() <= _MAX_PULSE_SHARE)


def _channels(group: EcgGroup) -> Sequence[tuple[Lead | None, Channel]]:
    """Return the standard leads, recorded or computed, then every other channel."""
    standard: list[tuple[Lead | None, Channel]] = [
        (lead, channel) for lead in STANDARD_LEADS if (channel := group.channel(lead)) is not None
    ]
    used = {lead for lead, _ in standard}
    return [*standard, *((c.lead, c) for c in group.channels if c.lead not in used or not c.lead)]


def _basis_channels(group: EcgGroup) -> Sequence[int]:
    return _basis([lead for lead, _ in _channels(group)])


def _basis(names: Sequence[Lead | None]) -> list[int]:
    """Return the rows to time waves by: the first two limb leads, all chest leads, else all."""
    limb = [row for row, lead in enumerate(names) if lead in LIMB_LEADS][:2]
    chest = [row for row, lead in enumerate(names) if lead in CHEST_LEADS]
    return (limb + chest) or list(range(len(names)))


def _valid(values: Microvolts, rate_hz: float) -> Mask:
    """Return where there is a signal: a plausible number, not held flat for 2 s."""
    if not np.isfinite(values).any():
        return np.zeros(len(values), np.bool_)
    valid = np.isfinite(values) & (np.abs(values - np.nanmedian(values)) < _MAX_MICROVOLTS)
    changes = np.flatnonzero(np.diff(values) != 0) + 1
    edges = np.concatenate([[0], changes, [len(values)]])
    lengths = np.diff(edges)
    for index in np.flatnonzero(lengths >= _FLAT_SECONDS * rate_hz):
        valid[edges[index] : edges[index + 1]] = False
    return valid


def _bridged(values: Microvolts, valid: Mask) -> Microvolts:
    if valid.all():
        return values
    at = np.arange(len(values))
    return np.interp(at, at[valid], values[valid])
