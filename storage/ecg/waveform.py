"""The ECG as everything here sees it, whatever file it came from.

A record holds groups of channels that were sampled together (DICOM: multiplex
groups). Samples stay the integers that the file holds, so that nothing is lost
and a 24 h record costs no more memory than its file; `microvolts` converts the
part that somebody asks for. Missing samples are NaN there, never zero.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import combinations
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from storage.ecg.leads import LIMB_LEADS, Lead

Microvolts: TypeAlias = npt.NDArray[np.float64]
Samples: TypeAlias = npt.NDArray[np.integer[Any] | np.floating[Any]]


class GroupKind(StrEnum):
    """What a group's samples are."""

    RHYTHM = "RHYTHM"
    MEDIAN_BEAT = "MEDIAN BEAT"


class LeadOrigin(StrEnum):
    """Where a lead's samples come from."""

    RECORDED = "recorded"
    DEVICE_DERIVED = "device-derived"
    COMPUTED = "computed"


class ChannelStatus(StrEnum):
    """What the device said of a channel (PS3.3 C.10.9, Channel Status); OK is the empty set."""

    TEST_DATA = "TEST DATA"
    DISCONNECTED = "DISCONNECTED"
    QUESTIONABLE = "QUESTIONABLE"
    INVALID = "INVALID"
    UNCALIBRATED = "UNCALIBRATED"
    UNZEROED = "UNZEROED"


NO_SIGNAL: Final = frozenset({ChannelStatus.DISCONNECTED, ChannelStatus.INVALID})


@dataclass(frozen=True, slots=True)
class FilterSettings:
    """The filters a device applied before it stored the samples.

    Frequencies in Hz; None where the file says nothing, 0 where it says that
    the filter was off. low_hz is the high-pass corner, high_hz the low-pass
    corner, as DICOM names them.
    """

    low_hz: float | None = None
    high_hz: float | None = None
    notch_hz: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class RecordedChannel:
    """One channel as the file holds it.

    lead is None for a source without a standard name; label is then what to
    call it. Microvolts are ``samples × microvolts_per_unit +
    baseline_microvolts``; raw values listed in missing stand for no sample.
    skew_seconds is the delay of the first sample against the group's start.
    """

    lead: Lead | None
    label: str
    samples: Samples
    microvolts_per_unit: float = 1.0
    baseline_microvolts: float = 0.0
    missing: tuple[int, ...] = ()
    skew_seconds: float = 0.0
    filters: FilterSettings = field(default=FilterSettings())
    status: frozenset[ChannelStatus] = frozenset()
    origin: LeadOrigin = LeadOrigin.RECORDED

    def microvolts(self, start: int = 0, stop: int | None = None) -> Microvolts:
        """Return samples [start, stop) in µV, NaN where a sample is missing."""
        return self.in_microvolts(self.samples[start:stop])

    def in_microvolts(self, raw: Samples) -> Microvolts:
        """Return raw values of this channel in µV, NaN for those that stand for no sample."""
        values = raw.astype(np.float64) * self.microvolts_per_unit + self.baseline_microvolts
        for marker in self.missing:
            values[raw == marker] = np.nan
        return values


@dataclass(frozen=True, slots=True, eq=False)
class ComputedChannel:
    """A limb lead that the file lacks, computed from two that it has (Einthoven, Goldberger).

    terms are (weight, recorded channel); a sample is missing when it is
    missing in either.
    """

    lead: Lead
    terms: tuple[tuple[float, RecordedChannel], ...]

    @property
    def label(self) -> str:
        """The lead's name."""
        return self.lead.value

    @property
    def skew_seconds(self) -> float:
        """The skew of the first term; terms within a sample of each other count as simultaneous."""
        return self.terms[0][1].skew_seconds

    @property
    def filters(self) -> FilterSettings:
        """The settings common to both terms; unknown where they differ."""
        first, *others = (channel.filters for _, channel in self.terms)
        return first if all(other == first for other in others) else FilterSettings()

    @property
    def status(self) -> frozenset[ChannelStatus]:
        """Whatever is wrong with either term is wrong with the sum."""
        return frozenset[ChannelStatus]().union(*(channel.status for _, channel in self.terms))

    @property
    def origin(self) -> LeadOrigin:
        """Always computed."""
        return LeadOrigin.COMPUTED

    def microvolts(self, start: int = 0, stop: int | None = None) -> Microvolts:
        """Return samples [start, stop) in µV, NaN where a sample is missing."""
        (weight, channel), *others = self.terms
        total = channel.microvolts(start, stop) * weight
        for weight, channel in others:
            total += channel.microvolts(start, stop) * weight
        return total


