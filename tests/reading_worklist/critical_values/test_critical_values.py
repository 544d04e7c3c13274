"""A critical value from suspicion to the closed loop, and the clock when nobody answers."""

from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from reading_worklist.critical_values import queries, rulesets, service
from reading_worklist.critical_values.clocks import CriticalClocks, Step, in_time
from reading_worklist.critical_values.states import (
    OPEN,
    STATE_CHANGES,
    TRANSITIONS,
    CriticalAction,
    CriticalState,
    next_state,
)
from reading_worklist.critical_values.tables import (
    CriticalNotice,
    CriticalValueTransition,
    NoticeKind,
)
from storage.audit import AuditRecord
from storage.database import Database
from storage.objects import ObjectStore
from tests.support.seed import Consortium
from tests.support.web import Browser, application

TABLE = {
    CriticalState.SUSPECTED: "support→SUSPECTED confirm→CONFIRMED dismiss→DISMISSED",
    CriticalState.CONFIRMED: "notify→NOTIFYING",
    CriticalState.NOTIFYING: "escalate→ESCALATED call→NOTIFYING acknowledge→ACKED"
    " dismiss→DISMISSED",
    CriticalState.ESCALATED: "escalate→ESCALATED call→ESCALATED acknowledge→ACKED"
    " dismiss→DISMISSED",
    CriticalState.ACKED: "call→ACKED remind→ACKED act→ACTIONED",
    CriticalState.ACTIONED: "close→CLOSED",
    CriticalState.CLOSED: "",
    CriticalState.DISMISSED: "",
}
DAY = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)  # Friday, 10:00 in Shanghai
NIGHT = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
CONTACTS = [
    {"step": 0, "name": "孙医师", "role": "值班医师", "phone": "8001"},
    {"step": 1, "name": "李护士", "role": "护士站", "phone": "8002"},
    {"step": 2, "name": "周院长", "role": "值班领导", "phone": "8003"},
    {"step": 3, "name": "吴主任", "role": "中心主任", "phone": "6001"},
]


