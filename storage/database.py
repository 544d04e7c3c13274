"""The connection to PostgreSQL, transactions, notifications and migrations.

PostgreSQL is the only dialect. Every function elsewhere that takes a
``Session`` works inside the transaction of its caller, so that a change, its
audit record and its message are committed together or not at all.

Transactions and readings work in the database role of whoever's work is being
done (`storage.walls`): one that sees everything, or one that sees some rows.
"""

from collections.abc import Collection, Generator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final
from uuid import UUID

import psycopg
from psycopg import sql
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    MetaData,
    String,
    TypeDecorator,
    Uuid,
    any_,
    create_engine,
    literal,
    text,
)
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Session, sessionmaker
from sqlalchemy.pool import QueuePool
from typing_extensions import override

from storage import schema_versions
from storage.pool import (
    connect_arguments,
    direct_parameters,
    pool_of_role,
    psycopg_url,
    tell_connection,
    tell_transaction,
)
from storage.walls import building
from storage.walls.reach import Standing, reach

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS: Final = Path(__file__).parent / "migrations"
_MIGRATION_LOCK: Final = 0x5244434D  # advisory lock key, ASCII "RDCM"
# Connections kept for people of a standing of which there are few.
_OF_FEW: Final = 4


class Base(DeclarativeBase):
    """The declarative base of every table of every room.

    Each room declares its own tables on it.
    """

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    # A naive column would silently take the server's zone: every time is timestamptz.
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: DateTime(timezone=True)}


class Word(TypeDecorator[StrEnum]):
    """A column of words from an enumeration, text in the database and its members in Python.

    PostgreSQL's own enumerations are not used: they cannot be changed inside a migration's
    transaction that also uses them.
    """

    impl = String
    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__()
        self.words = words

    @override
    def process_bind_param(self, value: StrEnum | str | None, dialect: Dialect) -> str | None:
        return None if value is None else self.words(value).value

    @override
    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.words(value)


def one_of(
    column: InstrumentedAttribute[UUID] | InstrumentedAttribute[UUID | None],
    values: Collection[UUID],
) -> ColumnElement[bool]:
    """Return the SQL condition that a column has one of some values; of none, it has not.

    The values are one parameter. With one for each, every number of values is another statement,
    which SQLAlchemy writes, psycopg parses and the server plans anew: a third of the processor time
    of a page of the worklist.
    """
    if len(values) == 1:
        # An equality keeps the order of an index, which a list of one does not.
        [value] = values
        return column == value
    return column == any_(literal(list(values), ARRAY(Uuid())))


class _Pool:
    """The connections of one database role, for transactions and for reading."""

    def __init__(self, engine: Engine) -> None:
        self.sessions: Final = sessionmaker(engine, expire_on_commit=False)
        self.reading: Final = engine.execution_options(isolation_level="AUTOCOMMIT")


