"""Somebody of several organisations acts for one of them at a time, and says for which."""

from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select

from storage import registry
from storage.audit import AuditRecord
from storage.clock import utc_now
from storage.database import Database
from storage.objects import ObjectStore
from storage.registry import Role
from tests.support.seed import PASSWORD, Consortium
from tests.support.web import Browser, application


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    """The reviewer of the centre is a doctor of the eastern site too, and once was in the west."""
    with consortium.database.transaction() as session:
        for site, until in ((consortium.east, None), (consortium.west, utc_now().date())):
            session.add(
                registry.Membership(
                    person_id=consortium.people["reviewer"].id,
                    organisation_id=site.id,
                    role=Role.SITE_DOCTOR,
                    valid_from=None if until is None else until.replace(year=until.year - 2),
                    valid_until=None if until is None else until.replace(year=until.year - 1),
                )
            )
    return application(consortium, objects, tmp_path, signers=False)


def test_sign_in_tells_for_whom_one_may_act(app: FastAPI) -> None:
    session = Browser(app, "reviewer").get("/api/session").json()
    offered = [(one["code"], one["roles"]) for one in session["choices"]]
    assert offered == [("EAST", ["site_doctor"]), ("centre", ["reviewer"])]
    (only,) = Browser(app, "writer").get("/api/session").json()["choices"]
    assert only["code"] == "centre"


def test_acting_for_another_changes_roles_sites_and_token(
    app: FastAPI, consortium: Consortium, database: Database
) -> None:
    consortium.queued_study(site=consortium.west)
    person = Browser(app, "reviewer")
    chosen = person.put("/api/session/organisation", organisation="EAST")
    assert chosen.status_code == 200, chosen.text
    assert chosen.json()["roles"] == ["site_doctor"]
    # A page that was opened before can do nothing under its old name.
    stale = person.put("/api/session/organisation", organisation="centre")
    assert stale.status_code == 403
    person.client.headers["X-CSRF-Token"] = chosen.json()["csrf_token"]
    assert person.get("/api/workitems").status_code == 403
    assert person.get("/api/portal/exams").json()["total"] == 0
    back = person.put("/api/session/organisation", organisation="centre").json()
    person.client.headers["X-CSRF-Token"] = back["csrf_token"]
    assert person.get("/api/workitems").json()["total"] == 1
    with database.transaction() as session:
        acted_for = session.scalars(
            select(AuditRecord.organisation_id)
            .where(AuditRecord.action == "session:act_for")
            .order_by(AuditRecord.id)
        ).all()
    assert acted_for == [consortium.east.id, consortium.centre.id]


@pytest.mark.parametrize("code", ["WEST", "nowhere", ""])
def test_nobody_acts_where_he_has_no_role_today(app: FastAPI, code: str) -> None:
    person = Browser(app, "reviewer")
    assert person.put("/api/session/organisation", organisation=code).status_code == 403
    named = {"login": "reviewer", "password": PASSWORD, "organisation": code}
    assert TestClient(app).post("/api/session", json=named).status_code == 403