class Clock:
    """The server's clock as far as critical values see it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
        self.now = now
        monkeypatch.setattr(service, "utc_now", lambda: self.now)
        monkeypatch.setattr(queries, "utc_now", lambda: self.now)

    def passes(self, database: Database, **time: float) -> int:
        self.now += timedelta(**time)
        with database.transaction() as session:
            return service.run_clock(session, self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch, DAY)


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    return application(consortium, objects, tmp_path, signers=False)


@pytest.fixture
def item(consortium: Consortium) -> UUID:
    return consortium.queued_study().workitem_id


def suspect(app: FastAPI, item: UUID, login: str = "writer", **body: object) -> str:
    answer = Browser(app, login).post(
        f"/api/workitems/{item}/critical-values", **{"finding": "大量气胸", **body}
    )
    assert answer.status_code == 201, answer.text
    return f"/api/critical-values/{answer.json()['id']}"


def told(app: FastAPI, item: UUID) -> str:
    """One that was found by the writer, confirmed by the reviewer, and is being told."""
    value = suspect(app, item)
    assert ok(Browser(app, "reviewer").post(f"{value}/confirm"))["state"] == "NOTIFYING"
    return value


def ok(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json().get("type")) == (status, f"urn:rdc:problem:{code}")


def notices(database: Database) -> list[tuple[NoticeKind, int, str | None]]:
    with database.transaction() as session:
        rows = session.scalars(select(CriticalNotice).order_by(CriticalNotice.id)).all()
    return [(row.kind, row.step, row.contact_name) for row in rows]


@pytest.mark.parametrize("state", CriticalState)
def test_every_pair_is_as_written(state: CriticalState) -> None:
    assert set(TRANSITIONS) == set(product(CriticalState, CriticalAction))
    found = {
        f"{action.value}→{after}"
        for action in CriticalAction
        if (after := next_state(state, action)) is not None
    }
    assert found == set(TABLE[state].split())
    assert (state in OPEN) == bool(found)


def test_the_database_holds_the_same_changes_and_refuses_others(
    app: FastAPI, item: UUID, database: Database
) -> None:
    value = suspect(app, item)
    with database.transaction() as session:
        rows = session.execute(
            select(CriticalValueTransition.from_state, CriticalValueTransition.to_state)
        ).all()
    assert set(rows) == {(before.value, after.value) for before, after in STATE_CHANGES}
    for wrong in ("NOTIFYING", "ACKED", "CLOSED"):
        with pytest.raises(IntegrityError), database.transaction() as session:
            session.execute(text("UPDATE critical_value SET state = :to"), {"to": wrong})
    alone = text("UPDATE critical_value SET state = 'CONFIRMED', confirmed_by = found_by")
    with pytest.raises(IntegrityError, match="two_people"), database.transaction() as session:
        session.execute(alone)
    with pytest.raises(DBAPIError, match="permission denied"), database.transaction() as session:
        session.execute(text("DELETE FROM critical_value"))
    assert value


@pytest.mark.parametrize(
    ("minutes", "level"),
    [(0, Step.SECOND_CONTACT), (1, Step.SITE_DUTY_HEAD), (2, Step.CENTRE_DIRECTOR), (3, None)],
)
def test_the_steps_are_due_one_after_the_other(minutes: int, level: Step | None) -> None:
    due = CriticalClocks().next_due(Step(minutes), DAY)
    wanted = {None: None, **{Step(n): DAY + timedelta(minutes=5 * n) for n in (1, 2, 3)}}
    assert due == wanted[level]


@pytest.mark.parametrize(
    ("acknowledged", "now", "verdict"),
    [(None, 9, None), (None, 11, False), (10, 30, True), (11, 30, False)],
)
def test_notified_in_ten_minutes_means_acknowledged(
    *, acknowledged: int | None, now: int, verdict: bool | None
) -> None:
    at = None if acknowledged is None else DAY + timedelta(minutes=acknowledged)
    assert in_time(DAY, at, DAY + timedelta(minutes=now)) is verdict


def test_the_whole_loop_does_not_wait_for_the_report(
    app: FastAPI, item: UUID, database: Database, clock: Clock
) -> None:
    value = suspect(app, item, ruleset="radiology-13/1", rule_code="R04")
    site = Browser(app, "doctor-east")
    refused(site.get(value), 404, "not-found")
    assert ok(site.get("/api/critical-values"))["total"] == 0
    refused(Browser(app, "writer").post(f"{value}/confirm"), 409, "second-person")
    assert ok(Browser(app, "reviewer").post(f"{value}/confirm"))["state"] == "NOTIFYING"
    clock.now += timedelta(minutes=4)
    shown = ok(site.get(value))
    assert (shown["in_time"], shown["actions"]) == (None, ["acknowledge"])
    refused(site.post(f"{value}/acknowledge", read_back=" "), 422, "invalid-request")
    refused(site.post(f"{value}/action", action="胸腔闭式引流"), 409, "wrong-state")
    acked = ok(site.post(f"{value}/acknowledge", read_back="大量气胸，立即处理"))
    assert (acked["state"], acked["in_time"], acked["acknowledged_name"]) == (
        "ACKED",
        True,
        "孙医师",
    )
    assert ok(site.post(f"{value}/action", action="胸腔闭式引流"))["state"] == "ACTIONED"
    refused(site.post(f"{value}/close"), 403, "forbidden")
    assert ok(Browser(app, "reviewer").post(f"{value}/close"))["state"] == "CLOSED"
    assert clock.passes(database, hours=2) == 0
    with database.transaction() as session:
        assert "大量气胸 → 孙医师" in queries.printed(session, item, "Asia/Shanghai")
        actions = session.execute(
            select(AuditRecord.action, AuditRecord.person_id, AuditRecord.client)
            .where(
                AuditRecord.subject_kind == "critical_value", ~AuditRecord.action.endswith(":see")
            )
            .order_by(AuditRecord.id)
        ).all()
    assert [row[0].removeprefix("critical_value:") for row in actions] == [
        "suspect",
        "confirm",
        "notify",
        "acknowledge",
        "act",
        "close",
    ]
    assert all(person and client for _, person, client in actions)


def test_at_night_one_doctor_confirms_twice(app: FastAPI, item: UUID, clock: Clock) -> None:
    clock.now = NIGHT
    value = suspect(app, item)
    alone = ok(Browser(app, "writer").post(f"{value}/confirm"))
    assert (alone["state"], alone["confirmed_alone"]) == ("NOTIFYING", True)


def test_nobody_answers(
    app: FastAPI, item: UUID, database: Database, clock: Clock, consortium: Consortium
) -> None:
    dispatcher = Browser(app, "dispatcher")
    list_path = f"/api/critical-values/contacts/{consortium.east.id}"
    assert ok_list(dispatcher.put(list_path, contacts=CONTACTS)) == CONTACTS
    value = told(app, item)
    steps = []
    for minutes in (4, 1, 4, 1, 5, 30):
        clock.passes(database, minutes=minutes)
        clock.passes(database)  # Twice changes nothing.
        shown = ok(dispatcher.get(value))
        steps.append((shown["state"], shown["level"]))
    assert steps == [
        ("NOTIFYING", 0),
        ("ESCALATED", 1),
        ("ESCALATED", 1),
        ("ESCALATED", 2),
        ("ESCALATED", 3),
        ("ESCALATED", 3),
    ]
    assert notices(database) == [
        (NoticeKind.NOTIFIED, 0, "孙医师"),
        (NoticeKind.ESCALATED, 1, "李护士"),
        (NoticeKind.ESCALATED, 2, "周院长"),
        (NoticeKind.ESCALATED, 3, "吴主任"),
    ]
    shown = ok(dispatcher.get(value))
    assert [one["phone"] for one in shown["contacts"]] == ["8001", "8002", "8003", "6001"]
    call = {"name": "李护士", "phone": "8002", "answered": True}
    assert ok(dispatcher.post(f"{value}/calls", **call))["state"] == "ESCALATED"
    answer = {"read_back": "大量气胸", "name": "李护士", "role": "护士站"}
    refused(dispatcher.post(f"{value}/acknowledge", read_back="大量气胸"), 422, "nameless")
    refused(
        dispatcher.post(f"{value}/acknowledge", **{**answer, "read_back": "收到"}),
        422,
        "not-read-back",
    )
    acked = ok(dispatcher.post(f"{value}/acknowledge", **answer))
    assert acked["recorded_by"]["display_name"] == "赵调度"
    assert (acked["state"], acked["in_time"]) == ("ACKED", False)
    clock.passes(database, minutes=29)
    assert notices(database)[-1][0] is NoticeKind.CALL
    clock.passes(database, minutes=1)
    clock.passes(database, minutes=60)
    assert [kind for kind, *_ in notices(database)].count(NoticeKind.ACTION_OVERDUE) == 1


@pytest.mark.parametrize(
    ("said", "finding", "rule", "fits"),
    [
        ("双侧大量气胸，立即处理", "大量气胸，纵隔右移", None, True),
        ("Aortic Dissection, understood", "夹层", ("radiology-13/1", "R02"), True),
        ("急性 脑出血", "左基底节出血", ("radiology-13/1", "R07"), True),
        ("心率慢", "平均心室率 ３２/min", ("ecg-zhejiang/1", "E02"), False),
        ("平均心室率32/min", "平均心室率 ３２/min", None, True),
        ("知道了", "大量气胸", ("radiology-13/1", "R04"), False),
    ],
)
def test_a_read_back_contains_what_was_told(
    said: str, finding: str, rule: tuple[str, str] | None, *, fits: bool
) -> None:
    items = rulesets.items_to_read_back(finding, *(rule or (None, None)))
    assert rulesets.is_read_back(said, items) is fits


def test_a_site_keeps_its_own_telephone_list(app: FastAPI, consortium: Consortium) -> None:
    path = f"/api/critical-values/contacts/{consortium.east.id}"
    Browser(app, "dispatcher").put(path, contacts=CONTACTS)
    site = Browser(app, "doctor-east")
    refused(site.put(path, contacts=CONTACTS), 403, "forbidden")
    kept = ok_list(site.put(path, contacts=CONTACTS[:1]))
    assert [one["name"] for one in kept] == ["孙医师", "吴主任"]
    west = f"/api/critical-values/contacts/{consortium.west.id}"
    refused(site.put(west, contacts=[]), 404, "not-found")


def test_a_late_clock_does_every_step_that_was_due_once(
    app: FastAPI, item: UUID, database: Database, clock: Clock
) -> None:
    told(app, item)
    clock.passes(database, hours=3)
    clock.passes(database, hours=3)
    assert [(kind.value, step) for kind, step, _ in notices(database)] == [
        ("notified", 0),
        ("escalated", 1),
        ("escalated", 2),
        ("escalated", 3),
    ]


def test_the_times_of_escalation_are_the_consortiums(
    app: FastAPI, item: UUID, database: Database, clock: Clock
) -> None:
    times = {"second_contact": 2, "duty_head": 3, "director": 4, "action": 20}
    path = "/api/critical-values/clocks"
    refused(Browser(app, "dispatcher").put(path, **times), 403, "forbidden")
    head = Browser(app, "head")
    refused(head.put(path, **{**times, "duty_head": 1}), 422, "invalid-request")
    assert ok(head.put(path, **times)) == times
    told(app, item)
    clock.passes(database, minutes=4)
    assert notices(database)[-1][1] == Step.CENTRE_DIRECTOR


def test_one_that_was_told_and_is_none_is_taken_back_with_a_reason(
    app: FastAPI, item: UUID, database: Database, clock: Clock
) -> None:
    value = told(app, item)
    reviewer = Browser(app, "reviewer")
    refused(reviewer.post(f"{value}/dismiss", reason=" "), 422, "invalid-request")
    assert ok(reviewer.post(f"{value}/dismiss", reason="皮肤皱褶"))["state"] == "DISMISSED"
    shown = ok(Browser(app, "doctor-east").get(value))
    assert (shown["state"], shown["dismissal_reason"]) == ("DISMISSED", "皮肤皱褶")
    assert clock.passes(database, hours=1) == 0


def test_another_site_learns_nothing(app: FastAPI, item: UUID, clock: Clock) -> None:
    value = told(app, item)
    stranger = Browser(app, "doctor-west")
    assert ok(stranger.get("/api/critical-values"))["total"] == 0
    refused(stranger.get(value), 404, "not-found")
    refused(stranger.post(f"{value}/acknowledge", read_back="x"), 404, "not-found")
    refused(stranger.post(f"{value}/action", action="x"), 404, "not-found")
    refused(stranger.post(f"{value}/confirm"), 403, "forbidden")
    refused(stranger.post(f"/api/workitems/{item}/critical-values", finding="x"), 403, "forbidden")


def test_an_unknown_rule_is_refused(app: FastAPI, item: UUID) -> None:
    answer = Browser(app, "writer").post(
        f"/api/workitems/{item}/critical-values",
        finding="x",
        ruleset="radiology-13/1",
        rule_code="R99",
    )
    refused(answer, 422, "unknown-rule")
    lists = Browser(app, "writer").get("/api/critical-values/rulesets").json()
    assert {one["id"]: len(one["rules"]) for one in lists}["radiology-13/1"] == 13


def ok_list(answer: httpx.Response) -> list[Any]:
    assert answer.status_code == 200, answer.text
    return answer.json()
