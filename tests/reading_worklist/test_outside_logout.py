"""A provider tells that somebody has signed out there (OpenID Connect Back-Channel Logout 1.0)."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey
from oidc_provider_mock import User, run_server_in_thread
from sqlalchemy import select, update

from reading_worklist.access import sessions
from reading_worklist.access.outside.logout import EVENT, require_standing
from reading_worklist.access.outside.providers import Provider, ProviderConfig, Vouched
from reading_worklist.access.sessions import SessionLimits
from reading_worklist.access.tables import OutsideIdentity, WebSession
from reading_worklist.problems import Problem
from reading_worklist.services import COOKIE
from storage.audit import AuditRecord
from storage.clock import utc_now
from storage.objects import ObjectStore
from tests.reading_worklist.test_outside_sign_in import sign_in
from tests.support.seed import Consortium
from tests.support.web import Browser, application

ISSUER = "https://sso.county.example"
PATH = "/api/session/outside/county/logout"
LIMITS = SessionLimits(timedelta(hours=1), timedelta(hours=8))
KEY = ECKey.generate_key("P-256", {"kid": "ours", "use": "sig"})


@pytest.fixture
def app(
    consortium: Consortium, objects: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> FastAPI:
    """The application, with a provider whose keys are ours."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("openid-configuration"):
            return httpx.Response(200, json={"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"})
        return httpx.Response(200, json=KeySet([KEY]).as_dict(private=False))

    def asks(_self: Provider) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(answer))

    monkeypatch.setattr(Provider, "_http", asks)
    app = application(consortium, objects, tmp_path, signers=False)
    configure(app, ISSUER)
    with consortium.database.transaction() as session:
        for login, subject in (("writer", "sub-li"), ("reviewer", "sub-wang")):
            session.add(
                OutsideIdentity(
                    person_id=consortium.people[login].id, provider="county", subject=subject
                )
            )
    return app


def configure(app: FastAPI, issuer: str) -> None:
    services = app.state.services
    provider = Provider(ProviderConfig("county", issuer, "rdc", "县", client_secret="s" * 20))
    app.state.services = replace(
        services, config=replace(services.config, identity_providers={"county": provider})
    )


def entered(app: FastAPI, consortium: Consortium, login: str, sid: str | None) -> TestClient:
    """A browser whose session began by the provider's word."""
    with consortium.database.transaction() as session:
        made = sessions.sign_in(
            session, login, "testclient", LIMITS, provider="county", provider_sid=sid
        )
    return TestClient(app, cookies={COOKIE: made.token})


def is_in(browser: TestClient) -> bool:
    return browser.get("/api/session").status_code == HTTPStatus.OK


