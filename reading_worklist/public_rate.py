"""How often a stranger may ask: questions that need no sign-in, by network address.

Counted in each process by itself, so that a flood costs no database: with two web processes
somebody may ask up to twice as often. Each address has a bucket of questions that fills again at a
steady rate.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from math import ceil
from typing import Final

from fastapi import Request

from reading_worklist.problems import Problem
from reading_worklist.services import client_address

# Addresses remembered; the one that has not asked for longest is forgotten first.
_ADDRESSES: Final = 10_000


class Buckets:
    """The buckets of all addresses.

    burst: how many questions a full one holds. per_second: how many come back.
    """

    def __init__(
        self, burst: int, per_second: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin with full buckets; clock: in seconds."""
        self._burst = burst
        self._per_second = per_second
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, address: str) -> float:
        """Take one question; return 0, or the seconds until there is one again."""
        now = self._clock()
        with self._lock:
            left, since = self._left.pop(address, (float(self._burst), now))
            left = min(float(self._burst), left + (now - since) * self._per_second)
            wait = 0.0 if left >= 1 else (1 - left) / self._per_second
            self._left[address] = (left if wait else left - 1, now)
            if len(self._left) > _ADDRESSES:
                self._left.popitem(last=False)
        return wait


@dataclass(frozen=True)
class PublicRate:
    """A dependency of routes that anybody may call; see `Buckets`, of which each name has some."""

    name: str
    burst: int
    per_second: float

    async def __call__(self, request: Request) -> None:
        """Take one question from the caller's bucket.

        Raises:
            Problem: 429 with Retry-After, when it is empty.
        """
        state = request.app.state
        if not hasattr(state, "public_rates"):
            state.public_rates = dict[str, Buckets]()
        rates: dict[str, Buckets] = state.public_rates
        if self.name not in rates:
            rates[self.name] = Buckets(self.burst, self.per_second)
        wait = rates[self.name].take(client_address(request))
        if wait > 0:
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                "too-many-requests",
                "Too many questions from your address",
                remedy=f"Wait {ceil(wait)} s, then ask again.",
                retry_after=ceil(wait),
            )
