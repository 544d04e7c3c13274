"""An exam that goes back to its site, and comes again."""

from datetime import datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from reading_worklist.identity import arrival
from reading_worklist.retakes import service
from reading_worklist.retakes.states import (
    STATE_CHANGES,
    TRANSITIONS,
    RetakeAction,
    RetakeState,
    next_state,
)
from reading_worklist.retakes.tables import RetakeTransition
from reading_worklist.workitems.tables import Workitem
from storage.database import Database
from storage.index.tables import Study
from storage.objects import ObjectStore
from storage.orders.states import ExamState
from storage.orders.tables import Order, StudyOrder
from storage.orders.words import Priority
from tests.support.seed import Consortium, received
from tests.support.web import Browser, application

TABLE = {
    RetakeState.REQUESTED: "acknowledge→ACKNOWLEDGED decline→DECLINED receive→RECEIVED"
    " cancel→CANCELLED call→REQUESTED remind→REQUESTED",
    RetakeState.ACKNOWLEDGED: "decline→DECLINED receive→RECEIVED cancel→CANCELLED"
    " book→ACKNOWLEDGED call→ACKNOWLEDGED",
    RetakeState.RECEIVED: "close→CLOSED",
    RetakeState.CLOSED: "",
    RetakeState.DECLINED: "",
    RetakeState.CANCELLED: "",
}
LATER = "2026-11-23T01:00:00Z"


class Exam:
    """One exam with an order, whose study has come and waits to be read."""

    def __init__(self, app: FastAPI, consortium: Consortium) -> None:
        self.app = app
        self.consortium = consortium
        self.database = consortium.database
        self.site = Browser(app, "doctor-east")
        placed = self.site.post(
            "/api/orders",
            patient_local_id="P001",
            patient_name="张伟",
            patient_sex="M",
            patient_birth_date="1960-05-17",
            visit_type="outpatient",
            accession_number="A001",
            steps=[{"modality": "CT"}],
        )
        assert placed.status_code == 201, placed.text
        self.study = self.comes()
        self.workitem_id = self.workitem(self.study).id

    def comes(self) -> Study:
        """A study for the order is complete."""
        study = self.consortium.complete_study()
        with self.database.transaction() as session:
            arrival.study_received(session, received(study))
        return study

    def comes_later(self, study: Study) -> None:
        """More instances of a study are complete."""
        message = received(study).model_copy(update={"generation": study.generation + 1})
        with self.database.transaction() as session:
            arrival.study_received(session, message)

    def workitem(self, study: Study) -> Workitem:
        with self.database.transaction() as session:
            return session.scalars(select(Workitem).where(Workitem.study_id == study.id)).one()

    def states(self) -> tuple[str, str]:
        """The states of exam and reading."""
        with self.database.transaction() as session:
            order = session.scalars(
                select(Order)
                .join(StudyOrder, StudyOrder.order_id == Order.id)
                .where(StudyOrder.study_id == self.study.id)
            ).one()
        return order.state.value, self.workitem(self.study).state.value

    def send_back(self, login: str = "writer", **body: object) -> str:
        answer = Browser(self.app, login).post(
            f"/api/workitems/{self.workitem_id}/retakes", **{"reason": "呼吸伪影", **body}
        )
        assert answer.status_code == 201, answer.text
        return f"/api/retakes/{answer.json()['id']}"


