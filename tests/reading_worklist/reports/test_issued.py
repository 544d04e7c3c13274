"""What is issued is described for senders in the same transaction, whatever kind of document."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from reading_worklist.consultations.tables import Practitioner
from reading_worklist.reports import issued, queries
from reading_worklist.reports.tables import ReportVersion
from reading_worklist.tasks import Describing
from reading_worklist.typesetting.labels import Language
from reading_worklist.workitems.tables import Workitem
from storage import issued_reports
from storage.clock import utc_now
from storage.index.tables import Study
from storage.issued_reports import IssuedReport, IssuedReportRow, SectionLabel
from storage.messages import ReportIssued
from storage.objects import ObjectStore
from storage.orders.words import Priority
from storage.registry import Organisation, Person, grant_mark, mark_of
from storage.report_status import IssuedKind
from tests.support.desk import Desk
from tests.support.seed import Consortium
from tests.support.web import PIN, application


@pytest.fixture
def desk(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> Desk:
    app = application(consortium, objects, tmp_path)
    return Desk(app, consortium, consortium.queued_study().workitem_id)


def described(desk: Desk) -> list[IssuedReport]:
    with desk.database.transaction() as session:
        rows = session.scalars(select(IssuedReportRow).order_by(IssuedReportRow.number)).all()
        found = issued_reports.read_many(session, [row.report_version_id for row in rows])
        return [found[row.report_version_id] for row in rows]


def amend(desk: Desk) -> None:
    desk.do("reviewer", "amend", "CLAIMED", reason="左右写反")
    desk.do("reviewer", "release", "QUEUED")
    desk.do("writer", "claim")
    revision = desk.draft("writer", "左肺结节。")
    desk.do("writer", "submit", "WRITTEN", revision=revision, signing_pin=PIN)
    desk.finalise()


def test_preliminary_final_corrected_and_void_follow_each_other(desk: Desk) -> None:
    with desk.database.transaction() as session:
        session.execute(update(Workitem).values(priority=Priority.STAT))
    desk.do("writer", "claim")
    revision = desk.draft("writer", "右肺结节。")
    desk.do("writer", "preliminary", "PRELIM_ISSUED", revision=revision, signing_pin=PIN)
    desk.finalise()
    amend(desk)
    desk.do("reviewer", "revocation", reason="其他患者")
    desk.do("head", "revocation/confirm", "REVOKED")
    reports = described(desk)
    assert [one.kind for one in reports] == [
        IssuedKind.PRELIMINARY,
        IssuedKind.REPORT,
        IssuedKind.AMENDMENT,
        IssuedKind.NOTICE,
    ]
    assert [one.version_number for one in reports] == [1, 2, 3, 3]
    before = [one.predecessor and one.predecessor.report_version_id for one in reports]
    assert before == [None, *(one.report_version_id for one in reports[:3])]
    first, final, amended, notice = reports
    assert (first.reviewer, first.writer and first.writer.name) == (None, "李书写")
    assert final.reviewer is not None
    assert final.reviewer.certificate_serial
    assert final.centre.code == "centre"
    assert final.site.code == "EAST"
    assert (final.patient.name, final.patient.pinyin) == ("张伟", "Zhang Wei")
    assert amended.text(SectionLabel.IMPRESSION) == "左肺结节。"
    assert amended.text(SectionLabel.AMENDMENT_REASON) == "左右写反"
    assert notice.text(SectionLabel.AMENDMENT_REASON) == "其他患者"
    assert notice.text(SectionLabel.IMPRESSION) == ""
    messages = desk.messages(ReportIssued)
    assert [one.report_version_id for one in messages] == [
        one.report_version_id for one in reports[:3]
    ]
    assert [one.document.sha256 for one in reports[:3]] == [one.pdf_sha256 for one in messages]


def test_branch_mark_comparison_and_titles_are_what_the_registry_and_the_writer_say(
    desk: Desk,
) -> None:
    consortium = desk.consortium
    with desk.database.transaction() as session:
        item = session.get_one(Workitem, desk.id)
        study = session.get_one(Study, item.study_id)
        on = study.study_date or study.first_received_at.date()
        east = session.get_one(Organisation, consortium.east.id)
        east.branch, east.branch_en = "东山分院", "Dongshan"
        grant_mark(
            session, east, "ct", mark="川HR", basis="文件 1 号", valid_from=on, valid_until=on
        )
        reviewer = session.scalars(select(Person).where(Person.login == "reviewer")).one()
        session.add(
            Practitioner(
                person_id=reviewer.id,
                title="副主任医师",
                specialty="放射诊断",
                licence_number="110",
                practising_since=date(2010, 1, 1),
                set_by=reviewer.id,
                set_at=utc_now(),
            )
        )
    desk.do("writer", "claim")
    said = {"findings": "双肺纹理清晰。", "impression": "未见异常。", "comparison": "与前片相仿。"}
    saved = desk("writer").put(f"/api/workitems/{desk.id}/draft", **said, revision=0)
    revision = saved.json()["revision"]
    desk.do("writer", "submit", revision=revision, signing_pin=PIN)
    desk.finalise()
    (report,) = described(desk)
    assert report.text(SectionLabel.COMPARISON) == "与前片相仿。"
    assert (report.reviewer and report.reviewer.title) == "副主任医师"
    assert (report.writer and report.writer.title) == ""
    with desk.database.transaction() as session:
        submission = queries.latest_submission(session, desk.id)
        assert submission is not None
        document = queries.stored_document(submission)
        assert document.examining.text(Language.EN).endswith("Dongshan")
        assert document.examining.branch == "东山分院"
        assert document.diagnosing.branch == ""
        assert document.recognition_mark == "川HR"
        site_id = consortium.east.id
        assert mark_of(session, site_id, "CT", on + timedelta(days=1)) == ""
        assert mark_of(session, site_id, "MR", on) == ""
        assert mark_of(session, consortium.west.id, "CT", on) == ""


def test_what_an_earlier_release_has_issued_is_described_later(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr(issued, "keep_version", lambda *_: None)
        desk.write()
        desk.finalise()
    assert described(desk) == []
    describing = Describing()
    describing(desk.database)
    (report,) = described(desk)
    with desk.database.transaction() as session:
        version = session.scalars(select(ReportVersion)).one()
    assert report.report_version_id == version.id
    assert report.centre.code == "centre"
    describing(desk.database)
    assert len(described(desk)) == 1
