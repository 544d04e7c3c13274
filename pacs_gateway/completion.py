"""The clock that finds studies that are whole, or whose quiet time has passed."""

import threading
from typing import Final

from pacs_gateway.ticking import Ticking
from storage.database import Database
from storage.index.completion import complete_performed_studies, complete_quiet_studies

TICK_SECONDS: Final = 0.25
_LIMIT: Final = 100
_BACKOFF_CAP_SECONDS: Final = 10.0


class CompletionClock:
    """Completes studies every `TICK_SECONDS`, in a thread of its own.

    Several gateways may run one each.
    """

    def __init__(self, database: Database) -> None:
        """Prepare; nothing happens before `start`."""
        self._database = database
        self._ticking = Ticking(
            "study-completion",
            self._complete,
            every=TICK_SECONDS,
            longest=_BACKOFF_CAP_SECONDS,
            trouble="studies cannot be completed now",
        )

    def start(self) -> None:
        """Begin to tick."""
        self._ticking.start()

    def stop(self) -> None:
        """End the clock and wait for it."""
        self._ticking.stop()

    def _complete(self, stopping: threading.Event) -> None:
        # As long as there are more than fit one transaction, the next one follows at once.
        while self._tick() == _LIMIT and not stopping.is_set():
            pass

    def _tick(self) -> int:
        with self._database.transaction() as session:
            whole = complete_performed_studies(session, limit=_LIMIT)
            return max(whole, complete_quiet_studies(session, limit=_LIMIT))
