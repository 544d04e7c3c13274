"""Tables of consultations, and of who may be asked."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from reading_worklist.consultations.states import ConsultationState
from storage.database import Base, Word


class Urgency(StrEnum):
    """How soon an answer is needed."""

    URGENT = "urgent"
    ROUTINE = "routine"


class ConsentBasis(StrEnum):
    """Why the case may be shown to the expert."""

    CONSENT = "consent"
    EMERGENCY = "emergency"


class Practitioner(Base):
    """What is known of a doctor's licence; without a row nobody is asked for an opinion."""

    __tablename__ = "practitioner"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    title: Mapped[str]
    specialty: Mapped[str]
    licence_number: Mapped[str]
    practising_since: Mapped[date]
    set_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    set_at: Mapped[datetime]


class Consultation(Base):
    """One question to one expert about one case.

    consent_note: who agreed and how, or what the emergency is.
    invitee_practising_since: as it was known when he was asked.
    opinion_draft: what the expert has typed and not signed, seen by him alone; draft_revision
        counts its saves, so that a second window does not overwrite the first unseen.
    opinion_content: what the expert signed, with the case it is about, as JSON; signature: CMS over
        exactly these bytes in UTF-8, detached, DER.
    overdue_at: when the clock found it unanswered after `due_at`.
    """

    __tablename__ = "consultation"
    __table_args__ = (
        Index("ix_consultation_site_id_applied_at", "site_id", "applied_at"),
        Index("ix_consultation_invitee_id", "invitee_id"),
        Index(
            "ix_consultation_due",
            "due_at",
            postgresql_where=text(
                "overdue_at IS NULL AND state IN ('APPLIED', 'ACCEPTED', 'SCHEDULED')"
            ),
        ),
        CheckConstraint("consent_note <> ''", name="consent"),
        CheckConstraint(
            "invitee_practising_since"
            " <= (applied_at AT TIME ZONE 'UTC')::date - interval '3 years'",
            name="practice",
        ),
        CheckConstraint("invitee_id <> applied_by", name="other_person"),
        CheckConstraint(
            "(state IN ('OPINION_SIGNED', 'ARCHIVED', 'RATED')) = (signature IS NOT NULL)"
            " AND (signature IS NULL) = (opinion_content IS NULL)",
            name="signed",
        ),
        CheckConstraint("state <> 'DECLINED' OR decline_reason <> ''", name="declined"),
        CheckConstraint("(state = 'RATED') = (rating IS NOT NULL)", name="rated"),
        CheckConstraint("rating IS NULL OR rating BETWEEN 1 AND 5", name="rating"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    workitem_id: Mapped[UUID] = mapped_column(ForeignKey("workitem.id"), index=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    state: Mapped[ConsultationState] = mapped_column(Word(ConsultationState))
    urgency: Mapped[Urgency] = mapped_column(Word(Urgency))
    reason: Mapped[str]
    purpose: Mapped[str]
    summary: Mapped[str]
    specialty: Mapped[str]
    consent_basis: Mapped[ConsentBasis] = mapped_column(Word(ConsentBasis))
    consent_note: Mapped[str]
    applied_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    applied_for: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    applied_at: Mapped[datetime]
    due_at: Mapped[datetime]
    overdue_at: Mapped[datetime | None]
    invitee_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    invitee_practising_since: Mapped[date]
    answered_at: Mapped[datetime | None]
    decline_reason: Mapped[str | None]
    scheduled_for: Mapped[datetime | None]
    opinion: Mapped[str | None]
    opinion_draft: Mapped[str] = mapped_column(default="", server_default="")
    draft_revision: Mapped[int] = mapped_column(default=0, server_default="0")
    opinion_content: Mapped[str | None]
    signature: Mapped[bytes | None] = mapped_column(LargeBinary)
    signed_at: Mapped[datetime | None]
    archived_at: Mapped[datetime | None]
    rating: Mapped[int | None]
    rating_comment: Mapped[str | None]
    revision: Mapped[int] = mapped_column(default=0)


class ConsultationTransition(Base):
    """The pairs of states a consultation may change between.

    The database's own guard reads it; only migrations write it.
    """

    __tablename__ = "consultation_transition"

    from_state: Mapped[str] = mapped_column(primary_key=True)
    to_state: Mapped[str] = mapped_column(primary_key=True)
