"""The median beat of the chosen beats, and everything that is measured on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from reading_worklist.ecg.measurement.beats import samples
from reading_worklist.ecg.measurement.corrections import check_order
from reading_worklist.ecg.measurement.fiducials import Bounds, TEnd, p_bounds, qrs_bounds, t_end
from reading_worklist.ecg.measurement.filtering import RATE_HZ
from reading_worklist.ecg.measurement.lead_values import measure_lead, zero_level
from reading_worklist.ecg.measurement.median import BEFORE, Stack, stack_beats
from reading_worklist.ecg.measurement.p_wave import PState, judge_p
from reading_worklist.ecg.measurement.results import (
    Corrections,
    Fiducials,
    LeadMeasurement,
    MedianBeat,
    NotMeasured,
    Quantity,
    Unit,
)
from reading_worklist.ecg.measurement.signals import Indices, Mask, Stretch
from reading_worklist.ecg.measurement.values import frontal_axis, interval, missing
from storage.ecg.leads import Lead
from storage.ecg.waveform import Microvolts

# Where a first median takes its zero level, before it is known where the QRS begins.
_FIRST_LEVEL: Final = -samples(0.07)
_LEVEL_BEFORE_QRS: Final = samples(0.004)
_T_AFTER_J: Final = samples(0.06)
# T ends in the first three quarters of RR.
_T_LATEST_OF_RR: Final = 0.75
# Between T and the P wave after it the line is flat for a while, or one runs into the other: of
# LUDB's sinus rhythms the least has 65 ms, a flutter of which one wave follows each QRS 36.
_MIN_TP: Final = samples(0.05)
_T_BEFORE_NEXT: Final = samples(0.04)
_MAX_T_SPREAD: Final = samples(0.12)
_MS: Final = 1000.0 / RATE_HZ


@dataclass(frozen=True, slots=True, eq=False)
class Waves:
    """What the median beat shows; see EcgMeasurement for the meaning of the values."""

    median_beat: MedianBeat | None
    p_present: bool | None
    p_duration: Quantity
    pr: Quantity
    qrs: Quantity
    qt: Quantity
    p_axis: Quantity
    qrs_axis: Quantity
    t_axis: Quantity
    rv5: Quantity
    sv1: Quantity
    sokolow_lyon: Quantity
    by_lead: Mapping[Lead, LeadMeasurement]


def no_waves(reason: NotMeasured) -> Waves:
    """Return that nothing was measured, and why."""
    ms, degree = missing(Unit.MS, reason), missing(Unit.DEGREE, reason)
    microvolt = missing(Unit.MICROVOLT, reason)
    return Waves(
        None, None, ms, ms, ms, ms, degree, degree, degree, microvolt, microvolt, microvolt, {}
    )


def measure_waves(
    stretch: Stretch, r: Indices, chosen: Mask, rr: float, corrections: Corrections
) -> Waves:
    """Return what the median of the chosen ones of the beats at r shows.

    rr: the usual RR in samples. Points set by hand in corrections replace
    those found; values follow from them.
    """
    basis = list(stretch.basis)
    first = stack_beats(stretch, r, chosen, _FIRST_LEVEL)
    qrs = _by_hand_qrs(qrs_bounds(first.median[basis]), corrections)
    if qrs is None:
        return no_waves(NotMeasured.NOISE)
    stack = stack_beats(stretch, r, chosen, qrs.onset - BEFORE - _LEVEL_BEFORE_QRS)
    median = stack.median[basis]
    qrs = _by_hand_qrs(qrs_bounds(median) or qrs, corrections) or qrs
    state, p = _p_wave(stack, basis, qrs, rr, corrections)
    before_p = max((p.onset if p else BEFORE) + rr, BEFORE + rr / 2)
    latest = min(BEFORE + _T_LATEST_OF_RR * rr, stack.last, before_p)
    t_found = t_end(median, qrs, int(latest))
    end, t_reason = _t_end(t_found, None if p else latest, corrections)
    by_hand = corrections.p_onset_ms is not None or corrections.t_end_ms is not None
    runs_on = p is not None and t_found is not None and p.onset + rr - t_found.at < _MIN_TP
    if runs_on and not by_hand:
        # One wave between two beats: T, P, both, or the flutter of the atria.
        state, p, end = PState.UNSURE, None, None
    return _values(stretch, stack, int(chosen.sum()), _Points(state, p, qrs, end, t_reason))


@dataclass(frozen=True, slots=True)
class _Points:
    """The points of the median beat in its samples, and why there is no P or no end of T."""

    p_state: PState
    p: Bounds | None
    qrs: Bounds
    t_end: float | None
    t_reason: NotMeasured

    @property
    def p_reason(self) -> NotMeasured:
        """Why there is no P wave, when there is none."""
        if self.p_state is PState.ABSENT:
            return NotMeasured.NO_P_WAVE
        return NotMeasured.P_UNSURE


def _p_wave(
    stack: Stack, basis: Sequence[int], qrs: Bounds, rr: float, corrections: Corrections
) -> tuple[PState, Bounds | None]:
    if corrections.no_p:
        return PState.ABSENT, None
    found = p_bounds(stack.median[basis], qrs.onset, rr)
    state = judge_p(stack.beats[basis], found, qrs.onset)
    if state is not PState.PRESENT:
        found = None
    onset, offset = _sample(corrections.p_onset_ms), _sample(corrections.p_offset_ms)
    if found is None and (onset is None or offset is None):
        return state, None
    by_hand = Bounds(
        onset if onset is not None else found.onset if found else 0,
        offset if offset is not None else found.end if found else 0,
    )
    return PState.PRESENT, by_hand


def _by_hand_qrs(found: Bounds | None, corrections: Corrections) -> Bounds | None:
    onset, offset = _sample(corrections.qrs_onset_ms), _sample(corrections.qrs_offset_ms)
    if found is None:
        return None if onset is None or offset is None else Bounds(onset, offset)
    if onset is not None:
        found = replace(found, onset=onset)
    return found if offset is None else replace(found, end=offset)


def _t_end(
    found: TEnd | None, latest: float | None, corrections: Corrections
) -> tuple[float | None, NotMeasured]:
    if corrections.t_end_ms is not None:
        return BEFORE + corrections.t_end_ms / _MS, NotMeasured.T_UNSURE
    # Where no P wave follows, what does not end before the next beat may be that beat.
    certain = (
        found is not None
        and found.spread <= _MAX_T_SPREAD
        and (latest is None or found.at <= latest - _T_BEFORE_NEXT)
    )
    return found.at if found and certain else None, NotMeasured.T_UNSURE


def _sample(point_ms: float | None) -> int | None:
    return None if point_ms is None else BEFORE + round(point_ms / _MS)


def _ms(sample: float | None) -> float | None:
    return None if sample is None else (sample - BEFORE) * _MS


def _values(stretch: Stretch, stack: Stack, beat_count: int, points: _Points) -> Waves:
    qrs, p = points.qrs, points.p
    fiducials = Fiducials(
        p_onset_ms=_ms(p.onset) if p else None,
        p_offset_ms=_ms(p.end) if p else None,
        qrs_onset_ms=_ms(qrs.onset),
        qrs_offset_ms=_ms(qrs.end),
        t_end_ms=_ms(points.t_end),
    )
    check_order(fiducials)
    t_stop = None if points.t_end is None else min(round(points.t_end), stack.median.shape[1] - 1)
    leads: dict[Lead, Microvolts] = {}
    for lead, row in zip(stretch.names, stack.median, strict=True):
        if lead is not None and lead not in leads:
            leads[lead] = row - zero_level(row, qrs.onset)
    by_lead = {
        lead: measure_lead(row, p, qrs, t_stop, points.p_reason) for lead, row in leads.items()
    }
    sv1, rv5 = _s_of(by_lead.get(Lead.V1)), _r_of(by_lead.get(Lead.V5))
    p_why, t_why = points.p_reason, points.t_reason
    return Waves(
        median_beat=MedianBeat(leads, RATE_HZ, BEFORE, beat_count, fiducials),
        p_present=points.p_state.present,
        p_duration=interval("p_duration", fiducials.p_onset_ms, fiducials.p_offset_ms, p_why),
        pr=interval("pr", fiducials.p_onset_ms, fiducials.qrs_onset_ms, p_why),
        qrs=interval("qrs", fiducials.qrs_onset_ms, fiducials.qrs_offset_ms, NotMeasured.NOISE),
        qt=interval("qt", fiducials.qrs_onset_ms, fiducials.t_end_ms, t_why),
        p_axis=missing(Unit.DEGREE, p_why) if p is None else _axis(leads, p.onset, p.end),
        qrs_axis=_axis(leads, qrs.onset, qrs.end),
        t_axis=missing(Unit.DEGREE, t_why)
        if t_stop is None
        else _axis(leads, min(qrs.end + _T_AFTER_J, t_stop), t_stop),
        rv5=rv5,
        sv1=sv1,
        sokolow_lyon=_sum(rv5, sv1),
        by_lead=by_lead,
    )


def _axis(leads: Mapping[Lead, Microvolts], onset: int, end: int) -> Quantity:
    """Return the axis of the wave; a P wave stands on the line from its onset to its end."""
    areas: list[float | None] = []
    for lead in (Lead.I, Lead.AVF):
        wave = leads[lead][onset : end + 1] if lead in leads else None
        areas.append(None if wave is None else float(np.sum(wave)) * _MS)
    return frontal_axis(areas[0], areas[1])


def _r_of(lead: LeadMeasurement | None) -> Quantity:
    if lead is None or lead.r.value is None or lead.r_prime.value is None:
        return missing(Unit.MICROVOLT, NotMeasured.LEAD_MISSING)
    return Quantity(max(lead.r.value, lead.r_prime.value), Unit.MICROVOLT)


def _s_of(lead: LeadMeasurement | None) -> Quantity:
    """Return the depth of S; of a QS, its own."""
    if lead is None or lead.s.value is None or lead.q.value is None or lead.r.value is None:
        return missing(Unit.MICROVOLT, NotMeasured.LEAD_MISSING)
    return Quantity(-(lead.s.value if lead.r.value else lead.q.value), Unit.MICROVOLT)


def _sum(first: Quantity, second: Quantity) -> Quantity:
    if first.value is None or second.value is None:
        return missing(Unit.MICROVOLT, NotMeasured.LEAD_MISSING)
    return Quantity(first.value + second.value, Unit.MICROVOLT)
