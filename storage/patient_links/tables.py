"""Table of the decisions that two patients are one person."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base


class PatientLink(Base):
    """A decision that two patients are one person; each stays a patient of its own site.

    one_id is the smaller id, so that a pair is linked once. Taken back, the row stays.
    """

    __tablename__ = "patient_link"
    __table_args__ = (
        CheckConstraint("one_id < other_id", name="pair"),
        CheckConstraint(
            "(undone_at IS NULL) = (undone_by IS NULL)"
            " AND (undone_at IS NULL) = (undone_because IS NULL)",
            name="undone",
        ),
        Index(
            "uq_patient_link_pair",
            "one_id",
            "other_id",
            unique=True,
            postgresql_where=text("undone_at IS NULL"),
        ),
        Index("ix_patient_link_other_id", "other_id", postgresql_where=text("undone_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    one_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    other_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    reason: Mapped[str]
    linked_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    linked_at: Mapped[datetime] = mapped_column(server_default=func.now())
    undone_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    undone_at: Mapped[datetime | None]
    undone_because: Mapped[str | None]
