"""What has changed between two ECGs of one patient, in numbers and nothing but numbers.

Both were measured by the same method: a difference between two machines' values says as much
about the machines as about the patient.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reading_worklist.ecg.measurement.results import (
    EcgMeasurement,
    LeadMeasurement,
    Quantity,
    Unit,
)
from storage.ecg.leads import STANDARD_LEADS, Lead

_FULL_CIRCLE: Final = 360.0


@dataclass(frozen=True, slots=True)
class Difference:
    """One value of both ECGs.

    name: heart_rate, p_duration, pr, qrs, qt, qtc_bazett, qtc_fridericia, qtc_framingham,
        qtc_hodges, p_axis, qrs_axis, t_axis, sokolow_lyon, st_j or st_j60.
    lead: the lead of st_j and st_j60, None for the others.
    change: now less then, in the unit of both; of an axis the shorter way round, from above −180
        to 180. None when one of the two was not measured.
    """

    name: str
    lead: Lead | None
    now: Quantity
    then: Quantity
    change: float | None

    @property
    def unit(self) -> Unit:
        """The unit of all three."""
        return self.now.unit


def serial_differences(now: EcgMeasurement, then: EcgMeasurement) -> Sequence[Difference]:
    """Return the differences: of the whole ECG, then of each lead that both have, by its order."""
    whole = [
        _difference(name, None, ours, theirs)
        for (name, ours), (_, theirs) in zip(named_values(now), named_values(then), strict=True)
    ]
    leads = [lead for lead in STANDARD_LEADS if lead in now.by_lead and lead in then.by_lead]
    levels = [
        _difference(name, lead, ours, theirs)
        for lead in leads
        for (name, ours), (_, theirs) in zip(
            _levels(now.by_lead[lead]), _levels(then.by_lead[lead]), strict=True
        )
    ]
    return [*whole, *levels]


def named_values(measured: EcgMeasurement) -> Sequence[tuple[str, Quantity]]:
    """Return the values of the whole ECG by name, in the order in which they are read."""
    return (
        ("heart_rate", measured.heart_rate),
        ("p_duration", measured.p_duration),
        ("pr", measured.pr),
        ("qrs", measured.qrs),
        ("qt", measured.qt),
        ("qtc_bazett", measured.qtc.bazett),
        ("qtc_fridericia", measured.qtc.fridericia),
        ("qtc_framingham", measured.qtc.framingham),
        ("qtc_hodges", measured.qtc.hodges),
        ("p_axis", measured.p_axis),
        ("qrs_axis", measured.qrs_axis),
        ("t_axis", measured.t_axis),
        ("sokolow_lyon", measured.sokolow_lyon),
    )


def _levels(lead: LeadMeasurement) -> Sequence[tuple[str, Quantity]]:
    return ("st_j", lead.st_j), ("st_j60", lead.st_j60)


def _difference(name: str, lead: Lead | None, now: Quantity, then: Quantity) -> Difference:
    change = None
    if now.value is not None and then.value is not None:
        change = now.value - then.value
        if now.unit is Unit.DEGREE:
            half = _FULL_CIRCLE / 2
            change = half - (half - change) % _FULL_CIRCLE
    return Difference(name, lead, now, then, change)
