"""What can be done with orders and exams.

Each function works in its caller's transaction and leaves state, audit record and message together.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from storage import audit, outbox
from storage.audit import Actor
from storage.clock import utc_now
from storage.identifiers import Uid
from storage.identity.documents import flaw, normal_number
from storage.messages import OrderChanged
from storage.orders.request import OrderRefused, OrderRequest, StepRequest, check
from storage.orders.states import ExamAction, ExamState, next_state
from storage.orders.tables import ORDER_NUMBER, Order, ScheduledStep
from storage.orders.words import OrderSource, Priority, StepStatus, VisitType

_COPIED: Final = (
    "patient_local_id",
    "patient_id_issuer",
    "patient_name",
    "patient_sex",
    "patient_birth_date",
    "document_kind",
    "visit_type",
    "visit_number",
    "department",
    "bed",
    "requester",
    "clinical_diagnosis",
    "reason",
    "priority",
    "procedure_code",
    "procedure_description",
    "body_part",
    "laterality",
    "contrast",
    "priority_reason",
    "first_contact_at",
)
_UNIQUE: Final = ("placer_order_number", "accession_number", "study_instance_uid")
_TOLD: Final = frozenset(
    {
        ExamAction.CHANGE,
        ExamAction.CHECK_IN,
        ExamAction.ACQUIRE,
        ExamAction.CANCEL,
    }
)
"""What happens outside of the reading room, which therefore is told."""


def place(session: Session, actor: Actor, request: OrderRequest) -> Order:
    """Take an order; numbers and Study Instance UID that it lacks are assigned.

    Raises:
        OrderRefused: see `request.check`; `duplicate` when another order of the site has its
            placer order number, accession number or Study Instance UID.
    """
    check(request)
    number = session.scalars(select(ORDER_NUMBER.next_value())).one()
    order = Order(
        id=uuid4(),
        site_id=request.site_id,
        source=request.source,
        state=ExamState.REQUESTED,
        study_instance_uid=request.study_instance_uid or Uid.from_uuid(uuid4()),
        accession_number=request.accession_number or f"R{number:09d}",
        placer_order_number=request.placer_order_number,
        filler_order_number=request.filler_order_number,
        requested_procedure_id=f"RP{number:09d}",
        requested_at=utc_now(),
    )
    _copy(order, request)
    order.steps = _steps(order, request.steps)
    for name in _UNIQUE:
        _refuse_duplicate(session, order, name)
    try:
        with session.begin_nested():
            session.add(order)
    except IntegrityError as error:
        # Somebody else has placed it since we looked.
        raise _duplicate("order number") from error
    audit.record(
        session,
        actor,
        "order:place",
        subject_kind="order",
        subject_id=order.id,
        detail={"source": order.source, "priority": order.priority},
    )
    _tell(session, order)
    return order


def from_header(
    session: Session,
    actor: Actor,
    *,
    site_id: UUID,
    study_instance_uid: str,
    accession_number: str | None,
    modality: str,
    local_id: str | None,
    name: str,
    sex: str | None,
    birth_date: date | None,
    description: str | None,
    received_at: datetime,
) -> Order:
    """Make the order of a study that came without one."""
    number = session.scalars(select(ORDER_NUMBER.next_value())).one()
    order = Order(
        id=uuid4(),
        site_id=site_id,
        source=OrderSource.HEADER,
        state=ExamState.REQUESTED,
        priority=Priority.ROUTINE,
        study_instance_uid=study_instance_uid,
        accession_number=accession_number,
        requested_procedure_id=f"RP{number:09d}",
        patient_local_id=local_id,
        patient_name=name,
        patient_sex=sex,
        patient_birth_date=birth_date,
        visit_type=VisitType.OTHER,
        procedure_description=description,
        requested_at=received_at,
        acquired_at=received_at,
    )
    step = StepRequest(modality=modality, scheduled_at=received_at)
    order.steps = _steps(order, [step], StepStatus.COMPLETED)
    session.add(order)
    session.flush()
    audit.record(
        session, actor, "order:from_header", subject_kind="order", subject_id=order.id, detail={}
    )
    return order


def change(session: Session, actor: Actor, order: Order, request: OrderRequest) -> None:
    """Correct what was ordered; identifiers stay. Nothing happens where nothing differs.

    Steps are replaced as long as none has begun.

    Raises:
        OrderRefused: see `request.check`; or the exam is cancelled.
    """
    check(request)
    before = {name: getattr(order, name) for name in _COPIED}
    steps_before = _step_facts(order.steps)
    _copy(order, request)
    steps = _steps(order, request.steps)
    begun = any(step.status is not StepStatus.SCHEDULED for step in order.steps)
    if _step_facts(steps) != steps_before and not begun:
        order.steps.clear()
        session.flush()
        order.steps.extend(steps)
    changed = [name for name in _COPIED if before[name] != getattr(order, name)]
    if _step_facts(order.steps) != steps_before:
        changed.append("steps")
    if changed:
        move(session, actor, order, ExamAction.CHANGE, {"fields": changed})


def differs(order: Order, request: OrderRequest) -> bool:
    """Tell whether `request` orders anything else than `order` does, identifiers aside."""
    wanted = [*(getattr(request, name) for name in _COPIED)]
    number = normal_number(request.document_kind, request.document_number)
    return (
        wanted != [getattr(order, name) for name in _COPIED]
        or number != order.document_number
        or _step_facts(_steps(order, request.steps)) != _step_facts(order.steps)
    )


def cancel(session: Session, actor: Actor, order: Order, reason: str | None) -> None:
    """Cancel an exam that has not been made; a second time changes nothing.

    Raises:
        OrderRefused: its state does not allow it: it has been made already.
    """
    if order.state is ExamState.CANCELLED:
        return
    move(session, actor, order, ExamAction.CANCEL, {})
    order.cancelled_at = utc_now()
    order.cancellation_reason = reason
    for step in order.steps:
        step.status = StepStatus.DISCONTINUED


def check_in(session: Session, actor: Actor, order: Order) -> None:
    """Note that the patient is there.

    Raises:
        OrderRefused: its state does not allow it.
    """
    move(session, actor, order, ExamAction.CHECK_IN, {})
    order.checked_in_at = order.checked_in_at or utc_now()
    for step in order.steps:
        if step.status is StepStatus.SCHEDULED:
            step.status = StepStatus.ARRIVED


def move(
    session: Session,
    actor: Actor,
    order: Order,
    action: ExamAction,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Set the state after `action`, write the audit record, and tell the reading room.

    Raises:
        OrderRefused: the exam's state does not allow it.
    """
    after = next_state(order.state, action)
    if after is None:
        raise OrderRefused(
            f"the exam cannot be moved by '{action.value}' now",
            field="state",
            expected=" or ".join(
                state.value for state in ExamState if next_state(state, action) is not None
            ),
            found=order.state.value,
            remedy="Look at the order again: it has gone on.",
        )
    before = order.state
    if before is after and action not in _TOLD:
        return
    order.state = after
    order.revision += 1
    # Each change for itself: the database's guard would see two as one that is not allowed.
    session.flush()
    audit.record(
        session,
        actor,
        f"order:{action.value}",
        subject_kind="order",
        subject_id=order.id,
        detail={**(detail or {}), "from": before, "to": after},
    )
    if action in _TOLD:
        _tell(session, order)


