"""The work itself: what is stuck, who is missing, what has never been set up."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session, aliased

from deploy.doctor.findings import Finding, fault, fine, warning
from reading_worklist.signing.tables import SigningCredential
from reading_worklist.workitems.states import OPEN
from reading_worklist.workitems.tables import Workitem
from storage import outbox
from storage.clock import utc_now
from storage.deliveries import Delivery, DeliveryState
from storage.index.tables import Quarantine, Study, StudyState
from storage.keeping import verification
from storage.outbox import OutboxMessage
from storage.registry import (
    Destination,
    Device,
    MachineToken,
    Membership,
    Organisation,
    OrganisationKind,
    Person,
    Role,
    holds_today,
)

_DELIVERY_LATE: Final = timedelta(minutes=30)
_MESSAGE_LATE: Final = timedelta(minutes=5)
_RECEIVING_LATE: Final = timedelta(hours=1)
_QUARANTINE_LATE: Final = timedelta(days=1)
_VERIFY_EVERY: Final = timedelta(days=8)
_CERTIFICATE_WARNING: Final = timedelta(days=30)
_TOKEN_WARNING: Final = timedelta(days=14)
_TOKEN_IN_USE: Final = timedelta(days=30)
_SIGNATURES: Final = 2
_SHOWN: Final = 5


def look(session: Session, now: datetime | None = None) -> Iterator[Finding]:
    """Look at what is in the database; changes nothing and names no patient."""
    now = now or utc_now()
    yield from _messages(session, now)
    yield from _deliveries(session, now)
    yield from _studies(session, now)
    yield from _objects(session, now)
    yield from _doctors(session, now)
    yield from _tokens(session, now)
    yield from _sites(session)


def _messages(session: Session, now: datetime) -> Iterator[Finding]:
    counts = outbox.counts(session)
    oldest = session.scalar(
        select(func.min(OutboxMessage.created_at)).where(
            OutboxMessage.handled_at.is_(None), OutboxMessage.parked_at.is_(None)
        )
    )
    if counts.parked:
        yield fault(
            "messages",
            f"{counts.parked} failed again and again and were put aside",
            "The log of worker-messages says why; nothing is lost meanwhile.",
        )
    if oldest is not None and now - oldest > _MESSAGE_LATE:
        yield fault(
            "messages",
            f"{counts.pending} wait, the oldest since {oldest:%Y-%m-%d %H:%M} UTC",
            "Is there a relay, a worker and a broker? See `rdc status`.",
        )
    elif not counts.parked:
        yield fine("messages", f"{counts.pending} wait, none for long")


def _deliveries(session: Session, now: datetime) -> Iterator[Finding]:
    done = (DeliveryState.DELIVERED, DeliveryState.CANCELED)
    late = session.execute(
        select(Organisation.code, func.count(), func.min(Delivery.created_at))
        .join(Organisation, Organisation.id == Delivery.site_id)
        .where(Delivery.state.not_in(done), Delivery.created_at < now - _DELIVERY_LATE)
        .group_by(Organisation.code)
        .order_by(Organisation.code)
    ).all()
    for code, number, since in late:
        yield fault(
            "reports",
            f"{number} have not reached {code}, the first since {since:%Y-%m-%d %H:%M} UTC",
            "The deliveries page tells what the receiver says; ring the site if it is urgent.",
        )
    if not late:
        yield fine("reports", "none is late on its way to a site")


def _studies(session: Session, now: datetime) -> Iterator[Finding]:
    stuck = _count(
        session,
        select(func.count())
        .select_from(Study)
        .where(Study.state == StudyState.RECEIVING, Study.quiet_due_at < now - _RECEIVING_LATE),
    )
    if stuck:
        yield fault(
            "studies",
            f"{stuck} should have been complete an hour ago",
            "Is the gateway running? See `rdc status` and its log.",
        )
    aside = _count(
        session,
        select(func.count())
        .select_from(Quarantine)
        .where(Quarantine.resolved_at.is_(None), Quarantine.received_at < now - _QUARANTINE_LATE),
    )
    if aside:
        yield warning(
            "quarantine",
            f"{aside} instances have waited for a decision for more than a day",
            "A dispatcher decides on the quarantine page.",
        )
    overdue = _count(
        session,
        select(func.count())
        .select_from(Workitem)
        .where(Workitem.state.in_(OPEN), Workitem.due_at < now),
    )
    if overdue:
        yield warning(
            "exams", f"{overdue} are overdue", "The worklist shows them first; who is on duty?"
        )
    if not (stuck or aside or overdue):
        yield fine("studies", "none is stuck, set aside for long, or overdue")


def _objects(session: Session, now: datetime) -> Iterator[Finding]:
    run = verification.latest(session)
    if run is None or run.ended_at is None:
        yield warning(
            "objects", "they have never been held against the index", "Run `rdc verify` weekly."
        )
    elif run.findings:
        yield fault(
            "objects",
            f"`rdc verify` found {run.findings} missing or changed on {run.ended_at:%Y-%m-%d}",
            "The storage page names them; the runbook says how each is mended.",
        )
    elif now - run.ended_at > _VERIFY_EVERY:
        yield warning(
            "objects", f"last verified {run.ended_at:%Y-%m-%d}", "Run `rdc verify` weekly."
        )
    else:
        yield fine("objects", f"verified {run.ended_at:%Y-%m-%d}, nothing was wrong")


def _doctors(session: Session, now: datetime) -> Iterator[Finding]:
    """Two doctors sign each report: see that there are two, and that their keys last."""
    logins = session.execute(
        select(Person.id, Person.login)
        .join(Membership)
        .where(Person.active, holds_today(), Membership.role.in_((Role.WRITER, Role.REVIEWER)))
        .distinct()
        .order_by(Person.login)
    ).all()
    live = select(SigningCredential).where(SigningCredential.revoked_at.is_(None))
    ends = {key.person_id: key.not_after for key in session.scalars(live)}
    for id_, login in logins:
        end = ends.get(id_, now)
        remedy = f"rdc user renew {login} --signing-key"
        if end <= now:
            yield warning("signing keys", f"{login} has none that is valid and cannot sign", remedy)
        elif end < now + _CERTIFICATE_WARNING:
            yield warning("signing keys", f"that of {login} ends {end:%Y-%m-%d}", remedy)
    able = {id_ for id_, _ in logins if ends.get(id_, now) > now}
    reviewers = set(
        session.scalars(
            select(Membership.person_id).where(
                Membership.person_id.in_(able), Membership.role == Role.REVIEWER, holds_today()
            )
        )
    )
    if len(able) < _SIGNATURES or not reviewers:
        yield fault(
            "doctors",
            f"{len(able)} can sign, {len(reviewers)} of them as reviewer:"
            " a report needs a writer and another doctor who reviews",
            "rdc user add --help",
        )
    else:
        yield fine("doctors", f"{len(able)} can sign, {len(reviewers)} of them as reviewer")


def _tokens(session: Session, now: datetime) -> Iterator[Finding]:
    """Tokens of machines that are over soon or were lately, and have no successor in use."""
    successor = aliased(MachineToken)
    ending = session.execute(
        select(MachineToken.name, MachineToken.expires_at, Organisation.code)
        .join(Organisation, Organisation.id == MachineToken.site_id)
        .where(
            MachineToken.revoked_at.is_(None),
            MachineToken.expires_at < now + _TOKEN_WARNING,
            # One that nobody has used lately is missed by nobody.
            MachineToken.last_used_at > now - _TOKEN_IN_USE,
            ~exists().where(
                successor.site_id == MachineToken.site_id,
                successor.name == MachineToken.name,
                successor.scope == MachineToken.scope,
                successor.created_at > MachineToken.created_at,
                successor.revoked_at.is_(None),
                successor.last_used_at.is_not(None),
            ),
        )
        .order_by(MachineToken.expires_at)
    ).all()
    for name, expires_at, code in ending[:_SHOWN]:
        over = expires_at is not None and expires_at <= now
        yield (fault if over else warning)(
            "tokens",
            f"the token of {name!r} at {code} {'is over since' if over else 'ends on'}"
            f" {expires_at:%Y-%m-%d}",
            f"Give the machine its successor: rdc site token list {code}, then … token rotate ID.",
        )
    if not ending:
        yield fine("tokens", "none in use ends within two weeks")


def _sites(session: Session) -> Iterator[Finding]:
    """Name what a site lacks to send, and to get its reports."""
    sites = select(Organisation.code).where(Organisation.kind == OrganisationKind.SITE)
    without_device = session.scalars(
        sites.where(
            ~select(Device.id).where(Device.site_id == Organisation.id, Device.active).exists()
        ).order_by(Organisation.code)
    ).all()
    people = (
        select(Membership.person_id)
        .join(Person)
        .where(
            Membership.organisation_id == Organisation.id,
            Person.active,
            Membership.role.in_((Role.SITE_DOCTOR, Role.SITE_TECHNICIAN)),
            holds_today(),
        )
        .exists()
    )
    machine = (
        select(Destination.id)
        .where(Destination.site_id == Organisation.id, Destination.active)
        .exists()
    )
    unreachable = session.scalars(sites.where(~people, ~machine).order_by(Organisation.code)).all()
    if without_device:
        yield warning(
            "sites",
            f"{_listed(without_device)} cannot send: no device is registered",
            "rdc device add --help",
        )
    if unreachable:
        yield fault(
            "sites",
            f"{_listed(unreachable)} cannot get a report: neither a destination nor a person",
            "rdc destination add --help, rdc user add --help",
        )
    if not (without_device or unreachable):
        yield fine("sites", "each has a device, and somebody or something that gets its reports")


def _listed(codes: Sequence[str]) -> str:
    more = len(codes) - _SHOWN
    return ", ".join(codes[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _count(session: Session, statement: Select[int]) -> int:
    return session.scalar(statement) or 0
