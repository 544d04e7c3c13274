"""Sign-in by the word of an identity provider, over HTTP.

    GET /api/session/providers                    → ProviderView[]
    GET /api/session/outside/{provider}?next=…    303 to the provider
    GET /api/session/outside/{provider}/callback  303 to our pages, signed in or with a word why not
    GET /api/session/outside/{provider}/leave     303 to where the provider ends its own session
    POST /api/session/outside/{provider}/logout   a provider's server tells that somebody left there

A browser comes to the three before the last itself, so that they answer with pages to go to.
"""

import hmac
import re
from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import parse_qs, urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel

from reading_worklist.access import sessions
from reading_worklist.access.outside import logout, service
from reading_worklist.access.outside.providers import Provider, ProviderFailed
from reading_worklist.access.routes import is_secure, keep_cookie
from reading_worklist.problems import Problem, not_found
from reading_worklist.public_rate import PublicRate
from reading_worklist.services import Parts, Services, client_address
from storage.clock import utc_now

router = APIRouter(prefix="/api/session", tags=["session"])

STATE_COOKIE: Final = "rdc_outside"
_FORM: Final = "application/x-www-form-urlencoded"
_FIELDS: Final = 20
# A provider tells of everybody from one address: a whole hospital's shift goes home at once.
_LOGOUT_RATE: Final = PublicRate("outside-logout", 600, 20.0)
_RATE: Final = PublicRate("outside-sign-in", 30, 0.5)
# As session/ownPath.ts: a path here, and nothing that a browser reads as a host.
_OWN_PATH: Final = re.compile(r"/(?![/\\])[^\x00-\x20\\]*")
_PATH_MAX: Final = 500


class ProviderView(BaseModel):
    """An identity provider that people may sign in with."""

    name: str
    label: str
    label_en: str


@router.get("/providers")
async def list_providers(services: Parts) -> list[ProviderView]:
    """Return who else vouches for people, for the sign-in page's buttons."""
    return [
        ProviderView(name=name, label=one.config.label, label_en=one.config.label_en)
        for name, one in services.config.identity_providers.items()
    ]


@router.get(
    "/outside/{provider}",
    response_class=RedirectResponse,
    status_code=HTTPStatus.SEE_OTHER,
    dependencies=[Depends(_RATE)],
)
def go_to_provider(
    provider: str,
    request: Request,
    services: Parts,
    next_path: Annotated[str, Query(alias="next", max_length=_PATH_MAX)] = "/",
) -> Response:
    """Send a browser to a provider, for its person to sign in there."""
    asked = _provider(services, provider)
    with services.database.transaction() as session:
        begun = service.begin(
            session, provider, next_path if _OWN_PATH.fullmatch(next_path) else "/"
        )
    try:
        address = asked.address(
            _redirect_uri(services, provider),
            state=begun.state,
            nonce=begun.nonce,
            code_verifier=begun.code_verifier,
        )
    except ProviderFailed:
        return _back("outside-failed")
    answer = _to(address)
    # Not "strict": the provider sends the browser back from another site.
    answer.set_cookie(
        STATE_COOKIE,
        begun.state,
        max_age=int(service.LASTS.total_seconds()),
        path="/api/session/outside",
        httponly=True,
        samesite="lax",
        secure=is_secure(request, services),
    )
    return answer


@router.get(
    "/outside/{provider}/callback",
    response_class=RedirectResponse,
    status_code=HTTPStatus.SEE_OTHER,
    dependencies=[Depends(_RATE)],
)
def come_back(  # noqa: PLR0917 -- the parameters of OpenID Connect
    provider: str,
    request: Request,
    services: Parts,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4000)] = "",
    iss: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    """Take a browser back from a provider and sign its person in."""
    try:
        answer = _signed_in(provider, request, services, state=state, code=code, issuer=iss)
    except Problem as problem:
        answer = _back(problem.code)
    except ProviderFailed:
        answer = _back("outside-failed")
    answer.delete_cookie(STATE_COOKIE, path="/api/session/outside", httponly=True, samesite="lax")
    return answer


