"""A rehearsal: what writes into the database is run for real, and nothing of it stays.

Every transaction within one is a savepoint of a single outer one, which is rolled back at the end.
Nobody else ever sees what was written, notifications are not sent, and a process that dies in the
middle leaves nothing behind.
"""

from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session, sessionmaker
from typing_extensions import override

from storage.database import Database


class _Rehearsal(Database):
    """The same database within one transaction; for one thread."""

    def __init__(self, database: Database, connection: Connection) -> None:
        self.url = database.url
        self.engine = database.engine
        self._savepoints = sessionmaker(
            connection, join_transaction_mode="create_savepoint", expire_on_commit=False
        )

    @override
    @contextmanager
    def transaction(self) -> Generator[Session]:
        with self._savepoints() as session, session.begin():
            yield session


@contextmanager
def rehearsal(database: Database) -> Generator[Database]:
    """Yield a database of which only `transaction` is used, and undo all that was done through it.

    Keep it short and wait for no network in it: locks are held until its end.
    """
    with database.transaction() as session:
        try:
            yield _Rehearsal(database, session.connection())
        finally:
            session.rollback()
