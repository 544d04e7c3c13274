"""Table of the images chosen for a report."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base


class KeyImage(Base):
    """A frame of the exam that belongs beside the report's text.

    It is part of the draft: what a submission shows is kept in its content and in its document.

    position: where it stands among the others; counts from 0, gaps mean nothing.
    frame_number: counts from 1 (PS3.3 §C.7.6.6).
    window_center, window_width: as it was shown, in output units of the modality LUT
        (PS3.3 §C.11.2); None for the window of its header.
    """

    __tablename__ = "key_image"
    __table_args__ = (
        UniqueConstraint("workitem_id", "instance_id", "frame_number"),
        CheckConstraint("frame_number > 0 AND position >= 0", name="counts"),
        CheckConstraint(
            "(window_center IS NULL) = (window_width IS NULL) AND window_width > 0", name="window"
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    workitem_id: Mapped[UUID] = mapped_column(ForeignKey("workitem.id"))
    instance_id: Mapped[int] = mapped_column(
        ForeignKey("instance.id", ondelete="CASCADE"), index=True
    )
    frame_number: Mapped[int]
    position: Mapped[int]
    window_center: Mapped[float | None]
    window_width: Mapped[float | None]
    added_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    added_at: Mapped[datetime] = mapped_column(server_default=func.now())
