"""Deliveries: what has to reach whom, every attempt to bring it there, and what came of it.

The gateway's delivery engine moves these rows; pages and the exam's timeline
read them. One delivery exists per report version and destination.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Identity,
    Index,
    UniqueConstraint,
    func,
    select,
    text,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.database import Base, Word

CHANNEL: Final = "rdc_delivery"


class DeliveryState(StrEnum):
    """Where a delivery stands.

    PENDING waits for its next attempt; DELIVERED and CANCELED are final.
    """

    PENDING = "PENDING"
    IN_PROGRESS = "IN_PROGRESS"
    DELIVERED = "DELIVERED"
    PAUSED = "PAUSED"
    CANCELED = "CANCELED"


class Delivery(Base):
    """One report version for one destination.

    sop_instance_uid: the identity under which the receiver files it; the same for every attempt, so
        that a repeat is no second copy.
    pdf_object_key: the signed PDF that is delivered.
    lease_token, leased_until: who is attempting it now; when the lease has passed, another may.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("report_version_id", "destination_id"),
        Index(
            "ix_delivery_due",
            "next_attempt_at",
            postgresql_where=text("state IN ('PENDING', 'IN_PROGRESS')"),
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
    pdf_object_key: Mapped[str]
    pdf_sha256: Mapped[str]
    issued_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    delivered_at: Mapped[datetime | None]
    last_error: Mapped[str | None]


class DeliveryAttempt(Base):
    """One try: when, how it ended, and what the receiver said (its status, in words)."""

    __tablename__ = "delivery_attempt"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("delivery.id"), index=True)
    number: Mapped[int]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    succeeded: Mapped[bool | None]
    answer: Mapped[str | None]


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
