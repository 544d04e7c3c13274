"""What people do with their own account: where they are signed in, and their password."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from reading_worklist.access.passwords import SHORTEST, hash_password, is_strong, verify_password
from reading_worklist.access.scope import Scope
from reading_worklist.access.sessions import SessionLimits, digest
from reading_worklist.access.tables import WebSession
from reading_worklist.problems import Problem, not_found
from storage import audit
from storage.clock import utc_now
from storage.database import Database
from storage.registry import Organisation, Person

_ID_LENGTH: Final = 16


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A place where a person is signed in.

    id: names it to its person; it opens nothing. own: whether it is the one that asks.
    """

    id: str
    organisation: Organisation
    client: str
    user_agent: str
    created_at: datetime
    last_seen_at: datetime
    own: bool


def open_sessions(
    session: Session, scope: Scope, token: str, limits: SessionLimits
) -> Sequence[OpenSession]:
    """Return where the person is signed in, the latest seen first."""
    rows = session.execute(
        select(WebSession, Organisation)
        .join(Organisation, Organisation.id == WebSession.organisation_id)
        .where(
            WebSession.person_id == scope.person_id,
            WebSession.ended_at.is_(None),
            WebSession.expires_at > utc_now(),
            WebSession.last_seen_at > utc_now() - limits.idle,
        )
        .order_by(WebSession.last_seen_at.desc())
    ).all()
    own = digest(token)
    return [
        OpenSession(
            id=row.token_sha256[:_ID_LENGTH],
            organisation=organisation,
            client=row.client,
            user_agent=row.user_agent,
            created_at=row.created_at,
            last_seen_at=row.last_seen_at,
            own=row.token_sha256 == own,
        )
        for row, organisation in rows
    ]


def end_session(session: Session, scope: Scope, session_id: str) -> None:
    """Sign the person out at another place.

    Raises:
        Problem: 404, when the person has no such session open.
    """
    row = session.scalar(
        select(WebSession).where(
            WebSession.person_id == scope.person_id,
            WebSession.ended_at.is_(None),
            WebSession.token_sha256.startswith(session_id, autoescape=True),
        )
    )
    if row is None or len(session_id) != _ID_LENGTH:
        raise not_found("This session")
    row.ended_at = utc_now()
    audit.record(
        session, scope.actor, "session:end", subject_kind="person", subject_id=scope.person_id
    )


def check_new_password(scope: Scope, *, old: str, new: str) -> None:
    """Pass when a new password is strong and not the present one.

    Raises:
        Problem: 422, it would soon be guessed.
    """
    known = (scope.login, scope.display_name, scope.organisation_code)
    if new == old or not is_strong(new, known):
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "weak-password",
            "The new password would soon be guessed",
            expected=f"{SHORTEST} characters or more, not a common word, name, date or row of keys",
            found="the present password" if new == old else f"{len(new)} characters",
            remedy="Several words that have nothing to do with each other are strong.",
        )


def change_password(database: Database, scope: Scope, token: str, *, old: str, new: str) -> None:
    """Give the person a new password, and end all their other sessions.

    Raises:
        Problem: 403 for a wrong old password.
    """
    with database.transaction() as session:
        stored = session.get_one(Person, scope.person_id).password_hash
    # Outside of any transaction: hashing takes tens of milliseconds on purpose.
    if not verify_password(stored, old):
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "wrong-password",
            "The present password is wrong",
            remedy="Type the password that you signed in with.",
        )
    replaced = hash_password(new)
    with database.transaction() as session:
        person = session.get_one(Person, scope.person_id, with_for_update=True)
        person.password_hash = replaced
        session.execute(
            update(WebSession)
            .where(
                WebSession.person_id == scope.person_id,
                WebSession.ended_at.is_(None),
                WebSession.token_sha256 != digest(token),
            )
            .values(ended_at=utc_now())
        )
        audit.record(
            session,
            scope.actor,
            "person:change_password",
            subject_kind="person",
            subject_id=scope.person_id,
        )
