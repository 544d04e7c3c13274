"""A device's rate where several gateways receive from it: each lets a share of it through.

Which gateways a device sends to just now stands in the database, as a lease of each on a share. A
device without a limit, and one that sends nothing, costs nothing.
"""

import logging
import threading
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from pacs_gateway.associations.pacing import Rates
from storage.database import Database
from storage.leases import share

_LOOK_SECONDS: Final = 5.0
# Longer than two looks: one that comes late leaves nobody with too much.
_LASTS: Final = timedelta(seconds=15)

_log = logging.getLogger(__name__)


class RateSharing:
    """Finds out every few seconds how many gateways share each device, in a thread of its own."""

    def __init__(self, database: Database, rates: Rates, *, lasts: timedelta = _LASTS) -> None:
        """Prepare; nothing happens before `start`.

        lasts: for how long a device counts as sending here after its last byte.
        """
        self._database = database
        self._rates = rates
        self._lasts = lasts
        self.id = uuid4()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rate-sharing")

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End it and wait for it; our shares run out by themselves."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> None:
        """Note which limited devices send here, and learn who shares them."""
        devices = {_name(device_id): device_id for device_id in self._rates.busy()}
        if not devices:
            return
        with self._database.transaction() as session:
            holders = share(session, sorted(devices), self.id, lasts=self._lasts)
        for name, count in holders.items():
            self._rates.divide(devices[name], count)

    def _run(self) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 -- the shares stay as they are meanwhile
                _log.warning("rates cannot be shared now", extra={"error": type(error).__name__})


def _name(device_id: UUID) -> str:
    return f"rate {device_id}"
