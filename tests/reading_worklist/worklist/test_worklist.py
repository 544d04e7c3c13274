"""The list of what is to be read: filters, order, pages, counts, saved views, the board."""

import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import update

from reading_worklist.problems import Problem
from reading_worklist.workitems import service as workitems
from reading_worklist.workitems.lane import Lane
from reading_worklist.workitems.routed import WAITING, Stage
from reading_worklist.workitems.states import State
from reading_worklist.workitems.tables import Workitem
from reading_worklist.worklist import board, queries
from reading_worklist.worklist.narrowing import IN_QUEUE_STATES
from reading_worklist.worklist.schemas import Assigned, Sort, WorklistRequest
from storage import registry
from storage.clock import utc_now
from storage.database import Database
from storage.index.tables import Study
from storage.objects import ObjectStore
from storage.orders.words import Priority
from storage.registry import Device
from tests.support.scopes import scope_of
from tests.support.seed import Consortium
from tests.support.web import Browser, application

LEASE = timedelta(minutes=15)


def ids(database: Database, login: str = "writer", /, **wanted: object) -> list[UUID]:
    with database.transaction() as session:
        request = WorklistRequest.model_validate(wanted)
        return [one.id for one in queries.page(session, scope_of(database, login), request).items]


def change(database: Database, workitem_id: UUID, **values: object) -> None:
    with database.transaction() as session:
        session.execute(update(Workitem).where(Workitem.id == workitem_id).values(**values))


@pytest.fixture
def queue(database: Database, consortium: Consortium) -> Sequence[UUID]:
    """Four studies, in the order of their urgency: STAT, URGENT, and two by due time."""
    made = [consortium.queued_study(site=consortium.east).workitem_id for _ in range(4)]
    now = utc_now()
    for place, (priority, hours) in enumerate(
        [
            (Priority.STAT, 3),
            (Priority.URGENT, 4),
            (Priority.ROUTINE, 1),
            (Priority.ROUTINE, 2),
        ]
    ):
        change(
            database,
            made[place],
            priority=priority,
            due_at=now + timedelta(hours=hours),
            queued_at=now - timedelta(minutes=place),
        )
    return made


def test_the_order_is_urgency_or_what_is_asked_for(
    database: Database, queue: Sequence[UUID]
) -> None:
    stat, urgent, first, second = queue
    assert ids(database, state=["QUEUED"]) == [stat, urgent, first, second]
    assert ids(database, state=["QUEUED"], sort="due") == [first, second, stat, urgent]
    assert ids(database, sort="queued") == [second, first, urgent, stat]
    assert ids(database) == [stat, urgent, first, second]


@pytest.mark.parametrize("sort", list(Sort))
def test_pages_follow_each_other_without_gap_or_repetition(
    database: Database, queue: Sequence[UUID], sort: Sort
) -> None:
    scope = scope_of(database, "writer")
    whole = ids(database, state=["QUEUED"], sort=sort)
    seen: list[UUID] = []
    after = None
    while True:
        with database.transaction() as session:
            page = queries.page(
                session,
                scope,
                WorklistRequest(state=[State.QUEUED], sort=sort, page_size=3, after=after),
            )
        seen += [one.id for one in page.items]
        after = page.next
        if after is None:
            break
        # What was shown is gone: the next page does not move up by one.
        change(database, page.items[0].id, state=State.HELD)
    assert seen == whole
    with pytest.raises(Problem) as problem, database.transaction() as session:
        queries.page(session, scope, WorklistRequest(after="bm90IG91cnM="))
    assert problem.value.code == "invalid-page"


def test_the_indexes_of_the_queue_have_the_states_that_wait() -> None:
    assert set(re.findall("'(.*?)'", WAITING)) == {state.value for state in IN_QUEUE_STATES}


def test_each_filter_narrows(database: Database, consortium: Consortium) -> None:
    writer = consortium.people["writer"].id
    past = utc_now() - timedelta(minutes=1)
    plain = consortium.queued_study(site=consortium.west, modalities=("CT",)).workitem_id
    ecg = consortium.queued_study(modalities=("ECG",)).workitem_id
    stat = consortium.queued_study(modalities=("MR", "SR")).workitem_id
    change(database, stat, priority=Priority.STAT, due_at=past, late_instances=True)
    change(database, ecg, assignee_id=writer, assigned_for=Stage.WRITING)
    change(database, plain, escalated_at=past)
    held = consortium.queued_study().workitem_id
    with database.transaction() as session:
        workitems.claim(session, scope_of(database, "writer"), held, LEASE)
    for wanted, expected in (
        ({"lane": Lane.ECG}, {ecg}),
        ({"site": "WEST"}, {plain}),
        ({"site": "NOWHERE"}, set()),
        ({"priority": ["STAT"]}, {stat}),
        ({"modality": ["MR", "US"]}, {stat}),
        ({"overdue": True}, {stat}),
        ({"late_instances": True}, {stat}),
        ({"escalated": True}, {plain}),
        ({"assigned": Assigned.ME}, {ecg}),
        ({"assigned": Assigned.NOBODY}, {plain, stat, held}),
        ({"mine": True}, {ecg, held}),
        ({"state": ["CLAIMED"]}, {held}),
        ({"group": ["neuro"]}, set()),
    ):
        assert set(ids(database, **wanted)) == expected, wanted
    assert ids(database, "writer2", mine=True) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("董", {"dong"}),
        ("dong", {"dong", "east"}),
        ("dh", {"east"}),
        ("东河", {"east"}),
        ("WEST", {"dong"}),
        ("a00", {"east"}),
        ("p7", {"dong"}),
        ("xyz", set()),
    ],
)
def test_search_finds_patients_numbers_and_sites(
    database: Database, consortium: Consortium, text: str, found: set[str]
) -> None:
    made = {
        "east": consortium.queued_study(site=consortium.east, name="Li^Na=李^娜"),
        "dong": consortium.queued_study(
            site=consortium.west, name="董^梅", local_id="P7", accession_number="B1"
        ),
    }
    assert set(ids(database, q=text)) == {made[name].workitem_id for name in found}


