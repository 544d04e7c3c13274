"""Switching single signatures on and off, and whether one is enough now.

Each function works in its caller's transaction.
"""

from datetime import UTC, date, datetime, time, timedelta
from http import HTTPStatus
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from reading_worklist.access.scope import Scope
from reading_worklist.problems import Problem, conflict, not_found
from reading_worklist.reports.tables import ReportVersion
from reading_worklist.single_signature.schemas import SingleSignatureBody, SingleSignatureView
from reading_worklist.single_signature.tables import SingleSignature
from reading_worklist.working_time.queries import working_time
from reading_worklist.workitems.schemas import PersonView
from storage import audit
from storage.clock import utc_now
from storage.registry import Organisation, Person, Role, consortium_of, lineage

_ONE_DAY = timedelta(days=1)


def in_force(
    session: Session, site_id: UUID, at: datetime, *, lock: bool = False
) -> SingleSignature | None:
    """Return the period that lets one doctor sign for a site at a time; None when two have to.

    lock: keep it from being switched off until the transaction ends.
    """
    line = [one.id for one in lineage(session, site_id)]
    wanted = select(SingleSignature).where(
        SingleSignature.organisation_id.in_(line),
        SingleSignature.begins_at <= at,
        SingleSignature.ends_at > at,
        SingleSignature.ended_at.is_(None),
    )
    if lock:
        wanted = wanted.with_for_update(read=True)
    return session.scalars(wanted.order_by(SingleSignature.begins_at).limit(1)).one_or_none()


def shown(session: Session, scope: Scope) -> list[SingleSignatureView]:
    """Return the periods of the asker's consortium, the latest first.

    Raises:
        Problem: 403 for anybody but a consortium administrator.
    """
    scope.require(Role.CONSORTIUM_ADMIN)
    organisation_id = consortium_of(session, scope.organisation_id).id
    zone, now = working_time(session, organisation_id).zone, utc_now()
    maker, ender = aliased(Person), aliased(Person)
    issued = (
        select(func.count())
        .where(ReportVersion.single_signature_id == SingleSignature.id)
        .correlate(SingleSignature)
        .scalar_subquery()
    )
    rows = session.execute(
        select(SingleSignature, maker, ender, issued)
        .join(maker, maker.id == SingleSignature.made_by)
        .join(ender, ender.id == SingleSignature.ended_by, isouter=True)
        .where(SingleSignature.organisation_id == organisation_id)
        .order_by(SingleSignature.begins_at.desc(), SingleSignature.id)
    ).all()
    return [
        SingleSignatureView(
            id=one.id,
            valid_from=_day(one.begins_at, zone),
            valid_until=_day(one.ends_at, zone) - _ONE_DAY,
            basis=one.basis,
            made_by=PersonView(id=by.id, display_name=by.display_name),
            made_at=one.made_at,
            ended_by=PersonView(id=off.id, display_name=off.display_name) if off else None,
            ended_at=one.ended_at,
            holds=one.ended_at is None and one.begins_at <= now < one.ends_at,
            reports=reports,
        )
        for one, by, off, reports in rows
    ]


def switch_on(session: Session, scope: Scope, body: SingleSignatureBody) -> None:
    """Let one signature be enough for ECGs on some days, local ones of the consortium.

    Raises:
        Problem: 403 for anybody but a consortium administrator, 409 when another period lies on the
            same days, 422 when they are over.
    """
    scope.require(Role.CONSORTIUM_ADMIN)
    organisation_id = consortium_of(session, scope.organisation_id).id
    zone = working_time(session, organisation_id).zone
    begins_at, ends_at = _begin(body.valid_from, zone), _begin(body.valid_until + _ONE_DAY, zone)
    if ends_at <= utc_now():
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "days-over",
            "These days are over",
            expected="a last day from today on",
            found=f"{body.valid_until}",
            remedy="Choose other days: what is issued already keeps its signatures.",
        )
    # Two who switch on at once must see each other's days.
    session.execute(
        select(Organisation.id).where(Organisation.id == organisation_id).with_for_update()
    )
    other = session.scalar(
        select(SingleSignature.id)
        .where(
            SingleSignature.organisation_id == organisation_id,
            SingleSignature.ended_at.is_(None),
            SingleSignature.begins_at < ends_at,
            SingleSignature.ends_at > begins_at,
        )
        .limit(1)
    )
    if other is not None:
        raise conflict(
            "already-on",
            "One signature is enough on some of these days already",
            remedy="Switch the other period off, or choose other days.",
        )
    made = SingleSignature(
        organisation_id=organisation_id,
        # What was issued before this moment had two signatures, and keeps them.
        begins_at=max(begins_at, utc_now()),
        ends_at=ends_at,
        basis=body.basis.strip(),
        made_by=scope.person_id,
    )
    session.add(made)
    session.flush()
    _record(session, scope, "single_signature:switch_on", made)


def switch_off(session: Session, scope: Scope, period_id: UUID) -> None:
    """Let two signatures be needed again from now on.

    Raises:
        Problem: 403 for anybody but a consortium administrator, 404 for an unknown period, 409 when
            it was switched off before or is over.
    """
    scope.require(Role.CONSORTIUM_ADMIN)
    found = session.scalar(
        select(SingleSignature)
        .where(
            SingleSignature.id == period_id,
            SingleSignature.organisation_id == consortium_of(session, scope.organisation_id).id,
        )
        .with_for_update()
    )
    if found is None:
        raise not_found("The period")
    if found.ended_at is not None or found.ends_at <= utc_now():
        raise conflict("already-ended", "Single signatures are switched off already")
    found.ended_at = utc_now()
    found.ended_by = scope.person_id
    _record(session, scope, "single_signature:switch_off", found)


def _begin(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _day(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()


def _record(session: Session, scope: Scope, action: str, period: SingleSignature) -> None:
    audit.record(
        session,
        scope.actor,
        action,
        subject_kind="single_signature",
        subject_id=period.id,
        detail={
            "from": period.begins_at.isoformat(),
            "until": period.ends_at.isoformat(),
            "basis": period.basis,
        },
    )
