"""What can be done with a workitem.

Each function works in its caller's transaction and leaves state, audit and event together.
"""

from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reading_worklist import events
from reading_worklist.access.scope import Scope
from reading_worklist.problems import not_found
from reading_worklist.reports.tables import ReportDraft
from reading_worklist.routing.clocks import DEFAULTS, clock_of, lane_of
from reading_worklist.workitems.lane import Lane
from reading_worklist.workitems.rules import check
from reading_worklist.workitems.states import Action, State, next_state
from reading_worklist.workitems.tables import Workitem, event_data
from storage import audit, metering
from storage.audit import Actor
from storage.clock import utc_now
from storage.index.tables import Study
from storage.messages import StudyReceived
from storage.orders.words import Priority

WORKER = audit.system_actor("worker")
_UNTOUCHED = frozenset({State.QUEUED, State.HELD, State.WITHDRAWN})
_REPORT_TIMES = (
    "preliminary_at",
    "finalised_at",
    "delivered_at",
    "opened_at",
    "acknowledge_by",
    "delivery_overdue_at",
)


def locked(session: Session, scope: Scope, workitem_id: UUID) -> Workitem:
    """Return a visible workitem, locked until the transaction ends.

    A lease that is over is given back first.

    Raises:
        Problem: 404 when it does not exist or belongs to a site the person does not see.
    """
    item = session.scalar(
        select(Workitem)
        .where(Workitem.id == workitem_id, scope.sees(Workitem.site_id))
        .with_for_update()
    )
    if item is None:
        raise not_found("The workitem")
    _expire_if_over(session, item, except_for=scope.person_id)
    return item


def move(session: Session, item: Workitem, state: State, action: Action, actor: Actor) -> None:
    """Set the state after `action`, and tell the audit trail and the open pages.

    What waits for review goes on to PRELIM_ISSUED by itself while a preliminary report is out.
    """
    before = item.state
    item.state = state
    item.revision += 1
    if before is State.REVOKED and state is not State.ARCHIVED:
        _forget_report(item)
    # Each change for itself: the database's guard would see two as one that is not allowed.
    session.flush()
    audit.record(
        session,
        actor,
        f"workitem:{action.value}",
        subject_kind="workitem",
        subject_id=item.id,
        detail={"from": before, "to": state},
    )
    after = next_state(state, Action.KEEP_PRELIMINARY)
    if after is not None and item.preliminary_stands:
        move(session, item, after, Action.KEEP_PRELIMINARY, actor)
        return
    tell(session, item)


def tell(session: Session, item: Workitem) -> None:
    """Tell open pages that a workitem changed."""
    events.publish(session, events.Event("workitem", item.site_id, event_data(item)))


def hold(item: Workitem, person_id: UUID, lease: timedelta) -> None:
    """Let a person hold the item until the lease ends without work on it."""
    item.holder_id = person_id
    item.lease_until = utc_now() + lease


def let_go(item: Workitem) -> None:
    """Let nobody hold the item."""
    item.holder_id = None
    item.lease_until = None


def claim(session: Session, scope: Scope, workitem_id: UUID, lease: timedelta) -> Workitem:
    """Give the item to a writer, or renew his lease.

    Raises:
        Problem: see `rules.check`.
    """
    item = locked(session, scope, workitem_id)
    after = check(item, Action.CLAIM, scope)
    fresh = item.holder_id != scope.person_id
    hold(item, scope.person_id, lease)
    item.writer_id = scope.person_id
    if fresh:
        item.claimed_at = utc_now()
        move(session, item, after, Action.CLAIM, scope.actor)
    return item


def start_review(session: Session, scope: Scope, workitem_id: UUID, lease: timedelta) -> Workitem:
    """Give a written report to a reviewer who is not its writer, or renew his lease.

    Raises:
        Problem: see `rules.check`.
    """
    item = locked(session, scope, workitem_id)
    after = check(item, Action.START_REVIEW, scope)
    fresh = item.holder_id != scope.person_id
    hold(item, scope.person_id, lease)
    if fresh:
        item.reviewed_at = utc_now()
        move(session, item, after, Action.START_REVIEW, scope.actor)
    return item


def release(session: Session, scope: Scope, workitem_id: UUID) -> Workitem:
    """Give the item back to the queue of its state; a draft stays for whoever claims it next.

    Raises:
        Problem: see `rules.check`.
    """
    item = locked(session, scope, workitem_id)
    after = check(item, Action.RELEASE, scope)
    let_go(item)
    move(session, item, after, Action.RELEASE, scope.actor)
    return item


def archive(session: Session, scope: Scope, workitem_id: UUID) -> Workitem:
    """Lock the reading for good.

    Raises:
        Problem: see `rules.check`.
    """
    item = locked(session, scope, workitem_id)
    after = check(item, Action.ARCHIVE, scope)
    move(session, item, after, Action.ARCHIVE, scope.actor)
    return item


