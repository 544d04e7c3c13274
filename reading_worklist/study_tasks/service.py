"""What can be done with the work on a study; each call in its caller's transaction."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reading_worklist.dicomweb.queries import StudyRecord
from reading_worklist.study_tasks.tables import StudyWork
from storage.clock import utc_now
from storage.database import notify
from storage.errors import RdcError
from storage.index.tables import Study, StudyState
from storage.messages import StudyReceived
from storage.outbox import backoff_seconds
from storage.registry import Organisation

LEASE_SECONDS: Final = 120
PARK_AFTER: Final = 10

_DISPATCH_SECONDS: Final = 30.0
_ERROR_LENGTH: Final = 500

_log = logging.getLogger(__name__)


class LeaseLost(RdcError):
    """Somebody else is at this study now: what was done so far is dropped."""


@dataclass(frozen=True, slots=True)
class Task:
    """A study to work on, held under a lease until it is finished or given up."""

    study: StudyRecord
    site_id: UUID
    generation: int
    attempt: int
    lease_token: UUID


class StudyTasks:
    """One kind of work on studies.

    table: where it is kept. channel: the PostgreSQL notification that there is something to do.
    """

    def __init__(self, table: type[StudyWork], channel: str) -> None:
        self._table = table
        self._channel = channel

    def request(self, session: Session, message: StudyReceived) -> None:
        """Ask for a complete study to be worked on; the same completion twice asks once."""
        made = insert(self._table).values(
            study_id=message.study_id,
            site_id=message.site_id,
            generation=message.generation,
            analysed_generation=0,
            attempts=0,
        )
        fresh = made.on_conflict_do_update(
            index_elements=["study_id"],
            set_={
                "generation": message.generation,
                "due_at": utc_now(),
                "attempts": 0,
                "parked_at": None,
                "last_error": None,
            },
            where=self._table.generation < message.generation,
        ).returning(self._table.study_id)
        if session.scalar(fresh) is not None:
            notify(session, self._channel, str(message.study_id))

    def due(self, session: Session, limit: int = 20) -> Sequence[UUID]:
        """Return studies to be worked on now; each again in half a minute.

        Several relays may call this at once.
        """
        table = self._table
        now = utc_now()
        rows = session.scalars(
            select(table)
            .where(
                table.analysed_generation < table.generation,
                table.parked_at.is_(None),
                table.due_at <= now,
                or_(table.leased_until.is_(None), table.leased_until <= now),
            )
            .order_by(table.due_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        ).all()
        for row in rows:
            row.due_at = now + timedelta(seconds=_DISPATCH_SECONDS)
        return [row.study_id for row in rows]

    def take(self, session: Session, study_id: UUID) -> Task | None:
        """Take a study under a lease; None when there is nothing to do or somebody is at it.

        An attempt counts when it begins: a study that ends the process each time is parked, too.
        """
        now = utc_now()
        row = session.get(self._table, study_id, with_for_update=True)
        if row is None or row.analysed_generation >= row.generation or row.parked_at is not None:
            return None
        if row.leased_until is not None and row.leased_until > now:
            return None
        if row.attempts >= PARK_AFTER:
            row.parked_at = now
            row.last_error = row.last_error or "each attempt ended with its process"
            return None
        study, code = session.execute(
            select(Study, Organisation.code)
            .join(Organisation, Organisation.id == Study.site_id)
            .where(Study.id == study_id)
        ).one()
        token = uuid4()
        row.attempts += 1
        row.lease_token = token
        row.leased_until = now + timedelta(seconds=LEASE_SECONDS)
        return Task(
            study=StudyRecord(
                study.id, code, study.study_instance_uid, study.state == StudyState.COMPLETE
            ),
            site_id=row.site_id,
            generation=row.generation,
            attempt=row.attempts,
            lease_token=token,
        )

    def renew(self, session: Session, task: Task) -> None:
        """Hold the study for another while.

        Raises:
            LeaseLost: see there.
        """
        held = session.scalar(
            update(self._table)
            .where(self._held_by(task))
            .values(leased_until=utc_now() + timedelta(seconds=LEASE_SECONDS))
            .returning(self._table.study_id)
        )
        if held is None:
            raise LeaseLost("the study is looked at by another process")

    def finish(self, session: Session, task: Task, now: datetime) -> None:
        """Mark the completion that was taken as worked on, and give the lease back.

        Call it first in the transaction that writes the results: the row stays locked until then.

        Raises:
            LeaseLost: see there.
        """
        row = session.scalar(select(self._table).where(self._held_by(task)).with_for_update())
        if row is None:
            raise LeaseLost("the study was looked at by another process")
        row.analysed_generation = task.generation
        row.analysed_at = now
        row.due_at = now
        row.attempts = 0
        row.lease_token = None
        row.leased_until = None
        row.last_error = None

    def give_up(self, session: Session, task: Task, error: Exception) -> None:
        """Put the study off after a failure, longer each time; nothing when the lease is lost."""
        row = session.scalar(select(self._table).where(self._held_by(task)).with_for_update())
        if row is None:
            return
        row.lease_token = None
        row.leased_until = None
        row.last_error = f"{type(error).__name__}: {error}"[:_ERROR_LENGTH]
        row.due_at = utc_now() + timedelta(seconds=backoff_seconds(task.attempt))
        if task.attempt >= PARK_AFTER:
            row.parked_at = utc_now()
            _log.error("a study cannot be looked at", extra={"study_id": str(task.study.id)})

    def _held_by(self, task: Task) -> ColumnElement[bool]:
        table = self._table
        return (table.study_id == task.study.id) & (table.lease_token == task.lease_token)
