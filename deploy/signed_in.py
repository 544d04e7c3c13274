"""Acting as a person from the command line: by the same password and roles as in the browser."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import typer

from deploy.cli_session import ACTOR
from deploy.database_access import open_database
from deploy.settings import load
from reading_worklist.access import sessions

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from sqlalchemy.orm import Session

    from reading_worklist.access.scope import Scope

# As long as one command may take.
_LIMITS: Final = sessions.SessionLimits(timedelta(minutes=10), timedelta(minutes=10))


@contextmanager
def signed_in(data_dir: Path | None, login: str) -> Generator[tuple[Session, Scope]]:
    """Yield a transaction and the scope of the person, who is asked for the password.

    Where standard input is no terminal, its first line is the password.

    Raises:
        Problem: the password is wrong, or the person has no role today.
    """
    password = (
        typer.prompt(f"Password of {login}", hide_input=True, err=True)
        if sys.stdin.isatty()
        else sys.stdin.readline().rstrip("\n")
    )
    with open_database(load(data_dir=data_dir)) as database:
        with database.transaction() as session:
            stored = sessions.stored_password_hash(session, login)
        if not sessions.password_matches(stored, password):
            raise sessions.wrong_credentials()
        with database.transaction() as session:
            entered = sessions.sign_in(session, login, ACTOR, _LIMITS)
            yield session, entered.scope
            sessions.sign_out(session, entered.token, entered.scope)
