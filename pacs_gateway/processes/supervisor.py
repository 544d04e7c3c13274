"""The first process of a gateway: it accepts connections, hands them on, and keeps its children.

It has one thread and works with nothing but sockets and processes, so that it
can fork at any time and is the last to fail.
"""

import logging
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, NoReturn, TypeAlias

from pacs_gateway import tls
from pacs_gateway.announcements import Announcements
from pacs_gateway.associations.listener import bind_all
from pacs_gateway.associations.pacing import Rates
from pacs_gateway.associations.seats import Seats
from pacs_gateway.config import GatewayConfig
from pacs_gateway.processes.children import ChildParts, Open, file, receive
from pacs_gateway.processes.control import Channel, Message, Word

_LOOK_SECONDS: Final = 0.25
_FIRST_PAUSE_SECONDS: Final = 0.2
_LONGEST_PAUSE_SECONDS: Final = 10.0
# A child that lived this long was well.
_WELL_AFTER_SECONDS: Final = 60.0
# Beyond the associations' own grace, for the spool and the last batch.
_STOP_SECONDS: Final = 5.0
_ACCEPTED_AT_ONCE: Final = 32

_log = logging.getLogger(__name__)

_Work: TypeAlias = Callable[[ChildParts], None]


@dataclass(slots=True)
class _Child:
    name: str
    work: _Work
    pid: int | None = None
    channel: Channel | None = None
    ready: bool = False
    connections: set[int] = field(default_factory=set[int])
    started_at: float = 0.0
    pause: float = 0.0
    due_at: float = 0.0


