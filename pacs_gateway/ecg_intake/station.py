"""The process that takes ECG files in: files that wait, and folders that are watched.

It listens for PostgreSQL's notification of a new file and looks by itself every
second. Several may run: each file's row is leased by one of them.
"""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from uuid import UUID

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from pacs_gateway.config import EcgIntakeConfig
from pacs_gateway.ecg_intake import engine
from pacs_gateway.ecg_intake.folders import WatchedFolder
from pacs_gateway.ecg_intake.workshop import Workshop
from storage.database import Database
from storage.hearing import Hearing
from storage.objects import ObjectStore, ObjectStoreUnavailable

_LOOK_SECONDS: Final = 1.0
_FOLDER_SECONDS: Final = 0.5
_LONGEST_PAUSE_SECONDS: Final = 10.0
_THREADS: Final = 2

_log = logging.getLogger(__name__)


class IntakeStation:
    """Takes files in until it is stopped."""

    def __init__(
        self,
        config: EcgIntakeConfig,
        database: Database,
        objects: ObjectStore,
        workshop: Workshop,
    ) -> None:
        """Prepare; nothing happens before `start`.

        workshop: where files are read; the caller closes it after `stop`.
        """
        self._config = config
        self._database = database
        self._objects = objects
        self._workshop = workshop
        self._stopping = threading.Event()
        self._hearing = Hearing()
        self._working = threading.Semaphore(_THREADS)
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="ecg-file")
        self._threads = [threading.Thread(target=self._listen, name="ecg-files")]
        if config.folders:
            self._threads.append(threading.Thread(target=self._watch, name="ecg-folders"))

    def start(self) -> None:
        """Begin to work, with a process for reading ready before the first file comes."""
        self._workshop.warm_up()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish the files at hand and end."""
        self._stopping.set()
        self._hearing.end()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        self._hearing.close()
        self._pool.shutdown(cancel_futures=True)

    def _listen(self) -> None:
        pause = 0.0
        while not self._stopping.wait(pause):
            try:
                with self._database.listen(engine.CHANNEL) as connection:
                    pause = 0.0
                    while not self._stopping.is_set():
                        if not self._hand_out():
                            self._hearing.news(connection, _LOOK_SECONDS)
            except (psycopg.Error, SQLAlchemyError) as error:
                pause = min(max(2 * pause, _LOOK_SECONDS), _LONGEST_PAUSE_SECONDS)
                _log.warning(
                    "the database does not answer",
                    extra={"why": type(error).__name__, "wait": pause},
                )

    def _hand_out(self) -> bool:
        """Give one waiting file to a free thread; False when none waits."""
        if not self._working.acquire(timeout=_LOOK_SECONDS):
            return True
        handed = False
        try:
            with self._database.transaction() as session:
                found = engine.due(session, 1)
            if found:
                self._pool.submit(self._attempt, found[0])
                handed = True
        finally:
            if not handed:
                self._working.release()
        return handed

    def _attempt(self, file_id: UUID) -> None:
        try:
            engine.attempt(file_id, self._database, self._objects, self._config, self._workshop)
        except Exception:  # noqa: BLE001 -- whatever it is, the next file has its turn
            _log.exception("an ECG file could not be looked at; it is tried again")
        finally:
            self._working.release()

    def _watch(self) -> None:
        folders = {
            code: WatchedFolder(
                code,
                folder,
                self._database,
                self._objects,
                settle_seconds=self._config.settle_seconds,
            )
            for code, folder in self._config.folders.items()
        }
        pause = _FOLDER_SECONDS
        while not self._stopping.wait(pause):
            pause = _FOLDER_SECONDS
            for code, folder in folders.items():
                try:
                    folder.look()
                except (OSError, SQLAlchemyError, ObjectStoreUnavailable) as error:
                    pause = _LONGEST_PAUSE_SECONDS
                    _log.warning(
                        "a watched folder cannot be used now",
                        extra={"site": code, "why": type(error).__name__},
                    )
