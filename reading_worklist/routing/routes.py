"""Routing over HTTP: clocks, groups, roster, rules, and giving work to people.

People of the centre look. Consortium administrators set clocks, groups and rules; dispatchers edit
the roster and assign.
"""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime

from reading_worklist.problems import not_found
from reading_worklist.routing import assignment, groups, roster, rulesets, settings
from reading_worklist.routing.clocks import Clock
from reading_worklist.routing.schemas import (
    AssignBody,
    DraftTrialBody,
    DutyBody,
    DutyView,
    GroupBody,
    GroupView,
    PublishBody,
    RosterCopyBody,
    RosterCopyResult,
    RulesetBody,
    RulesetView,
    TrialBody,
    TrialResult,
)
from reading_worklist.routing.settings import ClockBody, ClockView
from reading_worklist.services import Asking, Parts
from reading_worklist.workitems import queries as workitem_queries
from reading_worklist.workitems.lane import Lane
from reading_worklist.workitems.routes import CENTRE_ROLES
from reading_worklist.workitems.schemas import WorkitemDetail
from storage.clock import utc_now
from storage.orders.words import Priority

router = APIRouter(prefix="/api", tags=["routing"])

_Site = Annotated[str | None, Query(max_length=100)]
_Version = Annotated[int, Path(ge=1, le=1_000_000)]
_Code = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
_WEEK = timedelta(days=7)


@router.get("/clocks")
def list_clocks(scope: Asking, services: Parts, site: _Site = None) -> list[ClockView]:
    """Return every clock as it runs for a site, or for the consortium without one."""
    scope.require(*CENTRE_ROLES)
    with services.database.transaction() as session:
        return settings.shown(session, settings.governed(session, scope, site))


@router.put("/clocks/{clock}/{priority}")
def set_clock(
    clock: Clock, priority: Priority, body: ClockBody, scope: Asking, services: Parts
) -> list[ClockView]:
    """Set the times of a clock for what is queued from now on."""
    with services.database.transaction() as session:
        settings.set_clock(session, scope, clock, priority, body)
        session.flush()
        return settings.shown(session, settings.governed(session, scope, body.site))


@router.delete("/clocks/{clock}/{priority}")
def reset_clock(
    clock: Clock, priority: Priority, scope: Asking, services: Parts, site: _Site = None
) -> list[ClockView]:
    """Take the setting of a clock back."""
    with services.database.transaction() as session:
        settings.reset_clock(session, scope, clock, priority, site)
        session.flush()
        return settings.shown(session, settings.governed(session, scope, site))


@router.get("/reading-groups")
def list_reading_groups(scope: Asking, services: Parts) -> list[GroupView]:
    """Return the groups that studies are read in."""
    scope.require(*CENTRE_ROLES)
    with services.database.transaction() as session:
        return groups.groups(session, scope)


@router.put("/reading-groups/{code}")
def set_reading_group(
    code: _Code, body: GroupBody, scope: Asking, services: Parts
) -> list[GroupView]:
    """Make a group, or change it."""
    with services.database.transaction() as session:
        groups.set_group(session, scope, code, body)
        return groups.groups(session, scope)


@router.get("/roster")
def list_roster(
    scope: Asking,
    services: Parts,
    begins: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    ends: Annotated[AwareDatetime | None, Query(alias="to")] = None,
) -> list[DutyView]:
    """Return who is on duty between two times: from now for a week when they are not given."""
    scope.require(*CENTRE_ROLES)
    first: datetime = begins or utc_now()
    with services.database.transaction() as session:
        return roster.shown(session, scope, first, ends or first + _WEEK)


@router.post("/roster", status_code=HTTPStatus.CREATED)
def add_duty(body: DutyBody, scope: Asking, services: Parts) -> list[DutyView]:
    """Put somebody on the roster; returns the roster of that time."""
    with services.database.transaction() as session:
        roster.add(session, scope, body)
        return roster.shown(session, scope, body.starts_at, body.ends_at)


