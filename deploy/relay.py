"""The clock of the system: the one process that turns due rows into work for the workers.

It listens for PostgreSQL's notifications, so that a message is on its way a few
milliseconds after its transaction committed, and looks by itself every second,
so that nothing depends on a notification. Several relays may run: leases on rows
keep them from sending each other's, and one of them has the lease on the clock's
own duties, until it ends or falls silent. Database or broker may go away and come
back.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from deploy.celery_app import BrokerUnavailable, Wakeups
from storage import outbox
from storage.database import Database
from storage.leases import Candidate

LOOK_SECONDS: Final = 1.0
TICK_SECONDS: Final = 5.0
BATCH: Final = 100
FIRST_BACK_OFF: Final = 0.2
LONGEST_BACK_OFF: Final = 5.0
CLOCK: Final = "clock"
# Several times the pause between two renewals, which may be late by a slow duty.
CLOCK_LASTS: Final = timedelta(seconds=30)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Work:
    """Rows that become due by themselves, besides messages.

    channel: PostgreSQL's notification that there is a new one. due: takes up to so many ids that
        are due now, each again later. wake: sends one to a worker; may raise BrokerUnavailable.
    alone: only the relay that has the clock does it; rows that are leased need no such care.
    """

    channel: str
    due: Callable[[Session, int], Sequence[UUID]]
    wake: Callable[[UUID], None]
    alone: bool = False


class Regularly:
    """Work that is due by the clock alone, so often; the first time at once.

    Each relay counts for itself: who takes the clock over may do it again too early.
    """

    CHANNEL: Final = "rdc_regularly"
    """Nobody notifies on it."""

    def __init__(self, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Be due every so many seconds of `clock`."""
        self._seconds = seconds
        self._clock = clock
        self._next = clock()

    def __call__(self, _session: Session, _limit: int) -> Sequence[UUID]:
        """Return one new id when it is due, see `Work.due`."""
        now = self._clock()
        if now < self._next:
            return ()
        self._next = now + self._seconds
        return (uuid4(),)


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


def _heard(connection: psycopg.Connection[Any], wait: float) -> set[str]:
    """Return the channels that were notified, as soon as there is one; none after `wait` seconds.

    A hundred notifications are one reason to look, not a hundred.
    """
    heard = {one.channel for one in connection.notifies(timeout=wait, stop_after=1)}
    return heard | {one.channel for one in connection.notifies(timeout=0)}


class Relay:
    """Sends leased messages and other due work to the broker and calls the clock functions.

    tick: what else the clock does, every five seconds, in one relay of all.
    """

    def __init__(
        self,
        database: Database,
        wakeups: Wakeups,
        *,
        work: Sequence[Work],
        tick: Callable[[Database], object],
    ) -> None:
        self._database = database
        self._wakeups = wakeups
        self._work = tuple(work)
        self._tick = tick
        # Messages first: they are what people wait for.
        self._channels = tuple(dict.fromkeys((outbox.CHANNEL, *(one.channel for one in work))))
        self._unfinished: Collection[str] = ()
        self._clock = Candidate(CLOCK, lasts=CLOCK_LASTS)
        self._has_clock = False
        self._next_tick = 0.0
        self._next_look = 0.0
        self._broker_back_off = BackOff()
        self._database_back_off = BackOff()

    def run(self, stop: threading.Event, *, ready: Callable[[], None]) -> None:
        """Work until `stop` is set; `ready` is called whenever the database is listened to."""
        while not stop.is_set():
            try:
                with self._database.listen(*self._channels) as connection:
                    if self._database_back_off.succeeded():
                        _log.info("the database answers again")
                    ready()
                    heard = self._channels
                    while not stop.is_set():
                        wait = self._step(heard)
                        if self._broker_back_off.waiting:
                            # Notifications would only wake us to find the broker still away.
                            stop.wait(wait)
                            heard = self._channels
                            continue
                        heard = {*self._unfinished, *_heard(connection, wait)}
            except (psycopg.Error, SQLAlchemyError) as error:
                wait = self._database_back_off.failed()
                _log.warning(
                    "the database does not answer",
                    extra={"why": type(error).__name__, "wait": wait},
                )
                stop.wait(wait)
        self._give_up_clock()

    def _step(self, heard: Collection[str]) -> float:
        """Do what is due now; return for how many seconds nothing else is expected.

        heard: channels with news; the others are looked at every second all the same.
        """
        if time.monotonic() >= self._next_tick:
            self._do_tick()
            self._next_tick = time.monotonic() + TICK_SECONDS
        if time.monotonic() >= self._next_look:
            heard = self._channels
            self._next_look = time.monotonic() + LOOK_SECONDS
        try:
            self._connect_again()
            self._unfinished = [
                one for one in self._channels if one in heard and self._send_all(one)
            ]
        except BrokerUnavailable as error:
            wait = self._broker_back_off.failed()
            _log.warning(
                "the broker does not answer; nothing is lost",
                extra={"why": error.found, "wait": wait},
            )
            return wait
        return 0.0 if self._unfinished else LOOK_SECONDS

    def _send_all(self, channel: str) -> bool:
        """Send a batch of everything of a channel; True when more may wait."""
        messages = channel == outbox.CHANNEL and self._send_messages()
        works = [self._send(one) for one in self._work if one.channel == channel]
        return messages or any(works)

    def _do_tick(self) -> None:
        """Call the clock functions, if the clock is ours.

        A fault in one of them must not stop the messages.
        """
        with self._database.transaction() as session:
            had, self._has_clock = self._has_clock, self._clock.holds(session)
        if had != self._has_clock:
            _log.info("the clock is %s", "ours" if self._has_clock else "another's")
        if not self._has_clock:
            return
        try:
            self._tick(self._database)
        except (psycopg.Error, SQLAlchemyError):
            raise
        except Exception:  # noqa: BLE001 - whatever it is, the clock goes on
            _log.exception("a duty of the clock failed; it is tried again")

    def _give_up_clock(self) -> None:
        """Let another relay go on at once."""
        try:
            with self._database.transaction() as session:
                self._clock.give_up(session)
        except (psycopg.Error, SQLAlchemyError):
            _log.info("the clock stays ours until the lease ends")

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

    def _send(self, work: Work) -> bool:
        """Send a batch of due rows; True when more may wait."""
        if work.alone and not self._has_clock:
            return False
        with self._database.transaction() as session:
            found = work.due(session, BATCH)
        for one in found:
            work.wake(one)
        return len(found) == BATCH
