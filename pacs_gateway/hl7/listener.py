"""The MLLP listener: one thread for each connection, bounded in number, size and silence."""

import logging
import selectors
import socket
import threading
from contextlib import suppress
from typing import Final

from pacs_gateway import tls
from pacs_gateway.config import Hl7Config
from pacs_gateway.hl7.framing import FrameReader, FramingLost, framed
from pacs_gateway.hl7.service import Hl7Service, Peer
from pacs_gateway.ports import PortUnavailable, bind, wake
from pacs_gateway.proxy_header import Balancers, read_origin

_PIECE: Final = 65_536
_WAKE_SECONDS: Final = 0.5

_log = logging.getLogger(__name__)


class MllpListener:
    """Listens from `start` to `stop`."""

    def __init__(self, config: Hl7Config, service: Hl7Service) -> None:
        """Prepare; no port is opened before `start`.

        Raises:
            TlsUnusable: certificate or key cannot be used.
        """
        self._config = config
        self._service = service
        self._tls = None if config.tls is None else tls.Doorkeeper(config.tls)
        self._balancers = Balancers(config.balancers)
        self._stopping = threading.Event()
        # Listening socket to whether its connections are to be secured.
        self._sockets: dict[socket.socket, bool] = {}
        self._connections: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._accept, name="mllp")
        self.bound_port: int | None = None
        self.bound_tls_port: int | None = None

    def start(self) -> None:
        """Bind and accept connections.

        Raises:
            PortUnavailable: a port cannot be bound.
        """
        config = self._config
        try:
            if config.port is not None:
                plain = bind(config.host, config.port, "RDC_MLLP_PORT")
                self._sockets[plain] = False
                self.bound_port = plain.getsockname()[1]
            if config.tls is not None:
                secured = bind(config.host, config.tls.port, "RDC_MLLP_TLS_PORT")
                self._sockets[secured] = True
                self.bound_tls_port = secured.getsockname()[1]
        except PortUnavailable:
            for listening in self._sockets:
                listening.close()
            raise
        self._thread.start()

    def stop(self) -> None:
        """Accept no more, let each connection finish the message at hand, and end."""
        self._stopping.set()
        wake(self._sockets)
        if self._thread.is_alive():
            self._thread.join()
        for listening in self._sockets:
            listening.close()
        with self._lock:
            running = list(self._connections)
        for thread in running:
            thread.join()

    def _accept(self) -> None:
        with selectors.DefaultSelector() as selector:
            for listening in self._sockets:
                selector.register(listening, selectors.EVENT_READ)
            while not self._stopping.is_set():
                for key, _ in selector.select(_WAKE_SECONDS):
                    listening = key.fileobj
                    assert isinstance(listening, socket.socket)
                    self._accept_one(listening)

    def _accept_one(self, listening: socket.socket) -> None:
        try:
            connection, address = listening.accept()
        except OSError as error:
            if self._stopping.is_set():
                return
            _log.warning("MLLP accept failed", extra={"error": type(error).__name__})
            self._stopping.wait(_WAKE_SECONDS)
            return
        with self._lock:
            full = len(self._connections) >= self._config.maximum_connections
            thread = threading.Thread(
                target=self._serve,
                args=(connection, str(address[0])),
                kwargs={"secure": self._sockets[listening]},
                name="mllp-connection",
            )
            if not full:
                self._connections.add(thread)
        if full:
            _log.warning("MLLP connection refused, there are too many")
            connection.close()
            return
        thread.start()

    def _serve(self, connection: socket.socket, address: str, *, secure: bool) -> None:
        try:
            if self._balancers.have(address):
                connection.settimeout(_WAKE_SECONDS)
                origin = read_origin(connection, timeout=self._config.message_seconds)
                if origin is None:
                    # The balancer itself only looks whether we are there.
                    connection.close()
                    return
                address = origin[0]
            with self._secured(connection, address) if secure else connection as line:
                line.settimeout(_WAKE_SECONDS)
                self._talk(line, Peer(address, tls.fingerprint(line)))
        except tls.CertificateRevoked as error:
            _log.warning(
                "revoked certificate", extra={"peer_address": address, "reason": str(error)}
            )
        except FramingLost:
            _log.warning("MLLP connection ended: no frames", extra={"peer_address": address})
        except OSError as error:
            _log.info("MLLP connection lost", extra={"error": type(error).__name__})
        finally:
            with self._lock:
                self._connections.discard(threading.current_thread())

    def _secured(self, connection: socket.socket, address: str) -> socket.socket:
        assert self._tls is not None
        try:
            return self._tls.accept(connection, timeout=self._config.message_seconds)
        except tls.CertificateRevoked:
            raise
        except OSError as error:
            _log.warning(
                "TLS handshake failed", extra={"peer": address, "reason": type(error).__name__}
            )
            connection.close()
            raise

    def _talk(self, connection: socket.socket, peer: Peer) -> None:
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
                # A line to an information system lasts for months.
                if self._tls is not None:
                    self._tls.look_again(connection)
                answer = self._service.handle(frame, peer)
                connection.settimeout(self._config.message_seconds)
                connection.sendall(framed(answer))
                connection.settimeout(_WAKE_SECONDS)
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