class Database:
    """A pool of connections to one PostgreSQL database.

    Thread-safe; make one per process, after forking.
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        time_zone: str = "UTC",
        reads_only: bool = False,
        name: str = "",
        patience: float = 0.0,
    ) -> None:
        """Prepare the pool without connecting.

        url: SQLAlchemy URL, ``postgresql+psycopg://…`` (plain ``postgresql://`` is read the same).
        pool_size: connections kept; as many again may be opened under load.
        time_zone: whose days `storage.civil_day.civil_day` means.
        reads_only: it is a standby (`storage.standby`): writes are refused, silence is short.
        name: of the process, for who looks at the server's connections.
        patience: so many seconds a statement, or a lock, is waited for; 0: for ever.
        """
        self.url = psycopg_url(url)
        # A pool for each role: a prepared statement is planned anew whenever the role changes.
        arguments = connect_arguments(
            time_zone, reads_only=reads_only, name=name, milliseconds=int(patience * 1000)
        )
        self.engine: Engine = pool_of_role(self.url, pool_size, building.APP_ROLE, arguments)
        # Made at once: they connect to nothing until somebody of that standing comes.
        engines = {None: self.engine} | {
            one: pool_of_role(self.url, _kept(pool_size, one), one, arguments) for one in Standing
        }
        self._engines = tuple(engines.values())
        self._pools = {standing: _Pool(engine) for standing, engine in engines.items()}

    @contextmanager
    def transaction(self) -> Generator[Session]:
        """Open a transaction; commit at the end of the block, roll back when it raises.

        It sees the rows that `storage.walls.reach` names when it is opened.
        """
        whose = reach()
        pool = self._pools[None if whose is None else whose.standing]
        with pool.sessions() as session, session.begin():
            if whose is not None:
                tell_transaction(session, whose)
            yield session

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """Open a connection for a few queries, each of which sees what is committed by then.

        No transaction is begun or ended: that would be two more round trips to the server. What
        is written through it is committed at once. It sees the rows that `transaction` would.
        """
        whose = reach()
        pool = self._pools[None if whose is None else whose.standing]
        with pool.reading.connect() as connection:
            if whose is not None:
                tell_connection(connection, whose)
            yield connection

    @contextmanager
    def listen(self, *channels: str) -> Generator[psycopg.Connection[Any]]:
        """Yield a connection of its own, in autocommit, listening on `channels`.

        Read it with ``connection.notifies(timeout=…)``, or with `storage.hearing` in a thread
        that another one ends. It is not taken from the pool, since it may wait for hours.
        """
        with psycopg.connect(autocommit=True, **direct_parameters(self.url)) as connection:
            for channel in channels:
                connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            yield connection

    def most_connections(self, at_once: int) -> int:
        """Return how many connections it may hold when so many threads work with it at once.

        Each role keeps its own, and those that work come on top of what others have kept.
        """
        pools = [engine.pool for engine in self._engines]
        kept = [pool.size() for pool in pools if isinstance(pool, QueuePool)]
        return min(sum(kept) + at_once, 2 * sum(kept))

    def close(self) -> None:
        """Close every idle connection of the pool."""
        for pool in self._pools.values():
            pool.reading.dispose()


def as_owner(session: Session) -> None:
    """Let the rest of a transaction work as the owner of the tables, past grants and policies.

    For the few acts that the role of the application must not do by the way, such as locking a
    table that it may only add to.
    """
    session.execute(text("SET LOCAL ROLE NONE"))


def _kept(pool_size: int, standing: Standing) -> int:
    """Return how many connections are kept for people of a standing; of most there are few."""
    return pool_size if standing is Standing.SITES else min(pool_size, _OF_FEW)


def notify(session: Session, channel: str, payload: str = "") -> None:
    """Tell listeners of `channel` when the transaction commits.

    payload: at most 8,000 bytes.
    """
    session.execute(
        text("SELECT pg_notify(:channel, :payload)"), {"channel": channel, "payload": payload}
    )


def migration_config(connection: Connection | None = None) -> "Config":
    """Return Alembic's configuration for the centre's migrations, without an ini file."""
    from alembic.config import Config  # noqa: PLC0415 -- for `rdc migrate` alone

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    if connection is not None:
        config.attributes["connection"] = connection
    return config


def schema_version() -> str | None:
    """Return the revision of the schema that this version of the software works with."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 -- as above

    return ScriptDirectory.from_config(migration_config()).get_current_head()


def _driver(connection: Connection) -> "psycopg.Connection[Any]":
    """Return psycopg's connection inside SQLAlchemy's."""
    found: Any = connection.connection.driver_connection
    return found


def check_schema(url: str) -> None:
    """See that this software works with the schema; see `schema_versions.check_schema`."""
    schema_versions.check_schema(direct_parameters(url))


def migrate(url: str) -> None:
    """Bring the schema to the newest version, and the wall between sites to its rules.

    Processes that start together wait for each other on an advisory lock, and
    the second finds nothing left to do. Nothing is done to the schema of a later version.

    Raises:
        SchemaUnfit: this software cannot work with that later version's schema.
    """
    from alembic import command  # noqa: PLC0415 -- for `rdc migrate` alone

    engine = create_engine(psycopg_url(url))
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _MIGRATION_LOCK})
            connection.commit()
            try:
                with connection.begin():
                    if schema_versions.is_later(_driver(connection)):
                        return
                    command.upgrade(migration_config(connection), "head")
                    building.build(connection)
                    schema_versions.say_oldest(_driver(connection))
            finally:
                connection.execute(
                    text("SELECT pg_advisory_unlock(:key)"), {"key": _MIGRATION_LOCK}
                )
                connection.commit()
    finally:
        engine.dispose()
