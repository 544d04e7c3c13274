"""Preliminary reports, amendments, revocations and the archive, and who is told of a recall."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pypdfium2 as pdfium
import pytest
from fastapi.testclient import TestClient
from pyhanko.pdf_utils.reader import PdfFileReader
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from pacs_gateway.returns.engine import create_deliveries
from pacs_gateway.returns.recalls import recall_deliveries
from reading_worklist.reports import preliminary, unopened
from reading_worklist.reports.issuing import ACKNOWLEDGED_WITHIN, run_clock
from reading_worklist.reports.states import (
    TRANSITIONS,
    RevocationAction,
    RevocationState,
)
from reading_worklist.reports.tables import RecallRecipient, ReportRecall, ReportVersion
from reading_worklist.working_time.days import WorkCalendar
from reading_worklist.working_time.hours import WorkingTime
from reading_worklist.workitems.states import State
from reading_worklist.workitems.tables import Workitem
from storage import registry
from storage.clock import utc_now
from storage.database import Database
from storage.deliveries import Delivery, DeliveryPolicy
from storage.delivery_policy import Deadlines, deadlines_of, set_deadlines
from storage.messages import ReportIssued, ReportRecalled
from storage.objects import ObjectStore
from storage.orders.words import Priority
from tests.support.desk import TEXT, Desk
from tests.support.seed import Consortium
from tests.support.web import PIN, application

ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def desk(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> Desk:
    app = application(consortium, objects, tmp_path)
    with consortium.database.transaction() as session:
        registry.add_dicom_destination(session, consortium.east, "EAST_PACS", "10.0.0.1", 104)
    return Desk(app, consortium, consortium.queued_study().workitem_id)


@pytest.fixture
def stat(desk: Desk) -> Desk:
    with desk.database.transaction() as session:
        session.execute(update(Workitem).values(priority=Priority.STAT))
    return desk


TEXTS = ("findings", "impression", "advice")


def page_text(pdf: bytes) -> str:
    page = pdfium.PdfDocument(pdf)[0].get_textpage().get_text_bounded()
    return "".join(page.split())


def portal_pdf(desk: Desk, login: str = "doctor-east") -> bytes:
    answer = desk(login).get(f"/api/portal/exams/{desk.id}/report")
    assert answer.status_code == 200, answer.text
    return answer.content


def issue_preliminary(desk: Desk) -> dict[str, Any]:
    desk.do("writer", "claim")
    revision = desk.draft("writer", "右肺结节。")
    return desk.do("writer", "preliminary", "PRELIM_ISSUED", revision=revision, signing_pin=PIN)


def test_every_pair_of_a_revocation_is_decided() -> None:
    allowed = {pair: after for pair, after in TRANSITIONS.items() if after is not None}
    assert len(TRANSITIONS) == len(RevocationState) * len(RevocationAction)
    assert {before for before, _ in allowed} == {RevocationState.PROPOSED}
    assert set(allowed.values()) == set(RevocationState) - {RevocationState.PROPOSED}


def test_a_preliminary_report_goes_out_with_one_signature_and_is_replaced_by_the_final_one(
    stat: Desk, database: Database
) -> None:
    detail = issue_preliminary(stat)
    (version,) = detail["versions"]
    assert (version["status"], version["number"], version["reviewer"]) == ("preliminary", 1, None)
    shown = portal_pdf(stat)
    assert len(PdfFileReader(io.BytesIO(shown)).embedded_regular_signatures) == 1
    assert "以正式报告为准" in page_text(shown)
    assert stat.item().opened_at is None
    code = f"/api/reports/{version['id']}/verification"
    assert stat("reviewer").get(code).json()["verdict"] == "valid"
    (waiting,) = stat("reviewer").get("/api/preliminary-reports").json()["items"]
    assert (waiting["workitem"]["id"], waiting["late"]) == (str(stat.id), False)
    assert stat("doctor-east").get("/api/preliminary-reports").status_code == 403

    # Given back and reviewed by another doctor, it stays what it is until the final one is out.
    stat.do("reviewer", "review", "REVIEWING")
    assert stat.do("reviewer", "release")["state"] == "PRELIM_ISSUED"
    stat.refused("writer", "review", 403, "forbidden")
    final = stat.finalise()
    assert stat("reviewer").get("/api/preliminary-reports").json()["total"] == 0
    assert [one["status"] for one in final["versions"]] == ["preliminary", "final"]
    assert [one["recall"] is None for one in final["versions"]] == [False, True]
    both = portal_pdf(stat)
    assert len(PdfFileReader(io.BytesIO(both)).embedded_regular_signatures) == 2
    assert "以正式报告为准" not in page_text(both)
    (issued, _) = stat.messages(ReportIssued)
    (recalled,) = stat.messages(ReportRecalled)
    assert (recalled.report_version_id, recalled.kind) == (issued.report_version_id, "superseded")
    (notice,) = stat("doctor-east").get("/api/portal/recalls").json()
    assert (notice["number"], notice["replaced_by"]) == (1, 2)
    left = stat("doctor-east").post(f"/api/portal/recalls/{notice['id']}/acknowledge")
    assert left.json() == []


def test_a_returned_preliminary_report_stands_while_it_is_written_again(stat: Desk) -> None:
    issue_preliminary(stat)
    stat.do("reviewer", "review")
    returned = stat.do("reviewer", "return", "RETURNED", comment="左右写反")
    assert returned["versions"][0]["recall"] is None
    again = stat.write(impression="左肺结节。")
    assert again["state"] == "PRELIM_ISSUED"
    stat.refused("writer", "preliminary", 409, "wrong-state", revision=9, signing_pin=PIN)
    versions = stat.finalise()["versions"]
    assert [one["number"] for one in versions] == [1, 2]
    old, new = (one["id"] for one in versions)
    found = stat("reviewer").get(f"{stat.path}/comparison?old={old}&new={new}").json()
    assert found["findings"]["changed"] is False
    assert [(one["change"], one["text"]) for one in found["impression"]["segments"]] == [
        ("removed", "右"),
        ("added", "左"),
        ("same", "肺结节。"),
    ]


@pytest.mark.parametrize(
    ("priority", "now", "allowed"),
    [
        (Priority.ROUTINE, datetime(2026, 11, 20, 2, 0, tzinfo=UTC), False),  # Friday 10:00
        (Priority.STAT, datetime(2026, 11, 20, 2, 0, tzinfo=UTC), True),
        (Priority.ROUTINE, datetime(2026, 11, 20, 12, 0, tzinfo=UTC), True),  # 20:00
        (Priority.ROUTINE, datetime(2026, 10, 1, 2, 0, tzinfo=UTC), True),  # National Day
        (Priority.ROUTINE, datetime(2026, 9, 20, 2, 0, tzinfo=UTC), False),  # a worked Sunday
    ],
)
def test_one_doctor_is_alone_at_night_and_with_what_is_stat(
    *, priority: Priority, now: datetime, allowed: bool
) -> None:
    worked = WorkingTime(zone=ZONE)
    assert preliminary.alone_allowed(priority, worked, now) is allowed


@pytest.mark.parametrize(
    ("issued", "due"),
    [
        # 20:00 on Friday: Monday noon. 03:00 on Monday: the same day.
        (datetime(2026, 11, 20, 12, 0, tzinfo=UTC), datetime(2026, 11, 23, 4, 0, tzinfo=UTC)),
        (datetime(2026, 11, 22, 19, 0, tzinfo=UTC), datetime(2026, 11, 23, 4, 0, tzinfo=UTC)),
        # The evening before National Day: the first working day after the holidays.
        (datetime(2026, 9, 30, 12, 0, tzinfo=UTC), datetime(2026, 10, 8, 4, 0, tzinfo=UTC)),
    ],
)
def test_the_final_review_is_due_at_noon_of_the_next_working_day(
    issued: datetime, due: datetime
) -> None:
    worked = WorkingTime(zone=ZONE, calendar=WorkCalendar())
    assert preliminary.review_due(worked, issued) == due


def test_in_working_hours_a_routine_report_needs_its_reviewer(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preliminary, "utc_now", lambda: datetime(2026, 11, 20, 2, 0, tzinfo=UTC))
    desk.do("writer", "claim")
    revision = desk.draft("writer", "未见异常。")
    desk.refused("writer", "preliminary", 409, "not-alone", revision=revision, signing_pin=PIN)


def test_an_amendment_replaces_the_report_with_both_signatures_and_recalls_it_everywhere(
    desk: Desk, database: Database
) -> None:
    desk.write()
    desk.finalise()
    (first,) = desk.messages(ReportIssued)
    desk.deliver(first)
    portal_pdf(desk)
    desk.refused("writer", "amend", 403, "forbidden", reason="左右写反")
    desk.refused("reviewer", "amend", 422, "incomplete-report", reason=" ")
    begun = desk.do("reviewer", "amend", "CLAIMED", reason="左右写反")
    assert begun["amending"] is True
    assert begun["versions"][0]["recall"] is None, "it stands until the next one is issued"
    assert desk("doctor-east").get(f"/api/portal/exams/{desk.id}").json()["step"] == "opened"

    desk.do("reviewer", "release", "QUEUED")
    desk.do("writer", "claim")
    revision = desk.draft("writer", "左肺结节。")
    desk.do("writer", "submit", "WRITTEN", revision=revision, signing_pin=PIN)
    amended = desk.finalise()
    assert [one["status"] for one in amended["versions"]] == ["final", "amended"]
    recall = amended["versions"][0]["recall"]
    assert (recall["kind"], recall["reason"]) == ("superseded", "左右写反")
    assert recall["replaced_by"] == amended["versions"][1]["id"]
    item = desk.item()
    assert (item.amending, item.delivered_at, item.opened_at) == (False, None, None)
    shown = page_text(portal_pdf(desk, "doctor-east"))
    assert "修订2" in shown
    assert "左右写反" in shown
    with database.transaction() as session:
        recipients = session.scalars(select(RecallRecipient)).all()
    assert {one.told_at for one in recipients} == {None}
    assert len([one for one in recipients if one.destination_id]) == 1
    assert [one.person_id for one in recipients if one.person_id] == [
        desk.consortium.people["doctor-east"].id
    ]
    desk.deliver(desk.messages(ReportIssued)[1])
    with database.transaction() as session:
        told = session.scalars(
            select(RecallRecipient).where(RecallRecipient.destination_id.is_not(None))
        ).one()
    assert told.told_at is not None
    assert desk.item().state is State.DELIVERED


def test_an_addendum_is_added_below_a_report_that_stays_as_it_is(
    desk: Desk, database: Database
) -> None:
    desk.write()
    desk.finalise()
    desk.deliver(desk.messages(ReportIssued)[0])
    portal_pdf(desk)
    first = desk("writer").get(f"/api/workitems/{desk.id}").json()["submissions"][0]
    begun = desk.do("reviewer", "amend", "CLAIMED", reason="补充病史", kind="addendum")
    assert begun["amending_kind"] == "addendum"
    assert {begun["draft"][part] == first[part] for part in TEXTS} == {True}
    desk.do("reviewer", "release", "QUEUED")
    desk.do("writer", "claim")

    # Whatever else a page sends: what was signed stays.
    draft = begun["draft"]
    saved = desk("writer").put(
        f"/api/workitems/{desk.id}/draft",
        findings="别的所见",
        impression="别的诊断",
        addendum=" ",
        revision=draft["revision"],
    )
    revision = saved.json()["revision"]
    desk.refused("writer", "submit", 422, "incomplete-report", revision=revision, signing_pin=PIN)
    saved = desk("writer").put(
        f"/api/workitems/{desk.id}/draft",
        addendum="补充：{姓名}复阅旧片，结节两年前已有。",
        revision=revision,
    )
    revision = saved.json()["revision"]
    desk.refused("writer", "submit", 422, "report-checks", revision=revision, signing_pin=PIN)
    saved = desk("writer").put(
        f"/api/workitems/{desk.id}/draft",
        addendum="复阅旧片，结节两年前已有。",
        revision=revision,
    )
    revision = saved.json()["revision"]
    desk.do("writer", "submit", "WRITTEN", revision=revision, signing_pin=PIN)
    appended = desk.finalise()
    assert [one["status"] for one in appended["versions"]] == ["final", "appended"]
    assert appended["versions"][0]["recall"]["kind"] == "supplemented"
    last = appended["submissions"][-1]
    assert {last[part] == first[part] for part in TEXTS} == {True}
    assert last["addendum"] == "复阅旧片，结节两年前已有。"
    shown = page_text(portal_pdf(desk, "doctor-east"))
    assert "修订" not in shown
    assert shown.index(first["impression"]) < shown.index("结节两年前已有")
    notice = desk("doctor-east").get("/api/portal/recalls").json()[0]
    assert (notice["kind"], notice["replaced_by"]) == ("supplemented", 2)

    # A later amendment keeps it.
    desk.do("reviewer", "amend", "CLAIMED", reason="左右写反")
    revision = desk.draft("reviewer", "左肺结节。")
    desk.do("reviewer", "submit", "WRITTEN", revision=revision, signing_pin=PIN)
    desk.do("reviewer2", "review", "REVIEWING")
    desk.do("reviewer2", "finalise", signing_pin=PIN)
    assert "结节两年前已有" in page_text(portal_pdf(desk, "doctor-east"))


def test_a_report_that_does_not_arrive_is_tried_again_and_told_of_once(
    desk: Desk, database: Database
) -> None:
    desk.write()
    desk.finalise()
    (issued,) = desk.messages(ReportIssued)
    with database.transaction() as session:
        create_deliveries(session, issued)
        far = utc_now() + timedelta(hours=9)
        session.execute(update(Delivery).values(next_attempt_at=far))
    due = issued.issued_at + ACKNOWLEDGED_WITHIN
    with database.transaction() as session:
        assert run_clock(session, due - timedelta(seconds=1)) == 0
        assert run_clock(session, due) == 1
        assert run_clock(session, due + timedelta(hours=1)) == 0
    with database.transaction() as session:
        assert session.scalars(select(Delivery.next_attempt_at)).one() == due
    timeline = desk("writer").get(f"{desk.path}/timeline").json()
    assert datetime.fromisoformat(timeline["delivery_overdue_at"]) == due
    desk.deliver(issued.report_version_id)
    assert desk.item().delivery_overdue_at is None


def test_a_report_that_nobody_opens_is_told_of_once(desk: Desk, database: Database) -> None:
    """After the time that the consortium sets; a site's own system that has it opens it for all."""
    with database.transaction() as session:
        above = registry.consortium_of(session, desk.item().site_id)
        set_deadlines(
            session,
            above.id,
            silent_minutes=None,
            unopened_minutes=90,
            unopened_stat_minutes=None,
            always_open=None,
        )
        assert deadlines_of(session, desk.item().site_id) == Deadlines(unopened_minutes=90)
    desk.write()
    desk.finalise()
    (issued,) = desk.messages(ReportIssued)
    due = issued.issued_at + timedelta(minutes=90)
    assert desk.item().open_by == due

    def told(at: datetime) -> int:
        with database.transaction() as session:
            return unopened.run_clock(session, at)

    assert [told(due - timedelta(seconds=1)), told(due), told(due)] == [0, 1, 0]
    assert desk.item().unopened_at == due
    portal_pdf(desk)
    assert desk.item().unopened_at is None
    with database.transaction() as session:
        session.execute(update(Workitem).values(open_by=due))
    desk.deliver(issued)
    assert told(due) == 0, "the site's system has it"
    with database.transaction() as session:
        session.execute(update(Workitem).values(open_by=due))
        session.execute(update(DeliveryPolicy).values(always_open=True))
    assert told(due) == 1, "and yet a person must"


