"""Sign-in through an OpenID Connect provider: a real one, on loopback."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from oidc_provider_mock import User, run_server_in_thread
from sqlalchemy import select, update

from reading_worklist.access.outside.providers import (
    Provider,
    ProviderConfig,
    RoleRule,
    values_of,
)
from reading_worklist.access.outside.routes import STATE_COOKIE
from reading_worklist.access.tables import OutsideIdentity, OutsideSignIn
from storage.clock import utc_now
from storage.objects import ObjectStore
from storage.registry import Membership, Role
from tests.support.seed import Consortium
from tests.support.web import application

PUBLIC = "http://127.0.0.1:8080"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """A provider at which some people have accounts."""
    people = (
        User(sub="sub-li", claims={"email": "Li@county.cn", "email_verified": True}),
        User(sub="sub-li-2", claims={"email": "li@county.cn", "email_verified": True}),
        User(sub="sub-unsure", claims={"email": "li@county.cn", "email_verified": False}),
        User(sub="sub-wang", claims={"amr": ["pwd", "otp"], "groups": ["readers"]}),
    )
    with run_server_in_thread(require_nonce=True, user_claims=people) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path, issuer: str) -> FastAPI:
    app = application(consortium, objects, tmp_path, signers=False)
    configure(app, ProviderConfig("county", issuer, "rdc", "县统一认证", client_secret="s" * 20))
    return app


def configure(app: FastAPI, *configs: ProviderConfig) -> None:
    services = app.state.services
    providers = {config.name: Provider(config) for config in configs}
    app.state.services = replace(
        services, config=replace(services.config, identity_providers=providers)
    )


def register(consortium: Consortium, login: str, **known: str) -> None:
    with consortium.database.transaction() as session:
        person_id = consortium.people[login].id
        session.add(OutsideIdentity(person_id=person_id, provider="county", **known))


def begin(browser: TestClient, next_path: str = "/") -> str:
    """Press the provider's button; returns where the browser is sent."""
    sent = browser.get(
        "/api/session/outside/county", params={"next": next_path}, follow_redirects=False
    )
    assert sent.status_code == 303
    return sent.headers["location"]


def at_provider(address: str, subject: str) -> dict[str, str]:
    """Sign in there; returns what the provider sends back with the browser."""
    answer = httpx.post(address, data={"sub": subject}, follow_redirects=False)
    assert answer.status_code in {302, 303}, answer.text
    location = answer.headers["location"]
    assert location.startswith(f"{PUBLIC}/api/session/outside/county/callback?")
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


def come_back(
    browser: TestClient, sent: dict[str, str], provider: str = "county"
) -> httpx.Response:
    return browser.get(
        f"/api/session/outside/{provider}/callback", params=sent, follow_redirects=False
    )


def sign_in(app: FastAPI, subject: str, next_path: str = "/") -> tuple[TestClient, httpx.Response]:
    browser = TestClient(app)
    return browser, come_back(browser, at_provider(begin(browser, next_path), subject))


def why_not(answer: httpx.Response) -> str:
    assert "rdc_session" not in answer.headers.get("set-cookie", "")
    return parse_qs(urlsplit(answer.headers["location"]).query)["problem"][0]


def test_the_request_has_pkce_state_and_nonce(app: FastAPI) -> None:
    query = parse_qs(urlsplit(begin(TestClient(app))).query)
    assert query["response_type"] == ["code"]
    assert query["code_challenge_method"] == ["S256"]
    assert {"code_challenge", "state", "nonce"} <= set(query)
    assert query["redirect_uri"] == [f"{PUBLIC}/api/session/outside/county/callback"]
    listed = TestClient(app).get("/api/session/providers").json()
    assert listed == [{"name": "county", "label": "县统一认证", "label_en": ""}]


def test_a_registered_subject_comes_in(app: FastAPI, consortium: Consortium) -> None:
    register(consortium, "writer", subject="sub-li")
    browser, answer = sign_in(app, "sub-li", "/worklist?q=a")
    assert answer.headers["location"] == "/organisation?next=%2Fworklist%3Fq%3Da"
    session = browser.get("/api/session").json()
    assert (session["person"]["login"], session["provider"]) == ("writer", "county")
    left = browser.get("/api/session/outside/county/leave", follow_redirects=False)
    assert parse_qs(urlsplit(left.headers["location"]).query)["client_id"] == ["rdc"]


def test_a_verified_address_links_once_and_then_the_subject_counts(
    app: FastAPI, consortium: Consortium
) -> None:
    register(consortium, "writer", email="li@county.cn")
    assert why_not(sign_in(app, "sub-unsure")[1]) == "outside-unknown"
    assert sign_in(app, "sub-li")[0].get("/api/session").json()["person"]["login"] == "writer"
    # The address is somebody else's now.
    assert why_not(sign_in(app, "sub-li-2")[1]) == "outside-unknown"
    assert sign_in(app, "sub-li")[0].get("/api/session").status_code == 200


def test_nobody_is_made_and_nobody_locked_out_comes_in(
    app: FastAPI, consortium: Consortium
) -> None:
    assert why_not(sign_in(app, "sub-wang")[1]) == "outside-unknown"
    register(consortium, "reviewer", subject="sub-wang")
    with consortium.database.transaction() as session:
        session.execute(update(type(consortium.people["reviewer"])).values(active=False))
    assert why_not(sign_in(app, "sub-wang")[1]) == "outside-unknown"


