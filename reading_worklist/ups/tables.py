"""Who has claimed a workitem through UPS-RS."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
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
