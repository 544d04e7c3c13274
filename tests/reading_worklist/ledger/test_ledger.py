"""The ledger: what is stuck by a controlled clock, for whom, and the line from order to opening."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import event, func, select, text, update

from reading_worklist.ledger import queries, where
from reading_worklist.ledger.finding import Wanted
from reading_worklist.ledger.stuck import Mender, Stuck, rules
from reading_worklist.reports import acknowledging
from reading_worklist.reports.recall_clocks import CLOCKS
from reading_worklist.reports.states import RecallKind
from reading_worklist.reports.tables import ReportRecall
from reading_worklist.retakes.states import RetakeKind, RetakeState
from reading_worklist.retakes.tables import Retake
from reading_worklist.workitems.tables import Workitem
from storage import registry
from storage.clock import utc_now
from storage.database import Database
from storage.deliveries import Delivery, DeliveryQueue, DeliveryState
from storage.delivery_policy import Deadlines
from storage.delivery_states import CHANGES
from storage.identity.tables import IdentityCase
from storage.index.tables import Patient, Study, StudyState
from storage.messages import ReportIssued
from storage.objects import ObjectStore
from storage.orders.states import ExamState
from storage.orders.tables import Order, ScheduledStep, StudyOrder
from storage.orders.words import OrderSource, Priority, VisitType
from tests.support.desk import Desk
from tests.support.scopes import scope_of
from tests.support.seed import Consortium
from tests.support.web import application

T0 = datetime.fromisoformat("2026-11-02T08:00:00+00:00")
TABLE = rules(Deadlines())
SECOND = timedelta(seconds=1)


@pytest.fixture
def desk(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> Desk:
    app = application(consortium, objects, tmp_path)
    with consortium.database.transaction() as session:
        registry.add_dicom_destination(session, consortium.east, "EAST_PACS", "10.0.0.1", 104)
    return Desk(app, consortium, consortium.queued_study().workitem_id)


def ask(desk: Desk, login: str, **parameters: str) -> httpx.Response:
    return desk(login).get(f"/api/ledger?{urlencode(parameters)}")


class World:
    """One site's exams in chosen states, and what the ledger says of them at a chosen time."""

    def __init__(self, consortium: Consortium) -> None:
        self.consortium = consortium
        self.database = consortium.database
        self.scope = scope_of(consortium.database, "dispatcher")

    def order(self, state: ExamState, **times: datetime) -> UUID:
        number = uuid4().hex[:8]
        with self.database.transaction() as session:
            order = Order(
                id=uuid4(),
                site_id=self.consortium.east.id,
                source=OrderSource.API,
                visit_type=VisitType.OUTPATIENT,
                state=ExamState.REQUESTED,
                priority=Priority.ROUTINE,
                study_instance_uid=f"1.2.{uuid4().int}",
                accession_number=number,
                requested_procedure_id=number,
                patient_local_id=number,
                patient_name="Li^Na=李^娜",
                requested_at=T0,
            )
            session.add(order)
            session.flush()
            session.add(
                ScheduledStep(
                    order_id=order.id,
                    number=1,
                    step_id=number,
                    modality="CT",
                    scheduled_at=times.pop("scheduled_at", T0 + timedelta(days=30)),
                )
            )
            session.flush()
            steps = [ExamState.CHECKED_IN, ExamState.ACQUIRED]
            for one in steps[: steps.index(state) + 1] if state in steps else []:
                order.state = one
                session.flush()
            for name, at in times.items():
                setattr(order, name, at)
        return order.id

    def counts(self, now: datetime) -> dict[Stuck, int]:
        with self.database.transaction() as session:
            found = queries.counts(session, self.scope, Wanted(), now)
        return {one.rule: one.exams for one in found.rules if one.exams}

    def run_out(self, rule: Stuck, begun: datetime) -> None:
        """A state that begins then is stuck as soon as its limit is over, and not before."""
        limit = TABLE[rule].limit
        assert rule not in self.counts(begun + limit - SECOND)
        assert self.counts(begun + limit)[rule] == 1


