"""Orders over HTTP: placed by the people of a site, seen by its people and by the centre."""

from typing import Annotated, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query

from reading_worklist.orders import queries, service, suggestions
from reading_worklist.orders.queries import PAGE_SIZE_MAX, OrderFilter
from reading_worklist.orders.schemas import (
    ChangedOrderBody,
    EarlierExams,
    NewOrderBody,
    OrderPage,
    OrderView,
    SitePatient,
    StateBody,
)
from reading_worklist.orders.service import ORDERING_ROLES
from reading_worklist.services import Asking, Parts
from reading_worklist.workitems.routes import CENTRE_ROLES
from storage.orders.states import ExamState

router = APIRouter(prefix="/api/orders", tags=["orders"])

_READERS: Final = (*ORDERING_ROLES, *CENTRE_ROLES)


@router.get("")
def list_orders(  # noqa: PLR0917 -- one parameter for each query parameter
    scope: Asking,
    services: Parts,
    state: Annotated[list[ExamState] | None, Query()] = None,
    site: Annotated[str | None, Query(max_length=100)] = None,
    q: Annotated[str | None, Query(max_length=100)] = None,
    modality: Annotated[str | None, Query(max_length=16)] = None,
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    page_size: Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX)] = 50,
) -> OrderPage:
    """Return a page of orders, newest first."""
    scope.require(*_READERS)
    wanted = OrderFilter(states=state or (), site_code=site, text=q, modality=modality)
    with services.database.transaction() as session:
        return queries.listed(session, scope, wanted, page=page, page_size=page_size)


@router.get("/patients")
def find_site_patients(
    scope: Asking, services: Parts, q: Annotated[str, Query(max_length=100)]
) -> list[SitePatient]:
    """Return patients the site knows by resident identity number, patient id or name."""
    scope.require(*ORDERING_ROLES)
    with services.database.transaction() as session:
        return suggestions.patients(session, scope, q)


@router.get("/earlier")
def list_earlier_exams(
    scope: Asking,
    services: Parts,
    patient: Annotated[str, Query(min_length=1, max_length=64)],
    modality: Annotated[str, Query(max_length=16)],
    body_part: Annotated[str | None, Query(max_length=64)] = None,
) -> EarlierExams:
    """Return exams of a patient that speak against ordering another of the kind."""
    scope.require(*ORDERING_ROLES)
    with services.database.transaction() as session:
        return suggestions.earlier_exams(
            session,
            scope,
            patient_local_id=patient,
            modality=modality,
            body_part=body_part or None,
            zone=ZoneInfo(services.config.time_zone),
        )


@router.get("/{order_id}")
def get_order(order_id: UUID, scope: Asking, services: Parts) -> OrderView:
    """Return one order."""
    scope.require(*_READERS)
    with services.database.transaction() as session:
        return queries.one(session, scope, order_id)


@router.post("", status_code=201)
def place_order(body: NewOrderBody, scope: Asking, services: Parts) -> OrderView:
    """Order an exam at the site one acts for; it is on its modalities' worklists at once."""
    with services.database.transaction() as session:
        order_id = service.place(session, scope, body)
    return get_order(order_id, scope, services)


@router.put("/{order_id}")
def change_order(
    order_id: UUID, body: ChangedOrderBody, scope: Asking, services: Parts
) -> OrderView:
    """Replace what was ordered; steps that have begun stay."""
    with services.database.transaction() as session:
        service.change(session, scope, order_id, body)
    return get_order(order_id, scope, services)


@router.patch("/{order_id}")
def set_order_state(order_id: UUID, body: StateBody, scope: Asking, services: Parts) -> OrderView:
    """Check the patient in, or cancel the exam."""
    with services.database.transaction() as session:
        service.set_state(session, scope, order_id, body)
    return get_order(order_id, scope, services)
