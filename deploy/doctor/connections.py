"""Connections to the database: what is connected may at worst hold more than the server lets in."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from deploy.connections import OTHERS
from deploy.doctor.findings import Finding, fine, warning
from storage.pool import NAMED

_CONNECTED: Final = text(
    "SELECT DISTINCT application_name, client_addr FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name ~ :told"
)
_LIMITS: Final = text(
    "SELECT current_setting('max_connections')::int,"
    " current_setting('superuser_reserved_connections')::int"
)


def look(session: Session) -> Iterator[Finding]:
    """Hold what the processes of all machines may hold against what the server lets in.

    session: of the owner, who sees the names of all.
    """
    told = session.execute(_CONNECTED, {"told": f"^{NAMED}.*/[0-9]+$"}).all()
    wanted = sum(int(name.rpartition("/")[2]) for name, _ in told) + OTHERS
    most, reserved = session.execute(_LIMITS).one()
    what = f"the {len(told)} processes that are connected may hold {wanted} connections at worst"
    if wanted > most - reserved:
        yield warning(
            "database",
            f"{what}, and the server lets {most - reserved} in",
            f"Set max_connections = {wanted + reserved} or more in PostgreSQL and start it again.",
        )
    else:
        yield fine("database", f"{what}; the server lets {most - reserved} in")
