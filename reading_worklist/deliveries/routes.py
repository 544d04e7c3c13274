"""Deliveries over HTTP: both sides look, the centre decides.

    GET  /api/deliveries?state=&destination=&open=&page=        → DeliveryPage
    GET  /api/deliveries/{id}                                   → DeliveryDetail
    POST /api/deliveries/{id}/pause|resume|replay   {reason}    → DeliveryDetail
    POST /api/deliveries/{id}/redirect  {destination_id, reason} → DeliveryDetail, the new one
    GET  /api/delivery-queues                                   → QueueList
    POST /api/delivery-queues/{destination}/pause|resume|probe {reason} → QueueList
    POST /api/delivery-queues/{destination}/replay  {reason, since}     → Moved
    POST /api/delivery-queues/{destination}/redirect {destination_id, reason} → Moved

Problems: 403 forbidden · 404 not-found · 409 delivery-action · 422 invalid-request.
"""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from reading_worklist.access.masking import shown_to
from reading_worklist.deliveries import queries, service
from reading_worklist.deliveries.queries import OPERATORS, SITE_ROLES, DeliveryFilter
from reading_worklist.deliveries.schemas import (
    DeliveryDetail,
    DeliveryPage,
    Moved,
    QueueList,
    ReasonBody,
    RedirectBody,
    ReplayBody,
)
from reading_worklist.services import Asking, Parts
from storage.deliveries import DeliveryState
from storage.delivery_states import DeliveryAction

router = APIRouter(prefix="/api", tags=["deliveries"])


class DeliveryDecision(StrEnum):
    """What is decided about one delivery."""

    PAUSE = "pause"
    RESUME = "resume"
    REPLAY = "replay"


class QueueDecision(StrEnum):
    """What is decided about a destination; PROBE: try it now, whatever its waiting time."""

    PAUSE = "pause"
    RESUME = "resume"
    PROBE = "probe"


@router.get("/deliveries")
def list_deliveries(  # noqa: PLR0917 -- one parameter for each query parameter
    scope: Asking,
    services: Parts,
    state: DeliveryState | None = None,
    destination: UUID | None = None,
    open_only: Annotated[bool, Query(alias="open")] = False,  # noqa: FBT002 -- a query parameter
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> DeliveryPage:
    """Return the deliveries of all visible sites; with `open` those that may still arrive."""
    scope.require(*OPERATORS, *SITE_ROLES)
    wanted = DeliveryFilter(state=state, destination_id=destination, open_only=open_only)
    with services.database.transaction() as session:
        return shown_to(scope, queries.listed(session, scope, wanted, page=page))


@router.get("/deliveries/{delivery_id}")
def get_delivery(delivery_id: UUID, scope: Asking, services: Parts) -> DeliveryDetail:
    """Return one delivery with its attempts."""
    scope.require(*OPERATORS, *SITE_ROLES)
    with services.database.transaction() as session:
        return shown_to(scope, queries.detail(session, scope, delivery_id))


@router.post("/deliveries/{delivery_id}/redirect")
def redirect_delivery(
    delivery_id: UUID, body: RedirectBody, scope: Asking, services: Parts
) -> DeliveryDetail:
    """Send a delivery to another destination of its site; returns the delivery there."""
    with services.database.transaction() as session:
        other = service.redirect(session, scope, delivery_id, body.destination_id, body.reason)
        session.flush()
        return shown_to(scope, queries.detail(session, scope, other))


@router.post("/deliveries/{delivery_id}/{decision}")
def decide_delivery(
    delivery_id: UUID,
    decision: DeliveryDecision,
    body: ReasonBody,
    scope: Asking,
    services: Parts,
) -> DeliveryDetail:
    """Hold a delivery, let it go on, or send it now or once more."""
    with services.database.transaction() as session:
        action = DeliveryAction(decision.value)
        service.decide(session, scope, delivery_id, action, body.reason)
        session.flush()
        return shown_to(scope, queries.detail(session, scope, delivery_id))


@router.get("/delivery-queues")
def list_queues(scope: Asking, services: Parts) -> QueueList:
    """Return how the deliveries to each destination of the visible sites are doing."""
    scope.require(*OPERATORS, *SITE_ROLES)
    with services.database.transaction() as session:
        return queries.queues(session, scope)


@router.post("/delivery-queues/{destination_id}/replay")
def replay_queue(destination_id: UUID, body: ReplayBody, scope: Asking, services: Parts) -> Moved:
    """Send again what a destination refused, and with `since` what it got from then on."""
    moved = 0
    after: UUID | None = None
    while True:
        with services.database.transaction() as session:
            some = service.replay_queue(session, scope, destination_id, body, after=after)
        moved += some.moved
        after = some.last
        if after is None:
            return Moved(moved=moved)


@router.post("/delivery-queues/{destination_id}/redirect")
def redirect_queue(
    destination_id: UUID, body: RedirectBody, scope: Asking, services: Parts
) -> Moved:
    """Send what waits for a destination to another one of its site."""
    moved = 0
    while True:
        with services.database.transaction() as session:
            some = service.redirect_queue(
                session, scope, destination_id, body.destination_id, body.reason
            )
        moved += some
        if some < service.AT_ONCE:
            return Moved(moved=moved)


@router.post("/delivery-queues/{destination_id}/{decision}")
def decide_queue(
    destination_id: UUID,
    decision: QueueDecision,
    body: ReasonBody,
    scope: Asking,
    services: Parts,
) -> QueueList:
    """Send nothing to a destination, send to it again, or try it now."""
    with services.database.transaction() as session:
        service.decide_queue(session, scope, destination_id, decision.value, body.reason)
        session.flush()
        return queries.queues(session, scope)