def locked(session: Session, order_id: UUID) -> Order:
    """Return an order, locked until the transaction ends.

    Raises:
        NoResultFound: there is none.
    """
    return session.scalars(select(Order).where(Order.id == order_id).with_for_update()).one()


def by_placer_order_number(session: Session, site_id: UUID, number: str) -> Order | None:
    """Return the order of a site with this placer order number, locked; None without one."""
    return session.scalar(
        select(Order)
        .where(Order.site_id == site_id, Order.placer_order_number == number)
        .with_for_update()
    )


def _copy(order: Order, request: OrderRequest) -> None:
    for name in _COPIED:
        setattr(order, name, getattr(request, name))
    order.document_number = normal_number(request.document_kind, request.document_number)
    order.document_flaw = flaw(
        request.document_kind,
        request.document_number,
        sex=request.patient_sex,
        birth_date=request.patient_birth_date,
    )


def _steps(
    order: Order,
    requested: Sequence[StepRequest],
    status: StepStatus = StepStatus.SCHEDULED,
) -> list[ScheduledStep]:
    digits = order.requested_procedure_id.removeprefix("RP")
    return [
        ScheduledStep(
            id=uuid4(),
            number=number,
            step_id=f"S{digits}-{number}",
            modality=step.modality,
            station_ae_title=step.station_ae_title,
            scheduled_at=step.scheduled_at or order.requested_at,
            description=step.description or order.procedure_description,
            status=status,
        )
        for number, step in enumerate(requested, start=1)
    ]


def _step_facts(steps: list[ScheduledStep]) -> list[tuple[object, ...]]:
    return [
        (step.modality, step.station_ae_title, step.scheduled_at, step.description)
        for step in steps
    ]


def _refuse_duplicate(session: Session, order: Order, name: str) -> None:
    value = getattr(order, name)
    if value is None:
        return
    column = getattr(Order, name)
    taken = session.scalar(
        select(Order.id).where(
            Order.site_id == order.site_id, column == value, Order.source != OrderSource.HEADER
        )
    )
    if taken is not None:
        raise _duplicate(name)


def _duplicate(name: str) -> OrderRefused:
    return OrderRefused(
        f"another order of the site has this {name}",
        field=name,
        duplicate=True,
        expected=f"a {name} of its own for every order",
        found="one that is in use",
        remedy="Change or cancel the order that has it, or give another number.",
    )


def _tell(session: Session, order: Order) -> None:
    outbox.emit(
        session, OrderChanged(order_id=order.id, site_id=order.site_id, revision=order.revision)
    )