def test_an_abandoned_amendment_leaves_all_as_it_was(desk: Desk) -> None:
    desk.write()
    desk.finalise()
    portal_pdf(desk)
    desk.do("reviewer", "amend", "CLAIMED", reason="Tippfehler")
    assert desk.do("reviewer", "amend/abandon")["state"] == "DELIVERED"
    desk.refused("reviewer", "amend/abandon", 409, "wrong-state")
    assert len(desk.messages(ReportIssued)) == 1


def test_the_database_never_holds_two_versions_that_stand(desk: Desk, database: Database) -> None:
    desk.write()
    desk.finalise()
    second = text(
        "INSERT INTO report_version (id, workitem_id, number, submission_id, writer_id,"
        " reviewer_id, status, pdf_object_key, pdf_sha256, issued_at)"
        " SELECT gen_random_uuid(), workitem_id, 2, gen_random_uuid(), writer_id, reviewer_id,"
        " status, pdf_object_key, pdf_sha256, issued_at FROM report_version"
    )
    with pytest.raises(IntegrityError, match="stands"), database.transaction() as session:
        session.execute(second)
    with pytest.raises(DBAPIError, match="permission denied"), database.transaction() as session:
        session.execute(text("DELETE FROM report_version"))


def test_two_people_revoke_and_the_tombstone_goes_where_the_report_went(
    desk: Desk, database: Database
) -> None:
    desk.write()
    desk.finalise()
    (issued,) = desk.messages(ReportIssued)
    desk.deliver(issued)
    portal_pdf(desk)
    desk.refused("head", "revocation", 403, "forbidden", reason="wrong patient")
    desk.refused("head", "revocation/confirm", 404, "not-found")
    proposed = desk.do("reviewer", "revocation", "DELIVERED", reason="患者错误")
    assert proposed["revocation"]["state"] == "PROPOSED"
    desk.refused("reviewer", "revocation", 409, "revocation-proposed", reason="again")
    desk.refused("reviewer", "amend", 409, "revocation-proposed", reason="again")
    desk.refused("reviewer", "revocation/confirm", 403, "forbidden")
    done = desk.do("head", "revocation/confirm", "REVOKED")
    assert done["versions"][0]["recall"]["kind"] == "revoked"
    shown = page_text(portal_pdf(desk))
    assert "作废" in shown
    assert "患者错误" in shown
    assert TEXT["impression"] not in shown
    (recalled,) = desk.messages(ReportRecalled)
    with database.transaction() as session:
        assert recall_deliveries(session, recalled) == 1
        assert recall_deliveries(session, recalled) == 0
    assert recalled.notice_id is not None
    desk.deliver(recalled.notice_id)
    with database.transaction() as session:
        told = session.scalars(
            select(RecallRecipient).where(RecallRecipient.destination_id.is_not(None))
        ).one()
    assert told.told_at is not None
    assert desk.item().state is State.REVOKED
    public = TestClient(desk.app).get(f"/api/verify/{_code(desk)}").json()
    assert public["recalled"] == "revoked"

    assert desk.do("dispatcher", "reopen", "QUEUED")["versions"][0]["recall"] is not None
    desk.write(impression="右肺结节。")
    numbers = [one["number"] for one in desk.finalise()["versions"]]
    assert numbers == [1, 2]


