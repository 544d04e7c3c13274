"""Sign in, see who one is, sign out."""

from datetime import datetime
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from reading_worklist.access import sessions, throttle
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


class ActingChoiceView(SessionOrganisation):
    """An organisation that the person may act for today, and as what."""

    roles: list[str]


class OrganisationBody(BaseModel):
    """The code of the organisation to act for."""

    organisation: str = Field(max_length=100)


class SessionView(BaseModel):
    """A session; unsafe requests repeat `csrf_token` in the header X-CSRF-Token.

    choices: all organisations that the person may act for today, the present one among them.
    time_zone: the IANA zone in which pages show times.
    """

    person: SessionPerson
    organisation: SessionOrganisation
    roles: list[str]
    choices: list[ActingChoiceView]
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
    client = client_address(request)
    with services.database.transaction() as session:
        throttle.count_try(session, login, client)
        stored_hash = sessions.stored_password_hash(session, login)
    if not sessions.password_matches(stored_hash, credentials.password):
        with services.database.transaction() as session:
            sessions.note_refusal(session, login, client)
        raise sessions.wrong_credentials()
    with services.database.transaction() as session:
        signed_in = sessions.sign_in(
            session,
            login,
            client,
            limits,
            credentials.organisation,
            user_agent=request.headers.get("user-agent", ""),
        )
        throttle.forgive(session, login, client)
        view = _view(session, signed_in.scope, signed_in.expires_at, services.config.time_zone)
    response.set_cookie(
        COOKIE,
        signed_in.token,
        max_age=int(limits.absolute.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=services.config.secure_cookie,
    )
    return view


@router.get("")
def who_am_i(request: Request, scope: Asking, services: Parts) -> SessionView:
    """Return the session of the cookie."""
    with services.database.transaction() as session:
        _, expires_at = sessions.resume(
            session, request.cookies[COOKIE], scope.client, services.config.session_limits
        )
        return _view(session, scope, expires_at, services.config.time_zone)


@router.put("/organisation")
def choose_organisation(
    body: OrganisationBody, request: Request, scope: Asking, services: Parts
) -> SessionView:
    """Act for another of one's organisations from now on; the session gets a new CSRF token."""
    token = request.cookies[COOKIE]
    with services.database.transaction() as session:
        acting, expires_at = sessions.act_for(session, token, scope, body.organisation)
        view = _view(session, acting, expires_at, services.config.time_zone)
    services.recent_scopes.forget(token)
    return view


@router.delete("", status_code=HTTPStatus.NO_CONTENT)
def sign_out(request: Request, response: Response, scope: Asking, services: Parts) -> None:
    """End the session at the server and forget the cookie."""
    with services.database.transaction() as session:
        sessions.sign_out(session, request.cookies[COOKIE], scope)
    services.recent_scopes.forget(request.cookies[COOKIE])
    response.delete_cookie(
        COOKIE, httponly=True, samesite="strict", secure=services.config.secure_cookie
    )


def _view(session: Session, scope: Scope, expires_at: datetime, time_zone: str) -> SessionView:
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
        choices=[
            ActingChoiceView(
                id=choice.organisation.id,
                code=choice.organisation.code,
                name=choice.organisation.name,
                name_en=choice.organisation.name_en,
                kind=choice.organisation.kind,
                roles=sorted(choice.roles),
            )
            for choice in sessions.choices(session, scope.person_id)
        ],
        csrf_token=scope.csrf_token,
        expires_at=expires_at,
        time_zone=time_zone,
    )
