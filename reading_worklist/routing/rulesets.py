"""Versions of the rules: made, tried on past studies, and switched on by a person."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Final

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from reading_worklist.access.scope import Scope
from reading_worklist.problems import Problem, conflict, not_found
from reading_worklist.routing import facts
from reading_worklist.routing.facts import Routable
from reading_worklist.routing.rules import Decision, Rule, decide, read_rules, write_rules
from reading_worklist.routing.schemas import (
    MovedStudy,
    Placement,
    PublishBody,
    RulesetBody,
    RulesetView,
    TrialResult,
)
from reading_worklist.routing.service import switched_on
from reading_worklist.routing.tables import ReadingGroup, RoutingRuleset, RulesetState
from reading_worklist.workitems.schemas import PersonView
from storage import audit
from storage.clock import utc_now
from storage.registry import Organisation, Person, Role, consortium_of

TRIED_MAX: Final = 20_000
SHOWN_MAX: Final = 200
_Maker = aliased(Person)
_Switcher = aliased(Person)


def shown(session: Session, scope: Scope) -> list[RulesetView]:
    """Return the versions of the asker's consortium, the newest first."""
    organisation_id = consortium_of(session, scope.organisation_id).id
    rows = session.execute(
        _rows()
        .where(RoutingRuleset.organisation_id == organisation_id)
        .order_by(RoutingRuleset.version.desc())
        .limit(SHOWN_MAX)
    ).all()
    return [_view(*row) for row in rows]


def make(session: Session, scope: Scope, body: RulesetBody) -> int:
    """Add a version, which routes nothing yet; return its number.

    Raises:
        Problem: 403 for anybody but a consortium administrator; 422 when a rule names a site or a
            group that is not there, or two rules have one name.
    """
    scope.require(Role.CONSORTIUM_ADMIN)
    organisation = consortium_of(session, scope.organisation_id)
    _check(session, scope, organisation, body.rules)
    # Two who make a version at once get numbers one after the other.
    session.execute(
        select(Organisation.id).where(Organisation.id == organisation.id).with_for_update()
    )
    newest = session.scalar(
        select(func.max(RoutingRuleset.version)).where(
            RoutingRuleset.organisation_id == organisation.id
        )
    )
    ruleset = RoutingRuleset(
        organisation_id=organisation.id,
        version=(newest or 0) + 1,
        rules=write_rules(body.rules),
        note=body.note,
        created_by=scope.person_id,
    )
    session.add(ruleset)
    session.flush()
    _record(session, scope, "routing_rules:make", ruleset, len(body.rules))
    return ruleset.version


def switch_on(session: Session, scope: Scope, version: int) -> None:
    """Let a version route what is queued from now on, instead of the one that did.

    Raises:
        Problem: 403 for anybody but a consortium administrator, 404 for an unknown version, 409
            when it is switched on already.
    """
    scope.require(Role.CONSORTIUM_ADMIN)
    organisation_id = consortium_of(session, scope.organisation_id).id
    session.execute(
        select(Organisation.id).where(Organisation.id == organisation_id).with_for_update()
    )
    wanted = _version(session, scope, version)
    before = switched_on(session, organisation_id)
    if before is not None and before.id == wanted.id:
        raise conflict("already-on", f"Version {version} is switched on already")
    if before is not None:
        before.state = RulesetState.OFF
        session.flush()
    wanted.state = RulesetState.ON
    wanted.switched_on_at = utc_now()
    wanted.switched_on_by = scope.person_id
    _record(session, scope, "routing_rules:switch_on", wanted, len(wanted.rules), before=before)


def switch_off(session: Session, scope: Scope) -> None:
    """Let no rules route; lane and priority follow from modality and order.

    Raises:
        Problem: 403 for anybody but a consortium administrator, 409 when none is switched on.
    """
    scope.require(Role.CONSORTIUM_ADMIN)
    ruleset = switched_on(session, consortium_of(session, scope.organisation_id).id)
    if ruleset is None:
        raise conflict("already-off", "No rules are switched on")
    ruleset.state = RulesetState.OFF
    _record(session, scope, "routing_rules:switch_off", ruleset, len(ruleset.rules))


def try_out(session: Session, scope: Scope, version: int, days: int) -> TrialResult:
    """Return which studies of the past days a version sends elsewhere than what is switched on.

    Both are asked about every study, whatever people have decided about it since, with the roster
    and the calendar as they are now. Nothing is changed.

    Raises:
        Problem: 403 for anybody but a consortium administrator, 404 for an unknown version.
    """
    scope.require(Role.CONSORTIUM_ADMIN)
    return _tried(session, scope, read_rules(_version(session, scope, version).rules), days)


def try_draft(session: Session, scope: Scope, rules: Sequence[Rule], days: int) -> TrialResult:
    """Do the same as `try_out` with rules that are no version yet.

    Raises:
        Problem: 403 for anybody but a consortium administrator; 422 as `make`.
    """
    scope.require(Role.CONSORTIUM_ADMIN)
    _check(session, scope, consortium_of(session, scope.organisation_id), rules)
    return _tried(session, scope, rules, days)


