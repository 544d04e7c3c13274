"""What can be done with a critical value, by both sides and by the clock.

Each function works in its caller's transaction and leaves state, notice, audit record and event
together. None of them looks at the state of the reading: a critical value never waits for it.
"""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist import events
from reading_worklist.access.scope import Scope
from reading_worklist.changes import state_after
from reading_worklist.critical_values import queries
from reading_worklist.critical_values.clocks import Step
from reading_worklist.critical_values.rulesets import is_read_back, items_to_read_back, known_rule
from reading_worklist.critical_values.schemas import (
    AcknowledgeBody,
    RaiseBody,
)
from reading_worklist.critical_values.states import (
    TRANSITIONS,
    CriticalAction,
    CriticalState,
)
from reading_worklist.critical_values.tables import (
    CriticalContact,
    CriticalNotice,
    CriticalValue,
    NoticeKind,
)
from reading_worklist.phone.said import CallBody, at_site, nameless, told_by
from reading_worklist.problems import Problem, conflict, not_found
from reading_worklist.working_time.queries import working_time
from reading_worklist.workitems.tables import Workitem
from storage import audit
from storage.audit import Actor
from storage.clock import utc_now
from storage.registry import Role

FINDERS: Final = (Role.WRITER, Role.REVIEWER)
CALLERS: Final = (Role.WRITER, Role.REVIEWER, Role.DISPATCHER)
SITE_DOCTORS: Final = (Role.SITE_DOCTOR,)

_CLOCK: Final = audit.system_actor("critical-clock")


@dataclass(frozen=True, slots=True)
class RuleMet:
    """Why an analysis suspects something: what the site is told, and the rule that is met."""

    finding: str
    ruleset: str
    code: str


@dataclass(frozen=True, slots=True)
class _Told:
    """Who is told at one step: the first of its contacts, if the site has named one."""

    name: str | None
    phone: str | None


def suspect(session: Session, scope: Scope, workitem_id: UUID, body: RaiseBody) -> CriticalValue:
    """Say that a study shows something critical, in whatever state its reading is.

    Raises:
        Problem: 403 for other roles, 404 when the workitem is not visible, 422 for an unknown rule.
    """
    scope.require(*FINDERS)
    item = session.scalar(
        select(Workitem).where(Workitem.id == workitem_id, scope.sees(Workitem.site_id))
    )
    if item is None:
        raise not_found("The workitem")
    if body.rule_code is not None and not known_rule(body.ruleset or "", body.rule_code):
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "unknown-rule",
            "There is no such rule of critical values",
            expected="a ruleset and a code of its list",
            found=f"{body.ruleset} {body.rule_code}",
            remedy="Choose one of the list, or none.",
        )
    value = CriticalValue(
        id=uuid4(),
        workitem_id=item.id,
        site_id=item.site_id,
        state=CriticalState.SUSPECTED,
        finding=body.finding.strip(),
        ruleset=body.ruleset if body.rule_code else None,
        rule_code=body.rule_code,
        found_by=scope.person_id,
        found_for=scope.organisation_id,
        found_at=utc_now(),
        confirmed_alone=False,
        level=0,
        revision=0,
    )
    session.add(value)
    session.flush()
    _record(session, scope.actor, value, "suspect", {"workitem_id": str(item.id)})
    _tell(session, value)
    return value


def suspect_by_rule(
    session: Session, actor: Actor, item: Workitem, found: RuleMet, now: datetime
) -> CriticalValue:
    """Open a suspicion by a rule that a study meets; no person has seen it yet."""
    value = CriticalValue(
        id=uuid4(),
        workitem_id=item.id,
        site_id=item.site_id,
        state=CriticalState.SUSPECTED,
        finding=found.finding,
        ruleset=found.ruleset,
        rule_code=found.code,
        found_at=now,
        confirmed_alone=False,
        level=0,
        revision=0,
    )
    session.add(value)
    session.flush()
    detail = {"workitem_id": str(item.id), "ruleset": found.ruleset, "rule": found.code}
    _record(session, actor, value, "suspect", detail)
    _tell(session, value)
    return value


def support(session: Session, scope: Scope, value_id: UUID) -> CriticalValue:
    """See what an analysis suspects: the first of the two people, as if he had found it himself.

    Raises:
        Problem: 403 for other roles, 404, 409 when a doctor has found it already.
    """
    scope.require(*FINDERS)
    value = _locked(session, scope, value_id)
    after = state_after(TRANSITIONS, value.state, CriticalAction.SUPPORT)
    if value.found_by is not None:
        raise conflict(
            "found-by-person",
            "A doctor has found this already",
            expected="a suspicion of the analysis alone",
            remedy="Confirm it, or dismiss it.",
        )
    value.found_by = scope.person_id
    value.found_for = scope.organisation_id
    _move(session, scope.actor, value, CriticalAction.SUPPORT, after)
    return value


