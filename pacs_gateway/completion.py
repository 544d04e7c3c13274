"""The clock that finds studies that are whole, or whose quiet time has passed."""

import logging
import threading
from typing import Final

from storage.database import Database
from storage.index.completion import complete_performed_studies, complete_quiet_studies
from storage.outbox import backoff_seconds

TICK_SECONDS: Final = 0.25
_LIMIT: Final = 100
_BACKOFF_CAP_SECONDS: Final = 10.0

_log = logging.getLogger(__name__)


class CompletionClock:
    """Completes studies every `TICK_SECONDS`, in a thread of its own.

    Several gateways may run one each.
    """

    def __init__(self, database: Database) -> None:
        """Prepare; nothing happens before `start`."""
        self._database = database
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="study-completion")

    def start(self) -> None:
        """Begin to tick."""
        self._thread.start()

    def stop(self) -> None:
        """End the clock and wait for it."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        failures = 0
        wait = TICK_SECONDS
        while not self._stopping.wait(wait):
            try:
                # As long as there are more than fit one transaction, the next one follows at once.
                while self._tick() == _LIMIT and not self._stopping.is_set():
                    pass
            except Exception as error:  # noqa: BLE001 -- the clock must not end while the gateway runs
                failures += 1
                _log.warning(
                    "studies cannot be completed now", extra={"error": type(error).__name__}
                )
                wait = backoff_seconds(failures, base=TICK_SECONDS, cap=_BACKOFF_CAP_SECONDS)
            else:
                failures = 0
                wait = TICK_SECONDS

    def _tick(self) -> int:
        with self._database.transaction() as session:
            whole = complete_performed_studies(session, limit=_LIMIT)
            return max(whole, complete_quiet_studies(session, limit=_LIMIT))
