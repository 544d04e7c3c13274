"""A message is handled once with its effects, comes back after a loss.

And is parked rather than dropped.
"""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from storage import outbox
from storage.audit import AuditRecord, record, system_actor
from storage.clock import utc_now
from storage.database import Database
from storage.messages import OrderChanged
from storage.outbox import OutboxMessage

MESSAGE = OrderChanged(order_id=uuid4(), site_id=uuid4(), revision=1)


def emit_and_lease(database: Database, lease_seconds: float = 60) -> outbox.LeasedMessage:
    with database.transaction() as session:
        outbox.emit(session, MESSAGE)
    with database.transaction() as session:
        (leased,) = outbox.lease_due(session, lease_seconds=lease_seconds)
    return leased


def note(session: Session, message: OrderChanged) -> None:
    record(
        session,
        system_actor("test"),
        "test:handled",
        subject_kind="order",
        subject_id=message.order_id,
    )


def fail(session: Session, message: OrderChanged) -> None:
    note(session, message)
    error = "the handler's own trouble"
    raise RuntimeError(error)


def audited(database: Database) -> int:
    with database.transaction() as session:
        return len(session.scalars(select(AuditRecord)).all())


def test_a_message_is_handled_once_with_its_effects(database: Database) -> None:
    leased = emit_and_lease(database)
    assert outbox.handle(database, leased.id, leased.lease_token, {OrderChanged: note})
    assert outbox.handle(database, leased.id, leased.lease_token, {OrderChanged: note})
    assert audited(database) == 1


def test_nothing_is_told_of_a_change_that_was_rolled_back(database: Database) -> None:
    def change_and_fail() -> None:
        with database.transaction() as session:
            outbox.emit(session, MESSAGE)
            error = "rolled back"
            raise RuntimeError(error)

    with pytest.raises(RuntimeError):
        change_and_fail()
    with database.transaction() as session:
        assert outbox.lease_due(session) == []


def test_a_leased_message_is_not_given_out_again_before_its_lease_ends(database: Database) -> None:
    emit_and_lease(database)
    with database.transaction() as session:
        assert outbox.lease_due(session) == []


def test_a_lost_message_comes_back_and_the_late_worker_changes_nothing(database: Database) -> None:
    lost = emit_and_lease(database, lease_seconds=0)
    with database.transaction() as session:
        (again,) = outbox.lease_due(session)
    assert not outbox.handle(database, lost.id, lost.lease_token, {OrderChanged: note})
    assert outbox.handle(database, again.id, again.lease_token, {OrderChanged: note})
    assert audited(database) == 1


def test_a_failing_handler_leaves_no_effect_and_is_tried_later(database: Database) -> None:
    leased = emit_and_lease(database)
    assert not outbox.handle(database, leased.id, leased.lease_token, {OrderChanged: fail})
    assert audited(database) == 0
    with database.transaction() as session:
        row = session.get_one(OutboxMessage, leased.id)
        assert row.attempts == 1
        assert row.available_at > utc_now()
        assert row.last_error == "RuntimeError: the handler's own trouble"


def test_what_keeps_failing_is_parked_and_can_be_released(database: Database) -> None:
    leased = emit_and_lease(database)
    with database.transaction() as session:
        session.execute(update(OutboxMessage).values(attempts=outbox.PARK_AFTER - 1))
    assert not outbox.handle(database, leased.id, leased.lease_token, {})
    with database.transaction() as session:
        assert outbox.counts(session) == outbox.OutboxCounts(pending=0, parked=1)
        session.execute(update(OutboxMessage).values(available_at=utc_now() - timedelta(hours=1)))
    with database.transaction() as session:
        assert outbox.lease_due(session) == []
        assert outbox.unpark(session, leased.id)
    with database.transaction() as session:
        (again,) = outbox.lease_due(session)
    assert outbox.handle(database, again.id, again.lease_token, {OrderChanged: note})


def test_the_relay_is_woken_by_the_commit(database: Database) -> None:
    with database.listen(outbox.CHANNEL) as connection:
        with database.transaction() as session:
            outbox.emit(session, MESSAGE)
        assert [n.channel for n in connection.notifies(timeout=5, stop_after=1)] == [outbox.CHANNEL]


def test_back_off_grows_to_its_cap() -> None:
    waits = [outbox.backoff_seconds(n, base=1, cap=100) for n in range(1, 40)]
    assert all(
        0.8 * 2 ** (n - 1) <= wait <= 1.2 * 2 ** (n - 1)
        for n, wait in enumerate(waits[:6], start=1)
    )
    assert max(waits) <= 120
