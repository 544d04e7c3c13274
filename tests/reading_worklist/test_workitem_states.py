"""The table of reading states is total, matches the road of the domain.

And the database holds the same one.
"""

from itertools import product
from uuid import uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from reading_worklist.workitems.states import (
    CLOSED,
    OPEN,
    STATE_CHANGES,
    TRANSITIONS,
    UNREAD,
    Action,
    State,
    next_state,
)
from reading_worklist.workitems.tables import WorkitemTransition
from storage.database import Database, as_owner
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
    (State.DELIVERED, Action.ARCHIVE, State.ARCHIVED),
    (State.CLAIMED, Action.ISSUE_PRELIMINARY, State.PRELIM_ISSUED),
    (State.PRELIM_ISSUED, Action.START_REVIEW, State.REVIEWING),
    (State.WRITTEN, Action.KEEP_PRELIMINARY, State.PRELIM_ISSUED),
    (State.CLAIMED, Action.ISSUE_ALONE, State.FINAL),
    (State.DELIVERED, Action.AMEND, State.CLAIMED),
    (State.CLAIMED, Action.ABANDON_AMENDMENT, State.PUBLISHED),
    (State.REVIEWING, Action.ISSUE_AMENDMENT, State.AMENDED),
    (State.AMENDED, Action.PUBLISH, State.PUBLISHED),
    (State.DELIVERED, Action.REVOKE, State.REVOKED),
    (State.REVOKED, Action.REOPEN, State.QUEUED),
)

# Every pair that is allowed, written down a second time: what is not here is refused.
TABLE = {
    State.QUEUED: "claim→CLAIMED withhold→HELD",
    State.CLAIMED: "claim→CLAIMED save_draft→CLAIMED release→QUEUED submit→WRITTEN"
    " issue_preliminary→PRELIM_ISSUED issue_alone→FINAL abandon_amendment→PUBLISHED"
    " expire_lease→QUEUED withhold→HELD",
    State.WRITTEN: "review→REVIEWING keep_preliminary→PRELIM_ISSUED",
    State.REVIEWING: "release→WRITTEN review→REVIEWING return→RETURNED finalise→FINAL"
    " issue_amendment→AMENDED expire_lease→WRITTEN",
    State.RETURNED: "claim→CLAIMED release→QUEUED withhold→HELD",
    State.FINAL: "publish→PUBLISHED",
    State.PUBLISHED: "amend→CLAIMED propose_revocation→PUBLISHED revoke→REVOKED"
    " archive→ARCHIVED acknowledge_delivery→DELIVERED",
    State.DELIVERED: "amend→CLAIMED propose_revocation→DELIVERED revoke→REVOKED"
    " archive→ARCHIVED acknowledge_delivery→DELIVERED",
    State.PRELIM_ISSUED: "review→REVIEWING propose_revocation→PRELIM_ISSUED revoke→REVOKED"
    " acknowledge_delivery→PRELIM_ISSUED",
    State.AMENDED: "publish→PUBLISHED",
    State.REVOKED: "reopen→QUEUED archive→ARCHIVED withhold→HELD",
    State.ARCHIVED: "",
    State.HELD: "withhold→HELD resume→QUEUED withdraw→WITHDRAWN",
    State.WITHDRAWN: "withhold→HELD",
}


def test_every_pair_is_decided() -> None:
    assert set(TRANSITIONS) == set(product(State, Action))


@pytest.mark.parametrize(("state", "action", "after"), ROAD)
def test_the_road(state: State, action: Action, after: State) -> None:
    assert next_state(state, action) is after


@pytest.mark.parametrize("state", State)
def test_every_pair_is_as_written(state: State) -> None:
    found = {
        f"{action.value}→{after}"
        for action in Action
        if (after := next_state(state, action)) is not None
    }
    assert found == set(TABLE[state].split())


@pytest.mark.parametrize("state", sorted(CLOSED))
def test_only_these_lead_back_from_signed(state: State) -> None:
    back = {action for action in Action if next_state(state, action) not in {None, *CLOSED}}
    assert back <= {Action.AMEND, Action.REOPEN, Action.WITHHOLD}


def test_every_state_is_reached_and_every_open_one_can_be_left() -> None:
    reached = {State.QUEUED} | {after for after in TRANSITIONS.values() if after}
    assert reached == set(State)
    assert all(any(before == state for before, _ in STATE_CHANGES) for state in OPEN)
    assert UNREAD < OPEN
    assert not {after for (before, _), after in TRANSITIONS.items() if before is State.ARCHIVED} - {
        None
    }


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
        as_owner(session)
        session.execute(text("ALTER TABLE workitem DROP CONSTRAINT ck_workitem_holder"))
        # It asks for a version that one signature is enough for; its own test has one.
        session.execute(text("ALTER TABLE workitem DISABLE TRIGGER guard_issued_alone"))
    for before, after in product(State, State):
        with database.transaction() as session:
            as_owner(session)
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
