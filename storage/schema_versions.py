"""Which schemas this version of the software can work with, while another is beside it.

A centre of several machines is upgraded one by one: the schema first, which old processes then work
with for a while. Migrations therefore only add; what takes something away comes a release later and
raises `OLDEST`. The schema carries that number, so that software older than the schema can tell
whether it may go on.
"""

import logging
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import errors, sql

from storage.errors import RdcError

OLDEST: Final = "0001"
"""The oldest revision whose software works with the schema of this one."""

_VERSIONS: Final = Path(__file__).parent / "migrations" / "versions"
FOUND: Final = (
    "SELECT version_num, obj_description('public.alembic_version'::regclass, 'pg_class')"
    " FROM alembic_version"
)
"""The revision of the schema, and the oldest whose software works with it as far as it says so."""

_log = logging.getLogger(__name__)


class SchemaUnfit(RdcError):
    """This version of the software cannot work with the database's schema."""


def own_version() -> str:
    """Return the revision of the schema that this version of the software makes."""
    return max(path.name.partition("_")[0] for path in _VERSIONS.glob("[0-9]*.py"))


def check_fit(found: str | None, oldest: str | None, own: str) -> None:
    """See that software of the revision `own` works with a schema of the revision `found`.

    found: None where there is no schema yet. oldest: what the schema says of itself; one that says
        nothing was made before it had to.

    Raises:
        SchemaUnfit: it does not.
    """
    if found is None or found < own:
        raise SchemaUnfit(
            "the database has not been brought to this version",
            expected=f"schema {own}",
            found=f"schema {found}" if found else "none",
            remedy="Run `rdc migrate`. Processes of the version before work on beside it.",
        )
    if found > own and (oldest is None or oldest > own):
        raise SchemaUnfit(
            "the database belongs to a later version of the software",
            expected=f"a schema that software of {own} can work with",
            found=f"schema {found}, for {oldest or found} and later",
            remedy="Install that version here, too.",
        )


def check_schema(parameters: dict[str, Any]) -> None:
    """See that this software works with the database at libpq's `parameters`.

    One that does not answer is left alone: who receives starts without it.

    Raises:
        SchemaUnfit: it does not.
    """
    own = own_version()
    try:
        with psycopg.connect(autocommit=True, **parameters) as connection:
            found, oldest = _found(connection)
    except psycopg.OperationalError as error:
        _log.warning("the schema cannot be looked at now", extra={"error": type(error).__name__})
        return
    check_fit(found, oldest, own)
    if found != own:
        _log.info("working on a later schema", extra={"schema": found, "own": own})


def is_later(connection: psycopg.Connection[Any]) -> bool:
    """Tell whether a later version has made the schema, which then has nothing to be done to it.

    Raises:
        SchemaUnfit: and this software cannot work with it.
    """
    found, oldest = _found(connection)
    later = found is not None and found > own_version()
    if later:
        check_fit(found, oldest, own_version())
    return later


def say_oldest(connection: psycopg.Connection[Any]) -> None:
    """Write into the schema which software works with it."""
    connection.execute(
        sql.SQL("COMMENT ON TABLE alembic_version IS {}").format(sql.Literal(OLDEST))
    )


def _found(connection: psycopg.Connection[Any]) -> tuple[str | None, str | None]:
    try:
        with connection.transaction():
            row = connection.execute(FOUND).fetchone()
    except (errors.UndefinedTable, errors.InvalidSchemaName):
        return None, None
    return (None, None) if row is None else (str(row[0]), row[1])
