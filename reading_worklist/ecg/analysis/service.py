"""What is written about an ECG: analyses once, corrections one after the other, hints acted on.

Each function works in its caller's transaction. Hints only raise: a priority is never lowered by
them, a critical value never closed or dismissed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.critical_values import service as critical_values
from reading_worklist.critical_values.service import RuleMet
from reading_worklist.critical_values.states import OPEN
from reading_worklist.critical_values.tables import CriticalValue
from reading_worklist.ecg.analysis.analyse import METHOD_VERSION, Analysed, EcgPatientFacts
from reading_worklist.ecg.analysis.tables import (
    AnalysisState,
    EcgAnalysis,
    EcgCorrection,
    EcgCriticalList,
    EcgTask,
)
from reading_worklist.ecg.measured import EcgCorrections, EcgMeasured
from reading_worklist.ecg.triage.judge import Hint, Triage
from reading_worklist.ecg.triage.rulesets import DEFAULT_PROVINCE, Province, codes_of_subject
from reading_worklist.problems import conflict
from reading_worklist.routing.service import raise_priority
from reading_worklist.study_tasks.service import StudyTasks, Task
from reading_worklist.workitems.lane import Lane
from reading_worklist.workitems.service import tell
from reading_worklist.workitems.tables import Workitem
from storage import audit
from storage.clock import utc_now
from storage.ecg.dicom_reader import ECG_STORAGE, STANDARD_STORAGE
from storage.index.tables import Instance, Patient, Series, Study
from storage.messages import StudyReceived
from storage.objects import ObjectKey
from storage.registry import Role, consortium_of, lineage

CHANNEL: Final = "rdc_ecg"
TASKS: Final = StudyTasks(EcgTask, CHANNEL)
"""The studies whose ECGs are to be analysed."""

ACTOR: Final = audit.system_actor("ecg-analysis")
READERS: Final = (Role.WRITER, Role.REVIEWER)
_DAYS_OF_YEAR: Final = 365.25


@dataclass(frozen=True, slots=True)
class EcgToAnalyse:
    """A waveform instance that no analysis of this version exists of, and where its bytes are."""

    instance_id: int
    object_key: ObjectKey


@dataclass(frozen=True, slots=True)
class EcgWork:
    """All that is to be done for a study."""

    ecgs: Sequence[EcgToAnalyse]
    patient: EcgPatientFacts
    province: Province


@dataclass(frozen=True, slots=True)
class EcgOutcome:
    """What came of an instance: an analysis, or why there is none."""

    instance_id: int
    analysed: Analysed | None
    state: AnalysisState = AnalysisState.DONE
    error: str | None = None


def request(session: Session, message: StudyReceived) -> None:
    """Ask for the ECGs of a complete study to be analysed; nothing for a study without any."""
    if "ECG" in message.modalities:
        TASKS.request(session, message)


def work_of(session: Session, task: Task) -> EcgWork:
    """Return what is still to be done for a study that was taken."""
    private = (Series.modality == "ECG") & Instance.sop_class_uid.not_like(f"{STANDARD_STORAGE}%")
    rows = session.execute(
        select(Instance.id, Instance.object_key)
        .join(Series, Series.id == Instance.series_id)
        .where(
            Instance.study_id == task.study.id,
            Instance.sop_class_uid.like(f"{ECG_STORAGE}%") | private,
            ~select(EcgAnalysis.id)
            .where(
                EcgAnalysis.instance_id == Instance.id,
                EcgAnalysis.method_version == METHOD_VERSION,
            )
            .exists(),
        )
        .order_by(Instance.instance_number.nulls_last(), Instance.id)
    )
    return EcgWork(
        ecgs=[EcgToAnalyse(one, ObjectKey(key)) for one, key in rows],
        patient=patient_facts(session, task.study.id),
        province=province_of(session, task.site_id),
    )


def patient_facts(session: Session, study_id: UUID) -> EcgPatientFacts:
    """Return sex and age of a study's patient as far as they are known."""
    sex, birth_date, study_date, received = session.execute(
        select(Patient.sex, Patient.birth_date, Study.study_date, Study.first_received_at)
        .join(Study, Study.patient_id == Patient.id)
        .where(Study.id == study_id)
    ).one()
    return EcgPatientFacts(sex, _years(birth_date, study_date or received.date()))


def province_of(session: Session, organisation_id: UUID) -> Province:
    """Return by which province's list the ECGs of an organisation are judged."""
    line = [one.id for one in lineage(session, organisation_id)]
    chosen = session.execute(
        select(EcgCriticalList.organisation_id, EcgCriticalList.province).where(
            EcgCriticalList.organisation_id.in_(line)
        )
    ).all()
    nearest = min(chosen, key=lambda one: line.index(one[0]), default=None)
    return DEFAULT_PROVINCE if nearest is None else nearest[1]


def choose_province(session: Session, scope: Scope, province: Province) -> None:
    """Judge the ECGs of the consortium by the list of a province from now on.

    Raises:
        Problem: 403 for other roles.
    """
    scope.require(Role.CONSORTIUM_ADMIN)
    organisation_id = consortium_of(session, scope.organisation_id).id
    session.merge(
        EcgCriticalList(
            organisation_id=organisation_id,
            province=province,
            set_by=scope.person_id,
            set_at=utc_now(),
        )
    )
    audit.record(
        session,
        scope.actor,
        "ecg_critical_list:choose",
        subject_kind="organisation",
        subject_id=organisation_id,
        detail={"province": province.value},
    )


