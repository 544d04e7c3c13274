"""When a study counts as complete.

Either its device has said which instances it made (MPPS) and all of them are here, or its quiet
time has passed without another instance.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import ARRAY, String, exists, func, literal, select
from sqlalchemy.orm import Session

from storage import outbox, tracing
from storage.clock import utc_now
from storage.index.tables import Instance, Study, StudyState
from storage.messages import StudyReceived
from storage.orders.states import PerformedState
from storage.orders.tables import PerformedStep, ScheduledStep
from storage.orders.words import StepStatus

_ENDED = (StepStatus.COMPLETED, StepStatus.DISCONTINUED)


def complete_quiet_studies(session: Session, *, limit: int = 100) -> int:
    """Mark up to `limit` studies whose quiet time has passed as complete, and say so in the outbox.

    Several gateways may call this at once; each study is completed by one of
    them. Returns how many were completed.
    """
    due = session.scalars(
        select(Study)
        .where(Study.state == StudyState.RECEIVING, Study.quiet_due_at <= utc_now())
        .order_by(Study.quiet_due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for study in due:
        _complete(session, study, missing_instances(session, study))
    return len(due)


def complete_performed_studies(session: Session, *, limit: int = 100) -> int:
    """Mark up to `limit` studies whose devices have finished and sent everything as complete.

    Every performed step of the study must be final, every step scheduled for its order must have
    ended, and every instance they list must be here. Returns how many were completed.
    """
    candidates = session.scalars(
        select(Study)
        .where(
            Study.state == StudyState.RECEIVING,
            exists().where(
                PerformedStep.site_id == Study.site_id,
                PerformedStep.study_instance_uid == Study.study_instance_uid,
                PerformedStep.state != PerformedState.IN_PROGRESS,
                PerformedStep.satisfied_at.is_(None),
                func.cardinality(PerformedStep.instance_uids) > 0,
                func.cardinality(PerformedStep.instance_uids) <= Study.instance_count,
            ),
        )
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    completed = 0
    for study in candidates:
        steps = performed_steps(session, study)
        if _all_ended(session, steps) and not missing_instances(session, study):
            _complete(session, study, 0)
            completed += 1
    return completed


def performed_steps(session: Session, study: Study) -> Sequence[PerformedStep]:
    """Return what devices say they performed for a study, the oldest first."""
    return session.scalars(
        select(PerformedStep)
        .where(
            PerformedStep.site_id == study.site_id,
            PerformedStep.study_instance_uid == study.study_instance_uid,
        )
        .order_by(PerformedStep.created_at)
    ).all()


def missing_instances(session: Session, study: Study) -> int:
    """Count the instances that ended steps of a study list and that are not here.

    Steps of which none is missing are marked as satisfied.
    """
    missing = 0
    for step in performed_steps(session, study):
        if step.state is PerformedState.IN_PROGRESS or step.satisfied_at is not None:
            continue
        listed = func.unnest(literal(step.instance_uids, ARRAY(String))).column_valued("listed")
        here = exists().where(
            Instance.site_id == study.site_id, Instance.sop_instance_uid == listed
        )
        absent = session.scalar(select(func.count(listed)).where(~here)) or 0
        if absent == 0 and step.instance_uids:
            step.satisfied_at = utc_now()
        missing += absent
    return missing


def _all_ended(session: Session, steps: Sequence[PerformedStep]) -> bool:
    if any(step.state is PerformedState.IN_PROGRESS for step in steps):
        return False
    orders = {step.order_id for step in steps if step.order_id is not None}
    waiting = exists().where(
        ScheduledStep.order_id.in_(orders), ScheduledStep.status.not_in(_ENDED)
    )
    return not session.scalar(select(waiting))


def _complete(session: Session, study: Study, missing: int) -> None:
    study.state = StudyState.COMPLETE
    study.generation += 1
    study.completed_at = completed_at = utc_now()
    _trace(session, study, completed_at)
    outbox.emit(
        session,
        StudyReceived(
            study_id=study.id,
            site_id=study.site_id,
            study_instance_uid=study.study_instance_uid,
            generation=study.generation,
            modalities=tuple(study.modalities),
            instance_count=study.instance_count,
            missing_instances=missing,
        ),
    )


def _trace(session: Session, study: Study, completed_at: datetime) -> None:
    noted = partial(
        tracing.note,
        study.site_id,
        study.study_instance_uid,
        "complete",
        study.last_received_at,
        completed_at,
        instances=study.instance_count,
        generation=study.generation,
    )
    tracing.after_commit(session, noted)
