"""Sign in, see who one is, sign out."""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from reading_worklist.access import second_factor, sessions, throttle
from reading_worklist.access.policy import Outstanding
from reading_worklist.access.scope import Scope
from reading_worklist.services import (
    COOKIE,
    Entering,
    Parts,
    Services,
    client_address,
    is_active,
)
from storage.clock import utc_now

router = APIRouter(prefix="/api/session", tags=["session"])


class Credentials(BaseModel):
    """Who signs in; `organisation` is the code of the one to act for, when there are several.

    code: of the second factor, from whoever has one.
    """

    login: str = Field(max_length=200)
    password: str = Field(max_length=1000)
    organisation: str | None = Field(default=None, max_length=100)
    code: str | None = Field(default=None, max_length=100)


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
    expires_at: when it ends if its person does nothing; ends_at: when it ends in any case.
    outstanding: what has to be done before anything else: "code", "password" or "enrol".
    provider: the identity provider that vouched; None: a password of ours.
    idle_seconds: how long it lasts without its person.
    """

    person: SessionPerson
    organisation: SessionOrganisation
    roles: list[str]
    choices: list[ActingChoiceView]
    csrf_token: str
    expires_at: datetime
    ends_at: datetime
    outstanding: Outstanding | None
    provider: str | None
    idle_seconds: int
    time_zone: str


@router.post("")
def sign_in(
    credentials: Credentials, request: Request, response: Response, services: Parts
) -> SessionView:
    """Sign in; the session's token is set as a cookie that scripts cannot read.

    401 `second-factor-required` asks whoever has one for its code, in a second request with all.
    """
    login = credentials.login.strip().lower()
    client = client_address(request)
    with services.database.transaction() as session:
        counted = throttle.count_try(session, login, client)
        stored_hash = sessions.stored_password_hash(session, login)
    if not sessions.password_matches(stored_hash, credentials.password):
        with services.database.transaction() as session:
            sessions.note_refusal(session, login, client)
        raise sessions.wrong_credentials()
    proved = _second_factor(services, login, client, credentials.code, counted)
    with services.database.transaction() as session:
        signed_in = sessions.sign_in(
            session,
            login,
            client,
            services.config.session_limits,
            credentials.organisation,
            user_agent=request.headers.get("user-agent", ""),
            policy=services.config.access,
            second_factor=proved,
        )
        throttle.forgive(session, login, client)
        view = session_view(session, services, signed_in.scope, signed_in.expires_at)
    keep_cookie(request, response, services, signed_in.token)
    return view


def _second_factor(
    services: Services, login: str, client: str, code: str | None, counted: Mapping[str, int]
) -> bool:
    """Tell whether a second factor was proved; False: the person has none.

    Raises:
        Problem: 401 without a code, 403 with a wrong one.
    """
    with services.database.transaction() as session:
        person_id = sessions.active_person_id(session, login)
        if not second_factor.is_set_up(session, person_id):
            return False
        if not (code or "").strip():
            throttle.take_back(session, counted)
            proved = None
        else:
            proved = second_factor.prove(
                session, services.config.seal, person_id, code or "", utc_now()
            )
        if proved is False:
            sessions.note_refusal(session, login, client, proof="second factor")
    if proved is None:
        raise sessions.second_factor_required()
    if not proved:
        raise second_factor.wrong_code()
    return True


@router.get("")
def who_am_i(request: Request, scope: Entering, services: Parts) -> SessionView:
    """Return the session of the cookie."""
    with services.database.transaction() as session:
        _, expires_at = sessions.resume(
            session,
            request.cookies[COOKIE],
            scope.client,
            services.config.session_limits,
            services.config.access,
            active=is_active(request),
        )
        return session_view(session, services, scope, expires_at)


@router.put("/organisation")
def choose_organisation(
    body: OrganisationBody, request: Request, scope: Entering, services: Parts
) -> SessionView:
    """Act for another of one's organisations from now on; the session gets a new CSRF token."""
    token = request.cookies[COOKIE]
    with services.database.transaction() as session:
        acting, expires_at = sessions.act_for(
            session, token, scope, body.organisation, services.config.access
        )
        view = session_view(session, services, acting, expires_at)
    services.recent_scopes.forget(token)
    return view


@router.post("/stay", status_code=HTTPStatus.OK)
def stay_signed_in(request: Request, scope: Entering, services: Parts) -> SessionView:
    """Tell that the person is there, who writes or reads and asks the server for nothing."""
    return who_am_i(request, scope, services)


@router.delete("", status_code=HTTPStatus.NO_CONTENT)
def sign_out(request: Request, response: Response, scope: Entering, services: Parts) -> None:
    """End the session at the server and forget the cookie."""
    with services.database.transaction() as session:
        sessions.sign_out(session, request.cookies[COOKIE], scope)
    services.recent_scopes.forget(request.cookies[COOKIE])
    response.delete_cookie(
        COOKIE, httponly=True, samesite="strict", secure=is_secure(request, services)
    )


def is_secure(request: Request, services: Services) -> bool:
    """Tell whether a cookie may be kept for HTTPS: by the address that people use, or as called."""
    return services.config.secure_cookie or request.url.scheme == "https"


def keep_cookie(request: Request, response: Response, services: Services, token: str) -> None:
    """Give a browser the token of its session."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(services.config.session_limits.absolute.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=is_secure(request, services),
    )


def session_view(
    session: Session, services: Services, scope: Scope, expires_at: datetime
) -> SessionView:
    """Return what a page needs to know of a session."""
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
        ends_at=scope.ends_at or expires_at,
        outstanding=scope.outstanding,
        provider=scope.provider,
        idle_seconds=int(services.config.session_limits.idle.total_seconds()),
        time_zone=services.config.time_zone,
    )