@pytest.fixture
def world(consortium: Consortium) -> World:
    return World(consortium)


def test_every_rule_has_its_limit_its_mender_and_its_question() -> None:
    assert set(TABLE) == set(Stuck) == set(where.PARTS) == set(where.KINDS)
    assert {rule.mender for rule in TABLE.values()} == set(Mender)
    slow = rules(Deadlines(silent_minutes=90))
    assert slow[Stuck.NOT_DELIVERED].limit == timedelta(minutes=90)


def test_an_exam_that_does_not_come_is_stuck_by_its_clock(world: World) -> None:
    world.order(ExamState.REQUESTED, scheduled_at=T0)
    world.run_out(Stuck.NOT_CHECKED_IN, T0)
    assert world.counts(T0 + timedelta(days=8)) == {}, "who did not come for a week will not"
    world.order(ExamState.CHECKED_IN, checked_in_at=T0)
    world.run_out(Stuck.NOT_EXAMINED, T0)
    order_id = world.order(ExamState.ACQUIRED, acquired_at=T0)
    world.run_out(Stuck.NOT_SENT, T0)

    # As soon as something comes it is on its way.
    study = world.consortium.complete_study()
    with world.database.transaction() as session:
        order = session.get_one(Order, order_id)
        session.execute(
            update(Study)
            .where(Study.id == study.id)
            .values(
                state=StudyState.RECEIVING,
                accession_number=order.accession_number,
                quiet_due_at=T0 + timedelta(hours=1),
            )
        )
    assert Stuck.NOT_SENT not in world.counts(T0 + timedelta(minutes=30))
    world.run_out(Stuck.NOT_COMPLETE, T0 + timedelta(hours=1))


def test_a_reading_that_waits_is_stuck_when_its_own_clock_has_said_so(world: World) -> None:
    item_id = world.consortium.queued_study().workitem_id
    due = T0 + timedelta(hours=2)

    def change(**values: object) -> None:
        with world.database.transaction() as session:
            session.execute(update(Workitem).where(Workitem.id == item_id).values(**values))

    change(queued_at=T0, due_at=due)
    world.run_out(Stuck.LATE, due)
    change(escalated_at=T0 + timedelta(minutes=60))
    assert world.counts(due - SECOND) == {Stuck.UNCLAIMED: 1}
    with world.database.transaction() as session:
        item = session.get_one(Workitem, item_id)
        order = Order(
            id=uuid4(),
            site_id=item.site_id,
            source=OrderSource.HEADER,
            visit_type=VisitType.OTHER,
            state=ExamState.REQUESTED,
            priority=Priority.ROUTINE,
            study_instance_uid="1.2.3",
            requested_procedure_id="R1",
            patient_name="x",
            requested_at=T0,
            missing_instances=3,
        )
        session.add(order)
        session.flush()
        session.execute(
            text(
                "INSERT INTO study_order (study_id, order_id, matched_by)"
                " VALUES (:study, :order, 'study_instance_uid')"
            ),
            {"study": item.study_id, "order": order.id},
        )
        session.execute(update(Study).values(completed_at=T0))
        session.add(
            Retake(
                id=uuid4(),
                site_id=item.site_id,
                workitem_id=item_id,
                study_id=item.study_id,
                order_id=order.id,
                kind=RetakeKind.RETAKE,
                state=RetakeState.REQUESTED,
                priority=Priority.ROUTINE,
                reason="x",
                requested_by=world.scope.person_id,
                requested_at=T0,
                overdue_at=T0 + timedelta(minutes=5),
            )
        )
        session.add(
            IdentityCase(
                study_id=item.study_id,
                site_id=item.site_id,
                differences=[],
                opened_at=T0,
                due_at=T0 + timedelta(minutes=10),
            )
        )
    before, after = (
        world.counts(T0 + timedelta(minutes=9)),
        world.counts(T0 + timedelta(minutes=10)),
    )
    assert Stuck.IDENTITY not in before
    assert Stuck.MISSING not in before
    assert {Stuck.MISSING, Stuck.IDENTITY, Stuck.RETAKE, Stuck.UNCLAIMED} == set(after)


