"""What pages ask about orders, always within the scope of who asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal, or_, select
from sqlalchemy.orm import Session, selectinload

from reading_worklist.access.scope import Scope
from reading_worklist.orders.schemas import OrderPage, OrderView, StepView
from reading_worklist.problems import not_found
from reading_worklist.reports.document import mask_identity
from reading_worklist.workitems.queries import site_view
from reading_worklist.workitems.tables import Workitem
from storage.index.tables import Study
from storage.orders.states import ExamState
from storage.orders.tables import Order, StudyOrder
from storage.orders.words import OrderSource
from storage.person_name import canonical, display_name, latin_name
from storage.registry import Organisation

PAGE_SIZE_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """What to show; None and empty are everything.

    text: looked for at the beginning of patient id, accession and placer order number, and in the
        name (`order_called`).
    """

    states: Sequence[ExamState] = ()
    site_code: str | None = None
    text: str | None = None
    modality: str | None = None


def listed(
    session: Session, scope: Scope, wanted: OrderFilter, *, page: int, page_size: int
) -> OrderPage:
    """Return one page of the visible orders, newest first."""
    conditions = [scope.sees(Order.site_id), *_narrowed(wanted)]
    joined = (
        select(Order, Organisation)
        .join(Organisation, Organisation.id == Order.site_id)
        .where(*conditions)
    )
    total = session.scalar(
        select(func.count())
        .select_from(Order)
        .join(Organisation, Organisation.id == Order.site_id)
        .where(*conditions)
    )
    rows = session.execute(
        joined.options(selectinload(Order.steps))
        .order_by(Order.requested_at.desc(), Order.id)
        .offset((page - 1) * page_size)
        .limit(page_size)
    ).all()
    studies = _studies(session, [order.id for order, _ in rows])
    return OrderPage(
        items=[order_view(order, site, studies.get(order.id, ())) for order, site in rows],
        total=total or 0,
        page=page,
        page_size=page_size,
    )


def one(session: Session, scope: Scope, order_id: UUID) -> OrderView:
    """Return an order.

    Raises:
        Problem: 404 when it does not exist or is not visible.
    """
    found = session.execute(
        select(Order, Organisation)
        .join(Organisation, Organisation.id == Order.site_id)
        .where(Order.id == order_id, scope.sees(Order.site_id))
    ).one_or_none()
    if found is None:
        raise not_found("The order")
    order, site = found
    return order_view(order, site, _studies(session, [order.id]).get(order.id, ()))


_MADE_HERE: Final = frozenset(
    {"site", "steps", "study_instance_uids", "patient_latin_name", "patient_name_groups"}
)


def of_workitem(session: Session, scope: Scope, workitem_id: UUID) -> OrderView | None:
    """Return the order that a workitem's study answers; None when it has none in writing.

    Raises:
        Problem: 404 for an unseen workitem.
    """
    study_id = session.scalar(
        select(Workitem.study_id).where(Workitem.id == workitem_id, scope.sees(Workitem.site_id))
    )
    if study_id is None:
        raise not_found("The workitem")
    order_id = session.scalar(
        select(Order.id)
        .join(StudyOrder, StudyOrder.order_id == Order.id)
        .where(StudyOrder.study_id == study_id, Order.source != OrderSource.HEADER)
    )
    return one(session, scope, order_id) if order_id else None


def order_called(text: str) -> ColumnElement[bool]:
    """Return the SQL condition on `Order` that the patient's name in any reading fits `text`.

    Hanzi are found anywhere in the name; pinyin and initials from its beginning, as soon as a
    worker has made the keys.
    """
    wanted = text.strip()
    key = func.unnest(Order.name_keys).column_valued("order_name_key")
    begins = f"^{canonical(wanted)}"
    by_key = select(literal(1)).where(key.startswith(begins, autoescape=True)).exists()
    within = Order.patient_name.icontains(wanted, autoescape=True)
    return or_(within, by_key) if canonical(wanted) else within


def order_view(order: Order, site: Organisation, studies: Sequence[str]) -> OrderView:
    """Return an order as pages show it; `studies` are the UIDs of those that came for it."""
    facts: dict[str, Any] = {
        name: getattr(order, name) for name in OrderView.model_fields if name not in _MADE_HERE
    }
    facts["patient_name"] = display_name(order.patient_name)
    facts["patient_latin_name"] = latin_name(order.patient_name)
    facts["patient_name_groups"] = order.patient_name
    if order.document_number:
        facts["document_number"] = mask_identity(order.document_number)
    facts["site"] = site_view(site)
    facts["study_instance_uids"] = list(studies)
    facts["steps"] = [
        StepView(
            step_id=step.step_id,
            modality=step.modality,
            station_ae_title=step.station_ae_title,
            scheduled_at=step.scheduled_at,
            description=step.description,
            status=step.status,
        )
        for step in order.steps
    ]
    return OrderView.model_validate(facts)


def _narrowed(wanted: OrderFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.states:
        conditions.append(Order.state.in_(wanted.states))
    if wanted.site_code:
        conditions.append(Organisation.code == wanted.site_code)
    if wanted.modality:
        conditions.append(Order.steps.any(modality=wanted.modality))
    text = (wanted.text or "").strip()
    if text:
        conditions.append(
            or_(
                Order.patient_local_id.istartswith(text, autoescape=True),
                Order.accession_number.istartswith(text, autoescape=True),
                Order.placer_order_number.istartswith(text, autoescape=True),
                order_called(text),
            )
        )
    return conditions


def _studies(session: Session, order_ids: Sequence[UUID]) -> Mapping[UUID, list[str]]:
    found: dict[UUID, list[str]] = {}
    rows = session.execute(
        select(StudyOrder.order_id, Study.study_instance_uid)
        .join(Study, Study.id == StudyOrder.study_id)
        .where(StudyOrder.order_id.in_(order_ids))
        .order_by(Study.first_received_at)
    )
    for order_id, uid in rows:
        found.setdefault(order_id, []).append(uid)
    return found
