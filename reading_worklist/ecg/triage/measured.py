"""The facts for the rules out of a measurement, a recording's quality and what is known of whom."""

import re
from collections.abc import Mapping
from typing import Final

from reading_worklist.ecg.measurement.results import EcgMeasurement, LeadMeasurement, Quantity
from reading_worklist.ecg.quality.findings import Quality
from reading_worklist.ecg.triage.facts import Fact, Feature, Obstacle, TriageFacts
from storage.ecg.leads import STANDARD_LEADS, Lead
from storage.ecg.waveform import EcgRecord

# AHA/ACC/HRS 2009, part IV (Rautaharju et al.): Bazett's formula misleads at high and low rates.
_BAZETT_RATES: Final = (60.0, 90.0)
# AHA/ACCF/HRS 2009, part III (Surawicz et al.): 120 ms in adults, no q in I, V5, V6.
_WIDE_QRS_MS: Final = 120.0
_NO_Q_MICROVOLTS: Final = 50.0
# AHA/ACCF/HRS 2009, part V (Hancock et al.): voltages of adults.
_SOKOLOW_MICROVOLTS: Final = 3500.0
_CORNELL_MICROVOLTS: Final = {"M": 2800.0, "F": 2000.0}
_ADULT_YEARS: Final = 18.0

_SAID_BY_DEVICE: Final[Mapping[Obstacle, re.Pattern[str]]] = {
    Obstacle.PACED: re.compile(r"\bpace[dr]|pacemaker|\bpacing|起搏", re.IGNORECASE),
    Obstacle.LEFT_BUNDLE_BRANCH_BLOCK: re.compile(
        r"\blbbb\b|left bundle.branch block|左束支", re.IGNORECASE
    ),
    Obstacle.LEFT_VENTRICULAR_HYPERTROPHY: re.compile(
        r"\blvh\b|left ventricular hypertrophy|左(?:心)?室肥", re.IGNORECASE
    ),
}
_DENIED: Final = re.compile(r"\bno(?:t|n)?\b|without|无|未", re.IGNORECASE)
_NOT_RECORDED: Final = "lead not recorded"
_UNFIT: Final = "lead not fit to be measured"


def facts_of(
    measurement: EcgMeasurement,
    quality: Quality,
    record: EcgRecord,
    *,
    sex: str | None,
    age: float | None,
) -> TriageFacts:
    """Return what the rules are told of an ECG.

    record: as it was received, for what the device says. sex: as DICOM writes it (M, F, O); age: in
    years when it was recorded; None where unknown.
    """
    known_sex = sex if sex in _CORNELL_MICROVOLTS else None
    levels: dict[Lead, float] = {}
    unmeasured: list[tuple[Lead, str]] = []
    recorded = set(record.leads())
    for lead in dict.fromkeys((*STANDARD_LEADS, *measurement.by_lead)):
        found = measurement.by_lead.get(lead)
        if found is not None and found.st_j.value is not None:
            levels[lead] = found.st_j.value / 1000
        elif found is not None and found.st_j.reason is not None:
            unmeasured.append((lead, found.st_j.reason.value))
        else:
            there = lead in recorded and lead not in quality.usable
            unmeasured.append((lead, _UNFIT if there else _NOT_RECORDED))
    return TriageFacts(
        features=_features(measurement),
        st_millivolts=levels,
        sex=known_sex,
        age=age,
        obstacles=_obstacles(measurement, record, known_sex, age),
        unmeasured_leads=unmeasured,
    )


def _features(measurement: EcgMeasurement) -> dict[Feature, Fact]:
    rhythm = measurement.rhythm
    rate = measurement.heart_rate.value
    low, high = _BAZETT_RATES
    usual = rate is not None and low <= rate <= high
    corrected = measurement.qtc.bazett if usual else measurement.qtc.fridericia
    if rhythm.irregular_without_p:
        fibrillating = Fact(1.0)
    elif rhythm.irregular is False or rhythm.p_present is True:
        fibrillating = Fact(0.0)
    else:
        fibrillating = Fact(None, "rhythm or P wave not certain")
    return {
        Feature.HEART_RATE: _fact(measurement.heart_rate),
        Feature.LONGEST_RR: _fact(rhythm.longest_rr),
        Feature.QRS: _fact(measurement.qrs),
        Feature.QTC: _fact(corrected),
        Feature.IRREGULAR_WITHOUT_P: fibrillating,
    }


def _fact(quantity: Quantity) -> Fact:
    return Fact(quantity.value, quantity.reason.value if quantity.reason else None)


def _obstacles(
    measurement: EcgMeasurement, record: EcgRecord, sex: str | None, age: float | None
) -> dict[Obstacle, str]:
    found: dict[Obstacle, str] = {}
    if measurement.rhythm.paced_count > 0:
        found[Obstacle.PACED] = f"{measurement.rhythm.paced_count} paced beats"
    left_block = _left_block(measurement)
    if left_block is not None:
        found[Obstacle.LEFT_BUNDLE_BRANCH_BLOCK] = left_block
    if age is None or age >= _ADULT_YEARS:
        voltage = _high_voltage(measurement, sex)
        if voltage is not None:
            found[Obstacle.LEFT_VENTRICULAR_HYPERTROPHY] = voltage
    for obstacle, words in _SAID_BY_DEVICE.items():
        said = any(
            words.search(one.text) and not _DENIED.search(one.text) for one in record.statements
        )
        if said and obstacle not in found:
            found[obstacle] = f"the device's statement says {obstacle.replace('_', ' ')}"
    return found


def _left_block(measurement: EcgMeasurement) -> str | None:
    """Return how QRS width and shape are those of left bundle branch block, None if not."""
    width = measurement.qrs.value
    if width is None or width < _WIDE_QRS_MS:
        return None
    first = measurement.by_lead.get(Lead.V1)
    sides = [measurement.by_lead.get(lead) for lead in (Lead.I, Lead.V5, Lead.V6)]
    if first is None or not _is_negative(first) or any(one is None for one in sides):
        return None
    lateral = [one for one in sides if one is not None]
    if any(_is_negative(one) or _has_q(one) for one in lateral):
        return None
    return f"QRS {width:.0f} ms, negative in V1, positive without q in I, V5 and V6"


def _high_voltage(measurement: EcgMeasurement, sex: str | None) -> str | None:
    sokolow = measurement.sokolow_lyon.value
    if sokolow is not None and sokolow >= _SOKOLOW_MICROVOLTS:
        return f"RV5 + SV1 {sokolow / 1000:.2f} mV (Sokolow-Lyon, 3.5 mV)"
    avl, v3 = measurement.by_lead.get(Lead.AVL), measurement.by_lead.get(Lead.V3)
    if avl is None or v3 is None or avl.r.value is None or v3.s.value is None:
        return None
    cornell = avl.r.value - v3.s.value
    limit = _CORNELL_MICROVOLTS.get(sex or "", min(_CORNELL_MICROVOLTS.values()))
    if cornell <= limit:
        return None
    return f"RaVL + SV3 {cornell / 1000:.2f} mV (Cornell, {limit / 1000:.1f} mV)"


def _is_negative(lead: LeadMeasurement) -> bool:
    """Tell whether the largest deflection of the QRS complex points down."""
    ups = [one.value or 0.0 for one in (lead.r, lead.r_prime)]
    downs = [-(one.value or 0.0) for one in (lead.q, lead.s)]
    return max(downs) > max(ups)


def _has_q(lead: LeadMeasurement) -> bool:
    return -(lead.q.value or 0.0) > _NO_Q_MICROVOLTS
