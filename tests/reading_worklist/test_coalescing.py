"""Who asks the same at the same time shares one answer, and nobody is given an old one."""

import asyncio
import threading

import pytest

from reading_worklist.coalescing import Coalesced


class Books:
    """Something that changes, and takes as long to look up as the test wants."""

    def __init__(self) -> None:
        self.value = 0
        self.looked_up = 0
        self.opened = threading.Event()
        self.opened.set()
        self.begun = threading.Event()

    def look_up(self) -> int:
        self.looked_up += 1
        found = self.value
        self.begun.set()
        assert self.opened.wait(10)
        return found


def test_those_who_wait_share_one_answer_that_was_begun_after_they_asked() -> None:
    async def scene() -> None:
        books, shared = Books(), Coalesced[str, int]()
        books.opened.clear()
        first = asyncio.create_task(shared.get("page", books.look_up))
        await asyncio.to_thread(books.begun.wait, 10)
        books.value = 7
        later = [asyncio.create_task(shared.get("page", books.look_up)) for _ in range(300)]
        await asyncio.sleep(0)
        assert books.looked_up == 1, "one at a time"
        books.opened.set()
        assert await first == 0
        assert set(await asyncio.gather(*later)) == {7}, "what was committed before they asked"
        assert books.looked_up == 2

    asyncio.run(scene())


def test_another_key_is_another_answer_and_does_not_wait() -> None:
    async def scene() -> None:
        slow, quick, shared = Books(), Books(), Coalesced[str, int]()
        slow.opened.clear()
        waiting = asyncio.create_task(shared.get("slow", slow.look_up))
        await asyncio.to_thread(slow.begun.wait, 10)
        assert await shared.get("quick", quick.look_up) == 0
        assert not waiting.done()
        slow.opened.set()
        assert await waiting == 0

    asyncio.run(scene())


def test_who_asked_first_may_go_away() -> None:
    async def scene() -> None:
        books, shared = Books(), Coalesced[str, int]()
        books.opened.clear()
        first = asyncio.create_task(shared.get("page", books.look_up))
        second = asyncio.create_task(shared.get("page", books.look_up))
        await asyncio.to_thread(books.begun.wait, 10)
        first.cancel()
        books.opened.set()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert (await second, books.looked_up) == (0, 1)
        assert await shared.get("page", books.look_up) == 0

    asyncio.run(scene())


def test_a_failure_is_its_askers_alone() -> None:
    async def scene() -> None:
        shared = Coalesced[str, int]()
        asked = 0

        def fails_at_first() -> int:
            nonlocal asked
            asked += 1
            if asked == 1:
                raise ZeroDivisionError
            return 5

        tasks = [asyncio.create_task(shared.get("page", fails_at_first)) for _ in range(3)]
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(found[0], ZeroDivisionError)
        assert found[1:] == [5, 5]
        assert await shared.get("page", fails_at_first) == 5

    asyncio.run(scene())
