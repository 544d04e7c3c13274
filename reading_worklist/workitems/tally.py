"""How many workitems there are of each kind, without counting them."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.orm import Session

from reading_worklist.workitems.states import State
from reading_worklist.workitems.tables import WorkitemTally

# Two that run at once take different rows: each adds up what it took away itself.
_FOLD: Final = text("""
    WITH gone AS (
        DELETE FROM workitem_tally WHERE (site_id, lane, state, urgency, modalities) IN (
            SELECT site_id, lane, state, urgency, modalities FROM workitem_tally
            GROUP BY site_id, lane, state, urgency, modalities HAVING count(*) > 1
        )
        RETURNING site_id, lane, state, urgency, modalities, number
    )
    INSERT INTO workitem_tally (site_id, lane, state, urgency, modalities, number)
    SELECT site_id, lane, state, urgency, modalities, sum(number) FROM gone
    GROUP BY site_id, lane, state, urgency, modalities HAVING sum(number) <> 0
""")


def fold(session: Session) -> None:
    """Make one row of the many that changes have added of a kind; the sums stay."""
    session.execute(_FOLD)


def counts(session: Session, conditions: Sequence[ColumnElement[bool]]) -> dict[State, int]:
    """Return how many workitems are in each state, 0 included.

    conditions: on columns of `WorkitemTally`.
    """
    found = session.execute(
        select(WorkitemTally.state, func.sum(WorkitemTally.number))
        .where(*conditions)
        .group_by(WorkitemTally.state)
    )
    return dict.fromkeys(State, 0) | dict(found.all())
