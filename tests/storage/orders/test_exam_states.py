"""The table of exam states, pair by pair, and the database's own copy of it."""

from itertools import product
from uuid import uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from storage.database import Database, as_owner
from storage.orders.states import (
    HERE,
    PERFORMED_TRANSITIONS,
    STATE_CHANGES,
    TRANSITIONS,
    WAITING,
    ExamAction,
    ExamState,
    PerformedAction,
    PerformedState,
    next_state,
)
from storage.orders.tables import ExamTransition
from tests.support.orders import order_request, placed
from tests.support.seed import Consortium

# One line per state, one column per action, in the order of the enumerations: CHANGE CHECK_IN
# ACQUIRE RECEIVE MISS QUEUE HOLD RELEASE UNLINK RETAKE REJECT_QUALITY CANCEL REINSTATE.
EXPECTED = """
REQUESTED        RQ CI AC RC IN -- IH -- -- -- -- CA --
CHECKED_IN       CI CI AC RC IN -- IH -- -- -- -- CA --
ACQUIRED         AC -- AC RC IN -- IH -- -- -- -- -- --
RECEIVED         RC -- RC RC IN QU IH -- RQ RT RJ -- --
INCOMPLETE       IN -- IN RC IN QU IH -- RQ RT RJ -- --
QUEUED           QU -- QU QU QU QU IH -- RQ RT RJ -- --
CANCELLED        -- -- -- -- -- -- IH -- -- -- -- CA RQ
IDENTITY_HOLD    IH -- IH IH IH -- IH RC RQ RT -- -- --
RETAKE           RT CI AC RC IN -- IH -- RQ RT -- CA --
REJECTED_QUALITY RJ -- AC RC IN -- -- -- -- -- -- -- --
"""
SHORT = {
    "RQ": ExamState.REQUESTED,
    "CI": ExamState.CHECKED_IN,
    "AC": ExamState.ACQUIRED,
    "RC": ExamState.RECEIVED,
    "IN": ExamState.INCOMPLETE,
    "QU": ExamState.QUEUED,
    "CA": ExamState.CANCELLED,
    "IH": ExamState.IDENTITY_HOLD,
    "RT": ExamState.RETAKE,
    "RJ": ExamState.REJECTED_QUALITY,
    "--": None,
}


def test_every_pair_is_decided_as_drawn() -> None:
    drawn = {
        (ExamState(state), action): SHORT[after]
        for state, *afters in (line.split() for line in EXPECTED.strip().splitlines())
        for action, after in zip(ExamAction, afters, strict=True)
    }
    assert len(drawn) == len(ExamState) * len(ExamAction)
    assert dict(TRANSITIONS) == drawn


def test_every_state_is_reached_and_none_is_a_trap() -> None:
    assert {after for after in TRANSITIONS.values() if after} == set(ExamState)
    for state in ExamState:
        assert any(before == state for before, _ in STATE_CHANGES)
    assert all(next_state(state, ExamAction.RECEIVE) for state in WAITING | HERE)


def test_a_final_performed_step_may_not_be_updated() -> None:
    for state, action in product(PerformedState, PerformedAction):
        after = PERFORMED_TRANSITIONS[state, action]
        assert (after is None) == (state is not PerformedState.IN_PROGRESS)


def test_the_database_holds_the_same_changes(database: Database) -> None:
    with database.transaction() as session:
        rows = session.execute(select(ExamTransition.from_state, ExamTransition.to_state)).all()
    assert set(rows) == {(before.value, after.value) for before, after in STATE_CHANGES}


def test_the_database_lets_pass_only_these(database: Database, consortium: Consortium) -> None:
    order_id = placed(database, order_request(consortium.east)).id
    set_state = text("UPDATE exam_order SET state = :state WHERE id = :id")
    for before, after in product(ExamState, ExamState):
        with database.transaction() as session:
            as_owner(session)
            session.execute(text("ALTER TABLE exam_order DISABLE TRIGGER guard_state"))
            session.execute(set_state, {"state": before, "id": order_id})
            session.execute(text("ALTER TABLE exam_order ENABLE TRIGGER guard_state"))
            change = {"state": after, "id": order_id}
            if before == after or (before, after) in STATE_CHANGES:
                session.execute(set_state, change)
            else:
                with (
                    pytest.raises(IntegrityError, match=f"{before} to {after}"),
                    session.begin_nested(),
                ):
                    session.execute(set_state, change)


def test_an_exam_begins_requested(database: Database, consortium: Consortium) -> None:
    order = placed(database, order_request(consortium.east))
    with (
        pytest.raises(IntegrityError, match="begins REQUESTED"),
        database.transaction() as session,
    ):
        session.execute(
            text(
                "INSERT INTO exam_order (id, site_id, source, state, priority, study_instance_uid,"
                " requested_procedure_id, patient_name, visit_type)"
                " VALUES (:id, :site, 'header', 'QUEUED', 'ROUTINE', '1.2', 'RP1', '', 'other')"
            ),
            {"id": uuid4(), "site": order.site_id},
        )