def claims(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 -- claims of any kind
    """What a logout token says; None takes a claim away."""
    now = int(time.time())
    said = {
        "iss": ISSUER,
        "aud": "rdc",
        "iat": now,
        "exp": now + 120,
        "jti": str(uuid4()),
        "sub": "sub-li",
        "events": {EVENT: {}},
    }
    return {name: value for name, value in (said | changes).items() if value is not None}


def signed(said: dict[str, Any], **header: str) -> str:
    return jwt.encode({"alg": "ES256", "kid": "ours", "typ": "logout+jwt"} | header, said, KEY)


def tell(app: FastAPI, token: str, path: str = PATH) -> httpx.Response:
    return TestClient(app).post(path, data={"logout_token": token})


def test_the_sessions_of_a_person_end(app: FastAPI, consortium: Consortium) -> None:
    named, unnamed = (entered(app, consortium, "writer", sid) for sid in ("a", None))
    other = entered(app, consortium, "reviewer", "b")
    own = Browser(app, "writer")
    token = signed(claims())
    answer = tell(app, token)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert [is_in(one) for one in (named, unnamed, other)] == [False, False, True]
    # Who came with a password of ours has not signed out of anything.
    assert is_in(own.client)
    assert tell(app, token).json()["found"] == "jti"
    with consortium.database.transaction() as session:
        noted = session.scalars(
            select(AuditRecord).where(AuditRecord.action == "session:end_outside")
        ).one()
    assert noted.detail == {"provider": "county", "ended": 2}
    assert noted.subject_id == str(consortium.people["writer"].id)


def test_one_of_its_sessions_ends(app: FastAPI, consortium: Consortium) -> None:
    here, there = (entered(app, consortium, "writer", sid) for sid in ("a", "b"))
    assert tell(app, signed(claims(sub=None, sid="a"))).is_success
    assert [is_in(one) for one in (here, there)] == [False, True]
    # A name of a session that is somebody else's ends nothing.
    assert tell(app, signed(claims(sub="sub-wang", sid="b"))).is_success
    assert is_in(there)
    # Neither is anybody told who has a session.
    assert tell(app, signed(claims(sub="nobody"))).is_success


NOW = int(time.time())
WRONG: dict[str, Callable[[], str]] = {
    "of another provider": lambda: signed(claims(iss="https://elsewhere")),
    "for another client": lambda: signed(claims(aud=["other"])),
    "without an event": lambda: signed(claims(events=None)),
    "of another event": lambda: signed(claims(events={"x": {}})),
    "an event that is none": lambda: signed(claims(events={EVENT: "x"})),
    "an ID token": lambda: signed(claims(nonce="n")),
    "without a name": lambda: signed(claims(jti=None)),
    "of nobody": lambda: signed(claims(sub=None)),
    "old": lambda: signed(claims(iat=NOW - 3600)),
    "of tomorrow": lambda: signed(claims(iat=NOW + 86400)),
    "without a time": lambda: signed(claims(iat=None)),
    "a time that is none": lambda: signed(claims(iat=True)),
    "over": lambda: signed(claims(exp=NOW - 300)),
    "an access token": lambda: signed(claims(), typ="at+jwt"),
    "with a key of somebody else": lambda: jwt.encode(
        {"alg": "ES256", "kid": "ours"}, claims(), ECKey.generate_key("P-256")
    ),
    "with a shared secret": lambda: jwt.encode(
        {"alg": "HS256"}, claims(), OctKey.import_key("s" * 32), algorithms=["HS256"]
    ),
    "unsigned": lambda: "eyJhbGciOiJub25lIn0." + signed(claims()).split(".")[1] + ".",
    "changed": lambda: signed(claims())[:-6] + "AAAAAA",
    "no token": lambda: "x",
}


def test_what_is_not_a_logout_token_ends_nothing(app: FastAPI, consortium: Consortium) -> None:
    browser = entered(app, consortium, "writer", "a")
    for kind, token in WRONG.items():
        answer = tell(app, token())
        assert answer.status_code == HTTPStatus.BAD_REQUEST, kind
        assert answer.json()["type"] == "urn:rdc:problem:logout-token-refused", kind
    right = signed(claims())
    assert tell(app, right, PATH.replace("county", "other")).status_code == HTTPStatus.NOT_FOUND
    for wrong in (
        {"json": {"logout_token": right}},
        {"data": {}},
        {"data": {"logout_token": ["x", right]}},
    ):
        assert TestClient(app).post(PATH, **wrong).status_code == HTTPStatus.BAD_REQUEST
    assert TestClient(app).get(PATH, params={"logout_token": right}).status_code in {404, 405}
    assert is_in(browser)


def test_a_sign_out_that_overtakes_the_sign_in(app: FastAPI, consortium: Consortium) -> None:
    assert tell(app, signed(claims(sid="a"))).is_success
    now = utc_now()

    def stands(sid: str | None, ago: int) -> bool:
        vouched = Vouched("sub-li", None, False, {}, sid, now - timedelta(seconds=ago))
        with consortium.database.transaction() as session:
            try:
                require_standing(session, "county", vouched)
            except Problem:
                return False
        return True

    assert not stands("a", 60)
    assert stands("b", 60)
    # Whose sessions have no names is signed out by a message of later.
    assert not stands(None, 60)
    assert stands(None, -60)


def test_with_a_provider_of_others(
    consortium: Consortium, objects: ObjectStore, tmp_path: Path
) -> None:
    """It publishes its keys and vouches; that it tells of sign-outs its program does not know."""
    with run_server_in_thread(
        require_nonce=True, user_claims=(User(sub="sub-li", claims={"sid": "its"}),)
    ) as server:
        app = application(consortium, objects, tmp_path, signers=False)
        configure(app, f"http://localhost:{server.server_port}")
        with consortium.database.transaction() as session:
            person_id = consortium.people["writer"].id
            session.add(OutsideIdentity(person_id=person_id, provider="county", subject="sub-li"))
        browser, _ = sign_in(app, "sub-li")
        assert is_in(browser)
        with consortium.database.transaction() as session:
            assert session.scalars(select(WebSession.provider_sid)).all() == ["its"]
            session.execute(update(WebSession).values(last_seen_at=utc_now()))
        # Its keys are not ours.
        forged = signed(claims(iss=f"http://localhost:{server.server_port}"))
        assert tell(app, forged).status_code == HTTPStatus.BAD_REQUEST
        assert is_in(browser)
