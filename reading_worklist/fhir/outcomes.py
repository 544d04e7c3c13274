"""What the FHIR interface answers: resources as JSON, errors as OperationOutcome (R4 §3.1.0.4)."""

import json
import logging
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute
from sqlalchemy.exc import OperationalError
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from typing_extensions import override

from reading_worklist.problems import Problem
from storage.fhir.elements import MEDIA_TYPE, Element, element
from storage.objects import ObjectStoreUnavailable

CONTENT_TYPE: Final = f"{MEDIA_TYPE}; fhirVersion=4.0; charset=utf-8"

# Issue types (value set issue-type) of the statuses that are answered.
_ISSUES: Final = {
    HTTPStatus.BAD_REQUEST: "invalid",
    HTTPStatus.UNAUTHORIZED: "login",
    HTTPStatus.FORBIDDEN: "forbidden",
    HTTPStatus.NOT_FOUND: "not-found",
    HTTPStatus.METHOD_NOT_ALLOWED: "not-supported",
    HTTPStatus.NOT_ACCEPTABLE: "not-supported",
    HTTPStatus.GONE: "deleted",
    HTTPStatus.UNPROCESSABLE_ENTITY: "invalid",
    HTTPStatus.SERVICE_UNAVAILABLE: "transient",
}

_log = logging.getLogger(__name__)


def answer(
    body: Element,
    *,
    status: int = HTTPStatus.OK,
    headers: dict[str, str] | None = None,
    after: BackgroundTask | None = None,
) -> Response:
    """Return a resource as the answer. after: done once the answer has been sent."""
    return Response(
        json.dumps(body, ensure_ascii=False, separators=(",", ":")),
        status_code=status,
        media_type=CONTENT_TYPE,
        # Of a patient: no proxy on the way may keep it.
        headers={"Cache-Control": "no-store", **(headers or {})},
        background=after,
    )


def outcome(
    status: int, said: str, *, expected: str = "", found: str = "", remedy: str = ""
) -> Response:
    """Return an OperationOutcome as the answer."""
    known = HTTPStatus(status)
    code = _ISSUES.get(known, "exception" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "")
    details = {"expected": expected, "found": found, "remedy": remedy}
    headers: dict[str, str] = {}
    if known is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"  # RFC 6750 §3
    if known is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "5"
    return answer(
        {
            "resourceType": "OperationOutcome",
            "issue": [
                element(
                    severity="error",
                    code=code or "processing",
                    details={"text": said},
                    diagnostics="; ".join(
                        f"{name}: {text}" for name, text in details.items() if text
                    ),
                )
            ],
        },
        status=status,
        headers=headers,
    )


class FhirRoute(APIRoute):
    """A route whose every error is an OperationOutcome."""

    @override
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                return await handle(request)
            except Problem as error:
                return outcome(
                    error.status,
                    error.what,
                    expected=error.expected,
                    found=error.found,
                    remedy=error.remedy,
                )
            except RequestValidationError:
                return outcome(HTTPStatus.BAD_REQUEST, "The request is not understood")
            except HTTPException as error:
                return outcome(error.status_code, str(error.detail))
            except (OperationalError, ObjectStoreUnavailable) as error:
                _log.warning("a server does not answer: %s", type(error).__name__)
                return outcome(
                    HTTPStatus.SERVICE_UNAVAILABLE,
                    "The database or the object store does not answer",
                    remedy="Try again in a moment; nothing is lost.",
                )
            except Exception:  # noqa: BLE001 -- told without its insides, as for every route
                _log.exception("request failed", extra={"route": self.path})
                return outcome(
                    HTTPStatus.INTERNAL_SERVER_ERROR,
                    "The server failed to answer",
                    remedy="Try again; if it stays, tell the centre when it happened.",
                )

        return told
