"""One signature is enough for an ECG while the consortium's dated switch is on, and never else."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from reading_worklist.reports.tables import ReportVersion
from reading_worklist.single_signature.tables import SingleSignature
from storage.audit import AuditRecord
from storage.clock import utc_now
from storage.database import Database
from storage.messages import ReportIssued
from storage.objects import ObjectStore
from tests.support.desk import Desk
from tests.support.reports import text_of
from tests.support.seed import Consortium
from tests.support.web import PIN, Browser, application

BASIS = "县卫健〔2026〕18号 心电单签试行"


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    return application(consortium, objects, tmp_path)


def ecg(app: FastAPI, consortium: Consortium, modality: str = "ECG") -> Desk:
    """A reading that the reviewer has claimed and written."""
    study = consortium.queued_study(modalities=(modality,), local_id=f"P-{modality}")
    desk = Desk(app, consortium, study.workitem_id)
    desk.do("reviewer", "claim", "CLAIMED")
    desk.draft("reviewer", "窦性心律，正常心电图。", ecg_class="normal")
    return desk


def switched(app: FastAPI, first: int = 0, last: int = 30, status: int = 201) -> str:
    """Switch single signatures on for days counted from today; returns the period's id."""
    today = utc_now().date()
    answer = Browser(app, "head").post(
        "/api/single-signatures",
        valid_from=str(today + timedelta(days=first)),
        valid_until=str(today + timedelta(days=last)),
        basis=BASIS,
    )
    assert answer.status_code == status, answer.text
    if status != 201:
        return answer.json()["type"]
    return next(one["id"] for one in answer.json() if one["ended_at"] is None)


def test_two_doctors_sign_until_it_is_switched_on_and_after_it_is_off(
    app: FastAPI, consortium: Consortium
) -> None:
    desk = ecg(app, consortium)
    signing = {"revision": 1, "signing_pin": PIN}
    desk.refused("reviewer", "issue-alone", 409, "two-signatures", **signing)
    assert "issue_alone" not in desk("reviewer").get(desk.path).json()["actions"]
    switched(app, first=3)
    desk.refused("reviewer", "issue-alone", 409, "two-signatures", **signing)

    head = Browser(app, "head")
    head.post(f"/api/single-signatures/{head.get('/api/single-signatures').json()[0]['id']}/end")
    period = switched(app)
    assert "issue_alone" in desk("reviewer").get(desk.path).json()["actions"]
    ended = head.post(f"/api/single-signatures/{period}/end").json()
    assert {(one["holds"], one["ended_by"]["display_name"]) for one in ended} == {(False, "吴管理")}
    desk.refused("reviewer", "issue-alone", 409, "two-signatures", **signing)
    again = head.post(f"/api/single-signatures/{period}/end")
    assert again.json()["type"] == "urn:rdc:problem:already-ended"


def test_the_report_and_the_audit_trail_show_one_signature_and_its_basis(
    app: FastAPI, consortium: Consortium, database: Database
) -> None:
    desk = ecg(app, consortium)
    period = switched(app)
    done = desk.do(
        "reviewer", "issue-alone", "PUBLISHED", revision=1, signing_pin=PIN, language="zh-CN"
    )
    (version,) = done["versions"]
    assert (version["status"], version["reviewer"], version["single_signature"]) == (
        "final",
        None,
        True,
    )
    pdf = desk("doctor-east").get(f"/api/portal/exams/{desk.id}/report").content
    words = text_of(pdf).replace("\n", "")
    assert "".join(BASIS.split()) in words
    assert "由一位医师电子签名" in words
    assert "审核医师" not in words
    with database.transaction() as session:
        row = session.get_one(ReportVersion, UUID(version["id"]))
        assert (str(row.single_signature_id), row.reviewer_id) == (period, None)
        told = session.scalars(
            select(AuditRecord.detail).where(AuditRecord.action == "report:single_signature")
        ).one()
    assert told["basis"] == BASIS
    verified = desk("reviewer").get(f"/api/reports/{version['id']}/verification").json()
    assert [one["role"] for one in verified["signatures"]] == ["writer"]
    assert verified["verdict"] == "valid"
    assert len(desk.messages(ReportIssued)) == 1
    assert Browser(app, "head").get("/api/single-signatures").json()[0]["reports"] == 1

    # What replaces it has two signatures.
    desk.do("reviewer2", "amend", "CLAIMED", reason="补充诊断")
    revision = desk.draft("reviewer2", "窦性心动过速。", ecg_class="abnormal")
    signing = {"revision": revision, "signing_pin": PIN}
    desk.refused("reviewer2", "issue-alone", 409, "wrong-state", **signing)


def test_only_ecgs_only_reviewers_and_only_days_to_come(
    app: FastAPI, consortium: Consortium
) -> None:
    switched(app)
    assert switched(app, first=5, status=409).endswith("already-on")
    assert switched(app, first=-9, last=-3, status=422).endswith("days-over")
    refused = Browser(app, "dispatcher").get("/api/single-signatures")
    assert refused.status_code == 403
    signing = {"revision": 1, "signing_pin": PIN}
    ecg(app, consortium, "CT").refused("reviewer", "issue-alone", 409, "wrong-state", **signing)
    study = consortium.queued_study(modalities=("ECG",), local_id="P9")
    desk = Desk(app, consortium, study.workitem_id)
    desk.do("writer", "claim", "CLAIMED")
    desk.refused("writer", "issue-alone", 403, "forbidden", **signing)


def test_the_database_guards_it(app: FastAPI, consortium: Consortium, database: Database) -> None:
    desk, image = ecg(app, consortium), ecg(app, consortium, "CT")
    period = switched(app)
    for one in (desk, image):
        one.do("reviewer", "submit", revision=1, signing_pin=PIN)
    issue = text(
        "INSERT INTO report_version (id, workitem_id, number, submission_id, writer_id, status,"
        " single_signature_id, pdf_object_key, pdf_sha256, issued_at)"
        " SELECT gen_random_uuid(), workitem_id, 1, id, writer_id, 'final', :period, 'x', 'x', :at"
        " FROM report_submission WHERE workitem_id = :item"
    )
    for item, at in ((image.id, utc_now()), (desk.id, utc_now() + timedelta(days=40))):
        with pytest.raises(IntegrityError, match="not enough"), database.transaction() as session:
            session.execute(issue, {"period": period, "item": item, "at": at})
    with pytest.raises(IntegrityError, match="two_doctors"), database.transaction() as session:
        session.execute(issue, {"period": None, "item": desk.id, "at": utc_now()})
    with pytest.raises(IntegrityError, match="not changed"), database.transaction() as session:
        session.execute(update(SingleSignature).values(basis="another"))
    queued = ecg(app, consortium)
    final = text("UPDATE workitem SET state='FINAL', holder_id=NULL, lease_until=NULL WHERE id=:id")
    with pytest.raises(IntegrityError, match="two signatures"), database.transaction() as session:
        session.execute(final, {"id": queued.id})
