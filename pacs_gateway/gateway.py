"""A whole gateway in one process: for small sites and tests; see `pacs_gateway.processes`."""

import logging
from contextlib import ExitStack

from pacs_gateway.announcements import Announcements
from pacs_gateway.associations.listener import Listener
from pacs_gateway.associations.pacing import Rates
from pacs_gateway.completion import CompletionClock
from pacs_gateway.config import GatewayConfig
from pacs_gateway.drain import Drain
from pacs_gateway.inbox import waiting
from pacs_gateway.rate_sharing import RateSharing
from pacs_gateway.receiver import Receiver
from storage.database import Database
from storage.objects import ObjectStore

_log = logging.getLogger(__name__)


class Gateway:
    """Receives what sites send and files it, from `start` to `stop`; one per spool directory."""

    def __init__(self, config: GatewayConfig, database: Database, objects: ObjectStore) -> None:
        """Put the parts together; nothing is opened before `start`."""
        self._config = config
        self._announcements = Announcements()
        rates = Rates()
        self._receiver = Receiver(config, database, objects, self._announcements.announce, rates)
        self._drain = Drain(self._announcements, database, objects, config)
        self._completion = CompletionClock(database)
        self._sharing = RateSharing(database, rates)
        self._listener = Listener(config, self._receiver.host)

    @property
    def bound_port(self) -> int:
        """The DICOM port listened on; known after `start`."""
        return self._listener.bound_port

    @property
    def bound_tls_port(self) -> int | None:
        """The port for TLS; known after `start`, None without TLS."""
        return self._listener.bound_tls_port

    def active(self) -> int:
        """Count the connections that are open."""
        return self._receiver.host.active()

    def waiting(self) -> int:
        """Count the instances in the spool that are not filed yet."""
        return waiting(self._config.spool_dir)

    def start(self) -> None:
        """Take the spool, file what an earlier run left, and listen.

        Neither database nor object store need to be up.

        Raises:
            SpoolBusy: another gateway has the spool.
            PortUnavailable: a port cannot be bound.
        """
        with ExitStack() as undo:
            self._drain.start()
            undo.callback(self._drain.stop)
            undo.callback(self._receiver.stop, 0.0)
            self._receiver.start()
            undo.callback(self._listener.stop)
            self._listener.start()
            self._completion.start()
            self._sharing.start()
            undo.pop_all()
        _log.info(
            "gateway listens", extra={"port": self.bound_port, "ae_title": self._config.ae_title}
        )

    def stop(self) -> None:
        """Accept no more associations, let the running ones finish for the grace time, and end.

        What is acknowledged and not filed yet stays in the spool for the next start.
        """
        self._listener.stop()
        self._receiver.stop(self._config.stop_grace_seconds)
        self._drain.stop()
        self._completion.stop()
        self._sharing.stop()
        self._announcements.close()
        _log.info("gateway stopped")
