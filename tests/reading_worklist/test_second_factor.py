"""Codes of a person's own device: set up, asked for where the installation says so, taken once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pyotp.totp import TOTP
from sqlalchemy import select, update

from reading_worklist.access import second_factor
from reading_worklist.access.policy import (
    AccessPolicy,
    Outstanding,
    PasswordPolicy,
    Proofs,
    SecondFactorFor,
)
from reading_worklist.access.second_factor import KEY_FILE, Seal, SealBroken, make_seal, open_seal
from reading_worklist.access.tables import RecoveryCode, SecondFactor, WebSession
from storage.audit import AuditRecord
from storage.clock import utc_now
from storage.database import Database
from storage.objects import ObjectStore
from storage.registry import Role
from tests.support.seed import PASSWORD, Consortium
from tests.support.web import PIN, Browser, application

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
STEP = timedelta(seconds=second_factor.STEP_SECONDS)
HOME = (ip_network("10.0.0.0/8"),)


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    return application(consortium, objects, tmp_path, signers=False)


def demand(app: FastAPI, *what: SecondFactorFor) -> None:
    """Let the installation demand something from now on."""
    services = app.state.services
    policy = AccessPolicy(second_factor_for=frozenset(what), home_networks=HOME)
    app.state.services = replace(services, config=replace(services.config, access=policy))
    services.recent_scopes.forget("")


def set_up(browser: Browser) -> tuple[TOTP, list[str]]:
    """Set a second factor up as its person; returns the device and the recovery codes."""
    begun = browser.post("/api/account/second-factor", password=PASSWORD)
    assert begun.status_code == 200, begun.text
    assert begun.json()["qr_svg"].startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    device = TOTP(begun.json()["secret"])
    confirmed = browser.post("/api/account/second-factor/confirm", code=device.now())
    assert confirmed.status_code == 200, confirmed.text
    return device, confirmed.json()["codes"]


def sign_in(app: FastAPI, code: str | None = None) -> httpx.Response:
    body = {"login": "writer", "password": PASSWORD, "code": code}
    return TestClient(app).post("/api/session", json=body)


def later_code(database: Database, device: TOTP) -> str:
    """A code that is good though the one of this half minute has been used."""
    with database.transaction() as session:
        session.execute(update(SecondFactor).values(last_step=0))
    return device.now()


def test_who_has_one_is_asked_for_its_code(app: FastAPI, database: Database) -> None:
    device, _ = set_up(Browser(app, "writer"))
    asked = sign_in(app)
    assert (asked.status_code, asked.json()["type"]) == (
        401,
        "urn:rdc:problem:second-factor-required",
    )
    assert "set-cookie" not in asked.headers
    assert sign_in(app, "000000").json()["type"] == "urn:rdc:problem:wrong-second-factor"
    answer = sign_in(app, later_code(database, device))
    assert answer.status_code == 200
    assert answer.json()["outstanding"] is None
    # The same code a second time, by who looked over the shoulder.
    assert sign_in(app, device.now()).status_code == 403


def test_a_wrong_password_tells_nothing_of_a_second_factor(app: FastAPI) -> None:
    device, _ = set_up(Browser(app, "writer"))
    body = {"login": "writer", "password": "wrong", "code": device.now()}
    answer = TestClient(app).post("/api/session", json=body)
    assert answer.json()["type"] == "urn:rdc:problem:wrong-credentials"


def test_a_recovery_code_serves_once(app: FastAPI, database: Database) -> None:
    browser = Browser(app, "writer")
    _, codes = set_up(browser)
    assert len(set(codes)) == second_factor.RECOVERY_CODES
    assert sign_in(app, codes[0].upper()).status_code == 200
    assert sign_in(app, codes[0]).status_code == 403
    assert sign_in(app, codes[1].replace("-", " ")).status_code == 200
    assert browser.get("/api/account/second-factor").json()["recovery_codes_left"] == 8
    with database.transaction() as session:
        kept = session.scalars(select(RecoveryCode.digest)).all()
    assert not any(code.replace("-", "") in digest for code in codes for digest in kept)


def test_guessing_codes_is_counted_and_asking_is_not(app: FastAPI) -> None:
    set_up(Browser(app, "writer"))
    assert [sign_in(app).status_code for _ in range(8)] == [401] * 8
    made = [sign_in(app, f"{n:06}").status_code for n in range(3)]
    # Who knows the password gets no further guess by asking in between.
    made += [sign_in(app).status_code, *(sign_in(app, f"{n:06}").status_code for n in range(3))]
    assert made == [403, 403, 403, 401, 403, 403, 429]


def test_the_secret_is_sealed_for_its_person(app: FastAPI, consortium: Consortium) -> None:
    device, _ = set_up(Browser(app, "writer"))
    with consortium.database.transaction() as session:
        sealed = session.scalars(select(SecondFactor.sealed)).one()
    assert device.secret.encode() not in sealed
    seal: Seal = app.state.services.config.seal
    assert seal.open(sealed, consortium.people["writer"].id) == device.secret
    with pytest.raises(SealBroken):
        seal.open(sealed, consortium.people["reviewer"].id)
    with pytest.raises(SealBroken):
        Seal.random().open(sealed, consortium.people["writer"].id)


def test_setting_up_asks_for_the_password_and_replaces_nothing(app: FastAPI) -> None:
    browser = Browser(app, "writer")
    refused = browser.post("/api/account/second-factor", password="wrong")
    assert refused.json()["type"] == "urn:rdc:problem:wrong-password"
    set_up(browser)
    again = browser.post("/api/account/second-factor", password=PASSWORD)
    assert again.json()["type"] == "urn:rdc:problem:second-factor-set"


def test_an_administrator_does_nothing_before_it_is_set_up(
    app: FastAPI, database: Database
) -> None:
    demand(app, SecondFactorFor.ADMIN)
    admin = Browser(app, "head")
    assert admin.get("/api/session").json()["outstanding"] == "enrol"
    refused = admin.get("/api/clocks")
    assert refused.json()["type"] == "urn:rdc:problem:enrolment-outstanding"
    device, _ = set_up(admin)
    assert admin.get("/api/session").json()["outstanding"] is None
    assert admin.get("/api/clocks").status_code == 200
    removed = admin.post("/api/account/second-factor/remove", code=later_code(database, device))
    assert removed.json()["type"] == "urn:rdc:problem:second-factor-needed"
    assert Browser(app, "writer").get("/api/session").json()["outstanding"] is None


def test_from_outside_nobody_comes_in_with_a_password_alone(
    app: FastAPI, database: Database
) -> None:
    def at(address: str) -> TestClient:
        return TestClient(app, client=(address, 4000))

    body = {"login": "writer", "password": PASSWORD}
    demand(app, SecondFactorFor.REMOTE)
    refused = at("203.0.113.7").post("/api/session", json=body)
    assert refused.json()["type"] == "urn:rdc:problem:second-factor-at-home"
    assert "set-cookie" not in refused.headers
    home = at("10.4.4.4")
    assert home.post("/api/session", json=body).json()["outstanding"] is None
    # A session that goes outside can do nothing there, nor set one up.
    cookie = {"rdc_session": home.cookies["rdc_session"]}
    away = TestClient(app, client=("203.0.113.7", 4000), cookies=cookie)
    assert away.get("/api/workitems").json()["type"] == "urn:rdc:problem:enrolment-outstanding"
    token = {"X-CSRF-Token": away.get("/api/session").json()["csrf_token"]}
    begun = away.post("/api/account/second-factor", json={"password": PASSWORD}, headers=token)
    assert begun.json()["type"] == "urn:rdc:problem:second-factor-at-home"
    device, _ = set_up(Browser(app, "writer"))
    code = later_code(database, device)
    assert at("203.0.113.7").post("/api/session", json={**body, "code": code}).status_code == 200
    # The session from before the second factor has not proved it.
    assert away.get("/api/workitems").json()["type"] == "urn:rdc:problem:second-factor-outstanding"


def test_signing_asks_for_a_proof_once_in_a_while(
    consortium: Consortium, objects: ObjectStore, tmp_path: Path
) -> None:
    app = application(consortium, objects, tmp_path)
    demand(app, SecondFactorFor.SIGNING)
    item = f"/api/workitems/{consortium.queued_study().workitem_id}"
    writer = Browser(app, "writer")
    assert writer.post(f"{item}/claim").status_code == 200
    draft = {"findings": "双肺纹理清晰。", "impression": "未见异常。"}
    kept = writer.put(f"{item}/draft", revision=0, **draft)
    assert kept.status_code == 200, kept.text
    signed = {"revision": kept.json()["revision"], "signing_pin": PIN}
    refused = writer.post(f"{item}/submit", **signed)
    assert refused.json()["type"] == "urn:rdc:problem:second-factor-to-sign"
    device, _ = set_up(writer)
    with consortium.database.transaction() as session:
        session.execute(update(WebSession).values(second_factor_at=utc_now() - timedelta(hours=13)))
    assert writer.post(f"{item}/submit", **signed).status_code == 403
    code = later_code(consortium.database, device)
    assert writer.post("/api/account/second-factor/prove", code=code).status_code == 204
    assert writer.post(f"{item}/submit", **signed).status_code == 200
    with consortium.database.transaction() as session:
        acts = session.scalars(
            select(AuditRecord.action).where(AuditRecord.action.startswith("second_factor:"))
        ).all()
    assert acts == ["second_factor:set_up", "second_factor:prove"]


@pytest.mark.parametrize(
    ("demands", "shown", "outstanding"),
    [
        ((), {}, None),
        ((), {"must_change_password": True}, Outstanding.PASSWORD),
        ((), {"must_change_password": True, "password_changed_at": None}, None),
        (("admin",), {}, None),
        (("admin",), {"roles": {Role.WRITER, Role.SYSTEM_ADMIN}}, Outstanding.ENROL),
        (("everyone",), {"enrolled": True}, Outstanding.CODE),
        (("everyone",), {"enrolled": True, "second_factor_at": NOW}, None),
        # A stolen password does not become a new one without the code.
        (("everyone",), {"enrolled": True, "must_change_password": True}, Outstanding.CODE),
        (("everyone",), {"must_change_password": True}, Outstanding.PASSWORD),
        (("remote",), {"client": "203.0.113.7"}, Outstanding.ENROL),
        (("remote",), {"client": "10.9.9.9"}, None),
        (("remote",), {"client": "rdc command line"}, None),
        (("signing",), {"roles": {Role.REVIEWER}}, None),
        ((), {"password_changed_at": NOW - timedelta(days=91)}, Outstanding.PASSWORD),
    ],
)
def test_what_is_outstanding(
    demands: tuple[str, ...], shown: dict[str, Any], outstanding: Outstanding | None
) -> None:
    policy = AccessPolicy(
        second_factor_for=frozenset(SecondFactorFor(one) for one in demands),
        home_networks=HOME,
        password=PasswordPolicy(longest_use=timedelta(days=90)),
    )
    proofs = Proofs(
        roles=frozenset(shown.get("roles", {Role.WRITER})),
        client=shown.get("client", "10.1.1.1"),
        enrolled=shown.get("enrolled", False),
        second_factor_at=shown.get("second_factor_at"),
        must_change_password=shown.get("must_change_password", False),
        password_changed_at=shown.get("password_changed_at", NOW),
    )
    assert policy.outstanding(proofs, NOW) is outstanding


def test_what_seals_is_made_once_and_read_by_its_owner_alone(tmp_path: Path) -> None:
    made = make_seal(tmp_path / "authority")
    assert make_seal(tmp_path / "authority") == made == open_seal(tmp_path / "authority")
    path = tmp_path / "authority" / KEY_FILE
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in path.parent.iterdir()] == [KEY_FILE]
    person = uuid4()
    assert made.open(made.close("SECRET", person), person) == "SECRET"
    path.chmod(0o640)
    with pytest.raises(SealBroken, match="0640"):
        open_seal(path.parent)
    path.unlink()
    with pytest.raises(SealBroken, match="rdc migrate"):
        open_seal(path.parent)
