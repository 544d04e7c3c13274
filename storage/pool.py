"""Pools of connections to PostgreSQL: how one is opened, tried, counted, and told whose it is.

Every connection of a pool has one database role on (`storage.walls`), and keeps what it was last
told of whose rows it may see.
"""

import select
import time
from collections.abc import Mapping
from typing import Any, Final

import psycopg
from sqlalchemy import create_engine, event, make_url, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import Session

from storage import metering
from storage.civil_day import connection_option
from storage.errors import RdcError
from storage.walls import building
from storage.walls.reach import Reach

# Every query is a short one, and somebody waits for it: compiling it or starting workers for it
# takes longer than it does. What it reads is in memory or on a disk without a head to move.
OPTIONS: Final = (
    "-c timezone=UTC -c jit=off -c max_parallel_workers_per_gather=0 -c random_page_cost=1.1"
    # The server learns as soon that we are gone: what a machine without a cable has locked is free
    # again. A connection through a socket of this machine takes no notice of them.
    " -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=3 -c tcp_keepalives_count=3"
    " -c tcp_user_timeout=20000"
)
NAMED: Final = "rdc "
"""Begins the names of our processes among the server's connections."""

# A server whose cable is pulled closes nothing: without these a query waits a quarter of an hour
# for the kernel to give up, and who listens waits for ever. libpq's words, in s; the last in ms.
LIVENESS: Final[Mapping[str, str | int]] = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
# What goes to a standby goes to the primary when it falls silent, so nobody waits for it for long.
_STANDBY_LIVENESS: Final[Mapping[str, str | int]] = {
    "connect_timeout": 2,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 2,
    "tcp_user_timeout": 4_000,
}
_READ_ONLY: Final = "-c default_transaction_read_only=on"
# Of a process that hangs: what it has locked is free again. No transaction of ours waits for
# anything but the database.
_IDLE_MILLISECONDS: Final = 300_000
# A firewall forgets connections that say nothing for minutes, and tells nobody.
_TRUSTED_SECONDS: Final = 30.0

# Nothing, where the wall was not built: before the first migration, or without the roles.
_TAKE_ROLE: Final = (
    "SELECT set_config('role', rolname, false) FROM pg_roles WHERE rolname = %s"
    " AND pg_has_role(session_user, oid, 'MEMBER')"
    " AND obj_description(to_regprocedure('public.rdc_sites()'), 'pg_proc') IS NOT NULL"
)
_SET: Final = (
    f"SELECT set_config('{building.SETTING}', :sites, {{local}}),"
    f" set_config('{building.PERSON_SETTING}', :person, {{local}})"
)
_SEE_IN_TRANSACTION: Final = text(_SET.format(local="true"))
_SEE: Final = text(_SET.format(local="false"))
_TOLD: Final = "told"
_ENCODING: Final = "UTF8"


class EncodingUnfit(RdcError):
    """The database cannot keep every character."""


def psycopg_url(url: str) -> str:
    """Return `url` with the driver named, so that SQLAlchemy takes psycopg 3."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql" and parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    return parsed.render_as_string(hide_password=False)


def connection_parameters(url: str) -> Mapping[str, str]:
    """Return the parts of a URL by libpq's names, for who connects without SQLAlchemy.

    Several servers, ``?host=one:5432&host=two:5432&target_session_attrs=read-write``, become lists
    of hosts and ports: libpq takes the first that fits.
    """
    parsed = make_url(psycopg_url(url))
    _, parameters = parsed.get_dialect()().create_connect_args(parsed)
    return {name: str(value) for name, value in parameters.items()}


def direct_parameters(url: str) -> dict[str, Any]:
    """Return how to connect without a pool, so that a server that is gone is noticed."""
    return {**LIVENESS, **connection_parameters(url)}


def connect_arguments(
    time_zone: str, *, reads_only: bool, name: str, milliseconds: int
) -> Mapping[str, str | int]:
    """Return how the connections of a pool are opened; see `Database`.

    milliseconds: how long a statement, or a lock, is waited for; 0: for ever.
    """
    options = (
        f"{OPTIONS} {connection_option(time_zone)}"
        f" -c idle_in_transaction_session_timeout={_IDLE_MILLISECONDS}"
        f" -c statement_timeout={milliseconds} -c lock_timeout={milliseconds}"
    )
    common = {"application_name": f"{NAMED}{name}"} if name else {}
    if reads_only:
        return {**_STANDBY_LIVENESS, **common, "options": f"{options} {_READ_ONLY}"}
    return {**LIVENESS, **common, "options": options}


def pool_of_role(url: str, size: int, role: str, arguments: Mapping[str, str | int]) -> Engine:
    """Return a pool of connections that all have `role` on, where the wall is built.

    size: connections kept; as many again may be opened under load.
    """
    engine = create_engine(
        url,
        pool_size=size,
        max_overflow=size,
        # The connection used last: its server process has the catalogue, the plans and the
        # prepared statements in memory.
        pool_use_lifo=True,
        connect_args=dict(arguments),
        # An error's text ends up in logs, and parameters are patient data.
        hide_parameters=True,
    )

    def take_role(connection: psycopg.Connection[Any], _record: object) -> None:
        connection.autocommit = True
        connection.execute(_TAKE_ROLE, (role,))
        connection.autocommit = False

    # Before SQLAlchemy's own first question, whose answer such a server gives as bytes.
    event.listen(engine, "connect", _refuse_other_encodings, insert=True)
    event.listen(engine, "connect", take_role)
    _never_hand_out_dead_ones(engine)
    _count_those_in_use(engine)
    return engine


def tell_transaction(session: Session, whose: Reach) -> None:
    """Let the current transaction see the rows that somebody reaches; its end ends that."""
    session.execute(_SEE_IN_TRANSACTION, _told(whose))


def tell_connection(connection: Connection, whose: Reach) -> None:
    """Let a connection in autocommit see the rows that somebody reaches, until another is told.

    It is said only where somebody else was the last: a transaction's own word falls back to this
    one at its end, and no one else writes these settings.
    """
    # Of this connection to the server: another in its place begins with an empty one.
    known = connection.info
    if known.get(_TOLD) == whose:
        return
    # Where it is not known whether the server has heard it, the next one says his own.
    known.pop(_TOLD, None)
    connection.execute(_SEE, _told(whose))
    known[_TOLD] = whose


def _told(whose: Reach) -> dict[str, str]:
    return {
        "sites": ",".join(map(str, whose.sites)),
        "person": "" if whose.person is None else str(whose.person),
    }


def _refuse_other_encodings(connection: psycopg.Connection[Any], _record: object) -> None:
    found = connection.info.parameter_status("server_encoding")
    if found != _ENCODING:
        message = f"the database {connection.info.dbname} cannot keep every name"
        raise EncodingUnfit(
            message,
            expected=f"the encoding {_ENCODING}",
            found=str(found),
            remedy="Make it anew with ENCODING 'UTF8' LOCALE 'C.UTF-8' TEMPLATE template0",
        )


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
            metering.count("rdc_database_connect_errors_total")
            raise InvalidatePoolError from error

    event.listen(engine, "checkout", check)


def _count_those_in_use(engine: Engine) -> None:
    def out(_connection: object, _record: object, _fairy: object) -> None:
        metering.count("rdc_database_connections_in_use")

    def back(_connection: object, _record: object) -> None:
        metering.count("rdc_database_connections_in_use", by=-1)

    event.listen(engine, "checkout", out)
    event.listen(engine, "checkin", back)