def _code(desk: Desk) -> str:
    with desk.database.transaction() as session:
        return session.execute(text("SELECT verification_code FROM report_submission")).scalar_one()


def test_a_proposal_is_withdrawn_or_rejected_and_the_report_stands(desk: Desk) -> None:
    desk.write()
    desk.finalise()
    desk.do("reviewer", "revocation", reason="doubt")
    desk.refused("writer", "revocation/decline", 403, "forbidden")
    assert desk.do("reviewer", "revocation/decline")["revocation"]["state"] == "WITHDRAWN"
    desk.do("reviewer", "revocation", reason="doubt again")
    assert desk.do("head", "revocation/decline")["revocation"]["state"] == "REJECTED"
    assert desk.item().state is State.PUBLISHED


def test_the_database_revokes_by_two_people_alone(desk: Desk, database: Database) -> None:
    desk.write()
    desk.finalise()
    desk.do("reviewer", "revocation", reason="doubt")
    alone = text(
        "UPDATE report_revocation SET state = 'CONFIRMED', decided_by = proposed_by,"
        " decided_at = now(), pdf_object_key = 'x', pdf_sha256 = 'y'"
    )
    with pytest.raises(IntegrityError, match="two_people"), database.transaction() as session:
        session.execute(alone)
    recall = text(
        "INSERT INTO report_recall (report_version_id, workitem_id, kind, revocation_id, reason,"
        " person_id, recalled_at) SELECT report_version_id, workitem_id, 'revoked', id, reason,"
        " proposed_by, now() FROM report_revocation"
    )
    with pytest.raises(IntegrityError, match="two people"), database.transaction() as session:
        session.execute(recall)


