"""What one person or one request may take up of the web server."""

import asyncio
import json
import logging
import re
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from reading_worklist.app import BODY_BYTES
from reading_worklist.ecg_files import routes as ecg_file_routes
from reading_worklist.events import PAGES_MAX
from storage.correlation import current
from storage.objects import ObjectStore
from tests.support.asgi import Answer, ask, ask_bytes
from tests.support.header_scan import faults
from tests.support.seed import Consortium
from tests.support.web import Browser, application

REQUEST_NUMBER = 12
LONGER_THAN_ANY = 1 << 51


def test_a_body_is_no_longer_than_its_route_needs(
    consortium: Consortium,
    objects: ObjectStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Nobody is there who would look at the file.
    monkeypatch.setattr(ecg_file_routes, "WAIT_SECONDS", 0.0)
    app = application(consortium, objects, tmp_path, signers=False)
    writer = Browser(app, "writer")
    answer = writer.post("/api/snippets", shortcut="x", text="x" * BODY_BYTES)
    assert answer.status_code == 413
    technician = Browser(app, "doctor-east")
    answer = technician.client.post("/api/ecg-files", content=bytes(BODY_BYTES + 1))
    assert answer.status_code == 202, "a file may be longer"


def refused_as_too_long(answer: Answer) -> None:
    """It is told as every other refusal is, by this address and whatever else it is told by."""
    headers = dict(answer.headers)
    assert (answer.status_code, headers["content-type"]) == (413, "application/problem+json")
    document = json.loads(answer.content)
    assert document["type"] == "urn:rdc:problem:body-too-long"
    assert document["expected"].startswith("at most ")
    assert document["remedy"]
    assert faults(answer.headers, tls=False) == []
    assert len(headers["x-request-id"]) == REQUEST_NUMBER
    assert len([name for name, _ in answer.headers if name == "content-length"]) == 1


def operations(app: FastAPI) -> list[tuple[str, str, set[str]]]:
    """Method, an address, and media types of the body of every operation."""
    return [
        (
            method.upper(),
            re.sub(r"\{[^}]+\}", "1", path),
            set(operation.get("requestBody", {}).get("content", {})),
        )
        for path, found in app.openapi()["paths"].items()
        for method, operation in found.items()
    ]


def test_a_body_whose_length_is_told_is_refused_in_our_words_on_every_route(
    consortium: Consortium, objects: ObjectStore, tmp_path: Path
) -> None:
    app = application(consortium, objects, tmp_path, signers=False)
    told = {"host": "testserver", "content-length": str(LONGER_THAN_ANY)}

    async def walk() -> None:
        for method, path, _ in operations(app):
            if path == "/api/events":
                continue
            answer = await ask_bytes(app, method, path, told, b"x")
            refused_as_too_long(answer)
            assert json.loads(answer.content)["found"] == f"{LONGER_THAN_ANY} bytes", path

    asyncio.run(walk())


def test_a_body_that_grows_too_long_is_refused_in_our_words_on_every_route(
    consortium: Consortium, objects: ObjectStore, tmp_path: Path
) -> None:
    app = application(consortium, objects, tmp_path, signers=False)
    growing = {"host": "testserver", "content-type": "application/json"}
    body = b"[" + b" " * BODY_BYTES

    async def walk() -> int:
        seen = 0
        for method, path, kinds in operations(app):
            # Whoever reads the body himself asks first who sends it.
            if "application/json" not in kinds:
                continue
            answer = await ask_bytes(app, method, path, growing, body)
            if answer.status_code != 401:
                refused_as_too_long(answer)
                assert "found" not in json.loads(answer.content), path
                seen += 1
        return seen

    assert asyncio.run(walk()) > 100


def test_what_fails_unforeseen_has_its_number_too(
    consortium: Consortium, objects: ObjectStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = application(consortium, objects, tmp_path, signers=False)
    app.add_api_route("/api/fails", lambda: 1 / 0, response_model=None)
    app.router.routes.insert(0, app.router.routes.pop())
    seen: list[str | None] = []

    class Noting(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            if record.getMessage() == "request failed":
                seen.append(current().get("request"))
            return True

    # All tests of a process have one handler: it must not keep the filter.
    with caplog.filtering(Noting()):
        answer = TestClient(app, raise_server_exceptions=False).get("/api/fails")
    assert answer.status_code == 500
    assert faults(answer.headers.multi_items(), tls=False) == []
    assert seen == [answer.headers["x-request-id"]]


def test_pages_of_one_person_are_counted(
    consortium: Consortium, objects: ObjectStore, tmp_path: Path
) -> None:
    app = application(consortium, objects, tmp_path, signers=False)
    writer = Browser(app, "writer")
    events = app.state.services.events
    person = consortium.people["writer"].id

    cookie = {"Cookie": "; ".join(f"{k}={v}" for k, v in writer.client.cookies.items())}

    async def ask_for_one_more() -> Answer:
        async with AsyncExitStack() as pages:
            for _ in range(PAGES_MAX):
                await pages.enter_async_context(events.subscribe(person))
            return await ask(app, "GET", "/api/events", headers=cookie)

    answer = asyncio.run(ask_for_one_more())
    assert (answer.status_code, dict(answer.headers)["retry-after"]) == (429, "30")
    assert "urn:rdc:problem:too-many-pages" in answer.text
    assert events.pages_of(person) == 0


def test_what_the_database_cannot_hold_is_told_as_the_askers_mistake(
    consortium: Consortium, objects: ObjectStore, tmp_path: Path
) -> None:
    app = application(consortium, objects, tmp_path, signers=False)
    answer = Browser(app, "writer").post("/api/worklist/views", name="a\0b", filter={})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
