"""What the centre measured on an ECG, as the analysis has stored it, for its report."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from reading_worklist.ecg.analysis.tables import AnalysisState, EcgAnalysis, EcgCorrection
from reading_worklist.ecg.measured import EcgMeasured, EcgQuantity
from reading_worklist.ecg.measurement.results import Unit
from reading_worklist.ecg.quality.findings import Code, Severity
from reading_worklist.reports.ecg_draft import MEASURES, MeasureName
from storage.ecg.leads import Lead
from storage.index.tables import Instance

# What a measure is called where it is stored; of the others the name is the same.
_NAMES: Final[Mapping[MeasureName, str]] = {"rv5_sv1": "sokolow_lyon"}
_MICROVOLTS_PER_MILLIVOLT: Final = 1000


@dataclass(frozen=True, slots=True)
class Value:
    """A measure in the unit of the report; without a value why, as `NotMeasured` says it."""

    value: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """The values of one ECG, and by what they were measured.

    corrected: a reader had moved markers before.
    """

    method: str
    values: Mapping[MeasureName, Value]
    corrected: bool = False


def measured(session: Session, study_id: UUID, sop_instance_uid: str) -> Measured | None:
    """Return what the newest analysis of an instance measured, with the corrections of readers.

    None where it has not been analysed, or nothing could be measured.
    """
    analysis = session.scalar(_newest(study_id, sop_instance_uid))
    if analysis is None:
        return None
    corrected = session.scalar(
        select(EcgCorrection.measurement)
        .where(EcgCorrection.analysis_id == analysis.id)
        .order_by(EcgCorrection.number.desc())
        .limit(1)
    )
    stored = analysis.measurement if corrected is None else corrected
    if stored is None:
        return None
    return read_measured(EcgMeasured.model_validate(stored), corrected=corrected is not None)


def poor_leads(
    session: Session, study_id: UUID, sop_instance_uid: str
) -> dict[Lead, tuple[Code, ...]]:
    """Return the leads that should have been recorded again, as the newest analysis found them."""
    quality = session.scalar(
        _newest(study_id, sop_instance_uid).with_only_columns(EcgAnalysis.quality)
    )
    found: dict[Lead, tuple[Code, ...]] = {}
    for one in (quality or {}).get("findings", []):
        if one["severity"] == Severity.REPEAT:
            for lead in map(Lead, one["leads"]):
                found[lead] = (*found.get(lead, ()), Code(one["code"]))
    return found


def _newest(study_id: UUID, sop_instance_uid: str) -> Select[EcgAnalysis]:
    return (
        select(EcgAnalysis)
        .join(Instance, Instance.id == EcgAnalysis.instance_id)
        .where(
            EcgAnalysis.study_id == study_id,
            Instance.sop_instance_uid == sop_instance_uid,
            EcgAnalysis.state == AnalysisState.DONE,
        )
        .order_by(EcgAnalysis.analysed_at.desc())
        .limit(1)
    )


def read_measured(stored: EcgMeasured, *, corrected: bool = False) -> Measured:
    """Return what a stored measurement has for a report; what it lacks is left out."""
    by_name = {one.name: one for one in stored.values}
    values: dict[MeasureName, Value] = {}
    for name in MEASURES:
        found = by_name.get(_NAMES.get(name, name))
        if found is not None:
            values[name] = _value(found)
    of_leads = {one.lead: one for one in stored.leads}
    if Lead.V5 in of_leads:
        values["rv5"] = _value(of_leads[Lead.V5].r)
    if Lead.V1 in of_leads:
        depth = _value(of_leads[Lead.V1].s)
        values["sv1"] = depth if depth.value is None else Value(abs(depth.value))
    return Measured(f"{stored.method} {stored.version}", values, corrected)


def _value(found: EcgQuantity) -> Value:
    if found.value is None:
        return Value(None, found.reason or "")
    scale = _MICROVOLTS_PER_MILLIVOLT if found.unit is Unit.MICROVOLT else 1
    return Value(found.value / scale)
