"""Workitems as UPS instances, searched and retrieved within the scope of who asks."""

from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.problems import not_found
from reading_worklist.ups.dataset import Dataset, step_dataset
from reading_worklist.ups.requests import StepSearch
from reading_worklist.ups.states import STEP_STATES, StepState
from reading_worklist.workitems.queries import rows
from reading_worklist.workitems.tables import Lane, Workitem
from storage.index.search import patient_name_begins
from storage.index.tables import Patient, Study
from storage.orders.words import Priority

COUNTED_MAX: Final = 10_000
"""Counting stops here: who has so many results asks for fewer."""


def search(
    session: Session, scope: Scope, site_id: UUID | None, wanted: StepSearch, base_url: str
) -> tuple[list[Dataset], int]:
    """Return a page of workitems, most urgent first, and how many there are, at most counted."""
    conditions = [scope.sees(Workitem.site_id), *_conditions(wanted)]
    if site_id is not None:
        conditions.append(Workitem.site_id == site_id)
    some = (
        select(Workitem.id)
        .join(Study, Study.id == Workitem.study_id)
        .join(Patient, Patient.id == Study.patient_id)
        .where(*conditions)
        .limit(COUNTED_MAX + 1)
    )
    total = session.scalar(select(func.count()).select_from(some.subquery()))
    urgency = case({Priority.STAT: 0, Priority.URGENT: 1}, value=Workitem.priority, else_=2)
    found = session.execute(
        rows()
        .where(*conditions)
        .order_by(urgency, Workitem.due_at, Workitem.id)
        .offset(wanted.offset)
        .limit(wanted.limit)
    ).all()
    return [step_dataset(row, base_url) for row in found], total or 0


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
