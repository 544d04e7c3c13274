"""Deliveries and the quarantine, for the people who look after them."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel
from sqlalchemy import func, select

from reading_worklist.problems import not_found
from reading_worklist.services import Asking, Parts
from storage.deliveries import Delivery, DeliveryState, attempts_of
from storage.index.tables import Patient, Quarantine, Study
from storage.person_name import display_name, latin_name
from storage.registry import Destination, Device, Organisation, Role

router = APIRouter(prefix="/api", tags=["operations"])

OPERATORS: Final = (Role.DISPATCHER, Role.CONSORTIUM_ADMIN, Role.SYSTEM_ADMIN)
_PAGE_SIZE: Final = 50


class DeliveryView(BaseModel):
    """One report version on its way to one destination."""

    id: UUID
    workitem_id: UUID
    site_code: str
    site_name: str
    site_name_en: str
    patient_name: str
    patient_latin_name: str
    title: str
    version_number: int
    destination: str
    state: DeliveryState
    attempts: int
    next_attempt_at: datetime | None
    created_at: datetime
    delivered_at: datetime | None
    last_error: str | None


class AttemptView(BaseModel):
    """One try; `answer` is what the receiver said, in words."""

    number: int
    started_at: datetime
    ended_at: datetime | None
    succeeded: bool | None
    answer: str | None


class DeliveryDetail(DeliveryView):
    """A delivery with every attempt."""

    attempt_list: list[AttemptView]


class DeliveryPage(BaseModel):
    """A page of deliveries, newest first."""

    items: list[DeliveryView]
    total: int
    page: int
    page_size: int


class QuarantineView(BaseModel):
    """Bytes that were received but not filed."""

    id: UUID
    site_code: str | None
    site_name: str | None
    site_name_en: str | None
    device_name: str | None
    calling_ae_title: str
    reason: str
    sop_instance_uid: str | None
    detail: dict[str, str]
    object_size: int
    received_at: datetime
    resolved_at: datetime | None


class QuarantinePage(BaseModel):
    """A page of the quarantine, newest first."""

    items: list[QuarantineView]
    total: int
    page: int
    page_size: int


_Page = Annotated[int, Query(ge=1, le=100_000)]


@router.get("/deliveries")
def list_deliveries(
    scope: Asking, services: Parts, state: DeliveryState | None = None, page: _Page = 1
) -> DeliveryPage:
    """Return the deliveries of all visible sites."""
    scope.require(*OPERATORS)
    conditions = [scope.sees(Delivery.site_id)]
    if state is not None:
        conditions.append(Delivery.state == state)
    with services.database.transaction() as session:
        total = session.scalar(select(func.count()).select_from(Delivery).where(*conditions)) or 0
        rows = session.execute(
            _deliveries()
            .where(*conditions)
            .order_by(Delivery.created_at.desc(), Delivery.id)
            .offset((page - 1) * _PAGE_SIZE)
            .limit(_PAGE_SIZE)
        ).all()
        items = [_delivery(*row) for row in rows]
    return DeliveryPage(items=items, total=total, page=page, page_size=_PAGE_SIZE)


@router.get("/deliveries/{delivery_id}")
def get_delivery(delivery_id: UUID, scope: Asking, services: Parts) -> DeliveryDetail:
    """Return one delivery with its attempts."""
    scope.require(*OPERATORS)
    with services.database.transaction() as session:
        row = session.execute(
            _deliveries().where(Delivery.id == delivery_id, scope.sees(Delivery.site_id))
        ).one_or_none()
        if row is None:
            raise not_found("The delivery")
        attempts = [
            AttemptView(
                number=one.number,
                started_at=one.started_at,
                ended_at=one.ended_at,
                succeeded=one.succeeded,
                answer=one.answer,
            )
            for one in attempts_of(session, delivery_id)
        ]
        return DeliveryDetail(**_delivery(*row).model_dump(), attempt_list=attempts)


@router.get("/quarantine")
def list_quarantine(scope: Asking, services: Parts, page: _Page = 1) -> QuarantinePage:
    """Return what was quarantined at visible sites."""
    scope.require(*OPERATORS)
    condition = scope.sees(Quarantine.site_id)
    with services.database.transaction() as session:
        total = session.scalar(select(func.count()).select_from(Quarantine).where(condition)) or 0
        rows = session.execute(
            select(Quarantine, Organisation, Device)
            .join(Organisation, Organisation.id == Quarantine.site_id)
            .join(Device, Device.id == Quarantine.device_id, isouter=True)
            .where(condition)
            .order_by(Quarantine.received_at.desc(), Quarantine.id)
            .offset((page - 1) * _PAGE_SIZE)
            .limit(_PAGE_SIZE)
        ).all()
        items = [
            QuarantineView(
                id=one.id,
                site_code=site.code,
                site_name=site.name,
                site_name_en=site.name_en,
                device_name=device.name if device else None,
                calling_ae_title=one.calling_ae_title,
                reason=one.reason,
                sop_instance_uid=one.sop_instance_uid,
                detail=one.detail,
                object_size=one.object_size,
                received_at=one.received_at,
                resolved_at=one.resolved_at,
            )
            for one, site, device in rows
        ]
    return QuarantinePage(items=items, total=total, page=page, page_size=_PAGE_SIZE)


def _deliveries():  # noqa: ANN202 -- the inferred Select type names every column
    return (
        select(Delivery, Organisation, Destination, Patient)
        .join(Organisation, Organisation.id == Delivery.site_id)
        .join(Destination, Destination.id == Delivery.destination_id)
        .join(Study, Study.id == Delivery.study_id)
        .join(Patient, Patient.id == Study.patient_id)
    )


def _delivery(
    one: Delivery, site: Organisation, destination: Destination, patient: Patient
) -> DeliveryView:
    waiting = one.state in (DeliveryState.PENDING, DeliveryState.IN_PROGRESS)
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
        destination=destination.label,
        state=one.state,
        attempts=one.attempts,
        next_attempt_at=one.next_attempt_at if waiting else None,
        created_at=one.created_at,
        delivered_at=one.delivered_at,
        last_error=one.last_error,
    )
