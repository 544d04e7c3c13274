"""One answer for all who ask the same at the same time.

When something changes, hundreds of pages ask for the same list within a second. Each answer costs
the database and this process as much as the first; most of them are the same.
"""

import asyncio
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import Final, Generic, TypeVar

from fastapi.concurrency import run_in_threadpool

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Coalesced(Generic[K, V]):
    """Answers that are looked up once for all who wait for them.

    Nobody is given anything old: an answer is begun after everybody who gets it has asked, so what
    was committed before somebody asked is in it. Who asks while it is being looked up waits for the
    next one. So for each key at most one is under way, however many ask.

    For one event loop; what looks answers up runs in a thread.
    """

    def __init__(self) -> None:
        """Begin with nothing under way."""
        self._under_way: Final[dict[K, asyncio.Task[V]]] = {}
        self._next: Final[dict[K, asyncio.Task[V]]] = {}

    async def get(self, key: K, look_up: Callable[[], V]) -> V:
        """Return what `look_up` returns, or what another caller's returned for the same key.

        key: everything that the answer depends on, such as what the asker may see.

        Raises: what `look_up` raises. Another caller's failure is not shared: who has waited for
        it looks up himself.
        """
        task = self._next.get(key)
        if task is not None:
            with suppress(Exception):
                return await asyncio.shield(task)
            return await run_in_threadpool(look_up)
        task = asyncio.create_task(self._answer(key, look_up, self._under_way.get(key)))
        self._next[key] = task
        # Who asked first may go away; the others wait still.
        return await asyncio.shield(task)

    async def _answer(
        self, key: K, look_up: Callable[[], V], before: "asyncio.Task[V] | None"
    ) -> V:
        this = self._next[key]
        try:
            if before is not None:
                await asyncio.wait([before])
        finally:
            # From here on an answer may lack what its asker has just done.
            del self._next[key]
        self._under_way[key] = this
        try:
            return await run_in_threadpool(look_up)
        finally:
            if self._under_way.get(key) is this:
                del self._under_way[key]