class GatewayProcesses:
    """A gateway of several processes; used from the main thread of a process without threads."""

    def __init__(self, config: GatewayConfig, open_parts: Open) -> None:
        """Prepare; nothing is bound or forked before `start`.

        open_parts: called in each child with its name, see `children.Open`.
        """
        self._config = config
        self._open = open_parts
        self._announcements = Announcements()
        self._rates = Rates()
        self._seats = Seats(config.maximum_associations, balancers=config.balancers)
        self._sockets: dict[socket.socket, bool] = {}
        self._selector = selectors.DefaultSelector()
        self._accepting = False
        self._filer = _Child("gateway-filing", file)
        self._receivers = [
            _Child(f"gateway-receiving-{number + 1}", receive) for number in range(config.listeners)
        ]
        self._wake_read, self._wake_write = os.pipe()
        self._stopping = False

    @property
    def bound_port(self) -> int:
        """The DICOM port listened on; known after `start`."""
        return next(iter(self._sockets)).getsockname()[1]

    def pids(self) -> dict[str, int]:
        """Return the process ids of the running children by name."""
        return {child.name: child.pid for child in self._children() if child.pid is not None}

    def start(self) -> None:
        """Bind the ports and start the children.

        Raises:
            PortUnavailable: a port cannot be bound.
            TlsUnusable: certificate or key cannot be used.
        """
        if self._config.tls is not None:
            # Once here, so that a wrong setting ends the start and not each child.
            tls.Doorkeeper(self._config.tls)
        self._sockets = bind_all(self._config)
        os.set_blocking(self._wake_write, False)
        os.set_blocking(self._wake_read, False)
        self._selector.register(self._wake_read, selectors.EVENT_READ)
        for child in self._children():
            self._start(child)

    def run(self, ready: Callable[[], None]) -> None:
        """Work until `stop` is called, then end the children and return.

        ready: called once, when every child can work.
        """
        announced = False
        while not self._stopping:
            for key, _ in self._selector.select(_LOOK_SECONDS):
                self._handle(key.fileobj)
            self._reap()
            self._restart()
            if not announced and all(child.ready for child in self._children()):
                announced = True
                _log.info("gateway listens", extra={"port": self.bound_port})
                ready()
        self._end()

    def stop(self) -> None:
        """Let `run` end; may be called from a signal handler."""
        self._stopping = True
        with suppress(OSError):
            os.write(self._wake_write, b"s")

    def _children(self) -> list[_Child]:
        return [self._filer, *self._receivers]

    def _start(self, child: _Child) -> None:
        ours, theirs = Channel.pair()
        # What is buffered would be written twice.
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            self._become(child, theirs, ours)
        theirs.close()
        child.pid, child.channel, child.ready = pid, ours, False
        child.started_at = time.monotonic()
        self._selector.register(ours, selectors.EVENT_READ, child)

    def _become(self, child: _Child, theirs: Channel, ours: Channel) -> NoReturn:
        """Do the child's work in the process just forked, and end it."""
        code = 1
        try:
            ours.close()
            self._selector.close()
            for listening in self._sockets:
                listening.close()
            for other in self._children():
                if other.channel is not None:
                    other.channel.close()
            os.close(self._wake_read)
            os.close(self._wake_write)
            child.work(
                ChildParts(
                    child.name,
                    self._config,
                    self._open,
                    self._announcements,
                    self._rates,
                    theirs,
                )
            )
            code = 0
        except BaseException:  # noqa: BLE001 -- the process ends here, whatever it was
            _log.exception("process of the gateway ends by an error", extra={"child": child.name})
        finally:
            logging.shutdown()
            # Not through the parent's stack: its clean-up is not ours to do.
            os._exit(code)

    def _handle(self, source: object) -> None:
        if source == self._wake_read:
            with suppress(BlockingIOError):
                os.read(self._wake_read, 64)
        elif isinstance(source, socket.socket):
            self._accept(source)
        else:
            child = next(one for one in self._children() if one.channel is source)
            self._listen(child)

    def _listen(self, child: _Child) -> None:
        assert child.channel is not None
        message = child.channel.receive()
        if message is None:
            self._disown(child)
        elif message.word is Word.READY:
            child.ready = True
            self._accept_if_possible()
        elif message.word is Word.SEAT:
            seated = message.number in child.connections and self._seats.admit(
                message.number, message.device_id, message.limit
            )
            word = Word.SEATED if seated else Word.FULL
            child.channel.send(Message(word, message.number), wait=False)
        elif message.word is Word.LEFT:
            child.connections.discard(message.number)
            self._seats.leave(message.number)

    def _accept_if_possible(self) -> None:
        """Accept connections while somebody can serve them; otherwise they wait in the system."""
        possible = any(child.ready for child in self._receivers)
        if possible == self._accepting:
            return
        self._accepting = possible
        for listening in self._sockets:
            if possible:
                self._selector.register(listening, selectors.EVENT_READ)
            else:
                self._selector.unregister(listening)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(_ACCEPTED_AT_ONCE):
            try:
                connection, address = listening.accept()
            except OSError:
                # None left, or one that went away before it was accepted.
                return
            with connection:
                arrival = self._seats.arrive(address[0])
                if arrival is not None and arrival.dismissed is not None:
                    self._dismiss(arrival.dismissed)
                if arrival is None or not self._hand_on(
                    connection, arrival.number, secure=self._sockets[listening]
                ):
                    _log.warning("connection closed, too many", extra={"peer": address[0]})

    def _dismiss(self, number: int) -> None:
        """Have a connection ended by the process that serves it, if nothing was requested yet."""
        for child in self._receivers:
            if number in child.connections and child.channel is not None:
                child.channel.send(Message(Word.DISMISS, number), wait=False)

    def _hand_on(self, connection: socket.socket, number: int, *, secure: bool) -> bool:
        """Give a connection to the process that has the fewest; return whether one took it."""
        word = Word.SERVE_TLS if secure else Word.SERVE
        ready = [child for child in self._receivers if child.ready]
        for child in sorted(ready, key=lambda child: len(child.connections)):
            assert child.channel is not None
            message = Message(word, number, descriptor=connection.fileno())
            if child.channel.send(message, wait=False):
                child.connections.add(number)
                return True
        self._seats.leave(number)
        return False

    def _disown(self, child: _Child) -> None:
        """Forget a child whose channel has ended; it is dead or about to be."""
        if child.channel is not None:
            self._selector.unregister(child.channel)
            child.channel.close()
            child.channel = None
        child.ready = False
        for number in child.connections:
            self._seats.leave(number)
        child.connections.clear()
        self._accept_if_possible()

    def _reap(self) -> None:
        for child in self._children():
            if child.pid is None:
                continue
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if pid == 0:
                continue
            self._disown(child)
            child.pid = None
            lived = time.monotonic() - child.started_at
            again = child.pause * 2 if lived < _WELL_AFTER_SECONDS else _FIRST_PAUSE_SECONDS
            child.pause = min(max(again, _FIRST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS)
            child.due_at = time.monotonic() + child.pause
            _log.error(
                "process of the gateway ended",
                extra={"child": child.name, "code": os.waitstatus_to_exitcode(status)},
            )

    def _restart(self) -> None:
        for child in self._children():
            if child.pid is None and time.monotonic() >= child.due_at:
                _log.info("process of the gateway starts again", extra={"child": child.name})
                self._start(child)

    def _end(self) -> None:
        """Accept no more, let the children finish, and kill what does not."""
        for listening in self._sockets:
            listening.close()
        for child in self._children():
            if child.channel is not None:
                child.channel.send(Message(Word.STOP), wait=False)
        deadline = time.monotonic() + self._config.stop_grace_seconds + _STOP_SECONDS
        running = {child.pid for child in self._children() if child.pid is not None}
        while running and time.monotonic() < deadline:
            running = {pid for pid in running if os.waitpid(pid, os.WNOHANG)[0] == 0}
            time.sleep(0.02)
        for pid in running:
            _log.warning("process of the gateway did not end by itself", extra={"pid": pid})
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        self._selector.close()
        self._announcements.close()
        _log.info("gateway stopped")
