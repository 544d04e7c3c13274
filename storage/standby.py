"""Reads at a standby of the database, where that cannot be told from reading the primary.

A standby is a moment behind. How far may be harmless for one page, and is not for the next: who
signs and looks at his list, who hears on the telephone that a report is out, a page that is told of
a change and asks for the line. So no reader is given anything old here. Each transaction asks the
primary how far its log is, and takes the standby only when that has replayed as much
(PostgreSQL 18, §26.4; `pg_last_wal_replay_lsn`): everything that was committed anywhere before the
transaction began is seen by it, as at the primary. A standby that is a few milliseconds behind is
waited for; one that is further behind, away, or another server than it should be is not asked, and
the primary answers.

That costs the primary one tiny question for each transaction. It pays for searches, lists and
counts, and not for looking up a row.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.exc import DataError, SQLAlchemyError
from sqlalchemy.orm import Session
from typing_extensions import override

from storage import metering
from storage.database import Database

LOOK_SECONDS: Final = 1.0
"""Between two looks at how the standby is doing."""

# Of a standby in the same room the log of a commit is replayed within 1 to 5 ms.
_WAITS: Final = (0.0, 0.001, 0.002, 0.004, 0.008)
_SAMPLES: Final = 3600

# What is visible at the primary has been written to disk there, unless commits do not wait for it.
_POSITION: Final = text(
    "SELECT (CASE current_setting('synchronous_commit') WHEN 'off'"
    " THEN pg_current_wal_insert_lsn() ELSE pg_current_wal_flush_lsn() END)::text,"
    " ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int,"
    " system_identifier FROM pg_control_system()"
)
# The same cluster, in recovery, and of the same history: after a failover, a standby that still
# follows the primary of before may be ahead, with commits that no longer count.
_ANSWER: Final = text(
    "SELECT pg_is_in_recovery() AND s.system_identifier = :system"
    " AND greatest(c.timeline_id, r.min_recovery_end_timeline) = :timeline,"
    " coalesce(pg_last_wal_replay_lsn() >= CAST(:lsn AS pg_lsn), false)"
    " FROM pg_control_system() s, pg_control_checkpoint() c, pg_control_recovery() r"
)

_log = logging.getLogger(__name__)


class StandbyState(StrEnum):
    """How a standby is doing.

    FIT: it replays what the primary writes. BEHIND: it does, or did, but not what was written a
    look ago. AWAY: it does not answer. FOREIGN: it is no standby of this primary, or not any more.
    """

    FIT = "fit"
    BEHIND = "behind"
    AWAY = "away"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Position:
    """How far the primary's log is.

    lsn: everything visible was written before it. timeline: of the log; a promoted server begins a
        new one. system: the identifier that a cluster and its standbys share.
    """

    lsn: str
    timeline: int
    system: int


@dataclass(slots=True)
class Attempt:
    """Whether a standby failed somebody in the middle of his work, who then begins it again."""

    failed: bool = False


_attempt: Final[ContextVar[Attempt | None]] = ContextVar("rdc_standby_attempt", default=None)


@contextmanager
def attempt() -> Generator[Attempt]:
    """Let the block know when a standby fails in it; from then on it is at the primary."""
    made = Attempt()
    before = _attempt.set(made)
    try:
        yield made
    finally:
        _attempt.reset(before)


class StandbyReads(Database):
    """A database whose transactions read: at a standby when it knows all, else at the primary.

    What is written through it is refused (SQLSTATE 25006). Sites are kept apart as in `Database`.
    """

    def __init__(
        self, primary: Database, url: str, *, pool_size: int = 10, time_zone: str = "UTC"
    ) -> None:
        """Prepare the pool without connecting, and begin to watch; see `Database`.

        Make it after forking. Until the first look, the primary answers.
        """
        super().__init__(url, pool_size=pool_size, time_zone=time_zone, reads_only=True)
        self._primary = primary
        self.watch = Watch(primary, url)

    @override
    @contextmanager
    def transaction(self) -> Generator[Session]:
        """Open a transaction that sees everything committed before it began."""
        with ExitStack() as held:
            found = self._transaction_there(held)
            if found is None:
                yield held.enter_context(self._primary.transaction())
                return
            with self._noticed():
                yield found

    @override
    @contextmanager
    def reading(self) -> Generator[Connection]:
        """Open a connection for a few queries; each sees what was committed before this call."""
        with ExitStack() as held:
            found = self._reading_there(held)
            if found is None:
                yield held.enter_context(self._primary.reading())
                return
            with self._noticed():
                yield found

    @override
    @contextmanager
    def listen(self, *channels: str) -> Generator[psycopg.Connection[Any]]:
        """Listen at the primary: a standby is told nothing (PostgreSQL 18, §26.4.1)."""
        with self._primary.listen(*channels) as connection:
            yield connection

    @override
    def close(self) -> None:
        """Stop watching, and close every idle connection to the standby."""
        self.watch.stop()
        super().close()

    def _transaction_there(self, held: ExitStack) -> Session | None:
        position = self._position()
        if position is None:
            return None
        with ExitStack() as tried:
            try:
                session = tried.enter_context(super().transaction())
                if self._knows(session, position):
                    held.push(tried.pop_all())
                    return session
            except SQLAlchemyError as error:
                _count("primary", StandbyState.AWAY)
                self._doubt(error)
        return None

    def _reading_there(self, held: ExitStack) -> Connection | None:
        position = self._position()
        if position is None:
            return None
        with ExitStack() as tried:
            try:
                connection = tried.enter_context(super().reading())
                if self._knows(connection, position):
                    held.push(tried.pop_all())
                    return connection
            except SQLAlchemyError as error:
                _count("primary", StandbyState.AWAY)
                self._doubt(error)
        return None

    def _position(self) -> Position | None:
        """Return what the standby has to know; None when it shall not be asked at all."""
        tried = _attempt.get()
        state = self.watch.state
        if (tried is not None and tried.failed) or state is not StandbyState.FIT:
            _count("primary", state if state is not StandbyState.FIT else StandbyState.AWAY)
            return None
        return position_of(self._primary)

    def _knows(self, asked: Session | Connection, position: Position) -> bool:
        for pause in _WAITS:
            if pause:
                time.sleep(pause)
            is_ours, is_there = compare(asked, position)
            if not is_ours:
                # Its address may lead to another server by now; only a new connection finds that.
                asked.invalidate()
                _count("primary", StandbyState.FOREIGN)
                return False
            if is_there:
                _count("standby", StandbyState.FIT)
                return True
        _count("primary", StandbyState.BEHIND)
        return False

    @contextmanager
    def _noticed(self) -> Generator[None]:
        """Let who works at the standby know when it was the standby that failed him."""
        try:
            yield
        except DataError:
            # A value that no server takes.
            raise
        except SQLAlchemyError as error:
            self._doubt(error)
            tried = _attempt.get()
            if tried is not None:
                tried.failed = True
            raise

    def _doubt(self, error: SQLAlchemyError) -> None:
        self.watch.doubt()
        _log.warning("a read at the standby failed", extra={"error": type(error).__name__})


class Watch:
    """Looks at a standby once a second, so that nobody's request finds out that it is away."""

    def __init__(self, primary: Database, url: str) -> None:
        """Begin to look, in a thread of its own."""
        self._primary = primary
        self._standby = Database(url, pool_size=1, reads_only=True)
        self._state = StandbyState.AWAY
        self._stop = threading.Event()
        # Positions that it had not replayed when they were looked up, each with that moment.
        self._unreplayed: deque[tuple[float, Position]] = deque()
        self._thread = threading.Thread(target=self._run, name="standby-watch", daemon=True)
        self._thread.start()

    @property
    def state(self) -> StandbyState:
        """How the standby did when it was last looked at, or failed somebody since."""
        return self._state

    def doubt(self) -> None:
        """Have nobody sent there before it was looked at again."""
        self._state = StandbyState.AWAY

    def stop(self) -> None:
        """Look no more; returns when the last look is over."""
        self._stop.set()
        self._thread.join()
        self._standby.close()

    def _run(self) -> None:
        told: StandbyState | None = None
        while not self._stop.is_set():
            found = self._state = self._look()
            metering.put("rdc_standby_fit", float(found is StandbyState.FIT))
            if found is not told:
                _log.info("standby", extra={"state": found.value})
            told = found
            self._stop.wait(LOOK_SECONDS)

    def _look(self) -> StandbyState:
        now = time.monotonic()
        try:
            self._note(now, position_of(self._primary))
        except SQLAlchemyError:
            # Without the primary nobody is signed in, either.
            return StandbyState.AWAY
        try:
            with self._standby.reading() as connection:
                state = self._compared(connection)
        except SQLAlchemyError:
            state = StandbyState.AWAY
        if state is StandbyState.FOREIGN:
            # After a failover it is the primary, and the standby is to be found at the next look.
            self._standby.close()
        lag = now - self._unreplayed[0][0] if self._unreplayed else 0.0
        metering.put("rdc_standby_lag_seconds", lag)
        return StandbyState.BEHIND if state is StandbyState.FIT and lag > 0 else state

    def _note(self, now: float, position: Position) -> None:
        since = now
        if self._unreplayed and self._unreplayed[0][1].timeline != position.timeline:
            # After a failover nobody can say any more what of the history before was replayed.
            since = self._unreplayed[0][0]
            self._unreplayed.clear()
        newest = self._unreplayed[-1][1] if self._unreplayed else None
        if newest != position and len(self._unreplayed) < _SAMPLES:
            self._unreplayed.append((since, position))

    def _compared(self, connection: Connection) -> StandbyState:
        """Forget what the standby has replayed; tell whether it is one of ours."""
        while self._unreplayed:
            is_ours, is_there = compare(connection, self._unreplayed[0][1])
            if not is_ours:
                return StandbyState.FOREIGN
            if not is_there:
                break
            self._unreplayed.popleft()
        return StandbyState.FIT


