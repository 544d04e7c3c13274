"""The listening side of a gateway in one process; see `pacs_gateway.processes` for several."""

import selectors
import socket
import threading
from contextlib import suppress
from typing import Final
from uuid import UUID

from pacs_gateway.associations.host import AssociationHost
from pacs_gateway.associations.seats import Seats
from pacs_gateway.config import GatewayConfig
from pacs_gateway.ports import PortUnavailable, bind, wake

_POLL_SECONDS: Final = 0.25


def bind_all(config: GatewayConfig) -> dict[socket.socket, bool]:
    """Return the listening sockets of a gateway: the plain one, then the one for TLS if any.

    Each with whether its connections are to be secured.

    Raises:
        PortUnavailable: an address cannot be bound.
    """
    sockets = {bind(config.host, config.port): False}
    if config.tls is not None:
        try:
            sockets[bind(config.host, config.tls.port, "RDC_DICOM_TLS_PORT")] = True
        except PortUnavailable:
            for listening in sockets:
                listening.close()
            raise
    return sockets


class Listener:
    """Accepts connections from `start` to `stop` and has them served in this process."""

    def __init__(self, config: GatewayConfig, host: AssociationHost) -> None:
        """Prepare to listen as `config` says; nothing is bound before `start`."""
        self._config = config
        self._host = host
        self._seats = Seats(config.maximum_associations, balancers=config.balancers)
        self._lock = threading.Lock()
        # Listening socket to whether its connections are to be secured.
        self._sockets: dict[socket.socket, bool] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._accept, name="dicom-listener")
        self.bound_port = 0
        self.bound_tls_port: int | None = None

    def start(self) -> None:
        """Bind the ports and accept connections from now on.

        Raises:
            PortUnavailable: an address cannot be bound.
        """
        self._sockets = bind_all(self._config)
        self.bound_port, *secured = (listening.getsockname()[1] for listening in self._sockets)
        self.bound_tls_port = next(iter(secured), None)
        self._thread.start()

    def stop(self) -> None:
        """Accept no more; what has been accepted is the host's to end."""
        self._stopping.set()
        wake(self._sockets)
        if self._thread.is_alive():
            self._thread.join()
        for listening in self._sockets:
            listening.close()

    def _accept(self) -> None:
        with selectors.DefaultSelector() as selector:
            for listening in self._sockets:
                selector.register(listening, selectors.EVENT_READ)
            while not self._stopping.is_set():
                for key, _ in selector.select(_POLL_SECONDS):
                    listening = key.fileobj
                    assert isinstance(listening, socket.socket)
                    with suppress(OSError):
                        connection, address = listening.accept()
                        self._serve(connection, address, secure=self._sockets[listening])

    def _serve(self, connection: socket.socket, address: tuple[str, int], *, secure: bool) -> None:
        with self._lock:
            arrival = self._seats.arrive(address[0])
        if arrival is None:
            connection.close()
            return
        if arrival.dismissed is not None:
            self._host.dismiss(arrival.dismissed)
        connection.setblocking(True)
        ticket = _Ticket(self._seats, self._lock, arrival.number)
        self._host.serve(arrival.number, connection, ticket, secure=secure)


class _Ticket:
    """See `association.Ticket`; the seats are in this process."""

    def __init__(self, seats: Seats, lock: threading.Lock, number: int) -> None:
        self._seats = seats
        self._lock = lock
        self._number = number

    def admit(self, device_id: UUID, limit: int) -> bool:
        with self._lock:
            return self._seats.admit(self._number, device_id, limit)

    def leave(self) -> None:
        with self._lock:
            self._seats.leave(self._number)
