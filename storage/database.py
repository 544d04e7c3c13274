"""The connection to PostgreSQL, transactions, notifications and migrations.

PostgreSQL is the only dialect. Every function elsewhere that takes a
``Session`` works inside the transaction of its caller, so that a change, its
audit record and its message are committed together or not at all.
"""

import select
import time
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
    event,
    literal,
    make_url,
    text,
)
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Session, sessionmaker
from typing_extensions import override

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS: Final = Path(__file__).parent / "migrations"
_MIGRATION_LOCK: Final = 0x5244434D  # advisory lock key, ASCII "RDCM"

# Every query is a short one, and somebody waits for it: compiling it or starting workers for it
# takes longer than it does. What it reads is in memory or on a disk without a head to move.
_OPTIONS: Final = (
    "-c timezone=UTC -c jit=off -c max_parallel_workers_per_gather=0 -c random_page_cost=1.1"
)
# A firewall forgets connections that say nothing for minutes, and tells nobody.
_TRUSTED_SECONDS: Final = 30.0


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


class Database:
    """A pool of connections to one PostgreSQL database.

    Thread-safe; make one per process, after forking.
    """

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        """Prepare the pool without connecting.

        url: SQLAlchemy URL, ``postgresql+psycopg://…`` (plain ``postgresql://`` is read the same).
        pool_size: connections kept; as many again may be opened under load.
        """
        self.url = psycopg_url(url)
        self.engine: Engine = create_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=pool_size,
            # The connection used last: its server process has the catalogue, the plans and the
            # prepared statements in memory.
            pool_use_lifo=True,
            connect_args={"options": _OPTIONS},
            # An error's text ends up in logs, and parameters are patient data.
            hide_parameters=True,
        )
        _never_hand_out_dead_ones(self.engine)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        self._reading = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def transaction(self) -> Generator[Session]:
        """Open a transaction; commit at the end of the block, roll back when it raises."""
        with self._sessions() as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """Open a connection for a few queries, each of which sees what is committed by then.

        No transaction is begun or ended: that would be two more round trips to the server. What
        is written through it is committed at once.
        """
        with self._reading.connect() as connection:
            yield connection

    @contextmanager
    def listen(self, *channels: str) -> Generator[psycopg.Connection[Any]]:
        """Yield a connection of its own, in autocommit, listening on `channels`.

        Read it with ``connection.notifies(timeout=…)``. It is not taken from
        the pool, since it may wait for hours.
        """
        parameters = (
            make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)
        )
        with psycopg.connect(parameters, autocommit=True) as connection:
            for channel in channels:
                connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            yield connection

    def close(self) -> None:
        """Close every idle connection of the pool."""
        self.engine.dispose()


def _never_hand_out_dead_ones(engine: Engine) -> None:
    """Have connections that died with a restarted server replaced when they are taken out.

    The end of a server shows on the socket: to look there costs nothing, where a query before
    every query would be a round trip. Connections that have been still for long are asked.
    """

    def check(connection: psycopg.Connection[Any], record: Any, _fairy: object) -> None:  # noqa: ANN401 -- SQLAlchemy's, whose `info` is a plain dictionary
        now = time.monotonic()
        used_at = record.info.get("used_at", now)
        record.info["used_at"] = now
        try:
            waiting = select.poll()
            waiting.register(connection.fileno(), select.POLLIN)
            if waiting.poll(0) or now - used_at > _TRUSTED_SECONDS:
                engine.dialect.do_ping(connection)  # pyright: ignore[reportArgumentType] -- SQLAlchemy's own protocol of it
        except psycopg.Error as error:
            raise InvalidatePoolError from error

    event.listen(engine, "checkout", check)


def psycopg_url(url: str) -> str:
    """Return `url` with the driver named, so that SQLAlchemy takes psycopg 3."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql" and parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    return parsed.render_as_string(hide_password=False)


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


def migrate(url: str) -> None:
    """Bring the schema to the newest version.

    Processes that start together wait for each other on an advisory lock, and
    the second finds nothing left to do.
    """
    from alembic import command  # noqa: PLC0415 -- for `rdc migrate` alone

    engine = create_engine(psycopg_url(url))
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _MIGRATION_LOCK})
            connection.commit()
            try:
                with connection.begin():
                    command.upgrade(migration_config(connection), "head")
            finally:
                connection.execute(
                    text("SELECT pg_advisory_unlock(:key)"), {"key": _MIGRATION_LOCK}
                )
                connection.commit()
    finally:
        engine.dispose()