def test_a_stuck_delivery_is_found_with_its_reason_and_gone_when_it_arrived(desk: Desk) -> None:
    desk.write()
    desk.finalise()
    (issued,) = desk.messages(ReportIssued)
    desk.deliver(issued)
    world = World(desk.consortium)
    silent = Deadlines().silent
    assert world.counts(issued.issued_at + silent) == {}

    def move(state: DeliveryState, error: str | None = None) -> None:
        with desk.database.transaction() as session:
            for one in (DeliveryState.PENDING, DeliveryState.IN_PROGRESS, state):
                # Each change for itself: the database's guard knows which follow which.
                if (session.scalars(select(Delivery.state)).one(), one) in CHANGES:
                    session.execute(update(Delivery).values(state=one, last_error=error))
            assert session.scalars(select(Delivery.state)).one() is state

    move(DeliveryState.PENDING, "no route to 10.0.0.1")
    assert world.counts(issued.issued_at + silent - SECOND) == {}
    assert world.counts(issued.issued_at + silent) == {Stuck.NOT_DELIVERED: 1}
    with desk.database.transaction() as session:
        row = session.scalars(select(DeliveryQueue)).one_or_none()
        if row is None:
            destination_id = session.scalars(select(Delivery.destination_id)).one()
            row = DeliveryQueue(destination_id=destination_id)
            session.add(row)
        row.paused_at = issued.issued_at
    assert world.counts(issued.issued_at + silent) == {Stuck.PAUSED: 1}
    move(DeliveryState.PAUSED)
    assert world.counts(issued.issued_at + silent) == {Stuck.PAUSED: 1}
    move(DeliveryState.REFUSED, "C-STORE status A900H")
    # It says at once that a person must look: the page shows it before any limit has passed.
    page = ask(desk, "dispatcher", stuck="true").json()
    (line,) = page["items"]
    assert page["total"] == 1
    (reason,) = line["stuck"]
    assert (reason["rule"], reason["mender"]) == ("refused", "system_admin")
    assert reason["said"] == "C-STORE status A900H"
    assert reason["destination"] == "EAST_PACS (10.0.0.1:104)"
    assert ask(desk, "doctor-west", stuck="true").json()["items"] == []
    only = ask(desk, "doctor-east", rule="recall").json()
    assert only["items"] == []
    move(DeliveryState.DELIVERED)
    assert ask(desk, "dispatcher", stuck="true").json()["total"] == 0
    # The clock has told people that nobody opened it in time.
    with desk.database.transaction() as session:
        session.execute(update(Workitem).values(unopened_at=utc_now()))
    (line,) = ask(desk, "doctor-east", stuck="true").json()["items"]
    assert [(one["rule"], one["mender"]) for one in line["stuck"]] == [("unopened", "site_doctor")]


