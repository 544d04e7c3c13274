"""Sign in, see who one is, sign out."""

from datetime import datetime
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from reading_worklist.access import sessions
from reading_worklist.access.scope import Scope
from reading_worklist.services import COOKIE, Asking, Parts, client_address

router = APIRouter(prefix="/api/session", tags=["session"])


class Credentials(BaseModel):
    """Who signs in; `organisation` is the code of the one to act for, when there are several."""

    login: str = Field(max_length=200)
    password: str = Field(max_length=1000)
    organisation: str | None = Field(default=None, max_length=100)


class SessionPerson(BaseModel):
    """The signed-in person."""

    id: UUID
    login: str
    display_name: str


class SessionOrganisation(BaseModel):
    """The organisation acted for."""

    id: UUID
    code: str
    name: str
    name_en: str
    kind: str


class SessionView(BaseModel):
    """A session; unsafe requests repeat `csrf_token` in the header X-CSRF-Token.

    time_zone: the IANA zone in which pages show times.
    """

    person: SessionPerson
    organisation: SessionOrganisation
    roles: list[str]
    csrf_token: str
    expires_at: datetime
    time_zone: str


@router.post("")
def sign_in(
    credentials: Credentials, request: Request, response: Response, services: Parts
) -> SessionView:
    """Sign in; the session's token is set as a cookie that scripts cannot read."""
    limits = services.config.session_limits
    login = credentials.login.strip().lower()
    with services.database.transaction() as session:
        stored_hash = sessions.stored_password_hash(session, login)
    if not sessions.password_matches(stored_hash, credentials.password):
        raise sessions.wrong_credentials()
    with services.database.transaction() as session:
        signed_in = sessions.sign_in(
            session, login, client_address(request), limits, credentials.organisation
        )
    response.set_cookie(
        COOKIE,
        signed_in.token,
        max_age=int(limits.absolute.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=services.config.secure_cookie,
    )
    return _view(signed_in.scope, signed_in.expires_at, services.config.time_zone)


@router.get("")
def who_am_i(request: Request, scope: Asking, services: Parts) -> SessionView:
    """Return the session of the cookie."""
    with services.database.transaction() as session:
        _, expires_at = sessions.resume(
            session, request.cookies[COOKIE], scope.client, services.config.session_limits
        )
    return _view(scope, expires_at, services.config.time_zone)


@router.delete("", status_code=HTTPStatus.NO_CONTENT)
def sign_out(request: Request, response: Response, scope: Asking, services: Parts) -> None:
    """End the session at the server and forget the cookie."""
    with services.database.transaction() as session:
        sessions.sign_out(session, request.cookies[COOKIE], scope)
    services.recent_scopes.forget(request.cookies[COOKIE])
    response.delete_cookie(
        COOKIE, httponly=True, samesite="strict", secure=services.config.secure_cookie
    )


def _view(scope: Scope, expires_at: datetime, time_zone: str) -> SessionView:
    return SessionView(
        person=SessionPerson(
            id=scope.person_id, login=scope.login, display_name=scope.display_name
        ),
        organisation=SessionOrganisation(
            id=scope.organisation_id,
            code=scope.organisation_code,
            name=scope.organisation_name,
            name_en=scope.organisation_name_en,
            kind=scope.organisation_kind,
        ),
        roles=sorted(scope.roles),
        csrf_token=scope.csrf_token,
        expires_at=expires_at,
        time_zone=time_zone,
    )
