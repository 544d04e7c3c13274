"""Routing a study: the rules that are switched on give it lane, group, priority and times."""

from dataclasses import replace
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.routing import assignment, facts, rules
from reading_worklist.routing.clocks import Clock, Since, clock_of
from reading_worklist.routing.rules import Decision
from reading_worklist.routing.settings import clocks_of
from reading_worklist.routing.tables import ReadingGroup, RoutingRuleset, RulesetState
from reading_worklist.working_time.queries import working_time
from reading_worklist.workitems.service import tell
from reading_worklist.workitems.states import CLOSED, State
from reading_worklist.workitems.tables import Workitem
from storage import audit
from storage.audit import Actor
from storage.clock import utc_now
from storage.orders.words import Priority
from storage.registry import consortium_of

_NOT_BEGUN = frozenset({State.QUEUED, State.HELD, State.WITHDRAWN})


def route(session: Session, item: Workitem, actor: Actor) -> None:
    """Give an unsigned reading its place and its times, as of when it was queued.

    One that somebody has begun to read keeps its lane and group; a new priority counts still.
    What has a report outside has times of its own. No rule and no order lowers the priority below
    what a hint has raised it to. Routed twice it changes nothing the second time.
    """
    if item.state in CLOSED or item.preliminary_stands or item.amending:
        return
    organisation_id = consortium_of(session, item.site_id).id
    ruleset = switched_on(session, organisation_id)
    times = facts.times_of(session, organisation_id, item.queued_at, item.queued_at)
    routable = facts.of_item(session, item.id, times)
    decision = rules.decide(rules.read_rules(ruleset.rules) if ruleset else (), routable.facts)
    begun = item.state not in _NOT_BEGUN
    if begun:
        decision = replace(decision, lane=item.lane)
    decision = replace(decision, priority=decision.priority.at_least(item.raised_to))
    limit = clocks_of(session, item.site_id).limit(decision.clock, decision.priority)
    start = routable.started_at if limit.since is Since.EXAM_START else item.queued_at
    due_at = limit.due_at(start, times.worked)
    group_id = item.group_id if begun else _group(session, organisation_id, decision)
    before = _told(item)
    item.lane = decision.lane
    item.group_id = group_id
    item.priority = decision.priority
    item.clock = decision.clock
    if due_at != item.due_at or item.warn_at is None:
        item.due_at = due_at
        item.warn_at = due_at - limit.warn
    item.claim_due_at = limit.claim_due_at(item.queued_at, times.worked)
    if not begun:
        item.ruleset_id = ruleset.id if ruleset else None
        item.rule = decision.rule
    if _told(item) != before:
        item.revision += 1
        audit.record(
            session,
            actor,
            "workitem:route",
            subject_kind="workitem",
            subject_id=item.id,
            detail={
                **_told(item),
                "rules": ruleset.version if ruleset else None,
                "group": decision.group,
            },
        )
        tell(session, item)
    if decision.assign and item.state is State.QUEUED and item.assignee_id is None:
        assignment.assign_by_load(session, item, organisation_id, actor)


def raise_priority(session: Session, item: Workitem, priority: Priority, actor: Actor) -> None:
    """Give a reading at least this priority from now on; one that has it changes nothing."""
    raised = priority.at_least(item.raised_to)
    if raised is item.raised_to:
        return
    item.raised_to = raised
    session.flush()
    route(session, item, actor)


def start_again(session: Session, item: Workitem) -> None:
    """Let the clock of a reading run from now: it is amended, or read again from the beginning."""
    now = utc_now()
    worked = working_time(session, item.site_id)
    clock = Clock(item.clock) if item.clock else clock_of(item.lane, item.modalities)
    limit = clocks_of(session, item.site_id).limit(clock, item.priority)
    item.due_at = limit.due_at(now, worked)
    item.warn_at = item.due_at - limit.warn
    item.claim_due_at = limit.claim_due_at(now, worked)
    item.escalated_at = None


def switched_on(session: Session, organisation_id: UUID) -> RoutingRuleset | None:
    """Return the version of a consortium's rules that routes, None when none is switched on."""
    return session.scalar(
        select(RoutingRuleset).where(
            RoutingRuleset.organisation_id == organisation_id,
            RoutingRuleset.state == RulesetState.ON,
        )
    )


def _group(session: Session, organisation_id: UUID, decision: Decision) -> UUID | None:
    if decision.group is None:
        return None
    return session.scalar(
        select(ReadingGroup.id).where(
            ReadingGroup.organisation_id == organisation_id,
            ReadingGroup.code == decision.group,
            ReadingGroup.lane == decision.lane,
            ReadingGroup.active,
        )
    )


def _told(item: Workitem) -> dict[str, str | None]:
    return {
        "lane": item.lane.value,
        "group_id": str(item.group_id) if item.group_id else None,
        "priority": item.priority.value,
        "clock": item.clock,
        "due_at": item.due_at.isoformat(),
        "rule": item.rule,
    }
