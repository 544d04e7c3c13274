"""Table of the periods in which one signature is enough for an ECG."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base


class SingleSignature(Base):
    """From `begins_at` until before `ends_at` one signature is enough for the ECGs of a consortium.

    basis: the rule or decision that allows it; printed on every report that rests on it.
    ended_at: when it was switched off before its end; it does not hold from then on.

    The database refuses any other change of a row, and a version of a report that rests on one
    which does not hold for it.
    """

    __tablename__ = "single_signature"
    __table_args__ = (
        CheckConstraint("ends_at > begins_at", name="order"),
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended"),
        CheckConstraint("basis <> ''", name="basis"),
        Index("ix_single_signature_organisation_id", "organisation_id", "ends_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    begins_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    basis: Mapped[str]
    made_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    made_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ended_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    ended_at: Mapped[datetime | None]
