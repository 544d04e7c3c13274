"""How a web process goes: it says so, works on until balancers have heard it, and then is gone."""

import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from deploy import settings, web_server
from reading_worklist.app import create_app
from reading_worklist.services import WebConfig
from storage.database import Database
from storage.objects import ObjectStore


@contextmanager
def served(
    database: Database, objects: ObjectStore, directory: Path, proxies: list[str]
) -> Generator[tuple[web_server.WebServer, str]]:
    """Run a web process' server; give it and its address, and wait for its end."""
    config = WebConfig(web_ui=directory, ohif=directory, fonts=(), trust_anchors=())
    found = settings.load(data_dir=directory, http_port=0, trusted_proxies=proxies)
    server = web_server.WebServer(create_app(config, database, objects), found)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield server, f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def test_behind_a_balancer_it_says_that_it_goes_and_serves_meanwhile(
    database: Database, objects: ObjectStore, tmp_path: Path
) -> None:
    with (
        served(database, objects, tmp_path, ["127.0.0.1/32"]) as (server, address),
        httpx.Client(base_url=address, timeout=10) as kept,
    ):
        assert kept.get("/readyz").is_success
        server.should_exit = True
        began = time.monotonic()
        answer = kept.get("/readyz")
        while answer.is_success and time.monotonic() < began + web_server.LEAVE_SECONDS:
            answer = kept.get("/readyz")
        assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert answer.json()["title"] == "This process is being stopped"
        # Whoever has not heard it is served on a new connection, and told to keep none.
        answer = kept.get("/healthz")
        assert answer.is_success
        assert answer.headers["connection"] == "close"
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/healthz")


def test_without_a_balancer_nobody_is_waited_for(
    database: Database, objects: ObjectStore, tmp_path: Path
) -> None:
    with served(database, objects, tmp_path, []) as (server, address):
        assert httpx.get(f"{address}/readyz", timeout=10).is_success
        server.should_exit = True
        began = time.monotonic()
    assert time.monotonic() - began < web_server.LEAVE_SECONDS
