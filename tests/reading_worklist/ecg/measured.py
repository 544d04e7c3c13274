"""Measurements with known numbers, for what is made of them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from reading_worklist.ecg.measurement.results import (
    METHOD,
    NO_CORRECTIONS,
    VERSION,
    EcgMeasurement,
    Fiducials,
    LeadMeasurement,
    MedianBeat,
    NotMeasured,
    Qtc,
    Quantity,
    RhythmFeatures,
    Unit,
)
from storage.ecg.leads import STANDARD_LEADS, Lead

RATE: Final = 500.0
POINTS: Final = Fiducials(
    p_onset_ms=-180, p_offset_ms=-80, qrs_onset_ms=-40, qrs_offset_ms=50, t_end_ms=350
)


def number(value: float, unit: Unit = Unit.MS) -> Quantity:
    return Quantity(value, unit)


def missing(unit: Unit = Unit.MS, reason: NotMeasured = NotMeasured.P_UNSURE) -> Quantity:
    return Quantity(None, unit, reason)


def median_beat(
    *, height_uv: float = 1000, points: Fiducials = POINTS, leads: tuple[Lead, ...] = STANDARD_LEADS
) -> MedianBeat:
    """A triangle of 100 ms around R, from 400 ms before to 600 ms after."""
    milliseconds = np.arange(-400, 600, 1000 / RATE)
    triangle = np.clip(1 - np.abs(milliseconds) / 50, 0, None) * height_uv
    signed = {lead: -triangle if lead is Lead.AVR else triangle for lead in leads}
    return MedianBeat(signed, RATE, 200, 9, points)


def measured_lead(st_j: float = 0, st_j60: float = 0) -> LeadMeasurement:
    nothing = number(0, Unit.MICROVOLT)
    return LeadMeasurement(
        st_j=number(st_j, Unit.MICROVOLT),
        st_j60=number(st_j60, Unit.MICROVOLT),
        p=nothing,
        q=nothing,
        r=number(1000, Unit.MICROVOLT),
        s=nothing,
        r_prime=nothing,
        t=nothing,
    )


def measurement(
    beat: MedianBeat | None = None,
    *,
    by_lead: Mapping[Lead, LeadMeasurement] | None = None,
    **more: Quantity,
) -> EcgMeasurement:
    """A sinus rhythm of 60/min with everything measured; `more` are other values by field."""
    formula = number(400)
    made = EcgMeasurement(
        method=METHOD,
        version=VERSION,
        corrections=NO_CORRECTIONS,
        start_seconds=0,
        end_seconds=10,
        leads=STANDARD_LEADS,
        beats=(),
        median_beat=beat,
        rr_ms=(1000.0,) * 9,
        heart_rate=number(60, Unit.PER_MINUTE),
        p_duration=number(100),
        pr=number(140),
        qrs=number(90),
        qt=number(390),
        qtc=Qtc(formula, formula, formula, formula),
        p_axis=number(45, Unit.DEGREE),
        qrs_axis=number(30, Unit.DEGREE),
        t_axis=number(40, Unit.DEGREE),
        rv5=number(1000, Unit.MICROVOLT),
        sv1=number(800, Unit.MICROVOLT),
        sokolow_lyon=number(1800, Unit.MICROVOLT),
        by_lead=by_lead or dict.fromkeys(STANDARD_LEADS, measured_lead()),
        rhythm=RhythmFeatures(
            rr_sd=number(20),
            rmssd=number(20),
            longest_rr=number(1020),
            slowest_rate=number(58, Unit.PER_MINUTE),
            fastest_rate=number(62, Unit.PER_MINUTE),
            irregular=False,
            p_present=True,
            irregular_without_p=False,
            pauses=(),
            ectopic_count=0,
            paced_count=0,
            pacing_spikes=(),
        ),
    )
    return replace(made, **more)
