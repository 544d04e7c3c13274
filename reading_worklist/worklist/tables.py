"""Tables of the worklist's pages."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    ForeignKey,
    String,
    UniqueConstraint,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base


class WorklistView(Base):
    """A filter that a person keeps for his work for one organisation.

    filter: as `schemas.WorklistFilter` writes it.
    shared: whether others of the organisation see it; group_id: the group that alone does.
    """

    __tablename__ = "worklist_view"
    __table_args__ = (
        UniqueConstraint("person_id", "organisation_id", "name"),
        CheckConstraint("shared OR group_id IS NULL", name="group_shared"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    name: Mapped[str]
    filter: Mapped[dict[str, Any]] = mapped_column(JSONB)
    position: Mapped[int]
    shared: Mapped[bool] = mapped_column(default=False, server_default=false())
    group_id: Mapped[UUID | None] = mapped_column(ForeignKey("reading_group.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class WorklistPreference(Base):
    """How a person likes the list in his work for one organisation; see `schemas.Preferences`."""

    __tablename__ = "worklist_preference"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    default_view_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("worklist_view.id", ondelete="SET NULL")
    )
    columns: Mapped[list[str]] = mapped_column(ARRAY(String), server_default=text("'{}'"))
