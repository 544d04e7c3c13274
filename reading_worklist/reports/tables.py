"""Tables of the report.

Only a draft can change, and a revocation until it is decided. Submissions, returns, versions and
recalls are added and never altered: the database refuses to update or delete one. It refuses a
second version as well as long as an earlier one of the same workitem is not recalled.
"""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from reading_worklist.reports.states import AmendmentKind, RecallKind, RevocationState

# The table that a foreign key names.
from reading_worklist.single_signature import tables as _single_signature  # noqa: F401  # pyright: ignore[reportUnusedImport]

# The table that a foreign key names.
from reading_worklist.templates import tables as _templates  # noqa: F401  # pyright: ignore[reportUnusedImport]
from reading_worklist.typesetting.labels import Language
from storage.database import Base, Word


class ReportDraft(Base):
    """What the writer has typed so far.

    comparison: with earlier exams, in words.
    addendum: what is added to the report that stands; the other texts are that report's then.
    codes: structured codes by name (see `reports.codes`). template_id: the template that was
        inserted last, which may require some of them. ecg: see `reports.ecg_draft.DraftEcg`.
    revision: counts the saves, so that a second tab cannot overwrite the first unseen.
    """

    __tablename__ = "report_draft"

    workitem_id: Mapped[UUID] = mapped_column(ForeignKey("workitem.id"), primary_key=True)
    author_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    findings: Mapped[str] = mapped_column(default="")
    impression: Mapped[str] = mapped_column(default="")
    advice: Mapped[str] = mapped_column(default="")
    comparison: Mapped[str] = mapped_column(default="", server_default="")
    addendum: Mapped[str] = mapped_column(default="", server_default="")
    codes: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict, server_default="{}")
    template_id: Mapped[UUID | None] = mapped_column(ForeignKey("report_template.id"))
    ecg: Mapped[dict[str, object]] = mapped_column(JSONB, default=dict, server_default="{}")
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
    comparison: Mapped[str] = mapped_column(default="", server_default="")
    addendum: Mapped[str] = mapped_column(default="", server_default="")
    codes: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict, server_default="{}")
    content: Mapped[dict[str, object]] = mapped_column(JSONB)
    language: Mapped[Language] = mapped_column(Word(Language), server_default=Language.ZH_CN.value)
    verification_code: Mapped[str] = mapped_column(unique=True)
    pdf_object_key: Mapped[str]
    pdf_sha256: Mapped[str]
    submitted_at: Mapped[datetime]