@router.get(
    "/outside/{provider}/leave",
    response_class=RedirectResponse,
    status_code=HTTPStatus.SEE_OTHER,
    dependencies=[Depends(_RATE)],
)
def leave_provider(provider: str, services: Parts) -> Response:
    """Send a browser to where the provider ends its own session, if it has such a place."""
    try:
        address = _provider(services, provider).leaving_address(
            f"{services.config.public_url}/sign-in"
        )
    except ProviderFailed:
        address = None
    return _to(address or "/sign-in")


async def _logout_token(request: Request) -> str:
    """Return the one parameter of a provider's message (Back-Channel Logout 1.0 §2.5)."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        sent = parse_qs((await request.body()).decode("ascii"), max_num_fields=_FIELDS)
    except ValueError:
        sent = {}
    tokens = sent.get("logout_token", [])
    if kind != _FORM or len(tokens) != 1:
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            "logout-token-refused",
            "There is no logout token",
            expected=f"logout_token, as {_FORM}",
        )
    return tokens[0]


@router.post(
    "/outside/{provider}/logout",
    dependencies=[Depends(_LOGOUT_RATE)],
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                _FORM: {
                    "schema": {
                        "type": "object",
                        "properties": {"logout_token": {"type": "string"}},
                        "required": ["logout_token"],
                    }
                }
            },
        }
    },
)
def logged_out_at_provider(
    provider: str,
    request: Request,
    services: Parts,
    response: Response,
    token: Annotated[str, Depends(_logout_token)],
) -> None:
    """End the sessions of somebody who signed out at a provider, which tells us so itself."""
    response.headers["Cache-Control"] = "no-store"
    asked = _provider(services, provider)
    try:
        told = logout.read_logout_token(asked, token, utc_now())
    except ProviderFailed as error:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE, "provider-away", error.what, remedy=error.remedy
        ) from error
    with services.database.transaction() as session:
        logout.end_sessions(session, provider, told, client_address(request))


def _signed_in(
    provider: str,
    request: Request,
    services: Services,
    *,
    state: str,
    code: str,
    issuer: str | None,
) -> Response:
    asked = _provider(services, provider)
    kept = request.cookies.get(STATE_COOKIE, "")
    if not hmac.compare_digest(kept.encode(), state.encode()):
        # Somebody else's sign-in, that shall become this browser's.
        raise Problem(
            HTTPStatus.FORBIDDEN, "outside-sign-in-over", "This sign-in was not begun here"
        )
    with services.database.transaction() as session:
        begun = service.take(session, provider, state)
    expected = asked.config.issuer
    if issuer != expected and (issuer is not None or asked.tells_issuer):
        raise ProviderFailed("the answer is of another provider", expected=expected)
    if not code:
        raise Problem(HTTPStatus.FORBIDDEN, "outside-refused", "The provider refused the sign-in")
    vouched = asked.vouched(
        _redirect_uri(services, provider),
        code=code,
        nonce=begun.nonce,
        code_verifier=begun.code_verifier,
    )
    client = client_address(request)
    try:
        with services.database.transaction() as session:
            person = service.person_of(session, provider, vouched, client)
            logout.require_standing(session, provider, vouched)
            service.follow_roles(session, asked.config, person, vouched.claims, client)
            entered = sessions.sign_in(
                session,
                person.login,
                client,
                services.config.session_limits,
                user_agent=request.headers.get("user-agent", ""),
                policy=services.config.access,
                second_factor=vouched.second_factor,
                provider=provider,
                provider_sid=vouched.sid,
            )
    except Problem:
        with services.database.transaction() as session:
            sessions.note_refusal(session, "", client, proof=f"provider {provider}")
        raise
    # Who belongs to several organisations chooses there; everybody else goes on at once.
    answer = _to(f"/organisation?{urlencode({'next': begun.next_path})}")
    keep_cookie(request, answer, services, entered.token)
    return answer


def _provider(services: Services, name: str) -> Provider:
    found = services.config.identity_providers.get(name)
    if found is None:
        raise not_found("This identity provider")
    return found


def _redirect_uri(services: Services, provider: str) -> str:
    return f"{services.config.public_url}/api/session/outside/{provider}/callback"


def _back(code: str) -> Response:
    return _to(f"/sign-in?{urlencode({'problem': code})}")


def _to(address: str) -> Response:
    return RedirectResponse(address, HTTPStatus.SEE_OTHER, headers={"Cache-Control": "no-store"})
