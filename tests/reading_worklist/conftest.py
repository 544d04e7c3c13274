"""The application on a port of its own, for browsers; what all others share in a process."""

import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from anyio.from_thread import start_blocking_portal
from fastapi.openapi.utils import get_openapi
from fastapi.testclient import TestClient
from starlette.routing import BaseRoute

from reading_worklist.app import create_app
from reading_worklist.services import WebConfig
from storage.database import Database
from storage.objects import ObjectStore
from tests.reading_worklist.dicomweb.archive import Archive
from tests.support.seed import Consortium
from tests.support.viewer import OHIF


@pytest.fixture(scope="session", autouse=True)
def one_event_loop() -> Iterator[None]:
    """Let all requests of test clients run in one event loop, as those of a server do.

    A loop of its own for each, with the threads that it starts, was half of what a request cost.
    """
    with start_blocking_portal() as portal, pytest.MonkeyPatch.context() as patched:
        patched.setattr(TestClient, "portal", portal)
        yield
        # An answer that nobody read to its end would be waited for.
        portal.call(portal.stop, True)


@pytest.fixture(scope="session", autouse=True)
def described_once() -> Iterator[None]:
    """Describe the same routes once: making the OpenAPI document took 1.2 s for each application.

    The applications of a process share their routes (`reading_worklist.app`); a test that adds one
    has a document of its own.
    """
    known: dict[tuple[int, ...], tuple[Sequence[BaseRoute], dict[str, Any]]] = {}

    def shared(*, routes: Sequence[BaseRoute], **words: Any) -> dict[str, Any]:  # noqa: ANN401 -- those of get_openapi
        told = [one for one in routes if getattr(one, "include_in_schema", True)]
        key = tuple(map(id, told))
        if key not in known:
            # Kept with its routes: what is gone may leave its number to another.
            known[key] = (told, get_openapi(routes=routes, **words))
        return known[key][1]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("fastapi.applications.get_openapi", shared)
        yield


@pytest.fixture
def server(
    database: Database, objects: ObjectStore, tmp_path: Path
) -> Iterator[tuple[str, Archive, Consortium]]:
    """The address of the application, and what fills its archive."""
    consortium = Consortium(database)
    config = WebConfig(web_ui=tmp_path / "web", ohif=OHIF, fonts=(), trust_anchors=())
    app = create_app(config, database, objects)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        web = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=web.run, kwargs={"sockets": [listener]})
        thread.start()
        yield (
            f"http://127.0.0.1:{listener.getsockname()[1]}",
            Archive(database, objects),
            consortium,
        )
        web.should_exit = True
        thread.join()
