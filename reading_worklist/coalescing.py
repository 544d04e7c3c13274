"""One answer for all who ask the same at the same time.

When something changes, hundreds of pages ask for the same list within a second. Each answer costs
the database and this process as much as the first; most of them are the same.
"""

import asyncio
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

# They share one processor, where more of them would only take longer each. Meanwhile more who ask
# the same come together.
_AT_ONCE: Final = 4


class Coalesced(Generic[K, V]):
    """Answers that are looked up once for all who wait for them.

    Nobody is given anything old: an answer is begun after everybody who gets it has asked, so what
    was committed before somebody asked is in it. Who asks while it is being looked up waits for the
    next one. So for each key at most one is under way, however many ask, and few of all keys.

    What looks answers up runs in a thread, in the context of who asked for it first.
    """

    def __init__(self) -> None:
        """Begin with nothing under way."""
        self._under_way: Final[dict[K, asyncio.Task[V]]] = {}
        self._next: Final[dict[K, asyncio.Task[V]]] = {}
        self._threads: Final = ThreadPoolExecutor(_AT_ONCE, "coalesced")

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
            return await self._in_thread(look_up)
        task = asyncio.create_task(self._answer(key, look_up, self._under_way.get(key)))
        self._next[key] = task
        # Who asked first may go away; the others wait still.
        return await asyncio.shield(task)

    async def _answer(
        self, key: K, look_up: Callable[[], V], before: "asyncio.Task[V] | None"
    ) -> V:
        this = self._next[key]

        def begun() -> V:
            # From here on the answer may lack what its asker has just done.
            self._under_way[key] = this
            del self._next[key]
            return look_up()

        try:
            if before is not None:
                await asyncio.wait([before])
            return await self._in_thread(begun)
        finally:
            for tasks in (self._next, self._under_way):
                if tasks.get(key) is this:
                    del tasks[key]

    async def _in_thread(self, look_up: Callable[[], V]) -> V:
        context = copy_context()
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: context.run(look_up)
        )
