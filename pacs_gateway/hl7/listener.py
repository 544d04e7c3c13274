"""The MLLP listener: one thread for each connection, bounded in number, size and silence."""

import logging
import socket
import threading
from contextlib import suppress
from typing import Final

from pacs_gateway.config import Hl7Config
from pacs_gateway.hl7.framing import FrameReader, FramingLost, framed
from pacs_gateway.hl7.service import Hl7Service
from storage.errors import RdcError

_PIECE: Final = 65_536
_WAKE_SECONDS: Final = 0.5
_BACKLOG: Final = 64

_log = logging.getLogger(__name__)


class Hl7PortUnavailable(RdcError):
    """The port cannot be bound."""


class MllpListener:
    """Listens from `start` to `stop`."""

    def __init__(self, config: Hl7Config, service: Hl7Service) -> None:
        """Prepare; nothing is opened before `start`."""
        self._config = config
        self._service = service
        self._stopping = threading.Event()
        self._socket: socket.socket | None = None
        self._connections: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._accept, name="mllp")

    @property
    def bound_port(self) -> int:
        """The port listened on; known after `start`."""
        assert self._socket is not None
        port: int = self._socket.getsockname()[1]
        return port

    def start(self) -> None:
        """Bind and accept connections.

        Raises:
            Hl7PortUnavailable: the port cannot be bound.
        """
        host, port = self._config.host, self._config.port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.socket(family, socket.SOCK_STREAM)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((host, port))
            listening.listen(_BACKLOG)
        except OSError as error:
            listening.close()
            raise Hl7PortUnavailable(
                "the MLLP port cannot be opened",
                expected=f"port {port} of {host} to be free",
                found=error.strerror or str(error),
                remedy="Stop what uses it, or set RDC_MLLP_PORT to another.",
            ) from error
        listening.settimeout(_WAKE_SECONDS)
        self._socket = listening
        self._thread.start()

    def stop(self) -> None:
        """Accept no more, let each connection finish the message at hand, and end."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._socket is not None:
            self._socket.close()
        with self._lock:
            running = list(self._connections)
        for thread in running:
            thread.join()

    def _accept(self) -> None:
        assert self._socket is not None
        while not self._stopping.is_set():
            try:
                connection, address = self._socket.accept()
            except TimeoutError:
                continue
            except OSError as error:
                _log.warning("MLLP accept failed", extra={"error": type(error).__name__})
                self._stopping.wait(_WAKE_SECONDS)
                continue
            with self._lock:
                full = len(self._connections) >= self._config.maximum_connections
                thread = threading.Thread(
                    target=self._serve, args=(connection, str(address[0])), name="mllp-connection"
                )
                if not full:
                    self._connections.add(thread)
            if full:
                _log.warning("MLLP connection refused, there are too many")
                connection.close()
                continue
            thread.start()

    def _serve(self, connection: socket.socket, address: str) -> None:
        try:
            with connection:
                connection.settimeout(_WAKE_SECONDS)
                self._talk(connection, address)
        except FramingLost:
            _log.warning("MLLP connection ended: no frames", extra={"peer_address": address})
        except OSError as error:
            _log.info("MLLP connection lost", extra={"error": type(error).__name__})
        finally:
            with self._lock:
                self._connections.discard(threading.current_thread())

    def _talk(self, connection: socket.socket, address: str) -> None:
        reader = FrameReader(self._config.maximum_message_bytes)
        silent = 0.0
        while not self._stopping.is_set():
            try:
                data = connection.recv(_PIECE)
            except TimeoutError:
                silent += _WAKE_SECONDS
                # A line may be idle for hours; one that stops inside a message is dead.
                limit = self._config.message_seconds if reader.inside else self._config.idle_seconds
                if silent >= limit:
                    return
                continue
            if not data:
                return
            silent = 0.0
            for frame in reader.feed(data):
                answer = self._service.handle(frame, address)
                connection.settimeout(self._config.message_seconds)
                connection.sendall(framed(answer))
                connection.settimeout(_WAKE_SECONDS)
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
