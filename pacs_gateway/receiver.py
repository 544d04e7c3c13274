"""The receiving part of a gateway: services, and a spool directory of one process."""

import sys
import threading
from typing import Final

from pydicom import config as pydicom_config

from pacs_gateway import tls
from pacs_gateway.associations.admission import Admission
from pacs_gateway.associations.association import Acceptor
from pacs_gateway.associations.host import AssociationHost
from pacs_gateway.associations.pacing import Rates
from pacs_gateway.config import GatewayConfig, ReturnsConfig
from pacs_gateway.proxy_header import Balancers
from pacs_gateway.services import modality_worklist, mpps, query, retrieve
from pacs_gateway.services.commitment import CommitmentService
from pacs_gateway.services.dispatch import Dispatch
from pacs_gateway.services.operations import Operation
from pacs_gateway.spool import Spool
from pacs_gateway.spool_writer import Announce
from storage.database import Database
from storage.objects import ObjectStore

# A receiving thread lets go of the interpreter for every read and write. At
# Python's 5 ms it would each time wait that long for another's computing.
_SWITCH_SECONDS: Final = 0.0002


class Receiver:
    """Serves connections and receives into a spool directory of its own; one per process.

    host: is given the connections, between `start` and `stop`.
    """

    def __init__(
        self,
        config: GatewayConfig,
        database: Database,
        objects: ObjectStore,
        announce: Announce,
        rates: Rates,
    ) -> None:
        """Put the parts together; nothing is opened before `start`.

        announce: is told of each instance that has been received, see `Spool`.
        rates: of devices with a limit, shared with the other receiving processes.

        Raises:
            TlsUnusable: certificate or key cannot be used.
        """
        self._config = config
        self._stopping = threading.Event()
        self._spool = Spool(
            config.spool_dir, reserve_bytes=config.spool_reserve_bytes, announce=announce
        )
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
            *retrieve.operations(database, objects, ReturnsConfig(config.ae_title)),
            *commitment.operations(),
            *modality_worklist.operations(database, time_zone=config.time_zone),
            *mpps.operations(database),
        )
        dispatch = Dispatch(self._spool, operations, commitment.greetings())
        self.host = AssociationHost(
            config,
            Acceptor(
                admission,
                dispatch.serve,
                dispatch.abstract_syntaxes,
                self._stopping,
                None if config.tls is None else tls.Doorkeeper(config.tls),
                Balancers(config.balancers),
                rates,
            ),
        )

    def start(self) -> None:
        """Make the spool directory."""
        sys.setswitchinterval(_SWITCH_SECONDS)
        # It would warn of values that we judge by ourselves, and look at the two thousand UIDs of a
        # request that proposes what it can: a third of the 9 ms until that is accepted.
        pydicom_config.settings.reading_validation_mode = pydicom_config.IGNORE
        self._spool.open()

    def stop(self, grace_seconds: float) -> None:
        """Let running associations finish for the grace time, end them, and close the spool."""
        self._stopping.set()
        self.host.stop(grace_seconds)
        self._spool.close()
