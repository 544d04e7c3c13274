"""A report from draft to two signatures and to the site over HTTP, and every refusal."""

import hashlib
import io
from datetime import time
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pyhanko.pdf_utils.reader import PdfFileReader
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from reading_worklist.reports.document import from_content
from reading_worklist.reports.tables import ReportSubmission, ReportVersion
from reading_worklist.signing.credentials import revoke_credential
from storage.audit import AuditRecord
from storage.database import Database, as_owner
from storage.index.tables import Study
from storage.objects import ObjectKey, ObjectStore
from storage.outbox import OutboxMessage
from tests.support.seed import Consortium
from tests.support.web import PIN, Browser, application

TEXT = {"findings": "双肺纹理清晰。", "impression": "未见明显异常。", "advice": "随诊。"}


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    return application(consortium, objects, tmp_path)


@pytest.fixture
def item(consortium: Consortium) -> str:
    return f"/api/workitems/{consortium.queued_study().workitem_id}"


def write(app: FastAPI, item: str, login: str = "writer") -> Browser:
    writer = Browser(app, login)
    assert writer.post(f"{item}/claim").status_code == 200
    saved = writer.put(f"{item}/draft", revision=0, **TEXT)
    assert saved.status_code == 200, saved.text
    submitted = writer.post(f"{item}/submit", revision=1, signing_pin=PIN)
    assert submitted.status_code == 200, submitted.text
    assert submitted.json()["state"] == "WRITTEN"
    return writer


def finalise(app: FastAPI, item: str) -> dict[str, object]:
    reviewer = Browser(app, "reviewer")
    assert reviewer.post(f"{item}/review").status_code == 200
    final = reviewer.post(f"{item}/finalise", signing_pin=PIN)
    assert final.status_code == 200, final.text
    return final.json()


