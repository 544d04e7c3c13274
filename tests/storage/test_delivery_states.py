"""The table of a delivery's states is total, means what it says, and is the database's own."""

from importlib import import_module
from itertools import product

import pytest
from sqlalchemy import text

from storage.database import Database
from storage.delivery_states import (
    CHANGES,
    OPEN,
    TRANSITIONS,
    DeliveryAction,
    DeliveryState,
    next_state,
)

S, A = DeliveryState, DeliveryAction
_TABLE = {
    S.PENDING: "start>IN_PROGRESS deliver>DELIVERED supersede>CANCELED pause>PAUSED"
    " redirect>CANCELED replay>PENDING",
    S.IN_PROGRESS: "deliver>DELIVERED fail>PENDING refuse>REFUSED interrupt>PENDING"
    " supersede>CANCELED pause>PAUSED",
    S.REFUSED: "deliver>DELIVERED supersede>CANCELED redirect>CANCELED replay>PENDING",
    S.PAUSED: "deliver>DELIVERED supersede>CANCELED resume>PENDING redirect>CANCELED",
    S.DELIVERED: "deliver>DELIVERED replay>PENDING",
    S.CANCELED: "deliver>DELIVERED",
}


@pytest.mark.parametrize("state", DeliveryState)
def test_every_pair_is_decided(state: DeliveryState) -> None:
    allowed = {
        A(action): S(after)
        for action, _, after in (one.partition(">") for one in _TABLE[state].split())
    }
    assert {action: next_state(state, action) for action in A} == {
        action: allowed.get(action) for action in A
    }


def test_the_table_is_total_and_only_what_is_open_waits_for_somebody() -> None:
    assert set(TRANSITIONS) == set(product(DeliveryState, DeliveryAction))
    ends = {state for state in S if next_state(state, A.SUPERSEDE) is None}
    assert ends == set(S) - OPEN == {S.DELIVERED, S.CANCELED}
    # What was cancelled is never sent: a receiver may say late that it has it, and nothing else.
    assert [one for one in A if next_state(S.CANCELED, one)] == [A.DELIVER]


def test_the_database_has_the_same_pairs(database: Database) -> None:
    migration = import_module("storage.migrations.versions.0050_issued_reports_and_destinations")
    assert set(migration.DELIVERY_CHANGES) == {(one.value, two.value) for one, two in CHANGES}
    with database.transaction() as session:
        rows = session.execute(text("SELECT from_state, to_state FROM delivery_transition"))
        assert {(row.from_state, row.to_state) for row in rows} == {
            (one.value, two.value) for one, two in CHANGES
        }
