"""What the centre's own records tell of a site: receptions, orders, deliveries, tokens, people."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta, tzinfo
from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from pacs_gateway.site_test.devices import shown
from storage.database import Database, one_of
from storage.deliveries import Delivery, DeliveryState
from storage.hl7.tables import Hl7Message, Hl7Sender
from storage.index.tables import Instance, Quarantine, Study
from storage.registry import (
    Destination,
    Device,
    Membership,
    Person,
    Role,
    holds_today,
    tokens_of_site,
)
from storage.site_tests.findings import Check, Finding, Outcome

_STUDIES: Final = 30
"""The newest of a site that are looked at."""
_AHEAD: Final = timedelta(minutes=2)
_BEHIND: Final = timedelta(hours=6)
_ENOUGH: Final = 3
_SOON: Final = timedelta(days=30)
_SILENT: Final = timedelta(days=30)
_LATE: Final = timedelta(minutes=30)
_TAKEN: Final = frozenset({"AA", "CA"})
_WAITING: Final = (
    DeliveryState.PENDING,
    DeliveryState.IN_PROGRESS,
    DeliveryState.REFUSED,
    DeliveryState.PAUSED,
)


def received(
    database: Database, site_id: UUID, devices: Sequence[Device], zone: tzinfo
) -> Iterator[Finding]:
    """Tell what each device has sent lately, and how its clock compares with ours.

    A study cannot have been made after it came: if it says so, the device's clock is ahead. By how
    much a clock is behind can only be guessed from the shortest time between making and coming.
    """
    with database.transaction() as session:
        newest = (
            select(Study.id, Study.study_date, Study.study_time)
            # Their ids are in the order of their reception.
            .where(Study.site_id == site_id)
            .order_by(Study.id.desc())
            .limit(_STUDIES)
            .cte()
        )
        rows = session.execute(
            select(
                Instance.device_id,
                newest.c.study_date,
                newest.c.study_time,
                func.min(Instance.received_at),
                func.max(Instance.received_at),
            )
            .join(newest, newest.c.id == Instance.study_id)
            .group_by(Instance.device_id, newest.c.id, newest.c.study_date, newest.c.study_time)
        ).all()
    last: dict[UUID, datetime] = {}
    counts: dict[UUID, int] = defaultdict(int)
    waits: dict[UUID, list[timedelta]] = defaultdict(list)
    for device_id, day, clock, first_at, last_at in rows:
        if device_id is None:
            continue
        last[device_id] = max(last.get(device_id, last_at), last_at)
        counts[device_id] += 1
        if day is not None and isinstance(clock, time):
            waits[device_id].append(first_at - datetime.combine(day, clock, zone))
    for one in devices:
        if one.id not in last:
            yield Finding(Check.RECEIVED, Outcome.WARNING, "received_none", one.ae_title)
        else:
            facts = {"at": shown(last[one.id], zone), "studies": str(counts[one.id])}
            yield Finding(Check.RECEIVED, Outcome.PASSED, "received", one.ae_title, facts)
        yield clock_of(one.ae_title, waits[one.id])


def clock_of(ae_title: str, waits: Sequence[timedelta]) -> Finding:
    """Tell what the times between making and coming of a device's studies say of its clock."""
    if not waits:
        return Finding(Check.CLOCK, Outcome.SKIPPED, "clock_unknown", ae_title)
    shortest = min(waits)
    minutes = {"minutes": str(round(abs(shortest.total_seconds()) / 60))}
    if shortest < -_AHEAD:
        return Finding(Check.CLOCK, Outcome.WARNING, "clock_ahead", ae_title, minutes)
    if shortest > _BEHIND and len(waits) >= _ENOUGH:
        return Finding(Check.CLOCK, Outcome.WARNING, "clock_behind", ae_title, minutes)
    return Finding(Check.CLOCK, Outcome.PASSED, "clock", ae_title, minutes)


def quarantined(database: Database, site_id: UUID) -> Iterator[Finding]:
    """Tell how many instances of the site wait for a person, and why."""
    with database.transaction() as session:
        rows = session.execute(
            select(Quarantine.reason, func.count())
            .where(Quarantine.site_id == site_id, Quarantine.resolved_at.is_(None))
            .group_by(Quarantine.reason)
            .order_by(func.count().desc())
        ).all()
    if not rows:
        yield Finding(Check.QUARANTINE, Outcome.PASSED, "quarantine_none")
        return
    facts = {
        "number": str(sum(number for _, number in rows)),
        "reasons": ", ".join(f"{reason.value} {number}" for reason, number in rows),
    }
    yield Finding(Check.QUARANTINE, Outcome.WARNING, "quarantine", facts=facts)


