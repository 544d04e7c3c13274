"""Tables of critical values, of whom to ring, and of everything that was done to be heard.

Notices are only added. A critical value's guard in the database is the table of its states.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from reading_worklist.critical_values.states import CriticalState
from storage.database import Base, Word


class NoticeKind(StrEnum):
    """What was done to be heard."""

    NOTIFIED = "notified"
    ESCALATED = "escalated"
    CALL = "call"
    ACTION_OVERDUE = "action_overdue"


class CriticalValue(Base):
    """One finding that endangers the patient, and both sides' proof that it was told.

    finding: what the site is told. ruleset, rule_code: where it is said to be critical.
    found_by, found_at, confirmed_by, notified_at: the centre's side. found_by: None while only an
        analysis suspects it; then the rule says which.
    acknowledged_…: the site's side: who (a signed-in person, or a name told on the telephone), in
        which role, what he read back, when; recorded_by: who of the centre took that down.
    level: the highest step (`clocks.Step`) that was told. next_at: when the clock looks again.
    """

    __tablename__ = "critical_value"
    __table_args__ = (
        Index("ix_critical_value_site_id_found_at", "site_id", "found_at"),
        Index(
            "ix_critical_value_next_at",
            "next_at",
            postgresql_where=text("next_at IS NOT NULL"),
        ),
        CheckConstraint(
            "state NOT IN ('ACKED', 'ACTIONED', 'CLOSED') OR (acknowledged_at IS NOT NULL"
            " AND acknowledged_name <> '' AND acknowledged_role <> '' AND read_back <> '')",
            name="acknowledged",
        ),
        CheckConstraint(
            "state NOT IN ('ACTIONED', 'CLOSED')"
            " OR (actioned_at IS NOT NULL AND action <> '' AND actioned_name <> '')",
            name="actioned",
        ),
        CheckConstraint(
            "state IN ('SUSPECTED', 'DISMISSED') OR confirmed_by IS NOT NULL", name="confirmed"
        ),
        CheckConstraint(
            "(found_by IS NULL) = (found_for IS NULL) AND (found_by IS NOT NULL"
            " OR (rule_code IS NOT NULL AND state IN ('SUSPECTED', 'DISMISSED')))",
            name="found",
        ),
        CheckConstraint(
            "confirmed_by IS NULL OR confirmed_by <> found_by OR confirmed_alone",
            name="two_people",
        ),
        CheckConstraint(
            "(state = 'DISMISSED') = (dismissed_by IS NOT NULL)"
            " AND (state <> 'DISMISSED' OR dismissal_reason <> '')",
            name="dismissed",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    workitem_id: Mapped[UUID] = mapped_column(ForeignKey("workitem.id"), index=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    state: Mapped[CriticalState] = mapped_column(Word(CriticalState))
    finding: Mapped[str]
    ruleset: Mapped[str | None]
    rule_code: Mapped[str | None]
    found_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    found_for: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"))
    found_at: Mapped[datetime]
    confirmed_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    confirmed_at: Mapped[datetime | None]
    confirmed_alone: Mapped[bool] = mapped_column(default=False)
    notified_at: Mapped[datetime | None]
    level: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None]
    acknowledged_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    acknowledged_name: Mapped[str | None]
    acknowledged_role: Mapped[str | None]
    acknowledged_at: Mapped[datetime | None]
    read_back: Mapped[str | None]
    recorded_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    action: Mapped[str | None]
    actioned_name: Mapped[str | None]
    actioned_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    closed_at: Mapped[datetime | None]
    dismissed_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    dismissed_at: Mapped[datetime | None]
    dismissal_reason: Mapped[str | None]
    revision: Mapped[int] = mapped_column(default=0)


class CriticalNotice(Base):
    """One thing done to be heard: by the clock, or a call by a person.

    contact_name, contact_phone: as they were then. answered: of a call.
    """

    __tablename__ = "critical_notice"
    __table_args__ = (
        Index(
            "uq_critical_notice_step",
            "critical_value_id",
            "kind",
            "step",
            unique=True,
            postgresql_where=text("kind <> 'call'"),
        ),
        Index("ix_critical_notice_critical_value_id", "critical_value_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    critical_value_id: Mapped[UUID] = mapped_column(ForeignKey("critical_value.id"))
    kind: Mapped[NoticeKind] = mapped_column(Word(NoticeKind))
    step: Mapped[int]
    at: Mapped[datetime]
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    contact_name: Mapped[str | None]
    contact_phone: Mapped[str | None]
    answered: Mapped[bool | None]
    note: Mapped[str | None]


class CriticalContact(Base):
    """Whom to tell of a site's critical values, by step and then by position."""

    __tablename__ = "critical_contact"
    __table_args__ = (
        UniqueConstraint("site_id", "step", "position"),
        CheckConstraint("step BETWEEN 0 AND 3", name="step"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    step: Mapped[int]
    position: Mapped[int]
    name: Mapped[str]
    role: Mapped[str]
    phone: Mapped[str]


class CriticalClock(Base):
    """The escalation times of a consortium, in minutes; without a row the defaults run."""

    __tablename__ = "critical_clock"
    __table_args__ = (
        CheckConstraint(
            "0 < second_contact AND second_contact < duty_head AND duty_head < director"
            " AND director <= 60 AND action BETWEEN 1 AND 240",
            name="order",
        ),
    )

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    second_contact: Mapped[int]
    duty_head: Mapped[int]
    director: Mapped[int]
    action: Mapped[int]
    set_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    set_at: Mapped[datetime]


class CriticalValueTransition(Base):
    """The pairs of states a critical value may change between.

    The database's own guard reads it; only migrations write it.
    """

    __tablename__ = "critical_value_transition"

    from_state: Mapped[str] = mapped_column(primary_key=True)
    to_state: Mapped[str] = mapped_column(primary_key=True)
