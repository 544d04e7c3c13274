"""Whom to ring: what is on the list, in which order, and who may see it."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import update

from reading_worklist.critical_values import service as critical_values
from reading_worklist.retakes.tables import Retake
from storage.clock import utc_now
from storage.database import Database
from storage.objects import ObjectStore
from storage.orders.words import Priority
from tests.reading_worklist.retakes.test_retakes import Exam
from tests.support.seed import Consortium
from tests.support.web import Browser, application

CONTACTS = [
    {"step": 0, "name": "孙医师", "role": "值班医师", "phone": "8001"},
    {"step": 1, "name": "李护士", "role": "护士站", "phone": "8002"},
    {"step": 2, "name": "周院长", "role": "值班领导", "phone": "8003"},
]


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    return application(consortium, objects, tmp_path, signers=False)


def listed(browser: Browser) -> list[dict[str, Any]]:
    answer = browser.get("/api/phone-list")
    assert answer.status_code == 200, answer.text
    return answer.json()


def told(app: FastAPI, item: UUID) -> str:
    made = Browser(app, "writer").post(f"/api/workitems/{item}/critical-values", finding="气胸")
    path = f"/api/critical-values/{made.json()['id']}"
    assert Browser(app, "reviewer").post(f"{path}/confirm").status_code == 200
    return path


def passes(database: Database, **time: float) -> None:
    with database.transaction() as session:
        critical_values.run_clock(session, utc_now() + timedelta(**time))


def test_a_critical_value_is_on_it_until_somebody_answers_and_again_when_nobody_acts(
    app: FastAPI, consortium: Consortium, database: Database
) -> None:
    dispatcher, site = Browser(app, "dispatcher"), Browser(app, "doctor-east")
    dispatcher.put(f"/api/critical-values/contacts/{consortium.east.id}", contacts=CONTACTS)
    path = told(app, consortium.queued_study().workitem_id)
    (first,) = listed(dispatcher)
    assert (first["matter"], first["step"], first["contacts"][0]["name"]) == (
        "critical",
        0,
        "孙医师",
    )
    passes(database, minutes=5)
    call = {"name": "孙医师", "phone": "8001", "answered": False}
    assert dispatcher.post(f"{path}/calls", **call).status_code == 200
    (second,) = listed(dispatcher)
    assert [one["name"] for one in second["contacts"]] == ["李护士", "孙医师", "周院长"]
    assert [(one["contact_name"], one["answered"]) for one in second["calls"]] == [
        ("孙医师", False)
    ]
    assert site.post(f"{path}/acknowledge", read_back="气胸").status_code == 200
    assert listed(dispatcher) == []
    passes(database, minutes=31)
    assert [one["matter"] for one in listed(dispatcher)] == ["action"]
    assert site.get("/api/phone-list").status_code == 403


def test_a_retake_is_on_it_at_once_when_it_is_stat_and_else_when_it_is_late(
    app: FastAPI, consortium: Consortium, database: Database
) -> None:
    exam = Exam(app, consortium)
    exam.send_back(reason_code="MOTION", reason="")
    dispatcher = Browser(app, "dispatcher")
    assert listed(dispatcher) == []
    with database.transaction() as session:
        session.execute(update(Retake).values(overdue_at=utc_now()))
    (late,) = listed(dispatcher)
    assert (late["matter"], late["what"]) == ("retake", "MOTION")
    called = {"called_name": "孙医师", "called_phone": "8001"}
    with database.transaction() as session:
        session.execute(update(Retake).values(overdue_at=None, priority=Priority.STAT, **called))
    assert [one["matter"] for one in listed(dispatcher)] == ["retake"]
