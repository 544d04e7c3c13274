"""One's own account over HTTP.

    GET    /api/account/sessions          → OpenSessionView[]
    DELETE /api/account/sessions/{id}     → OpenSessionView[]
    PUT    /api/account/password {old, new}

Problems: 403 wrong-password · 404 not-found · 422 weak-password · 429 too-many-attempts.
"""

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from reading_worklist.access import account, throttle
from reading_worklist.access.scope import Scope
from reading_worklist.services import COOKIE, Asking, Parts, Services

router = APIRouter(prefix="/api/account", tags=["account"])


class OpenSessionView(BaseModel):
    """A place where the person is signed in; `own` is the one that asks."""

    id: str
    organisation_code: str
    organisation_name: str
    organisation_name_en: str
    client: str
    user_agent: str
    created_at: datetime
    last_seen_at: datetime
    own: bool


class PasswordBody(BaseModel):
    """The present password and the one to come."""

    old: str = Field(max_length=1000)
    new: str = Field(max_length=1000)


@router.get("/sessions")
def list_own_sessions(request: Request, scope: Asking, services: Parts) -> list[OpenSessionView]:
    """Return where one is signed in, the latest seen first."""
    with services.database.transaction() as session:
        return _shown(session, scope, request, services)


@router.delete("/sessions/{session_id}")
def end_own_session(
    session_id: str, request: Request, scope: Asking, services: Parts
) -> list[OpenSessionView]:
    """Sign out at another place; at other web processes it has effect within a second."""
    with services.database.transaction() as session:
        account.end_session(session, scope, session_id)
        session.flush()
        return _shown(session, scope, request, services)


@router.put("/password", status_code=HTTPStatus.NO_CONTENT)
def change_own_password(
    body: PasswordBody, request: Request, scope: Asking, services: Parts
) -> None:
    """Change one's password; every other session of the person ends."""
    # First: who looks for a strong one has not guessed at the old one.
    account.check_new_password(scope, old=body.old, new=body.new)
    # Somebody at a desk that was left open guesses no faster than at the sign-in.
    with services.database.transaction() as session:
        throttle.count_try(session, scope.login, scope.client)
    account.change_password(
        services.database, scope, request.cookies[COOKIE], old=body.old, new=body.new
    )
    with services.database.transaction() as session:
        throttle.forgive(session, scope.login, scope.client)


def _shown(
    session: Session, scope: Scope, request: Request, services: Services
) -> list[OpenSessionView]:
    found: Sequence[account.OpenSession] = account.open_sessions(
        session, scope, request.cookies[COOKIE], services.config.session_limits
    )
    return [
        OpenSessionView(
            id=one.id,
            organisation_code=one.organisation.code,
            organisation_name=one.organisation.name,
            organisation_name_en=one.organisation.name_en,
            client=one.client,
            user_agent=one.user_agent,
            created_at=one.created_at,
            last_seen_at=one.last_seen_at,
            own=one.own,
        )
        for one in found
    ]
