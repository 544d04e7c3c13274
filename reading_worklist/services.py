"""What a request needs: the parts put together by deploy, and who is asking.

Routes take `Parts` and `Asking` as parameters; nothing is global.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Final, cast

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from reading_worklist.access import sessions
from reading_worklist.access.outside.providers import Provider
from reading_worklist.access.policy import AccessPolicy, Outstanding
from reading_worklist.access.proxies import ProxyTrust
from reading_worklist.access.recent import RecentScopes
from reading_worklist.access.scope import Scope
from reading_worklist.access.second_factor import Seal
from reading_worklist.access.sessions import SessionLimits, csrf_matches, not_signed_in
from reading_worklist.events import EventHub
from reading_worklist.problems import Problem, forbidden
from reading_worklist.signing.authority import Authority
from reading_worklist.signing.long_term import LongTerm
from reading_worklist.signing.providers.port import Providers
from reading_worklist.signing.unlocking import SEALED_ONLY, Signer, unlock
from reading_worklist.standby_reads import may_be_at_standby
from reading_worklist.typesetting.typesetter import Typesetter
from storage import walls
from storage.clock import utc_now
from storage.database import Database
from storage.objects import ObjectStore
from storage.quiet_times import QuietTimes
from storage.revocation_lists import RevocationLists

COOKIE: Final = "rdc_session"
CSRF_HEADER: Final = "X-CSRF-Token"
IDLE_HEADER: Final = "X-RDC-Idle"
"""Sent by pages of ours with what they ask while nobody touches them."""
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class WebConfig:
    """Settings of the web process.

    web_ui: directory of the built web UI. ohif: directory of the built OHIF viewer.
    packed_files: where files of the viewer in gzip are kept; None packs them at each start.
    fonts: directories with the fonts of the printed report.
    trust_anchors: PEM certificates of the authorities whose signatures count.
    long_term: adds to finished reports what proves them later; None leaves them as they are signed.
    public_url: where people reach this server, for links on paper.
    time_zone: the zone in which times are shown and printed.
    secure_cookie: send the session cookie over HTTPS only.
    claim_lease: how long a claimed workitem stays claimed without work on it.
    prior_access: how long a reason for seeing other sites' studies of a patient stands.
    time_anchors: PEM certificates of further authorities, whose time stamps count, nothing else.
    quiet_times: after which studies that were stored over HTTP are complete.
    key_providers: the kinds of places where people's signing keys are kept.
    proxies: whose word counts about a client's address.
    access: what is demanded of who signs in. seal: closes people's second factors.
    identity_providers: who else vouches for people, by name.
    signing_authority: opens what issues people's certificates; None: it is not on this machine.
    revocations: lists of machines' certificates that were taken back; None: nobody looks.
    metrics_dir: where the processes of this machine count; None where nothing is counted.
    """

    web_ui: Path
    ohif: Path
    fonts: tuple[Path, ...]
    trust_anchors: tuple[str, ...]
    public_url: str = "http://127.0.0.1:8080"
    time_zone: str = "Asia/Shanghai"
    secure_cookie: bool = False
    claim_lease: timedelta = timedelta(minutes=15)
    prior_access: timedelta = timedelta(hours=12)
    quiet_times: QuietTimes = field(default_factory=QuietTimes)
    packed_files: Path | None = None
    long_term: LongTerm | None = None
    key_providers: Providers = SEALED_ONLY
    time_anchors: tuple[str, ...] = ()
    proxies: ProxyTrust = field(default_factory=ProxyTrust)
    access: AccessPolicy = field(default_factory=AccessPolicy)
    seal: Seal = field(default_factory=Seal.random)
    identity_providers: Mapping[str, Provider] = field(default_factory=dict[str, Provider])
    signing_authority: Callable[[], Authority] | None = None
    metrics_dir: Path | None = None
    revocations: RevocationLists | None = None
    session_limits: SessionLimits = field(
        default_factory=lambda: SessionLimits(idle=timedelta(hours=1), absolute=timedelta(hours=12))
    )


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of one web process.

    leaving: set when it was asked to stop and still answers, so that nobody is sent to it any more.
    standby: where routes read that `standby_reads` names; None where there is none.
    """

    config: WebConfig
    database: Database
    objects: ObjectStore
    events: EventHub
    typesetter: Typesetter
    recent_scopes: RecentScopes = field(default_factory=RecentScopes)
    leaving: threading.Event = field(default_factory=threading.Event)
    standby: Database | None = None

    def signer(self, scope: Scope, pin: str) -> Signer:
        """Open the signing key of who asks; outside of any transaction.

        Raises:
            SigningRefused: see `unlocking.unlock`.
            Problem: 403, the installation wants a second factor for it, and this session has not
                proved one lately.
        """
        if not self.config.access.may_sign(scope.second_factor_at, utc_now()):
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "second-factor-to-sign",
                "To sign, prove your second factor once in this session",
                remedy="Give the code of your device; or set a second factor up in your account.",
            )
        return unlock(
            self.database,
            scope.person_id,
            pin,
            providers=self.config.key_providers,
            actor=scope.actor,
        )


