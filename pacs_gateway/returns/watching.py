"""The clock's duty beside the deliveries: people are told when a destination stays away."""

from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from pacs_gateway.returns.turns import ENGINE
from storage import audit, outbox
from storage.deliveries import Delivery, DeliveryQueue
from storage.delivery_policy import deadlines_of
from storage.delivery_states import WAITING
from storage.messages import DestinationChanged
from storage.registry import Destination


def run_clock(session: Session, now: datetime, *, limit: int = 100) -> int:
    """Tell people of destinations that are out of reach for longer than their centre allows.

    Once each, until it is back; returns how many are new. One for which nothing waits harms nobody
    and is not told of.
    """
    waits = exists().where(
        Delivery.destination_id == DeliveryQueue.destination_id, Delivery.state.in_(WAITING)
    )
    rows = session.execute(
        select(DeliveryQueue, Destination)
        .join(Destination, Destination.id == DeliveryQueue.destination_id)
        .where(
            DeliveryQueue.failing_since <= now,
            DeliveryQueue.told_at.is_(None),
            DeliveryQueue.paused_at.is_(None),
            waits,
        )
        .order_by(DeliveryQueue.failing_since)
        .limit(limit)
        .with_for_update(skip_locked=True, of=DeliveryQueue)
    ).all()
    told = 0
    for queue, destination in rows:
        since = queue.failing_since
        if since is None or now - since < deadlines_of(session, destination.site_id).silent:
            continue
        queue.told_at = now
        told += 1
        audit.record(
            session,
            ENGINE,
            "destination:silent",
            subject_kind="destination",
            subject_id=destination.id,
            detail={"since": since.isoformat(), "failures": queue.failures},
        )
        outbox.emit(
            session,
            DestinationChanged(
                destination_id=destination.id, site_id=destination.site_id, change="silent"
            ),
        )
    return told