def confirm(session: Session, scope: Scope, value_id: UUID) -> CriticalValue:
    """Confirm a critical value, and tell the site at once.

    By another doctor than its finder; outside of working hours also by the finder a second time.

    Raises:
        Problem: 403 for other roles, 404, 409 in another state, for the finder by day, or while
            only an analysis suspects it.
    """
    scope.require(*FINDERS)
    value = _locked(session, scope, value_id)
    after = state_after(TRANSITIONS, value.state, CriticalAction.CONFIRM)
    if value.found_by is None:
        raise conflict(
            "found-by-nobody",
            "Only the analysis suspects this so far",
            expected="a doctor who sees it, too",
            remedy="Look at the ECG and support the suspicion first, or dismiss it.",
        )
    now = utc_now()
    alone = value.found_by == scope.person_id
    if alone and working_time(session, scope.organisation_id).is_working(now):
        raise conflict(
            "second-person",
            "In working hours another doctor confirms what you have found",
            expected="two people",
            remedy="Ask a colleague to confirm it now.",
        )
    value.confirmed_by = scope.person_id
    value.confirmed_at = now
    value.confirmed_alone = alone
    _move(session, scope.actor, value, CriticalAction.CONFIRM, after, alone=alone)
    _notify(session, scope.actor, value, now)
    return value


def dismiss(session: Session, scope: Scope, value_id: UUID, reason: str) -> CriticalValue:
    """Find that it is none after all.

    Raises:
        Problem: 403 for other roles, 404, 409 once the site has acknowledged it.
    """
    scope.require(*FINDERS)
    value = _locked(session, scope, value_id)
    after = state_after(TRANSITIONS, value.state, CriticalAction.DISMISS)
    value.dismissed_by = scope.person_id
    value.dismissed_at = utc_now()
    value.dismissal_reason = reason.strip()
    value.next_at = None
    _move(session, scope.actor, value, CriticalAction.DISMISS, after)
    return value


def call(session: Session, scope: Scope, value_id: UUID, body: CallBody) -> CriticalValue:
    """Take down that somebody was rung, whether or not he answered.

    Raises:
        Problem: 403 for other roles, 404, 409 when nobody has to be rung.
    """
    scope.require(*CALLERS)
    value = _locked(session, scope, value_id)
    after = state_after(TRANSITIONS, value.state, CriticalAction.CALL)
    session.add(
        CriticalNotice(
            critical_value_id=value.id,
            kind=NoticeKind.CALL,
            step=value.level,
            at=utc_now(),
            person_id=scope.person_id,
            contact_name=body.name.strip(),
            contact_phone=body.phone.strip(),
            answered=body.answered,
            note=body.note.strip() or None,
        )
    )
    _move(session, scope.actor, value, CriticalAction.CALL, after, answered=body.answered)
    return value


def acknowledge(
    session: Session, scope: Scope, value_id: UUID, body: AcknowledgeBody
) -> CriticalValue:
    """Take the site's acknowledgement: from its own doctor, or by whoever has him on the telephone.

    Raises:
        Problem: 403 for other roles, 404, 409 when it is acknowledged already or not told yet, 422
            when the read-back does not contain what was told, or it is taken down by telephone
            without name and role.
    """
    value = _locked(session, scope, value_id)
    here = at_site(scope, *SITE_DOCTORS)
    if not here:
        scope.require(*CALLERS)
    after = state_after(TRANSITIONS, value.state, CriticalAction.ACKNOWLEDGE)
    _require_read_back(value, body.read_back)
    name, role = (
        (scope.display_name, Role.SITE_DOCTOR.value) if here else told_by(body.name, body.role)
    )
    now = utc_now()
    value.acknowledged_by = scope.person_id if here else None
    value.recorded_by = None if here else scope.person_id
    value.acknowledged_name = name
    value.acknowledged_role = role
    value.acknowledged_at = now
    value.read_back = body.read_back.strip()
    value.next_at = now + queries.clocks_of(session, value.site_id).action
    detail = {"level": value.level, "by_telephone": not here}
    _move(session, scope.actor, value, CriticalAction.ACKNOWLEDGE, after, **detail)
    return value


def act(
    session: Session, scope: Scope, value_id: UUID, action: str, name: str | None = None
) -> CriticalValue:
    """Take down what the site has done about it.

    name: of who told it, where somebody of the centre takes it down.

    Raises:
        Problem: 403 for other roles, 404, 409 before it is acknowledged, 422 without a name.
    """
    value = _locked(session, scope, value_id)
    here = at_site(scope, *SITE_DOCTORS)
    if not here:
        scope.require(*CALLERS)
    after = state_after(TRANSITIONS, value.state, CriticalAction.ACT)
    if not here and not (name or "").strip():
        raise nameless()
    value.action = action.strip()
    value.actioned_name = scope.display_name if here else (name or "").strip()
    value.actioned_at = utc_now()
    value.next_at = None
    _move(session, scope.actor, value, CriticalAction.ACT, after, by_telephone=not here)
    return value


