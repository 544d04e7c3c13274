"""Tables of the report.

Only a draft can change. Submissions, returns and versions are added and never
altered: the database refuses to update or delete one.
"""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from reading_worklist.typesetting.labels import Language
from storage.database import Base, Word


class ReportDraft(Base):
    """What the writer has typed so far.

    revision: counts the saves, so that a second tab cannot overwrite the first unseen.
    """

    __tablename__ = "report_draft"

    workitem_id: Mapped[UUID] = mapped_column(ForeignKey("workitem.id"), primary_key=True)
    author_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    findings: Mapped[str] = mapped_column(default="")
    impression: Mapped[str] = mapped_column(default="")
    advice: Mapped[str] = mapped_column(default="")
    revision: Mapped[int] = mapped_column(default=0)
    saved_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ReportSubmission(Base):
    """A report as its writer signed it: content, the rendered document and signature 1.

    content: the text and every printed fact (see `reports.content`), from which either language can
        be rendered.
    language: in which the document was rendered and signed.
    verification_code: the word on the paper by which the report is found again.
    """

    __tablename__ = "report_submission"
    __table_args__ = (UniqueConstraint("workitem_id", "number"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    workitem_id: Mapped[UUID] = mapped_column(ForeignKey("workitem.id"))
    number: Mapped[int]
    writer_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    findings: Mapped[str]
    impression: Mapped[str]
    advice: Mapped[str]
    content: Mapped[dict[str, object]] = mapped_column(JSONB)
    language: Mapped[Language] = mapped_column(Word(Language), server_default=Language.ZH_CN.value)
    verification_code: Mapped[str] = mapped_column(unique=True)
    pdf_object_key: Mapped[str]
    pdf_sha256: Mapped[str]
    submitted_at: Mapped[datetime]


class ReportReturn(Base):
    """A reviewer's decision to give a submission back, with the reason."""

    __tablename__ = "report_return"

    submission_id: Mapped[UUID] = mapped_column(
        ForeignKey("report_submission.id"), primary_key=True
    )
    reviewer_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    comment: Mapped[str]
    returned_at: Mapped[datetime]


class ReportVersion(Base):
    """A report with both signatures: what the site gets. The reviewer is never the writer.

    status: FHIR DiagnosticReport status word.
    """

    __tablename__ = "report_version"
    __table_args__ = (
        UniqueConstraint("workitem_id", "number"),
        CheckConstraint("writer_id <> reviewer_id", name="two_doctors"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    workitem_id: Mapped[UUID] = mapped_column(ForeignKey("workitem.id"))
    number: Mapped[int]
    submission_id: Mapped[UUID] = mapped_column(ForeignKey("report_submission.id"), unique=True)
    writer_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    reviewer_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    status: Mapped[str] = mapped_column(String)
    pdf_object_key: Mapped[str]
    pdf_sha256: Mapped[str]
    issued_at: Mapped[datetime]


class ReportOpening(Base):
    """Somebody at the site opened a report version.

    It is the proof that it arrived where it is needed.
    """

    __tablename__ = "report_opening"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    report_version_id: Mapped[UUID] = mapped_column(ForeignKey("report_version.id"), index=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    opened_at: Mapped[datetime] = mapped_column(server_default=func.now())
