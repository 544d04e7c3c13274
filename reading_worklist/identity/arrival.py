"""What becomes of a study that has come: its order, its patient, its place in the queue."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from reading_worklist import events
from reading_worklist.identity import cases
from reading_worklist.retakes import service as retakes
from reading_worklist.routing import service as routing
from reading_worklist.workitems import service as workitems
from reading_worklist.workitems.states import UNREAD, State
from reading_worklist.workitems.tables import Workitem
from storage import audit
from storage.identity.comparison import (
    Attribute,
    Difference,
    Finding,
    against_known,
    against_order,
)
from storage.index.tables import Patient, Study
from storage.messages import OrderChanged, StudyReceived
from storage.orders import links, matching
from storage.orders import service as orders
from storage.orders.states import WAITING, ExamAction, ExamState
from storage.orders.tables import Order, StudyOrder
from storage.orders.words import MatchedBy, OrderSource
from storage.person_name import search_keys

WORKER: Final = audit.system_actor("worker")


def study_received(session: Session, message: StudyReceived) -> None:
    """Match a complete study to its order and queue it, or hold it for the identity desk.

    The first time its order is looked for, or made from the header. Late instances of a study
    that went back to its site bring it to the desk again, unless they are what a retake asked for.
    Handled twice it changes nothing more.
    """
    study = session.scalars(
        select(Study).where(Study.id == message.study_id).with_for_update()
    ).one()
    item = workitems.queue_study(session, message)
    if item is None:
        return
    order = links.order_of_study(session, study.id)
    differences: Sequence[Difference] = ()
    if order is None:
        order, differences = settle(session, study)
    elif item.state is State.WITHDRAWN and not retakes.note_arrival(
        session, WORKER, order, study, item
    ):
        differences = _against(session, study, order)
        cases.open_case(
            session,
            WORKER,
            study,
            order,
            item,
            differences=differences,
            because="instances came after it was sent back",
        )
        return
    _arrive(session, order, message.missing_instances)
    routing.route(session, item, WORKER)
    if not differences:
        retakes.note_arrival(session, WORKER, order, study, item)
    if differences:
        cases.open_case(session, WORKER, study, order, item, differences=differences)
    elif order.state is not ExamState.IDENTITY_HOLD:
        orders.move(session, WORKER, order, ExamAction.QUEUE)


def settle(session: Session, study: Study) -> tuple[Order, list[Difference]]:
    """Tie a study that answers no order to the one it seems to answer, or to one made for it.

    Returns the order and what speaks against it.
    """
    match = matching.find_order(session, study)
    if match is None:
        order = header_order(session, study)
        links.link(session, WORKER, study, order, MatchedBy.HEADER)
        return order, _against(session, study, order)
    links.link(session, WORKER, study, match.order, match.matched_by)
    differences = against_order(study, match.order)
    if match.rivals:
        differences.append(Difference(Attribute.ORDER, Finding.AMBIGUOUS))
    return match.order, differences


def header_order(session: Session, study: Study) -> Order:
    """Make an order from a study's header, or take the one that was made of it before."""
    made = session.scalar(
        select(Order)
        .where(
            Order.site_id == study.site_id,
            Order.study_instance_uid == study.study_instance_uid,
            Order.source == OrderSource.HEADER,
        )
        .with_for_update()
    )
    return made or orders.from_header(
        session,
        WORKER,
        site_id=study.site_id,
        study_instance_uid=study.study_instance_uid,
        accession_number=study.accession_number,
        modality=next(iter(study.modalities), "OT"),
        local_id=study.header_patient_id,
        name=study.header_patient_name,
        sex=study.header_patient_sex,
        birth_date=study.header_patient_birth_date,
        description=study.study_description,
        received_at=study.first_received_at,
    )


def order_changed(session: Session, message: OrderChanged) -> None:
    """Tell open pages, give the readings of the order its priority, and look for its study.

    A study that came before its order is tied to it when it names it by Study Instance UID or
    accession number and nobody has begun to sign.
    """
    # Not locked yet: whoever locks a study and its order locks the study first.
    order = session.get_one(Order, message.order_id)
    tell(session, order)
    linked = session.scalars(
        select(Workitem)
        .join(StudyOrder, StudyOrder.study_id == Workitem.study_id)
        .where(StudyOrder.order_id == order.id)
        .with_for_update(of=Workitem)
    ).all()
    for item in linked:
        routing.route(session, item, WORKER)
    if not linked and order.state in WAITING and order.source is not OrderSource.HEADER:
        _take_earlier_study(session, order)
    # Last, since it locks the order.
    session.execute(
        update(Order).where(Order.id == order.id).values(name_keys=search_keys(order.patient_name))
    )


def tell(session: Session, order: Order) -> None:
    """Tell open pages that an order changed."""
    events.publish(
        session,
        events.Event("order", order.site_id, {"id": str(order.id), "state": order.state.value}),
    )


def _take_earlier_study(session: Session, order: Order) -> None:
    found = session.execute(
        select(Study, Workitem)
        .join(Workitem, Workitem.study_id == Study.id)
        .join(StudyOrder, StudyOrder.study_id == Study.id)
        .where(
            Study.site_id == order.site_id,
            StudyOrder.matched_by == MatchedBy.HEADER,
            Workitem.state.in_(UNREAD),
            (Study.study_instance_uid == order.study_instance_uid)
            | (Study.accession_number == order.accession_number),
        )
        .order_by(Study.first_received_at)
        .with_for_update(of=Study)
    ).all()
    for study, item in found:
        session.refresh(order, with_for_update=True)
        if order.state not in WAITING:
            return
        match = matching.find_order(session, study)
        if match is None or match.order.id != order.id:
            continue
        missing = 0
        made = links.order_of_study(session, study.id)
        if made is not None:
            missing = made.missing_instances
        links.unlink(session, WORKER, study)
        links.link(session, WORKER, study, order, match.matched_by)
        _arrive(session, order, missing)
        routing.route(session, item, WORKER)
        differences = against_order(study, order)
        if differences:
            cases.open_case(session, WORKER, study, order, item, differences=differences)
        else:
            orders.move(session, WORKER, order, ExamAction.QUEUE)


def _arrive(session: Session, order: Order, missing: int) -> None:
    """Move an exam whose study is here: whole, or with instances missing."""
    order.missing_instances = missing
    if order.state is ExamState.CANCELLED:
        # The case that is opened for it holds it.
        return
    orders.move(session, WORKER, order, ExamAction.MISS if missing else ExamAction.RECEIVE)


def _against(session: Session, study: Study, order: Order) -> list[Difference]:
    if order.source is not OrderSource.HEADER:
        return against_order(study, order)
    if study.header_patient_id is None:
        return []
    return against_known(study, session.get_one(Patient, study.patient_id))
