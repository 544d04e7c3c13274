"""Pages and counts of the worklist, within the scope of who asks."""

from collections.abc import Hashable, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, func, literal, select, text, union_all
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.ecg.analysis.queries import marks_of as ecg_marks_of
from reading_worklist.workitems import queries as workitems
from reading_worklist.workitems import tally
from reading_worklist.workitems.lane import Lane
from reading_worklist.workitems.queries import Line
from reading_worklist.workitems.states import State
from reading_worklist.workitems.tables import IN_QUEUE, Workitem
from reading_worklist.worklist import keyset
from reading_worklist.worklist.marks import marks_of
from reading_worklist.worklist.narrowing import (
    DONE_STATES,
    IN_QUEUE_STATES,
    Joined,
    Narrowed,
    bounded,
    in_states,
    narrow,
    order_columns,
    sort_of,
    waits,
)
from reading_worklist.worklist.schemas import (
    COUNTED_MAX,
    Assigned,
    Sort,
    WorklistFilter,
    WorklistLine,
    WorklistRequest,
)
from reading_worklist.worklist.shared_lines import SharedLine, SharedPage, shared
from storage.clock import utc_now
from storage.database import one_of

_PLANNED_FOR_ITS_VALUES: Final = text("SET LOCAL plan_cache_mode = force_custom_plan")
_PLANNED_ONCE: Final = text("SET LOCAL plan_cache_mode = auto")
_FOUND_MAX: Final = COUNTED_MAX // 10


def page(session: Session, scope: Scope, wanted: WorklistRequest) -> SharedPage:
    """Return one page of the list with its counts, for all of one `audience`.

    Raises:
        Problem: 422 when `after` is not understood.
    """
    # Which index serves depends on the filter's values.
    session.execute(_PLANNED_FOR_ITS_VALUES)
    narrowed = narrow(session, scope, wanted)
    sort = sort_of(wanted)
    columns = order_columns(sort)
    query = narrowed.walk(*columns).where(in_states(wanted.state))
    query = query.order_by(*(one.desc() if sort is Sort.NEWEST else one for one in columns))
    if wanted.after is not None:
        query = query.where(keyset.after(sort, wanted.after))
    else:
        query = query.offset((wanted.page - 1) * wanted.page_size)
    places = session.execute(query.limit(wanted.page_size + 1)).all()
    shown = places[: wanted.page_size]
    counts, exact = _counts(session, narrowed, wanted)
    # For every page alike, and the planner takes longer over so many tables than they do.
    session.execute(_PLANNED_ONCE)
    lines = _lines(session, [place[-1] for place in shown])
    return SharedPage(
        items=_shown(session, scope, lines),
        total=_total(counts, wanted.state),
        page=wanted.page,
        page_size=wanted.page_size,
        counts=counts,
        counts_exact=exact,
        next=keyset.encode(sort, shown[-1]) if len(places) > len(shown) else None,
        now=utc_now(),
    )


def lines_of(session: Session, scope: Scope, ids: Sequence[UUID]) -> list[SharedLine]:
    """Return those of some workitems that a person sees, in no order; the others are left out.

    For all who see the same sites.
    """
    rows = session.execute(
        workitems.rows().where(one_of(Workitem.id, ids), scope.sees(Workitem.site_id))
    ).all()
    return _shown(session, scope, rows)


def audience(scope: Scope, wanted: WorklistRequest) -> Hashable:
    """Return what a page depends on: the same for two people who are shown the same one.

    A consortium has days and reading groups of its own; mine is mine alone.
    """
    own = wanted.mine or wanted.assigned is Assigned.ME
    person = scope.person_id if own else None
    return scope.reach, scope.site_ids, scope.organisation_id, person, wanted.model_dump_json()


def count(session: Session, scope: Scope, wanted: WorklistFilter) -> tuple[int, bool]:
    """Return how many rows a filter shows, and whether that is exact."""
    session.execute(_PLANNED_FOR_ITS_VALUES)
    counts, exact = _counts(session, narrow(session, scope, wanted), wanted)
    return _total(counts, wanted.state), exact


def _total(counts: dict[State, int], states: Sequence[State]) -> int:
    return sum(number for state, number in counts.items() if not states or state in states)


def _lines(session: Session, ids: Sequence[Any]) -> list[Row[*Line]]:
    rows = session.execute(workitems.rows().where(one_of(Workitem.id, ids))).all()
    place = {one: number for number, one in enumerate(ids)}
    return sorted(rows, key=lambda row: place[row[0].id])


def _shown(session: Session, scope: Scope, rows: Sequence[Row[*Line]]) -> list[SharedLine]:
    beside = workitems.beside(session, scope, rows)
    marks = marks_of(session, [row[0].id for row in rows])
    ecgs = ecg_marks_of(session, [row[1].id for row in rows if row[0].lane is Lane.ECG])

    def line(row: Row[*Line]) -> WorklistLine:
        view = workitems.line(row, beside)
        # What the view holds has been checked as it was made.
        return WorklistLine.model_construct(
            **dict(view),
            critical_value=marks.critical_values.get(view.id),
            retake=marks.retakes.get(view.id),
            consultation=marks.consultations.get(view.id),
            ecg=ecgs.get(view.study.id),
        )

    return [shared(line(row), row[0]) for row in rows]


def _counts(
    session: Session, narrowed: Narrowed, wanted: WorklistFilter
) -> tuple[dict[State, int], bool]:
    """Return how much is in each state, without those that were not counted; and if exactly."""
    if narrowed.tallied is not None:
        return tally.counts(session, narrowed.tallied), True
    counts = dict.fromkeys(State if narrowed.in_queue else IN_QUEUE_STATES, 0)
    most = _counted_most(wanted)
    if most is not None:
        query = narrowed.query(Workitem.state)
        if not (narrowed.in_queue or waits(wanted.state)):
            counts = dict.fromkeys(State, 0)
        elif Joined.QUEUE_NAME not in narrowed.joined:
            query = query.where(IN_QUEUE)
        found = query.limit(most + 1).subquery()
        grouped = session.execute(select(found.c.state, func.count()).group_by(found.c.state))
        counts |= {State(state): number for state, number in grouped}
        return counts, sum(counts.values()) <= most
    queue = narrowed.query(Workitem.state, func.count()).where(IN_QUEUE)
    counts |= {
        State(state): number for state, number in session.execute(queue.group_by(Workitem.state))
    }
    done = [state for state in DONE_STATES if not wanted.state or state in wanted.state]
    if done and not narrowed.in_queue:
        counts |= _counted_done(session, narrowed, done)
    return counts, all(
        number <= COUNTED_MAX for state, number in counts.items() if state not in IN_QUEUE_STATES
    )


def _counted_most(wanted: WorklistFilter) -> int | None:
    """Return how far all that a filter lets through is counted together; None: to its end."""
    if (wanted.q or "").strip() or wanted.body_part:
        # Each row found has cost a look at its name, its patient or its series.
        return _FOUND_MAX
    # May be most of the queue, which nobody works through by its number.
    return COUNTED_MAX if wanted.overdue or wanted.unclaimed else None


def _counted_done(
    session: Session, narrowed: Narrowed, states: Sequence[State]
) -> dict[State, int]:
    """Count what is done, each state no further than is useful."""

    def counted(state: State) -> Select[str, int]:
        found = narrowed.query(Workitem.id).where(Workitem.state == state)
        return select(literal(state.value), bounded(found, COUNTED_MAX).scalar_subquery())

    each = session.execute(union_all(*map(counted, states)))
    return {State(state): number for state, number in each}
