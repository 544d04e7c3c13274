"""One's own account over HTTP.

    GET    /api/account/sessions                      → OpenSessionView[]
    DELETE /api/account/sessions/{id}                 → OpenSessionView[]
    PUT    /api/account/password {old, new}
    GET    /api/account/rules                         → AccountRules
    GET    /api/account/second-factor                 → SecondFactorView
    POST   /api/account/second-factor {password}      → EnrolmentView
    POST   /api/account/second-factor/confirm {code}  → RecoveryCodesView
    POST   /api/account/second-factor/prove {code}
    POST   /api/account/second-factor/recovery-codes {code} → RecoveryCodesView
    POST   /api/account/second-factor/remove {code}

Problems: 403 wrong-password, wrong-second-factor, second-factor-at-home · 404 not-found ·
409 second-factor-set, second-factor-needed · 422 weak-password, earlier-password ·
429 too-many-attempts.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from http import HTTPStatus
from io import BytesIO
from typing import Final, TypeVar

import segno
from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from reading_worklist.access import account, second_factor, sessions, throttle
from reading_worklist.access.account import OpenSession
from reading_worklist.access.policy import SecondFactorFor
from reading_worklist.access.scope import Scope
from reading_worklist.access.tables import SecondFactor
from reading_worklist.problems import conflict
from reading_worklist.services import COOKIE, Asking, Entering, Parts, Services
from storage import audit
from storage.clock import utc_now

router = APIRouter(prefix="/api/account", tags=["account"])

_ISSUER: Final = "RDC"

Result = TypeVar("Result")


class OpenSessionView(BaseModel):
    """A place where a person is signed in; `own` is the one that asks.

    provider: the identity provider that vouched; None: a password. second_factor: whether one was
    proved.
    """

    id: str
    organisation_code: str
    organisation_name: str
    organisation_name_en: str
    client: str
    user_agent: str
    created_at: datetime
    last_seen_at: datetime
    provider: str | None
    second_factor: bool
    own: bool


class PasswordBody(BaseModel):
    """The present password and the one to come."""

    old: str = Field(max_length=1000)
    new: str = Field(max_length=1000)


class AccountRules(BaseModel):
    """What is demanded of passwords, and of whom a second factor.

    longest_days: after so many a password must be changed; None: never.
    """

    shortest: int
    history: int
    longest_days: int | None
    second_factor_for: list[SecondFactorFor]


class SecondFactorView(BaseModel):
    """One's second factor.

    since: when it was set up; None: there is none. needed: whether it may not be removed.
    signing: whether it is asked for before one signs. own_password: whether setting it up asks for
    the password, which who comes from another provider does not have.
    """

    since: datetime | None
    recovery_codes_left: int
    needed: bool
    signing: bool
    own_password: bool


class OwnPasswordBody(BaseModel):
    """The present password; empty from who came from another provider."""

    password: str = Field(default="", max_length=1000)


class EnrolmentView(BaseModel):
    """A second factor to be set up: secret as text, as address and as QR code (SVG)."""

    secret: str
    uri: str
    qr_svg: str


class CodeBody(BaseModel):
    """A code of the device, or a recovery code."""

    code: str = Field(max_length=100)


class RecoveryCodesView(BaseModel):
    """Codes that serve once each in place of the device; they are shown this once."""

    codes: list[str]


@router.get("/sessions")
def list_own_sessions(request: Request, scope: Asking, services: Parts) -> list[OpenSessionView]:
    """Return where one is signed in, the latest seen first."""
    with services.database.transaction() as session:
        return _own(session, scope, request, services)


@router.delete("/sessions/{session_id}")
def end_own_session(
    session_id: str, request: Request, scope: Asking, services: Parts
) -> list[OpenSessionView]:
    """Sign out at another place; at other web processes it has effect within a second."""
    with services.database.transaction() as session:
        account.end_session(session, scope, scope.person_id, session_id)
        session.flush()
        return _own(session, scope, request, services)


@router.get("/rules")
def account_rules(_scope: Entering, services: Parts) -> AccountRules:
    """Return what is demanded here of passwords and second factors."""
    access = services.config.access
    longest = access.password.longest_use
    return AccountRules(
        shortest=access.password.shortest,
        history=access.password.history,
        longest_days=None if longest is None else longest.days,
        second_factor_for=sorted(access.second_factor_for),
    )


@router.put("/password", status_code=HTTPStatus.NO_CONTENT)
def change_own_password(
    body: PasswordBody, request: Request, scope: Entering, services: Parts
) -> None:
    """Change one's password; every other session of the person ends."""
    policy = services.config.access.password
    # First: who looks for a strong one has not guessed at the old one.
    account.check_new_password(scope, old=body.old, new=body.new, policy=policy)
    _guarded(
        services,
        scope,
        lambda: account.change_password(
            services.database,
            scope,
            request.cookies[COOKIE],
            old=body.old,
            new=body.new,
            policy=policy,
        ),
    )


