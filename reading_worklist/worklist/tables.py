"""Tables of the worklist's pages."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base


class WorklistView(Base):
    """A filter that a person keeps for his work for one organisation.

    filter: as `schemas.WorklistFilter` writes it.
    """

    __tablename__ = "worklist_view"
    __table_args__ = (UniqueConstraint("person_id", "organisation_id", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    name: Mapped[str]
    filter: Mapped[dict[str, Any]] = mapped_column(JSONB)
    position: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
