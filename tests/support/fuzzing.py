"""Requests that schemathesis makes up from an OpenAPI document, asked in-process."""

import gzip
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import schemathesis
from anyio.from_thread import BlockingPortal
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from requests import PreparedRequest, Request
from schemathesis import APIOperation, Case
from schemathesis.checks import not_a_server_error
from schemathesis.core import Body
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.transport.serialization import serialize_binary
from starlette.types import ASGIApp

from tests.support.asgi import ask_bytes

_REQUEST: Final = frozenset(
    ("method", "url", "headers", "params", "data", "json", "files", "cookies")
)
_HEALTH: Final = [
    HealthCheck.too_slow,
    HealthCheck.filter_too_much,
    HealthCheck.data_too_large,
    HealthCheck.large_base_example,
]
CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@schemathesis.serializer(
    "application/pdf",
    "application/ocsp-request",
    "application/dicom",
    "application/dicom+json",
    "application/fhir+json",
    "multipart/related",
    "application/xml",
)
def _as_it_is(_context: object, value: Body) -> bytes:
    return value if isinstance(value, bytes) else serialize_binary(value)


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody who asks.

    headers: what signs him in.
    """

    name: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fuzzing:
    """How an application is asked.

    names: values of path parameters that name something that is there; they stand in two of
        three requests, else hardly any request would come past "there is none".
    """

    app: ASGIApp
    portal: BlockingPortal
    names: Mapping[str, str]
    examples: int
    statuses: Counter[int] = field(default_factory=Counter[int])

    def complaints(
        self,
        document: Mapping[str, Any],
        asker: Callable[[str, str], Asker | None],
        number: int = 0,
    ) -> list[str]:
        """Ask every operation of `document` and return what was answered wrongly.

        asker: who asks a method of a path; None leaves it out.
        number: the same one makes the same requests up.
        """
        found: dict[str, str] = {}
        schema = schemathesis.openapi.from_dict(dict(document))
        for result in schema.get_all_operations():
            assert isinstance(result, Ok), result
            operation = result.ok()
            method = operation.method.upper()
            if (who := asker(method, operation.path)) is None:
                continue
            for text in self._asked(operation, who, number):
                found.setdefault(f"{method} {operation.path}: {text.splitlines()[0]}", text)
        return [f"{key}\n{text}" for key, text in found.items()]

    def _asked(
        self, operation: APIOperation[Any, Any, Any, Any], who: Asker, number: int
    ) -> list[str]:
        wrong: list[str] = []
        known = {
            one.name: self.names[one.name]
            for one in operation.path_parameters
            if one.name in self.names
        }

        @seed(number)
        @settings(
            max_examples=self.examples,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=_HEALTH,
        )
        @given(case=operation.as_strategy(), made_up=st.integers(0, 2))
        def walk(case: Case[Any], made_up: int) -> None:
            if known and made_up < 2:
                case.path_parameters = {**case.path_parameters, **known}
            if (text := self._complaint(case, who)) is not None:
                wrong.append(text)

        walk()
        return wrong

    def _complaint(self, case: Case[Any], who: Asker) -> str | None:
        kwargs = case.as_transport_kwargs(base_url="http://testserver", headers=dict(who.headers))
        prepared = Request(
            **{
                name: value
                for name, value in kwargs.items()
                if name
                in ("method", "url", "headers", "params", "data", "json", "files", "cookies")
            }
        ).prepare()
        try:
            response = self._answer(prepared)
        except Exception as error:  # noqa: BLE001 -- whatever the application lets fall is a fault
            return f"{type(error).__name__}: {error}\n as {who.name}: {_shown(prepared)}"
        try:
            case.validate_response(response, checks=CHECKS)
        except FailureGroup as failures:
            return (
                f"{failures.exceptions[0]} -> {response.status_code}\n"
                f" as {who.name}: {_shown(prepared)}\n {response.content[:400]!r}"
            )
        return None

    def _answer(self, request: PreparedRequest) -> Response:
        address = urlsplit(request.url or "")
        target = f"{address.path}?{address.query}"
        answer = self.portal.call(
            ask_bytes,
            self.app,
            request.method or "GET",
            target,
            {name: str(value) for name, value in request.headers.items()},
            _content(request),
        )
        self.statuses[answer.status_code] += 1
        headers: dict[str, list[str]] = {}
        for name, value in answer.headers:
            headers.setdefault(name, []).append(value)
        content = answer.content
        if headers.pop("content-encoding", None) == ["gzip"]:
            content = gzip.decompress(content)
        return Response(
            answer.status_code, headers, content, request=request, elapsed=0.0, verify=False
        )


def _content(request: PreparedRequest) -> bytes:
    body = request.body or b""
    assert isinstance(body, str | bytes)
    return body.encode() if isinstance(body, str) else body


def _shown(request: PreparedRequest) -> str:
    return f"{request.method} {request.url} {_content(request)[:500]!r}"
