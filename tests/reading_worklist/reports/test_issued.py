"""What is issued is described for senders in the same transaction, whatever kind of document."""

from pathlib import Path

import pytest
from sqlalchemy import select, update

from reading_worklist.reports import issued
from reading_worklist.reports.tables import ReportVersion
from reading_worklist.tasks import Describing
from reading_worklist.workitems.tables import Workitem
from storage import issued_reports
from storage.issued_reports import IssuedReport, IssuedReportRow, SectionLabel
from storage.messages import ReportIssued
from storage.objects import ObjectStore
from storage.orders.words import Priority
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
