"""A work that is done again and again, in a thread of its own."""

import logging
import threading
from collections.abc import Callable

from storage.outbox import backoff_seconds

_log = logging.getLogger(__name__)


class Ticking:
    """Does a work every so often, from `start` to `stop`.

    A round that fails is told in the log and tried again, after the same pause or, where there is
    a `longest`, after pauses that grow to it while it goes on failing.

    A process that ends without `stop`, because what it did meanwhile failed, does not wait for the
    thread: a round is one transaction or several, each of which happens or does not.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[threading.Event], None],
        *,
        every: float,
        longest: float | None = None,
        trouble: str,
    ) -> None:
        """Prepare; nothing happens before `start`.

        name: the thread's. work: one round; a long one ends early when the event is set.
        every, longest: seconds. trouble: what the log says when a round failed.
        """
        self._work = work
        self._every = every
        self._longest = longest or every
        self._trouble = trouble
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin; the first round comes after the first pause."""
        self._thread.start()

    def stop(self) -> None:
        """End after the round at hand, and wait for it."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        failures = 0
        wait = self._every
        while not self._stopping.wait(wait):
            try:
                self._work(self._stopping)
            except Exception as error:  # noqa: BLE001 -- it goes on while the gateway runs
                failures += 1
                _log.warning(self._trouble, extra={"error": type(error).__name__})
                wait = backoff_seconds(failures, base=self._every, cap=self._longest)
            else:
                failures = 0
                wait = self._every