@router.post("/roster/copy")
def copy_roster(body: RosterCopyBody, scope: Asking, services: Parts) -> RosterCopyResult:
    """Repeat the roster of the week before in the week that begins on a day."""
    with services.database.transaction() as session:
        return RosterCopyResult(added=roster.copy_week(session, scope, body))


@router.delete("/roster/{duty_id}", status_code=HTTPStatus.NO_CONTENT)
def cancel_duty(duty_id: UUID, scope: Asking, services: Parts) -> None:
    """Take a duty off the roster."""
    with services.database.transaction() as session:
        roster.cancel(session, scope, duty_id)


@router.get("/routing/rulesets")
def list_rulesets(scope: Asking, services: Parts) -> list[RulesetView]:
    """Return the versions of the rules, the newest first."""
    scope.require(*CENTRE_ROLES)
    with services.database.transaction() as session:
        return rulesets.shown(session, scope)


@router.post("/routing/rulesets", status_code=HTTPStatus.CREATED)
def make_ruleset(body: RulesetBody, scope: Asking, services: Parts) -> RulesetView:
    """Make a new version of the rules; it routes nothing until it is switched on."""
    with services.database.transaction() as session:
        version = rulesets.make(session, scope, body)
        return next(one for one in rulesets.shown(session, scope) if one.version == version)


@router.post("/routing/rulesets/{version}/trial")
def try_ruleset(version: _Version, body: TrialBody, scope: Asking, services: Parts) -> TrialResult:
    """Try a version on past studies: which it would have sent elsewhere. Changes nothing."""
    with services.database.transaction() as session:
        return rulesets.try_out(session, scope, version, body.days)


@router.post("/routing/trial")
def try_rules(body: DraftTrialBody, scope: Asking, services: Parts) -> TrialResult:
    """Try rules that are no version yet on past studies. Changes nothing."""
    with services.database.transaction() as session:
        return rulesets.try_draft(session, scope, body.rules, body.days)


@router.post("/routing/publish")
def publish_rules(body: PublishBody, scope: Asking, services: Parts) -> list[RulesetView]:
    """Make a new version and let it route what is queued from now on."""
    with services.database.transaction() as session:
        rulesets.publish(session, scope, body)
        session.flush()
        return rulesets.shown(session, scope)


@router.post("/routing/rulesets/{version}/switch-on")
def switch_ruleset_on(version: _Version, scope: Asking, services: Parts) -> list[RulesetView]:
    """Let a version route what is queued from now on."""
    with services.database.transaction() as session:
        rulesets.switch_on(session, scope, version)
        session.flush()
        return rulesets.shown(session, scope)


@router.post("/routing/switch-off")
def switch_rules_off(scope: Asking, services: Parts) -> list[RulesetView]:
    """Let no rules route."""
    with services.database.transaction() as session:
        rulesets.switch_off(session, scope)
        session.flush()
        return rulesets.shown(session, scope)


@router.post("/workitems/next")
def claim_next(scope: Asking, services: Parts, lane: Lane | None = None) -> WorkitemDetail:
    """Claim the most urgent workitem that is for the asker."""
    with services.database.transaction() as session:
        item = assignment.claim_next(session, scope, lane, services.config.claim_lease)
        if item is None:
            raise not_found("Any waiting workitem for you")
        session.flush()
        return workitem_queries.detail(session, scope, item.id)


@router.post("/workitems/{workitem_id}/assign")
def assign_workitem(
    workitem_id: UUID, body: AssignBody, scope: Asking, services: Parts
) -> WorkitemDetail:
    """Give a waiting workitem to somebody, or take it back."""
    with services.database.transaction() as session:
        assignment.assign(session, scope, workitem_id, body.person_id)
        session.flush()
        return workitem_queries.detail(session, scope, workitem_id)
