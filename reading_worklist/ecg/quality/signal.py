"""What the samples of each lead say of how they were recorded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from reading_worklist.ecg.quality.findings import (
    LIMITS,
    Code,
    Finding,
    Quality,
    Severity,
    graded,
    in_order,
    ordered,
)
from reading_worklist.ecg.quality.noise import baseline_wander, mains_noise, muscle_noise
from storage.ecg.leads import CHEST_LEADS, STANDARD_LEADS, Lead
from storage.ecg.waveform import (
    NO_SIGNAL,
    ChannelStatus,
    EcgGroup,
    EcgRecord,
    Microvolts,
    RecordedChannel,
)

_FLAT_MICROVOLTS: Final = 10.0
_ALIVE_MICROVOLTS: Final = 100.0
_BLOCK_SECONDS: Final = 0.25
_RAIL_MICROVOLTS: Final = 1000.0
_STEEP_MICROVOLTS_PER_MS: Final = 10.0
_RAIL_MS: Final = 200.0
# Too noisy to be measured is what has to be repeated for it.
_UNFIT: Final = frozenset(
    {
        Code.LEAD_OFF,
        Code.NO_SIGNAL,
        Code.FLAT_LINE,
        Code.MISSING_SAMPLES,
        Code.CLIPPED,
        Code.MAINS_NOISE,
        Code.MUSCLE_NOISE,
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class _Signals:
    """The named channels of a group: µV as (channels, samples), gaps bridged by a straight line."""

    group: EcgGroup
    channels: Sequence[RecordedChannel]
    leads: Sequence[Lead]
    missing: npt.NDArray[np.float64]
    values: Microvolts


def assess(record: EcgRecord) -> Quality:
    """Return what is wrong with a recording as far as its samples tell.

    A record longer than a resting ECG is only said to be that: its noise comes and goes.
    """
    findings = _whole(record)
    if any(one.code is Code.TOO_LONG for one in findings):
        return Quality(ordered(findings), in_order(record.leads()))
    for group in record.rhythm_groups:
        findings += _group_findings(group)
    unfit = {
        lead
        for one in findings
        if one.severity is Severity.REPEAT and one.code in _UNFIT
        for lead in one.leads
    }
    recorded = {
        channel.lead
        for group in record.rhythm_groups
        for channel in group.channels
        if channel.lead is not None
    }
    return Quality(ordered(_merged(findings)), in_order(recorded - unfit))


def fit_part(record: EcgRecord, quality: Quality) -> EcgRecord:
    """Return the rhythm groups of the record without the leads that are not fit to be measured."""
    usable = set(quality.usable)
    groups = tuple(
        replace(group, channels=tuple(one for one in group.channels if one.lead in usable))
        for group in record.rhythm_groups
    )
    return replace(record, groups=groups)


def _whole(record: EcgRecord) -> list[Finding]:
    findings: list[Finding] = []
    seconds = record.duration_seconds
    too_long = LIMITS[Code.TOO_LONG].note
    if too_long is not None and seconds > too_long:
        return [Finding(Code.TOO_LONG, Severity.NOTE, (), seconds, too_long)]
    slowest = min(group.sampling_rate_hz for group in record.rhythm_groups)
    for code, value in ((Code.TOO_SHORT, seconds), (Code.SAMPLING_RATE, slowest)):
        for severity, least in (
            (Severity.REPEAT, LIMITS[code].repeat),
            (Severity.NOTE, LIMITS[code].note),
        ):
            if least is not None and value < least:
                findings.append(Finding(code, severity, (), value, least))
                break
    present = set(record.leads())
    missing = [lead for lead in STANDARD_LEADS if lead not in present]
    if missing:
        # Without any chest lead it was not meant to be one of twelve leads.
        twelve = any(lead in present for lead in CHEST_LEADS)
        severity = Severity.REPEAT if twelve else Severity.NOTE
        findings.append(Finding(Code.MISSING_LEADS, severity, tuple(missing)))
    return findings


def _group_findings(group: EcgGroup) -> list[Finding]:
    signals = _signals(group)
    findings = _said_by_device(signals)
    if not signals.channels or group.sample_count == 0:
        return findings
    findings += graded(Code.MISSING_SAMPLES, _by_lead(signals, signals.missing * 100))
    flat, alive = _flat_seconds(signals)
    if not alive:
        return [*findings, Finding(Code.NO_SIGNAL, Severity.REPEAT, in_order(signals.leads))]
    findings += graded(Code.FLAT_LINE, flat)
    findings += graded(Code.CLIPPED, _by_lead(signals, _clipped_ms(signals)))
    rate = group.sampling_rate_hz
    for code, measured in (
        (Code.MAINS_NOISE, mains_noise(signals.values, rate)),
        (Code.MUSCLE_NOISE, muscle_noise(signals.values, rate)),
        (Code.BASELINE_WANDER, baseline_wander(signals.values, rate)),
    ):
        # A flat or lost stretch has steps at its ends that are no noise.
        told = {
            lead: value
            for lead, value in _by_lead(signals, measured).items()
            if lead not in {known for one in findings for known in one.leads}
        }
        findings += graded(code, told)
    findings += _limb_lead_sums(signals)
    return findings


def _signals(group: EcgGroup) -> _Signals:
    channels = [one for one in group.channels if one.lead is not None]
    values: Microvolts = np.array([one.microvolts() for one in channels])
    missing = np.zeros(len(channels))
    for index, line in enumerate(values):
        lost = np.isnan(line)
        missing[index] = lost.mean() if line.size else 0.0
        if lost.all():
            line[:] = 0.0
        elif lost.any():
            gone, there = np.flatnonzero(lost), np.flatnonzero(~lost)
            line[gone] = np.interp(gone, there, line[there])
    leads = [one.lead for one in channels if one.lead is not None]
    return _Signals(group, channels, leads, missing, values)


def _by_lead(signals: _Signals, values: Sequence[float] | Microvolts) -> dict[Lead, float]:
    """Return a value for each lead that the device does not call off."""
    return {
        lead: float(value)
        for lead, channel, value in zip(signals.leads, signals.channels, values, strict=True)
        if not channel.status & NO_SIGNAL
    }


def _said_by_device(signals: _Signals) -> list[Finding]:
    off = [
        lead
        for lead, channel in zip(signals.leads, signals.channels, strict=True)
        if channel.status & NO_SIGNAL
    ]
    doubtful = [
        lead
        for lead, channel in zip(signals.leads, signals.channels, strict=True)
        if channel.status & {ChannelStatus.QUESTIONABLE} and lead not in off
    ]
    findings: list[Finding] = []
    if off:
        findings.append(Finding(Code.LEAD_OFF, Severity.REPEAT, in_order(off)))
    if doubtful:
        findings.append(Finding(Code.QUESTIONABLE, Severity.NOTE, in_order(doubtful)))
    return findings


def _flat_seconds(signals: _Signals) -> tuple[dict[Lead, float], bool]:
    """Return for how long each lead is level while another is not, and whether any is not at all.

    The longest stretch counts, in steps of a quarter of a second.
    """
    rate = signals.group.sampling_rate_hz
    block = max(round(rate * _BLOCK_SECONDS), 1)
    span = min(round((LIMITS[Code.FLAT_LINE].repeat or 0.0) / _BLOCK_SECONDS), 10**6)
    count = signals.values.shape[1] // block
    if count < span:
        whole = np.ptp(signals.values, axis=1)
        return {}, bool((whole > _FLAT_MICROVOLTS).any())
    blocks = signals.values[:, : count * block].reshape(len(signals.leads), count, block)
    highest = np.lib.stride_tricks.sliding_window_view(blocks.max(axis=2), span, axis=1)
    lowest = np.lib.stride_tricks.sliding_window_view(blocks.min(axis=2), span, axis=1)
    spread = highest.max(axis=2) - lowest.min(axis=2)
    alive = spread.max(axis=0) >= _ALIVE_MICROVOLTS
    flat: dict[Lead, float] = {}
    for lead, channel, line in zip(signals.leads, signals.channels, spread, strict=True):
        if channel.status & NO_SIGNAL:
            continue
        level = (line <= max(_FLAT_MICROVOLTS, abs(channel.microvolts_per_unit))) & alive
        longest = _longest_run(level)
        if longest:
            flat[lead] = (longest - 1 + span) * _BLOCK_SECONDS
    return flat, bool((spread > _FLAT_MICROVOLTS).any())


def _longest_run(marks: npt.NDArray[np.bool_]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], marks, [False]))))
    return int((edges[1::2] - edges[::2]).max()) if edges.size else 0


def _clipped_ms(signals: _Signals) -> list[float]:
    """Return the longest time that each lead stays at its highest or lowest value in a steep wave.

    A wave that turns is never level for so long just after a steep slope, and no wave at all for
    a fifth of a second; a millivolt from the lead's middle no baseline rests.
    """
    per_sample = 1000.0 / signals.group.sampling_rate_hz
    found: list[float] = []
    for channel, line in zip(signals.channels, signals.values, strict=True):
        raw = channel.samples
        known = raw[~np.isnan(channel.in_microvolts(raw))]
        middle = float(np.median(line))
        worst = 0.0
        for extreme in (known.max(), known.min()) if known.size else ():
            begins, ends = _runs(raw == extreme)
            if abs(float(line[begins[0]]) - middle) < _RAIL_MICROVOLTS:
                continue
            for begin, end in zip(begins, ends, strict=True):
                lasts = (end - begin) * per_sample
                if end - begin < 3 or lasts <= worst:  # noqa: PLR2004 -- two samples make no level
                    continue
                before = abs(line[begin] - line[begin - 1]) if begin else 0.0
                after = abs(line[end - 1] - line[end]) if end < line.size else 0.0
                steep = max(before, after) / per_sample >= _STEEP_MICROVOLTS_PER_MS
                if steep or lasts >= _RAIL_MS:
                    worst = lasts
        found.append(worst)
    return found


def _runs(
    marks: npt.NDArray[np.bool_],
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], marks, [False]))))
    return edges[::2], edges[1::2]


def _limb_lead_sums(signals: _Signals) -> list[Finding]:
    """Return whether the limb leads contradict each other, by the value that 5 % exceed."""
    at = {
        lead: (channel, line)
        for lead, channel, line in zip(signals.leads, signals.channels, signals.values, strict=True)
        if not channel.status & NO_SIGNAL
    }
    findings: list[Finding] = []
    terms: tuple[Mapping[Lead, float], ...] = (
        {Lead.I: 1.0, Lead.III: 1.0, Lead.II: -1.0},
        {Lead.AVR: 1.0, Lead.AVL: 1.0, Lead.AVF: 1.0},
    )
    for weights in terms:
        if not weights.keys() <= at.keys():
            continue
        skews = [at[lead][0].skew_seconds for lead in weights]
        if (max(skews) - min(skews)) * signals.group.sampling_rate_hz > 1:
            continue
        total = np.sum([weight * at[lead][1] for lead, weight in weights.items()], axis=0)
        residual = float(np.percentile(np.abs(total - np.median(total)), 95))
        findings += graded(Code.LIMB_LEAD_SUM, dict.fromkeys(weights, residual))
    return findings


def _merged(findings: Sequence[Finding]) -> list[Finding]:
    """Return one finding for each code and severity: groups are recorded one after the other."""
    merged: dict[tuple[Code, Severity], Finding] = {}
    for one in findings:
        first = merged.get((one.code, one.severity))
        if first is None:
            merged[one.code, one.severity] = one
            continue
        values = [value for value in (first.value, one.value) if value is not None]
        merged[one.code, one.severity] = replace(
            first,
            leads=in_order({*first.leads, *one.leads}),
            value=max(values, default=None),
        )
    return list(merged.values())
