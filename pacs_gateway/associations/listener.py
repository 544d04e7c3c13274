"""The listening side of the gateway: one port, one thread for each association."""

import socket
import threading
import time
from collections.abc import Iterable
from typing import Any, Final

from pynetdicom.ae import ApplicationEntity
from pynetdicom.presentation import build_context
from pynetdicom.transport import AddressInformation, RequestHandler, ThreadedAssociationServer

from pacs_gateway.associations.association import Acceptor, ReceivingAssociation
from pacs_gateway.associations.contexts import VERIFICATION
from pacs_gateway.associations.transport import prepare
from pacs_gateway.config import GatewayConfig
from pacs_gateway.implementation import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from storage.errors import RdcError

_POLL_SECONDS: Final = 0.25
_CUT_SECONDS: Final = 2.0


class PortUnavailable(RdcError):
    """The gateway cannot listen where it was told to."""


class _Server(ThreadedAssociationServer):
    """A server that knows what its associations share; both are set before it serves."""

    # Many devices start to send at the same minute of a morning.
    request_queue_size = 128
    daemon_threads = True

    acceptor: Acceptor
    send_timeout: float


# pynetdicom's server is typed in part only.
_make_server: Any = _Server


class _Handler(RequestHandler):
    """Starts an association for a connection."""

    def handle(self) -> None:
        server = self.server
        assert isinstance(server, _Server)
        connection: socket.socket = self.request
        prepare(connection, send_timeout=server.send_timeout)
        association = ReceivingAssociation(
            self.ae,
            server.acceptor,
            connection,
            local=self.local,
            remote=AddressInformation.from_tuple(self.client_address),
            ae_title=server.ae_title,
        )
        association._server = server  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        association.start()


class Listener:
    """Accepts associations from `start` to `stop`."""

    def __init__(self, config: GatewayConfig, acceptor: Acceptor) -> None:
        """Prepare to listen as `config` says; nothing is bound before `start`."""
        self._config = config
        self._acceptor = acceptor
        ae = ApplicationEntity(config.ae_title)
        ae.implementation_class_uid = IMPLEMENTATION_CLASS_UID
        ae.implementation_version_name = IMPLEMENTATION_VERSION_NAME
        ae.maximum_pdu_size = config.maximum_pdu_length
        ae.maximum_associations = config.maximum_associations
        ae.network_timeout = config.network_timeout_seconds
        ae.dimse_timeout = config.network_timeout_seconds
        ae.acse_timeout = config.acse_timeout_seconds
        self._ae = ae
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def bound_port(self) -> int:
        """The port listened on; the configured one, or the one that was free."""
        if self._server is None:
            raise RuntimeError("the listener has not been started")
        return self._server.server_address[1]

    def start(self) -> None:
        """Bind the port and accept associations from now on.

        Raises:
            PortUnavailable: the address cannot be bound.
        """
        config = self._config
        try:
            server: _Server = _make_server(
                self._ae,
                (config.host, config.port),
                config.ae_title,
                # What an association is negotiated against is decided when it asks.
                [build_context(VERIFICATION)],
                request_handler=_Handler,
            )
        except OSError as error:
            raise PortUnavailable(
                f"cannot listen on {config.host} port {config.port}",
                found=error.strerror or str(error),
                remedy="Stop the program that uses the port, or set RDC_DICOM_PORT to another.",
            ) from error
        server.acceptor = self._acceptor
        server.send_timeout = config.network_timeout_seconds
        self._server = server
        self._ae._servers.append(server)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        self._thread = threading.Thread(
            target=server.serve_forever,
            kwargs={"poll_interval": _POLL_SECONDS},
            name="dicom-listener",
        )
        self._thread.start()

    def active(self) -> int:
        """Count the associations that are open."""
        return len(self._server.active_associations) if self._server is not None else 0

    def stop(self, grace_seconds: float) -> None:
        """Accept no more; let running associations finish for `grace_seconds`, then abort them.

        `Acceptor.stopping` must have been set, so that idle ones end by themselves.
        """
        server = self._server
        if server is None:
            return
        server.shutdown()
        if self._thread is not None:
            self._thread.join()
        running = [
            one for one in server.active_associations if isinstance(one, ReceivingAssociation)
        ]
        _join(running, grace_seconds)
        for association in running:
            if association.is_alive():
                association.cut()
        _join(running, _CUT_SECONDS)
        self._server = None


def _join(threads: Iterable[threading.Thread], seconds: float) -> None:
    """Wait for threads to end, for `seconds` all together."""
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
