"""Deliveries: what has to reach whom, every attempt to bring it there, and what came of it.

The gateway's delivery engine moves these rows; pages and the exam's timeline
read them. One delivery exists per report version and destination, and each
destination has a queue of its own, which one process serves at a time.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    UniqueConstraint,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.database import Base, Word
from storage.delivery_states import DeliveryState

__all__ = [
    "CHANNEL",
    "AttemptOutcome",
    "Delivery",
    "DeliveryAttempt",
    "DeliveryPolicy",
    "DeliveryQueue",
    "DeliveryState",
    "DeliveryTransition",
    "attempts_of",
    "deliveries_of_workitem",
    "ensure_queue",
]

CHANNEL: Final = "rdc_delivery"


class AttemptOutcome(StrEnum):
    """How an attempt ended; INTERRUPTED: its process died, what the receiver has is not known."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    TRY_AGAIN = "try_again"
    INTERRUPTED = "interrupted"


class Delivery(Base):
    """One report version, or the notice that one is void, for one destination.

    report_version_id: of a notice, the notice's own id (the revocation's).
    is_notice: whether it is such a notice.
    sop_instance_uid: the identity under which the receiver files it; the same for every attempt, so
        that a repeat is no second copy.
    pdf_object_key: the signed PDF that is delivered.
    attempts: how many were begun. next_attempt_at: when this one alone may be tried again; its
        destination's queue may wait longer.
    lease_token: of the queue's lease under which it is attempted now. leased_until: not used any
        more; the queue's counts.
    delivered_at: when the receiver said so for the first time.
    last_error: what was said last, or why it was cancelled.
    decided_by, decided_at, decision_reason: of the person who paused, redirected or replayed it.
    redirected_from: the delivery in whose place a person made this one.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("report_version_id", "destination_id"),
        Index(
            "ix_delivery_due",
            "next_attempt_at",
            postgresql_where=text("state IN ('PENDING', 'IN_PROGRESS')"),
        ),
        Index(
            "ix_delivery_waiting",
            "destination_id",
            "attempts",
            "issued_at",
            postgresql_where=text("state IN ('PENDING', 'IN_PROGRESS')"),
        ),
        Index(
            "ix_delivery_held",
            "issued_at",
            postgresql_where=text("state IN ('REFUSED', 'PAUSED')"),
            postgresql_include=["site_id", "destination_id", "state"],
        ),
        Index("ix_delivery_destination_id_created_at", "destination_id", "created_at"),
        Index("ix_delivery_study_id", "study_id"),
        CheckConstraint(
            "state IN ('PENDING', 'IN_PROGRESS', 'DELIVERED', 'REFUSED', 'PAUSED', 'CANCELED')",
            name="state",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    report_version_id: Mapped[UUID] = mapped_column(index=True)
    workitem_id: Mapped[UUID] = mapped_column(index=True)
    study_id: Mapped[UUID] = mapped_column(ForeignKey("study.id"))
    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    destination_id: Mapped[UUID] = mapped_column(ForeignKey("destination.id"))
    state: Mapped[DeliveryState] = mapped_column(Word(DeliveryState), default=DeliveryState.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=func.now())
    lease_token: Mapped[UUID | None]
    leased_until: Mapped[datetime | None]
    sop_instance_uid: Mapped[str]
    title: Mapped[str]
    version_number: Mapped[int]
    is_notice: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    pdf_object_key: Mapped[str]
    pdf_sha256: Mapped[str]
    issued_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    delivered_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str | None]
    redirected_from: Mapped[UUID | None] = mapped_column(ForeignKey("delivery.id"))


class DeliveryAttempt(Base):
    """One try: when, how it ended, and what the receiver said (its status, in words).

    request, response: what was sent and answered, cut to a few thousand characters and without
        documents; they may name the patient and are shown to whoever may see the report alone.
    """

    __tablename__ = "delivery_attempt"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("delivery.id"), index=True)
    number: Mapped[int]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    succeeded: Mapped[bool | None]
    outcome: Mapped[AttemptOutcome | None] = mapped_column(Word(AttemptOutcome))
    answer: Mapped[str | None]
    request: Mapped[str | None]
    response: Mapped[str | None]


class DeliveryQueue(Base):
    """How the deliveries to one destination are doing as a whole.

    next_attempt_at: before then nothing is sent to it. failures: how often in a row it could not be
        reached, since failing_since; while there are any, one delivery at a time probes it.
    last_error: what was met then. last_success_at: when it last took something.
    served_at: when it last had its turn. lease_token, leased_until: who serves it now.
    paused_at, paused_by, pause_reason: a person holds the whole queue.
    told_at: when people were told that it has been failing for too long.
    """

    __tablename__ = "delivery_queue"

    destination_id: Mapped[UUID] = mapped_column(ForeignKey("destination.id"), primary_key=True)
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=func.now())
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    failing_since: Mapped[datetime | None]
    last_error: Mapped[str | None]
    last_success_at: Mapped[datetime | None]
    served_at: Mapped[datetime | None]
    lease_token: Mapped[UUID | None]
    leased_until: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    paused_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    pause_reason: Mapped[str | None]
    told_at: Mapped[datetime | None]


class DeliveryTransition(Base):
    """The pairs of states a delivery may change between.

    The database's own guard reads it; only migrations write it.
    """

    __tablename__ = "delivery_transition"

    from_state: Mapped[str] = mapped_column(primary_key=True)
    to_state: Mapped[str] = mapped_column(primary_key=True)


class DeliveryPolicy(Base):
    """When people are told of reports that do not arrive, for an organisation and all below it.

    None: as the organisation above it, and at last the defaults of `storage.delivery_policy`.

    silent_minutes: how long a destination may be out of reach.
    unopened_minutes, unopened_stat_minutes: how long a report that nobody's machine has taken may
        stay unopened, routine and STAT.
    always_open: whether a person must open what a machine has acknowledged, too.
    """

    __tablename__ = "delivery_policy"
    __table_args__ = (
        CheckConstraint(
            "silent_minutes > 0 AND unopened_minutes > 0 AND unopened_stat_minutes > 0",
            name="minutes",
        ),
    )

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    silent_minutes: Mapped[int | None]
    unopened_minutes: Mapped[int | None]
    unopened_stat_minutes: Mapped[int | None]
    always_open: Mapped[bool | None]


def ensure_queue(session: Session, destination_id: UUID) -> None:
    """Make the queue of a destination unless it has one."""
    session.execute(
        insert(DeliveryQueue).values(destination_id=destination_id).on_conflict_do_nothing()
    )


def deliveries_of_workitem(session: Session, workitem_id: UUID) -> Sequence[Delivery]:
    """Return the deliveries of a workitem's reports, newest version first, then by creation."""
    return session.scalars(
        select(Delivery)
        .where(Delivery.workitem_id == workitem_id)
        .order_by(Delivery.version_number.desc(), Delivery.created_at)
    ).all()


def attempts_of(session: Session, delivery_id: UUID) -> Sequence[DeliveryAttempt]:
    """Return the attempts of one delivery in the order they were made."""
    return session.scalars(
        select(DeliveryAttempt)
        .where(DeliveryAttempt.delivery_id == delivery_id)
        .order_by(DeliveryAttempt.number)
    ).all()
