"""Workitems as UPS instances, searched and retrieved within the scope of who asks."""

from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.problems import not_found
from reading_worklist.ups.dataset import Dataset, step_dataset
from reading_worklist.ups.requests import StepSearch
from reading_worklist.ups.states import STEP_STATES, STILL_OPEN, StepState
from reading_worklist.workitems.queries import rows
from reading_worklist.workitems.tables import IN_QUEUE, Lane, Workitem
from storage.index.search import patient_name_begins
from storage.index.tables import Patient, Study

COUNTED_MAX: Final = 10_000
"""Counting stops here: who has so many results asks for fewer."""

_DONE_STATES: Final = tuple(state for state, step in STEP_STATES.items() if step not in STILL_OPEN)


def search(
    session: Session, scope: Scope, site_id: UUID | None, wanted: StepSearch, base_url: str
) -> tuple[list[Dataset], int]:
    """Return a page of workitems, and how many there are, at most counted.

    What waits comes first, the most urgent first; then what is done, the latest first.
    """
    conditions = [scope.sees(Workitem.site_id), *_conditions(wanted)]
    if site_id is not None:
        conditions.append(Workitem.site_id == site_id)
    query = _ids(wanted).where(*conditions)
    total = session.scalar(_count(query.limit(COUNTED_MAX + 1))) or 0
    is_beyond = wanted.offset >= total and total <= COUNTED_MAX
    ids = [] if is_beyond else _page(session, query, wanted)
    found = session.execute(rows().where(Workitem.id.in_(ids))).all()
    place = {one: number for number, one in enumerate(ids)}
    found = sorted(found, key=lambda row: place[row[0].id])
    return [step_dataset(row, base_url) for row in found], total


def _ids(wanted: StepSearch) -> Select[UUID]:
    """Return the query for workitems with no more tables than are asked about.

    Nobody pages through a million of them with each row's patient looked up.
    """
    query = select(Workitem.id)
    of_patient = wanted.patient_id is not None or wanted.patient_name is not None
    if of_patient or wanted.study is not None:
        query = query.join(Study, Study.id == Workitem.study_id)
    if of_patient:
        query = query.join(Patient, Patient.id == Study.patient_id)
    return query


def _count(query: Select[UUID]) -> Select[int]:
    return select(func.count()).select_from(query.subquery())


def _page(session: Session, query: Select[UUID], wanted: StepSearch) -> list[UUID]:
    """Return the page: of what waits and of what is done each along an index of its own."""
    waiting = query.where(IN_QUEUE)
    if wanted.states and STILL_OPEN.isdisjoint(wanted.states):
        # Of what waits, an amendment alone is a completed step.
        waiting = query.where(IN_QUEUE, Workitem.amending)
    order = (Workitem.urgency, Workitem.due_at, Workitem.id)
    ids = [*session.scalars(waiting.order_by(*order).offset(wanted.offset).limit(wanted.limit))]
    left = wanted.limit - len(ids)
    if not left or (wanted.states and STILL_OPEN.issuperset(wanted.states)):
        return ids
    before = len(ids) + wanted.offset if ids else session.scalar(_count(waiting)) or 0
    done = query.where(Workitem.state.in_(_DONE_STATES))
    ids += session.scalars(
        done.order_by(Workitem.queued_at.desc(), Workitem.id.desc())
        .offset(max(wanted.offset - before, 0))
        .limit(left)
    )
    return ids


def retrieve(
    session: Session, scope: Scope, site_id: UUID | None, workitem_id: UUID, base_url: str
) -> Dataset:
    """Return one workitem.

    Raises:
        Problem: 404 when it does not exist or is not visible.
    """
    found = session.execute(
        rows().where(Workitem.id == workitem_id, scope.sees(Workitem.site_id))
    ).one_or_none()
    if found is None or (site_id is not None and found[0].site_id != site_id):
        raise not_found("The workitem")
    return step_dataset(found, base_url)


def matches(session: Session, workitem_id: UUID, wanted: StepSearch) -> bool:
    """Tell whether a workitem is what a search asks for, whoever sees it."""
    found = session.scalar(
        select(Workitem.id)
        .join(Study, Study.id == Workitem.study_id)
        .join(Patient, Patient.id == Study.patient_id)
        .where(Workitem.id == workitem_id, *_conditions(wanted))
    )
    return found is not None


def _conditions(wanted: StepSearch) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.states:
        conditions.append(_in_states(wanted.states))
    if wanted.priorities:
        conditions.append(Workitem.priority.in_(wanted.priorities))
    if wanted.label is not None:
        known = {"IMAGING": Lane.IMAGING, "ECG": Lane.ECG}
        lanes = [known[wanted.label]] if wanted.label in known else []
        conditions.append(Workitem.lane.in_(lanes))
    if wanted.patient_id is not None:
        conditions.append(Patient.local_id == wanted.patient_id)
    if wanted.patient_name is not None:
        conditions.append(patient_name_begins(wanted.patient_name.rstrip("*")))
    if wanted.study is not None:
        conditions.append(Study.study_instance_uid == wanted.study)
    if wanted.step is not None:
        conditions.append(Workitem.id == wanted.step)
    begins, ends = wanted.start
    if begins is not None:
        conditions.append(Workitem.queued_at >= begins)
    if ends is not None:
        conditions.append(Workitem.queued_at <= ends)
    return conditions


def _in_states(wanted: tuple[StepState, ...]) -> ColumnElement[bool]:
    """Return the SQL condition for `step_state(item) in wanted`."""
    states = [state for state, step in STEP_STATES.items() if step in wanted]
    plain = and_(Workitem.state.in_(states), ~Workitem.amending)
    return plain | Workitem.amending if StepState.COMPLETED in wanted else plain
