"""The transactional outbox: a message is committed with the change it tells of.

The row is the truth; the broker only wakes a worker. A row is leased, handed
to a worker, and handled in the same transaction that marks it handled. What is
lost between (broker, worker, machine) comes back when the lease runs out. A
message that keeps failing is parked for a person, never dropped.
"""

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, TypeAlias
from uuid import UUID, uuid4

from sqlalchemy import Index, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage import metering, tracing
from storage.clock import utc_now
from storage.correlation import correlated
from storage.database import Base, Database, notify
from storage.errors import RdcError
from storage.messages import MESSAGE_TYPES, Message

CHANNEL: Final = "rdc_outbox"
LEASE_SECONDS: Final = 60
PARK_AFTER: Final = 20
_BACKOFF_BASE_SECONDS: Final = 0.5
_BACKOFF_CAP_SECONDS: Final = 300.0
_ERROR_LENGTH: Final = 2000
_SUBJECTS: Final = ("study_id", "workitem_id", "order_id", "delivery_id", "destination_id")

_log = logging.getLogger(__name__)

Handler: TypeAlias = Callable[[Session, Any], None]
Handlers: TypeAlias = Mapping[type[Message], Handler]
Afterwards: TypeAlias = Mapping[type[Message], Callable[[Any], None]]


