"""What the centre measured on an ECG, as the analysis has stored it, for its report."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.ecg.analysis.tables import AnalysisState, EcgAnalysis, EcgCorrection
from reading_worklist.reports.ecg_draft import MEASURES, MeasureName
from storage.index.tables import Instance

# Where the analysis has what the report names; of the others the name is the same.
_PATHS: Final[Mapping[MeasureName, tuple[str, ...]]] = {
    "qtc_bazett": ("qtc", "bazett"),
    "qtc_fridericia": ("qtc", "fridericia"),
    "rv5_sv1": ("sokolow_lyon",),
}
_MICROVOLTS_PER_MILLIVOLT: Final = 1000
_MICROVOLT: Final = "uV"


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
    analysis = session.scalar(
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
    if analysis is None:
        return None
    corrected = session.scalar(
        select(EcgCorrection.measurement)
        .where(EcgCorrection.analysis_id == analysis.id)
        .order_by(EcgCorrection.number.desc())
        .limit(1)
    )
    stored = analysis.measurement if corrected is None else corrected
    return None if stored is None else read_measured(stored, corrected=corrected is not None)


def read_measured(stored: Mapping[str, Any], *, corrected: bool = False) -> Measured:
    """Return what a stored measurement has for a report; what it lacks is left out."""
    values: dict[MeasureName, Value] = {}
    for name in MEASURES:
        *folders, last = _PATHS.get(name, (name,))
        inside: Mapping[str, Any] = stored
        for key in folders:
            inside = inside.get(key) or {}
        found: Mapping[str, Any] | None = inside.get(last)
        if found is not None:
            values[name] = _value(found)
    method = f"{stored.get('method', '')} {stored.get('version', '')}".strip()
    return Measured(method, values, corrected)


def _value(found: Mapping[str, Any]) -> Value:
    value = found.get("value")
    if value is None:
        return Value(None, str(found.get("reason") or ""))
    scale = _MICROVOLTS_PER_MILLIVOLT if found.get("unit") == _MICROVOLT else 1
    return Value(float(value) / scale)