def refused(answer: object, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text  # pyright: ignore[reportAttributeAccessIssue]
    assert answer.headers["content-type"] == "application/problem+json"  # pyright: ignore[reportAttributeAccessIssue]
    assert answer.json()["type"] == f"urn:rdc:problem:{code}"  # pyright: ignore[reportAttributeAccessIssue]


def test_the_whole_road(app: FastAPI, item: str, database: Database, objects: ObjectStore) -> None:
    write(app, item)
    final = finalise(app, item)
    assert final["state"] == "PUBLISHED"
    (version,) = final["versions"]  # pyright: ignore[reportGeneralTypeIssues]
    assert version["writer"]["display_name"] == "李书写"
    assert version["reviewer"]["display_name"] == "王审核"
    site = Browser(app, "doctor-east")
    exam = item.replace("workitems", "portal/exams")
    assert site.get(exam).json()["step"] == "signed"
    pdf = site.get(f"{exam}/report").content
    assert hashlib.sha256(pdf).hexdigest() == version["pdf_sha256"]
    assert len(PdfFileReader(io.BytesIO(pdf)).embedded_regular_signatures) == 2
    opened = site.get(exam).json()
    assert opened["step"] == "opened"
    assert opened["reports"][0]["opened_at"]
    with database.transaction() as session:
        topics = [row.topic for row in session.scalars(select(OutboxMessage))]
        actions = session.scalars(
            select(AuditRecord.action)
            .where(~AuditRecord.action.endswith(":see"))
            .order_by(AuditRecord.id)
        ).all()
        assert objects.stat(
            ObjectKey.parse(session.scalars(select(ReportVersion)).one().pdf_object_key)
        )
    assert topics.count("report.issued") == 1
    acts = [
        action.removeprefix("workitem:") for action in actions if action.startswith("workitem:")
    ]
    assert acts == [
        "queue",
        "claim",
        "submit",
        "review",
        "finalise",
        "publish",
        "acknowledge_delivery",
    ]


def test_a_returned_report_is_written_again_and_both_submissions_stay(
    app: FastAPI, item: str
) -> None:
    writer = write(app, item)
    reviewer = Browser(app, "reviewer")
    reviewer.post(f"{item}/review")
    refused(reviewer.post(f"{item}/return", comment=" "), 422, "incomplete-report")
    assert reviewer.post(f"{item}/return", comment="左右写反").json()["state"] == "RETURNED"
    detail = writer.post(f"{item}/claim").json()
    assert detail["submissions"][0]["returned"]["comment"] == "左右写反"
    assert (
        writer.put(f"{item}/draft", revision=1, **{**TEXT, "impression": "右肺结节。"}).status_code
        == 200
    )
    assert writer.post(f"{item}/submit", revision=2, signing_pin=PIN).status_code == 200
    final = finalise(app, item)
    assert [one["impression"] for one in final["submissions"]] == ["未见明显异常。", "右肺结节。"]  # pyright: ignore[reportGeneralTypeIssues]


def test_nobody_reviews_his_own_report(app: FastAPI, item: str, database: Database) -> None:
    writer = write(app, item, "reviewer")
    refused(writer.post(f"{item}/review"), 403, "self-review")
    refused(writer.post(f"{item}/finalise", signing_pin=PIN), 403, "self-review")


def test_the_database_refuses_one_doctor_for_both_signatures(
    app: FastAPI, item: str, database: Database
) -> None:
    write(app, item)
    finalise(app, item)
    # PT012: the trigger is off only within the transaction that fails. It would refuse the row
    # before, since the first version stands.
    with pytest.raises(IntegrityError, match="two_doctors"), database.transaction() as session:  # noqa: PT012
        as_owner(session)
        session.execute(text("ALTER TABLE report_version DISABLE TRIGGER guard_standing"))
        session.execute(
            text(
                "INSERT INTO report_version (id, workitem_id, number, submission_id, writer_id,"
                " reviewer_id, status, pdf_object_key, pdf_sha256, issued_at)"
                " SELECT gen_random_uuid(), workitem_id, 2, submission_id, writer_id, writer_id,"
                " status, pdf_object_key, pdf_sha256, issued_at FROM report_version"
            )
        )


@pytest.mark.parametrize("table", ["report_version", "report_submission"])
def test_a_signed_row_has_no_update_path(
    app: FastAPI, item: str, database: Database, table: str
) -> None:
    write(app, item)
    finalise(app, item)
    for statement in (f"UPDATE {table} SET pdf_sha256 = 'x'", f"DELETE FROM {table}"):
        with pytest.raises(DBAPIError), database.transaction() as session:
            session.execute(text(statement))


def test_a_wrong_pin_signs_nothing(app: FastAPI, item: str) -> None:
    writer = Browser(app, "writer")
    writer.post(f"{item}/claim")
    writer.put(f"{item}/draft", revision=0, **TEXT)
    refused(writer.post(f"{item}/submit", revision=1, signing_pin="000001"), 403, "wrong-pin")
    assert writer.get(item).json()["state"] == "CLAIMED"


def test_a_stale_draft_is_not_saved_over_a_newer_one(app: FastAPI, item: str) -> None:
    writer = Browser(app, "writer")
    writer.post(f"{item}/claim")
    assert writer.put(f"{item}/draft", revision=0, **TEXT).json()["revision"] == 1
    stale = writer.put(f"{item}/draft", revision=0, **{**TEXT, "impression": "mine"})
    refused(stale, 409, "stale-draft")
    stored = {**TEXT, "revision": 1}
    assert {name: stale.json()[name] for name in stored} == stored, "both texts are at hand"
    refused(writer.post(f"{item}/submit", revision=0, signing_pin=PIN), 409, "stale-draft")


@pytest.mark.parametrize("field", ["findings", "impression"])
def test_an_empty_report_is_not_signed(app: FastAPI, item: str, field: str) -> None:
    writer = Browser(app, "writer")
    writer.post(f"{item}/claim")
    writer.put(f"{item}/draft", revision=0, **{**TEXT, field: " "})
    refused(writer.post(f"{item}/submit", revision=1, signing_pin=PIN), 422, "incomplete-report")


def test_the_time_of_the_exam_is_printed_in_the_sites_zone(
    app: FastAPI, item: str, database: Database
) -> None:
    with database.transaction() as session:
        session.execute(update(Study).values(study_time=time(9, 30)))
    write(app, item)
    with database.transaction() as session:
        submission = session.scalars(select(ReportSubmission)).one()
    document = from_content(submission.content)
    assert document.local(document.performed_at) == "2026-11-20 09:30"
    assert str(document.patient.age) == "066Y"


@pytest.mark.parametrize(
    ("language", "words"),
    [("zh-CN", ("CT诊断报告", "审核医师")), ("en", ("CT Report", "Reviewer"))],
)
def test_the_document_is_signed_in_the_language_chosen(
    app: FastAPI, item: str, language: str, words: tuple[str, ...]
) -> None:
    writer = Browser(app, "writer")
    writer.post(f"{item}/claim")
    writer.put(f"{item}/draft", revision=0, **TEXT)
    body = {"revision": 1, "signing_pin": PIN, "language": language}
    assert writer.post(f"{item}/submit", **body).status_code == 200
    finalise(app, item)
    pdf = Browser(app, "doctor-east").get(f"{item.replace('workitems', 'portal/exams')}/report")
    page = pdfium.PdfDocument(pdf.content)[0].get_textpage().get_text_bounded()
    compact = "".join(page.split())
    for word in words:
        assert "".join(word.split()).lower() in compact.lower()
    assert TEXT["impression"] in compact


def test_an_ecg_needs_no_findings_beside_its_impression(
    app: FastAPI, consortium: Consortium
) -> None:
    item = f"/api/workitems/{consortium.queued_study(modalities=('ECG',)).workitem_id}"
    writer = Browser(app, "writer")
    writer.post(f"{item}/claim")
    text = {**TEXT, "findings": ""}
    writer.put(f"{item}/draft", revision=0, **text, codes={"ecg_class": "normal"})
    submitted = writer.post(f"{item}/submit", revision=1, signing_pin=PIN)
    assert submitted.status_code == 200, submitted.text


def test_another_site_learns_nothing(app: FastAPI, item: str) -> None:
    write(app, item)
    finalise(app, item)
    exam = item.replace("workitems", "portal/exams")
    stranger = Browser(app, "doctor-west")
    for path in (exam, f"{exam}/report"):
        refused(stranger.get(path), 404, "not-found")
    for path in (item, f"{item}/timeline", f"{item}/submission.pdf", "/api/workitems"):
        refused(stranger.get(path), 403, "forbidden")
    assert stranger.get("/api/portal/exams").json()["total"] == 0


def test_a_damaged_document_is_never_shown(
    app: FastAPI, item: str, database: Database, tmp_path: Path
) -> None:
    write(app, item)
    finalise(app, item)
    with database.transaction() as session:
        key = session.scalars(select(ReportVersion.pdf_object_key)).one()
    (file,) = (path for path in (tmp_path / "objects").rglob("*.pdf") if str(path).endswith(key))
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.chmod(0o600)
    file.write_bytes(content)
    site = Browser(app, "doctor-east")
    exam = item.replace("workitems", "portal/exams")
    refused(site.get(f"{exam}/report"), 500, "document-damaged")
    assert site.get(exam).json()["step"] == "signed"


def test_a_report_verifies_for_the_centre_and_for_whoever_has_the_paper(
    app: FastAPI, item: str, database: Database
) -> None:
    write(app, item)
    with database.transaction() as session:
        code = session.scalars(select(ReportSubmission.verification_code)).one()
    anybody = TestClient(app)
    refused(anybody.get(f"/api/verify/{code}"), 404, "not-found")
    version = finalise(app, item)["versions"][0]["id"]  # pyright: ignore[reportIndexIssue]
    public = anybody.get(f"/api/verify/{code}").json()
    assert public["verdict"] == "valid"
    assert [one["signer_name"] for one in public["signatures"]] == ["李书写", "王审核"]
    assert "张" not in str(public)
    assert "P001" not in str(public)
    inside = Browser(app, "reviewer").get(f"/api/reports/{version}/verification").json()
    assert inside["verdict"] == "valid"
    assert inside["sha256"] == public["sha256"]


def _ask(app: FastAPI, pdf: bytes) -> dict[str, Any]:
    answer = TestClient(app).post(
        "/api/verify", content=pdf, headers={"Content-Type": "application/pdf"}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_whoever_has_the_file_may_ask_with_it(app: FastAPI, item: str) -> None:
    write(app, item)
    unreviewed = Browser(app, "reviewer").get(f"{item}/submission.pdf").content
    # A submission has a place for the reviewer's signature, and lacks it.
    assert _ask(app, unreviewed)["reason"] == "signature_missing"
    finalise(app, item)
    exam = item.replace("workitems", "portal/exams")
    pdf = Browser(app, "doctor-east").get(f"{exam}/report").content
    found = _ask(app, pdf)
    assert (found["verdict"], found["known"]["status"]) == ("valid", "final")
    assert all(one["proven_at"] for one in found["signatures"])
    assert "P001" not in str(found)
    altered = bytearray(pdf)
    altered[len(pdf) // 3] ^= 1
    other = _ask(app, bytes(altered))
    assert (other["verdict"], other["known"]) == ("invalid", None)
    assert _ask(app, b"")["reason"] == "unreadable"


def test_a_file_that_is_too_large_is_refused(app: FastAPI) -> None:
    answer = TestClient(app).post("/api/verify", content=bytes((32 << 20) + 1))
    refused(answer, 413, "file-too-large")


def test_a_key_revoked_after_its_report_was_stamped_takes_nothing_from_it(
    app: FastAPI, item: str, database: Database, consortium: Consortium
) -> None:
    write(app, item)
    version = finalise(app, item)["versions"][0]["id"]  # pyright: ignore[reportIndexIssue]
    with database.transaction() as session:
        revoke_credential(session, consortium.people["writer"].id, "lost")
    answer = Browser(app, "reviewer").get(f"/api/reports/{version}/verification").json()
    assert (answer["verdict"], answer["reason"]) == ("valid", "none")