def position_of(primary: Database) -> Position:
    """Return how far a primary's log is now; everything visible there lies before it."""
    with primary.reading() as connection:
        lsn, timeline, system = connection.execute(_POSITION).one()
    return Position(lsn, timeline, system)


def compare(standby: Session | Connection, position: Position) -> tuple[bool, bool]:
    """Tell whether a server is a standby of the position's primary, and has replayed so much."""
    is_ours, is_there = standby.execute(
        _ANSWER,
        {"lsn": position.lsn, "timeline": position.timeline, "system": position.system},
    ).one()
    return is_ours, is_there


def standing_of(primary: Database, url: str, *, patience: float) -> tuple[StandbyState, float]:
    """Look once how a standby is doing; return that, and after how many seconds it knew all.

    patience: so many seconds it may take to replay what the primary knows now.
    """
    began = time.monotonic()
    standby = Database(url, pool_size=1, reads_only=True)
    try:
        position = position_of(primary)
        with standby.reading() as connection:
            while True:
                is_ours, is_there = compare(connection, position)
                passed = time.monotonic() - began
                if not is_ours:
                    return StandbyState.FOREIGN, passed
                if is_there or passed > patience:
                    return StandbyState.FIT if is_there else StandbyState.BEHIND, passed
                time.sleep(_WAITS[-1])
    except SQLAlchemyError:
        return StandbyState.AWAY, time.monotonic() - began
    finally:
        standby.close()


def _count(server: str, state: StandbyState) -> None:
    metering.count("rdc_standby_reads_total", server, state.value)
