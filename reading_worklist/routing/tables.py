"""Tables of routing, and the columns that it gives a workitem."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from reading_worklist.routing.clocks import Clock, Since
from reading_worklist.workitems.lane import Lane
from storage.database import Base, Word
from storage.orders.words import Priority


class ClockSetting(Base):
    """The times of a clock at a priority, for an organisation and all below it; see `Limit`."""

    __tablename__ = "clock_setting"
    __table_args__ = (
        CheckConstraint("due_minutes > 0 AND claim_minutes > 0", name="positive"),
        CheckConstraint("warn_minutes BETWEEN 0 AND due_minutes", name="warning"),
    )

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    clock: Mapped[Clock] = mapped_column(Word(Clock), primary_key=True)
    priority: Mapped[Priority] = mapped_column(Word(Priority), primary_key=True)
    due_minutes: Mapped[int]
    working: Mapped[bool]
    warn_minutes: Mapped[int]
    claim_minutes: Mapped[int]
    since: Mapped[Since] = mapped_column(Word(Since))
    set_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    set_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ReadingGroup(Base):
    """A subspecialty of a consortium's readers, such as neuroradiology.

    open_limit: with so many open workitems nobody gets another one of the group by itself; None
        for no limit.
    """

    __tablename__ = "reading_group"
    __table_args__ = (
        UniqueConstraint("organisation_id", "code"),
        CheckConstraint("open_limit > 0", name="open_limit"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    code: Mapped[str]
    name: Mapped[str]
    name_en: Mapped[str]
    lane: Mapped[Lane] = mapped_column(Word(Lane))
    active: Mapped[bool] = mapped_column(default=True)
    open_limit: Mapped[int | None]


class ReadingGroupMember(Base):
    """Somebody belongs to a subspecialty."""

    __tablename__ = "reading_group_member"

    group_id: Mapped[UUID] = mapped_column(ForeignKey("reading_group.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)


class Duty(Base):
    """A person reads for a consortium from `starts_at` until before `ends_at`.

    group_id: the subspecialty; None for all of the lane.
    cancelled_at: when it was taken off the roster.
    """

    __tablename__ = "duty"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="order"),
        Index(
            "ix_duty_organisation_id_ends_at",
            "organisation_id",
            "ends_at",
            postgresql_where=text("cancelled_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    lane: Mapped[Lane] = mapped_column(Word(Lane))
    group_id: Mapped[UUID | None] = mapped_column(ForeignKey("reading_group.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    created_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    cancelled_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    cancelled_at: Mapped[datetime | None]


class RulesetState(StrEnum):
    """Whether a version of the rules routes; one of a consortium at most is ON."""

    DRAFT = "DRAFT"
    ON = "ON"
    OFF = "OFF"


class RoutingRuleset(Base):
    """One version of a consortium's rules. What it says never changes; a change is a new version.

    rules: as `rules.Rule` writes them, in order.
    """

    __tablename__ = "routing_ruleset"
    __table_args__ = (
        UniqueConstraint("organisation_id", "version"),
        Index(
            "uq_routing_ruleset_on",
            "organisation_id",
            unique=True,
            postgresql_where=text("state = 'ON'"),
        ),
        CheckConstraint("(state = 'DRAFT') = (switched_on_at IS NULL)", name="switched_on"),
        CheckConstraint(
            "(switched_on_at IS NULL) = (switched_on_by IS NULL)", name="switched_on_by"
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    version: Mapped[int]
    state: Mapped[RulesetState] = mapped_column(Word(RulesetState), default=RulesetState.DRAFT)
    rules: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    note: Mapped[str]
    created_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    switched_on_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    switched_on_at: Mapped[datetime | None]
