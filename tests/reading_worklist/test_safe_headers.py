"""What every kind of answer tells a browser; `test_access` scans those of each route."""

import asyncio
import re
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.responses import RedirectResponse, Response
from fastapi.testclient import TestClient

from reading_worklist import problems, safe_headers
from reading_worklist.app import create_app
from reading_worklist.safe_headers import SafeHeaders
from reading_worklist.services import WebConfig
from storage.objects import ObjectStore
from tests.support.asgi import Answer, ask
from tests.support.header_scan import faults
from tests.support.seed import PASSWORD, Consortium
from tests.support.viewer import OHIF

PAGE = "<html><head><meta property='csp-nonce' nonce='RDC_CSP_NONCE'></head></html>"


def config(directory: Path) -> WebConfig:
    web_ui = directory / "web"
    (web_ui / "assets").mkdir(parents=True)
    (web_ui / "index.html").write_text(PAGE, "utf-8")
    (web_ui / "assets" / "main-1.js").write_text("1", "utf-8")
    (web_ui / "assets" / "mark-1.svg").write_text("<svg/>", "utf-8")
    return WebConfig(web_ui=web_ui, ohif=OHIF, fonts=(), trust_anchors=())


def asked(app: FastAPI, method: str, path: str, **more: object) -> Answer:
    return asyncio.run(ask(app, method, path, **more))  # pyright: ignore[reportArgumentType] -- by name


def test_a_page_its_assets_and_errors_are_safe_and_each_page_has_a_nonce_of_its_own(
    consortium: Consortium, objects: ObjectStore, tmp_path: Path
) -> None:
    app = create_app(config(tmp_path), consortium.database, objects)
    for path in ("/", "/worklist", "/index.html", "/assets/main-1.js", "/assets/mark-1.svg",
                 "/assets/none.js", "/api/none", "/healthz", "/metrics",
                 "/dicom-web/studies", "/fhir/metadata", "/fhir/Patient"):  # fmt: skip
        answer = asked(app, "GET", path)
        assert faults(answer.headers, tls=False) == [], path

    first, second = asked(app, "GET", "/"), asked(app, "GET", "/worklist")
    nonces = [re.findall(r"nonce='([^']+)'", answer.text) for answer in (first, second)]
    assert nonces[0] != nonces[1]
    for answer, [nonce] in zip((first, second), nonces, strict=True):
        assert f"'nonce-{nonce}'" in dict(answer.headers)["content-security-policy"]
        assert dict(answer.headers)["cache-control"] == "no-store"
    assert "immutable" in dict(asked(app, "GET", "/assets/main-1.js").headers)["cache-control"]


def test_behind_tls_the_cookie_and_every_answer_say_so(
    consortium: Consortium, objects: ObjectStore, tmp_path: Path
) -> None:
    app = create_app(replace(config(tmp_path), secure_cookie=True), consortium.database, objects)
    body = {"login": "writer", "password": PASSWORD}
    signed_in = asked(app, "POST", "/api/session", body=body)
    refused = asked(app, "POST", "/api/session", body=body | {"password": "wrong"})
    assert "set-cookie" in dict(signed_in.headers)
    for answer in (signed_in, refused, asked(app, "GET", "/")):
        assert faults(answer.headers, tls=True) == []


@pytest.mark.skipif(not (OHIF / "index.html").is_file(), reason="the viewer is not installed")
def test_the_viewer_is_looser_in_nothing_but_how_it_compiles_and_styles(
    consortium: Consortium, objects: ObjectStore, tmp_path: Path
) -> None:
    app = create_app(config(tmp_path), consortium.database, objects)
    page = asked(app, "GET", "/viewer/index.html", headers={"accept": "text/html"})
    assert faults(page.headers, tls=False, viewer=True) == []
    policy = dict(page.headers).get("content-security-policy", "")
    assert "'unsafe-inline'" not in policy.partition("style-src")[0]


def test_redirects_documents_and_what_fails_unforeseen_are_safe_too() -> None:
    app = FastAPI()
    problems.install(app)
    app.add_api_route("/elsewhere", lambda: RedirectResponse("/"), response_model=None)
    app.add_api_route(
        "/pdf", lambda: Response(b"%PDF", media_type="application/pdf"), response_model=None
    )
    app.add_api_route("/fails", lambda: 1 / 0, response_model=None)
    client = TestClient(
        SafeHeaders(app, tls=False), raise_server_exceptions=False, follow_redirects=False
    )
    for path, status in (("/elsewhere", 307), ("/pdf", 200), ("/fails", 500), ("/none", 404)):
        answer = client.get(path)
        assert answer.status_code == status
        assert faults(answer.headers.multi_items(), tls=False) == [], path


def test_what_a_route_says_itself_stands() -> None:
    said = ((b"cache-control", b"private, no-cache"), (b"content-type", b"text/html"))
    added = dict(safe_headers.missing(said, tls=True))
    assert b"cache-control" not in added
    assert added[b"strict-transport-security"].startswith(b"max-age=31536000")