def test_an_archived_reading_is_locked(desk: Desk, database: Database) -> None:
    desk.write()
    desk.finalise()
    desk.refused("reviewer", "archive", 403, "forbidden")
    desk.do("head", "archive", "ARCHIVED")
    for login, action, body in (
        ("writer", "claim", {}),
        ("reviewer", "amend", {"reason": "x"}),
        ("reviewer", "revocation", {"reason": "x"}),
        ("reviewer", "reopen", {}),
        ("head", "archive", {}),
    ):
        desk.refused(login, action, 409, "wrong-state", **body)
    with pytest.raises(IntegrityError, match="archived"), database.transaction() as session:
        session.execute(text("UPDATE report_draft SET impression = 'other'"))
    assert len(portal_pdf(desk)) > 0


def test_a_version_that_arrives_after_its_recall_is_told_of_it_too(
    desk: Desk, database: Database
) -> None:
    desk.write()
    desk.finalise()
    (first,) = desk.messages(ReportIssued)
    with database.transaction() as session:
        create_deliveries(session, first)
    desk.do("reviewer", "amend", reason="x")
    revision = desk.draft("reviewer", "y")
    desk.do("reviewer", "submit", revision=revision, signing_pin=PIN)
    desk.finalise("reviewer2")
    desk.deliver(first.report_version_id)
    with database.transaction() as session:
        late = session.scalars(select(RecallRecipient)).one()
        recall = session.scalars(select(ReportRecall)).one()
        versions = session.scalars(select(ReportVersion).order_by(ReportVersion.number)).all()
    assert late.report_version_id == first.report_version_id == recall.report_version_id
    assert recall.replaced_by == versions[1].id
    assert desk.item().state is State.PUBLISHED, "the version that stands has not arrived"


def test_another_sites_people_learn_nothing_of_recalls(desk: Desk) -> None:
    desk.write()
    desk.finalise()
    portal_pdf(desk)
    desk.do("reviewer", "revocation", reason="x")
    desk.do("head", "revocation/confirm")
    (notice,) = desk("doctor-east").get("/api/portal/recalls").json()
    stranger = desk("doctor-west")
    assert stranger.get("/api/portal/recalls").json() == []
    assert stranger.post(f"/api/portal/recalls/{notice['id']}/acknowledge").status_code == 404
    assert stranger.get(f"{desk.path}/comparison?old={uuid4()}").status_code == 403
