"""The board on the wall."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from reading_worklist.workitems.lane import Lane
from reading_worklist.workitems.tables import Workitem
from reading_worklist.worklist import board
from storage import registry
from storage.clock import utc_now
from storage.database import Database
from storage.objects import ObjectStore
from storage.orders.words import Priority
from storage.registry import Device, Role
from tests.support.scopes import scope_of
from tests.support.seed import Consortium, password_hash
from tests.support.web import Browser, application


def test_it_tells_of_queues_and_of_devices_that_are_silent(
    database: Database, consortium: Consortium
) -> None:
    now = utc_now()
    late = now - timedelta(minutes=1)
    for priority, minutes, values in (
        (Priority.STAT, 7, {"due_at": late, "escalated_at": now}),
        (Priority.ROUTINE, 30, {"warn_at": late}),
        (Priority.ROUTINE, 40, {}),
    ):
        made = consortium.queued_study()
        with database.transaction() as session:
            session.execute(
                update(Workitem)
                .where(Workitem.id == made.workitem_id)
                .values(priority=priority, queued_at=now - timedelta(minutes=minutes), **values)
            )
    with database.transaction() as session:
        session.execute(update(Device).values(heard_at=now - timedelta(days=30)))
    with database.transaction() as session:
        # A call is noted, but not every one of them.
        registry.find_device(session, "EAST_CT", "127.0.0.1")
    with database.transaction() as session:
        shown = board.shown(session, scope_of(database, "writer"))
    imaging = next(one for one in shown.lanes if one.lane is Lane.IMAGING)
    oldest = {one: waiting.oldest_queued_at for one, waiting in imaging.waiting.items()}
    assert {one: waiting.count for one, waiting in imaging.waiting.items()} == {
        Priority.STAT: 1,
        Priority.URGENT: 0,
        Priority.ROUTINE: 2,
    }
    assert oldest == {
        Priority.STAT: now - timedelta(minutes=7),
        Priority.URGENT: None,
        Priority.ROUTINE: now - timedelta(minutes=40),
    }
    assert [waiting.late for waiting in imaging.waiting.values()] == [1, 0, 0]
    assert (imaging.overdue, imaging.due_soon) == (1, 1)
    assert [one.ae_title for one in shown.silent_devices] == ["WEST_CT"]
    assert (shown.silent, shown.on_duty) == (1, [])


@pytest.fixture
def regulator(database: Database, consortium: Consortium) -> str:
    with database.transaction() as session:
        registry.add_person(
            session,
            "regulator",
            "陈监管",
            password_hash(),
            organisation=consortium.root,
            roles=(Role.REGULATOR,),
        )
    return "regulator"


def test_a_regulator_sees_it_without_names(
    consortium: Consortium, objects: ObjectStore, tmp_path: Path, regulator: str
) -> None:
    app = application(consortium, objects, tmp_path, signers=False)
    item = consortium.queued_study().workitem_id
    writer, head = Browser(app, "writer"), Browser(app, "head")
    now = utc_now()
    added = head.post(
        "/api/roster",
        person_id=str(consortium.people["writer"].id),
        lane="imaging",
        starts_at=(now - timedelta(hours=1)).isoformat(),
        ends_at=(now + timedelta(hours=8)).isoformat(),
    )
    assert added.status_code == 201, added.text
    assert writer.post(f"/api/workitems/{item}/claim").status_code == 200
    found = writer.post(f"/api/workitems/{item}/critical-values", finding="脑疝")
    assert found.status_code == 201, found.text
    seen = {
        login: Browser(app, login).get("/api/worklist/board").json()
        for login in ("writer", regulator)
    }
    assert [[one["name"] for one in body["on_duty"]] for body in seen.values()] == [
        ["李书写"],
        [None],
    ]
    for body in seen.values():
        assert body["critical_values"]["open"] == body["critical_values"]["unanswered"] == 1
        assert [(one["lane"], one["working"]) for one in body["lanes"]] == [
            ("imaging", 1),
            ("ecg", 0),
        ]
    assert "脑疝" not in str(seen)
    assert Browser(app, regulator).get("/api/workitems").status_code == 403
