"""PostgreSQL's own pg_dump and pg_restore, from the wheel of the embedded server."""

import os
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.conninfo import make_conninfo

from deploy.embedded.postgres import programs_for
from deploy.errors import DeployError
from storage.pool import connection_parameters

_NO_CLUSTER: Final = Path(os.devnull)
_SHOWN: Final = 2000

# Everything in the schema, and nothing but: the schema itself may belong to somebody else.
_EMPTY: Final = """
DO $$
DECLARE one record;
BEGIN
    FOR one IN SELECT c.relname AS name,
            CASE c.relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW'
                WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END AS kind
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
        ORDER BY c.relkind = 'S'
    LOOP
        -- What went with a table dropped before is gone already.
        EXECUTE format('DROP %s IF EXISTS public.%I CASCADE', one.kind, one.name);
    END LOOP;
    FOR one IN SELECT p.oid::regprocedure AS name FROM pg_proc p
        JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = 'public'
    LOOP
        EXECUTE format('DROP ROUTINE IF EXISTS %s CASCADE', one.name);
    END LOOP;
    FOR one IN SELECT t.typname AS name FROM pg_type t
        JOIN pg_namespace n ON n.oid = t.typnamespace
        WHERE n.nspname = 'public' AND t.typtype IN ('e', 'd')
    LOOP
        EXECUTE format('DROP TYPE IF EXISTS public.%I CASCADE', one.name);
    END LOOP;
END $$
"""


class DumpFailed(DeployError):
    """PostgreSQL's program did not do its work."""


@contextmanager
def consistent_snapshot(url: str) -> Generator[tuple[psycopg.Connection[Any], str]]:
    """Yield a connection inside a transaction that sees one moment, and that moment's name.

    A dump made under the name sees exactly the same rows.
    """
    conninfo, password = _conninfo(url)
    with psycopg.connect(conninfo, password=password) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        row = connection.execute("SELECT pg_export_snapshot()").fetchone()
        assert row is not None
        yield connection, str(row[0])


def dump(url: str, target: Path, snapshot: str) -> None:
    """Write the database as of `snapshot` to `target`, in pg_dump's custom format.

    Raises:
        DumpFailed: pg_dump says why.
    """
    _run("pg_dump", url, ["--format=custom", f"--snapshot={snapshot}", f"--file={target}"])


def load(url: str, source: Path) -> None:
    """Empty the database and fill it from `source`, all of it in one transaction or not at all.

    Raises:
        DumpFailed: pg_restore says why; the database is empty then.
    """
    conninfo, password = _conninfo(url)
    with psycopg.connect(conninfo, password=password, autocommit=True) as connection:
        connection.execute(_EMPTY)
    # Roles may have other names here, or be missing. The wall between sites is built again by the
    # next migration, which knows by a comment what has been built.
    left_out = ["--no-owner", "--no-privileges", "--no-policies", "--no-comments"]
    _run(
        "pg_restore",
        url,
        [*left_out, "--single-transaction", "--exit-on-error", str(source)],
    )


def others_connected(url: str) -> int:
    """Count the other sessions of the database."""
    conninfo, password = _conninfo(url)
    with psycopg.connect(conninfo, password=password, autocommit=True) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        ).fetchone()
    return int(row[0]) if row else 0


def is_in_use(url: str) -> bool:
    """Tell whether the database holds a system: somebody has been entered in its registry."""
    conninfo, password = _conninfo(url)
    with psycopg.connect(conninfo, password=password, autocommit=True) as connection:
        row = connection.execute("SELECT to_regclass('public.organisation') IS NOT NULL").fetchone()
        if row is None or not row[0]:
            return False
        return connection.execute("SELECT FROM organisation LIMIT 1").fetchone() is not None


def _conninfo(url: str) -> tuple[str, str | None]:
    """Return how to connect, and the password apart: it must not be seen in a list of processes."""
    parameters = dict(connection_parameters(url))
    password = parameters.pop("password", None)
    return make_conninfo("", **parameters), password


def _run(program: str, url: str, arguments: Sequence[str]) -> None:
    conninfo, password = _conninfo(url)
    environment = dict(os.environ)
    if password is not None:
        environment["PGPASSWORD"] = password
    done = subprocess.run(  # noqa: S603 - the wheel's own program
        [programs_for(_NO_CLUSTER) / program, f"--dbname={conninfo}", "--no-password", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DumpFailed(
            f"{program} failed",
            found=done.stderr.strip()[-_SHOWN:],
            remedy="See that the server runs, is no newer than this program, and has disk space.",
        )
