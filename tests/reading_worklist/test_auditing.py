"""The auditor's view of the trail: own organisations only, nobody else, and looking is recorded."""

from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from storage import audit, audit_seals
from storage.audit import AuditRecord
from storage.objects import ObjectStore
from storage.registry import Membership, OrganisationKind, Role, add_organisation, add_person
from tests.support.seed import Consortium, password_hash
from tests.support.web import Browser, application


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    with consortium.database.transaction() as session:
        for login, at in (("auditor", consortium.root), ("auditor-east", consortium.east)):
            add_person(
                session,
                login,
                "审计",
                password_hash(),
                organisation=at,
                roles=[Role.AUDITOR],
            )
        stranger = add_organisation(
            session,
            kind=OrganisationKind.CONSORTIUM,
            code="other",
            name="别县",
            name_en="Other",
            parent=None,
        )
        for place, person in (
            (stranger, None),
            (consortium.centre, consortium.people["writer"]),
            (consortium.west, consortium.people["doctor-west"]),
        ):
            audit.record(
                session,
                audit.Actor(person.id if person else None, place.id, "10.1.1.1"),
                "workitem:claim",
                subject_kind="workitem",
                subject_id=place.code,
            )
    return application(consortium, objects, tmp_path, signers=False)


def claims(browser: Browser, **query: object) -> set[str]:
    answer = browser.client.get("/api/audit", params={"action": "workitem:claim", **query})
    assert answer.status_code == 200
    return {entry["subject_id"] for entry in answer.json()["entries"]}


def test_an_auditor_sees_the_own_organisations_and_no_others(app: FastAPI) -> None:
    assert claims(Browser(app, "auditor")) == {"centre", "WEST"}
    assert claims(Browser(app, "auditor-east")) == set()


def test_search_narrows_by_each_word(app: FastAPI) -> None:
    browser = Browser(app, "auditor")
    assert claims(browser, login="writer") == {"centre"}
    assert claims(browser, subject_id="WEST") == {"WEST"}
    assert claims(browser, client="10.9.9.9") == set()
    assert claims(browser, until="2000-01-01T00:00:00Z") == set()
    kinds = browser.client.get("/api/audit", params={"action": "workitem"}).json()["entries"]
    assert {entry["action"] for entry in kinds} == {"workitem:claim"}
    assert kinds[0]["person"]["login"] in {"writer", "doctor-west"}


def test_pages_follow_each_other_without_gap(app: FastAPI) -> None:
    browser = Browser(app, "auditor")
    whole = [entry["id"] for entry in browser.get("/api/audit").json()["entries"]]
    paged: list[int] = []
    before = whole[0] + 1
    while before:
        page = browser.client.get("/api/audit", params={"limit": 2, "before": before}).json()
        paged += [entry["id"] for entry in page["entries"]]
        before = page["before"]
    assert paged == whole


def test_looking_is_recorded_with_what_was_asked(app: FastAPI, consortium: Consortium) -> None:
    claims(Browser(app, "auditor"), login="writer")
    with consortium.database.transaction() as session:
        row = session.scalars(select(AuditRecord).where(AuditRecord.action == "audit:search")).one()
    assert row.detail == {"action": "workitem:claim", "login": "writer"}


def test_nobody_else_looks(app: FastAPI, consortium: Consortium) -> None:
    for login in ("writer", "head", "dispatcher", "doctor-east"):
        assert Browser(app, login).get("/api/audit").status_code == 403
        assert Browser(app, login).get("/api/audit/seal").status_code == 403
    browser = Browser(app, "auditor")
    assert browser.get("/api/audit/seal").json() is None
    made = audit_seals.seal_due(consortium.database)
    assert made is not None
    assert browser.get("/api/audit/seal").json()["seal"] == made.seal
    with consortium.database.transaction() as session:
        assert session.scalars(select(Membership).where(Membership.role == Role.AUDITOR)).all()
