"""Who acknowledges a recall, and whom the clock tells when nobody does."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pypdfium2 as pdfium
import pytest
from sqlalchemy import select

from reading_worklist.critical_values.clocks import Step
from reading_worklist.critical_values.tables import CriticalContact
from reading_worklist.reports import acknowledging
from reading_worklist.reports.recall_clocks import CLOCKS, RecallStep, next_due
from reading_worklist.reports.states import RecallKind
from reading_worklist.reports.tables import RecallEscalation, RecallRecipient, ReportRecall
from storage import registry
from storage.audit import AuditRecord
from storage.clock import utc_now
from storage.database import Database
from storage.messages import ReportIssued
from storage.objects import ObjectStore
from storage.registry import Role
from storage.report_pulls import PullChannel, note_pull
from tests.support.desk import Desk
from tests.support.seed import Consortium, password_hash
from tests.support.web import application


@pytest.fixture
def desk(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> Desk:
    app = application(consortium, objects, tmp_path)
    with consortium.database.transaction() as session:
        registry.add_dicom_destination(session, consortium.east, "EAST_PACS", "10.0.0.1", 104)
        registry.add_person(
            session,
            "doctor2-east",
            "吴值班",
            password_hash(),
            organisation=consortium.east,
            roles=(Role.SITE_DOCTOR,),
        )
        session.add(
            CriticalContact(
                id=uuid4(),
                site_id=consortium.east.id,
                step=int(Step.SITE_DUTY_HEAD),
                position=0,
                name="冯院长",
                role="值班领导",
                phone="13800000000",
            )
        )
    return Desk(app, consortium, consortium.queued_study().workitem_id)


def pull(desk: Desk, version: object) -> None:
    with desk.database.transaction() as session:
        note_pull(
            session,
            version,  # pyright: ignore[reportArgumentType] -- an id, whatever of
            site_id=desk.consortium.east.id,
            channel=PullChannel.FHIR,
            machine="东河 HIS",
            at=utc_now(),
        )


def recipients(database: Database) -> dict[str, RecallRecipient]:
    with database.transaction() as session:
        rows = session.scalars(select(RecallRecipient)).all()
    kinds = {"person": "person_id", "machine": "machine", "destination": "destination_id"}
    return {kind: row for row in rows for kind, column in kinds.items() if getattr(row, column)}


def revoked(desk: Desk) -> ReportRecall:
    """A report that a machine got, another fetched and a person opened, and that is void."""
    desk.write()
    desk.finalise()
    (issued,) = desk.messages(ReportIssued)
    desk.deliver(issued)
    pull(desk, issued.report_version_id)
    assert desk("doctor-east").get(f"/api/portal/exams/{desk.id}/report").status_code == 200
    desk.do("reviewer", "revocation", reason="患者不符")
    desk.do("head", "revocation/confirm")
    with desk.database.transaction() as session:
        return session.scalars(select(ReportRecall)).one()


def test_every_kind_of_recall_is_told_on_twice_and_what_is_void_first() -> None:
    now = utc_now()
    for kind in RecallKind:
        first = next_due(kind, RecallStep.RECIPIENT, now)
        second = next_due(kind, RecallStep.SITE_DUTY_HEAD, now)
        assert first is not None
        assert second is not None
        assert now < first < second
        assert next_due(kind, RecallStep.CENTRE, now) is None
    assert CLOCKS[RecallKind.REVOKED].centre < CLOCKS[RecallKind.SUPERSEDED].centre


def test_whoever_has_a_void_report_is_told_on_until_somebody_acknowledges(
    desk: Desk, database: Database
) -> None:
    recall = revoked(desk)
    assert set(recipients(database)) == {"person", "machine", "destination"}
    begun = recall.recalled_at
    clock = CLOCKS[RecallKind.REVOKED]

    def run(after: timedelta) -> int:
        with database.transaction() as session:
            return acknowledging.run_clock(session, begun + after)

    # Nobody but who has opened it has to know yet.
    assert run(clock.duty_head - timedelta(seconds=1)) == 0
    assert desk("doctor2-east").get("/api/portal/recalls").json() == []
    (own,) = desk("doctor-east").get("/api/portal/recalls").json()
    assert own["colleague"] is None
    other = desk("doctor2-east").post(f"/api/portal/recalls/{own['id']}/acknowledge")
    assert other.status_code == 404

    # The machine that fetches for itself has fetched the notice: nobody is rung for it.
    pull(desk, recall.revocation_id)
    assert run(clock.duty_head) == 2
    assert run(clock.duty_head) == 0, "each step once"
    assert recipients(database)["machine"].told_at is not None
    with database.transaction() as session:
        told = session.scalars(select(RecallEscalation)).all()
    assert {(one.step, one.contact_name) for one in told} == {(1, "冯院长")}
    notices = desk("doctor2-east").get("/api/portal/recalls").json()
    assert {(one["colleague"], one["acknowledgeable"]) for one in notices} == {
        ("孙医师", True),
        ("EAST_PACS (10.0.0.1:104)", False),
    }
    of_machine = next(one["id"] for one in notices if not one["acknowledgeable"])
    refused = desk("doctor2-east").post(f"/api/portal/recalls/{of_machine}/acknowledge")
    assert refused.status_code == 404, "a machine's own delivery proves that it knows"
    assert desk("doctor-west").get("/api/portal/recalls").json() == []

    # A colleague answers for who does not, under his own name.
    desk("doctor2-east").post(f"/api/portal/recalls/{own['id']}/acknowledge")
    person = recipients(database)["person"]
    assert (person.acknowledged_name, person.acknowledged_role) == ("吴值班", "site_doctor")
    assert person.told_at is not None
    assert person.next_at is None

    # The centre rings where the PACS still has it.
    assert run(clock.centre) == 1
    assert recipients(database)["destination"].level == int(RecallStep.CENTRE)
    path = f"/api/recalls/{of_machine}/acknowledge"
    assert desk("doctor-east").post(path, name="x", role="y").status_code == 403
    assert desk("dispatcher").post(path, name=" ", role="y").status_code == 422
    assert desk("dispatcher").post(path, name="何信息", role="信息科").status_code == 204
    destination = recipients(database)["destination"]
    assert (destination.acknowledged_name, destination.acknowledged_role) == ("何信息", "信息科")
    assert destination.acknowledged_by == desk.consortium.people["dispatcher"].id
    with database.transaction() as session:
        actions = session.scalars(select(AuditRecord.action).order_by(AuditRecord.id)).all()
    assert actions.count("report:acknowledge_recall") == 2
    assert actions.count("report:escalate_recall") == 3
    assert run(timedelta(days=3)) == 0


def test_auditors_alone_read_a_version_that_does_not_stand_and_see_that_it_does_not(
    desk: Desk, database: Database
) -> None:
    with database.transaction() as session:
        registry.add_person(
            session,
            "auditor",
            "蒋审计",
            password_hash(),
            organisation=session.merge(desk.consortium.centre, load=False),
            roles=(Role.AUDITOR,),
        )
    desk.write()
    (version,) = desk.finalise()["versions"]
    path = f"/api/reports/{version['id']}/pdf"
    assert desk("reviewer").get(path).status_code == 200
    assert desk("auditor").get(path).status_code == 403, "it stands, and is nothing to audit"
    signed = desk("reviewer").get(path).content
    desk.do("reviewer", "revocation", reason="患者不符")
    desk.do("head", "revocation/confirm")
    assert desk("reviewer").get(path).status_code == 403
    shown = desk("auditor").get(path)
    assert shown.status_code == 200
    assert shown.content.startswith(signed), "what was signed lies unchanged below the mark"
    for page in pdfium.PdfDocument(shown.content):
        text = page.get_textpage().get_text_bounded()
        assert "已作废" in text
        assert "仅供审计" in text
    with database.transaction() as session:
        opened = session.scalars(
            select(AuditRecord).where(AuditRecord.action == "report:open_old_version")
        ).one()
    assert opened.subject_id == version["id"]


def test_who_was_only_told_of_a_report_does_not_have_it(desk: Desk) -> None:
    desk.write()
    desk.finalise()
    (issued,) = desk.messages(ReportIssued)
    desk.deliver(issued, holds_report=False)
    assert desk.item().delivered_at is None
    assert desk.item().state == "PUBLISHED"
    assert desk.item().acknowledge_by is not None
