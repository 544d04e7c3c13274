"""Tables of templates and snippets.

A version of a template never changes; a change is a new one.
"""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base


class ReportTemplate(Base):
    """A template of a consortium.

    code: by which the set that is shipped finds its own again. version: the one that is offered.
    retired_at: when it was taken out of what is offered.
    """

    __tablename__ = "report_template"
    __table_args__ = (
        UniqueConstraint("organisation_id", "code"),
        CheckConstraint("version > 0", name="version"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    code: Mapped[str]
    version: Mapped[int]
    retired_at: Mapped[datetime | None]


class ReportTemplateVersion(Base):
    """What a template said from one change to the next; body as `schemas.TemplateBody`.

    made_by: None for what was shipped.
    """

    __tablename__ = "report_template_version"

    template_id: Mapped[UUID] = mapped_column(ForeignKey("report_template.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[dict[str, object]] = mapped_column(JSONB)
    made_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    made_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ReportSnippet(Base):
    """A text behind a shortcut. person_id: whose it is; None: of the whole consortium."""

    __tablename__ = "report_snippet"
    __table_args__ = (
        Index(
            "uq_report_snippet_shared",
            "organisation_id",
            "shortcut",
            unique=True,
            postgresql_where=text("person_id IS NULL"),
        ),
        Index(
            "uq_report_snippet_personal",
            "organisation_id",
            "person_id",
            "shortcut",
            unique=True,
            postgresql_where=text("person_id IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    shortcut: Mapped[str]
    text: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())
