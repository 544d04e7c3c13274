"""Processes and servers: do they run, answer, and keep what they are told."""

import secrets
from collections.abc import Iterator
from contextlib import closing
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from deploy import bootstrap, state
from deploy.doctor import centre, connections, revocations, standby, trail
from deploy.doctor.findings import Finding, Severity, fault, fine, warning
from deploy.settings import Settings
from deploy.status import collect
from storage.database import Database, as_owner
from storage.objects import ObjectKey, ObjectStoreError, open_object_store
from storage.schema_versions import FOUND, SchemaUnfit, check_fit, own_version
from storage.walls.building import APP_ROLE, ROLES, SEARCHES, leakproof_statements, roles_by_hand

_OLDEST_SERVER: Final = 150000
_CONNECTIONS_WARNING: Final = 0.8
_LONG_TRANSACTION_MINUTES: Final = 10
# What PostgreSQL must not be told to forget: each setting, and what it costs when it is off.
_DURABLE: Final = {
    "fsync": "a power cut may destroy the database",
    "full_page_writes": "a power cut may destroy pages of the database",
    "synchronous_commit": "a power cut may take what was acknowledged",
}


_ALL_ROLES: Final = text(
    "SELECT count(*) = :all FROM pg_roles WHERE rolname = ANY(:names)"
    " AND pg_has_role(session_user, oid, 'MEMBER')"
).bindparams(all=len(ROLES), names=list(ROLES))
# Where there is one consortium its centre's role has no condition to wait behind.
_SEARCHES_FREE: Final = text(
    "SELECT (SELECT count(*) FROM organisation WHERE kind = 'consortium') < 2"
    " OR (SELECT bool_and(proleakproof) FROM pg_proc"
    " WHERE oid = ANY(CAST(:names AS regprocedure[])))"
).bindparams(names=list(SEARCHES))


def look(settings: Settings) -> Iterator[Finding]:
    """Look at what runs; the object store gets one small object, which is removed again."""
    running = state.read(settings.run_dir)
    if running is None and settings.database_url is None:
        yield fault("system", "it does not run on this machine", "Start it: `rdc up`.")
        return
    found = collect(settings)
    for process in found.processes:
        if running is not None and process.pid is None:
            yield fault(
                "process",
                f"{process.name} does not run",
                f"It is started again by itself; see its log in {settings.data_dir / 'log'}.",
            )
    for server in found.servers:
        if not server.answers:
            yield fault(
                server.name,
                f"does not answer: {server.detail}",
                server.remedy
                or "Start it, or correct its address; nothing acknowledged is lost meanwhile.",
            )
        elif server.name != "database":
            yield fine(server.name, f"answers, {server.detail}" if server.detail else "answers")
    settings = state.with_running(settings)
    if settings.database_url is not None:
        yield from _database(settings)
        yield from standby.look(settings)
    if all(server.answers for server in found.servers if server.name == "object store"):
        yield _object_store(settings)


def _database(settings: Settings) -> Iterator[Finding]:
    try:
        with (
            closing(Database(bootstrap.database_url(settings), pool_size=1)) as database,
            database.transaction() as session,
        ):
            yield from _wall(session)
            # The application's role is told nothing of other sessions' transactions.
            as_owner(session)
            yield from _server(session)
            yield from connections.look(session)
            schema = _schema(session)
            yield schema
            if schema.severity is not Severity.FAULT:
                yield from centre.look(session)
                yield from revocations.of_receivers(session)
                yield from trail.look(session)
    except SQLAlchemyError as error:
        # Its message may hold the address with the password.
        yield fault(
            "database", f"cannot be asked: {type(error).__name__}", "See its log; start it again."
        )


def _server(session: Session) -> Iterator[Finding]:
    version = int(session.scalar(text("SHOW server_version_num")) or 0)
    if version < _OLDEST_SERVER:
        yield fault("database", f"PostgreSQL {version // 10000} is too old", "Use 15 or newer.")
    for name, cost in _DURABLE.items():
        if session.scalar(text("SELECT current_setting(:name)"), {"name": name}) == "off":
            yield fault("database", f"{name} is off: {cost}", f"Set {name} = on in PostgreSQL.")
    used, most, oldest = session.execute(
        text(
            "SELECT count(*), current_setting('max_connections')::int,"
            " coalesce(extract(epoch FROM max(now() - xact_start)) / 60, 0)"
            " FROM pg_stat_activity WHERE backend_type = 'client backend'"
        )
    ).one()
    if used > most * _CONNECTIONS_WARNING:
        yield warning(
            "database",
            f"{used} of {most} connections are in use",
            "Raise max_connections, or run fewer processes.",
        )
    if oldest > _LONG_TRANSACTION_MINUTES:
        yield warning(
            "database",
            f"a transaction has been open for {oldest:.0f} minutes",
            "Find it in pg_stat_activity and end it: it keeps old rows from being removed.",
        )
    yield fine("database", f"PostgreSQL {version // 10000}, {used} of {most} connections in use")


def _wall(session: Session) -> Iterator[Finding]:
    """Tell when no database role stands between the sites, or searches behind it are slow."""
    owner, present = session.execute(text("SELECT quote_ident(session_user), current_user")).one()
    if present != APP_ROLE or not session.scalar(_ALL_ROLES):
        yield warning(
            "database",
            "sites are kept apart by our own conditions alone, not by the database as well",
            f"As the database's administrator: {'; '.join(roles_by_hand(owner))}."
            " Then run `rdc migrate`, and start again.",
        )
    elif not session.scalar(_SEARCHES_FREE):
        name = session.scalar(text("SELECT current_database()"))
        yield warning(
            "database",
            "there are several consortia, and searches by name take long for their centres",
            f"As the database's administrator, in the database {name}: "
            f"{'; '.join(leakproof_statements())}.",
        )


def _schema(session: Session) -> Finding:
    head = own_version()
    found, oldest = session.execute(text(FOUND)).one()
    try:
        check_fit(found, oldest, head)
    except SchemaUnfit as error:
        return fault("database", f"{error.what}: schema {found}, ours is {head}", error.remedy)
    if found == head:
        return fine("database", f"its schema is this version's ({head})")
    return warning(
        "database",
        f"its schema is {found}, of a later version than this one ({head}), which can work with it",
        "Finish the upgrade: install the later version here, too.",
    )


def _object_store(settings: Settings) -> Finding:
    """Put an object, read it back and remove it."""
    content = secrets.token_bytes(64)
    # Among what can be made again: if we are killed in between, nobody misses or reports it.
    key = ObjectKey(f"derived/doctor/{secrets.token_hex(8)}")
    try:
        objects = open_object_store(settings.object_store)
        objects.put(key, content)
        same = objects.read(key) == content
        objects.delete(key)
    except (ObjectStoreError, OSError) as error:
        return fault(
            "object store",
            f"does not keep what it is given: {type(error).__name__}",
            "See its log, its space and its permissions; the spool keeps what comes meanwhile.",
        )
    if not same:
        return fault(
            "object store", "gives back other bytes than it was given", "Stop, and find the cause."
        )
    return fine("object store", "keeps what it is given and gives it back")
