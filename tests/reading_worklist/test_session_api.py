"""Sign-in, sessions and CSRF over HTTP."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import update

from deploy.people import renew
from reading_worklist.access.tables import WebSession
from reading_worklist.signing.authority import open_authority
from reading_worklist.signing.errors import WrongPin
from reading_worklist.signing.unlocking import unlock
from storage.clock import utc_now
from storage.database import Database
from storage.objects import ObjectStore
from storage.registry import Membership
from tests.support.seed import PASSWORD, Consortium
from tests.support.web import PIN, Browser, application, give_keys

OPEN = {
    ("/api/session", "post"),
    ("/api/session/providers", "get"),
    ("/api/session/outside/{provider}", "get"),
    ("/api/session/outside/{provider}/callback", "get"),
    ("/api/session/outside/{provider}/leave", "get"),
    # A provider shows its signed token there.
    ("/api/session/outside/{provider}/logout", "post"),
    ("/api/verify/{code}", "get"),
    ("/api/verify", "post"),
}
"""What needs no session: signing in, verifying a report by the code on its paper, and below `/pki/`
what verifiers fetch of our certificates."""


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    return application(consortium, objects, tmp_path, signers=False)


@pytest.mark.parametrize(
    ("login", "password"),
    [("writer", "wrong"), ("nobody", PASSWORD), ("writer", ""), ("", ""), ("' OR 1=1", "x")],
)
def test_every_wrong_sign_in_gets_the_same_answer(app: FastAPI, login: str, password: str) -> None:
    answer = TestClient(app).post("/api/session", json={"login": login, "password": password})
    assert answer.status_code == 401
    assert answer.json()["type"] == "urn:rdc:problem:wrong-credentials"
    assert "set-cookie" not in answer.headers


def test_a_session_begins_tells_who_one_is_and_ends(app: FastAPI) -> None:
    browser = Browser(app, "writer")
    session = browser.get("/api/session").json()
    assert session["person"]["display_name"] == "李书写"
    assert session["roles"] == ["writer"]
    assert browser.client.delete("/api/session").status_code == 204
    assert browser.get("/api/session").status_code == 401


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(app: FastAPI) -> None:
    answer = TestClient(app).post("/api/session", json={"login": "writer", "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_an_unsafe_request_without_the_token_is_refused(
    app: FastAPI, consortium: Consortium
) -> None:
    browser = Browser(app, "writer")
    item = f"/api/workitems/{consortium.queued_study().workitem_id}"
    del browser.client.headers["X-CSRF-Token"]
    assert browser.post(f"{item}/claim").status_code == 403
    browser.client.headers["X-CSRF-Token"] = "guess"
    assert browser.post(f"{item}/claim").status_code == 403
    assert browser.get(item).json()["state"] == "QUEUED"


@pytest.mark.parametrize(
    "change",
    [
        {"last_seen_at": utc_now() - timedelta(hours=2)},
        {"expires_at": utc_now() - timedelta(seconds=1)},
        {"ended_at": utc_now()},
    ],
)
def test_a_session_that_is_over_is_over(
    app: FastAPI, database: Database, change: dict[str, object]
) -> None:
    browser = Browser(app, "writer")
    with database.transaction() as session:
        session.execute(update(WebSession).values(change))
    assert browser.get("/api/session").status_code == 401


def test_a_role_that_has_run_out_ends_the_access(app: FastAPI, database: Database) -> None:
    browser = Browser(app, "writer")
    with database.transaction() as session:
        session.execute(update(Membership).values(valid_until=utc_now().date() - timedelta(days=1)))
    assert browser.get("/api/workitems").status_code == 401


def test_without_a_session_nothing_is_shown(app: FastAPI) -> None:
    client = TestClient(app)
    paths = [route for route in app.openapi()["paths"] if not route.endswith("z")]
    assert len(paths) > 10
    for path in paths:
        for method in app.openapi()["paths"][path]:
            if (path, method) in OPEN or path.startswith("/pki/"):
                continue
            url = path.replace("{workitem_id}", "0" * 8 + "-0000-4000-8000-" + "0" * 12)
            answer = client.request(method, url.replace("{", "").replace("}", ""))
            assert answer.status_code in {401, 422}, (method, path, answer.status_code)


def test_an_outage_of_the_database_is_told_as_such(app: FastAPI, database: Database) -> None:
    browser = Browser(app, "writer")
    unreachable = database.engine.url.set(query={"host": "/nowhere"})
    app.state.services = replace(
        app.state.services, database=Database(unreachable.render_as_string(hide_password=False))
    )
    answer = browser.get("/api/session")
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:rdc:problem:unavailable"
    assert browser.get("/readyz").status_code == 503
    assert browser.get("/healthz").status_code == 200


def test_a_renewed_password_signs_everybody_out_and_replaces_the_key(
    app: FastAPI, consortium: Consortium, database: Database, tmp_path: Path
) -> None:
    give_keys(consortium, tmp_path)
    browser = Browser(app, "writer")
    authority = open_authority(tmp_path / "authority", organisation="青山县医共体", name="测试 CA")
    with database.transaction() as session:
        renewed = renew(session, authority, login="writer", signing_key=True)
    assert browser.get("/api/session").status_code == 401
    body = {"login": "writer", "password": renewed.password}
    assert TestClient(app).post("/api/session", json=body).status_code == 200
    assert renewed.signing_pin
    person_id = consortium.people["writer"].id
    assert unlock(database, person_id, renewed.signing_pin).person_id == person_id
    with pytest.raises(WrongPin):
        unlock(database, person_id, PIN)