@router.get("/second-factor")
def own_second_factor(scope: Entering, services: Parts) -> SecondFactorView:
    """Tell whether one has a second factor, and when it is asked for."""
    access = services.config.access
    with services.database.transaction() as session:
        row = session.get(SecondFactor, scope.person_id)
        return SecondFactorView(
            since=None if row is None else row.confirmed_at,
            recovery_codes_left=second_factor.recovery_codes_left(session, scope.person_id),
            needed=access.needs_second_factor(scope.roles, scope.client),
            signing=SecondFactorFor.SIGNING in access.second_factor_for,
            own_password=scope.provider is None,
        )


@router.post("/second-factor")
def begin_second_factor(body: OwnPasswordBody, scope: Entering, services: Parts) -> EnrolmentView:
    """Begin to set a second factor up; it counts when a code of it has confirmed it."""
    if services.config.access.is_remote(scope.client):
        raise sessions.at_home_only()
    if scope.provider is None:
        # A desk that was left open shall not become somebody else's.
        _guarded(
            services,
            scope,
            lambda: account.require_password(services.database, scope.person_id, body.password),
        )
    with services.database.transaction() as session:
        begun = second_factor.begin(
            session, services.config.seal, scope.person_id, login=scope.login, issuer=_ISSUER
        )
    return EnrolmentView(secret=begun.secret, uri=begun.uri, qr_svg=_qr_code(begun.uri))


@router.post("/second-factor/confirm")
def confirm_second_factor(
    body: CodeBody, request: Request, scope: Entering, services: Parts
) -> RecoveryCodesView:
    """Take it into force by its first code; this session has proved it then."""

    def confirm() -> Sequence[str]:
        with services.database.transaction() as session:
            codes = second_factor.confirm(
                session, services.config.seal, scope.person_id, body.code, utc_now()
            )
            if codes is None:
                raise second_factor.wrong_code()
            sessions.second_factor_proved(session, request.cookies[COOKIE])
            _note(session, scope, "second_factor:set_up")
        return codes

    codes = _guarded(services, scope, confirm)
    services.recent_scopes.forget(request.cookies[COOKIE])
    return RecoveryCodesView(codes=list(codes))


@router.post("/second-factor/prove", status_code=HTTPStatus.NO_CONTENT)
def prove_second_factor(body: CodeBody, request: Request, scope: Entering, services: Parts) -> None:
    """Prove one's second factor in this session, as signing may ask for."""
    _prove(services, scope, body.code)
    with services.database.transaction() as session:
        sessions.second_factor_proved(session, request.cookies[COOKIE])
        _note(session, scope, "second_factor:prove")
    services.recent_scopes.forget(request.cookies[COOKIE])


@router.post("/second-factor/recovery-codes")
def renew_recovery_codes(body: CodeBody, scope: Asking, services: Parts) -> RecoveryCodesView:
    """Make new recovery codes; the old ones are void."""
    _prove(services, scope, body.code)
    with services.database.transaction() as session:
        codes = second_factor.new_recovery_codes(session, services.config.seal, scope.person_id)
        _note(session, scope, "second_factor:recovery_codes")
    return RecoveryCodesView(codes=list(codes))


@router.post("/second-factor/remove", status_code=HTTPStatus.NO_CONTENT)
def remove_second_factor(body: CodeBody, scope: Asking, services: Parts) -> None:
    """Do without a second factor from now on, where none is needed; or set up another device."""
    if services.config.access.needs_second_factor(scope.roles, scope.client):
        raise conflict(
            "second-factor-needed",
            "In your role nobody does without a second factor",
            remedy="For another device, have it reset by an administrator.",
        )
    _prove(services, scope, body.code)
    with services.database.transaction() as session:
        second_factor.remove(session, scope.person_id)
        _note(session, scope, "second_factor:remove")


def _qr_code(text: str) -> str:
    """Draw a QR code as an SVG document of its own."""
    drawn = BytesIO()
    segno.make(text, error="m", micro=False).save(
        drawn, kind="svg", xmldecl=False, scale=4, border=2, light="#fff"
    )
    return drawn.getvalue().decode("utf-8")


def _prove(services: Services, scope: Scope, code: str) -> None:
    def prove() -> None:
        with services.database.transaction() as session:
            proved = second_factor.prove(
                session, services.config.seal, scope.person_id, code, utc_now()
            )
        if not proved:
            raise second_factor.wrong_code()

    _guarded(services, scope, prove)


def _guarded(services: Services, scope: Scope, act: Callable[[], Result]) -> Result:
    """Do what asks for a password or code; who fails is counted.

    Somebody at a desk that was left open guesses no faster than at the sign-in.
    """
    with services.database.transaction() as session:
        throttle.count_try(session, scope.login, scope.client)
    result = act()
    with services.database.transaction() as session:
        throttle.forgive(session, scope.login, scope.client)
    return result


def _note(session: Session, scope: Scope, action: str) -> None:
    audit.record(session, scope.actor, action, subject_kind="person", subject_id=scope.person_id)


def _own(
    session: Session, scope: Scope, request: Request, services: Services
) -> list[OpenSessionView]:
    return views(
        account.open_sessions(
            session,
            scope.person_id,
            services.config.session_limits,
            token=request.cookies[COOKIE],
        )
    )


def views(found: Sequence[OpenSession]) -> list[OpenSessionView]:
    """Return sessions as they are shown."""
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
            provider=one.provider,
            second_factor=one.second_factor,
            own=one.own,
        )
        for one in found
    ]