async def deciding_services_of(request: Request) -> Services:
    """Return the parts that `create_app` was given: for what decides, such as who is asking."""
    # Asynchronous, though it waits for nothing: FastAPI calls any other function in a thread.
    return cast("Services", request.app.state.services)


Deciding = Annotated[Services, Depends(deciding_services_of)]


async def services_of(request: Request, services: Deciding) -> Services:
    """Return the parts; for routes that `standby_reads` names, the database is one for reading."""
    if services.standby is not None and may_be_at_standby(request.method, request.scope["path"]):
        return replace(services, database=services.standby)
    return services


Parts = Annotated[Services, Depends(services_of)]


_OUTSTANDING: Final = {
    Outstanding.CODE: (
        "second-factor-outstanding",
        "Your second factor is asked for first",
        "Give the code that your device shows.",
    ),
    Outstanding.PASSWORD: (
        "password-outstanding",
        "You need a new password first",
        "Choose one in your account.",
    ),
    Outstanding.ENROL: (
        "enrolment-outstanding",
        "You need a second factor first",
        "Set it up in your account.",
    ),
}


def client_address(request: HTTPConnection) -> str:
    """Return the network address of the caller, behind trusted proxies too."""
    return request.client.host if request.client else "unknown"


def resumed_scope(services: Services, token: str, client: str, *, active: bool = True) -> Scope:
    """Return whose session a token is, and remember it for the requests that follow at once.

    active: see `sessions.resume`.

    Raises:
        Problem: see `sessions.resume`; 403 when something is outstanding.
    """
    scope = _resumed(services, token, client, active=active)
    if scope.outstanding is not None:
        code, what, remedy = _OUTSTANDING[scope.outstanding]
        raise Problem(HTTPStatus.FORBIDDEN, code, what, remedy=remedy)
    services.recent_scopes.note(token, client, scope)
    walls.see(scope.reach)
    return scope


def _resumed(services: Services, token: str, client: str, *, active: bool) -> Scope:
    # The token in hand decides, and tables of no site are asked; a connection that is told nothing
    # of sites is the same for everybody.
    with (
        walls.beyond("a session is found by its secret token"),
        services.database.reading() as connection,
    ):
        scope, _ = sessions.resume(
            connection,
            token,
            client,
            services.config.session_limits,
            services.config.access,
            active=active,
        )
    return scope


def is_active(request: HTTPConnection) -> bool:
    """Tell whether a person asks, and not a page that nobody is looking at."""
    return IDLE_HEADER not in request.headers


def current_scope(request: Request, services: Deciding) -> Scope:
    """Return who is asking; for unsafe methods the CSRF token must be repeated in a header.

    Raises:
        Problem: 401 without a valid session, 403 without the CSRF token or while something is
            outstanding.
    """
    token = _token(request)
    scope = resumed_scope(services, token, client_address(request), active=is_active(request))
    _require_csrf(request, scope)
    return scope


def entering_scope(request: Request, services: Deciding) -> Scope:
    """Return who is asking, also while something is outstanding: for what settles that.

    Raises:
        Problem: 401 without a valid session, 403 without the CSRF token.
    """
    scope = _resumed(services, _token(request), client_address(request), active=is_active(request))
    _require_csrf(request, scope)
    return scope


def _token(request: Request) -> str:
    token = request.cookies.get(COOKIE)
    if token is None:
        raise not_signed_in()
    return token


def _require_csrf(request: Request, scope: Scope) -> None:
    if request.method not in _SAFE_METHODS and not csrf_matches(
        scope, request.headers.get(CSRF_HEADER)
    ):
        raise forbidden(
            f"The request lacks the header {CSRF_HEADER} of your session",
            remedy="Send the csrf_token that sign-in returned. Reload the page.",
        )


Asking = Annotated[Scope, Depends(current_scope)]
Entering = Annotated[Scope, Depends(entering_scope)]

__all__: Sequence[str] = (
    "COOKIE",
    "CSRF_HEADER",
    "IDLE_HEADER",
    "Asking",
    "Deciding",
    "Entering",
    "Parts",
    "Services",
    "WebConfig",
    "client_address",
    "current_scope",
    "deciding_services_of",
    "entering_scope",
    "is_active",
    "resumed_scope",
    "services_of",
)
