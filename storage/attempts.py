"""What has to be tried until it succeeds: a row with its lease and its next time.

The row is the truth. Whoever works on it takes a lease in one transaction,
works outside any transaction, and writes what came of it in another. A process
that dies in between leaves a lease that runs out.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.clock import utc_now
from storage.outbox import backoff_seconds

# Between "due" and the start of the attempt a message travels through the broker; it may get lost.
_DISPATCH_SECONDS: Final = 30.0
_ERROR_LENGTH: Final = 500


class Attempted:
    """Columns of a table whose rows are tried again and again.

    attempts: how many have ended without success or are running.
    lease_token, leased_until: who is at it now; when the lease has passed, another may.
    """

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=func.now())
    lease_token: Mapped[UUID | None]
    leased_until: Mapped[datetime | None]
    last_error: Mapped[str | None]


Row = TypeVar("Row", bound=Attempted)


def due(
    session: Session, table: type[Attempted], is_open: ColumnElement[bool], limit: int
) -> Sequence[UUID]:
    """Return the ids of rows whose time has come, oldest first; each again in half a minute.

    is_open: which rows are still to be tried. Several processes may call this at once.
    """
    now = utc_now()
    rows = session.scalars(
        select(table)
        .where(
            is_open,
            table.next_attempt_at <= now,
            or_(table.leased_until.is_(None), table.leased_until <= now),
        )
        .order_by(table.next_attempt_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.lease_token = None
        row.leased_until = now + timedelta(seconds=_DISPATCH_SECONDS)
    return [row.id for row in rows]


def take(session: Session, table: type[Row], row_id: UUID, lease_seconds: float) -> Row | None:
    """Lock and lease a row; None when it is gone or somebody is at it.

    `due` leaves no token: a row that only waits to be attempted is free.
    """
    now = utc_now()
    row = session.get(table, row_id, with_for_update=True)
    if row is None:
        return None
    if row.lease_token is not None and row.leased_until is not None and row.leased_until > now:
        return None
    row.lease_token = uuid4()
    row.leased_until = now + timedelta(seconds=lease_seconds)
    return row


def give_back(row: Attempted, *, after_seconds: float) -> None:
    """End a lease without counting an attempt; the next time is so many seconds from now."""
    row.lease_token = None
    row.leased_until = None
    row.next_attempt_at = utc_now() + timedelta(seconds=after_seconds)


def failed(row: Attempted, error: str, *, first_seconds: float, longest_seconds: float) -> None:
    """Count an attempt that failed and put the next one off, doubling from first to longest."""
    row.attempts += 1
    row.last_error = error[:_ERROR_LENGTH]
    give_back(
        row,
        after_seconds=backoff_seconds(row.attempts, base=first_seconds, cap=longest_seconds),
    )


def succeeded(row: Attempted) -> None:
    """End the lease of a row that needs no further attempt."""
    row.lease_token = None
    row.leased_until = None
    row.last_error = None