def test_a_line_tells_of_every_step_from_the_study_to_whoever_opened_the_report(
    desk: Desk,
) -> None:
    desk.write()
    desk.finalise()
    (issued,) = desk.messages(ReportIssued)
    desk.deliver(issued)
    assert desk("doctor-east").get(f"/api/portal/exams/{desk.id}/report").status_code == 200
    desk.do("reviewer", "revocation", reason="患者不符")
    desk.do("head", "revocation/confirm")
    with desk.database.transaction() as session:
        recalled_at = session.scalars(select(func.max(ReportRecall.recalled_at))).one()
        acknowledging.run_clock(session, recalled_at + CLOCKS[RecallKind.REVOKED].centre)
    of_both = [
        desk(login).get(f"/api/ledger/{desk.id}").json() for login in ("doctor-east", "dispatcher")
    ]
    assert of_both[0] == of_both[1], "both sides see one truth"
    line = of_both[0]
    assert [one["number"] for one in line["versions"]] == [1]
    assert line["versions"][0]["recalled"] == "revoked"
    assert line["written_at"] < line["reviewed_at"]
    assert line["kept"] == "stored"
    assert [(one["who"], one["machine"]) for one in line["openings"]] == [("孙医师", False)]
    assert (line["recalls"], line["recalls_open"]) == (2, 2)
    assert {one["who"] for one in line["recipients"]} == {"孙医师", "EAST_PACS (10.0.0.1:104)"}
    assert [len(one["escalations"]) for one in line["recipients"]] == [2, 2]
    reasons = [one for one in line["stuck"] if one["rule"] == "recall"]
    assert {one["mender"] for one in reasons} == {"dispatcher"}
    assert {one["holder"] for one in reasons} == {"孙医师", "EAST_PACS (10.0.0.1:104)"}
    assert desk("doctor-west").get(f"/api/ledger/{desk.id}").status_code == 404
    found = desk("dispatcher").get("/api/ledger.csv?stuck=true&language=en")
    assert found.status_code == 200
    assert "recall" in found.text
    assert found.text.count("\r\n") == 2


def test_pages_follow_each_other_without_a_gap_and_text_finds_by_every_identifier(
    consortium: Consortium, objects: ObjectStore, tmp_path: Path
) -> None:
    app = application(consortium, objects, tmp_path)
    world = World(consortium)
    names: Mapping[str, str] = {"P001": "张^伟", "P002": "王^芳", "Q003": "李^娜"}
    for local_id, name in names.items():
        made = consortium.complete_study(
            local_id=local_id, name=f"x={name}", accession_number=f"ACC-{local_id}"
        )
        assert made.id
        consortium.queued_study(
            local_id=local_id, name=f"x={name}", accession_number=f"B-{local_id}"
        )
    world.order(ExamState.REQUESTED)
    desk = Desk(app, consortium, uuid4())
    seen: list[str] = []
    after = None
    while True:
        parameters = {"page_size": "2", **({"after": after} if after else {})}
        page = ask(desk, "dispatcher", **parameters).json()
        seen.extend(one["id"] for one in page["items"])
        after = page["next"]
        if after is None:
            break
    assert len(seen) == len(set(seen)) == 4, "three readings and the order"

    def find(text: str) -> int:
        return len(ask(desk, "dispatcher", q=text).json()["items"])

    assert (find("P00"), find("b-q003"), find("王芳"), find("nobody")) == (2, 1, 1, 0)
    assert ask(desk, "dispatcher", site="NONE").status_code == 404
    assert ask(desk, "dispatcher", after="x").status_code == 422
    assert desk("doctor-west").get("/api/ledger").json()["items"] == []
    with consortium.database.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Patient)) == 3
        assert session.scalar(select(func.count()).select_from(StudyOrder)) == 0
    assert utc_now() > T0


def test_nothing_is_asked_by_reading_a_whole_table(world: World, database: Database) -> None:
    """Every rule has an index to be answered from: the planner finds one where scans are off."""
    asked = where.Ask(world.scope.sees, T0, T0, None)
    with database.engine.begin() as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        event.listen(connection, "before_cursor_execute", _explained, retval=True)
        for rule, parts in where.PARTS.items():
            for part in parts:
                cursor = connection.execute(part(asked)).cursor
                assert cursor is not None
                plan = "\n".join(line for (line,) in cursor.fetchall())
                assert "Seq Scan on" not in plan, f"{rule}: {plan}"


def _explained(
    _connection: object, _cursor: object, statement: str, parameters: object, *_: object
) -> tuple[str, object]:
    return f"EXPLAIN {statement}", parameters
