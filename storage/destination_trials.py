"""Trying a destination without a report: who asked, and what came of it last.

A page asks by a row, since only the machines that deliver have the way to a site and the files with
secrets; a worker of theirs tries, and writes what it found into the same row. Of each destination
the last trial is kept; that there was one is in the audit trail.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, delete, func, or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.clock import utc_now
from storage.database import Base, Word, notify

CHANNEL: Final = "rdc_destination_trial"
LEASE: Final = timedelta(seconds=150)
"""How long a worker has for one; longer than any channel takes."""
WANTED: Final = timedelta(minutes=10)
"""How long after it was asked for a trial is still worth making."""
_SAID_LENGTH: Final = 500


class Finding(StrEnum):
    """What a trial found.

    WORKS: the receiver answered as one that will take reports.
    REACHED: it is there; whether it takes reports is known with the first one.
    UNREACHABLE: no connection. NO_ANSWER: a connection, and then nothing that counts.
    NOT_KNOWN: it does not let us in. NOT_TAKEN: it answers, but does not take what we send.
    THEIR_ERROR: it has an error of its own, or is full.
    NOT_SECURED: certificates do not fit. NOT_ALLOWED: our own rules forbid to call the address.
    NOT_SET_UP: something here is missing or cannot be used.
    """

    WORKS = "works"
    REACHED = "reached"
    UNREACHABLE = "unreachable"
    NO_ANSWER = "no_answer"
    NOT_KNOWN = "not_known"
    NOT_TAKEN = "not_taken"
    THEIR_ERROR = "their_error"
    NOT_SECURED = "not_secured"
    NOT_ALLOWED = "not_allowed"
    NOT_SET_UP = "not_set_up"

    @property
    def is_good(self) -> bool:
        """Whether nothing has to be mended, as far as can be told."""
        return self in {Finding.WORKS, Finding.REACHED}


@dataclass(frozen=True, slots=True)
class ClockSeen:
    """By how much a receiver's clock is ahead of ours: between the two; below zero it is behind."""

    least: timedelta
    most: timedelta

    @property
    def surely_off(self) -> timedelta:
        """The part of it that no delay on the way explains, with its sign; zero when all may."""
        if self.least > timedelta(0):
            return self.least
        return min(self.most, timedelta(0))


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a trial. said: the details, for a person who looks after machines.

    clock: what the receiver told of its clock on the way; it is not kept.
    """

    finding: Finding
    said: str
    clock: ClockSeen | None = None


class DestinationTrial(Base):
    """The last trial of a destination.

    id: of the trial; a later one has another. asked_by: None for the command line. leased_until:
    until then a worker is at it. ended_at: None while nobody has tried.
    """

    __tablename__ = "destination_trial"
    __table_args__ = (
        Index("ix_destination_trial_open", "asked_at", postgresql_where=text("ended_at IS NULL")),
    )

    destination_id: Mapped[UUID] = mapped_column(
        ForeignKey("destination.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[UUID] = mapped_column(default=uuid4)
    asked_at: Mapped[datetime] = mapped_column(server_default=func.now())
    asked_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    leased_until: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    finding: Mapped[Finding | None] = mapped_column(Word(Finding))
    said: Mapped[str | None]


def ask(session: Session, destination_id: UUID, person_id: UUID | None) -> UUID:
    """Have a destination tried; return the trial's id: of the one under way, if there is one."""
    now = utc_now()
    row = session.get(DestinationTrial, destination_id, with_for_update=True)
    if row is not None and row.ended_at is None and row.asked_at > now - LEASE:
        return row.id
    trial_id = uuid4()
    values = {
        "id": trial_id,
        "asked_at": now,
        "asked_by": person_id,
        "leased_until": None,
        "ended_at": None,
        "finding": None,
        "said": None,
    }
    session.execute(
        insert(DestinationTrial)
        .values(destination_id=destination_id, **values)
        .on_conflict_do_update(index_elements=["destination_id"], set_=values)
    )
    if row is not None:
        session.expire(row)
    notify(session, CHANNEL, str(destination_id))
    return trial_id


def due(session: Session, limit: int = 20) -> Sequence[UUID]:
    """Return destinations that are to be tried, oldest first; each again when its lease has ended.

    Several relays may call this at once.
    """
    now = utc_now()
    rows = session.scalars(
        select(DestinationTrial)
        .where(
            DestinationTrial.ended_at.is_(None),
            DestinationTrial.asked_at > now - WANTED,
            or_(DestinationTrial.leased_until.is_(None), DestinationTrial.leased_until <= now),
        )
        .order_by(DestinationTrial.asked_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.leased_until = now + LEASE
    return [row.destination_id for row in rows]


def take(session: Session, destination_id: UUID) -> None:
    """Lease a trial for whoever makes it without having been sent for it."""
    row = session.get_one(DestinationTrial, destination_id, with_for_update=True)
    row.leased_until = utc_now() + LEASE


def forget(session: Session, destination_id: UUID) -> None:
    """Drop what was found, since the destination is another one now."""
    session.execute(
        delete(DestinationTrial).where(DestinationTrial.destination_id == destination_id)
    )


def note(session: Session, destination_id: UUID, trial_id: UUID, tried: Tried) -> None:
    """Write what came of a trial, unless another one was asked for meanwhile."""
    row = session.get(DestinationTrial, destination_id, with_for_update=True)
    if row is None or row.id != trial_id or row.ended_at is not None:
        return
    row.leased_until = None
    row.ended_at = utc_now()
    row.finding = tried.finding
    row.said = tried.said[:_SAID_LENGTH]
