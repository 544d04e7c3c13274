"""What can be done with a retake.

Each function works in its caller's transaction and leaves the states of retake, exam and reading,
audit record and event together.
"""

from datetime import datetime
from http import HTTPStatus
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist import events
from reading_worklist.access.scope import Scope
from reading_worklist.changes import state_after
from reading_worklist.phone.said import CallBody, at_site, told_by
from reading_worklist.problems import Problem, conflict, not_found
from reading_worklist.retakes.clocks import ANSWER_WITHIN
from reading_worklist.retakes.schemas import AnswerBody, RetakeBody
from reading_worklist.retakes.states import (
    TRANSITIONS,
    WAITING,
    RetakeAction,
    RetakeKind,
    RetakeState,
)
from reading_worklist.retakes.tables import Retake, RetakeCall
from reading_worklist.workitems import service as workitems
from reading_worklist.workitems.states import UNREAD
from reading_worklist.workitems.tables import Workitem
from storage import audit
from storage.audit import Actor
from storage.clock import utc_now
from storage.index.tables import Study
from storage.orders import links
from storage.orders import service as orders
from storage.orders.states import ExamAction
from storage.orders.states import next_state as next_exam_state
from storage.orders.tables import Order, StudyOrder
from storage.orders.words import Priority
from storage.registry import Role

REQUESTERS: Final = (Role.WRITER, Role.REVIEWER, Role.QUALITY_CONTROLLER)
SITE_ROLES: Final = (Role.SITE_TECHNICIAN, Role.SITE_DOCTOR)
CLOSERS: Final = (*REQUESTERS, Role.DISPATCHER)

_CLOCK: Final = audit.system_actor("retake-clock")

_EXAM_ACTION: Final = {
    RetakeKind.RETAKE: ExamAction.RETAKE,
    RetakeKind.REJECTED_QUALITY: ExamAction.REJECT_QUALITY,
}


def request(session: Session, scope: Scope, workitem_id: UUID, body: RetakeBody) -> Retake:
    """Send an exam back to its site to be made again; nobody reads what is there.

    Raises:
        Problem: 403 for other roles, 404; 409 when a report was begun to be signed, the identity
            desk has the study, or a retake waits already; 422 for a STAT exam without a call.
    """
    scope.require(*REQUESTERS)
    study, item, order = _exam(session, scope, workitem_id)
    action = _EXAM_ACTION[body.kind]
    if item.state not in UNREAD or item.report_stands or not _possible(order, action):
        raise conflict(
            "wrong-state",
            "The exam cannot be sent back now",
            expected=" or ".join(sorted(UNREAD)),
            found=f"{item.state.value}, exam {order.state.value if order else 'unknown'}",
            remedy="Let a report be returned or revoked, or the identity desk decide, first.",
        )
    assert order is not None
    if item.holder_id not in {None, scope.person_id}:
        raise conflict(
            "held-by-other", "Another doctor is working on this", remedy="Talk to him first."
        )
    if item.priority is Priority.STAT and not (body.called_name and body.called_phone):
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "call-needed",
            "A STAT exam is sent back by telephone too",
            expected="text in 'called_name' and 'called_phone'",
            remedy="Ring the site, then say whom you rang.",
        )
    now = utc_now()
    retake = Retake(
        id=uuid4(),
        site_id=item.site_id,
        workitem_id=item.id,
        study_id=study.id,
        order_id=order.id,
        kind=body.kind,
        state=RetakeState.REQUESTED,
        priority=item.priority,
        reason_code=body.reason_code,
        reason=body.reason,
        requested_by=scope.person_id,
        requested_at=now,
        due_at=now + ANSWER_WITHIN[item.priority],
        called_name=body.called_name or None,
        called_phone=body.called_phone or None,
        revision=0,
    )
    session.add(retake)
    session.flush()
    orders.move(session, scope.actor, order, action)
    workitems.withhold(session, item, scope.actor)
    workitems.withdraw(session, item, scope.actor)
    _record(session, scope.actor, retake, "request")
    return retake


