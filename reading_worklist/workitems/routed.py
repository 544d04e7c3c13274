"""The columns of a workitem that routing fills."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Computed,
    FetchedValue,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, validates

from reading_worklist.workitems.states import State
from storage.database import Word
from storage.orders.words import Priority

WAITING: Final = (
    "state IN ('QUEUED', 'CLAIMED', 'WRITTEN', 'REVIEWING', 'RETURNED', 'PRELIM_ISSUED', 'HELD')"
)
"""SQL that a workitem is in the queue: somebody is expected to do something about it."""

DONE: Final = (
    "state IN ('FINAL', 'PUBLISHED', 'DELIVERED', 'AMENDED', 'REVOKED', 'ARCHIVED', 'WITHDRAWN')"
)
"""SQL that it is not: all other states."""

_SHOWN: Final = [
    "site_id",
    "lane",
    "state",
    "group_id",
    "assignee_id",
    "holder_id",
    "queued_at",
    "study_id",
    "patient_id",
    "modalities",
    "warn_at",
    "escalated_at",
]

QUEUE_INDEXES: Final = (
    # The queue in its order, and everything by which it is narrowed and counted: 100,000 entries
    # are counted without a look at the table.
    Index(
        "ix_workitem_queue",
        "urgency",
        "due_at",
        "id",
        postgresql_where=text(WAITING),
        postgresql_include=_SHOWN,
    ),
    Index(
        "ix_workitem_queue_due",
        "due_at",
        "id",
        postgresql_where=text(WAITING),
        postgresql_include=_SHOWN,
    ),
    Index(
        "ix_workitem_queue_since",
        "queued_at",
        "id",
        postgresql_where=text(WAITING),
        postgresql_include=[one for one in _SHOWN if one != "queued_at"],
    ),
    # What waits for one group: counted without the rest of the queue.
    Index(
        "ix_workitem_queue_group",
        "group_id",
        "state",
        postgresql_where=text(WAITING),
        postgresql_include=["site_id", "lane"],
    ),
    # Completed steps (UPS) among what waits: reports that are being replaced.
    Index("ix_workitem_amending", "due_at", postgresql_where=text("amending")),
    # Everything, the latest first; and how much of it is in a state, of all sites or of one.
    Index(
        "ix_workitem_queued_at", "queued_at", "id", postgresql_include=["state", "site_id", "lane"]
    ),
    # What is done, the latest first, without a walk over all that is open, which is later.
    Index(
        "ix_workitem_done",
        "queued_at",
        "id",
        postgresql_where=text(DONE),
        postgresql_include=["site_id", "lane", "state"],
    ),
    Index("ix_workitem_state_site_id_lane", "state", "site_id", "lane"),
    Index("ix_workitem_patient_id", "patient_id"),
    Index(
        "ix_workitem_unclaimed",
        "claim_due_at",
        postgresql_where=text("state = 'QUEUED' AND escalated_at IS NULL"),
    ),
    Index(
        "ix_workitem_late",
        "due_at",
        postgresql_where=text(f"{WAITING} AND overdue_at IS NULL"),
    ),
    Index(
        "ix_workitem_assignee_id",
        "assignee_id",
        postgresql_where=text(f"{WAITING} AND assignee_id IS NOT NULL"),
    ),
    Index("ix_workitem_holder_id", "holder_id", postgresql_where=text("holder_id IS NOT NULL")),
)


class Stage(StrEnum):
    """For which signature somebody was assigned."""

    WRITING = "writing"
    REVIEW = "review"


STAGES: Final[Mapping[State, Stage]] = MappingProxyType(
    {
        State.QUEUED: Stage.WRITING,
        State.RETURNED: Stage.WRITING,
        State.WRITTEN: Stage.REVIEW,
        State.PRELIM_ISSUED: Stage.REVIEW,
    }
)
"""In these states a workitem waits for somebody, and can be assigned for what comes next."""


class Routed:
    """Whose a workitem is, and its times besides `due_at`.

    raised_to: the priority that hints of an analysis ask for at least; it only ever rises.
    urgency: the priority as a number, 0 the most urgent, by which the queue is sorted.
    modalities: of the study when it was last complete.
    patient_id: of the study, which triggers keep (migration `workitem_patient`): a name is
        looked for in the queue without a look at its studies.

    group_id: the subspecialty that shall read it; None: anybody of the lane.
    assignee_id, assigned_for: who shall do it next; others may still claim it.
    ruleset_id, rule: the version of the rules that routed it, and the name of the rule that did.
    clock: the word of the clock that runs, see `routing.clocks`.
    warn_at: from when it is near its due time.
    claim_due_at: until when somebody should have claimed it.
    escalated_at: when nobody had until then. overdue_at: when its due time was seen to have passed.
    """

    urgency: Mapped[int] = mapped_column(
        SmallInteger,
        Computed(
            "CASE priority WHEN 'STAT' THEN 0 WHEN 'URGENT' THEN 1 ELSE 2 END", persisted=True
        ),
    )
    raised_to: Mapped[Priority | None] = mapped_column(Word(Priority))
    modalities: Mapped[list[str]] = mapped_column(
        ARRAY(String), default=list, server_default=text("'{}'")
    )
    patient_id: Mapped[UUID] = mapped_column(
        ForeignKey("patient.id"), server_default=FetchedValue()
    )
    group_id: Mapped[UUID | None] = mapped_column(ForeignKey("reading_group.id"))
    assignee_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    assigned_for: Mapped[Stage | None] = mapped_column(Word(Stage))
    ruleset_id: Mapped[UUID | None] = mapped_column(ForeignKey("routing_ruleset.id"))
    rule: Mapped[str | None]
    clock: Mapped[str | None]
    warn_at: Mapped[datetime | None]
    claim_due_at: Mapped[datetime | None]
    escalated_at: Mapped[datetime | None]
    overdue_at: Mapped[datetime | None]

    @validates("due_at")
    def _due_anew(self, _: str, due_at: datetime) -> datetime:
        """A reading with another due time is neither late by it yet, nor warned of."""
        self.overdue_at = None
        self.warn_at = None
        return due_at