class OutboxMessage(Base):
    """One message for one consumer."""

    __tablename__ = "outbox_message"
    __table_args__ = (
        Index(
            "ix_outbox_message_due",
            "available_at",
            postgresql_where=text("handled_at IS NULL AND parked_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    consumer: Mapped[str]
    topic: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    available_at: Mapped[datetime] = mapped_column(server_default=func.now())
    attempts: Mapped[int] = mapped_column(server_default="0")
    lease_token: Mapped[UUID | None]
    leased_until: Mapped[datetime | None]
    handled_at: Mapped[datetime | None]
    parked_at: Mapped[datetime | None]
    last_error: Mapped[str | None]


@dataclass(frozen=True, slots=True)
class LeasedMessage:
    """A message handed out for one try, valid while its lease lasts."""

    id: UUID
    consumer: str
    topic: str
    lease_token: UUID


class UnknownTopic(RdcError):
    """A row names a topic or a handler this version of the software does not have."""


def emit(session: Session, message: Message, *, delay: timedelta = timedelta(0)) -> None:
    """Write `message` for each of its consumers in the caller's transaction.

    The relay is woken when it commits.

    delay: how long after the transaction's beginning nobody handles it yet.
    """
    payload = message.model_dump(mode="json")
    for consumer in type(message).consumers:
        session.add(
            OutboxMessage(
                id=uuid4(),
                consumer=consumer,
                topic=type(message).topic,
                payload=payload,
                available_at=func.now() + delay,
            )
        )
    notify(session, CHANNEL)


def lease_due(
    session: Session, *, limit: int = 100, lease_seconds: float = LEASE_SECONDS
) -> Sequence[LeasedMessage]:
    """Lease up to `limit` due messages, oldest first.

    Several relays may call this at once: none gets a row another holds.
    """
    now = utc_now()
    due = session.scalars(
        select(OutboxMessage)
        .where(
            OutboxMessage.handled_at.is_(None),
            OutboxMessage.parked_at.is_(None),
            OutboxMessage.available_at <= now,
            (OutboxMessage.leased_until.is_(None)) | (OutboxMessage.leased_until <= now),
        )
        .order_by(OutboxMessage.available_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    leased: list[LeasedMessage] = []
    for row in due:
        token = uuid4()
        row.lease_token = token
        row.leased_until = now + timedelta(seconds=lease_seconds)
        leased.append(LeasedMessage(row.id, row.consumer, row.topic, token))
    return leased


def release(session: Session, leased: Sequence[LeasedMessage]) -> None:
    """Give leases back at once, for a relay that could not reach the broker."""
    for item in leased:
        session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.id == item.id, OutboxMessage.lease_token == item.lease_token)
            .values(lease_token=None, leased_until=None)
        )


def handle(
    database: Database,
    message_id: UUID,
    lease_token: UUID,
    handlers: Handlers,
    afterwards: Afterwards = MappingProxyType({}),
) -> bool:
    """Run the handler of one leased message; its writes and the mark "handled" commit together.

    Returns whether the message is handled now or was before. A lease that has
    passed to somebody else makes this a no-op. When the handler raises, its
    writes are rolled back, the attempt is counted and the next one is put off
    with exponential back-off; after `PARK_AFTER` attempts the row is parked.

    afterwards: what is done once the message is handled, outside of any
        transaction and without a second try: only what would else be done
        later by whoever needs it.
    """
    with correlated(message_id=message_id):
        return _handle(database, message_id, lease_token, handlers, afterwards)


def _handle(
    database: Database,
    message_id: UUID,
    lease_token: UUID,
    handlers: Handlers,
    afterwards: Afterwards,
) -> bool:
    message: Message | None = None
    began = utc_now()
    try:
        with database.transaction() as session:
            row = session.get(OutboxMessage, message_id, with_for_update=True)
            if row is None or row.handled_at is not None:
                return True
            if row.lease_token != lease_token or row.parked_at is not None:
                return False
            message = _run_handler(session, row, handlers)
            row.handled_at = now = utc_now()
            row.lease_token = None
            row.leased_until = None
            topic, waited = row.topic, (now - row.created_at).total_seconds()
        _trace(message, topic, began)
        metering.count("rdc_messages_handled_total", topic, "handled")
        metering.observe("rdc_message_lag_seconds", waited, topic)
    except Exception as error:  # noqa: BLE001 -- whatever a handler raises is counted and kept
        _log.exception("outbox message failed")
        _put_off(database, message_id, lease_token, error)
        return False
    follow = afterwards.get(type(message))
    if follow is not None:
        try:
            follow(message)
        except Exception:  # noqa: BLE001 -- the message is handled, whatever comes of this
            _log.exception("what follows a message failed")
    return True


def _run_handler(session: Session, row: OutboxMessage, handlers: Handlers) -> Message:
    kind = MESSAGE_TYPES.get(row.topic)
    handler = handlers.get(kind) if kind else None
    if kind is None or handler is None:
        raise UnknownTopic(
            f"no handler for topic {row.topic!r} of consumer {row.consumer!r}",
            remedy="Upgrade the worker, then release the parked message.",
        )
    message = kind.model_validate(row.payload)
    with correlated(topic=row.topic, **_subjects(message)):
        handler(session, message)
    return message


def _trace(message: Message, topic: str, began: datetime) -> None:
    """Add the handling of a message to the trace of the study that it is about."""
    site_id = getattr(message, "site_id", None)
    study = getattr(message, "study_instance_uid", None)
    if site_id is not None and study is not None:
        tracing.note(site_id, study, f"handle {topic}", began, utc_now())


def _subjects(message: Message) -> dict[str, object]:
    """Return the rows that a message is about, for the log."""
    return {name: getattr(message, name) for name in _SUBJECTS if hasattr(message, name)}


def _put_off(database: Database, message_id: UUID, lease_token: UUID, error: Exception) -> None:
    with database.transaction() as session:
        row = session.get(OutboxMessage, message_id, with_for_update=True)
        if row is None or row.lease_token != lease_token or row.handled_at is not None:
            return
        metering.count("rdc_messages_handled_total", row.topic, "failed")
        row.attempts += 1
        row.last_error = f"{type(error).__name__}: {error}"[:_ERROR_LENGTH]
        row.lease_token = None
        row.leased_until = None
        row.available_at = utc_now() + timedelta(seconds=backoff_seconds(row.attempts))
        if row.attempts >= PARK_AFTER:
            row.parked_at = utc_now()


def backoff_seconds(
    attempts: int, *, base: float = _BACKOFF_BASE_SECONDS, cap: float = _BACKOFF_CAP_SECONDS
) -> float:
    """Return how many seconds to wait after the `attempts`-th failure.

    Doubling from `base` to `cap`, with ±20 % jitter, which keeps many messages that failed
    together from coming back together.
    """
    exponent = min(max(attempts - 1, 0), 32)
    return min(cap, base * 2.0**exponent) * random.uniform(0.8, 1.2)  # noqa: S311 -- spreads load, guards nothing


def unpark(session: Session, message_id: UUID) -> bool:
    """Let a parked message be tried again; return whether there was one."""
    row = session.get(OutboxMessage, message_id, with_for_update=True)
    if row is None or row.parked_at is None:
        return False
    row.parked_at = None
    row.attempts = 0
    row.available_at = utc_now()
    notify(session, CHANNEL)
    return True


@dataclass(frozen=True, slots=True)
class OutboxCounts:
    """How many messages wait and how many need a person."""

    pending: int
    parked: int


def counts(session: Session) -> OutboxCounts:
    """Count what is not handled yet."""
    open_rows = select(
        func.count().filter(OutboxMessage.parked_at.is_(None)),
        func.count().filter(OutboxMessage.parked_at.is_not(None)),
    ).where(OutboxMessage.handled_at.is_(None))
    pending, parked = session.execute(open_rows).one()
    return OutboxCounts(pending=pending, parked=parked)
