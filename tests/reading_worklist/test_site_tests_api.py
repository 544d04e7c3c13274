"""The page of site tests: who may have a site tested, and what it shows while one runs."""

from pathlib import Path

import pytest
from fastapi import FastAPI

from storage.database import Database
from storage.objects import ObjectStore
from storage.site_tests import service
from storage.site_tests.findings import Check, Finding, Outcome
from tests.support.seed import Consortium
from tests.support.web import Browser, application


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    return application(consortium, objects, tmp_path, signers=False)


def test_a_site_is_tested_once_at_a_time_and_its_findings_appear_in_both_languages(
    app: FastAPI, database: Database, consortium: Consortium
) -> None:
    admin = Browser(app, "head")
    assert admin.get("/api/site-tests/EAST").json() is None
    begun = admin.post("/api/site-tests/EAST")
    assert begun.status_code == 202
    test_id = begun.json()["id"]
    assert admin.post("/api/site-tests/EAST").json()["id"] == test_id
    found = Finding(Check.CLOCK, Outcome.WARNING, "clock_ahead", "EAST_CT", {"minutes": "7"})
    with database.transaction() as session:
        test = service.latest(session, consortium.east.id)
        assert test is not None
        service.note(session, test.id, [found], ended=False)
    [one] = admin.get("/api/site-tests/EAST").json()["findings"]
    assert one["en"]["found"] == "7 min ahead of the server"
    assert "7 分钟" in one["zh"]["found"]
    with database.transaction() as session:
        service.note(session, test.id, [found], ended=True)
    listed = {site["site_code"]: site for site in admin.get("/api/site-tests").json()}
    assert listed["EAST"]["counts"]["warning"] == 1
    assert listed["EAST"]["ended_at"] is not None
    assert listed["WEST"]["asked_at"] is None
    assert admin.post("/api/site-tests/EAST").json()["id"] != test_id


def test_only_administrators_have_sites_tested(app: FastAPI) -> None:
    writer = Browser(app, "writer")
    assert writer.post("/api/site-tests/EAST").status_code == 403
    assert writer.get("/api/site-tests").status_code == 403
    assert Browser(app, "head").get("/api/site-tests/NOWHERE").status_code == 404
