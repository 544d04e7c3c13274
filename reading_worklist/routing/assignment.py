"""Who does a workitem next: taken by themselves, given by a dispatcher, or by rule and load."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.problems import conflict, not_found
from reading_worklist.routing.readers import reads_for
from reading_worklist.routing.tables import Duty, ReadingGroup, ReadingGroupMember
from reading_worklist.workitems import service as workitems
from reading_worklist.workitems.lane import Lane
from reading_worklist.workitems.routed import STAGES, Stage
from reading_worklist.workitems.states import OPEN, State
from reading_worklist.workitems.tables import Workitem
from storage import audit
from storage.audit import Actor
from storage.clock import utc_now
from storage.orders.words import Priority
from storage.registry import Membership, Role, consortium_of, holds_today

WRITERS: Final = (Role.WRITER, Role.REVIEWER)


def assign(session: Session, scope: Scope, workitem_id: UUID, person_id: UUID | None) -> Workitem:
    """Give a waiting workitem to somebody, or take it back from whoever had it.

    Others may still claim it: an assignment orders the work, and delays none.

    Raises:
        Problem: 403 for anybody but a dispatcher; 404 for an unseen workitem, or a person who may
            not do what comes next; 409 when nobody is waited for.
    """
    scope.require(Role.DISPATCHER)
    item = workitems.locked(session, scope, workitem_id)
    stage = STAGES.get(item.state)
    if stage is None:
        raise conflict(
            "wrong-state",
            "'assign' is not possible now",
            expected=" or ".join(STAGES),
            found=item.state,
            remedy="Reload: somebody may have gone on with it.",
        )
    if person_id is not None:
        organisation_id = consortium_of(session, item.site_id).id
        roles = WRITERS if stage is Stage.WRITING else (Role.REVIEWER,)
        if not reads_for(session, person_id, organisation_id, roles):
            raise not_found("The reader")
        if stage is Stage.REVIEW and person_id == item.writer_id:
            raise conflict(
                "self-review",
                "The writer of a report cannot review it",
                remedy="Choose another reviewer.",
            )
    _give(session, item, person_id, stage, actor=scope.actor, by="dispatcher")
    return item


def assign_by_load(
    session: Session, item: Workitem, organisation_id: UUID, actor: Actor
) -> UUID | None:
    """Give a queued workitem to whoever is on duty for it and has the least to do.

    Those on duty for its group come before those on duty for the whole lane, of whom only people of
    the group count where it has any. Nobody gets more than the group lets anybody have. Returns the
    person, None when nobody is on duty who may.
    """
    now = utc_now()
    load = (
        select(func.count())
        .where(
            Workitem.state.in_(OPEN),
            or_(Workitem.assignee_id == Duty.person_id, Workitem.holder_id == Duty.person_id),
        )
        .correlate(Duty)
        .scalar_subquery()
    )
    limit = (
        select(ReadingGroup.open_limit).where(ReadingGroup.id == item.group_id).scalar_subquery()
    )
    person_id = session.scalar(
        select(Duty.person_id)
        .join(Membership, Membership.person_id == Duty.person_id)
        .where(
            Duty.organisation_id == organisation_id,
            Duty.cancelled_at.is_(None),
            Duty.starts_at <= now,
            Duty.ends_at > now,
            Duty.lane == item.lane,
            or_(Duty.group_id == item.group_id, and_(Duty.group_id.is_(None), _belongs(item))),
            or_(limit.is_(None), load < limit),
            Membership.role.in_(WRITERS),
            holds_today(),
        )
        .order_by(Duty.group_id.is_(None), load, Duty.starts_at, Duty.person_id)
        .limit(1)
    )
    if person_id is not None:
        _give(session, item, person_id, Stage.WRITING, actor=actor, by="rule")
    return person_id


def claim_next(
    session: Session, scope: Scope, lane: Lane | None, lease: timedelta
) -> Workitem | None:
    """Claim the most urgent workitem that is for the asker, None when there is none.

    That is what is assigned to him or to nobody; while he is on duty for groups, of those groups or
    of none. Several may ask at once: each gets another one.

    Raises:
        Problem: 403 without a writer's role.
    """
    scope.require(*WRITERS)
    now = utc_now()
    duties = session.execute(
        select(Duty.lane, Duty.group_id).where(
            Duty.person_id == scope.person_id,
            Duty.cancelled_at.is_(None),
            Duty.starts_at <= now,
            Duty.ends_at > now,
        )
    ).all()
    wanted: list[ColumnElement[bool]] = [
        scope.sees(Workitem.site_id),
        Workitem.state == State.QUEUED,
        or_(Workitem.assignee_id.is_(None), Workitem.assignee_id == scope.person_id),
    ]
    if lane is not None:
        wanted.append(Workitem.lane == lane)
    if duties and all(group is not None for _, group in duties):
        mine = [group for _, group in duties]
        wanted.append(
            or_(
                Workitem.group_id.is_(None),
                Workitem.group_id.in_(mine),
                Workitem.assignee_id == scope.person_id,
            )
        )
    for priority in Priority:
        # One priority after the other, each along the index of open work.
        found = session.scalar(
            select(Workitem.id)
            .where(*wanted, Workitem.priority == priority)
            .order_by(Workitem.due_at, Workitem.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if found is not None:
            return workitems.claim(session, scope, found, lease)
    return None


def _belongs(item: Workitem) -> ColumnElement[bool]:
    """Return the SQL condition that a duty's person belongs to the group of a workitem.

    Where it has no group, or the group nobody, everybody does.
    """
    of_group = ReadingGroupMember.group_id == item.group_id
    return or_(
        ~exists().where(of_group),
        exists().where(of_group, ReadingGroupMember.person_id == Duty.person_id),
    )


def _give(
    session: Session,
    item: Workitem,
    person_id: UUID | None,
    stage: Stage,
    *,
    actor: Actor,
    by: str,
) -> None:
    if item.assignee_id == person_id and (person_id is None or item.assigned_for is stage):
        return
    item.assignee_id = person_id
    item.assigned_for = stage if person_id else None
    item.revision += 1
    audit.record(
        session,
        actor,
        "workitem:assign",
        subject_kind="workitem",
        subject_id=item.id,
        detail={"to": str(person_id) if person_id else None, "for": stage, "by": by},
    )
    workitems.tell(session, item)
