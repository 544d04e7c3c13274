"""The children of a gateway: a process that receives, and the process that files."""

import gc
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from pacs_gateway.announcements import Announcements
from pacs_gateway.announcer import Announcer
from pacs_gateway.associations.pacing import Rates
from pacs_gateway.completion import CompletionClock
from pacs_gateway.config import GatewayConfig
from pacs_gateway.drain import Drain
from pacs_gateway.inbox import SpoolBusy
from pacs_gateway.processes.control import Channel, Message, Word
from pacs_gateway.rate_sharing import RateSharing
from pacs_gateway.receiver import Receiver
from storage.database import Database
from storage.objects import ObjectStore

# Whoever receives comes first: what is received can wait in the spool.
_FILING_NICENESS: Final = 10
# A batch has some thousand small objects, and lets go of them by itself: to look through them at
# every 700 was a quarter of what filing computed.
_YOUNG_OBJECTS: Final = 10_000
# Without a supervisor nobody waits for us, and a new one may have begun already.
_ORPHAN_GRACE_SECONDS: Final = 1.0
_BUSY_SECONDS: Final = 0.2
_ANSWER_SECONDS: Final = 10.0

_log = logging.getLogger(__name__)

# Called in the child with its name; sets up logging and opens what the child works with.
Open = Callable[[str], AbstractContextManager[tuple[Database, ObjectStore]]]


@dataclass(frozen=True, slots=True)
class ChildParts:
    """What a child needs of its supervisor.

    name: in logs and records.
    """

    name: str
    config: GatewayConfig
    open: Open
    announcements: Announcements
    rates: Rates
    channel: Channel


def receive(parts: ChildParts) -> None:
    """Serve the connections that come over the channel until it says stop or ends."""
    _stop_with(parts.channel)
    supervisor = os.getppid()
    with (
        parts.open(parts.name) as (database, objects),
        Announcer(parts.announcements.announce) as announcer,
    ):
        receiver = Receiver(parts.config, database, objects, announcer.announce, parts.rates)
        receiver.start()
        seats = _Seats(parts.channel)
        parts.channel.send(Message(Word.READY))
        while (message := parts.channel.receive()) and message.word is not Word.STOP:
            if message.word is Word.DISMISS:
                receiver.host.dismiss(message.number)
                continue
            if message.descriptor is None:
                seats.answered(message)
                continue
            connection = socket.socket(fileno=message.descriptor)
            connection.setblocking(True)
            receiver.host.serve(
                message.number,
                connection,
                seats.ticket(message.number),
                secure=message.word is Word.SERVE_TLS,
            )
        # Answers that associations still wait for come no more.
        seats.close()
        orphaned = os.getppid() != supervisor
        receiver.stop(_ORPHAN_GRACE_SECONDS if orphaned else parts.config.stop_grace_seconds)
    _log.info("receiving process ends")


class _Seats:
    """Asks the supervisor for seats on behalf of the associations' threads."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._changed = threading.Condition()
        self._answers: dict[int, bool] = {}
        self._closed = False

    def ticket(self, number: int) -> "_Ticket":
        return _Ticket(self, number)

    def answered(self, message: Message) -> None:
        with self._changed:
            self._answers[message.number] = message.word is Word.SEATED
            self._changed.notify_all()

    def ask(self, number: int, device_id: UUID, limit: int) -> bool:
        with self._changed:
            self._channel.send(Message(Word.SEAT, number, device_id, limit))
            self._changed.wait_for(lambda: self._closed or number in self._answers, _ANSWER_SECONDS)
            return self._answers.pop(number, False)

    def leave(self, number: int) -> None:
        self._channel.send(Message(Word.LEFT, number))

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class _Ticket:
    """See `association.Ticket`."""

    def __init__(self, seats: _Seats, number: int) -> None:
        self._seats = seats
        self._number = number

    def admit(self, device_id: UUID, limit: int) -> bool:
        return self._seats.ask(self._number, device_id, limit)

    def leave(self) -> None:
        self._seats.leave(self._number)


def file(parts: ChildParts) -> None:
    """File what is in the spool, and complete studies, until the channel says stop or ends."""
    _stop_with(parts.channel)
    os.nice(_FILING_NICENESS)
    gc.set_threshold(_YOUNG_OBJECTS)
    with parts.open(parts.name) as (database, objects), ExitStack() as running:
        drain = Drain(parts.announcements, database, objects, parts.config)
        completion = CompletionClock(database)
        sharing = RateSharing(database, parts.rates)
        waited = threading.Event()
        told = False
        while True:
            try:
                drain.start()
                break
            except SpoolBusy:
                # The filing process of a gateway that was killed is about to end.
                if not told:
                    _log.warning("spool is still being filed by another process")
                told = True
                waited.wait(_BUSY_SECONDS)
        # Whatever ends us, a supervisor that is gone before we are ready too, ends the threads.
        running.callback(drain.stop)
        completion.start()
        running.callback(completion.stop)
        sharing.start()
        running.callback(sharing.stop)
        parts.channel.send(Message(Word.READY))
        while (message := parts.channel.receive()) and message.word is not Word.STOP:
            pass
    _log.info("filing process ends")


def _stop_with(channel: Channel) -> None:
    """Let a request to end, by signal, end the reading from the channel."""

    def shut(_number: int, _frame: object) -> None:
        channel.shut()

    # Ctrl-C goes to the whole group, and the supervisor tells us what to do.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, shut)
