"""What can be wrong with a recording, from which limit on, and why that limit."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from storage.ecg.leads import STANDARD_LEADS, Lead

VERSION: Final = "1"
"""Of the checks and their limits; raise it when either changes."""


class Code(StrEnum):
    """The kinds of findings."""

    LEAD_OFF = "lead_off"
    QUESTIONABLE = "questionable"
    NO_SIGNAL = "no_signal"
    FLAT_LINE = "flat_line"
    MISSING_SAMPLES = "missing_samples"
    CLIPPED = "clipped"
    MAINS_NOISE = "mains_noise"
    MUSCLE_NOISE = "muscle_noise"
    BASELINE_WANDER = "baseline_wander"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    SAMPLING_RATE = "sampling_rate"
    MISSING_LEADS = "missing_leads"
    LIMB_LEAD_SUM = "limb_lead_sum"
    ARM_REVERSAL = "arm_reversal"
    ARM_LEG_REVERSAL = "arm_leg_reversal"


class Severity(StrEnum):
    """What follows: the technician records again, or readers only know of it."""

    REPEAT = "REPEAT"
    NOTE = "NOTE"


@dataclass(frozen=True, slots=True)
class Limit:
    """From which value on a finding is a note and from which on the ECG is repeated.

    None: it is never that severe. A value at the limit counts. unit: UCUM. source: why this
    value, for whoever asks.
    """

    note: float | None
    repeat: float | None
    unit: str
    source: str


_AHA_2007: Final = "AHA/ACC/HRS recommendations 2007, part I (Kligfield et al.)"
_CHALLENGE: Final = (
    "PhysioNet/CinC Challenge 2011 (Silva et al.): flat, saturated, noisy and drifting leads"
)
_ST: Final = "0.1 mV is the smallest ST elevation that counts (Fourth Universal Definition 2018)"
_EXCHANGE: Final = (
    f"{_AHA_2007}; Batchvarov et al., Europace 2007;9:1081: exchanged cables of the limbs"
)

LIMITS: Final[Mapping[Code, Limit]] = MappingProxyType(
    {
        Code.LEAD_OFF: Limit(None, 0, "1", "the device says so (PS3.3 C.10.9.1 Channel Status)"),
        Code.QUESTIONABLE: Limit(0, None, "1", "the device says so (PS3.3 C.10.9.1)"),
        Code.NO_SIGNAL: Limit(None, 0, "uV", _CHALLENGE),
        # A pause is quiet in every lead; a lead is only flat where others are not.
        Code.FLAT_LINE: Limit(None, 2.0, "s", f"{_CHALLENGE}; ours: for 2 s within 10 µV"),
        Code.MISSING_SAMPLES: Limit(0.1, 5.0, "%", "ours: one beat of ten must not be lost"),
        Code.CLIPPED: Limit(None, 8.0, "ms", f"{_CHALLENGE}; ours: no wave is level for so long"),
        Code.MAINS_NOISE: Limit(50.0, 100.0, "uV", f"peak to peak; {_ST}"),
        Code.MUSCLE_NOISE: Limit(20.0, 50.0, "uV", "root mean square between beats; ours"),
        Code.BASELINE_WANDER: Limit(500.0, 1500.0, "uV", f"{_CHALLENGE}; ours: half a lead's band"),
        # A shorter one is worse: these are lower limits.
        Code.TOO_SHORT: Limit(9.5, 5.0, "s", f"{_AHA_2007}: 10 s; ours: 5 s for a median beat"),
        Code.TOO_LONG: Limit(120.0, None, "s", "ours: longer ones are no resting ECG"),
        Code.SAMPLING_RATE: Limit(500.0, 200.0, "Hz", f"{_AHA_2007}: 500/s; PS3.3 A.34.3: 200"),
        Code.MISSING_LEADS: Limit(0, 0, "1", "a resting ECG has twelve leads"),
        Code.LIMB_LEAD_SUM: Limit(
            50.0, 100.0, "uV", f"I + III = II (Einthoven), aVR + aVL + aVF = 0 (Goldberger); {_ST}"
        ),
        Code.ARM_REVERSAL: Limit(None, 0, "1", _EXCHANGE),
        Code.ARM_LEG_REVERSAL: Limit(None, 0, "1", _EXCHANGE),
    }
)
"""By code; see `Limit`."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: in which leads (none: in the recording as a whole), and how much of it.

    value, threshold: in `LIMITS[code].unit`, the value of the worst lead; None where it is yes or
        no.
    """

    code: Code
    severity: Severity
    leads: tuple[Lead, ...] = ()
    value: float | None = None
    threshold: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the finding as it is kept."""
        limit = LIMITS[self.code]
        return {
            "code": self.code.value,
            "severity": self.severity.value,
            "leads": [lead.value for lead in self.leads],
            "value": None if self.value is None else round(self.value, 1),
            "threshold": self.threshold,
            "unit": limit.unit,
            "source": limit.source,
        }


@dataclass(frozen=True, slots=True)
class Quality:
    """What is wrong with a recording, the worst first, and what is left of it.

    usable: leads that are fit to be measured, in the order of the page.
    """

    findings: Sequence[Finding]
    usable: Sequence[Lead]

    @property
    def repeat(self) -> bool:
        """Whether the technician should record again."""
        return any(one.severity is Severity.REPEAT for one in self.findings)

    def with_findings(self, more: Iterable[Finding]) -> "Quality":
        """Return this with other findings beside its own."""
        return Quality(ordered([*self.findings, *more]), self.usable)


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings with those that ask for a repetition first, each in the order of `Code`."""
    place = {code: index for index, code in enumerate(Code)}
    return sorted(findings, key=lambda one: (one.severity is not Severity.REPEAT, place[one.code]))


def graded(code: Code, values: Mapping[Lead, float]) -> list[Finding]:
    """Return what the values of some leads mean: at most one finding of each severity."""
    limit = LIMITS[code]
    found: list[Finding] = []
    rest = dict(values)
    for severity, threshold in ((Severity.REPEAT, limit.repeat), (Severity.NOTE, limit.note)):
        if threshold is None:
            continue
        leads = {lead: value for lead, value in rest.items() if value >= threshold}
        if leads:
            found.append(Finding(code, severity, in_order(leads), max(leads.values()), threshold))
            rest = {lead: value for lead, value in rest.items() if lead not in leads}
    return found


def in_order(leads: Iterable[Lead]) -> tuple[Lead, ...]:
    """Return leads in the order of the page, others after the standard ones."""
    place = {lead: index for index, lead in enumerate((*STANDARD_LEADS, *Lead))}
    first = {lead: index for index, lead in enumerate(STANDARD_LEADS)}
    return tuple(sorted(leads, key=lambda lead: first.get(lead, len(first) + place[lead])))