Channel: TypeAlias = RecordedChannel | ComputedChannel

# Every limb lead as (weight of I, weight of II): Einthoven's law and Goldberger's terminals.
_IN_TERMS_OF_I_AND_II: Final[Mapping[Lead, tuple[float, float]]] = {
    Lead.I: (1.0, 0.0),
    Lead.II: (0.0, 1.0),
    Lead.III: (-1.0, 1.0),
    Lead.AVR: (-0.5, -0.5),
    Lead.AVL: (1.0, -0.5),
    Lead.AVF: (-0.5, 1.0),
}


@dataclass(frozen=True, slots=True, eq=False)
class EcgGroup:
    """Channels sampled together at one rate.

    offset_seconds is the start of the group on the record's time axis (0 = the
    first sample of the earliest rhythm group). All channels hold sample_count
    samples.
    """

    kind: GroupKind
    label: str
    sampling_rate_hz: float
    sample_count: int
    channels: tuple[RecordedChannel, ...]
    offset_seconds: float = 0.0

    @property
    def duration_seconds(self) -> float:
        """Length of the group."""
        return self.sample_count / self.sampling_rate_hz

    def channel(self, lead: Lead) -> Channel | None:
        """Return the lead: as recorded (the first, if twice), else computed, else None.

        −aVR and any limb lead are computed when two other limb leads are
        recorded, are connected and start within one sample of each other.
        """
        recorded = self._recorded(lead)
        if recorded is not None:
            return recorded
        weights = _IN_TERMS_OF_I_AND_II.get(lead)
        if lead is Lead.MINUS_AVR:
            avr = self._recorded(Lead.AVR)
            if avr is not None:
                return ComputedChannel(lead, ((-1.0, avr),))
            weights = (0.5, 0.5)
        return None if weights is None else self._computed(lead, weights)

    def leads(self) -> Sequence[Lead]:
        """Return every lead to be had: recorded ones in file order, then computed limb leads."""
        recorded = dict.fromkeys(
            channel.lead for channel in self.channels if channel.lead is not None
        )
        computed = [
            lead for lead in LIMB_LEADS if lead not in recorded and self.channel(lead) is not None
        ]
        return [*recorded, *computed]

    def _recorded(self, lead: Lead) -> RecordedChannel | None:
        return next((channel for channel in self.channels if channel.lead is lead), None)

    def _computed(self, lead: Lead, weights: tuple[float, float]) -> ComputedChannel | None:
        limbs = [
            channel
            for limb in LIMB_LEADS
            if (channel := self._recorded(limb)) and not channel.status & NO_SIGNAL
        ]
        for first, second in combinations(limbs, 2):
            if (
                first.lead is None
                or second.lead is None
                or abs(first.skew_seconds - second.skew_seconds) * self.sampling_rate_hz > 1
            ):
                continue
            a, b = _IN_TERMS_OF_I_AND_II[first.lead]
            c, d = _IN_TERMS_OF_I_AND_II[second.lead]
            # Any two limb leads are linearly independent, so the determinant is never 0.
            determinant = a * d - b * c
            first_weight = (weights[0] * d - weights[1] * c) / determinant
            second_weight = (weights[1] * a - weights[0] * b) / determinant
            return ComputedChannel(lead, ((first_weight, first), (second_weight, second)))
        return None


