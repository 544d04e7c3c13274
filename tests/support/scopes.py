"""The scope of a seeded person, as a request would have it."""

from datetime import timedelta

from reading_worklist.access.scope import Scope
from reading_worklist.access.sessions import SessionLimits, sign_in
from storage.database import Database

LIMITS = SessionLimits(idle=timedelta(hours=1), absolute=timedelta(hours=12))


def scope_of(database: Database, login: str) -> Scope:
    """Sign the person in and return the scope."""
    with database.transaction() as session:
        return sign_in(session, login, "127.0.0.1", LIMITS).scope
