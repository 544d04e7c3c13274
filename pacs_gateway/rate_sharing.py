"""A device's rate where several gateways receive from it: each lets a share of it through.

Which gateways a device sends to just now stands in the database, as a lease of each on a share. A
device without a limit, and one that sends nothing, costs nothing.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from pacs_gateway.associations.pacing import Rates
from pacs_gateway.ticking import Ticking
from storage.database import Database
from storage.leases import share

_LOOK_SECONDS: Final = 5.0
# Longer than two looks: one that comes late leaves nobody with too much.
_LASTS: Final = timedelta(seconds=15)


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
        # While nobody answers, the shares stay as they are.
        self._looking = Ticking(
            "rate-sharing",
            lambda _stopping: self.look(),
            every=_LOOK_SECONDS,
            trouble="rates cannot be shared now",
        )

    def start(self) -> None:
        """Begin to look."""
        self._looking.start()

    def stop(self) -> None:
        """End it and wait for it; our shares run out by themselves."""
        self._looking.stop()

    def look(self) -> None:
        """Note which limited devices send here, and learn who shares them."""
        devices = {_name(device_id): device_id for device_id in self._rates.busy()}
        if not devices:
            return
        with self._database.transaction() as session:
            holders = share(session, sorted(devices), self.id, lasts=self._lasts)
        for name, count in holders.items():
            self._rates.divide(devices[name], count)


def _name(device_id: UUID) -> str:
    return f"rate {device_id}"
