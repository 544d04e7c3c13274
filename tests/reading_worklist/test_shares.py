"""A link shows one study and its report to somebody outside, for some days, and nothing else."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient as Client
from sqlalchemy import select, update

from reading_worklist.shares.service import WRONG_CODES_MAX
from reading_worklist.shares.tables import ShareLink, ShareVisit
from storage.audit import AuditRecord
from storage.clock import utc_now
from storage.database import Database
from storage.objects import ObjectStore
from tests.support.desk import Desk
from tests.support.seed import Consortium, QueuedStudy
from tests.support.web import Browser, application

SHARE = {"recipient": "省人民医院 陈主任", "basis": "患者书面同意"}


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    return application(consortium, objects, tmp_path)


@pytest.fixture
def exam(consortium: Consortium) -> QueuedStudy:
    return consortium.queued_study()


def token_of(url: str) -> str:
    found = re.search(r"/share#(.+)$", url)
    assert found
    return found[1]


def made(app: FastAPI, exam: QueuedStudy, login: str = "writer", **more: object) -> tuple[str, str]:
    answer = Browser(app, login).post(f"/api/workitems/{exam.workitem_id}/shares", **SHARE, **more)
    assert answer.status_code == 201, answer.text
    return token_of(answer.json()["url"]), answer.json()["code"] or ""


def test_from_the_link_to_the_report(
    app: FastAPI, database: Database, consortium: Consortium, exam: QueuedStudy
) -> None:
    desk = Desk(app, consortium, exam.workitem_id)
    token, code = made(app, exam)
    other = consortium.queued_study(local_id="P9").study.study_instance_uid
    uid = exam.study.study_instance_uid
    guest = Client(app)
    assert guest.get("/api/shared").status_code == 401
    assert guest.post("/api/shared", json={"token": token, "code": "x"}).status_code == 404
    assert guest.post("/api/shared", json={"token": "x", "code": code}).status_code == 404
    shown = guest.post("/api/shared", json={"token": token, "code": code})
    assert shown.status_code == 200
    assert (shown.json()["patient_name"], shown.json()["report"]) == ("张伟", None)
    root = f"/dicom-web/shares/{shown.json()['share_id']}"
    assert guest.get(f"{root}/studies/{uid}/metadata").status_code == 200
    (found,) = guest.get(f"{root}/studies").json()
    assert found["0020000D"]["Value"] == [uid]
    # Nothing else of ours, in whatever way it is asked for.
    assert guest.get(f"{root}/studies/{other}/metadata").status_code == 404
    for path in (f"/dicom-web/studies/{uid}/metadata", "/api/workitems", "/api/session"):
        assert guest.get(path).status_code == 401, path
    assert guest.post(f"{root}/studies").status_code in {401, 404, 405}
    assert guest.get("/api/shared/report").status_code == 404

    desk.write()
    desk.finalise()
    assert guest.get("/api/shared").json()["report"]["number"] == 1
    assert guest.get("/api/shared/report").content.startswith(b"%PDF")
    with database.transaction() as session:
        actions = session.scalars(
            select(AuditRecord.action).where(AuditRecord.action.like("share:%"))
        ).all()
        rows = session.execute(select(ShareLink.token_sha256, ShareLink.code_sha256)).one()
    assert sorted(actions) == ["share:make", "share:open", "share:refused", "share:report"]
    assert token not in rows[0]
    assert code not in str(rows[1])


def test_it_is_taken_back_and_ends(app: FastAPI, database: Database, exam: QueuedStudy) -> None:
    writer = Browser(app, "writer")
    shares = f"/api/workitems/{exam.workitem_id}/shares"
    token, _ = made(app, exam, with_code=False, with_report=False)
    guest = Client(app)
    share_id = guest.post("/api/shared", json={"token": token}).json()["share_id"]
    (seen,) = writer.get(shares).json()["items"]
    assert (seen["active"], seen["opened"], seen["with_code"]) == (True, 1, False)
    assert writer.post(f"/api/shares/{share_id}/revoke", reason="发错了人").status_code == 200
    (seen,) = writer.get(shares).json()["items"]
    assert (seen["guessed"], seen["revoked_because"]) == (False, "发错了人")
    assert guest.get("/api/shared").status_code == 401
    assert guest.get(f"/dicom-web/shares/{share_id}/studies").status_code == 401
    assert guest.post("/api/shared", json={"token": token}).status_code == 404
    later, _ = made(app, exam, with_code=False)
    visitor = Client(app)
    assert visitor.post("/api/shared", json={"token": later}).status_code == 200
    with database.transaction() as session:
        session.execute(
            update(ShareLink)
            .where(ShareLink.revoked_at.is_(None))
            .values(
                made_at=utc_now() - timedelta(hours=2), expires_at=utc_now() - timedelta(hours=1)
            )
        )
    assert visitor.get("/api/shared").status_code == 401
    assert [one["active"] for one in writer.get(shares).json()["items"]] == [False, False]


def test_codes_are_not_tried_out(app: FastAPI, database: Database, exam: QueuedStudy) -> None:
    token, code = made(app, exam)
    answers = [
        Client(app).post("/api/shared", json={"token": token, "code": "000000x"}).status_code
        for _ in range(WRONG_CODES_MAX)
    ]
    assert set(answers) == {404}
    # The link has ended for all, and one address may not ask for ever.
    right = Client(app).post("/api/shared", json={"token": token, "code": code})
    assert right.status_code in {404, 429}
    (seen,) = (
        Browser(app, "writer").get(f"/api/workitems/{exam.workitem_id}/shares").json()["items"]
    )
    assert (seen["active"], seen["guessed"], seen["revoked_because"]) == (False, True, None)
    with database.transaction() as session:
        link = session.scalars(select(ShareLink)).one()
        assert link.revoked_because == "too many wrong codes"
        assert session.scalars(select(ShareVisit)).all() == []


def test_who_may_share(app: FastAPI, exam: QueuedStudy) -> None:
    path = f"/api/workitems/{exam.workitem_id}/shares"
    assert Browser(app, "doctor-east").post(path, **SHARE).status_code == 201
    assert Browser(app, "doctor-west").post(path, **SHARE).status_code == 404
    assert Browser(app, "dispatcher").post(path, **SHARE).status_code == 403
    share = Browser(app, "writer").get(path).json()["items"][0]["id"]
    west = Browser(app, "doctor-west").post(f"/api/shares/{share}/revoke", reason="xx")
    assert west.status_code == 404
