"""The list of what is to be read: filters, order, pages, counts."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from reading_worklist.problems import Problem
from reading_worklist.workitems import service as workitems
from reading_worklist.workitems import tally
from reading_worklist.workitems.lane import Lane
from reading_worklist.workitems.routed import DONE, WAITING, Stage
from reading_worklist.workitems.states import State
from reading_worklist.workitems.tables import Workitem, WorkitemTally
from reading_worklist.worklist import narrowing, queries
from reading_worklist.worklist.narrowing import DONE_STATES, IN_QUEUE_STATES, narrow
from reading_worklist.worklist.schemas import Assigned, Sort, WorklistFilter, WorklistRequest
from storage.clock import utc_now
from storage.database import Database
from storage.index.tables import Patient, Series, Study
from storage.orders.words import Priority
from storage.person_name import search_keys
from tests.support.scopes import scope_of
from tests.support.seed import Consortium

LEASE = timedelta(minutes=15)


def ids(database: Database, login: str = "writer", /, **wanted: object) -> list[UUID]:
    with database.transaction() as session:
        request = WorklistRequest.model_validate(wanted)
        return [
            one.view.id for one in queries.page(session, scope_of(database, login), request).items
        ]


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
        seen += [one.view.id for one in page.items]
        after = page.next
        if after is None:
            break
        # What was shown is gone: the next page does not move up by one.
        change(database, page.items[0].view.id, state=State.HELD)
    assert seen == whole
    with pytest.raises(Problem) as problem, database.transaction() as session:
        queries.page(session, scope, WorklistRequest(after="bm90IG91cnM="))
    assert problem.value.code == "invalid-page"


def test_the_indexes_of_the_queue_have_the_states_that_wait() -> None:
    assert set(re.findall("'(.*?)'", WAITING)) == {state.value for state in IN_QUEUE_STATES}
    assert set(re.findall("'(.*?)'", DONE)) == {state.value for state in DONE_STATES}


def test_each_filter_narrows(database: Database, consortium: Consortium) -> None:
    writer = consortium.people["writer"].id
    past = utc_now() - timedelta(minutes=1)
    plain = consortium.queued_study(site=consortium.west, modalities=("CT",)).workitem_id
    ecg = consortium.queued_study(modalities=("ECG",)).workitem_id
    stat = consortium.queued_study(modalities=("MR", "SR")).workitem_id
    change(database, stat, priority=Priority.STAT, due_at=past, late_instances=True)
    change(database, ecg, assignee_id=writer, assigned_for=Stage.WRITING)
    change(database, plain, escalated_at=past)
    with database.transaction() as session:
        study_id = session.scalars(select(Workitem.study_id).where(Workitem.id == plain)).one()
        session.add(
            Series(study_id=study_id, series_instance_uid="1.2.3", body_part_examined="CHEST")
        )
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
        ({"unclaimed": True}, {plain, stat}),
        ({"body_part": ["CHEST", "HEAD"]}, {plain}),
        ({"days": 1}, {plain, ecg, stat, held}),
        ({"queued_to": "2026-01-01"}, set()),
        ({"queued_from": "2026-01-01", "queued_to": "2999-01-01"}, {plain, ecg, stat, held}),
    ):
        assert set(ids(database, **wanted)) == expected, wanted
    assert ids(database, "writer2", mine=True) == []


def test_search_finds_patients_numbers_and_sites(
    database: Database, consortium: Consortium
) -> None:
    made = {
        "east": consortium.queued_study(site=consortium.east, name="Li^Na=李^娜"),
        "dong": consortium.queued_study(
            site=consortium.west, name="董^梅", local_id="P7", accession_number="B1"
        ),
    }
    for typed, found in (
        ("董", {"dong"}),
        ("dong", {"dong", "east"}),
        ("dh", {"east"}),
        ("东河", {"east"}),
        ("WEST", {"dong"}),
        ("a00", {"east"}),
        ("p7", {"dong"}),
        ("xyz", set[str]()),
    ):
        expected = {made[name].workitem_id for name in found}
        assert set(ids(database, q=typed)) == expected, typed
        assert set(ids(database, q=typed, state=[State.QUEUED])) == expected, "in the queue alone"


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
    line = page.items[0].view
    assert (line.priors, line.overdue, line.group) == (2, False, None)
    assert line.claimed_by is not None
    assert line.lease_until is not None


@pytest.mark.parametrize("wanted", [{"overdue": True}, {"unclaimed": True}])
def test_what_may_be_most_of_the_queue_is_counted_so_far_as_is_useful(
    database: Database,
    consortium: Consortium,
    monkeypatch: pytest.MonkeyPatch,
    wanted: dict[str, bool],
) -> None:
    monkeypatch.setattr(queries, "COUNTED_MAX", 2)
    for expected in ((1, True), (2, True), (3, False), (3, False)):
        past = utc_now() - timedelta(minutes=1)
        change(database, consortium.queued_study().workitem_id, queued_at=past, due_at=past)
        with database.transaction() as session:
            request = WorklistRequest.model_validate(wanted)
            page = queries.page(session, scope_of(database, "writer"), request)
        assert (page.total, page.counts_exact) == expected


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
    for state in ([], [State.QUEUED]):
        found = ids(database, q="董", state=state)
        assert set(found) == {other.workitem_id, mistaken.workitem_id}
        assert ids(database, q="李娜", state=state) == []


def test_a_search_of_the_queue_follows_a_changed_name(
    database: Database, consortium: Consortium
) -> None:
    made = consortium.queued_study(name="董^梅")
    with database.transaction() as session:
        patient = session.get_one(Patient, made.study.patient_id)
        patient.name = "李^娜"
        patient.name_keys = list(search_keys(patient.name))
    assert ids(database, q="董", state=[State.QUEUED]) == []
    assert ids(database, q="lina", state=[State.QUEUED]) == [made.workitem_id]


def test_a_common_name_is_found_along_the_queue(
    database: Database, consortium: Consortium, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [
        consortium.queued_study(name="董^梅", local_id=f"P{place}").workitem_id
        for place in range(3)
    ]
    consortium.queued_study(name="李^娜", local_id="P9")
    monkeypatch.setattr(narrowing, "_FEW_WAITING", 2)
    request = WorklistRequest(q="董", state=[State.QUEUED], page_size=2)
    with database.transaction() as session:
        page = queries.page(session, scope_of(database, "writer"), request)
        rest = queries.page(
            session,
            scope_of(database, "writer"),
            request.model_copy(update={"after": page.next}),
        )
    assert {one.view.id for one in (*page.items, *rest.items)} == set(found)
    assert (len(page.items), page.total, rest.next) == (2, 3, None)


def test_a_search_of_the_queue_counts_nothing_else(
    database: Database, consortium: Consortium
) -> None:
    withdrawn, waiting = (consortium.queued_study(name="董^梅").workitem_id for _ in range(2))
    for state in (State.HELD, State.WITHDRAWN):
        change(database, withdrawn, state=state)
    request = WorklistRequest(q="董", state=[State.QUEUED])
    with database.transaction() as session:
        page = queries.page(session, scope_of(database, "writer"), request)
        everything = queries.page(session, scope_of(database, "writer"), WorklistRequest(q="董"))
    assert ([one.view.id for one in page.items], page.total) == ([waiting], 1)
    assert State.WITHDRAWN not in page.counts
    assert everything.counts[State.WITHDRAWN] == 1


def test_what_is_counted_as_it_changes_is_what_there_is(
    database: Database, consortium: Consortium, queue: Sequence[UUID]
) -> None:
    def counted(**wanted: object) -> dict[State, int]:
        request = WorklistFilter.model_validate(wanted)
        with database.transaction() as session:
            narrowed = narrow(session, scope_of(database, "writer"), request)
            assert narrowed.tallied is not None
            tallied = tally.counts(session, narrowed.tallied)
            found = session.scalars(narrowed.query(Workitem.state)).all()
        assert {state: number for state, number in tallied.items() if number} == Counter(found)
        return tallied

    consortium.queued_study(site=consortium.west)
    change(database, queue[0], state=State.HELD)
    change(database, queue[1], modalities=["MG", "SR"])
    change(database, queue[2], lane=Lane.ECG, priority=Priority.STAT)
    for folded in (False, True):
        if folded:
            with database.transaction() as session:
                tally.fold(session)
        assert counted()[State.QUEUED] == 4
        assert counted(site="EAST")[State.HELD] == 1
        assert counted(modality=["MG"])[State.QUEUED] == 1
        assert counted(lane="ecg", priority=["STAT", "URGENT"])[State.QUEUED] == 1
        assert sum(counted(site="NOWHERE").values()) == 0
    with database.transaction() as session:
        rows = session.scalars(select(WorkitemTally.number)).all()
        assert all(rows), "a kind that is no more leaves no row"
        session.execute(text("SELECT recount_workitems()"))
        assert sorted(session.scalars(select(WorkitemTally.number))) == sorted(rows)