def publish(session: Session, scope: Scope, body: PublishBody) -> None:
    """Make a version of some rules and switch it on in one step.

    Raises:
        Problem: 403 for anybody but a consortium administrator; 409 when another version routes
            than when they were written; 422 as `make`.
    """
    scope.require(Role.CONSORTIUM_ADMIN)
    organisation_id = consortium_of(session, scope.organisation_id).id
    session.execute(
        select(Organisation.id).where(Organisation.id == organisation_id).with_for_update()
    )
    present = switched_on(session, organisation_id)
    if (present.version if present else None) != body.based_on:
        raise conflict(
            "rules-changed",
            "Somebody else has published rules in the meantime",
            expected=f"version {present.version}" if present else "no rules",
            found=f"version {body.based_on}" if body.based_on else "no rules",
            remedy="Look at the version that routes now, and make your changes to it.",
        )
    version = make(session, scope, RulesetBody(rules=body.rules, note=body.reason))
    switch_on(session, scope, version)


def _tried(session: Session, scope: Scope, tried: Sequence[Rule], days: int) -> TrialResult:
    organisation_id = consortium_of(session, scope.organisation_id).id
    present = switched_on(session, organisation_id)
    standing = read_rules(present.rules) if present else []
    now = utc_now()
    since = now - timedelta(days=days)
    times = facts.times_of(session, organisation_id, since, now)
    examined = moved = 0
    by_rule: Counter[str] = Counter({rule.name: 0 for rule in tried})
    studies: list[MovedStudy] = []
    for one in facts.of_past(session, sorted(scope.site_ids), since, TRIED_MAX, times):
        examined += 1
        before, after = decide(standing, one.facts), decide(tried, one.facts)
        if after.rule is not None:
            by_rule[after.rule] += 1
        if _place(before) != _place(after):
            moved += 1
            if len(studies) < SHOWN_MAX:
                studies.append(_moved(one, before, after))
    return TrialResult(
        examined=examined,
        complete=examined < TRIED_MAX,
        moved=moved,
        by_rule=dict(by_rule),
        studies=studies,
    )


def _check(
    session: Session, scope: Scope, organisation: Organisation, rules: Sequence[Rule]
) -> None:
    names = Counter(rule.name for rule in rules)
    sites = set(session.scalars(select(Organisation.code).where(scope.sees(Organisation.id))))
    groups = {
        row.code: row.lane
        for row in session.execute(
            select(ReadingGroup.code, ReadingGroup.lane).where(
                ReadingGroup.organisation_id == organisation.id, ReadingGroup.active
            )
        )
    }
    wrong = [f"two rules are called {name!r}" for name, number in names.items() if number > 1]
    for rule in rules:
        wrong += [
            f"{rule.name!r}: no site {code!r}" for code in rule.when.sites if code not in sites
        ]
        for code in (rule.when.on_duty, rule.then.group):
            if code is not None and code not in groups:
                wrong.append(f"{rule.name!r}: no group {code!r}")
        lane = groups.get(rule.then.group or "")
        if lane is not None and rule.then.lane not in (None, lane):
            wrong.append(f"{rule.name!r}: group {rule.then.group!r} is of the lane {lane}")
    if wrong:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "invalid-rules",
            "The rules do not fit the consortium",
            found="; ".join(wrong[:10]),
            remedy="Correct the named rules.",
        )


def _version(session: Session, scope: Scope, version: int) -> RoutingRuleset:
    found = session.scalar(
        select(RoutingRuleset)
        .where(
            RoutingRuleset.organisation_id == consortium_of(session, scope.organisation_id).id,
            RoutingRuleset.version == version,
        )
        .with_for_update()
    )
    if found is None:
        raise not_found("The version")
    return found


def _rows() -> Select[RoutingRuleset, Person, Person]:
    return (
        select(RoutingRuleset, _Maker, _Switcher)
        .join(_Maker, _Maker.id == RoutingRuleset.created_by)
        .join(_Switcher, _Switcher.id == RoutingRuleset.switched_on_by, isouter=True)
    )


def _view(ruleset: RoutingRuleset, maker: Person, switcher: Person | None) -> RulesetView:
    return RulesetView(
        id=ruleset.id,
        version=ruleset.version,
        state=ruleset.state,
        rules=read_rules(ruleset.rules),
        note=ruleset.note,
        created_by=PersonView(id=maker.id, display_name=maker.display_name),
        created_at=ruleset.created_at,
        switched_on_by=PersonView(id=switcher.id, display_name=switcher.display_name)
        if switcher
        else None,
        switched_on_at=ruleset.switched_on_at,
    )


def _place(decision: Decision) -> tuple[object, ...]:
    return (decision.lane, decision.group, decision.priority, decision.clock)


def _placement(decision: Decision) -> Placement:
    return Placement(
        rule=decision.rule,
        lane=decision.lane,
        group=decision.group,
        priority=decision.priority,
        clock=decision.clock,
    )


def _moved(one: Routable, before: Decision, after: Decision) -> MovedStudy:
    return MovedStudy(
        workitem_id=one.item.id,
        site_code=one.facts.site_code,
        modalities=one.study.modalities,
        description=one.study.study_description,
        accession_number=one.study.accession_number,
        queued_at=one.item.queued_at,
        before=_placement(before),
        after=_placement(after),
    )


def _record(
    session: Session,
    scope: Scope,
    action: str,
    ruleset: RoutingRuleset,
    number: int,
    *,
    before: RoutingRuleset | None = None,
) -> None:
    audit.record(
        session,
        scope.actor,
        action,
        subject_kind="routing_ruleset",
        subject_id=ruleset.id,
        detail={
            "version": ruleset.version,
            "rules": number,
            "instead_of": before.version if before else None,
        },
    )
