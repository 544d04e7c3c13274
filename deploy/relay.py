"""The clock of the system: the one process that turns due rows into work for the workers.

It listens for PostgreSQL's notifications, so that a message is on its way a few
milliseconds after its transaction committed, and looks by itself every second,
so that nothing depends on a notification. Several relays may run; leases keep
them from doing each other's work. Database or broker may go away and come back.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

import psycopg
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from deploy.celery_app import BrokerUnavailable, Wakeups
from storage import deliveries, outbox
from storage.database import Database

LOOK_SECONDS: Final = 1.0
TICK_SECONDS: Final = 5.0
BATCH: Final = 100
FIRST_BACK_OFF: Final = 0.2
LONGEST_BACK_OFF: Final = 5.0

_log = logging.getLogger(__name__)

DueDeliveries = Callable[[Session, int], Sequence[UUID]]


class BackOff:
    """Growing pauses while something stays away."""

    def __init__(self) -> None:
        self._seconds = 0.0

    @property
    def waiting(self) -> bool:
        """Whether the last try failed."""
        return self._seconds > 0

    def failed(self) -> float:
        """Note a failure; return the seconds to wait before the next try."""
        self._seconds = min(max(self._seconds * 2, FIRST_BACK_OFF), LONGEST_BACK_OFF)
        return self._seconds

    def succeeded(self) -> bool:
        """Note a success; return whether it ended a row of failures."""
        ended = self.waiting
        self._seconds = 0.0
        return ended


class Relay:
    """Sends leased messages and due deliveries to the broker and calls the clock functions.

    due_deliveries: leases and returns deliveries to be attempted now.
    tick: what else the clock does, every five seconds.
    """

    def __init__(
        self,
        database: Database,
        wakeups: Wakeups,
        *,
        due_deliveries: DueDeliveries,
        tick: Callable[[Database], object],
    ) -> None:
        self._database = database
        self._wakeups = wakeups
        self._due_deliveries = due_deliveries
        self._tick = tick
        self._next_tick = 0.0
        self._broker_back_off = BackOff()
        self._database_back_off = BackOff()

    def run(self, stop: threading.Event, *, ready: Callable[[], None]) -> None:
        """Work until `stop` is set; `ready` is called whenever the database is listened to."""
        while not stop.is_set():
            try:
                with self._database.listen(outbox.CHANNEL, deliveries.CHANNEL) as connection:
                    if self._database_back_off.succeeded():
                        _log.info("the database answers again")
                    ready()
                    while not stop.is_set():
                        wait = self._step()
                        if self._broker_back_off.waiting:
                            # Notifications would only wake us to find the broker still away.
                            stop.wait(wait)
                            continue
                        for _ in connection.notifies(timeout=wait, stop_after=1):
                            pass
            except (psycopg.Error, SQLAlchemyError) as error:
                wait = self._database_back_off.failed()
                _log.warning(
                    "the database does not answer",
                    extra={"why": type(error).__name__, "wait": wait},
                )
                stop.wait(wait)

    def _step(self) -> float:
        """Do what is due now; return for how many seconds nothing else is expected."""
        if time.monotonic() >= self._next_tick:
            self._do_tick()
            self._next_tick = time.monotonic() + TICK_SECONDS
        try:
            self._connect_again()
            more = self._send_messages() + self._send_deliveries()
        except BrokerUnavailable as error:
            wait = self._broker_back_off.failed()
            _log.warning(
                "the broker does not answer; nothing is lost",
                extra={"why": error.found, "wait": wait},
            )
            return wait
        return 0.0 if more else LOOK_SECONDS

    def _do_tick(self) -> None:
        """Call the clock functions; a fault in one of them must not stop the messages."""
        try:
            self._tick(self._database)
        except (psycopg.Error, SQLAlchemyError):
            raise
        except Exception:  # noqa: BLE001 - whatever it is, the clock goes on
            _log.exception("a duty of the clock failed; it is tried again")

    def _connect_again(self) -> None:
        """After a failure, make sure of the broker before any row is leased for it."""
        if not self._broker_back_off.waiting:
            return
        self._wakeups.check()
        self._broker_back_off.succeeded()
        _log.info("the broker answers again")

    def _send_messages(self) -> bool:
        """Send a batch of due messages; True when more may wait."""
        with self._database.transaction() as session:
            leased = outbox.lease_due(session, limit=BATCH)
        for number, item in enumerate(leased):
            try:
                self._wakeups.message(item)
            except BrokerUnavailable:
                with self._database.transaction() as session:
                    outbox.release(session, leased[number:])
                raise
        return len(leased) == BATCH

    def _send_deliveries(self) -> bool:
        """Send a batch of due deliveries; True when more may wait."""
        with self._database.transaction() as session:
            found = self._due_deliveries(session, BATCH)
        for delivery_id in found:
            self._wakeups.delivery(delivery_id)
        return len(found) == BATCH
