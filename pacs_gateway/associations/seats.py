"""How many may be connected at once: by address before they are known, by device afterwards.

A connection that has not been admitted yet counts only against its own address
and against the others that wait like it, so that strangers who open connections
and say nothing take no seat from a device.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Final
from uuid import UUID

# Devices of a small site often share one address behind a router.
_WAITING_OF_ADDRESS: Final = 32
_WAITING: Final = 256


@dataclass(slots=True)
class _Connection:
    address: str
    device_id: UUID | None = None


class Seats:
    """Counts connections; for one thread, or under its owner's lock."""

    def __init__(self, maximum: int) -> None:
        """Seat at most `maximum` admitted associations."""
        self._maximum = maximum
        self._connections: dict[int, _Connection] = {}
        self._waiting: Counter[str] = Counter()
        self._seated: Counter[UUID] = Counter()
        self._last = 0

    def arrive(self, address: str) -> int | None:
        """Take in a connection from `address`; None when too many wait there or altogether."""
        if self._waiting[address] >= _WAITING_OF_ADDRESS or self._waiting.total() >= _WAITING:
            return None
        self._last += 1
        self._connections[self._last] = _Connection(address)
        self._waiting[address] += 1
        return self._last

    def admit(self, number: int, device_id: UUID, limit: int) -> bool:
        """Seat a connection as an association of a device that may have `limit` at once."""
        connection = self._connections[number]
        full = self._seated.total() >= self._maximum or self._seated[device_id] >= limit
        if not full:
            self._waiting[connection.address] -= 1
            connection.device_id = device_id
            self._seated[device_id] += 1
        return not full

    def leave(self, number: int) -> None:
        """Forget a connection; one that is unknown is fine."""
        connection = self._connections.pop(number, None)
        if connection is None:
            return
        if connection.device_id is None:
            _decrease(self._waiting, connection.address)
        else:
            _decrease(self._seated, connection.device_id)

    def __len__(self) -> int:
        """Count the connections."""
        return len(self._connections)


def _decrease(counter: "Counter[str] | Counter[UUID]", key: str | UUID) -> None:
    counter[key] -= 1  # pyright: ignore[reportArgumentType] -- each counter with its own key
    if not counter[key]:  # pyright: ignore[reportArgumentType]
        del counter[key]  # pyright: ignore[reportArgumentType]
