"""Gauges of the whole system, which the relay asks the database for now and then.

So a scrape costs the database nothing, however many processes are scraped.
"""

import logging
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from deploy.celery_app import QUEUES, BrokerUnavailable
from reading_worklist.workitems.lane import Lane
from reading_worklist.workitems.states import OPEN
from reading_worklist.workitems.tables import Workitem
from storage import metering, outbox
from storage.audit import AuditRecord
from storage.audit_seals import AuditSeal
from storage.clock import utc_now
from storage.database import Database
from storage.deliveries import Delivery
from storage.delivery_states import DeliveryState
from storage.index.tables import Quarantine, Study, StudyState
from storage.outbox import OutboxMessage
from storage.registry import Destination, DestinationKind

EVERY_SECONDS: Final = 15.0
_STATEMENT_MILLISECONDS: Final = 5000
_LATE: Final = timedelta(hours=1)
_ON_THEIR_WAY: Final = (
    DeliveryState.PENDING,
    DeliveryState.IN_PROGRESS,
    DeliveryState.REFUSED,
    DeliveryState.PAUSED,
)

_log = logging.getLogger(__name__)


class Gathering:
    """Asks every fifteen seconds; called more often it does nothing."""

    def __init__(self, waiting: Callable[[], Mapping[str, int]]) -> None:
        """Ask the broker through `waiting`, which gives the tasks of each queue."""
        self._waiting = waiting
        self._next = 0.0

    def __call__(self, database: Database) -> None:
        """Look, when it is time."""
        if not metering.is_enabled() or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + EVERY_SECONDS
        with database.transaction() as session:
            # A count that takes longer tells less than it costs.
            session.execute(text(f"SET LOCAL statement_timeout = {_STATEMENT_MILLISECONDS}"))
            gather(session, utc_now())
        try:
            waiting = self._waiting()
        except BrokerUnavailable:
            return
        for queue in QUEUES:
            metering.put("rdc_queue_messages", waiting.get(queue, 0), queue)


def gather(session: Session, now: datetime) -> None:
    """Set every gauge that the database tells; those of words that no row has are 0."""
    _messages(session, now)
    _worklist(session, now)
    _deliveries(session)
    sealed = session.scalar(select(func.max(AuditSeal.to_id))) or 0
    _at(
        "rdc_audit_unsealed_timestamp_seconds",
        session.scalar(
            select(AuditRecord.at).where(AuditRecord.id > sealed).order_by(AuditRecord.id).limit(1)
        ),
    )
    metering.put("rdc_gathered_timestamp_seconds", now.timestamp())


def _at(name: str, moment: datetime | None, *labels: str) -> None:
    metering.put(name, 0.0 if moment is None else moment.timestamp(), *labels)


def _messages(session: Session, now: datetime) -> None:
    counts = outbox.counts(session)
    metering.put("rdc_outbox_pending", counts.pending)
    metering.put("rdc_outbox_parked", counts.parked)
    _at(
        "rdc_outbox_oldest_timestamp_seconds",
        session.scalar(
            select(func.min(OutboxMessage.created_at)).where(
                OutboxMessage.handled_at.is_(None),
                OutboxMessage.parked_at.is_(None),
                OutboxMessage.available_at <= now,
            )
        ),
    )


def _worklist(session: Session, now: datetime) -> None:
    found = {
        (lane, state): (number, overdue)
        for lane, state, number, overdue in session.execute(
            select(
                Workitem.lane,
                Workitem.state,
                func.count(),
                func.count().filter(Workitem.due_at < now),
            )
            .where(Workitem.state.in_(OPEN))
            .group_by(Workitem.lane, Workitem.state)
        )
    }
    for lane in Lane:
        rows = {state: found.get((lane, state), (0, 0)) for state in sorted(OPEN)}
        for state, (number, _) in rows.items():
            metering.put("rdc_workitems", number, lane.value, state.value)
        overdue = sum(late for _, late in rows.values())
        metering.put("rdc_workitems_overdue", overdue, lane.value)
    late = (
        select(func.count())
        .select_from(Study)
        .where(Study.state == StudyState.RECEIVING, Study.quiet_due_at < now - _LATE)
    )
    metering.put("rdc_studies_late", session.scalar(late) or 0)
    aside = select(func.count()).select_from(Quarantine).where(Quarantine.resolved_at.is_(None))
    metering.put("rdc_quarantined_instances", session.scalar(aside) or 0)


def _deliveries(session: Session) -> None:
    found = {
        (kind, state): (number, oldest)
        for kind, state, number, oldest in session.execute(
            select(Destination.kind, Delivery.state, func.count(), func.min(Delivery.created_at))
            .join(Destination, Destination.id == Delivery.destination_id)
            .where(Delivery.state.in_(_ON_THEIR_WAY))
            .group_by(Destination.kind, Delivery.state)
        )
    }
    for kind in DestinationKind:
        oldest: list[datetime] = []
        for state in _ON_THEIR_WAY:
            number, since = found.get((kind, state), (0, None))
            metering.put("rdc_deliveries", number, kind.value, state.value)
            oldest += [since] if since is not None else []
        _at("rdc_delivery_oldest_timestamp_seconds", min(oldest, default=None), kind.value)
