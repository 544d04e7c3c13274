"""One ECG from its samples to its hints: pure functions, no database, no object store."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reading_worklist.ecg.analysis.thumbnail import draw_thumbnail
from reading_worklist.ecg.measured import EcgMeasured, measured_view
from reading_worklist.ecg.measurement.measure import measure, remeasure
from reading_worklist.ecg.measurement.results import VERSION as MEASUREMENT_VERSION
from reading_worklist.ecg.measurement.results import Corrections, EcgMeasurement
from reading_worklist.ecg.quality.electrodes import electrode_findings
from reading_worklist.ecg.quality.findings import VERSION as QUALITY_VERSION
from reading_worklist.ecg.quality.findings import Code, Quality
from reading_worklist.ecg.quality.signal import assess, fit_part
from reading_worklist.ecg.triage.judge import NotJudged, Triage, judge
from reading_worklist.ecg.triage.measured import facts_of
from reading_worklist.ecg.triage.rulesets import TriageRuleset
from storage.ecg.waveform import EcgRecord

METHOD_VERSION: Final = f"measurement {MEASUREMENT_VERSION}, quality {QUALITY_VERSION}"
"""Names an analysis beside its ECG; rulesets name themselves in its hints."""


@dataclass(frozen=True, slots=True)
class EcgPatientFacts:
    """What rules ask of a patient: sex as DICOM writes it, age in years; None where unknown."""

    sex: str | None
    age: float | None


@dataclass(frozen=True, slots=True)
class Analysed:
    """What came of an ECG; measured is None where nothing can be measured on it.

    cpu_ms: this thread's processor time for all of it.
    """

    quality: Quality
    measured: EcgMeasured | None
    triage: Triage
    thumbnail: str | None
    cpu_ms: float


def analyse(
    record: EcgRecord, patient: EcgPatientFacts, rulesets: Sequence[TriageRuleset]
) -> Analysed:
    """Look at the recording, measure what is fit for it, and judge it by the rules."""
    began = time.thread_time()
    quality = assess(record)
    measured: EcgMeasured | None = None
    triage = Triage((), (), (NotJudged("", "", _why_not(quality)),))
    if _is_measurable(quality):
        measurement = measure(fit_part(record, quality))
        quality = quality.with_findings(electrode_findings(measurement))
        triage = _judged(measurement, quality, record, patient, rulesets)
        measured = measured_view(measurement)
    thumbnail = draw_thumbnail(record, quality)
    return Analysed(quality, measured, triage, thumbnail, (time.thread_time() - began) * 1000)


def analyse_corrected(
    record: EcgRecord,
    patient: EcgPatientFacts,
    rulesets: Sequence[TriageRuleset],
    corrections: Corrections,
) -> tuple[EcgMeasured, Triage] | None:
    """Measure and judge again with what a reader set by hand; None for what is not measured.

    Raises:
        MarkersImpossible: the points are out of order or outside of the median beat.
    """
    quality = assess(record)
    if not _is_measurable(quality):
        return None
    measurement = remeasure(fit_part(record, quality), corrections)
    return measured_view(measurement), _judged(measurement, quality, record, patient, rulesets)


def _judged(
    measurement: EcgMeasurement,
    quality: Quality,
    record: EcgRecord,
    patient: EcgPatientFacts,
    rulesets: Sequence[TriageRuleset],
) -> Triage:
    facts = facts_of(measurement, quality, record, sex=patient.sex, age=patient.age)
    return judge(facts, rulesets)


def _is_measurable(quality: Quality) -> bool:
    return bool(quality.usable) and all(one.code is not Code.TOO_LONG for one in quality.findings)


def _why_not(quality: Quality) -> str:
    if quality.usable:
        return "not judged because it is longer than a resting ECG"
    return "not judged because no lead is fit to be measured"
