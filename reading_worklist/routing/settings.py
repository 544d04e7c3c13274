"""The clocks of an organisation: what an administrator has set, the defaults elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.problems import Problem, not_found
from reading_worklist.routing.clocks import CEILINGS, DEFAULTS, Clock, Limit, Since
from reading_worklist.routing.tables import ClockSetting
from storage import audit
from storage.clock import utc_now
from storage.orders.words import Priority
from storage.registry import Organisation, Role, consortium_of, lineage

_Minutes = Annotated[int, Field(ge=1, le=14 * 24 * 60)]


class ClockBody(BaseModel):
    """The times of a clock in minutes; see `Limit`.

    site: code of the site it is for; None: the whole consortium.
    """

    site: Annotated[str | None, Field(max_length=100)] = None
    due_minutes: _Minutes
    working: bool = False
    warn_minutes: Annotated[int, Field(ge=0, le=14 * 24 * 60)] = 0
    claim_minutes: _Minutes
    since: Since = Since.RECEIVED


class ClockView(BaseModel):
    """A clock at a priority as it runs for the organisation asked for.

    set_for: code of the organisation it was set for; None: the default.
    ceiling_minutes: the national limit; None where there is none.
    """

    clock: Clock
    priority: Priority
    due_minutes: int
    working: bool
    warn_minutes: int
    claim_minutes: int
    since: Since
    set_for: str | None
    ceiling_minutes: int | None


@dataclass(frozen=True, slots=True)
class Clocks:
    """The clocks of one organisation."""

    set_limits: Mapping[tuple[Clock, Priority], Limit]

    def limit(self, clock: Clock, priority: Priority) -> Limit:
        """Return the times that run."""
        return self.set_limits.get((clock, priority), DEFAULTS[clock, priority])


def clocks_of(session: Session, organisation_id: UUID) -> Clocks:
    """Return the clocks of an organisation; what is set nearest to it comes first."""
    return Clocks(
        {key: _limit(one) for key, (one, _) in _nearest(session, organisation_id).items()}
    )


def shown(session: Session, organisation_id: UUID) -> list[ClockView]:
    """Return every clock as it runs for an organisation, by clock and priority."""
    found = _nearest(session, organisation_id)
    views: list[ClockView] = []
    for key, default in DEFAULTS.items():
        setting, code = found.get(key, (None, None))
        limit = _limit(setting) if setting else default
        ceiling = CEILINGS.get(key)
        views.append(
            ClockView(
                clock=key[0],
                priority=key[1],
                due_minutes=_minutes(limit.due),
                working=limit.working,
                warn_minutes=_minutes(limit.warn),
                claim_minutes=_minutes(limit.claim),
                since=limit.since,
                set_for=code,
                ceiling_minutes=_minutes(ceiling) if ceiling else None,
            )
        )
    return views


def set_clock(
    session: Session, scope: Scope, clock: Clock, priority: Priority, body: ClockBody
) -> None:
    """Set the times of a clock for studies that are queued from now on.

    Raises:
        Problem: 403 for anybody but a consortium administrator, 404 for a site that is not seen,
            422 above a national limit or with a warning before the beginning.
    """
    scope.require(Role.CONSORTIUM_ADMIN)
    ceiling = CEILINGS.get((clock, priority))
    if ceiling and (timedelta(minutes=body.due_minutes) > ceiling or body.working):
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "above-limit",
            "The time is longer than the national limit",
            expected=f"at most {_minutes(ceiling)} minutes, day and night",
            found=f"{body.due_minutes} minutes{' of working hours' if body.working else ''}",
            remedy="Choose a shorter time.",
        )
    if body.warn_minutes > body.due_minutes:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "warning-too-early",
            "The warning would come before the clock starts",
            expected=f"at most {body.due_minutes} minutes",
            found=f"{body.warn_minutes} minutes",
        )
    organisation_id = governed(session, scope, body.site)
    values = body.model_dump(exclude={"site"})
    session.merge(
        ClockSetting(
            organisation_id=organisation_id,
            clock=clock,
            priority=priority,
            **values,
            set_by=scope.person_id,
            set_at=utc_now(),
        )
    )
    _record(session, scope, "clock:set", values, subject=(organisation_id, clock, priority))


def reset_clock(
    session: Session, scope: Scope, clock: Clock, priority: Priority, site: str | None
) -> None:
    """Take the setting of a clock back.

    Raises:
        Problem: 403 for anybody but a consortium administrator, 404 where none is set.
    """
    scope.require(Role.CONSORTIUM_ADMIN)
    organisation_id = governed(session, scope, site)
    row = session.get(ClockSetting, (organisation_id, clock, priority), with_for_update=True)
    if row is None:
        raise not_found("The setting")
    session.delete(row)
    _record(session, scope, "clock:reset", {}, subject=(organisation_id, clock, priority))


def governed(session: Session, scope: Scope, site: str | None) -> UUID:
    """Return the id of a visible site by its code; without one, of the person's consortium.

    Raises:
        Problem: 404 for a site that is not seen.
    """
    if site is None:
        return consortium_of(session, scope.organisation_id).id
    found = session.scalar(
        select(Organisation.id).where(Organisation.code == site, scope.sees(Organisation.id))
    )
    if found is None:
        raise not_found("The site")
    return found


def _nearest(
    session: Session, organisation_id: UUID
) -> dict[tuple[Clock, Priority], tuple[ClockSetting, str]]:
    line = lineage(session, organisation_id)
    found = session.scalars(
        select(ClockSetting).where(ClockSetting.organisation_id.in_([one.id for one in line]))
    ).all()
    height = {one.id: number for number, one in enumerate(line)}
    nearest: dict[tuple[Clock, Priority], tuple[ClockSetting, str]] = {}
    for one in sorted(found, key=lambda row: -height[row.organisation_id]):
        nearest[one.clock, one.priority] = one, line[height[one.organisation_id]].code
    return nearest


def _limit(row: ClockSetting) -> Limit:
    return Limit(
        due=timedelta(minutes=row.due_minutes),
        claim=timedelta(minutes=row.claim_minutes),
        working=row.working,
        warn=timedelta(minutes=row.warn_minutes),
        since=row.since,
    )


def _minutes(span: timedelta) -> int:
    return int(span.total_seconds()) // 60


def _record(
    session: Session,
    scope: Scope,
    action: str,
    values: Mapping[str, object],
    *,
    subject: tuple[UUID, Clock, Priority],
) -> None:
    audit.record(
        session,
        scope.actor,
        action,
        subject_kind="clock_setting",
        subject_id="/".join(map(str, subject)),
        detail=values,
    )
