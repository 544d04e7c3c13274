"""Claiming, leases, queueing and scope of workitems against a real database."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from reading_worklist.problems import Problem
from reading_worklist.reports.tables import ReportDraft
from reading_worklist.workitems import queries, service
from reading_worklist.workitems.states import Action, State
from reading_worklist.workitems.tables import Lane, Workitem
from reading_worklist.worklist import queries as worklist
from reading_worklist.worklist.schemas import WorklistRequest
from storage.audit import AuditRecord
from storage.clock import utc_now
from storage.database import Database
from tests.support.scopes import scope_of
from tests.support.seed import Consortium, received

LEASE = timedelta(minutes=15)


def item_of(database: Database, workitem_id: object) -> Workitem:
    with database.transaction() as session:
        return session.get_one(Workitem, workitem_id)


def test_a_study_is_queued_once_however_often_it_is_told(
    database: Database, consortium: Consortium
) -> None:
    study = consortium.complete_study(modalities=("ECG",))
    for _ in range(3):
        with database.transaction() as session:
            service.queue_study(session, received(study))
    with database.transaction() as session:
        items = session.scalars(select(Workitem)).all()
        audited = session.scalar(select(func.count()).where(AuditRecord.action == "workitem:queue"))
    assert [(item.state, item.lane, item.late_instances) for item in items] == [
        (State.QUEUED, Lane.ECG, False)
    ]
    assert audited == 1


def test_late_instances_flag_what_somebody_has_begun_to_read(
    database: Database, consortium: Consortium
) -> None:
    queued = consortium.queued_study()
    with database.transaction() as session:
        service.claim(session, scope_of(database, "writer"), queued.workitem_id, LEASE)
    with database.transaction() as session:
        service.queue_study(
            session,
            received(queued.study).model_copy(update={"generation": 2, "instance_count": 9}),
        )
    item = item_of(database, queued.workitem_id)
    assert (item.late_instances, item.study_generation, item.state) == (True, 2, State.CLAIMED)


def test_of_many_who_claim_at_once_one_wins(database: Database, consortium: Consortium) -> None:
    scopes = [scope_of(database, login) for login in ("writer", "writer2", "reviewer")]
    for _ in range(10):
        workitem_id = consortium.queued_study().workitem_id

        def attempt(scope: object, workitem_id: object = workitem_id) -> str:
            try:
                with database.transaction() as session:
                    service.claim(session, scope, workitem_id, LEASE)  # pyright: ignore[reportArgumentType]
            except Problem as problem:
                return problem.code
            return "won"

        with ThreadPoolExecutor(len(scopes)) as pool:
            answers = sorted(pool.map(attempt, scopes))
        assert answers == ["held-by-other", "held-by-other", "won"]


def test_another_sites_person_sees_nothing_of_it(
    database: Database, consortium: Consortium
) -> None:
    queued = consortium.queued_study(site=consortium.east)
    stranger = scope_of(database, "doctor-west")
    with database.transaction() as session:
        page = worklist.page(session, stranger, WorklistRequest())
        assert (page.items, page.total, set(page.counts.values())) == ([], 0, {0})
        for ask in (queries.detail, queries.timeline, service.release):
            with pytest.raises(Problem) as refused:
                ask(session, stranger, queued.workitem_id)
            assert refused.value.status == 404


def test_a_lease_that_is_over_frees_the_item_unless_a_draft_keeps_it(
    database: Database, consortium: Consortium
) -> None:
    idle, drafted = consortium.queued_study().workitem_id, consortium.queued_study().workitem_id
    writer = scope_of(database, "writer")
    with database.transaction() as session:
        for workitem_id in (idle, drafted):
            service.claim(session, writer, workitem_id, LEASE)
        session.add(
            ReportDraft(workitem_id=drafted, author_id=writer.person_id, findings="…", revision=1)
        )
        session.execute(update(Workitem).values(lease_until=utc_now() - timedelta(seconds=1)))
    with database.transaction() as session:
        service.expire_leases(session)
    assert item_of(database, idle).state == State.QUEUED
    assert item_of(database, idle).holder_id is None
    assert item_of(database, drafted).state == State.CLAIMED


def test_a_lease_that_is_over_is_claimed_by_the_next_without_waiting_for_the_clock(
    database: Database, consortium: Consortium
) -> None:
    workitem_id = consortium.queued_study().workitem_id
    with database.transaction() as session:
        service.claim(session, scope_of(database, "writer"), workitem_id, timedelta(seconds=-1))
    other = scope_of(database, "writer2")
    with database.transaction() as session:
        service.claim(session, other, workitem_id, LEASE)
    assert item_of(database, workitem_id).holder_id == other.person_id


def test_search_finds_by_hanzi_pinyin_initials_id_and_accession(
    database: Database, consortium: Consortium
) -> None:
    wanted = consortium.queued_study(name="Zhang^Wei=张^伟")
    consortium.queued_study(name="Li^Na=李^娜", local_id="X9", accession_number="B7")
    scope = scope_of(database, "writer")
    for text in ("张", "张伟", "zhangwei", "zw", "ZHANG", "P00", "a001"):
        with database.transaction() as session:
            page = worklist.page(session, scope, WorklistRequest(q=text))
        assert [item.view.id for item in page.items] == [wanted.workitem_id], text
        assert page.total == 1
        assert page.counts[State.QUEUED] == 1


def test_search_takes_wildcards_literally(database: Database, consortium: Consortium) -> None:
    consortium.queued_study()
    scope = scope_of(database, "writer")
    for text in ("%", "_", "'", "\\", "张%"):
        with database.transaction() as session:
            page = worklist.page(session, scope, WorklistRequest(q=text))
        assert page.items == [], text


def test_actions_offered_are_those_that_work(database: Database, consortium: Consortium) -> None:
    workitem_id = consortium.queued_study().workitem_id
    offered = {}
    for login in ("writer", "reviewer", "dispatcher"):
        with database.transaction() as session:
            offered[login] = queries.detail(session, scope_of(database, login), workitem_id).actions
    assert offered == {"writer": [Action.CLAIM], "reviewer": [Action.CLAIM], "dispatcher": []}


def test_the_sites_to_choose_from_are_those_one_may_see(
    database: Database, consortium: Consortium
) -> None:
    offered = {}
    for login in ("writer", "doctor-west"):
        with database.transaction() as session:
            offered[login] = [one.code for one in queries.sites(session, scope_of(database, login))]
    assert offered == {"writer": ["EAST", "WEST"], "doctor-west": ["WEST"]}
