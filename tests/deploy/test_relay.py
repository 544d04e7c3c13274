"""The relay against a real PostgreSQL and a real broker that comes and goes."""

import signal
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from deploy.celery_app import MESSAGES, RETURNS, Wakeups
from deploy.embedded.valkey import EmbeddedValkey
from deploy.relay import Relay, Work
from storage import outbox
from storage.database import Database, as_owner, notify
from storage.deliveries import CHANNEL as DELIVERY_CHANNEL
from storage.messages import ReportDelivered
from storage.outbox import OutboxMessage
from tests.deploy.servers import eventually


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(tmp_path / "valkey") as server:
        yield server


class Deliveries:
    """Stands where the gateway's table of deliveries is: ids that are due once."""

    def __init__(self) -> None:
        self.due: list[UUID] = []
        self.looks = 0

    def take(self, _session: Session, limit: int) -> Sequence[UUID]:
        self.looks += 1
        taken, self.due = self.due[:limit], self.due[limit:]
        return taken


@contextmanager
def running(
    database: Database, url: str, deliveries: Deliveries, ticks: list[float]
) -> Generator[None]:
    stop, ready = threading.Event(), threading.Event()
    wakeups = Wakeups(url)
    relay = Relay(
        database,
        wakeups,
        work=(Work(DELIVERY_CHANNEL, deliveries.take, wakeups.destination),),
        tick=lambda _: ticks.append(time.monotonic()),
    )
    thread = threading.Thread(target=relay.run, args=(stop,), kwargs={"ready": ready.set})
    thread.start()
    try:
        assert ready.wait(60)
        yield
    finally:
        stop.set()
        with database.transaction() as session:
            notify(session, outbox.CHANNEL)
        thread.join()


def message() -> ReportDelivered:
    return ReportDelivered(
        delivery_id=uuid4(),
        report_version_id=uuid4(),
        workitem_id=uuid4(),
        destination_id=uuid4(),
        delivered_at=datetime.now(UTC),
    )


def emit(database: Database, count: int = 1) -> None:
    with database.transaction() as session:
        for _ in range(count):
            outbox.emit(session, message())


def leases(database: Database) -> int:
    with database.transaction() as session:
        return len(
            session.scalars(
                select(OutboxMessage.id).where(OutboxMessage.lease_token.is_not(None))
            ).all()
        )


def test_a_message_is_on_its_way_at_once(
    database: Database, broker: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It looks by itself too late for the wait below: what comes in time came by notification.
    monkeypatch.setattr("deploy.relay.LOOK_SECONDS", 100.0)
    wakeups = Wakeups(broker.url)
    wakeups.check()
    ticks: list[float] = []
    with running(database, broker.url, Deliveries(), ticks):
        assert eventually(lambda: bool(ticks))
        for number in range(1, 11):
            emit(database)
            assert eventually(lambda n=number: wakeups.waiting()[MESSAGES] == n), wakeups.waiting()
        assert leases(database) == 10


def test_news_of_one_kind_is_no_reason_to_look_for_another(
    database: Database, broker: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.relay.LOOK_SECONDS", 100.0)
    wakeups = Wakeups(broker.url)
    wakeups.check()
    deliveries = Deliveries()
    with running(database, broker.url, deliveries, []):
        assert eventually(lambda: deliveries.looks == 1)
        for _ in range(20):
            emit(database)
        assert eventually(lambda: wakeups.waiting()[MESSAGES] == 20), wakeups.waiting()
        assert deliveries.looks == 1
        with database.transaction() as session:
            notify(session, DELIVERY_CHANNEL)
        assert eventually(lambda: deliveries.looks == 2)


def test_more_than_a_batch(database: Database, broker: EmbeddedValkey) -> None:
    emit(database, 250)
    with running(database, broker.url, Deliveries(), []):
        assert eventually(lambda: Wakeups(broker.url).waiting()[MESSAGES] == 250)


def test_due_deliveries_have_their_own_queue(database: Database, broker: EmbeddedValkey) -> None:
    deliveries = Deliveries()
    with running(database, broker.url, deliveries, []):
        deliveries.due = [uuid4(), uuid4()]
        with database.transaction() as session:
            notify(session, DELIVERY_CHANNEL)
        assert eventually(lambda: Wakeups(broker.url).waiting()[RETURNS] == 2)


def test_nothing_is_lost_while_the_broker_is_away(
    database: Database, broker: EmbeddedValkey
) -> None:
    with running(database, broker.url, Deliveries(), []):
        broker.process.send_signal(signal.SIGKILL)
        assert eventually(lambda: broker.crashed)
        emit(database, 3)
        # The relay has noticed when what it leased is given back.
        assert eventually(lambda: leases(database) == 0)
        broker.start()
        assert eventually(lambda: Wakeups(broker.url).waiting()[MESSAGES] == 3)
        assert leases(database) == 3


def test_a_failing_duty_of_the_clock_stops_no_message(
    database: Database, broker: EmbeddedValkey
) -> None:
    class Refusing(list[float]):
        def append(self, _value: float, /) -> None:
            raise ValueError

    with running(database, broker.url, Deliveries(), Refusing()):
        emit(database)
        assert eventually(lambda: Wakeups(broker.url).waiting()[MESSAGES] == 1)


def test_it_comes_back_after_losing_the_database(
    database: Database, broker: EmbeddedValkey
) -> None:
    with running(database, broker.url, Deliveries(), []):
        with database.transaction() as session:
            as_owner(session)
            session.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        emit(database)
        assert eventually(lambda: Wakeups(broker.url).waiting()[MESSAGES] == 1)


def test_one_of_two_relays_has_the_clock_and_the_other_takes_it_over(
    database: Database, broker: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.relay.TICK_SECONDS", 0.1)
    monkeypatch.setattr("deploy.relay.LOOK_SECONDS", 0.05)
    first: list[float] = []
    second: list[float] = []
    with running(database, broker.url, Deliveries(), second):
        assert eventually(lambda: len(second) > 1)
        with running(database, broker.url, Deliveries(), first):
            seen = len(second)
            assert eventually(lambda: len(second) > seen + 3)
            assert not first
            # It falls silent, as without its cable, and its lease ends.
            with database.transaction() as session:
                session.execute(text("UPDATE lease SET holder = gen_random_uuid()"))
            before = len(second)
            with database.transaction() as session:
                session.execute(text("UPDATE lease SET held_until = now()"))
            assert eventually(lambda: len(first) + len(second) > before)


def test_a_relay_that_ends_leaves_the_clock_at_once(
    database: Database, broker: EmbeddedValkey
) -> None:
    ticks: list[float] = []
    with running(database, broker.url, Deliveries(), ticks):
        assert eventually(lambda: bool(ticks))
    with database.transaction() as session:
        assert session.execute(text("SELECT FROM lease")).all() == []
