"""Destinations over HTTP, for who looks after the sites' machines.

    GET  /api/destinations                                       → DestinationView[]
    POST /api/destinations {site_code, kind, name, settings}     → DestinationView
    PUT  /api/destinations/{id} {name, settings}                 → DestinationView
    POST /api/destinations/{id}/active {active, reason}          → DestinationView[]
    POST /api/destinations/{id}/trial                            → DestinationView

Problems: 403 forbidden · 404 not-found · 422 destination-settings.
"""

from uuid import UUID

from fastapi import APIRouter

from reading_worklist.deliveries import destinations
from reading_worklist.deliveries.destinations import (
    ActiveBody,
    DestinationBody,
    DestinationView,
    NewDestinationBody,
)
from reading_worklist.services import Asking, Parts

router = APIRouter(prefix="/api", tags=["destinations"])


@router.get("/destinations")
def list_destinations(scope: Asking, services: Parts) -> list[DestinationView]:
    """Return where the reports of the visible sites go."""
    with services.database.transaction() as session:
        return destinations.listed(session, scope)


@router.post("/destinations")
def add_destination(body: NewDestinationBody, scope: Asking, services: Parts) -> DestinationView:
    """Add a destination to a site."""
    with services.database.transaction() as session:
        return destinations.add(session, scope, body)


@router.put("/destinations/{destination_id}")
def change_destination(
    destination_id: UUID, body: DestinationBody, scope: Asking, services: Parts
) -> DestinationView:
    """Change what a destination is called and told."""
    with services.database.transaction() as session:
        return destinations.change(session, scope, destination_id, body)


@router.post("/destinations/{destination_id}/active")
def switch_destination(
    destination_id: UUID, body: ActiveBody, scope: Asking, services: Parts
) -> list[DestinationView]:
    """Let reports go there from now on, or no more."""
    with services.database.transaction() as session:
        destinations.switch(session, scope, destination_id, body)
        session.flush()
        return destinations.listed(session, scope)


@router.post("/destinations/{destination_id}/trial")
def try_destination(destination_id: UUID, scope: Asking, services: Parts) -> DestinationView:
    """Try a destination without a report; what is found is in its `trial` a little later."""
    with services.database.transaction() as session:
        return destinations.have_tried(session, scope, destination_id)
