"""What pages ask about analyses, always within the scope of who asks."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, defer

from reading_worklist.ecg.analysis.analyse import METHOD_VERSION
from reading_worklist.ecg.analysis.schemas import (
    EcgChangedValue,
    EcgChecked,
    EcgCheckState,
    EcgKeptCorrection,
    EcgMark,
    EcgQualityFinding,
)
from reading_worklist.ecg.analysis.tables import (
    AnalysisState,
    EcgAnalysis,
    EcgCorrection,
    EcgTask,
)
from reading_worklist.ecg.measured import EcgCorrections, EcgMeasured, EcgQuantity
from reading_worklist.problems import not_found
from reading_worklist.workitems.schemas import PersonView
from reading_worklist.workitems.tables import Workitem
from storage.database import one_of
from storage.index.tables import Instance
from storage.objects import ObjectKey
from storage.orders.words import Priority
from storage.registry import Person


@dataclass(frozen=True, slots=True)
class FoundAnalysis:
    """The newest analysis of an ECG and where its bytes are."""

    row: EcgAnalysis
    workitem_id: UUID
    sop_instance_uid: str
    object_key: ObjectKey


@dataclass(frozen=True, slots=True)
class FoundStudy:
    """The analyses of a study's ECGs in the order of their arrival."""

    study_id: UUID
    state: EcgCheckState
    analyses: Sequence[FoundAnalysis]


def of_workitem(session: Session, workitem_id: UUID, seen: ColumnElement[bool]) -> FoundStudy:
    """Return the newest analyses of a workitem's ECGs.

    seen: the condition that the workitem is visible to who asks.

    Raises:
        Problem: 404 when it does not exist or is not visible.
    """
    study_id = session.scalar(select(Workitem.study_id).where(Workitem.id == workitem_id, seen))
    if study_id is None:
        raise not_found("The exam")
    rows = session.execute(
        select(EcgAnalysis, Instance.sop_instance_uid, Instance.object_key)
        .join(Instance, Instance.id == EcgAnalysis.instance_id)
        .where(EcgAnalysis.study_id == study_id)
        .order_by(EcgAnalysis.instance_id, EcgAnalysis.analysed_at)
    )
    newest = {
        row.instance_id: FoundAnalysis(row, workitem_id, uid, ObjectKey(key))
        for row, uid, key in rows
    }
    return FoundStudy(study_id, _state(session.get(EcgTask, study_id)), list(newest.values()))


def analysis_of(found: FoundStudy, sop_instance_uid: str | None) -> FoundAnalysis:
    """Return the analysis of an instance, or the study's first.

    Raises:
        Problem: 404 when there is none.
    """
    for one in found.analyses:
        if sop_instance_uid in (None, one.sop_instance_uid):
            return one
    raise not_found("The analysis")


def checked(found: FoundAnalysis) -> EcgChecked:
    """Return how well an ECG was recorded, as pages show it."""
    row = found.row
    kept: dict[str, Any] = row.quality or {"findings": [], "usable": []}
    return EcgChecked(
        sop_instance_uid=found.sop_instance_uid,
        state=row.state,
        problem=row.error,
        repeat=row.repeat,
        findings=[EcgQualityFinding.model_validate(one) for one in kept["findings"]],
        usable_leads=kept["usable"],
        analysed_at=row.analysed_at,
        thumbnail=_thumbnail(found.workitem_id, found.sop_instance_uid)
        if row.thumbnail is not None
        else None,
    )


def corrections_of(session: Session, analysis_id: UUID) -> list[tuple[EcgCorrection, Person]]:
    """Return the corrections of an analysis in their order, with who made them."""
    rows = session.execute(
        select(EcgCorrection, Person)
        .join(Person, Person.id == EcgCorrection.corrected_by)
        .where(EcgCorrection.analysis_id == analysis_id)
        .order_by(EcgCorrection.number)
    )
    return [(row, person) for row, person in rows]


