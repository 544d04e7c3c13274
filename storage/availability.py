"""Instance availability: which destinations are told that a study can be had here (PS3.4 R)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.attempts import Attempted
from storage.database import Base


class AvailabilityNotification(Attempted, Base):
    """One study, complete for the `generation`-th time, for one destination.

    sop_instance_uid: of the notification; the same for every attempt.
    superseded: the study has become complete again before this was told; the later one tells more.
    """

    __tablename__ = "availability_notification"
    __table_args__ = (
        UniqueConstraint("study_id", "destination_id", "generation"),
        Index(
            "ix_availability_notification_due",
            "next_attempt_at",
            postgresql_where=text("told_at IS NULL AND NOT superseded"),
        ),
    )

    study_id: Mapped[UUID] = mapped_column(ForeignKey("study.id"))
    destination_id: Mapped[UUID] = mapped_column(ForeignKey("destination.id"))
    generation: Mapped[int]
    sop_instance_uid: Mapped[str]
    superseded: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    told_at: Mapped[datetime | None]


def is_open() -> ColumnElement[bool]:
    """Return the SQL condition of notifications that still need work."""
    return AvailabilityNotification.told_at.is_(None) & ~AvailabilityNotification.superseded