def reopen(session: Session, scope: Scope, workitem_id: UUID) -> Workitem:
    """Queue a reading again whose report was revoked.

    Raises:
        Problem: see `rules.check`.
    """
    item = locked(session, scope, workitem_id)
    after = check(item, Action.REOPEN, scope)
    item.queued_at = utc_now()
    move(session, item, after, Action.REOPEN, scope.actor)
    return item


def expire_leases(session: Session, *, limit: int = 100) -> int:
    """Give back up to `limit` items whose lease is over; return how many were looked at."""
    over = session.scalars(
        select(Workitem)
        .where(Workitem.lease_until <= utc_now(), ~_kept_by_draft())
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for item in over:
        _expire_if_over(session, item)
    return len(over)


def queue_study(
    session: Session, message: StudyReceived, priority: Priority = Priority.ROUTINE
) -> Workitem | None:
    """Queue a complete study, once; return its workitem, None when all of this is known already.

    Late instances of a study that somebody has begun to read flag its workitem.
    """
    lane = lane_of(message.modalities)
    now = utc_now()
    made = session.scalar(
        insert(Workitem)
        .values(
            id=uuid4(),
            study_id=message.study_id,
            site_id=message.site_id,
            lane=lane,
            modalities=list(message.modalities),
            priority=priority,
            state=State.QUEUED,
            study_generation=message.generation,
            late_instances=False,
            queued_at=now,
            due_at=now + DEFAULTS[clock_of(lane, message.modalities), priority].due,
            revision=0,
        )
        .on_conflict_do_nothing(index_elements=["study_id"])
        .returning(Workitem.id)
    )
    item = session.scalars(
        select(Workitem).where(Workitem.study_id == message.study_id).with_for_update()
    ).one()
    detail = {"generation": message.generation, "instances": message.instance_count}
    if made is not None:
        _measure_arrival(session, message.study_id, lane)
        audit.record(
            session,
            WORKER,
            "workitem:queue",
            subject_kind="workitem",
            subject_id=item.id,
            detail=detail,
        )
    elif message.generation > item.study_generation:
        item.study_generation = message.generation
        item.modalities = list(message.modalities)
        item.late_instances = item.late_instances or item.state not in _UNTOUCHED
        item.revision += 1
        audit.record(
            session,
            WORKER,
            "workitem:late_instances",
            subject_kind="workitem",
            subject_id=item.id,
            detail=detail,
        )
    else:
        return None
    tell(session, item)
    return item


def _measure_arrival(session: Session, study_id: UUID, lane: Lane) -> None:
    if not metering.is_enabled():
        return
    received_at = session.get_one(Study, study_id).last_received_at

    def measure() -> None:
        waited = (utc_now() - received_at).total_seconds()
        metering.observe("rdc_arrival_to_worklist_seconds", waited, lane.value)

    metering.after_commit(session, measure)


def withhold(session: Session, item: Workitem, actor: Actor) -> bool:
    """Let nobody read the study until `resume`; False when a report of it stands."""
    after = next_state(item.state, Action.WITHHOLD)
    if after is None or item.report_stands:
        return False
    if item.state is not after:
        let_go(item)
        move(session, item, after, Action.WITHHOLD, actor)
    return True


def resume(session: Session, item: Workitem, actor: Actor) -> None:
    """Let a withheld study be read; of one that is not withheld nothing changes."""
    after = next_state(item.state, Action.RESUME)
    if after is not None:
        move(session, item, after, Action.RESUME, actor)


def withdraw(session: Session, item: Workitem, actor: Actor) -> None:
    """Take a withheld study out of the queue: it went back to its site."""
    after = next_state(item.state, Action.WITHDRAW)
    if after is not None:
        move(session, item, after, Action.WITHDRAW, actor)


def note_arrival(session: Session, item: Workitem, actor: Actor) -> None:
    """Mark a published report as delivered, once; a page or a machine of the site has it."""
    item.acknowledge_by = None
    item.delivery_overdue_at = None
    after = next_state(item.state, Action.ACKNOWLEDGE_DELIVERY)
    if after is not None and after != item.state:
        move(session, item, after, Action.ACKNOWLEDGE_DELIVERY, actor)


def _forget_report(item: Workitem) -> None:
    """Begin anew: what was issued is revoked."""
    for name in _REPORT_TIMES:
        setattr(item, name, None)


def _kept_by_draft() -> ColumnElement[bool]:
    return (Workitem.state == State.CLAIMED) & (
        select(ReportDraft.workitem_id)
        .where(
            ReportDraft.workitem_id == Workitem.id,
            ReportDraft.author_id == Workitem.holder_id,
            ReportDraft.revision > 0,
        )
        .exists()
    )


def _expire_if_over(session: Session, item: Workitem, except_for: UUID | None = None) -> None:
    if item.lease_until is None or item.lease_until > utc_now() or item.holder_id == except_for:
        return
    after = next_state(item.state, Action.EXPIRE_LEASE)
    kept = session.scalar(select(Workitem.id).where(Workitem.id == item.id, _kept_by_draft()))
    if after is None or kept is not None:
        return
    let_go(item)
    move(session, item, after, Action.EXPIRE_LEASE, audit.system_actor("lease"))