def acknowledge(session: Session, scope: Scope, retake_id: UUID, body: AnswerBody) -> Retake:
    """Say as the site that the exam will be made again, or take that down from the telephone.

    Raises:
        Problem: 403 for other roles, 404, 409 in another state, 422 when it is taken down by
            telephone without name and role.
    """
    here = at_site(scope, *SITE_ROLES)
    if not here:
        scope.require(*CLOSERS)
    retake = _locked(session, scope, retake_id)
    after = state_after(TRANSITIONS, retake.state, RetakeAction.ACKNOWLEDGE)
    if not here:
        retake.acknowledged_name, retake.acknowledged_role = told_by(body.name, body.role)
    retake.acknowledged_by = scope.person_id
    retake.acknowledged_at = utc_now()
    retake.answer = body.answer or None
    retake.booked_for = body.booked_for
    _move(session, scope.actor, retake, RetakeAction.ACKNOWLEDGE, after)
    return retake


def book(session: Session, scope: Scope, retake_id: UUID, booked_for: datetime) -> Retake:
    """Say as the site when the exam will be made again; may be said again.

    Raises:
        Problem: 403 for other roles, 404, 409 in another state.
    """
    scope.require(*SITE_ROLES)
    retake = _locked(session, scope, retake_id)
    after = state_after(TRANSITIONS, retake.state, RetakeAction.BOOK)
    retake.booked_for = booked_for
    _move(session, scope.actor, retake, RetakeAction.BOOK, after)
    return retake


def call(session: Session, scope: Scope, retake_id: UUID, body: CallBody) -> Retake:
    """Take down that somebody of the site was rung, whether or not he answered.

    Raises:
        Problem: 403 for other roles, 404, 409 when nobody has to be rung.
    """
    scope.require(*CLOSERS)
    retake = _locked(session, scope, retake_id)
    after = state_after(TRANSITIONS, retake.state, RetakeAction.CALL)
    session.add(
        RetakeCall(
            retake_id=retake.id,
            at=utc_now(),
            person_id=scope.person_id,
            contact_name=body.name,
            contact_phone=body.phone,
            answered=body.answered,
            note=body.note or None,
        )
    )
    _move(session, scope.actor, retake, RetakeAction.CALL, after)
    return retake


