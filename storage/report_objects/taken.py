"""Which objects of a delivery its destination has taken."""

from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from storage.deliveries import Delivery
from storage.report_objects.tables import TakenObject


def taken_of(session: Session, delivery_id: UUID) -> frozenset[str]:
    """Return the SOP Instance UIDs that were taken since a person last decided on the delivery."""
    return frozenset(
        session.scalars(
            select(TakenObject.sop_instance_uid)
            .join(Delivery, Delivery.id == TakenObject.delivery_id)
            .where(
                TakenObject.delivery_id == delivery_id,
                or_(Delivery.decided_at.is_(None), TakenObject.taken_at > Delivery.decided_at),
            )
        )
    )


def note_taken(session: Session, delivery_id: UUID, sop_instance_uid: str, answer: str) -> None:
    """Note that the destination has one object, in its own words."""
    session.execute(
        insert(TakenObject)
        .values(delivery_id=delivery_id, sop_instance_uid=sop_instance_uid, answer=answer)
        .on_conflict_do_nothing()
    )