def test_an_answer_counts_once_in_its_own_browser_and_in_time(
    app: FastAPI, consortium: Consortium
) -> None:
    register(consortium, "writer", subject="sub-li")
    browser = TestClient(app)
    sent = at_provider(begin(browser), "sub-li")
    # A sign-in that somebody else began, pushed into a victim's browser.
    assert why_not(come_back(TestClient(app), sent)) == "outside-sign-in-over"
    assert why_not(come_back(browser, {**sent, "state": "guess"})) == "outside-sign-in-over"
    browser = TestClient(app)
    sent = at_provider(begin(browser), "sub-li")
    kept = dict(browser.cookies)
    assert come_back(browser, sent).headers["location"].startswith("/organisation")
    again = TestClient(app, cookies={STATE_COOKIE: kept[STATE_COOKIE]})
    assert why_not(come_back(again, sent)) == "outside-sign-in-over"
    late = TestClient(app)
    sent = at_provider(begin(late), "sub-li")
    with consortium.database.transaction() as session:
        session.execute(update(OutsideSignIn).values(began_at=utc_now().replace(year=2020)))
    assert why_not(come_back(late, sent)) == "outside-sign-in-over"


def test_a_code_of_another_sign_in_is_not_taken(app: FastAPI, consortium: Consortium) -> None:
    register(consortium, "writer", subject="sub-li")
    stolen = at_provider(begin(TestClient(app)), "sub-li")
    browser = TestClient(app)
    sent = at_provider(begin(browser), "sub-li")
    # PKCE: the code belongs to the verifier of the sign-in that it was given for.
    assert why_not(come_back(browser, {**sent, "code": stolen["code"]})) == "outside-failed"


def test_a_nonce_of_another_sign_in_is_not_taken(app: FastAPI, consortium: Consortium) -> None:
    register(consortium, "writer", subject="sub-li")
    browser = TestClient(app)
    sent = at_provider(begin(browser), "sub-li")
    with consortium.database.transaction() as session:
        session.execute(update(OutsideSignIn).values(nonce="another"))
    assert why_not(come_back(browser, sent)) == "outside-failed"


def test_who_is_refused_there_or_comes_from_another_provider(app: FastAPI, issuer: str) -> None:
    browser = TestClient(app)
    state = parse_qs(urlsplit(begin(browser)).query)["state"][0]
    refused = come_back(browser, {"state": state, "error": "access_denied"})
    assert why_not(refused) == "outside-refused"
    config = app.state.services.config.identity_providers["county"].config
    configure(app, config, replace(config, name="other"))
    browser = TestClient(app)
    sent = at_provider(begin(browser), "sub-li")
    assert why_not(come_back(browser, sent, "other")) == "outside-sign-in-over"
    browser = TestClient(app)
    sent = at_provider(begin(browser), "sub-li")
    assert why_not(come_back(browser, {**sent, "iss": "https://evil"})) == "outside-failed"
    configure(app, replace(config, issuer=f"{issuer}/"))
    assert why_not(browser.get("/api/session/outside/county", follow_redirects=False)) == (
        "outside-failed"
    )


def test_another_audience_is_not_believed(app: FastAPI, consortium: Consortium) -> None:
    register(consortium, "writer", subject="sub-li")
    browser = TestClient(app)
    sent = at_provider(begin(browser), "sub-li")
    provider: Provider = app.state.services.config.identity_providers["county"]
    provider.config = replace(provider.config, client_id="somebody else")
    assert why_not(come_back(browser, sent)) == "outside-failed"


@pytest.mark.parametrize("path", ["//evil.cn", "/\\evil.cn", "https://evil.cn", "evil", "/a\nb"])
def test_a_sign_in_leads_to_our_own_pages_alone(
    app: FastAPI, consortium: Consortium, path: str
) -> None:
    begin(TestClient(app), path)
    with consortium.database.transaction() as session:
        assert session.scalars(select(OutsideSignIn.next_path)).all() == ["/"]


def test_a_provider_decides_about_the_roles_it_gave(app: FastAPI, consortium: Consortium) -> None:
    register(consortium, "reviewer", subject="sub-wang")
    config = app.state.services.config.identity_providers["county"].config
    rules = (
        RoleRule("groups", "readers", "centre", Role.WRITER),
        RoleRule("groups", "heads", "centre", Role.CONSORTIUM_ADMIN),
    )
    ruled = replace(config, roles=rules, second_factor_amr=frozenset({"otp"}))
    configure(app, ruled)
    browser, _ = sign_in(app, "sub-wang")
    assert browser.get("/api/session").json()["roles"] == ["reviewer", "writer"]
    (own,) = browser.get("/api/account/sessions").json()
    assert (own["provider"], own["second_factor"]) == ("county", True)
    configure(app, replace(ruled, roles=(replace(rules[0], value="heads"), rules[1])))
    assert sign_in(app, "sub-wang")[0].get("/api/session").json()["roles"] == ["reviewer"]
    # In the session from before as well.
    assert browser.get("/api/session").json()["roles"] == ["reviewer"]
    with consortium.database.transaction() as session:
        given = session.scalars(
            select(Membership.provider).where(
                Membership.person_id == consortium.people["reviewer"].id
            )
        ).all()
    assert sorted(given, key=str) == [None, "county"]


@pytest.mark.parametrize(
    ("claims", "path", "values"),
    [
        ({"groups": ["a", "b"]}, "groups", {"a", "b"}),
        ({"role": "a"}, "role", {"a"}),
        ({"realm_access": {"roles": ["a"]}}, "realm_access.roles", {"a"}),
        ({"https://county.cn/roles": ["a"]}, "https://county.cn/roles", {"a"}),
        ({"realm_access": "a"}, "realm_access.roles", set()),
        ({"n": 5}, "n", set()),
        ({}, "groups", set()),
    ],
)
def test_claims_are_read_as_they_come(claims: dict[str, Any], path: str, values: set[str]) -> None:
    assert values_of(claims, path) == values
