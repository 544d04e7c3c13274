"""The table of reading states is total, matches the road of the domain.

And the database holds the same one.
"""

from itertools import product
from uuid import uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from reading_worklist.workitems.states import (
    OPEN,
    SIGNED,
    STATE_CHANGES,
    TRANSITIONS,
    UNREAD,
    Action,
    State,
    next_state,
)
from reading_worklist.workitems.tables import WorkitemTransition
from storage.database import Database
from tests.support.seed import Consortium

ROAD = (
    (State.QUEUED, Action.CLAIM, State.CLAIMED),
    (State.CLAIMED, Action.SUBMIT, State.WRITTEN),
    (State.WRITTEN, Action.START_REVIEW, State.REVIEWING),
    (State.REVIEWING, Action.RETURN, State.RETURNED),
    (State.RETURNED, Action.CLAIM, State.CLAIMED),
    (State.REVIEWING, Action.FINALISE, State.FINAL),
    (State.FINAL, Action.PUBLISH, State.PUBLISHED),
    (State.PUBLISHED, Action.ACKNOWLEDGE_DELIVERY, State.DELIVERED),
)


def test_every_pair_is_decided() -> None:
    assert set(TRANSITIONS) == set(product(State, Action))


@pytest.mark.parametrize(("state", "action", "after"), ROAD)
def test_the_road(state: State, action: Action, after: State) -> None:
    assert next_state(state, action) is after


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("state", sorted(SIGNED))
def test_nothing_leads_back_from_signed(state: State, action: Action) -> None:
    assert next_state(state, action) in {None, *SIGNED}


def test_every_state_is_reached_and_every_open_one_can_be_left() -> None:
    reached = {State.QUEUED} | {after for after in TRANSITIONS.values() if after}
    assert reached == set(State)
    assert all(any(before == state for before, _ in STATE_CHANGES) for state in OPEN)
    assert UNREAD < OPEN


def test_the_database_holds_the_same_changes(database: Database) -> None:
    with database.transaction() as session:
        rows = session.execute(
            select(WorkitemTransition.from_state, WorkitemTransition.to_state)
        ).all()
    assert set(rows) == {(before.value, after.value) for before, after in STATE_CHANGES}


def test_the_database_lets_pass_only_these(database: Database, consortium: Consortium) -> None:
    item_id = consortium.queued_study().workitem_id
    set_state = text("UPDATE workitem SET state = :state WHERE id = :id")
    with database.transaction() as session:
        session.execute(text("ALTER TABLE workitem DROP CONSTRAINT ck_workitem_holder"))
    for before, after in product(State, State):
        with database.transaction() as session:
            session.execute(text("ALTER TABLE workitem DISABLE TRIGGER guard_state"))
            session.execute(set_state, {"state": before, "id": item_id})
            session.execute(text("ALTER TABLE workitem ENABLE TRIGGER guard_state"))
            change = {"state": after, "id": item_id}
            if before == after or (before, after) in STATE_CHANGES:
                session.execute(set_state, change)
            else:
                with (
                    pytest.raises(IntegrityError, match=f"{before} to {after}"),
                    session.begin_nested(),
                ):
                    session.execute(set_state, change)


def test_a_workitem_begins_queued(database: Database, consortium: Consortium) -> None:
    study = consortium.complete_study()
    with pytest.raises(IntegrityError, match="begins QUEUED"), database.transaction() as session:
        session.execute(
            text(
                "INSERT INTO workitem (id, study_id, site_id, lane, priority, state,"
                " study_generation, late_instances, due_at, revision)"
                " VALUES (:id, :study, :site, 'imaging', 'ROUTINE', 'WRITTEN', 1, false, now(), 0)"
            ),
            {"id": uuid4(), "study": study.id, "site": study.site_id},
        )
