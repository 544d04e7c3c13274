"""Which services an organisation gets today."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from storage.agreements.tables import Agreement, Service
from storage.civil_day import civil_day
from storage.registry import lineage


def providers(
    session: Session, service: Service, client_id: UUID, among: Collection[UUID]
) -> frozenset[UUID]:
    """Return which of some organisations give a service to another by an agreement valid today."""
    today = civil_day()
    line = [one.id for one in lineage(session, client_id)]
    giving = set(
        session.scalars(
            select(Agreement.provider_id).where(
                Agreement.client_id.in_(line),
                Agreement.service == service,
                Agreement.ended_at.is_(None),
                Agreement.valid_from <= today,
                or_(Agreement.valid_until.is_(None), Agreement.valid_until >= today),
            )
        )
    )
    if not giving:
        return frozenset()
    return frozenset(
        one for one in among if not giving.isdisjoint(above.id for above in lineage(session, one))
    )