def orders(database: Database, site_id: UUID, now: datetime, zone: tzinfo) -> Iterator[Finding]:
    """Tell what each HL7 sender of the site said last."""
    with database.transaction() as session:
        senders = session.scalars(
            select(Hl7Sender)
            .where(Hl7Sender.site_id == site_id, Hl7Sender.active)
            .order_by(Hl7Sender.application, Hl7Sender.facility)
        ).all()
        newest = {
            one.id: session.execute(
                select(Hl7Message.received_at, Hl7Message.acknowledgement_code)
                .where(Hl7Message.sender_id == one.id)
                .order_by(Hl7Message.received_at.desc())
                .limit(1)
            ).one_or_none()
            for one in senders
        }
    if not senders:
        yield Finding(Check.ORDERS, Outcome.SKIPPED, "orders_none")
    for one in senders:
        name = "|".join(filter(None, (one.application, one.facility)))
        last = newest[one.id]
        if last is None or now - last[0] > _SILENT:
            yield Finding(Check.ORDERS, Outcome.WARNING, "orders_silent", name)
            continue
        taken = last[1] in _TAKEN
        yield Finding(
            Check.ORDERS,
            Outcome.PASSED if taken else Outcome.WARNING,
            "orders" if taken else "orders_refused",
            name,
            {"at": shown(last[0], zone), "code": last[1]},
        )


def delivered(
    database: Database, destinations: Sequence[Destination], now: datetime, zone: tzinfo
) -> Iterator[Finding]:
    """Tell of each destination when a report last arrived, and what waits for it."""
    ids = [one.id for one in destinations]
    if not ids:
        return
    with database.transaction() as session:
        waiting = {
            id_: (number, since)
            for id_, number, since in session.execute(
                select(Delivery.destination_id, func.count(), func.min(Delivery.created_at))
                .where(
                    one_of(Delivery.destination_id, ids),
                    Delivery.state.in_(_WAITING),
                    Delivery.created_at < now - _LATE,
                )
                .group_by(Delivery.destination_id)
            )
        }
        last = {
            id_: session.scalar(
                select(Delivery.delivered_at)
                .where(Delivery.destination_id == id_, Delivery.delivered_at.is_not(None))
                .order_by(Delivery.created_at.desc())
                .limit(1)
            )
            for id_ in ids
        }
    for one in destinations:
        at = last[one.id]
        if one.id in waiting:
            number, since = waiting[one.id]
            facts = {"number": str(number), "since": shown(since, zone)}
            yield Finding(Check.DELIVERED, Outcome.FAILED, "delivered_late", one.label, facts)
        elif at is None:
            yield Finding(Check.DELIVERED, Outcome.SKIPPED, "delivered_never", one.label)
        else:
            facts = {"at": shown(at, zone)}
            yield Finding(Check.DELIVERED, Outcome.PASSED, "delivered", one.label, facts)


def tokens(database: Database, site_id: UUID, now: datetime, zone: tzinfo) -> Iterator[Finding]:
    """Tell until when the tokens of the site's software are good."""
    with database.transaction() as session:
        live = [one for one in tokens_of_site(session, site_id) if one.revoked_at is None]
    if not live:
        yield Finding(Check.TOKEN, Outcome.SKIPPED, "token_none")
    for one in live:
        if one.expires_at is None:
            yield Finding(Check.TOKEN, Outcome.WARNING, "token_endless", one.name)
            continue
        left = one.expires_at - now
        # One that was rotated and is over has a successor of the same name.
        followed = any(
            other is not one and other.name == one.name and other.created_at > one.created_at
            for other in live
        )
        if followed:
            continue
        reason, outcome = "token", Outcome.PASSED
        if left <= timedelta(0):
            reason, outcome = "token_over", Outcome.FAILED
        elif left < _SOON:
            reason, outcome = "token_ending", Outcome.WARNING
        facts = {"until": shown(one.expires_at, zone)}
        yield Finding(Check.TOKEN, outcome, reason, one.name, facts)


def people(database: Database, site_id: UUID) -> Iterator[Finding]:
    """Tell who of the site can sign in and open reports."""
    with database.transaction() as session:
        rows = session.execute(
            select(Membership.role, func.count())
            .join(Person, Person.id == Membership.person_id)
            .where(Membership.organisation_id == site_id, Person.active, holds_today())
            .group_by(Membership.role)
        ).all()
    counts = {role: number for role, number in rows}  # noqa: C416 -- rows are no pairs to `dict`
    doctors = counts.get(Role.SITE_DOCTOR, 0)
    facts = {
        "doctors": str(doctors),
        "technicians": str(counts.get(Role.SITE_TECHNICIAN, 0)),
    }
    if doctors:
        yield Finding(Check.PEOPLE, Outcome.PASSED, "people", facts=facts)
    else:
        yield Finding(Check.PEOPLE, Outcome.WARNING, "people_none")
