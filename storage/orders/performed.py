"""Performed procedure steps: what devices say they do and have done (PS3.4 Annex F)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from storage import audit
from storage.audit import Actor
from storage.clock import utc_now
from storage.errors import RdcError
from storage.orders import service
from storage.orders.states import (
    PERFORMED_TRANSITIONS,
    ExamAction,
    PerformedAction,
    PerformedState,
    next_state,
)
from storage.orders.tables import Order, PerformedStep
from storage.orders.words import OrderSource, StepStatus

_ACTIONS: Final = {
    PerformedState.IN_PROGRESS: PerformedAction.UPDATE,
    PerformedState.COMPLETED: PerformedAction.COMPLETE,
    PerformedState.DISCONTINUED: PerformedAction.DISCONTINUE,
}
_ENDED: Final = {
    PerformedState.COMPLETED: StepStatus.COMPLETED,
    PerformedState.DISCONTINUED: StepStatus.DISCONTINUED,
}


class PerformedStepExists(RdcError):
    """A performed step with this SOP Instance UID was created before."""


class NoSuchPerformedStep(RdcError):
    """The site has no performed step with this SOP Instance UID."""


class PerformedStepFinal(RdcError):
    """The performed step has ended and may no longer be updated."""


@dataclass(frozen=True, slots=True)
class NewPerformedStep:
    """What an N-CREATE tells.

    accession_number, requested_procedure_id: of the order, None when the device does not say.
    step_ids: Scheduled Procedure Step ID (0040,0009) of what it performs.
    dataset: the attribute list as received, in `transfer_syntax_uid`.
    """

    site_id: UUID
    device_id: UUID
    sop_instance_uid: str
    study_instance_uid: str
    accession_number: str | None
    requested_procedure_id: str | None
    step_ids: Sequence[str]
    modality: str
    station_ae_title: str
    dataset: bytes
    transfer_syntax_uid: str


def begin(session: Session, actor: Actor, new: NewPerformedStep) -> PerformedStep:
    """Note that a device has begun; the patient of its order is there.

    Raises:
        PerformedStepExists: the site has one with this SOP Instance UID.
    """
    order = _order_of(session, new)
    made = session.scalar(
        insert(PerformedStep)
        .values(
            site_id=new.site_id,
            device_id=new.device_id,
            sop_instance_uid=new.sop_instance_uid,
            state=PerformedState.IN_PROGRESS,
            study_instance_uid=new.study_instance_uid,
            order_id=order.id if order else None,
            modality=new.modality,
            station_ae_title=new.station_ae_title,
            instance_uids=[],
            created_dataset=new.dataset,
            created_syntax=new.transfer_syntax_uid,
        )
        .on_conflict_do_nothing(index_elements=["site_id", "sop_instance_uid"])
        .returning(PerformedStep)
    )
    if made is None:
        raise PerformedStepExists(
            "the performed procedure step exists already",
            expected="a new SOP Instance UID",
            remedy="Update it by N-SET.",
        )
    _audit(session, actor, made)
    if order is not None:
        for step in order.steps:
            if step.step_id in new.step_ids or (not new.step_ids and step.modality == new.modality):
                step.status = StepStatus.STARTED
        order.checked_in_at = order.checked_in_at or utc_now()
        if next_state(order.state, ExamAction.CHECK_IN) is not None:
            service.move(session, actor, order, ExamAction.CHECK_IN)
    return made


def update(
    session: Session,
    actor: Actor,
    *,
    site_id: UUID,
    sop_instance_uid: str,
    state: PerformedState,
    instance_uids: Sequence[str] | None,
    dataset: bytes,
    transfer_syntax_uid: str,
) -> PerformedStep:
    """Note how far a device is; with a final `state` its exam is acquired or broken off.

    instance_uids: every instance of every series the device lists; None when it lists no series.

    Raises:
        NoSuchPerformedStep, PerformedStepFinal: see there.
    """
    step = session.scalar(
        select(PerformedStep)
        .where(
            PerformedStep.site_id == site_id,
            PerformedStep.sop_instance_uid == sop_instance_uid,
        )
        .with_for_update()
    )
    if step is None:
        raise NoSuchPerformedStep(
            "there is no such performed procedure step", remedy="Create it by N-CREATE first."
        )
    after = PERFORMED_TRANSITIONS[step.state, _ACTIONS[state]]
    if after is None:
        raise PerformedStepFinal(
            "the performed procedure step may no longer be updated",
            expected=PerformedState.IN_PROGRESS.value,
            found=step.state.value,
        )
    if instance_uids is not None:
        step.instance_uids = list(dict.fromkeys(instance_uids))
    step.final_dataset = dataset
    step.final_syntax = transfer_syntax_uid
    if after is not step.state:
        step.state = after
        step.ended_at = utc_now()
        _audit(session, actor, step)
        session.flush()
        _end(session, actor, step)
    return step


def _order_of(session: Session, new: NewPerformedStep) -> Order | None:
    """Return the order of the site that the device names, locked; None when it names none."""
    of_site = (
        select(Order)
        .where(Order.site_id == new.site_id, Order.source != OrderSource.HEADER)
        .with_for_update()
    )
    ways = (
        Order.study_instance_uid == new.study_instance_uid,
        Order.accession_number == new.accession_number if new.accession_number else None,
        Order.requested_procedure_id == new.requested_procedure_id
        if new.requested_procedure_id
        else None,
    )
    for way in ways:
        if way is not None and (found := session.scalar(of_site.where(way))) is not None:
            return found
    return None


def _end(session: Session, actor: Actor, performed: PerformedStep) -> None:
    """Let the order's steps that the device had begun end as it has ended."""
    if performed.order_id is None:
        return
    order = service.locked(session, performed.order_id)
    for step in order.steps:
        if step.status is StepStatus.STARTED and step.modality == performed.modality:
            step.status = _ENDED[performed.state]
    if performed.state is not PerformedState.COMPLETED or any(
        step.status not in _ENDED.values() for step in order.steps
    ):
        return
    order.acquired_at = order.acquired_at or utc_now()
    if next_state(order.state, ExamAction.ACQUIRE) is not None:
        service.move(session, actor, order, ExamAction.ACQUIRE)


def _audit(session: Session, actor: Actor, step: PerformedStep) -> None:
    audit.record(
        session,
        actor,
        "performed_step:" + ("begin" if step.state is PerformedState.IN_PROGRESS else "end"),
        subject_kind="performed_step",
        subject_id=step.id,
        detail={"state": step.state, "instances": len(step.instance_uids)},
    )
