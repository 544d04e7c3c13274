"""In an emergency a reader opens what no agreement opens; the auditor is told and judges it."""

from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import select, text, update

from reading_worklist.priors.tables import EmergencyReview, PriorAccess
from storage import registry
from storage.audit import AuditRecord, system_actor
from storage.clock import utc_now
from storage.database import Database, as_owner
from storage.objects import ObjectStore
from storage.patient_links.links import link
from storage.registry import Role
from tests.support.seed import Consortium, QueuedStudy, password_hash
from tests.support.web import Browser, application

NOTE = "昏迷，需立即手术"


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    return application(consortium, objects, tmp_path)


@pytest.fixture
def elsewhere(consortium: Consortium) -> QueuedStudy:
    """A study at the other site of the patient who is read here, whom a person has linked."""
    with consortium.database.transaction() as session:
        for login, organisation in (
            ("auditor", consortium.root),
            ("auditor-east", consortium.east),
        ):
            registry.add_person(
                session,
                login,
                login,
                password_hash(),
                organisation=organisation,
                roles=(Role.AUDITOR,),
            )
    return consortium.queued_study(site=consortium.west, local_id="W9")


@pytest.fixture
def reading(consortium: Consortium, elsewhere: QueuedStudy) -> str:
    item = consortium.queued_study(site=consortium.east)
    with consortium.database.transaction() as session:
        pair = (item.study.patient_id, elsewhere.study.patient_id)
        link(session, system_actor("test"), consortium.people["dispatcher"].id, pair, "电话核实")
    return f"/api/workitems/{item.workitem_id}/priors"


def test_from_the_emergency_to_its_review(
    app: FastAPI, database: Database, consortium: Consortium, elsewhere: QueuedStudy, reading: str
) -> None:
    writer, auditor = Browser(app, "writer"), Browser(app, "auditor")
    opening = f"{reading}/{elsewhere.study.id}/open"
    before = writer.get(reading).json()
    assert (before["items"], before["not_agreed"], before["may_force"]) == ([], 1, True)
    assert writer.post(opening).status_code == 404
    assert writer.post(f"{reading}/emergency", note="  x ").status_code == 422

    shown = writer.post(f"{reading}/emergency", note=NOTE).json()
    assert [one["study_id"] for one in shown["items"]] == [str(elsewhere.study.id)]
    assert writer.post(opening).status_code == 200
    # For nobody else, and a second time it is the same hour.
    assert Browser(app, "writer2").post(opening).status_code == 404
    assert (
        writer.post(f"{reading}/emergency", note="again and again").json()["emergency"]
        == (shown["emergency"])
    )

    told = auditor.get("/api/emergency-accesses").json()
    (one,) = told["items"]
    assert (told["waiting"], one["note"], one["opened"]) == (1, NOTE, 1)
    assert (one["person"], one["site"]) == ("李书写", consortium.east.name)
    path = f"/api/emergency-accesses/{one['id']}/review"
    assert writer.post(path, verdict="justified", note="ok").status_code == 403
    judged = auditor.post(path, verdict="unjustified", note="无急诊记录").json()
    assert (judged["waiting"], judged["items"][0]["review"]["verdict"]) == (0, "unjustified")
    assert auditor.post(path, verdict="justified", note="ok").json()["type"].endswith(":judged")
    with database.transaction() as session:
        actions = session.scalars(
            select(AuditRecord.action).where(AuditRecord.action.like("prior:%"))
        ).all()
    assert sorted(actions) == ["prior:emergency", "prior:emergency_review", "prior:open"]


def test_it_ends_by_itself(
    app: FastAPI, database: Database, elsewhere: QueuedStudy, reading: str
) -> None:
    writer = Browser(app, "writer")
    writer.post(f"{reading}/emergency", note=NOTE)
    now = utc_now()
    with database.transaction() as session:
        as_owner(session)
        session.execute(text("ALTER TABLE prior_access DISABLE TRIGGER USER"))
        session.execute(
            update(PriorAccess).values(
                at=now - timedelta(hours=1), until=now - timedelta(seconds=1)
            )
        )
    assert writer.get(reading).json()["items"] == []
    assert writer.post(f"{reading}/{elsewhere.study.id}/open").status_code == 404


def test_who_may_and_who_is_told(
    app: FastAPI, database: Database, elsewhere: QueuedStudy, reading: str
) -> None:
    for login in ("dispatcher", "doctor-east", "auditor"):
        assert Browser(app, login).post(f"{reading}/emergency", note=NOTE).status_code == 403
    Browser(app, "reviewer").post(f"{reading}/emergency", note=NOTE)
    assert Browser(app, "auditor-east").get("/api/emergency-accesses").json()["waiting"] == 1
    with database.transaction() as session:
        assert session.scalars(select(EmergencyReview)).all() == []
