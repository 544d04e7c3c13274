"""Who reads, what they have to do already, and giving many workitems at once."""

from collections import defaultdict
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.problems import Problem
from reading_worklist.routing import assignment, roster
from reading_worklist.routing import readers as people
from reading_worklist.workitems.schemas import GroupName
from reading_worklist.workitems.states import OPEN
from reading_worklist.workitems.tables import Workitem
from reading_worklist.worklist.schemas import (
    AssignManyBody,
    Assignments,
    Reader,
    ReaderDuty,
    Refused,
)
from storage.clock import utc_now
from storage.registry import Role


def shown(session: Session, scope: Scope) -> list[Reader]:
    """Return who reads for the asker's consortium today.

    Those on duty come first, the least loaded before the others, then by name.
    """
    duties: defaultdict[UUID, list[ReaderDuty]] = defaultdict(list)
    now = utc_now()
    for duty in roster.shown(session, scope, now, now):
        group = duty.group
        duties[duty.person.id].append(
            ReaderDuty(
                lane=duty.lane,
                group=GroupName.model_validate(group, from_attributes=True) if group else None,
                ends_at=duty.ends_at,
            )
        )
    loads = _loads(session, scope)
    readers = [
        Reader(
            id=one.id,
            display_name=one.display_name,
            roles=one.roles,
            duties=duties.get(one.id, []),
            load=loads.get(one.id, 0),
        )
        for one in people.shown(session, scope)
    ]
    return sorted(readers, key=lambda one: (not one.duties, one.load, one.display_name))


def assign_many(session: Session, scope: Scope, body: AssignManyBody) -> Assignments:
    """Give many waiting workitems to somebody, or take them back; what cannot be given is left.

    Raises:
        Problem: 403 for anybody but a dispatcher.
    """
    scope.require(Role.DISPATCHER)
    refused: list[Refused] = []
    # One order for all: two dispatchers with the same workitems do not wait for each other.
    wanted = sorted(set(body.workitem_ids))
    for workitem_id in wanted:
        try:
            with session.begin_nested():
                assignment.assign(session, scope, workitem_id, body.person_id)
        except Problem as problem:
            refused.append(Refused(workitem_id=workitem_id, code=problem.code, title=problem.what))
    return Assignments(assigned=len(wanted) - len(refused), refused=refused)


def _loads(session: Session, scope: Scope) -> dict[UUID, int]:
    """Return what each has to do: held, or assigned and not held by somebody else."""
    whose = func.coalesce(Workitem.holder_id, Workitem.assignee_id)
    counted = session.execute(
        select(whose, func.count())
        .where(
            Workitem.state.in_(OPEN),
            scope.sees(Workitem.site_id),
            or_(Workitem.holder_id.is_not(None), Workitem.assignee_id.is_not(None)),
        )
        .group_by(whose)
    ).all()
    return dict(counted)
