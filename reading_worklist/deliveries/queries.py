"""What pages ask about deliveries, within the scope of who asks.

Open deliveries and their numbers come from partial indexes that hold nothing else; what is done is
counted up to a bound.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Boolean, ColumnElement, Row, Select, func, literal_column, or_, select
from sqlalchemy.orm import Session, aliased

from reading_worklist.access.scope import Scope
from reading_worklist.deliveries.schemas import (
    AttemptView,
    DeliveryDetail,
    DeliveryPage,
    DeliveryView,
    QueueList,
    QueueView,
)
from reading_worklist.problems import not_found
from storage.deliveries import Delivery, DeliveryQueue, DeliveryState, attempts_of
from storage.delivery_states import OPEN, WAITING, DeliveryAction, next_state
from storage.index.tables import Patient, Study
from storage.person_name import display_name, latin_name
from storage.registry import Destination, Organisation, OrganisationKind, Person, Role

PAGE_SIZE: Final = 50
COUNTED_MAX: Final = 10_000

OPERATORS: Final = (Role.DISPATCHER, Role.CONSORTIUM_ADMIN, Role.SYSTEM_ADMIN)
SITE_ROLES: Final = (Role.SITE_TECHNICIAN, Role.SITE_DOCTOR)
DECIDERS: Final = (Role.DISPATCHER, Role.SYSTEM_ADMIN)
"""Who pauses, resumes, redirects and sends again; all others look."""
_MESSAGE_READERS: Final = frozenset(
    {Role.DISPATCHER, Role.CONSORTIUM_ADMIN, Role.SITE_DOCTOR, Role.SITE_TECHNICIAN}
)
"""What was sent names the patient: a system administrator sees what was said, not what was sent."""
_OFFERED: Final = (
    DeliveryAction.PAUSE,
    DeliveryAction.RESUME,
    DeliveryAction.REPLAY,
    DeliveryAction.REDIRECT,
)
_WAITS: Final = literal_column("delivery.state IN ('PENDING', 'IN_PROGRESS')", Boolean())
_HELD: Final = literal_column("delivery.state IN ('REFUSED', 'PAUSED')", Boolean())
_Decider: Final = aliased(Person)


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """What to show; None is everything. open_only: what has not arrived and may still."""

    state: DeliveryState | None = None
    destination_id: UUID | None = None
    open_only: bool = False


def may_decide(scope: Scope) -> bool:
    """Tell whether a person decides about deliveries: of the centre, in a role for it."""
    return scope.organisation_kind is not OrganisationKind.SITE and bool(
        scope.roles & set(DECIDERS)
    )


def listed(session: Session, scope: Scope, wanted: DeliveryFilter, *, page: int) -> DeliveryPage:
    """Return a page of the visible deliveries."""
    conditions = [scope.sees(Delivery.site_id)]
    open_only = wanted.open_only or wanted.state in OPEN
    if open_only:
        conditions.append(or_(_WAITS, _HELD))
    if wanted.state is not None:
        conditions.append(Delivery.state == wanted.state)
    if wanted.destination_id is not None:
        conditions.append(Delivery.destination_id == wanted.destination_id)
    some = select(Delivery.id).where(*conditions).limit(COUNTED_MAX + 1).subquery()
    total = session.scalar(select(func.count()).select_from(some)) or 0
    order = Delivery.issued_at if open_only else Delivery.created_at.desc()
    rows = session.execute(
        _rows()
        .where(*conditions)
        .order_by(order, Delivery.id)
        .offset((page - 1) * PAGE_SIZE)
        .limit(PAGE_SIZE)
    ).all()
    return DeliveryPage(
        items=[_view(scope, row) for row in rows],
        total=min(total, COUNTED_MAX),
        more=total > COUNTED_MAX,
        page=page,
        page_size=PAGE_SIZE,
    )


def detail(session: Session, scope: Scope, delivery_id: UUID) -> DeliveryDetail:
    """Return one delivery with its attempts.

    Raises:
        Problem: 404 when it does not exist or is not visible.
    """
    row = session.execute(
        _rows().where(Delivery.id == delivery_id, scope.sees(Delivery.site_id))
    ).one_or_none()
    if row is None:
        raise not_found("The delivery")
    reads = bool(scope.roles & _MESSAGE_READERS)
    return DeliveryDetail(
        **_view(scope, row).model_dump(),
        attempt_list=[
            AttemptView(
                number=one.number,
                started_at=one.started_at,
                ended_at=one.ended_at,
                succeeded=one.succeeded,
                outcome=one.outcome,
                answer=one.answer,
                request=one.request if reads else None,
                response=one.response if reads else None,
            )
            for one in attempts_of(session, delivery_id)
        ],
    )


def queues(session: Session, scope: Scope) -> QueueList:
    """Return the queue of every destination of the visible sites, those with trouble first."""
    waiting = _numbers(session, scope, _WAITS)
    held = _numbers(session, scope, _HELD)
    paused_by = aliased(Person)
    rows = session.execute(
        select(Destination, Organisation, DeliveryQueue, paused_by)
        .join(Organisation, Organisation.id == Destination.site_id)
        .join(DeliveryQueue, DeliveryQueue.destination_id == Destination.id, isouter=True)
        .join(paused_by, paused_by.id == DeliveryQueue.paused_by, isouter=True)
        .where(scope.sees(Destination.site_id))
        .order_by(Organisation.code, Destination.created_at, Destination.id)
    ).all()
    views = [
        _queue(destination, site, queue, by, {**waiting, **held})
        for destination, site, queue, by in rows
    ]
    shown = [one for one in views if one.active or one.waiting or one.refused or one.paused]
    return QueueList(
        items=sorted(shown, key=lambda one: (_trouble(one), one.oldest_at is None)),
        may_act=may_decide(scope),
    )


_Numbers = dict[tuple[UUID, DeliveryState], tuple[int, datetime]]


def _numbers(session: Session, scope: Scope, which: ColumnElement[bool]) -> _Numbers:
    rows = session.execute(
        select(Delivery.destination_id, Delivery.state, func.count(), func.min(Delivery.issued_at))
        .where(which, scope.sees(Delivery.site_id))
        .group_by(Delivery.destination_id, Delivery.state)
    ).all()
    return {(where, state): (number, oldest) for where, state, number, oldest in rows}


def _queue(
    destination: Destination,
    site: Organisation,
    queue: DeliveryQueue | None,
    paused_by: Person | None,
    numbers: _Numbers,
) -> QueueView:
    found = {
        state: numbers[destination.id, state]
        for state in OPEN
        if (destination.id, state) in numbers
    }

    def number(*states: DeliveryState) -> int:
        return sum(found[state][0] for state in states if state in found)

    return QueueView(
        destination_id=destination.id,
        destination=destination.label,
        kind=destination.kind,
        active=destination.active,
        site_code=site.code,
        site_name=site.name,
        site_name_en=site.name_en,
        waiting=number(*WAITING),
        refused=number(DeliveryState.REFUSED),
        paused=number(DeliveryState.PAUSED),
        oldest_at=min((oldest for _, oldest in found.values()), default=None),
        failures=queue.failures if queue else 0,
        failing_since=queue.failing_since if queue else None,
        next_attempt_at=queue.next_attempt_at if queue and queue.failures else None,
        last_error=queue.last_error if queue else None,
        last_success_at=queue.last_success_at if queue else None,
        paused_at=queue.paused_at if queue else None,
        paused_by=paused_by.display_name if paused_by else None,
        pause_reason=queue.pause_reason if queue else None,
    )


def _trouble(one: QueueView) -> int:
    for place, applies in enumerate(
        (
            one.failing_since is not None and one.waiting > 0,
            one.refused > 0,
            one.paused_at is not None or one.paused > 0,
            one.failing_since is not None,
            one.waiting > 0,
        )
    ):
        if applies:
            return place
    return 9


def _rows() -> Select[Delivery, Organisation, Destination, Patient, Person]:
    return (
        select(Delivery, Organisation, Destination, Patient, _Decider)
        .join(Organisation, Organisation.id == Delivery.site_id)
        .join(Destination, Destination.id == Delivery.destination_id)
        .join(Study, Study.id == Delivery.study_id)
        .join(Patient, Patient.id == Study.patient_id)
        .join(_Decider, _Decider.id == Delivery.decided_by, isouter=True)
    )


def _view(
    scope: Scope, row: Row[Delivery, Organisation, Destination, Patient, Person]
) -> DeliveryView:
    one, site, destination, patient = row[0], row[1], row[2], row[3]
    # An outer join: the statement's type does not know that it may be missing.
    decider: Person | None = row[4]
    possible = [action for action in _OFFERED if next_state(one.state, action) is not None]
    return DeliveryView(
        id=one.id,
        workitem_id=one.workitem_id,
        site_code=site.code,
        site_name=site.name,
        site_name_en=site.name_en,
        patient_name=display_name(patient.name),
        patient_latin_name=latin_name(patient.name),
        title=one.title,
        version_number=one.version_number,
        is_notice=one.is_notice,
        destination_id=destination.id,
        destination=destination.label,
        kind=destination.kind,
        state=one.state,
        attempts=one.attempts,
        next_attempt_at=one.next_attempt_at if one.state in WAITING else None,
        issued_at=one.issued_at,
        created_at=one.created_at,
        delivered_at=one.delivered_at,
        last_error=one.last_error,
        decided_by=decider.display_name if decider else None,
        decided_at=one.decided_at,
        decision_reason=one.decision_reason,
        actions=[action.value for action in possible] if may_decide(scope) else [],
    )