def close(session: Session, scope: Scope, value_id: UUID) -> CriticalValue:
    """Close the loop, as the centre.

    Raises:
        Problem: 403 for other roles, 404, 409 before the site has acted.
    """
    scope.require(*CALLERS)
    value = _locked(session, scope, value_id)
    after = state_after(TRANSITIONS, value.state, CriticalAction.CLOSE)
    value.closed_by = scope.person_id
    value.closed_at = utc_now()
    _move(session, scope.actor, value, CriticalAction.CLOSE, after)
    return value


def run_clock(session: Session, now: datetime, *, limit: int = 100) -> int:
    """Escalate what nobody has acknowledged and remind of what nobody has acted on.

    Does every step that is due, however late it is called, and each once. Returns how many critical
    values were looked at.
    """
    due = session.scalars(
        select(CriticalValue)
        .where(CriticalValue.next_at <= now)
        .order_by(CriticalValue.next_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for value in due:
        while value.next_at is not None and value.next_at <= now:
            _step(session, value, now)
    return len(due)


def _notify(session: Session, actor: Actor, value: CriticalValue, now: datetime) -> None:
    after = state_after(TRANSITIONS, value.state, CriticalAction.NOTIFY)
    value.notified_at = now
    _notice(session, value, NoticeKind.NOTIFIED, Step.FIRST_CONTACT, now)
    value.next_at = queries.clocks_of(session, value.site_id).next_due(Step.FIRST_CONTACT, now)
    _move(session, actor, value, CriticalAction.NOTIFY, after)


def _step(session: Session, value: CriticalValue, now: datetime) -> None:
    """Do what was due first."""
    if value.state is CriticalState.ACKED:
        _notice(session, value, NoticeKind.ACTION_OVERDUE, Step(value.level), now)
        value.next_at = None
        _move(session, _CLOCK, value, CriticalAction.REMIND, CriticalState.ACKED)
        return
    assert value.notified_at is not None
    after = state_after(TRANSITIONS, value.state, CriticalAction.ESCALATE)
    level = Step(value.level + 1)
    value.level = int(level)
    value.next_at = queries.clocks_of(session, value.site_id).next_due(level, value.notified_at)
    _notice(session, value, NoticeKind.ESCALATED, level, now)
    _move(session, _CLOCK, value, CriticalAction.ESCALATE, after, level=level.name)


def _notice(
    session: Session, value: CriticalValue, kind: NoticeKind, step: Step, now: datetime
) -> None:
    told = _contact(session, value.site_id, step)
    session.add(
        CriticalNotice(
            critical_value_id=value.id,
            kind=kind,
            step=int(step),
            at=now,
            contact_name=told.name,
            contact_phone=told.phone,
        )
    )


def _contact(session: Session, site_id: UUID, step: Step) -> _Told:
    found = session.scalar(
        select(CriticalContact)
        .where(CriticalContact.site_id == site_id, CriticalContact.step == int(step))
        .order_by(CriticalContact.position)
        .limit(1)
    )
    return _Told(found.name, found.phone) if found else _Told(None, None)


def _require_read_back(value: CriticalValue, text: str) -> None:
    items = items_to_read_back(value.finding, value.ruleset, value.rule_code)
    if not is_read_back(text, items):
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "not-read-back",
            "The read-back does not contain what was told",
            expected=" or ".join(items),
            remedy="Read the finding back as it was told.",
        )


def _locked(session: Session, scope: Scope, value_id: UUID) -> CriticalValue:
    value = session.scalar(
        select(CriticalValue)
        .where(CriticalValue.id == value_id, queries.visible(scope))
        .with_for_update()
    )
    if value is None:
        raise not_found("The critical value")
    return value


def _move(
    session: Session,
    actor: Actor,
    value: CriticalValue,
    action: CriticalAction,
    after: CriticalState,
    **detail: object,
) -> None:
    before = value.state
    value.state = after
    value.revision += 1
    # Each change for itself: the database's guard would see two as one that is not allowed.
    session.flush()
    _record(session, actor, value, action.value, {**detail, "from": before, "to": after})
    _tell(session, value)


def _record(
    session: Session, actor: Actor, value: CriticalValue, verb: str, detail: dict[str, Any]
) -> None:
    audit.record(
        session,
        actor,
        f"critical_value:{verb}",
        subject_kind="critical_value",
        subject_id=value.id,
        detail=detail,
    )


def _tell(session: Session, value: CriticalValue) -> None:
    """Tell open pages; a site only of what it has been told."""
    data = {
        "id": str(value.id),
        "state": value.state.value,
        "level": value.level,
        "told": value.notified_at is not None,
    }
    events.publish(session, events.Event("critical_value", value.site_id, data))