def test_counts_are_per_state_whatever_state_is_shown(
    database: Database, consortium: Consortium
) -> None:
    made = [consortium.queued_study().workitem_id for _ in range(3)]
    with database.transaction() as session:
        workitems.claim(session, scope_of(database, "writer"), made[0], LEASE)
    with database.transaction() as session:
        page = queries.page(
            session, scope_of(database, "writer"), WorklistRequest(state=[State.CLAIMED])
        )
    assert (page.total, page.counts_exact, page.next) == (1, True, None)
    assert (page.counts[State.CLAIMED], page.counts[State.QUEUED]) == (1, 2)
    line = page.items[0]
    assert (line.priors, line.overdue, line.group) == (2, False, None)
    assert line.claimed_by is not None
    assert line.lease_until is not None


def test_views_are_kept_by_each_for_himself(
    consortium: Consortium, objects: ObjectStore, tmp_path: Path
) -> None:
    app = application(consortium, objects, tmp_path, signers=False)
    consortium.queued_study(modalities=("ECG",))
    consortium.queued_study()
    writer, other = Browser(app, "writer"), Browser(app, "writer2")
    view = {"name": "心电", "filter": {"lane": "ecg", "state": ["QUEUED"]}, "position": 1}
    made = writer.post("/api/worklist/views", **view)
    assert made.status_code == 201
    assert [(one["name"], one["count"], one["count_exact"]) for one in made.json()] == [
        ("心电", 1, True)
    ]
    path = f"/api/worklist/views/{made.json()[0]['id']}"
    assert other.get("/api/worklist/views").json() == []
    assert other.put(path, **view).status_code == 404
    assert writer.post("/api/worklist/views", **view).json()["type"].endswith("view-name")
    changed = writer.put(path, name="全部", filter={"state": ["QUEUED"]}).json()
    assert [(one["name"], one["count"]) for one in changed] == [("全部", 2)]
    assert writer.post("/api/worklist/views", name="x", filter={"state": ["NO"]}).status_code == 422
    assert other.client.delete(path).status_code == 404
    assert writer.client.delete(path).status_code == 204
    page = writer.get("/api/workitems?state=QUEUED&lane=ecg&page_size=1&sort=due").json()
    assert (page["total"], len(page["items"])) == (1, 1)
    assert writer.get("/api/workitems?sort=nonsense").status_code == 422
    for path in ("/api/workitems", "/api/worklist/views", "/api/worklist/board"):
        assert Browser(app, "doctor-east").get(path).status_code == 403


def test_the_board_tells_of_queues_and_of_devices_that_are_silent(
    database: Database, consortium: Consortium, queue: Sequence[UUID]
) -> None:
    now = utc_now()
    change(database, queue[0], due_at=now - timedelta(minutes=1), escalated_at=now)
    change(database, queue[2], warn_at=now - timedelta(minutes=1))
    with database.transaction() as session:
        session.execute(update(Device).values(heard_at=now - timedelta(days=30)))
    with database.transaction() as session:
        # A call is noted, but not every one of them.
        registry.find_device(session, "EAST_CT", "127.0.0.1")
    with database.transaction() as session:
        shown = board.shown(session, scope_of(database, "writer"))
    imaging = next(one for one in shown.lanes if one.lane is Lane.IMAGING)
    assert imaging.waiting == {Priority.STAT: 1, Priority.URGENT: 1, Priority.ROUTINE: 2}
    assert (imaging.overdue, imaging.due_soon, imaging.unclaimed) == (1, 1, 1)
    assert imaging.oldest_queued_at is not None
    assert [one.ae_title for one in shown.silent_devices] == ["WEST_CT"]
    assert shown.on_duty == []


def test_a_search_finds_the_patient_that_a_study_was_given_to_later(
    database: Database, consortium: Consortium
) -> None:
    mistaken = consortium.queued_study(name="Li^Na=李^娜", local_id="P8")
    other = consortium.queued_study(name="董^梅", local_id="P9")
    assert set(ids(database, q="董")) == {other.workitem_id}
    with database.transaction() as session:
        session.execute(
            update(Study)
            .where(Study.id == mistaken.study.id)
            .values(patient_id=other.study.patient_id)
        )
    assert set(ids(database, q="董")) == {other.workitem_id, mistaken.workitem_id}
    assert ids(database, q="李娜") == []
