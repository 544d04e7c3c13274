"""Live updates: what changed, told to every open page that may know of it.

A change notifies PostgreSQL in its own transaction; one listening thread per
web process passes it to the pages' queues. Events carry ids and states only;
what else a page is told of them is looked up for who may see it (`live`).
"""

import asyncio
import json
import logging
import threading
from collections import Counter
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from uuid import UUID

import psycopg
from sqlalchemy.orm import Session

from storage.database import Database, notify
from storage.hearing import Hearing

CHANNEL: Final = "rdc_events"
PAGES_MAX: Final = 24
"""Pages of one person that one web process tells of changes.

Each costs a connection, and a program that opens them without end would take everybody's.
"""
_QUEUE_SIZE: Final = 200
_RETRY_SECONDS: Final = 1.0
_WAIT_SECONDS: Final = 1.0
# What follows a change within this time is told together: a hundred exams given to a reader wake
# each of hundreds of pages a few times, and not a hundred times.
_GATHER_SECONDS: Final = 0.03

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Event:
    """A change at one site; `kind` is the SSE event name, `data` its JSON body.

    person_id: somebody who is told although the site is not his, such as the expert of a
        consultation.
    """

    kind: str
    site_id: UUID
    data: dict[str, Any]
    person_id: UUID | None = None


Batch: TypeAlias = tuple[Event, ...]
"""Changes that are told together, in the order in which they were committed."""

_Queue: TypeAlias = "asyncio.Queue[Batch | None]"


def publish(session: Session, event: Event) -> None:
    """Tell all web processes of `event` when the caller's transaction commits."""
    notify(
        session,
        CHANNEL,
        json.dumps(
            {
                "kind": event.kind,
                "site_id": str(event.site_id),
                "data": event.data,
                "person_id": str(event.person_id) if event.person_id else None,
            }
        ),
    )


class EventHub:
    """Passes notifications to subscribed pages.

    A page that does not keep up loses the oldest batches.
    """

    def __init__(self, database: Database) -> None:
        """Prepare the hub; `start` begins to listen."""
        self._database = database
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._hearing: Hearing | None = None
        self._subscribers: set[tuple[asyncio.AbstractEventLoop, _Queue]] = set()
        self._lock = threading.Lock()
        self._pages: Counter[UUID] = Counter()

    def start(self) -> None:
        """Begin to listen in a thread of its own."""
        hearing = self._hearing = Hearing()
        self._thread = threading.Thread(
            target=self._listen, args=(hearing,), name="event-hub", daemon=True
        )
        self._thread.start()

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stop.is_set()

    def stop(self) -> None:
        """End every subscriber's stream with None and stop listening.

        Returns when the thread has ended.
        """
        self._stop.set()
        self._offer_all(None)
        if self._hearing is not None:
            self._hearing.end()
        if self._thread is not None:
            self._thread.join()

    def pages_of(self, person_id: UUID) -> int:
        """Return how many pages of a person are told of changes by this process."""
        with self._lock:
            return self._pages[person_id]

    @asynccontextmanager
    async def subscribe(self, person_id: UUID | None = None) -> AsyncGenerator[_Queue]:
        """Yield a queue that receives every batch from now on, and None when the hub stops.

        person_id: whose page it is; None for what is nobody's.
        """
        queue: _Queue = asyncio.Queue(_QUEUE_SIZE)
        entry = (asyncio.get_running_loop(), queue)
        with self._lock:
            self._subscribers.add(entry)
            if person_id is not None:
                self._pages[person_id] += 1
        try:
            yield queue
        finally:
            with self._lock:
                self._subscribers.discard(entry)
                if person_id is not None:
                    self._pages[person_id] -= 1
                    # Zero counts go, or the table would grow with everybody who was ever here.
                    self._pages = +self._pages

    def _listen(self, hearing: Hearing) -> None:
        with closing(hearing):
            while not self._stop.is_set():
                try:
                    self._listen_once(hearing)
                except psycopg.OperationalError:
                    _log.warning("event listener lost the database; trying again")
                    self._stop.wait(_RETRY_SECONDS)

    def _listen_once(self, hearing: Hearing) -> None:
        """Listen over one connection, until it is lost or the hub stops."""
        with self._database.listen(CHANNEL) as connection:
            while not self._stop.is_set():
                told = hearing.news(connection, _WAIT_SECONDS)
                if batch := tuple(_event(one.payload) for one in told):
                    self._offer_all(batch)
                    self._stop.wait(_GATHER_SECONDS)

    def _offer_all(self, batch: Batch | None) -> None:
        with self._lock:
            subscribers = list(self._subscribers)
        # Woken once for each loop: for each page it would be a system call.
        by_loop: dict[asyncio.AbstractEventLoop, list[_Queue]] = {}
        for loop, queue in subscribers:
            by_loop.setdefault(loop, []).append(queue)
        for loop, queues in by_loop.items():
            loop.call_soon_threadsafe(_offer, queues, batch)


def _event(payload: str) -> Event:
    body = json.loads(payload)
    person = body.get("person_id")
    return Event(
        kind=body["kind"],
        site_id=UUID(body["site_id"]),
        data=body["data"],
        person_id=UUID(person) if person else None,
    )


def _offer(queues: Collection[_Queue], batch: Batch | None) -> None:
    for queue in queues:
        if queue.full():
            queue.get_nowait()
        queue.put_nowait(batch)
