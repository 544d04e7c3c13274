"""Commands that need the database, whether the system runs or not."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from deploy import bootstrap, state
from deploy.embedded.postgres import EmbeddedPostgres
from deploy.embedded.processes import exclusive
from storage.database import Database

if TYPE_CHECKING:
    from collections.abc import Generator

    from deploy.settings import Settings


@contextmanager
def reachable_database(settings: Settings) -> Generator[Settings]:
    """Yield settings that name a database which answers.

    That is the one set, or the running system's; when the system is down, its
    embedded database is started for the length of the block.
    Raises AlreadyRunning when the system is just starting.
    """
    settings = state.with_running(settings)
    if settings.database_url is not None:
        yield settings
        return
    data = settings.data_dir
    data.mkdir(parents=True, exist_ok=True, mode=0o711)
    with (
        exclusive(data / "lock", f"the data directory {data}"),
        EmbeddedPostgres(data / "postgres") as server,
    ):
        yield settings.changed(database_url=server.url)


@contextmanager
def open_database(settings: Settings) -> Generator[Database]:
    """Yield the centre's database at this version's schema, the signing authority made."""
    with reachable_database(settings) as found:
        bootstrap.prepare(found)
        database = Database(bootstrap.database_url(found), pool_size=1, time_zone=found.time_zone)
        try:
            yield database
        finally:
            database.close()
