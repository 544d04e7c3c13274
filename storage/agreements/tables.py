"""Table of agreements between organisations."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base, Word


class Service(StrEnum):
    """What one organisation does for another.

    PRIORS: shows its patients' earlier studies to whoever reads for the other.
    """

    PRIORS = "priors"


class Agreement(Base):
    """What one organisation, with all below it, does for another, with all below that.

    One with itself holds between any two organisations below it. Both days are included.
    ended_at: when it was ended before its last day; it does not hold from then on.
    """

    __tablename__ = "agreement"
    __table_args__ = (
        CheckConstraint("valid_until IS NULL OR valid_until >= valid_from", name="order"),
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended"),
        Index("ix_agreement_client_id", "client_id", "service"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    service: Mapped[Service] = mapped_column(Word(Service))
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    client_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    document: Mapped[str]
    made_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    made_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ended_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    ended_at: Mapped[datetime | None]
