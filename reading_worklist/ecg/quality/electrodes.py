"""What the measured beat says of the electrodes: whether cables of the limbs look exchanged.

Only what is seen in nearly no other ECG: arms exchanged turn lead I over while V6 looks as it
always does (a heart on the right turns both), and an arm exchanged with the right leg leaves
one limb lead almost without voltage (Batchvarov et al., Europace 2007;9:1081).
"""

from collections.abc import Mapping
from typing import Final

from reading_worklist.ecg.measurement.results import EcgMeasurement, LeadMeasurement
from reading_worklist.ecg.quality.findings import Code, Finding, Severity
from storage.ecg.leads import Lead

_P_MICROVOLTS: Final = 30.0
_QRS_MICROVOLTS: Final = 200.0
_NEARLY_FLAT_MICROVOLTS: Final = 80.0
_OTHERS_MICROVOLTS: Final = 400.0


def electrode_findings(measurement: EcgMeasurement) -> list[Finding]:
    """Return what looks exchanged; nothing where the beat does not tell."""
    leads = measurement.by_lead
    findings: list[Finding] = []
    if _arms_exchanged(leads):
        findings.append(Finding(Code.ARM_REVERSAL, Severity.REPEAT, (Lead.I, Lead.AVR, Lead.AVL)))
    flat = _without_voltage(leads)
    if flat is not None:
        findings.append(Finding(Code.ARM_LEG_REVERSAL, Severity.REPEAT, (flat,)))
    return findings


def _arms_exchanged(leads: Mapping[Lead, LeadMeasurement]) -> bool:
    """Tell whether P, QRS and T of lead I point down and those of V6 do not."""
    first, left, right = leads.get(Lead.I), leads.get(Lead.V6), leads.get(Lead.AVR)
    if first is None or left is None or right is None:
        return False
    p, t, t_left = first.p.value, first.t.value, left.t.value
    if p is None or t is None or t_left is None:
        return False
    qrs, qrs_left, qrs_right = net(first), net(left), net(right)
    return (
        p <= -_P_MICROVOLTS
        and t < 0 < t_left
        and qrs <= -_QRS_MICROVOLTS
        and qrs_left >= _QRS_MICROVOLTS
        and qrs_right >= 0
    )


def _without_voltage(leads: Mapping[Lead, LeadMeasurement]) -> Lead | None:
    """Return II or III where it alone of the bipolar leads has almost no voltage.

    II is then between the legs (right arm and right leg exchanged), or III is (left arm and right
    leg); I never is.
    """
    spans: dict[Lead, float] = {}
    for lead in (Lead.I, Lead.II, Lead.III):
        found = leads.get(lead)
        if found is None or found.r.value is None:
            return None
        spans[lead] = span(found)
    for lead in (Lead.II, Lead.III):
        others = [value for other, value in spans.items() if other is not lead]
        if spans[lead] < _NEARLY_FLAT_MICROVOLTS and min(others) >= _OTHERS_MICROVOLTS:
            wave = leads[lead]
            small = max(abs(wave.p.value or 0.0), abs(wave.t.value or 0.0))
            if small < _NEARLY_FLAT_MICROVOLTS:
                return lead
    return None


def net(lead: LeadMeasurement) -> float:
    """Return the sum of the QRS complex's largest deflections up and down in µV."""
    ups, downs = _deflections(lead)
    return ups + downs


def span(lead: LeadMeasurement) -> float:
    """Return the QRS complex's height from its lowest to its highest point in µV."""
    ups, downs = _deflections(lead)
    return ups - downs


def _deflections(lead: LeadMeasurement) -> tuple[float, float]:
    ups = max(lead.r.value or 0.0, lead.r_prime.value or 0.0)
    downs = min(lead.q.value or 0.0, lead.s.value or 0.0)
    return ups, downs
