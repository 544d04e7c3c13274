"""People, as their administrators keep them: roles with dates, locks, lost proofs."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pyotp.totp import TOTP
from sqlalchemy import select

from storage.audit import AuditRecord
from storage.clock import utc_now
from storage.objects import ObjectStore
from storage.registry import Membership, OrganisationKind, Role, add_organisation
from tests.support.seed import PASSWORD, Consortium
from tests.support.web import Browser, application

NEW = "violet tractor 7 rains"


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    return application(consortium, objects, tmp_path, signers=False)


@pytest.fixture
def head(app: FastAPI) -> Browser:
    return Browser(app, "head")


def listed(browser: Browser) -> dict[str, Any]:
    return {one["login"]: one for one in browser.get("/api/people").json()["people"]}


def path_of(browser: Browser, login: str) -> str:
    return f"/api/people/{listed(browser)[login]['id']}"


def test_a_new_person_chooses_a_password_before_anything_else(app: FastAPI, head: Browser) -> None:
    tomorrow = str(utc_now().date() + timedelta(days=1))
    body = {
        "login": "Zhao ",
        "display_name": "赵新",
        "organisation": "EAST",
        "roles": ["site_doctor"],
    }
    made = head.post("/api/people", **body, valid_until=tomorrow)
    assert made.status_code == 201, made.text
    assert made.json()["person"]["roles"][0]["valid_until"] == tomorrow
    assert head.post("/api/people", **body).json()["type"] == "urn:rdc:problem:login-taken"
    entered = {"login": "zhao", "password": made.json()["password"]}
    client = TestClient(app)
    session = client.post("/api/session", json=entered).json()
    assert session["outstanding"] == "password"
    client.headers["X-CSRF-Token"] = session["csrf_token"]
    refused = client.get("/api/portal/exams")
    assert refused.json()["type"] == "urn:rdc:problem:password-outstanding"
    changed = {"old": entered["password"], "new": NEW}
    assert client.put("/api/account/password", json=changed).status_code == 204
    assert client.get("/api/portal/exams").status_code == 200


def test_a_role_that_ends_stops_working_at_once(app: FastAPI, head: Browser) -> None:
    writer = Browser(app, "writer")
    assert writer.get("/api/workitems").status_code == 200
    path = path_of(head, "writer")
    ended = head.post(f"{path}/roles/end", organisation="centre", role="writer")
    assert [one["state"] for one in ended.json()["roles"]] == ["ended"]
    assert writer.get("/api/workitems").status_code == 401
    given = head.put(f"{path}/roles", organisation="EAST", role="site_doctor")
    assert {one["state"] for one in given.json()["roles"]} == {"ended", "holds"}
    assert Browser(app, "writer").get("/api/session").json()["organisation"]["code"] == "EAST"


def test_a_role_to_come_does_not_work_yet(app: FastAPI, head: Browser) -> None:
    soon = str(utc_now().date() + timedelta(days=7))
    path = path_of(head, "writer")
    given = head.put(f"{path}/roles", organisation="centre", role="reviewer", valid_from=soon)
    assert {one["role"]: one["state"] for one in given.json()["roles"]} == {
        "writer": "holds",
        "reviewer": "to-come",
    }
    assert Browser(app, "writer").get("/api/session").json()["roles"] == ["writer"]


def test_a_lock_ends_sessions_and_is_lifted(app: FastAPI, head: Browser) -> None:
    writer = Browser(app, "writer")
    path = path_of(head, "writer")
    assert head.client.patch(path, json={"active": False}).json()["sessions"] == []
    assert writer.get("/api/session").status_code == 401
    body = {"login": "writer", "password": PASSWORD}
    assert TestClient(app).post("/api/session", json=body).status_code == 401
    assert head.client.patch(path, json={"active": True}).json()["active"]
    assert TestClient(app).post("/api/session", json=body).status_code == 200


def test_too_many_wrong_passwords_are_seen_and_lifted(app: FastAPI, head: Browser) -> None:
    wrong = {"login": "writer", "password": "wrong"}
    for _ in range(5):
        TestClient(app).post("/api/session", json=wrong)
    right = {"login": "writer", "password": PASSWORD}
    assert TestClient(app).post("/api/session", json=right).status_code == 429
    assert listed(head)["writer"]["waits_until"] is not None
    assert head.post(f"{path_of(head, 'writer')}/lift-wait").json()["waits_until"] is None
    assert TestClient(app).post("/api/session", json=right).status_code == 200


def test_lost_proofs_are_replaced_and_recorded(
    app: FastAPI, head: Browser, consortium: Consortium
) -> None:
    writer = Browser(app, "writer")
    begun = writer.post("/api/account/second-factor", password=PASSWORD).json()
    code = TOTP(begun["secret"]).now()
    assert writer.post("/api/account/second-factor/confirm", code=code).status_code == 200
    path = path_of(head, "writer")
    assert head.get(path).json()["second_factor_since"] is not None
    assert head.post(f"{path}/second-factor/reset").json()["second_factor_since"] is None
    assert writer.get("/api/session").status_code == 401
    renewed = head.post(f"{path}/password").json()
    assert renewed["person"]["one_time_password"]
    entered = {"login": "writer", "password": renewed["password"]}
    answer = TestClient(app).post("/api/session", json=entered).json()
    assert answer["outstanding"] == "password"
    with consortium.database.transaction() as session:
        acts = session.scalars(
            select(AuditRecord.action)
            .where(AuditRecord.person_id == consortium.people["head"].id)
            .order_by(AuditRecord.id)
        ).all()
    assert acts[-2:] == ["second_factor:reset", "person:renew"]
    assert entered["password"] not in str(acts)


def test_an_old_password_is_not_taken_again(app: FastAPI) -> None:
    writer = Browser(app, "writer")
    there = {"old": PASSWORD, "new": NEW}
    assert writer.client.put("/api/account/password", json=there).status_code == 204
    back = writer.client.put("/api/account/password", json={"old": NEW, "new": PASSWORD})
    assert back.json()["type"] == "urn:rdc:problem:earlier-password"


def test_sessions_are_seen_and_ended(app: FastAPI, head: Browser) -> None:
    one, other = Browser(app, "writer"), Browser(app, "writer")
    path = path_of(head, "writer")
    found = head.get(path).json()["sessions"]
    assert len(found) == 2
    left = head.client.delete(f"{path}/sessions/{found[0]['id']}").json()["sessions"]
    assert [each["id"] for each in left] == [found[1]["id"]]
    assert head.client.delete(f"{path}/sessions").json()["sessions"] == []
    assert {each.get("/api/session").status_code for each in (one, other)} == {401}


def test_nobody_does_it_to_himself_and_others_do_not_at_all(
    app: FastAPI, head: Browser, consortium: Consortium
) -> None:
    own = path_of(head, "head")
    assert head.client.patch(own, json={"active": False}).status_code == 403
    assert head.post(f"{own}/second-factor/reset").status_code == 403
    admin = {"organisation": "centre", "role": "consortium_admin"}
    assert head.post(f"{own}/roles/end", **admin).status_code == 403
    writer = Browser(app, "writer")
    assert writer.get("/api/people").status_code == 403
    assert writer.post(f"{own}/password").status_code == 403
    with consortium.database.transaction() as session:
        session.add(
            Membership(
                person_id=consortium.people["dispatcher"].id,
                organisation_id=consortium.centre.id,
                role=Role.SYSTEM_ADMIN,
            )
        )
    helper = Browser(app, "dispatcher")
    path = path_of(helper, "writer")
    assert not helper.get("/api/people").json()["editable"]
    assert helper.post(f"{path}/lift-wait").status_code == 200
    assert helper.post(f"{path}/password").status_code == 403
    assert helper.client.patch(path, json={"active": False}).status_code == 403


def test_people_of_another_consortium_are_not_there_and_shared_ones_not_changed(
    app: FastAPI, head: Browser, consortium: Consortium
) -> None:
    with consortium.database.transaction() as session:
        foreign = add_organisation(
            session,
            kind=OrganisationKind.CONSORTIUM,
            code="other",
            name="他县",
            name_en="",
            parent=None,
        )
        for login in ("reviewer", "reviewer2"):
            session.add(
                Membership(
                    person_id=consortium.people[login].id,
                    organisation_id=foreign.id,
                    role=Role.EXPERT,
                )
            )
        only_there = consortium.people["reviewer2"].id
        session.delete(
            session.get_one(Membership, (only_there, consortium.centre.id, Role.REVIEWER))
        )
    assert "reviewer2" not in listed(head)
    assert head.get(f"/api/people/{only_there}").status_code == 404
    assert head.post(f"/api/people/{only_there}/lift-wait").status_code == 404
    shared = listed(head)["reviewer"]
    assert shared["elsewhere"]
    assert [one["organisation_code"] for one in shared["roles"]] == ["centre"]
    assert head.post(f"/api/people/{shared['id']}/password").status_code == 403
    role = {"organisation": "other", "role": "writer"}
    assert head.put(f"{path_of(head, 'writer')}/roles", **role).status_code == 404


def test_an_identity_is_registered_once_and_removed(head: Browser) -> None:
    path = path_of(head, "writer")
    body = {"provider": "county", "email": " Li@County.cn"}
    made = head.post(f"{path}/identities", **body).json()["identities"]
    assert [(one["email"], one["linked_at"]) for one in made] == [("li@county.cn", None)]
    again = head.post(f"{path_of(head, 'reviewer')}/identities", **body)
    assert again.json()["type"] == "urn:rdc:problem:identity-registered"
    assert head.post(f"{path}/identities", provider="county").status_code == 422
    removed = head.client.delete(f"{path}/identities/{made[0]['id']}")
    assert removed.json()["identities"] == []
