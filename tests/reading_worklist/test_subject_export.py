"""A patient's own data: all of it, of nobody else, for who may, and on record."""

import io
import json
import zipfile
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from reading_worklist.problems import Problem
from reading_worklist.reports.tables import ReportSubmission, ReportVersion
from reading_worklist.subject_export import service
from storage import audit
from storage.audit import AuditRecord, system_actor
from storage.clock import utc_now
from storage.objects import ObjectKey, ObjectStore
from tests.support.scopes import scope_of
from tests.support.seed import Consortium
from tests.support.web import Browser, application

SIGNED = b"%PDF-1.7 as it was signed"


def test_all_of_a_patient_and_nothing_of_another_is_in_the_archive(
    consortium: Consortium, objects: ObjectStore
) -> None:
    subject = consortium.queued_study(local_id="P-1", name="Zhang^Wei=张^伟")
    other = consortium.queued_study(local_id="P-2", name="Li^Na=李^娜")
    issue(consortium, objects, subject.workitem_id)
    with consortium.database.transaction() as session:
        for kind, number in (
            ("workitem", subject.workitem_id),
            ("dicom_study", subject.study.study_instance_uid),
            ("workitem", other.workitem_id),
        ):
            audit.record(
                session, system_actor("test"), f"{kind}:see", subject_kind=kind, subject_id=number
            )

    scope = scope_of(consortium.database, "head")
    with consortium.database.transaction() as session:
        found = service.gather(
            session, scope, site_code="EAST", local_id="P-1", reason="asked in writing"
        )
    written = io.BytesIO()
    assert service.write(found, objects, written) == 1
    with zipfile.ZipFile(written) as archive:
        assert archive.read("reports/001-version-1-final.pdf") == SIGNED
        page, records, access = (
            archive.read(name).decode() for name in ("index.html", "records.json", "access.json")
        )

    assert "张" in page
    for text in (page, records, access):
        assert "P-2" not in text
        assert str(other.workitem_id) not in text
    tables = json.loads(records)
    assert {"patient", "study", "workitem", "report_submission", "report_version"} <= tables.keys()
    assert tables["report_submission"][0]["findings"] == "所见"
    assert [row["id"] for row in tables["workitem"]] == [str(subject.workitem_id)]
    assert {"workitem:see", "dicom_study:see"} <= {one["action"] for one in json.loads(access)}
    with consortium.database.transaction() as session:
        [act] = session.scalars(select(AuditRecord).where(AuditRecord.action == "patient:export"))
        assert (act.person_id, act.detail["reason"]) == (scope.person_id, "asked in writing")


@pytest.mark.parametrize(
    ("login", "local_id", "reason", "status"),
    [
        ("writer", "P-1", "asked in writing", 403),
        ("head", "P-9", "asked in writing", 404),
        ("head", "P-1", " ", 422),
    ],
)
def test_without_right_reason_or_patient_nothing_is_handed_over(
    consortium: Consortium, login: str, local_id: str, reason: str, status: int
) -> None:
    consortium.complete_study(local_id="P-1")
    scope = scope_of(consortium.database, login)
    with pytest.raises(Problem) as refused, consortium.database.transaction() as session:
        service.gather(session, scope, site_code="EAST", local_id=local_id, reason=reason)
    assert refused.value.status == status


def test_an_administrator_sees_whose_data_they_are_and_gets_them_on_record(
    consortium: Consortium, objects: ObjectStore, tmp_path: Path
) -> None:
    subject = consortium.queued_study(local_id="P-1", name="Zhang^Wei=张^伟")
    issue(consortium, objects, subject.workitem_id)
    head = Browser(application(consortium, objects, tmp_path, signers=False), "head")
    whose = {"site_code": "EAST", "local_id": "P-1"}
    before = {str(one.key) for one in objects.list("")}
    preview = head.post("/api/patient-copies/preview", **whose).json()
    assert (preview["patient_name"], preview["studies"]) == ("张伟", 1)
    assert head.post("/api/patient-copies", **whose, reason="    ").status_code == 422
    taken = head.post("/api/patient-copies", **whose, reason="asked in writing")
    assert taken.headers["cache-control"] == "no-store"
    with zipfile.ZipFile(io.BytesIO(taken.content)) as archive:
        assert archive.testzip() is None
        assert archive.read("reports/001-version-1-final.pdf") == SIGNED
        # What was done for others than the asker's own house is his as well.
        assert "report_version" in json.loads(archive.read("records.json"))
    with consortium.database.transaction() as session:
        acts = session.scalars(
            select(AuditRecord.detail).where(AuditRecord.action == "patient:export")
        ).all()
    assert [one["reason"] for one in acts] == ["asked in writing"]
    assert {str(one.key) for one in objects.list("")} == before


def issue(consortium: Consortium, objects: ObjectStore, workitem_id: UUID) -> None:
    """A report version as both doctors have signed it, as far as its rows tell."""
    key = ObjectKey("reports/of-a-test.pdf")
    objects.put(key, SIGNED)
    with consortium.database.transaction() as session:
        submission = ReportSubmission(
            workitem_id=workitem_id,
            number=1,
            writer_id=consortium.people["writer"].id,
            findings="所见",
            impression="诊断",
            advice="",
            content={},
            verification_code="TEST-1",
            pdf_object_key=str(key),
            pdf_sha256="0" * 64,
            submitted_at=utc_now(),
        )
        session.add(submission)
        session.flush()
        session.add(
            ReportVersion(
                workitem_id=workitem_id,
                number=1,
                submission_id=submission.id,
                writer_id=submission.writer_id,
                reviewer_id=consortium.people["reviewer"].id,
                status="final",
                pdf_object_key=str(key),
                pdf_sha256="0" * 64,
                issued_at=utc_now(),
            )
        )
