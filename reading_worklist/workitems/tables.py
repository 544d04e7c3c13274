"""Tables of the worklist."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Identity,
    Index,
    SmallInteger,
    String,
    false,
    func,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

# The tables that the foreign keys name.
from reading_worklist.routing import tables as _routing  # noqa: F401  # pyright: ignore[reportUnusedImport]
from reading_worklist.workitems.lane import Lane
from reading_worklist.workitems.routed import DONE, QUEUE_INDEXES, WAITING, Routed
from reading_worklist.workitems.states import State
from storage.database import Base, Word
from storage.orders.words import Priority


class Workitem(Routed, Base):
    """One study to be read, the unit of the queue (UPS, PS3.4 Annex CC).

    study_generation: the completion of the study that was last taken over; `late_instances`
        is set when a later one came after somebody had begun to read.
    holder_id, lease_until: the writer or reviewer who holds it now, and until when without work on
        it.
    revision: grows with every change, so that a page can tell a stale view.
    preliminary_at: when the preliminary report was issued that stands until the final one is.
    amending: whether an issued report, which stands meanwhile, is being replaced.
    acknowledge_by: until when the site is expected to have what was issued last; None once it has,
        or once it was found late at `delivery_overdue_at`.
    open_by: until when somebody is expected to open it; None once he has, or once nobody had by
        `unopened_at`.
    finalised_at: of the first report with both signatures; delivered_at, opened_at: of the one that
        stands now.
    """

    __tablename__ = "workitem"
    __table_args__ = (
        CheckConstraint(
            "(state IN ('CLAIMED', 'REVIEWING')) = (holder_id IS NOT NULL)", name="holder"
        ),
        CheckConstraint("(holder_id IS NULL) = (lease_until IS NULL)", name="lease"),
        Index(
            "ix_workitem_acknowledge_by",
            "acknowledge_by",
            postgresql_where=text("acknowledge_by IS NOT NULL"),
        ),
        Index("ix_workitem_open_by", "open_by", postgresql_where=text("open_by IS NOT NULL")),
        Index(
            "ix_workitem_unopened_at",
            "unopened_at",
            postgresql_where=text("unopened_at IS NOT NULL"),
        ),
        # What is stuck, and nothing else: unclaimed though told of, and at no site in time.
        Index(
            "ix_workitem_escalated",
            "escalated_at",
            postgresql_where=text("state = 'QUEUED' AND escalated_at IS NOT NULL"),
            postgresql_include=["site_id"],
        ),
        Index(
            "ix_workitem_not_received",
            "delivery_overdue_at",
            postgresql_where=text(
                "delivery_overdue_at IS NOT NULL AND delivered_at IS NULL AND opened_at IS NULL"
            ),
            postgresql_include=["site_id"],
        ),
        Index("ix_workitem_site_id_queued_at", "site_id", "queued_at"),
        Index(
            "ix_workitem_preliminary",
            "due_at",
            postgresql_where=text("preliminary_at IS NOT NULL AND finalised_at IS NULL"),
        ),
        *QUEUE_INDEXES,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    study_id: Mapped[UUID] = mapped_column(ForeignKey("study.id"), unique=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    lane: Mapped[Lane] = mapped_column(Word(Lane))
    priority: Mapped[Priority] = mapped_column(Word(Priority))
    state: Mapped[State] = mapped_column(Word(State), default=State.QUEUED)
    study_generation: Mapped[int]
    late_instances: Mapped[bool] = mapped_column(default=False)
    queued_at: Mapped[datetime] = mapped_column(server_default=func.now())
    due_at: Mapped[datetime]
    writer_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    holder_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    lease_until: Mapped[datetime | None]
    claimed_at: Mapped[datetime | None]
    submitted_at: Mapped[datetime | None]
    reviewed_at: Mapped[datetime | None]
    preliminary_at: Mapped[datetime | None]
    amending: Mapped[bool] = mapped_column(default=False, server_default=false())
    acknowledge_by: Mapped[datetime | None]
    delivery_overdue_at: Mapped[datetime | None]
    open_by: Mapped[datetime | None]
    unopened_at: Mapped[datetime | None]
    finalised_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(default=0)

    @property
    def preliminary_stands(self) -> bool:
        """Whether a preliminary report is out and no final one has replaced it."""
        return self.preliminary_at is not None and self.finalised_at is None

    @property
    def report_stands(self) -> bool:
        """Whether a report, of whatever status, is out and not revoked."""
        return self.state is not State.REVOKED and (
            self.preliminary_at is not None or self.finalised_at is not None
        )


IN_QUEUE: Final[ColumnElement[bool]] = literal_column(f"workitem.{WAITING}", Boolean())
"""The SQL condition that a workitem is in the queue, as the indexes of the queue have it.

A planner sees that such an index serves only where the words stand in the statement itself.
"""


FINISHED: Final[ColumnElement[bool]] = literal_column(f"workitem.{DONE}", Boolean())
"""The SQL condition that a workitem is not in the queue, as the index of those has it."""


class WorkitemTally(Base):
    """How many workitems there are of a kind: the sum of `number` over the rows of that kind.

    A kind is what the other columns say, as `Workitem` has them. Triggers on `workitem` add a row
    for each change, so that no two changes wait for each other, and `tally.fold` makes one row of
    many. Counting a million finished and 100,000 open workitems is reading a few thousand rows.
    """

    __tablename__ = "workitem_tally"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    lane: Mapped[Lane] = mapped_column(Word(Lane))
    state: Mapped[State] = mapped_column(Word(State))
    urgency: Mapped[int] = mapped_column(SmallInteger)
    modalities: Mapped[list[str]] = mapped_column(ARRAY(String))
    number: Mapped[int]


class QueueName(Base):
    """The keys of the patient's name of each workitem in the queue.

    Triggers on `workitem` and `patient` keep it. A name is looked for in the queue without a look
    at the patients of a million finished readings, and being claimed changes nothing here.

    name_vector: the patient's `name_keys`.
    """

    __tablename__ = "queue_name"
    __table_args__ = (Index("ix_queue_name_name_vector", "name_vector", postgresql_using="gin"),)

    workitem_id: Mapped[UUID] = mapped_column(
        ForeignKey("workitem.id", ondelete="CASCADE"), primary_key=True
    )
    name_vector: Mapped[str] = mapped_column(TSVECTOR)


class WorkitemTransition(Base):
    """The pairs of states a workitem may change between.

    The database's own guard reads it; only migrations write it.
    """

    __tablename__ = "workitem_transition"

    from_state: Mapped[str] = mapped_column(primary_key=True)
    to_state: Mapped[str] = mapped_column(primary_key=True)


def event_data(item: Workitem) -> dict[str, Any]:
    """Return what pages are told when a workitem changed."""
    return {"id": str(item.id), "state": item.state, "lane": item.lane}