class ReportOverride(Base):
    """A warning of the checks over which somebody signed, and why; see `reports.checks`."""

    __tablename__ = "report_override"

    submission_id: Mapped[UUID] = mapped_column(
        ForeignKey("report_submission.id"), primary_key=True
    )
    key: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str]
    part: Mapped[str | None]
    excerpt: Mapped[str]
    reason: Mapped[str]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    overridden_at: Mapped[datetime]


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
    reviewer_id: None for a preliminary report, and where one signature is enough.
    single_signature_id: the period of the switch that lets one be enough.
    """

    __tablename__ = "report_version"
    __table_args__ = (
        UniqueConstraint("workitem_id", "number"),
        CheckConstraint(
            "(status = 'preliminary' OR single_signature_id IS NOT NULL) = (reviewer_id IS NULL)"
            " AND (reviewer_id IS NULL OR writer_id <> reviewer_id)"
            " AND (single_signature_id IS NULL OR status = 'final')",
            name="two_doctors",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    workitem_id: Mapped[UUID] = mapped_column(ForeignKey("workitem.id"))
    number: Mapped[int]
    submission_id: Mapped[UUID] = mapped_column(ForeignKey("report_submission.id"), unique=True)
    writer_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    reviewer_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    single_signature_id: Mapped[UUID | None] = mapped_column(ForeignKey("single_signature.id"))
    status: Mapped[str] = mapped_column(String)
    pdf_object_key: Mapped[str]
    pdf_sha256: Mapped[str] = mapped_column(index=True)
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


class ReportAmendment(Base):
    """Somebody set out to replace an issued version by another.

    kind: whether its content changes, or is only added to.
    ended_at, abandoned: when that came to an end, and whether without a new version.
    """

    __tablename__ = "report_amendment"
    __table_args__ = (
        Index(
            "uq_report_amendment_open",
            "workitem_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        CheckConstraint("(ended_at IS NULL) = (abandoned IS NULL)", name="end"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    workitem_id: Mapped[UUID] = mapped_column(ForeignKey("workitem.id"))
    report_version_id: Mapped[UUID] = mapped_column(ForeignKey("report_version.id"))
    kind: Mapped[AmendmentKind] = mapped_column(
        Word(AmendmentKind), server_default=AmendmentKind.CHANGE.value
    )
    reason: Mapped[str]
    started_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    abandoned: Mapped[bool | None]


class ReportRevocation(Base):
    """A reviewer's proposal to declare a version void, and what a second person decided.

    pdf_object_key, pdf_sha256: the tombstone, the document that says so.
    """

    __tablename__ = "report_revocation"
    __table_args__ = (
        Index(
            "uq_report_revocation_open",
            "report_version_id",
            unique=True,
            postgresql_where=text("state = 'PROPOSED'"),
        ),
        CheckConstraint(
            "(state = 'PROPOSED') = (decided_by IS NULL)"
            " AND (state <> 'CONFIRMED' OR decided_by <> proposed_by)",
            name="two_people",
        ),
        CheckConstraint("(state = 'CONFIRMED') = (pdf_object_key IS NOT NULL)", name="tombstone"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    workitem_id: Mapped[UUID] = mapped_column(ForeignKey("workitem.id"), index=True)
    report_version_id: Mapped[UUID] = mapped_column(ForeignKey("report_version.id"))
    state: Mapped[RevocationState] = mapped_column(Word(RevocationState))
    reason: Mapped[str]
    proposed_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    proposed_at: Mapped[datetime]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]
    pdf_object_key: Mapped[str | None]
    pdf_sha256: Mapped[str | None]


class ReportRecall(Base):
    """A version does not stand any more: another has replaced it, or it was revoked.

    A version without a recall is the one that stands.
    """

    __tablename__ = "report_recall"
    __table_args__ = (
        CheckConstraint(
            "(kind IN ('superseded', 'supplemented')) = (replaced_by IS NOT NULL)"
            " AND (kind = 'revoked') = (revocation_id IS NOT NULL)",
            name="why",
        ),
    )

    report_version_id: Mapped[UUID] = mapped_column(
        ForeignKey("report_version.id"), primary_key=True
    )
    workitem_id: Mapped[UUID] = mapped_column(ForeignKey("workitem.id"), index=True)
    kind: Mapped[RecallKind] = mapped_column(Word(RecallKind))
    # The recall is written before the version that replaces the recalled one.
    replaced_by: Mapped[UUID | None] = mapped_column(
        ForeignKey("report_version.id", deferrable=True, initially="DEFERRED"), unique=True
    )
    revocation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("report_revocation.id"), unique=True
    )
    reason: Mapped[str]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    recalled_at: Mapped[datetime]


class RecallRecipient(Base):
    """Who has a version that was recalled: a destination, a person or a machine that pulls.

    machine: "channel:name" of what fetched the version itself, see `storage.report_pulls`.
    told_at: when the machine got what replaces it, or a person said that he knows.
    acknowledged_…: by a person: who, in which role and for which organisation; the name is another
        one's where it was told on the telephone, and then acknowledged_by took it down.
    level: the highest step (`recall_clocks.RecallStep`) that was told. next_at: when the clock
        looks again; None once told, and after the last step.
    """

    __tablename__ = "recall_recipient"
    __table_args__ = (
        UniqueConstraint("report_version_id", "destination_id"),
        UniqueConstraint("report_version_id", "person_id"),
        UniqueConstraint("report_version_id", "machine"),
        CheckConstraint("num_nonnulls(destination_id, person_id, machine) = 1", name="who"),
        CheckConstraint(
            "acknowledged_by IS NULL OR (told_at IS NOT NULL"
            " AND acknowledged_name <> '' AND acknowledged_role <> '')",
            name="acknowledged",
        ),
        CheckConstraint("told_at IS NULL OR next_at IS NULL", name="clock"),
        Index(
            "ix_recall_recipient_next_at", "next_at", postgresql_where=text("next_at IS NOT NULL")
        ),
        Index(
            "ix_recall_recipient_untold",
            "report_version_id",
            postgresql_where=text("told_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    report_version_id: Mapped[UUID] = mapped_column(ForeignKey("report_recall.report_version_id"))
    destination_id: Mapped[UUID | None] = mapped_column(ForeignKey("destination.id"))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    machine: Mapped[str | None]
    received_at: Mapped[datetime]
    told_at: Mapped[datetime | None]
    acknowledged_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    acknowledged_for: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"))
    acknowledged_name: Mapped[str | None]
    acknowledged_role: Mapped[str | None]
    level: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    next_at: Mapped[datetime | None]


class RecallEscalation(Base):
    """A step that was told because nobody had acknowledged a recall; only added.

    contact_name, contact_phone: whom the site, or the centre for itself, names for it; as then.
    """

    __tablename__ = "recall_escalation"

    recipient_id: Mapped[UUID] = mapped_column(ForeignKey("recall_recipient.id"), primary_key=True)
    step: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    at: Mapped[datetime]
    contact_name: Mapped[str | None]
    contact_phone: Mapped[str | None]