def kept_corrections(
    session: Session, object_key: ObjectKey
) -> tuple[EcgCorrection, Person] | None:
    """Return the last corrections of the ECG under a key, None without any.

    Whoever calls has decided that the ECG may be seen.
    """
    row = session.execute(
        select(EcgCorrection, Person)
        .join(Person, Person.id == EcgCorrection.corrected_by)
        .join(EcgAnalysis, EcgAnalysis.id == EcgCorrection.analysis_id)
        .join(Instance, Instance.id == EcgAnalysis.instance_id)
        .where(Instance.object_key == object_key)
        .order_by(EcgCorrection.corrected_at.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def kept_measurement(session: Session, object_key: ObjectKey) -> EcgMeasured | None:
    """Return what this version of the method measured on the ECG under a key, as last corrected.

    None where it has not been analysed by this version, where nothing could be measured then, and
    where the last correction was made beside another version's values: that is to be measured
    anew. Whoever calls has decided that the ECG may be seen.
    """
    row = session.scalar(
        select(EcgAnalysis)
        .join(Instance, Instance.id == EcgAnalysis.instance_id)
        .where(
            Instance.object_key == object_key,
            EcgAnalysis.method_version == METHOD_VERSION,
            EcgAnalysis.measurement.is_not(None),
        )
        .limit(1)
    )
    if row is None:
        return None
    last = kept_corrections(session, object_key)
    if last is not None and last[0].analysis_id != row.id:
        return None
    return measured_with(row, [] if last is None else [last])


def measured_with(
    row: EcgAnalysis, corrections: Sequence[tuple[EcgCorrection, Person]]
) -> EcgMeasured | None:
    """Return what was measured as its last correction left it; None where nothing was."""
    if row.measurement is None:
        return None
    if not corrections:
        return EcgMeasured.model_validate(row.measurement)
    last, person = corrections[-1]
    return EcgMeasured.model_validate(last.measurement).model_copy(
        update={"corrected_by": person.display_name, "corrected_at": last.corrected_at}
    )


def history(
    original: EcgMeasured, corrections: Sequence[tuple[EcgCorrection, Person]]
) -> list[EcgKeptCorrection]:
    """Return each correction with the values that it changed."""
    shown: list[EcgKeptCorrection] = []
    before = original
    for row, person in corrections:
        after = EcgMeasured.model_validate(row.measurement)
        shown.append(
            EcgKeptCorrection(
                number=row.number,
                by=PersonView(id=person.id, display_name=person.display_name),
                at=row.corrected_at,
                corrections=EcgCorrections.model_validate(row.corrections),
                changed=_changed(before, after),
            )
        )
        before = after
    return shown


def marks_of(session: Session, study_ids: Collection[UUID]) -> dict[UUID, EcgMark]:
    """Return what lists show of the ECGs of some studies; those without an analysis are left out.

    Whoever calls has decided that the studies may be seen.
    """
    if not study_ids:
        return {}
    rows = session.execute(
        select(EcgAnalysis, Workitem.id, Instance.sop_instance_uid)
        .join(Workitem, Workitem.study_id == EcgAnalysis.study_id)
        .join(Instance, Instance.id == EcgAnalysis.instance_id)
        .where(one_of(EcgAnalysis.study_id, list(study_ids)))
        .options(defer(EcgAnalysis.measurement), defer(EcgAnalysis.thumbnail))
        .order_by(EcgAnalysis.instance_id, EcgAnalysis.analysed_at)
    )
    newest = {row.instance_id: (row, workitem, uid) for row, workitem, uid in rows}
    of_study: dict[UUID, list[tuple[EcgAnalysis, UUID, str]]] = {}
    for row, workitem, uid in newest.values():
        of_study.setdefault(row.study_id, []).append((row, workitem, uid))
    return {study_id: _mark(found) for study_id, found in of_study.items()}


def _mark(found: Sequence[tuple[EcgAnalysis, UUID, str]]) -> EcgMark:
    order = {priority.value: index for index, priority in enumerate(Priority)}
    hints = sorted(
        (hint for row, _, _ in found for hint in (row.triage or {"hints": []})["hints"]),
        key=lambda hint: order[hint["priority"]],
    )
    shown = next((one for one in found if one[0].state is AnalysisState.DONE), None)
    return EcgMark(
        repeat=any(row.repeat for row, _, _ in found),
        failed=any(row.state is not AnalysisState.DONE for row, _, _ in found),
        hints=list(dict.fromkeys(hint["text"] for hint in hints)),
        hints_en=list(dict.fromkeys(hint["text_en"] for hint in hints)),
        thumbnail=_thumbnail(shown[1], shown[2]) if shown is not None else None,
    )


def _thumbnail(workitem_id: UUID, sop_instance_uid: str) -> str:
    return f"/api/workitems/{workitem_id}/ecg/thumbnail.svg?instance={sop_instance_uid}"


def _state(row: EcgTask | None) -> EcgCheckState:
    if row is None:
        return EcgCheckState.NONE
    if row.parked_at is not None:
        return EcgCheckState.FAILED
    behind = row.analysed_generation < row.generation
    return EcgCheckState.PENDING if behind else EcgCheckState.CHECKED


def _changed(before: EcgMeasured, after: EcgMeasured) -> list[EcgChangedValue]:
    earlier: Mapping[str, EcgQuantity] = {one.name: _plain(one) for one in before.values}
    return [
        EcgChangedValue(name=one.name, before=earlier[one.name], after=_plain(one))
        for one in after.values
        if one.name in earlier and earlier[one.name] != _plain(one)
    ]


def _plain(value: EcgQuantity) -> EcgQuantity:
    return EcgQuantity(value=value.value, unit=value.unit, reason=value.reason)
