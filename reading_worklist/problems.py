"""Errors as HTTP answers: RFC 9457 problem details, one shape for every route."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from psycopg.errors import InsufficientPrivilege
from pydantic import BaseModel, ConfigDict
from sqlalchemy.exc import DataError, OperationalError, ProgrammingError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware.body_limit import MAX_BODY_SIZE_SCOPE_KEY
from starlette.types import Scope

from reading_worklist.signing.errors import (
    CredentialLocked,
    CredentialMissing,
    KeyUnavailable,
    SigningRefused,
    WrongPin,
)
from storage.errors import RdcError
from storage.objects import ObjectStoreUnavailable

MEDIA_TYPE: Final = "application/problem+json"

_SIGNING: Final[dict[type[RdcError], tuple[HTTPStatus, str]]] = {
    WrongPin: (HTTPStatus.FORBIDDEN, "wrong-pin"),
    CredentialMissing: (HTTPStatus.FORBIDDEN, "no-signing-key"),
    CredentialLocked: (HTTPStatus.LOCKED, "signing-key-locked"),
    KeyUnavailable: (HTTPStatus.SERVICE_UNAVAILABLE, "signing-key-away"),
}

_log = logging.getLogger(__name__)


class Problem(RdcError):
    """A request that is refused.

    status: the HTTP status.
    code: a stable word for the kind of problem, the last part of its `type` URI; pages translate
        it.
    members: further members of the problem document, for whoever may see what was asked for.
    retry_after: seconds after which it may be asked again, for the header Retry-After.
    """

    def __init__(
        self,
        status: int,
        code: str,
        what: str,
        *,
        expected: str = "",
        found: str = "",
        remedy: str = "",
        members: Mapping[str, Any] | None = None,
        retry_after: int | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.members = members
        self.retry_after = retry_after
        super().__init__(what, expected=expected, found=found, remedy=remedy)


def not_found(what: str) -> Problem:
    """Return the answer for what does not exist or is not for the caller.

    The two cannot be told apart.
    """
    return Problem(
        HTTPStatus.NOT_FOUND,
        "not-found",
        f"{what} does not exist, or is not visible to you",
        remedy="Check the address or open it from the list.",
    )


def forbidden(what: str, *, remedy: str = "") -> Problem:
    """Return the answer for a signed-in person without the role for an act."""
    return Problem(HTTPStatus.FORBIDDEN, "forbidden", what, remedy=remedy)


def conflict(
    code: str, what: str, *, expected: str = "", found: str = "", remedy: str = ""
) -> Problem:
    """Return the answer for an act that the state of its object does not allow now."""
    return Problem(HTTPStatus.CONFLICT, code, what, expected=expected, found=found, remedy=remedy)


def problem_response(
    status: int,
    code: str,
    title: str,
    *,
    expected: str = "",
    found: str = "",
    remedy: str = "",
    headers: dict[str, str] | None = None,
    members: Mapping[str, Any] | None = None,
) -> Response:
    """Return a problem document (RFC 9457 §3).

    Our members expected, found and remedy are in it where they say something; `members` are
    facts of this kind of problem that a page puts into words of its own language.
    """
    body: dict[str, Any] = {"type": f"urn:rdc:problem:{code}", "title": title, "status": status}
    detail = {"expected": expected, "found": found, "remedy": remedy}
    body["detail"] = "; ".join(
        text for text in (title, *(f"{key}: {text}" for key, text in detail.items() if text))
    )
    body.update({key: text for key, text in detail.items() if text})
    body.update(members or {})
    return JSONResponse(body, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def too_long(scope: Scope) -> Response:
    """Return the answer to a request whose body is longer than its route takes (RFC 9110 §15.5.14).

    The limit is in it where Starlette has noted it, and the length where the sender told it.
    """
    limit = scope.get(MAX_BODY_SIZE_SCOPE_KEY)
    told = Headers(scope=scope).get("content-length", "")
    return problem_response(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "body-too-long",
        "The body is longer than can be taken here",
        expected=f"at most {limit} bytes" if isinstance(limit, int) else "",
        found=f"{told} bytes" if told.isascii() and told.isdecimal() else "",
        remedy="Send less at once.",
    )


class ProblemDocument(BaseModel):
    """What every request that is refused is answered with (RFC 9457 §3).

    type: urn:rdc:problem: and a stable word. Further members are facts of this kind of problem.
    """

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    expected: str = ""
    found: str = ""
    remedy: str = ""


def describe(document: dict[str, Any]) -> dict[str, Any]:
    """Return an OpenAPI document in which every operation names the problem document as well.

    It takes the place of what FastAPI says of its own 422, which we never answer.
    """
    schemas: dict[str, Any] = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["ProblemDocument"] = ProblemDocument.model_json_schema()
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    refused = {
        "description": "Refused, or failed",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
    }
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
            operation["responses"].setdefault("default", refused)
    return document


def install(app: FastAPI) -> None:
    """Make every error of `app` a problem document, and its description say so.

    An unforeseen one is logged and told without its insides.
    """
    plain = app.openapi

    def described() -> dict[str, Any]:
        # FastAPI keeps what it made: it is completed once.
        return app.openapi_schema or describe(plain())

    app.openapi = described

    @app.exception_handler(Problem)
    async def on_problem(_request: Request, error: Problem) -> Response:  # pyright: ignore[reportUnusedFunction] -- registered by the decorator
        return problem_response(
            error.status,
            error.code,
            error.what,
            expected=error.expected,
            found=error.found,
            remedy=error.remedy,
            headers=None if error.retry_after is None else {"Retry-After": str(error.retry_after)},
            members=error.members,
        )

    @app.exception_handler(ObjectStoreUnavailable)
    @app.exception_handler(OperationalError)
    async def on_outage(_request: Request, error: Exception) -> Response:  # pyright: ignore[reportUnusedFunction] -- registered by the decorator
        _log.warning("a server does not answer: %s", type(error).__name__)
        return problem_response(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "unavailable",
            "The database or the object store does not answer",
            remedy="Try again in a moment; nothing that was saved is lost.",
            headers={"Retry-After": "5"},
        )

    @app.exception_handler(DataError)
    async def on_unstorable(request: Request, error: DataError) -> Response:  # pyright: ignore[reportUnusedFunction] -- registered by the decorator
        # SQLSTATE class 22: U+0000 in a text, a number larger than its column. What no caller's
        # value explains is our fault and in the log.
        route = request.scope.get("route_path", request.method)
        _log.warning(
            "a value cannot be stored: %s", type(error.orig).__name__, extra={"route": route}
        )
        return problem_response(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "invalid-request",
            "The request holds a value that cannot be kept or looked for",
            expected="texts without U+0000, and numbers of a sensible size",
            remedy="Correct the value.",
        )

    app.add_exception_handler(ProgrammingError, _on_walled)

    @app.exception_handler(SigningRefused)
    async def on_signing_refused(_request: Request, error: SigningRefused) -> Response:  # pyright: ignore[reportUnusedFunction] -- registered by the decorator
        status, code = _SIGNING.get(type(error), (HTTPStatus.FORBIDDEN, "signing-refused"))
        return problem_response(
            status,
            code,
            error.what,
            expected=error.expected,
            found=error.found,
            remedy=error.remedy,
            members=_signing_members(error),
        )

    @app.exception_handler(RequestValidationError)
    async def on_validation(_request: Request, error: RequestValidationError) -> Response:  # pyright: ignore[reportUnusedFunction] -- registered by the decorator
        places = "; ".join(
            f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}"
            for item in error.errors()[:5]
        )
        return problem_response(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "invalid-request",
            "The request is not understood",
            found=places,
            remedy="Correct the named fields.",
        )

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:  # pyright: ignore[reportUnusedFunction] -- registered by the decorator
        if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return too_long(request.scope)
        code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
        return problem_response(
            error.status_code, code, str(error.detail), headers=dict(error.headers or {})
        )

    @app.exception_handler(Exception)
    async def on_unforeseen(request: Request, error: Exception) -> Response:  # pyright: ignore[reportUnusedFunction] -- registered by the decorator
        _log.error(
            "request failed",
            exc_info=error,
            extra={"route": request.scope.get("route_path", request.method)},
        )
        return problem_response(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "internal-error",
            "The server failed to answer",
            remedy="Try again; if it stays, tell your system administrator when it happened.",
        )


async def _on_walled(request: Request, error: Exception) -> Response:
    # Whoever treats nobody is let in to few tables (`storage.walls`): what asks before it looks at
    # the role ends here, and so does a table that no rule opens, which is for the log.
    refused = isinstance(error, ProgrammingError) and isinstance(error.orig, InsufficientPrivilege)
    if not refused:
        raise error
    route = request.scope.get("route_path", request.method)
    _log.error("the database refused what a role may not ask", extra={"route": route})
    return problem_response(
        HTTPStatus.FORBIDDEN,
        "forbidden",
        "Your role does not allow this",
        remedy="Ask your consortium administrator for the role.",
    )


def _signing_members(error: SigningRefused) -> dict[str, str | int]:
    match error:
        case WrongPin():
            return {"attempts_left": error.attempts_left}
        case CredentialLocked():
            return {"locked_until": error.until.isoformat()}
        case _:
            return {}
