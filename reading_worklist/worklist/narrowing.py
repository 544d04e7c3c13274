"""A filter of the worklist as SQL.

Written for the queue's indexes: what has 100,000 open items and a million finished ones behind it
is only found quickly where the conditions can be answered along an index, see `routed`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import Flag, auto
from typing import Any, Final, TypeAlias
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from reading_worklist.access.scope import Scope
from reading_worklist.routing.tables import ReadingGroup
from reading_worklist.working_time.queries import working_time
from reading_worklist.workitems.routed import STAGES
from reading_worklist.workitems.states import OPEN, State
from reading_worklist.workitems.tables import (
    FINISHED,
    IN_QUEUE,
    QueueName,
    Workitem,
    WorkitemTally,
)
from reading_worklist.worklist.schemas import Assigned, Sort, WorklistFilter
from storage.clock import utc_now
from storage.database import one_of
from storage.index.search import name_begins, patient_name_begins
from storage.index.search.names import NameMatch
from storage.index.tables import Patient, Series, Study, StudyListing
from storage.orders.words import Priority
from storage.person_name import canonical, search_keys
from storage.registry import Organisation, consortium_of

IN_QUEUE_STATES: Final = OPEN | {State.HELD}
_URGENCIES: Final = {one: number for number, one in enumerate(Priority)}
_FEW: Final = 2000
_FEW_WAITING: Final = 1000
_Sites: TypeAlias = Callable[[InstrumentedAttribute[UUID]], ColumnElement[bool]]
DONE_STATES: Final = tuple(state for state in State if state not in IN_QUEUE_STATES)

_ORDERS: Final[dict[Sort, tuple[Any, ...]]] = {
    Sort.URGENCY: (Workitem.urgency, Workitem.due_at, Workitem.id),
    Sort.DUE: (Workitem.due_at, Workitem.id),
    Sort.QUEUED: (Workitem.queued_at, Workitem.id),
    Sort.NEWEST: (Workitem.queued_at, Workitem.id),
}


class Joined(Flag):
    """Tables that a filter needs besides the workitems.

    QUEUE_NAME: is asked on its own; what it finds is in the queue. COMMON_NAME: and is much.
    """

    NOTHING = 0
    LISTING = auto()
    PATIENT = auto()
    QUEUE_NAME = auto()
    COMMON_NAME = auto()


@dataclass(frozen=True, slots=True)
class Narrowed:
    """The conditions of a filter, without its states.

    joined: what the conditions are about besides the workitem.
    tallied: the same on `WorkitemTally`, where that knows all that is asked for.
    in_queue: whether they let through what is in the queue alone.
    in_order: the conditions of a page, which is full after a short walk along the list.
    """

    conditions: tuple[ColumnElement[bool], ...]
    joined: Joined
    tallied: tuple[ColumnElement[bool], ...] | None
    in_queue: bool
    in_order: tuple[ColumnElement[bool], ...]

    def walk(self, *columns: Any) -> Select[*tuple[Any, ...]]:  # noqa: ANN401 -- any column
        """Return the query of a page for columns of what the conditions let through."""
        return self._joined(*columns).where(*self.in_order)

    def query(self, *columns: Any) -> Select[*tuple[Any, ...]]:  # noqa: ANN401 -- any column
        """Return the query for columns of what the conditions let through."""
        return self._joined(*columns).where(*self.conditions)

    def _joined(self, *columns: Any) -> Select[*tuple[Any, ...]]:  # noqa: ANN401 -- any column
        query = select(*columns).select_from(Workitem)
        if Joined.LISTING in self.joined:
            query = query.join(
                StudyListing,
                and_(
                    StudyListing.study_id == Workitem.study_id,
                    StudyListing.modality == literal_column("''"),
                ),
            )
        if Joined.PATIENT in self.joined:
            query = query.join(Patient, Patient.id == Workitem.patient_id)
        return query


def narrow(session: Session, scope: Scope, wanted: WorklistFilter) -> Narrowed:
    """Return the conditions of a filter within what a person sees."""
    text = (wanted.q or "").strip()
    sites = _sites(session, scope, wanted.site)
    more = _flags(scope, wanted)
    if wanted.group:
        more.append(Workitem.group_id.in_(_groups(session, scope, wanted.group)))
    if wanted.body_part:
        more.append(
            Workitem.study_id.in_(
                select(Series.study_id).where(Series.body_part_examined.in_(wanted.body_part))
            )
        )
    more += _of_days(session, scope, wanted)
    joined = Joined.NOTHING
    in_queue = wanted.overdue or wanted.escalated or wanted.unclaimed or wanted.mine
    if text:
        of_queue = in_queue or waits(wanted.state)
        matches, joined = _matches(session, scope, text, of_queue=of_queue)
        more.append(matches)
    conditions = (*_of_kind(Workitem, sites, wanted), *more)
    in_order = conditions
    if Joined.COMMON_NAME in joined:
        in_order = (*conditions[:-1], _common(text))
    return Narrowed(
        conditions,
        joined,
        None if more else tuple(_of_kind(WorkitemTally, sites, wanted)),
        in_queue,
        in_order,
    )


def _of_kind(
    kind: type[Workitem | WorkitemTally], sites: _Sites, wanted: WorklistFilter
) -> list[ColumnElement[bool]]:
    """Return the conditions on what both a workitem and a tally have."""
    conditions = [sites(kind.site_id)]
    if wanted.lane is not None:
        conditions.append(kind.lane == wanted.lane)
    if wanted.priority:
        conditions.append(kind.urgency.in_([_URGENCIES[one] for one in wanted.priority]))
    if wanted.modality:
        conditions.append(kind.modalities.bool_op("&&")(wanted.modality))
    return conditions


def _flags(scope: Scope, wanted: WorklistFilter) -> list[ColumnElement[bool]]:
    asked: list[tuple[bool, Callable[[], ColumnElement[bool]]]] = [
        (wanted.mine, lambda: _mine(scope.person_id)),
        (wanted.assigned is Assigned.ME, lambda: Workitem.assignee_id == scope.person_id),
        (wanted.assigned is Assigned.NOBODY, lambda: Workitem.assignee_id.is_(None)),
        (
            wanted.unclaimed,
            lambda: and_(IN_QUEUE, Workitem.holder_id.is_(None), Workitem.assignee_id.is_(None)),
        ),
        (wanted.overdue, lambda: and_(IN_QUEUE, Workitem.due_at <= utc_now())),
        (
            wanted.escalated,
            lambda: and_(
                IN_QUEUE, Workitem.state == State.QUEUED, Workitem.escalated_at.is_not(None)
            ),
        ),
        (wanted.late_instances, lambda: Workitem.late_instances.is_(True)),
    ]
    return [condition() for wants, condition in asked if wants]


def _of_days(session: Session, scope: Scope, wanted: WorklistFilter) -> list[ColumnElement[bool]]:
    if wanted.days is None and wanted.queued_from is None and wanted.queued_to is None:
        return []
    zone = working_time(session, consortium_of(session, scope.organisation_id).id).zone
    first, last = wanted.queued_from, wanted.queued_to
    if wanted.days is not None:
        first = utc_now().astimezone(zone).date() - timedelta(days=wanted.days - 1)
    conditions: list[ColumnElement[bool]] = []
    if first is not None:
        conditions.append(Workitem.queued_at >= datetime.combine(first, time(), zone))
    if last is not None:
        end = datetime.combine(last + timedelta(days=1), time(), zone)
        conditions.append(Workitem.queued_at < end)
    return conditions


def in_states(states: Sequence[State]) -> ColumnElement[bool]:
    """Return the condition that a workitem is in one of some states; none: in any."""
    if not states:
        return literal_column("true")
    if IN_QUEUE_STATES.issuperset(states):
        if IN_QUEUE_STATES.issubset(states):
            return IN_QUEUE
        # Not "in these states": the planner would take the two for independent, and expect a tenth
        # of a tenth of the workitems.
        return and_(IN_QUEUE, Workitem.state.not_in(IN_QUEUE_STATES.difference(states)))
    chosen = Workitem.state.in_(states)
    return and_(FINISHED, chosen) if IN_QUEUE_STATES.isdisjoint(states) else chosen


def sort_of(wanted: WorklistFilter) -> Sort:
    """Return the order of the list."""
    waiting = waits(wanted.state) or wanted.overdue
    return wanted.sort or (Sort.URGENCY if waiting else Sort.NEWEST)


def waits(states: Sequence[State]) -> bool:
    """Return whether nothing but what is in the queue is asked for."""
    return bool(states) and IN_QUEUE_STATES.issuperset(states)


def order_columns(sort: Sort) -> tuple[Any, ...]:
    """Return the columns of an order; `Sort.NEWEST` alone goes down."""
    return _ORDERS[sort]


def _sites(session: Session, scope: Scope, code: str | None) -> _Sites:
    if code is None:
        return scope.sees
    site = select(Organisation.id).where(Organisation.code == code, scope.sees(Organisation.id))
    site_id = session.scalar(site)
    return lambda column: one_of(column, {site_id} if site_id else ())


def _groups(session: Session, scope: Scope, codes: Sequence[str]) -> Sequence[UUID]:
    organisation_id = consortium_of(session, scope.organisation_id).id
    return session.scalars(
        select(ReadingGroup.id).where(
            ReadingGroup.organisation_id == organisation_id, ReadingGroup.code.in_(codes)
        )
    ).all()


def _mine(person_id: UUID) -> ColumnElement[bool]:
    # Each by its own index; together they are a few dozen.
    held = select(Workitem.id).where(Workitem.holder_id == person_id)
    assigned = select(Workitem.id).where(
        Workitem.assignee_id == person_id,
        IN_QUEUE,
        or_(
            *(
                and_(Workitem.state == state, Workitem.assigned_for == stage)
                for state, stage in STAGES.items()
            )
        ),
    )
    returned = select(Workitem.id).where(
        Workitem.state == State.RETURNED, Workitem.writer_id == person_id
    )
    return Workitem.id.in_(held.union_all(assigned, returned))


def _matches(
    session: Session, scope: Scope, text: str, *, of_queue: bool
) -> tuple[ColumnElement[bool], Joined]:
    """Return the condition that a text matches, and the tables that it needs.

    of_queue: whether what is in the queue is enough.
    """
    if _has_digit(text):
        return Workitem.study_id.in_(_by_number(scope, text)), Joined.NOTHING
    sites = _sites_called(session, scope, text)
    by_name, joined = _by_name(session, scope, text, of_queue=of_queue)
    if not sites:
        return by_name, joined
    return or_(by_name, Workitem.site_id.in_(sites)), joined & ~(
        Joined.QUEUE_NAME | Joined.COMMON_NAME
    )


def _by_name(
    session: Session, scope: Scope, text: str, *, of_queue: bool
) -> tuple[ColumnElement[bool], Joined]:
    match = name_begins(text)
    if match is None:
        return literal_column("false"), Joined.NOTHING
    if of_queue and match.lookup is not None:
        return _by_name_in_queue(session, match)
    few = session.scalars(
        select(Patient.id).where(scope.sees(Patient.site_id), match.condition).limit(_FEW + 1)
    ).all()
    if len(few) <= _FEW:
        # A rare name: from its patients to their readings. Of a common one a page is full after a
        # short walk along the queue; the planner cannot tell the two apart.
        return one_of(Workitem.patient_id, few), Joined.NOTHING
    if match.lookup is None:
        return match.condition, Joined.PATIENT
    # The listing has the keys ready to be compared: a third of the work of each patient's.
    listed = match.among(StudyListing.name_vector)
    if match.exact is None:
        return listed, Joined.LISTING
    return and_(listed, match.exact), Joined.LISTING | Joined.PATIENT


def _by_name_in_queue(session: Session, match: NameMatch) -> tuple[ColumnElement[bool], Joined]:
    named = match.among(QueueName.name_vector)
    listed = select(QueueName.workitem_id).where(named)
    joined = Joined.QUEUE_NAME if match.exact is None else Joined.QUEUE_NAME | Joined.PATIENT
    if session.scalars(bounded(listed, _FEW_WAITING)).one() > _FEW_WAITING:
        joined |= Joined.COMMON_NAME
    found = Workitem.id.in_(listed)
    return (found if match.exact is None else and_(found, match.exact)), joined


def _common(text: str) -> ColumnElement[bool]:
    """Return the same condition as a look at the name of one workitem after the other.

    The planner takes the names for those of any workitems, expects a tenth of what it finds among
    the waiting, and would read all of these to sort them.
    """
    match = name_begins(text)
    if match is None:
        return literal_column("false")
    vector = (
        select(QueueName.name_vector)
        .where(QueueName.workitem_id == Workitem.id)
        .correlate(Workitem)
        .scalar_subquery()
    )
    listed = match.among(vector)
    return listed if match.exact is None else and_(listed, match.exact)


def _has_digit(text: str) -> bool:
    return any(character.isdigit() for character in text)


def _by_number(scope: Scope, text: str) -> Any:  # noqa: ANN401 -- a compound query
    """Return the query for studies whose patient id or accession number begins with a text.

    Also with its letters in upper or lower case, which is how they are written.
    """
    spellings = sorted({text, text.upper(), text.lower()})
    accession = select(Study.id).where(
        scope.sees(Study.site_id),
        or_(*(Study.accession_number.startswith(one, autoescape=True) for one in spellings)),
    )
    patient = (
        select(Study.id)
        .join(Patient, Patient.id == Study.patient_id)
        .where(
            scope.sees(Study.site_id),
            or_(*(Patient.local_id.startswith(one, autoescape=True) for one in spellings)),
        )
    )
    # A name with a digit in it, such as that of a newborn.
    name = (
        select(Study.id)
        .join(Patient, Patient.id == Study.patient_id)
        .where(scope.sees(Study.site_id), patient_name_begins(text))
    )
    return accession.union_all(patient, name)


def _sites_called(session: Session, scope: Scope, text: str) -> list[UUID]:
    """Return the visible sites whose name, in any reading, or code begins with a text."""
    wanted = canonical(text)
    if not wanted:
        return []
    rows = session.execute(
        select(Organisation.id, Organisation.code, Organisation.name, Organisation.name_en).where(
            scope.sees(Organisation.id)
        )
    )
    return [
        row.id
        for row in rows
        if canonical(row.code).startswith(wanted)
        or any(
            key.startswith(f"^{wanted}")
            for name in (row.name, row.name_en)
            for key in search_keys(name)
        )
    ]


def bounded(query: Select[*tuple[Any, ...]], most: int) -> Select[int]:
    """Return the query that counts rows, but no further than one above `most`."""
    return select(func.count()).select_from(query.limit(most + 1).subquery())
