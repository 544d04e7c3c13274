"""How each destination is doing, for the command line and the doctor."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage.deliveries import Delivery, DeliveryQueue
from storage.delivery_states import WAITING, DeliveryState
from storage.registry import Destination, Organisation

_HELD = (DeliveryState.PAUSED, DeliveryState.REFUSED)


@dataclass(frozen=True, slots=True)
class QueueOverview:
    """One destination. waiting: deliveries in the engine's hands; held: that need a person.

    state: "off", "paused", "out of reach" or "on". failing_since, last_error: of the third.
    """

    destination_id: UUID
    site_code: str
    kind: str
    label: str
    state: str
    waiting: int
    held: int
    failing_since: datetime | None
    last_success_at: datetime | None
    last_error: str | None

    def to_json(self) -> dict[str, object]:
        """Return it as JSON values."""
        return {
            name: value if value is None or isinstance(value, int | str) else str(value)
            for name, value in asdict(self).items()
        }


def queues(session: Session) -> Sequence[QueueOverview]:
    """Return every destination, by site and the order they were added in."""
    counts = (
        select(
            Delivery.destination_id,
            func.count().filter(Delivery.state.in_(WAITING)).label("waiting"),
            func.count().filter(Delivery.state.in_(_HELD)).label("held"),
        )
        .where(Delivery.state.in_((*WAITING, *_HELD)))
        .group_by(Delivery.destination_id)
        .subquery()
    )
    rows = session.execute(
        select(
            Destination,
            Organisation.code,
            DeliveryQueue,
            func.coalesce(counts.c.waiting, 0),
            func.coalesce(counts.c.held, 0),
        )
        .join(Organisation, Organisation.id == Destination.site_id)
        .outerjoin(DeliveryQueue, DeliveryQueue.destination_id == Destination.id)
        .outerjoin(counts, counts.c.destination_id == Destination.id)
        .order_by(Organisation.code, Destination.created_at, Destination.id)
    )
    return [
        QueueOverview(
            destination_id=one.id,
            site_code=code,
            kind=one.kind.value,
            label=one.label,
            state=_state(one, queue),
            waiting=waiting,
            held=held,
            failing_since=queue.failing_since if queue else None,
            last_success_at=queue.last_success_at if queue else None,
            last_error=queue.last_error if queue else None,
        )
        for one, code, queue, waiting, held in rows
    ]


def _state(destination: Destination, queue: DeliveryQueue | None) -> str:
    if not destination.active:
        return "off"
    if queue is None:
        return "on"
    if queue.paused_at is not None:
        return "paused"
    return "out of reach" if queue.failing_since is not None else "on"