def run_clock(session: Session, now: datetime, *, limit: int = 100) -> int:
    """Mark what no site has answered in time, once each; return how many are new."""
    late = session.scalars(
        select(Retake)
        .where(
            Retake.overdue_at.is_(None),
            Retake.state == RetakeState.REQUESTED,
            Retake.due_at <= now,
        )
        .order_by(Retake.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for retake in late:
        after = state_after(TRANSITIONS, retake.state, RetakeAction.REMIND)
        retake.overdue_at = now
        _move(session, _CLOCK, retake, RetakeAction.REMIND, after)
    return len(late)


def decline(session: Session, scope: Scope, retake_id: UUID, reason: str) -> Retake:
    """Say as the site that the exam cannot be made again: what there is goes back to the queue.

    Raises:
        Problem: 403 for other roles, 404, 409 in another state.
    """
    scope.require(*SITE_ROLES)
    retake = _locked(session, scope, retake_id)
    after = state_after(TRANSITIONS, retake.state, RetakeAction.DECLINE)
    retake.answer = reason
    retake.ended_at = utc_now()
    _take_back(session, scope.actor, retake)
    _move(session, scope.actor, retake, RetakeAction.DECLINE, after)
    return retake


def cancel(session: Session, scope: Scope, retake_id: UUID) -> Retake:
    """Take the request back as the centre: what there is goes back to the queue.

    Raises:
        Problem: 403 for other roles, 404, 409 in another state.
    """
    scope.require(*CLOSERS)
    retake = _locked(session, scope, retake_id)
    after = state_after(TRANSITIONS, retake.state, RetakeAction.CANCEL)
    retake.ended_at = utc_now()
    _take_back(session, scope.actor, retake)
    _move(session, scope.actor, retake, RetakeAction.CANCEL, after)
    return retake


def receive(session: Session, scope: Scope, retake_id: UUID, workitem_id: UUID) -> Retake:
    """Say by hand which study came in place of the one that was sent back.

    Raises:
        Problem: 403 for other roles, 404 also for a study of another patient, 409.
    """
    scope.require(*CLOSERS)
    retake = _locked(session, scope, retake_id)
    after = state_after(TRANSITIONS, retake.state, RetakeAction.RECEIVE)
    old = session.get_one(Study, retake.study_id)
    new = session.scalar(
        select(Study)
        .join(Workitem, Workitem.study_id == Study.id)
        .where(
            Workitem.id == workitem_id,
            scope.sees(Study.site_id),
            Study.patient_id == old.patient_id,
            Study.id != old.id,
        )
    )
    if new is None:
        raise not_found("A study of this patient")
    _received(session, scope.actor, retake, new.id, after)
    return retake


def close(session: Session, scope: Scope, retake_id: UUID) -> Retake:
    """Find that the new study will do.

    Raises:
        Problem: 403 for other roles, 404, 409 before it is here.
    """
    scope.require(*CLOSERS)
    retake = _locked(session, scope, retake_id)
    after = state_after(TRANSITIONS, retake.state, RetakeAction.CLOSE)
    retake.ended_at = utc_now()
    _move(session, scope.actor, retake, RetakeAction.CLOSE, after)
    return retake


def note_arrival(
    session: Session, actor: Actor, order: Order, study: Study, item: Workitem
) -> bool:
    """Tie what has come to the retake that its exam waits for; False when it waits for none.

    Instances that complete the study itself let it be read again.
    """
    retake = session.scalar(
        select(Retake)
        .where(Retake.order_id == order.id, Retake.state.in_(WAITING))
        .with_for_update()
    )
    again = retake is not None and study.first_received_at > retake.requested_at
    if retake is None or not (again or retake.study_id == study.id):
        return False
    after = state_after(TRANSITIONS, retake.state, RetakeAction.RECEIVE)
    if retake.study_id == study.id:
        workitems.withhold(session, item, actor)
        workitems.resume(session, item, actor)
    _received(session, actor, retake, study.id, after)
    return True


def _received(
    session: Session, actor: Actor, retake: Retake, study_id: UUID, after: RetakeState
) -> None:
    retake.new_study_id = study_id
    retake.received_at = utc_now()
    _move(session, actor, retake, RetakeAction.RECEIVE, after)


def _exam(
    session: Session, scope: Scope, workitem_id: UUID
) -> tuple[Study, Workitem, Order | None]:
    # The study first, as everywhere: arrival locks it before anything of it.
    study = session.scalar(
        select(Study)
        .join(Workitem, Workitem.study_id == Study.id)
        .where(Workitem.id == workitem_id, scope.sees(Workitem.site_id))
        .with_for_update(of=Study)
    )
    if study is None:
        raise not_found("The workitem")
    item = workitems.locked(session, scope, workitem_id)
    return study, item, links.order_of_study(session, study.id)


def _possible(order: Order | None, action: ExamAction) -> bool:
    return order is not None and next_exam_state(order.state, action) is not None


def _take_back(session: Session, actor: Actor, retake: Retake) -> None:
    """Let exam and reading go on with what there is."""
    order = session.scalar(
        select(Order)
        .join(StudyOrder, StudyOrder.order_id == Order.id)
        .where(Order.id == retake.order_id, StudyOrder.study_id == retake.study_id)
        .with_for_update(of=Order)
    )
    if order is not None and _possible(order, ExamAction.RECEIVE):
        orders.move(session, actor, order, ExamAction.RECEIVE)
        orders.move(session, actor, order, ExamAction.QUEUE)
    item = session.scalars(
        select(Workitem).where(Workitem.id == retake.workitem_id).with_for_update()
    ).one()
    workitems.withhold(session, item, actor)
    workitems.resume(session, item, actor)


def _locked(session: Session, scope: Scope, retake_id: UUID) -> Retake:
    # The study first, as everywhere.
    study_id = session.scalar(
        select(Retake.study_id).where(Retake.id == retake_id, scope.sees(Retake.site_id))
    )
    if study_id is None:
        raise not_found("The retake")
    session.scalars(select(Study.id).where(Study.id == study_id).with_for_update()).one()
    return session.scalars(select(Retake).where(Retake.id == retake_id).with_for_update()).one()


def _move(
    session: Session, actor: Actor, retake: Retake, action: RetakeAction, after: RetakeState
) -> None:
    before = retake.state
    retake.state = after
    retake.revision += 1
    session.flush()
    _record(session, actor, retake, action.value, before=before)


def _record(
    session: Session, actor: Actor, retake: Retake, verb: str, before: RetakeState | None = None
) -> None:
    audit.record(
        session,
        actor,
        f"retake:{verb}",
        subject_kind="retake",
        subject_id=retake.id,
        detail={"kind": retake.kind, "from": before, "to": retake.state},
    )
    data = {"id": str(retake.id), "state": retake.state.value}
    events.publish(session, events.Event("retake", retake.site_id, data))