@pytest.fixture
def exam(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> Exam:
    return Exam(application(consortium, objects, tmp_path, signers=False), consortium)


def ok(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:rdc:problem:{code}")


@pytest.mark.parametrize("state", RetakeState)
def test_every_pair_is_as_written(state: RetakeState) -> None:
    assert set(TRANSITIONS) == set(product(RetakeState, RetakeAction))
    found = {
        f"{action.value}→{after}"
        for action in RetakeAction
        if (after := next_state(state, action)) is not None
    }
    assert found == set(TABLE[state].split())


def test_an_exam_goes_back_and_its_new_study_is_tied_to_it(exam: Exam, database: Database) -> None:
    assert exam.states() == ("QUEUED", "QUEUED")
    path = exam.send_back()
    assert exam.states() == ("RETAKE", "WITHDRAWN")
    refused(
        Browser(exam.app, "writer").post(f"/api/workitems/{exam.workitem_id}/claim"),
        409,
        "wrong-state",
    )
    assert ok(exam.site.get(path))["actions"] == ["acknowledge", "decline"]
    assert ok(exam.site.post(f"{path}/acknowledge", answer="今天下午"))["state"] == "ACKNOWLEDGED"
    new = exam.comes()
    shown = ok(exam.site.get(path))
    assert (shown["state"], shown["new_study_instance_uid"]) == (
        "RECEIVED",
        new.study_instance_uid,
    )
    assert exam.states() == ("QUEUED", "WITHDRAWN")
    assert exam.workitem(new).state.value == "QUEUED"
    refused(exam.site.post(f"{path}/close"), 403, "forbidden")
    assert ok(Browser(exam.app, "writer").post(f"{path}/close"))["state"] == "CLOSED"
    for change in ("UPDATE retake SET state = 'REQUESTED'", "DELETE FROM retake"):
        with pytest.raises(DBAPIError), database.transaction() as session:
            session.execute(text(change))


def test_the_database_holds_the_same_changes(database: Database) -> None:
    with database.transaction() as session:
        rows = session.execute(select(RetakeTransition.from_state, RetakeTransition.to_state)).all()
    assert set(rows) == {(before.value, after.value) for before, after in STATE_CHANGES}


def test_missing_instances_complete_the_study_itself(exam: Exam) -> None:
    path = exam.send_back(kind="REJECTED_QUALITY")
    assert exam.states() == (ExamState.REJECTED_QUALITY.value, "WITHDRAWN")
    exam.comes_later(exam.study)
    assert ok(exam.site.get(path))["state"] == "RECEIVED"
    assert exam.states() == ("QUEUED", "QUEUED")


@pytest.mark.parametrize(("who", "act"), [("doctor-east", "decline"), ("dispatcher", "cancel")])
def test_what_is_not_made_again_is_read_as_it_is(exam: Exam, who: str, act: str) -> None:
    path = exam.send_back()
    body = {"reason": "患者已离院"} if act == "decline" else {}
    ended = ok(Browser(exam.app, who).post(f"{path}/{act}", **body))
    assert ended["state"] == {"decline": "DECLINED", "cancel": "CANCELLED"}[act]
    assert exam.states() == ("QUEUED", "QUEUED")
    exam.send_back()


def test_a_stat_exam_is_sent_back_by_telephone_too(exam: Exam, database: Database) -> None:
    with database.transaction() as session:
        session.execute(update(Workitem).values(priority=Priority.STAT))
    path = f"/api/workitems/{exam.workitem_id}/retakes"
    writer = Browser(exam.app, "writer")
    refused(writer.post(path, reason="运动伪影"), 422, "call-needed")
    called = exam.send_back(called_name="孙医师", called_phone="8001")
    assert ok(exam.site.get(called))["called_name"] == "孙医师"
    with pytest.raises(IntegrityError, match="called"), database.transaction() as session:
        session.execute(text("UPDATE retake SET called_name = ''"))


def test_whom_it_concerns_and_when(exam: Exam, database: Database) -> None:
    path = f"/api/workitems/{exam.workitem_id}/retakes"
    refused(exam.site.post(path, reason="x"), 403, "forbidden")
    Browser(exam.app, "writer2").post(f"/api/workitems/{exam.workitem_id}/claim")
    refused(Browser(exam.app, "writer").post(path, reason="x"), 409, "held-by-other")
    retake = exam.send_back("writer2")
    refused(Browser(exam.app, "writer2").post(path, reason="x"), 409, "wrong-state")
    stranger = Browser(exam.app, "doctor-west")
    assert ok(stranger.get("/api/retakes"))["total"] == 0
    refused(stranger.get(retake), 404, "not-found")
    refused(stranger.post(f"{retake}/acknowledge"), 404, "not-found")
    refused(Browser(exam.app, "writer").post(f"{retake}/acknowledge"), 422, "nameless")
    refused(Browser(exam.app, "writer").post(f"{retake}/book", booked_for=LATER), 403, "forbidden")


def test_a_site_that_does_not_answer_is_rung(exam: Exam, database: Database) -> None:
    path = f"/api/workitems/{exam.workitem_id}/retakes"
    writer = Browser(exam.app, "writer")
    refused(writer.post(path, reason_code="OTHER"), 422, "invalid-request")
    retake = exam.send_back(reason_code="COVERAGE", reason="")
    sent = ok(writer.get(retake))
    due = datetime.fromisoformat(sent["due_at"])
    assert due - datetime.fromisoformat(sent["requested_at"]) == timedelta(hours=4)
    for at, late in ((due - timedelta(seconds=1), 0), (due, 1), (due + timedelta(hours=1), 0)):
        with database.transaction() as session:
            assert service.run_clock(session, at) == late
    dispatcher = Browser(exam.app, "dispatcher")
    call = {"name": "孙医师", "phone": "8001", "answered": True}
    refused(exam.site.post(f"{retake}/calls", **call), 403, "forbidden")
    rung = ok(dispatcher.post(f"{retake}/calls", **call))
    assert (rung["overdue"], [one["contact_name"] for one in rung["calls"]]) == (True, ["孙医师"])
    told = ok(dispatcher.post(f"{retake}/acknowledge", name="孙医师", role="值班医师"))
    assert (told["acknowledged_name"], told["state"]) == ("孙医师", "ACKNOWLEDGED")
    assert ok(exam.site.post(f"{retake}/book", booked_for=LATER))["booked_for"] == LATER
    new = exam.comes()
    seen = ok(dispatcher.get(f"/api/retakes?workitem={exam.workitem(new).id}"))
    assert [one["new_workitem_id"] for one in seen["items"]] == [str(exam.workitem(new).id)]
    assert (seen["waiting"], ok(exam.site.get("/api/retakes"))["waiting"]) == (1, 0)