def finish(session: Session, task: Task, outcomes: Sequence[EcgOutcome]) -> None:
    """Keep what came of a study's ECGs, act on their hints, and tell open pages.

    An instance that was analysed by this version before is left as it is.

    Raises:
        LeaseLost: the lease of the study was lost.
    """
    now = utc_now()
    TASKS.finish(session, task, now)
    item = session.scalar(
        select(Workitem).where(Workitem.study_id == task.study.id).with_for_update()
    )
    for one in outcomes:
        kept = session.scalar(_insertion(task, one, now))
        if kept is None:
            continue
        if item is not None and one.analysed is not None:
            opened = act_on_hints(session, item, one.instance_id, one.analysed.triage, now)
            session.get_one(EcgAnalysis, kept).critical_value_ids = opened
    if item is not None and outcomes:
        tell(session, item)


def act_on_hints(
    session: Session, item: Workitem, instance_id: int, triage: Triage, now: datetime
) -> list[str]:
    """Raise the priority of a reading and open suspicions, as the hints of one ECG ask for.

    One suspicion for each subject: one that is open stays, and what people have dismissed or
    closed for this ECG is not opened again. Returns the ids of the critical values concerned.
    """
    if triage.priority is not None:
        raise_priority(session, item, triage.priority, ACTOR)
    concerned: list[str] = []
    known = _known_of_instance(session, instance_id)
    by_subject: dict[str, Hint] = {}
    for hint in triage.hints:
        if hint.rule.critical:
            by_subject.setdefault(hint.rule.subject, hint)
    for subject, hint in by_subject.items():
        standing = session.scalars(
            select(CriticalValue).where(
                CriticalValue.workitem_id == item.id,
                tuple_(CriticalValue.ruleset, CriticalValue.rule_code).in_(
                    sorted(codes_of_subject(subject))
                ),
            )
        ).all()
        value = next(
            (one for one in standing if one.state in OPEN or str(one.id) in known), None
        ) or critical_values.suspect_by_rule(
            session, ACTOR, item, RuleMet(hint.told, hint.ruleset, hint.rule.code), now
        )
        concerned.append(str(value.id))
    return concerned


def keep_corrections(
    session: Session,
    scope: Scope,
    item: Workitem,
    analysis: EcgAnalysis,
    *,
    body: EcgCorrections,
    measured: EcgMeasured,
    triage: Triage,
) -> EcgCorrection:
    """Keep what a reader has set by hand, beside what was measured without it.

    item: locked and known to be visible to the reader.

    Raises:
        Problem: 403 for other roles.
    """
    scope.require(*READERS)
    session.get_one(EcgAnalysis, analysis.id, with_for_update=True)
    last = session.scalar(
        select(func.max(EcgCorrection.number)).where(EcgCorrection.analysis_id == analysis.id)
    )
    now = utc_now()
    kept = EcgCorrection(
        analysis_id=analysis.id,
        number=(last or 0) + 1,
        corrected_by=scope.person_id,
        corrected_for=scope.organisation_id,
        corrected_at=now,
        corrections=body.model_dump(mode="json"),
        measurement=measured.model_dump(mode="json"),
        triage=triage.as_json(),
    )
    session.add(kept)
    opened = act_on_hints(session, item, analysis.instance_id, triage, now)
    analysis.critical_value_ids = sorted({*analysis.critical_value_ids, *opened})
    session.flush()
    audit.record(
        session,
        scope.actor,
        "ecg_analysis:correct",
        subject_kind="ecg_analysis",
        subject_id=analysis.id,
        detail={"number": kept.number, "workitem_id": str(item.id)},
    )
    tell(session, item)
    return kept


def require_ecg_lane(item: Workitem) -> None:
    """Make sure that a reading is one of ECGs.

    Raises:
        Problem: 409 for another one.
    """
    if item.lane is not Lane.ECG:
        raise conflict("no-ecg", "This is no reading of an ECG", remedy="Open the ECG's reading.")


def _insertion(task: Task, one: EcgOutcome, now: datetime) -> Any:  # noqa: ANN401 -- a statement
    done = one.analysed
    return (
        insert(EcgAnalysis)
        .values(
            id=uuid4(),
            instance_id=one.instance_id,
            study_id=task.study.id,
            site_id=task.site_id,
            method_version=METHOD_VERSION,
            state=one.state,
            error=one.error,
            quality=done and quality_json(done),
            repeat=done is not None and done.quality.repeat,
            measurement=done and done.measured and done.measured.model_dump(mode="json"),
            triage=done and done.triage.as_json(),
            critical_value_ids=[],
            thumbnail=done and done.thumbnail,
            analysed_at=now,
            cpu_ms=done.cpu_ms if done else 0.0,
        )
        .on_conflict_do_nothing(index_elements=["instance_id", "method_version"])
        .returning(EcgAnalysis.id)
    )


def quality_json(analysed: Analysed) -> dict[str, Any]:
    """Return what was found of a recording as it is kept."""
    return {
        "findings": [one.as_json() for one in analysed.quality.findings],
        "usable": [lead.value for lead in analysed.quality.usable],
    }


def _known_of_instance(session: Session, instance_id: int) -> set[str]:
    rows = session.scalars(
        select(EcgAnalysis.critical_value_ids).where(EcgAnalysis.instance_id == instance_id)
    )
    return {one for ids in rows for one in ids}


def _years(born: date | None, on: date) -> float | None:
    return None if born is None or on < born else (on - born).days / _DAYS_OF_YEAR
