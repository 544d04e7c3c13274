"""Who has claimed a workitem through UPS-RS, and who wants to know of changes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base


class StepTransaction(Base):
    """The Transaction UID (0008,1195) under which a workitem was claimed last.

    It holds as long as the same person has held the same claim since: claimed_at is the claim's.
    """

    __tablename__ = "step_transaction"

    workitem_id: Mapped[UUID] = mapped_column(ForeignKey("workitem.id"), primary_key=True)
    transaction_uid: Mapped[str]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    claimed_at: Mapped[datetime]


class StepSubscription(Base):
    """Somebody's software, under an AE title of its own choice, wants to know of changes.

    target: the SOP Instance UID of a workitem, of the worklist as a whole, or of what of it matches
        `matching`: pairs of an attribute and its value, as in a search.
    """

    __tablename__ = "step_subscription"
    __table_args__ = (
        CheckConstraint(
            "(target = '1.2.840.10008.5.1.4.34.5.1') = (matching IS NOT NULL)", name="matching"
        ),
    )

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    ae_title: Mapped[str] = mapped_column(primary_key=True)
    target: Mapped[str] = mapped_column(primary_key=True)
    matching: Mapped[list[list[str]] | None] = mapped_column(JSONB(none_as_null=True))
    subscribed_at: Mapped[datetime] = mapped_column(server_default=func.now())
