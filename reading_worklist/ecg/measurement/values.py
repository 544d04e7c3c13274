"""Quantities out of numbers: what is plausible, and the formulas of intervals, QTc and axes."""

import math
from typing import Final

from reading_worklist.ecg.measurement.results import NotMeasured, Qtc, Quantity, Unit

# What no heart does; beyond it the method is wrong, not the heart.
_PLAUSIBLE_MS: Final = {
    "p_duration": (30.0, 250.0),
    "pr": (60.0, 600.0),
    "qrs": (30.0, 300.0),
    "qt": (150.0, 800.0),
}
_MIN_AXIS_MICROVOLT_MS: Final = 400.0


def missing(unit: Unit, reason: NotMeasured) -> Quantity:
    """Return a value that there is not."""
    return Quantity(None, unit, reason)


def interval(name: str, start_ms: float | None, end_ms: float | None, why: NotMeasured) -> Quantity:
    """Return end - start, not measured for why without either, nor beyond what is plausible."""
    if start_ms is None or end_ms is None:
        return missing(Unit.MS, why)
    low, high = _PLAUSIBLE_MS[name]
    length = end_ms - start_ms
    if not low <= length <= high:
        return missing(Unit.MS, NotMeasured.IMPLAUSIBLE)
    return Quantity(length, Unit.MS)


def corrected_qt(qt: Quantity, heart_rate: Quantity) -> Qtc:
    """Return QT in ms corrected by each formula, the rate being the mean ventricular rate."""
    reason = qt.reason or heart_rate.reason
    if qt.value is None or heart_rate.value is None:
        none = missing(Unit.MS, reason or NotMeasured.NO_SIGNAL)
        return Qtc(none, none, none, none)
    rr = 60.0 / heart_rate.value
    return Qtc(
        bazett=Quantity(qt.value / math.sqrt(rr), Unit.MS),
        fridericia=Quantity(qt.value / rr ** (1 / 3), Unit.MS),
        framingham=Quantity(qt.value + 154.0 * (1.0 - rr), Unit.MS),
        hodges=Quantity(qt.value + 1.75 * (heart_rate.value - 60.0), Unit.MS),
    )


def frontal_axis(area_i: float | None, area_avf: float | None) -> Quantity:
    """Return the angle of a wave in the frontal plane, -180 to 180, from its areas in µV·ms.

    aVF is shorter than I by Goldberger's factor, √3/2.
    """
    if area_i is None or area_avf is None:
        return missing(Unit.DEGREE, NotMeasured.LEAD_MISSING)
    y = area_avf * 2.0 / math.sqrt(3.0)
    if math.hypot(area_i, y) < _MIN_AXIS_MICROVOLT_MS:
        return missing(Unit.DEGREE, NotMeasured.AMPLITUDE_TOO_SMALL)
    return Quantity(math.degrees(math.atan2(y, area_i)), Unit.DEGREE)
