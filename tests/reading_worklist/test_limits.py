"""What one person or one request may take up of the web server."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from reading_worklist.app import BODY_BYTES
from reading_worklist.events import PAGES_MAX
from storage.objects import ObjectStore
from tests.support.asgi import Answer, ask
from tests.support.seed import Consortium
from tests.support.web import Browser, application


def test_a_body_is_no_longer_than_its_route_needs(
    consortium: Consortium, objects: ObjectStore, tmp_path: Path
) -> None:
    app = application(consortium, objects, tmp_path, signers=False)
    writer = Browser(app, "writer")
    answer = writer.post("/api/snippets", shortcut="x", text="x" * BODY_BYTES)
    assert answer.status_code == 413
    technician = Browser(app, "doctor-east")
    answer = technician.client.post("/api/ecg-files", content=bytes(BODY_BYTES + 1))
    assert answer.status_code != 413, "a file may be longer"


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
