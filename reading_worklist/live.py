"""Server-sent events: what changed at the sites a person may see."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Final

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from reading_worklist.access.scope import Scope
from reading_worklist.events import Event
from reading_worklist.services import Asking, Parts
from storage.registry import OrganisationKind

router = APIRouter(prefix="/api", tags=["live"])

_PING_SECONDS: Final = 15.0


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def events(scope: Asking, services: Parts) -> StreamingResponse:
    """Stream events as they happen.

    Names are `workitem` (data: id, state, lane), `order` and `identity` (data: id, state),
    `critical_value` (data: id, state, level, told), `consultation` and `retake` (data: id, state),
    `delivery` (data: id, workitem_id, state) and `destination` (data: id, change).
    While nothing happens, `ping` comes every fifteen seconds: a page that hears nothing for much
    longer has lost the connection, whatever its browser believes.
    """

    async def stream() -> AsyncIterator[str]:
        async with services.events.subscribe() as queue:
            yield ": connected\n\n"
            while not services.events.stopping:
                try:
                    event = await asyncio.wait_for(queue.get(), timeout=_PING_SECONDS)
                except TimeoutError:
                    yield "event: ping\ndata: {}\n\n"
                    continue
                if event is None:
                    return
                if _is_for(event, scope) and not _too_early(event, scope):
                    yield f"event: {event.kind}\ndata: {json.dumps(event.data)}\n\n"

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(stream(), media_type="text/event-stream", headers=headers)


def _is_for(event: Event, scope: Scope) -> bool:
    """Tell whether somebody may know of it: by his sites, or because it concerns him."""
    return event.site_id in scope.site_ids or event.person_id == scope.person_id


def _too_early(event: Event, scope: Scope) -> bool:
    """Tell whether a site would learn of a critical value that nobody has told it yet."""
    return scope.organisation_kind is OrganisationKind.SITE and event.data.get("told") is False
