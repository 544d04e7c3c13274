"""Tables of the identity desk: open questions and every decision about them."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base, Word


class CaseState(StrEnum):
    """Whether a question about identity is open."""

    OPEN = "OPEN"
    DECIDED = "DECIDED"


class DecisionKind(StrEnum):
    """What a dispatcher can decide about a study.

    LINK: it belongs to this order and its patient. CORRECT: it belongs to another patient than its
    header says. KEEP: the header is right, and no order is meant. REJECT: back to the site.
    UNDO: the decision before is taken back.
    """

    LINK = "link"
    CORRECT = "correct"
    KEEP = "keep"
    REJECT = "reject"
    UNDO = "undo"


class IdentityCase(Base):
    """A study of which it is not sure whose it is. A study has at most one open case.

    order_id: the order that the study seems to answer; None when there is none.
    differences: what does not agree, as `comparison.Difference` writes it.
    opened_because: why a person opened it; None when the system did.
    """

    __tablename__ = "identity_case"
    __table_args__ = (
        Index(
            "uq_identity_case_open",
            "study_id",
            unique=True,
            postgresql_where=text("state = 'OPEN'"),
        ),
        Index("ix_identity_case_due", "due_at", postgresql_where=text("state = 'OPEN'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    study_id: Mapped[UUID] = mapped_column(ForeignKey("study.id"), index=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    order_id: Mapped[UUID | None] = mapped_column(ForeignKey("exam_order.id"))
    state: Mapped[CaseState] = mapped_column(Word(CaseState), default=CaseState.OPEN)
    differences: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    opened_because: Mapped[str | None]
    opened_at: Mapped[datetime] = mapped_column(server_default=func.now())
    due_at: Mapped[datetime]
    revision: Mapped[int] = mapped_column(default=0, server_default="0")


class IdentityDecision(Base):
    """One decision about a case; rows are only added.

    before, after: ids of patient and order the study had and got, and its accession number.
    undoes: the decision that an UNDO took back.
    """

    __tablename__ = "identity_decision"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("identity_case.id"), index=True)
    study_id: Mapped[UUID] = mapped_column(ForeignKey("study.id"), index=True)
    kind: Mapped[DecisionKind] = mapped_column(Word(DecisionKind))
    reason: Mapped[str]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    before: Mapped[dict[str, Any]] = mapped_column(JSONB)
    after: Mapped[dict[str, Any]] = mapped_column(JSONB)
    undoes: Mapped[int | None] = mapped_column(ForeignKey("identity_decision.id"))
