"""Serving accepted connections: one thread for each association, until the process is to stop."""

import logging
import socket
import threading
import time
from collections.abc import Iterable
from typing import Final

from pynetdicom.ae import ApplicationEntity
from pynetdicom.transport import AddressInformation

from pacs_gateway.associations.association import Acceptor, ReceivingAssociation, Ticket
from pacs_gateway.associations.transport import prepare
from pacs_gateway.config import GatewayConfig
from storage.implementation import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

_CUT_SECONDS: Final = 2.0
# pynetdicom's own limit is not used: what may be at once is decided by `seats`.
_UNLIMITED: Final = 1_000_000

_log = logging.getLogger(__name__)


class AssociationHost:
    """Serves connections that somebody else has accepted."""

    def __init__(self, config: GatewayConfig, acceptor: Acceptor) -> None:
        """Prepare to serve as `config` says."""
        self._config = config
        self._acceptor = acceptor
        ae = ApplicationEntity(config.ae_title)
        ae.implementation_class_uid = IMPLEMENTATION_CLASS_UID
        ae.implementation_version_name = IMPLEMENTATION_VERSION_NAME
        ae.maximum_pdu_size = config.maximum_pdu_length
        ae.maximum_associations = _UNLIMITED
        ae.network_timeout = config.network_timeout_seconds
        ae.dimse_timeout = config.network_timeout_seconds
        ae.acse_timeout = config.acse_timeout_seconds
        self._ae = ae
        self._lock = threading.Lock()
        # By the number of the connection.
        self._running: dict[int, ReceivingAssociation] = {}

    def serve(
        self, number: int, connection: socket.socket, ticket: Ticket, *, secure: bool = False
    ) -> None:
        """Begin to serve an accepted connection; `ticket` is given back when it has ended.

        number: by which `dismiss` knows it.
        secure: it begins with a TLS handshake.
        """
        try:
            prepare(connection, send_timeout=self._config.network_timeout_seconds)
            local, remote = connection.getsockname(), connection.getpeername()
        except OSError:
            # The peer is gone already.
            connection.close()
            ticket.leave()
            return
        association = ReceivingAssociation(
            self._ae,
            self._acceptor,
            connection,
            local=AddressInformation.from_tuple(local),
            remote=AddressInformation.from_tuple(remote),
            ae_title=self._config.ae_title,
            ticket=ticket,
            secure=secure,
            ended=lambda _association: self._forget(number),
        )
        with self._lock:
            self._running[number] = association
        association.start()

    def dismiss(self, number: int) -> None:
        """End a connection on which nothing has been requested yet; another one is left alone."""
        with self._lock:
            association = self._running.get(number)
        if association is not None:
            association.dismiss()

    def active(self) -> int:
        """Count the connections that are being served."""
        return len(self._running)

    def stop(self, grace_seconds: float) -> None:
        """Let running associations finish for `grace_seconds`, then abort them.

        `Acceptor.stopping` must have been set, so that idle ones end by themselves.
        """
        with self._lock:
            running = list(self._running.values())
        _join(running, grace_seconds)
        for association in running:
            if association.is_alive():
                association.cut()
        _join(running, _CUT_SECONDS)

    def _forget(self, number: int) -> None:
        with self._lock:
            self._running.pop(number, None)


def _join(threads: Iterable[threading.Thread], seconds: float) -> None:
    """Wait for threads to end, for `seconds` all together."""
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
