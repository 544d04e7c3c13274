"""How many may be connected at once: by address before they are known, by device afterwards.

A connection that has not been admitted yet counts only against its own address
and against the others that wait like it, so that strangers who open connections
and say nothing take no seat from a device. When the door is crowded, who has been
silent longest has to make room: behind one router there may be a stranger and a
device.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from pacs_gateway.proxy_header import Balancers

# Devices of a small site often share one address behind a router.
_WAITING_OF_ADDRESS: Final = 32
_WAITING: Final = 256
# Those included who were asked to leave and have not gone yet.
_AT_THE_DOOR: Final = 2 * _WAITING
# A request is here a few round trips after the connection, a TLS handshake before it included.
_PATIENCE_SECONDS: Final = 2.0


@dataclass(slots=True)
class _Connection:
    address: str
    since: float
    device_id: UUID | None = None
    dismissed: bool = False

    @property
    def waits(self) -> bool:
        """Whether it counts against those who may wait."""
        return self.device_id is None and not self.dismissed


@dataclass(frozen=True, slots=True)
class Arrival:
    """A connection that was taken in.

    dismissed: another one that has to go for it, unless its request has come meanwhile.
    """

    number: int
    dismissed: int | None = None


class Seats:
    """Counts connections; for one thread, or under its owner's lock."""

    def __init__(
        self,
        maximum: int,
        clock: Callable[[], float] = time.monotonic,
        *,
        balancers: Sequence[str] = (),
    ) -> None:
        """Seat at most `maximum` admitted associations.

        balancers: networks of those behind whom many call from one address.
        """
        self._maximum = maximum
        self._balancers = Balancers(balancers)
        self._clock = clock
        # In the order of their arrival.
        self._connections: dict[int, _Connection] = {}
        self._waiting: Counter[str] = Counter()
        self._seated: Counter[UUID] = Counter()
        self._last = 0

    def arrive(self, address: str) -> Arrival | None:
        """Take in a connection from `address`.

        None when too many wait there or altogether, and none of them long enough to have to go.
        """
        dismissed: int | None = None
        crowded = self._waiting[address] >= _WAITING_OF_ADDRESS
        if crowded and not self._balancers.have(address):
            dismissed = self._dismiss(address)
        elif self._waiting.total() >= _WAITING:
            dismissed = self._dismiss(None)
        else:
            return Arrival(self._take_in(address))
        if dismissed is None or len(self._connections) - self._seated.total() >= _AT_THE_DOOR:
            return None
        return Arrival(self._take_in(address), dismissed)

    def _take_in(self, address: str) -> int:
        self._last += 1
        self._connections[self._last] = _Connection(address, self._clock())
        self._waiting[address] += 1
        return self._last

    def _dismiss(self, address: str | None) -> int | None:
        """Let the oldest that waits make room, at one address or anywhere.

        None while it may still be about to ask.
        """
        number = next(
            number
            for number, one in self._connections.items()
            if one.waits and address in {None, one.address}
        )
        connection = self._connections[number]
        if self._clock() - connection.since < _PATIENCE_SECONDS:
            return None
        connection.dismissed = True
        _decrease(self._waiting, connection.address)
        return number

    def admit(self, number: int, device_id: UUID, limit: int) -> bool:
        """Seat a connection as an association of a device that may have `limit` at once."""
        connection = self._connections[number]
        full = self._seated.total() >= self._maximum or self._seated[device_id] >= limit
        if not full:
            if connection.waits:
                _decrease(self._waiting, connection.address)
            connection.device_id = device_id
            self._seated[device_id] += 1
        return not full

    def leave(self, number: int) -> None:
        """Forget a connection; one that is unknown is fine."""
        connection = self._connections.pop(number, None)
        if connection is None:
            return
        if connection.device_id is not None:
            _decrease(self._seated, connection.device_id)
        elif connection.waits:
            _decrease(self._waiting, connection.address)

    def __len__(self) -> int:
        """Count the connections."""
        return len(self._connections)


def _decrease(counter: "Counter[str] | Counter[UUID]", key: str | UUID) -> None:
    counter[key] -= 1  # pyright: ignore[reportArgumentType] -- each counter with its own key
    if not counter[key]:  # pyright: ignore[reportArgumentType]
        del counter[key]  # pyright: ignore[reportArgumentType]
