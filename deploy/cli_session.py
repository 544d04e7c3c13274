"""What the commands that work with the database have in common."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from sqlalchemy.orm import Session

    from deploy.settings import Settings

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Data directory of the system [RDC_DATA_DIR, ./var]"),
]
Code = Annotated[str, typer.Argument(help="Code of the organisation, such as EAST")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table")]
Fingerprint = Annotated[
    str | None,
    typer.Option(
        "--certificate",
        help="SHA-256 fingerprint of the TLS certificate it must call with; none: it need not",
    ),
]

ACTOR: Final = "rdc command line"
"""Who did it, in the audit trail, where no person has signed in."""


@contextmanager
def open_session(data_dir: Path | None) -> Generator[tuple[Session, Settings]]:
    """Yield a transaction of the centre's database, whether the system runs or not."""
    from deploy.database_access import open_database  # noqa: PLC0415 - `--help` stays quick
    from deploy.settings import load  # noqa: PLC0415

    settings = load(data_dir=data_dir)
    with open_database(settings) as database, database.transaction() as session:
        yield session, settings


def note(
    session: Session, action: str, subject_kind: str, subject: object, **detail: object
) -> None:
    """Leave the audit record of an act of the command line."""
    from storage import audit  # noqa: PLC0415

    audit.record(
        session,
        audit.system_actor(ACTOR),
        action,
        subject_kind=subject_kind,
        subject_id=subject,
        detail=detail,
    )


def show_table(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows under their headings."""
    from deploy.tables import render  # noqa: PLC0415

    typer.echo(render(headings, rows))