class MeasurementConcept(StrEnum):
    """What a global device measurement measures, whatever code the device used."""

    HEART_RATE = "heart_rate"
    ATRIAL_RATE = "atrial_rate"
    RR = "rr"
    PP = "pp"
    P_DURATION = "p_duration"
    PR = "pr"
    QRS = "qrs"
    QT = "qt"
    QTC = "qtc"
    QTC_BAZETT = "qtc_bazett"
    QTC_FRIDERICIA = "qtc_fridericia"
    P_AXIS = "p_axis"
    QRS_AXIS = "qrs_axis"
    T_AXIS = "t_axis"


@dataclass(frozen=True, slots=True)
class DeviceMeasurement:
    """A value the device measured, as the file states it.

    concept: what it is, None for one we have no name for.
    name: the file's own name of it.
    code: ``SCHEME:value`` as the file codes it; empty when uncoded.
    value: in unit; None when the device wrote 0 for an interval or a rate,
        which is how devices say "not measured".
    unit: ms, deg, /min for the known concepts; else as the file states it.
    value_as_written, unit_as_written: the file's own text.
    lead: the lead it holds for; None for a global value.
    """

    concept: MeasurementConcept | None
    name: str
    code: str
    value: float | None
    unit: str
    value_as_written: str
    unit_as_written: str
    lead: Lead | None = None


@dataclass(frozen=True, slots=True)
class DeviceStatement:
    """One interpretation statement of the device, in its own words; code is empty for free text."""

    text: str
    code: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class EcgRecord:
    """One ECG object.

    groups: in file order; at least one.
    acquired_at: the device's clock; aware only when the file states its
        offset from UTC, otherwise the wall clock of the site.
    measurements, statements: the device's own, in file order, never ours.
    notes: what had to be read leniently, in plain English, without patient data.
    """

    groups: tuple[EcgGroup, ...]
    acquired_at: datetime | None = None
    manufacturer: str = ""
    model: str = ""
    measurements: tuple[DeviceMeasurement, ...] = ()
    statements: tuple[DeviceStatement, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def rhythm_groups(self) -> tuple[EcgGroup, ...]:
        """The groups that are a stretch of time; all groups when the file holds none such."""
        return (
            tuple(group for group in self.groups if group.kind is GroupKind.RHYTHM) or self.groups
        )

    @property
    def median_beat(self) -> EcgGroup | None:
        """The device's median beat, if the file holds one."""
        return next((group for group in self.groups if group.kind is GroupKind.MEDIAN_BEAT), None)

    @property
    def duration_seconds(self) -> float:
        """The record's length: from the first rhythm group's start to the last one's end."""
        return max(group.offset_seconds + group.duration_seconds for group in self.rhythm_groups)

    @property
    def size_bytes(self) -> int:
        """Memory that the samples take."""
        return sum(
            channel.samples.size * channel.samples.itemsize
            for group in self.groups
            for channel in group.channels
        )

    def find(self, lead: Lead) -> tuple[EcgGroup, Channel] | None:
        """Return the lead and its rhythm group; a recorded one before a computed one."""
        found = [
            (group, channel)
            for group in self.rhythm_groups
            if (channel := group.channel(lead)) is not None
        ]
        return min(found, key=lambda hit: hit[1].origin is LeadOrigin.COMPUTED, default=None)

    def leads(self) -> Sequence[Lead]:
        """Return every lead the rhythm groups can show, without repetition."""
        return list(dict.fromkeys(lead for group in self.rhythm_groups for lead in group.leads()))

    def measurement(self, concept: MeasurementConcept) -> DeviceMeasurement | None:
        """Return the device's global value for the concept: the first that has a value."""
        return next(
            (
                m
                for m in self.measurements
                if m.concept is concept and m.lead is None and m.value is not None
            ),
            None,
        )
