"""One gateway process: listener, spool, drain and completion clock, started and stopped as one."""

import logging
import sys
import threading
from typing import Final

from pacs_gateway.announcements import Announcements
from pacs_gateway.associations.admission import Admission
from pacs_gateway.associations.association import Acceptor
from pacs_gateway.associations.listener import Listener
from pacs_gateway.completion import CompletionClock
from pacs_gateway.config import GatewayConfig, ReturnsConfig
from pacs_gateway.drain import Drain
from pacs_gateway.inbox import waiting
from pacs_gateway.services import query
from pacs_gateway.services.commitment import CommitmentService
from pacs_gateway.services.dispatch import Dispatch
from pacs_gateway.services.operations import Operation
from pacs_gateway.spool import Spool
from storage.database import Database
from storage.objects import ObjectStore

# A receiving thread lets go of the interpreter for every read and write. At
# Python's 5 ms it would each time wait that long for the drain's computing.
_SWITCH_SECONDS: Final = 0.0002

_log = logging.getLogger(__name__)


class Gateway:
    """Receives what sites send, from `start` to `stop`; one per process and spool directory."""

    def __init__(self, config: GatewayConfig, database: Database, objects: ObjectStore) -> None:
        """Put the parts together; nothing is opened before `start`."""
        self._config = config
        self._stopping = threading.Event()
        self._announcements = Announcements()
        self._spool = Spool(
            config.spool_dir,
            reserve_bytes=config.spool_reserve_bytes,
            announce=self._announcements.announce,
        )
        self._drain = Drain(self._announcements, database, objects, config)
        self._completion = CompletionClock(database)
        admission = Admission(
            database,
            ae_title=config.ae_title,
            fresh_seconds=config.device_cache_seconds,
            grace_seconds=config.device_grace_seconds,
        )
        commitment = CommitmentService(
            database, objects, config.commitment, ReturnsConfig(config.ae_title)
        )
        # One line for each service module: `*query.operations(database, …)`.
        operations: tuple[Operation, ...] = (
            *query.operations(
                database, ae_title=config.ae_title, results_max=config.query_results_max
            ),
            *commitment.operations(),
        )
        dispatch = Dispatch(self._spool, operations, commitment.greetings())
        self._listener = Listener(
            config,
            Acceptor(admission, dispatch.serve, dispatch.abstract_syntaxes, self._stopping),
        )

    @property
    def bound_port(self) -> int:
        """The DICOM port listened on; known after `start`."""
        return self._listener.bound_port

    def waiting(self) -> int:
        """Count the acknowledged instances that are not filed yet."""
        return waiting(self._config.spool_dir)

    def start(self) -> None:
        """Take the spool, file what an earlier run left, and listen.

        Neither database nor object store need to be up.

        Raises:
            SpoolBusy: another gateway has the spool.
            PortUnavailable: the port cannot be bound.
        """
        sys.setswitchinterval(_SWITCH_SECONDS)
        self._drain.start()
        try:
            self._spool.open()
            self._listener.start()
        except BaseException:
            self._drain.stop()
            self._spool.close()
            raise
        self._completion.start()
        _log.info(
            "gateway listens", extra={"port": self.bound_port, "ae_title": self._config.ae_title}
        )

    def stop(self) -> None:
        """Accept no more associations, let the running ones finish for the grace time, and end.

        What is acknowledged and not filed yet stays in the spool for the next start.
        """
        self._stopping.set()
        self._listener.stop(self._config.stop_grace_seconds)
        self._drain.stop()
        self._completion.stop()
        self._spool.close()
        self._announcements.close()
        _log.info("gateway stopped")
