"""The quarantine as a list, for the people who look after it."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel
from sqlalchemy import func, select

from reading_worklist.access.masking import shown_to
from reading_worklist.services import Asking, Parts
from storage.index.tables import Quarantine
from storage.registry import Device, Organisation, Role

router = APIRouter(prefix="/api", tags=["operations"])

OPERATORS: Final = (Role.DISPATCHER, Role.CONSORTIUM_ADMIN, Role.SYSTEM_ADMIN)
_PAGE_SIZE: Final = 50


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
    found = QuarantinePage(items=items, total=total, page=page, page_size=_PAGE_SIZE)
    return shown_to(scope, found)
