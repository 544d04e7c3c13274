"""What people do with their own account: where they are signed in, and their password."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from reading_worklist.access.passwords import hash_password, is_strong, verify_password
from reading_worklist.access.policy import PasswordPolicy
from reading_worklist.access.scope import Scope
from reading_worklist.access.sessions import SessionLimits, digest, end_all
from reading_worklist.access.tables import EarlierPassword, WebSession
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
    provider: str | None
    second_factor: bool
    own: bool


def open_sessions(
    session: Session, person_id: UUID, limits: SessionLimits, *, token: str = ""
) -> Sequence[OpenSession]:
    """Return where a person is signed in, the latest seen first; token: of who asks."""
    rows = session.execute(
        select(WebSession, Organisation)
        .join(Organisation, Organisation.id == WebSession.organisation_id)
        .where(
            WebSession.person_id == person_id,
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
            provider=row.provider,
            second_factor=row.second_factor_at is not None,
            own=row.token_sha256 == own,
        )
        for row, organisation in rows
    ]


def end_session(session: Session, scope: Scope, person_id: UUID, session_id: str) -> None:
    """Sign a person out at one place; scope: who does it.

    Raises:
        Problem: 404, when the person has no such session open.
    """
    row = session.scalar(
        select(WebSession).where(
            WebSession.person_id == person_id,
            WebSession.ended_at.is_(None),
            WebSession.token_sha256.startswith(session_id, autoescape=True),
        )
    )
    if row is None or len(session_id) != _ID_LENGTH:
        raise not_found("This session")
    row.ended_at = utc_now()
    audit.record(session, scope.actor, "session:end", subject_kind="person", subject_id=person_id)


def check_new_password(scope: Scope, *, old: str, new: str, policy: PasswordPolicy) -> None:
    """Pass when a new password is strong and not the present one.

    Raises:
        Problem: 422, it would soon be guessed.
    """
    known = (scope.login, scope.display_name, scope.organisation_code)
    if new == old or not is_strong(new, known, shortest=policy.shortest):
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "weak-password",
            "The new password would soon be guessed",
            expected=f"{policy.shortest} characters or more, not a common word, name, date or row"
            " of keys",
            found="the present password" if new == old else f"{len(new)} characters",
            remedy="Several words that have nothing to do with each other are strong.",
        )


def require_password(database: Database, person_id: UUID, password: str) -> None:
    """Pass when somebody knows his password.

    Raises:
        Problem: 403, it is wrong.
    """
    with database.transaction() as session:
        stored = session.get_one(Person, person_id).password_hash
    # Outside of any transaction: hashing takes tens of milliseconds on purpose.
    if not verify_password(stored, password):
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "wrong-password",
            "The present password is wrong",
            remedy="Type the password that you signed in with.",
        )


def change_password(
    database: Database, scope: Scope, token: str, *, old: str, new: str, policy: PasswordPolicy
) -> None:
    """Give the person a new password, and end all their other sessions.

    Raises:
        Problem: 403 for a wrong old password, 422 for one that the person had before.
    """
    require_password(database, scope.person_id, old)
    with database.transaction() as session:
        earlier = _earlier(session, scope.person_id, policy.history)
    if any(verify_password(one, new) for one in earlier):
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "earlier-password",
            "You had this password before",
            expected=f"one that is none of your last {policy.history}",
            remedy="Choose another one.",
        )
    replaced = hash_password(new)
    with database.transaction() as session:
        set_password(session, scope.person_id, replaced, history=policy.history)
        end_all(session, scope.person_id, but=token)
        audit.record(
            session,
            scope.actor,
            "person:change_password",
            subject_kind="person",
            subject_id=scope.person_id,
        )


def set_password(
    session: Session,
    person_id: UUID,
    password_hash: str,
    *,
    history: int,
    must_change: bool = False,
) -> None:
    """Replace a person's password; history: so many earlier ones are remembered.

    must_change: somebody else made it, so that it serves for choosing one's own.
    """
    person = session.get_one(Person, person_id, with_for_update=True)
    session.add(EarlierPassword(person_id=person_id, password_hash=person.password_hash))
    session.flush()
    kept = (
        select(EarlierPassword.id)
        .where(EarlierPassword.person_id == person_id)
        .order_by(EarlierPassword.replaced_at.desc())
        .limit(history)
    )
    session.execute(
        delete(EarlierPassword).where(
            EarlierPassword.person_id == person_id, EarlierPassword.id.not_in(kept)
        )
    )
    person.password_hash = password_hash
    person.password_changed_at = utc_now()
    person.must_change_password = must_change


def _earlier(session: Session, person_id: UUID, history: int) -> Sequence[str]:
    return session.scalars(
        select(EarlierPassword.password_hash)
        .where(EarlierPassword.person_id == person_id)
        .order_by(EarlierPassword.replaced_at.desc())
        .limit(history)
    ).all()
