"""Server-sent events: what changed at the sites a person may see."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Final

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from reading_worklist.access.scope import Scope
from reading_worklist.events import PAGES_MAX, Event
from reading_worklist.problems import Problem
from reading_worklist.services import COOKIE, Asking, Parts, Services, resumed_scope
from storage.registry import OrganisationKind

router = APIRouter(prefix="/api", tags=["live"])

_PING_SECONDS: Final = 15.0
# So long may somebody still hear of changes whose role has ended or who was signed out.
_LOOK_SECONDS: Final = 5.0


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def events(request: Request, scope: Asking, services: Parts) -> StreamingResponse:
    """Stream events as they happen, until the session ends or acts for somebody else.

    Names are `workitem` (data: id, state, lane), `order` and `identity` (data: id, state),
    `critical_value` (data: id, state, level, told), `consultation` and `retake` (data: id, state),
    `delivery` (data: id, workitem_id, state) and `destination` (data: id, change).
    While nothing happens, `ping` comes every fifteen seconds: a page that hears nothing for much
    longer has lost the connection, whatever its browser believes.
    """
    if services.events.pages_of(scope.person_id) >= PAGES_MAX:
        raise Problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            "too-many-pages",
            "So many pages are open already that this one is not told of changes",
            expected=f"at most {PAGES_MAX} pages of one person",
            remedy="Close some; this one tries again by itself.",
            retry_after=30,
        )

    async def stream() -> AsyncIterator[str]:
        async with services.events.subscribe(scope.person_id) as queue:
            yield ": connected\n\n"
            looked_at = time.monotonic()
            while not services.events.stopping:
                try:
                    event = await asyncio.wait_for(queue.get(), timeout=_PING_SECONDS)
                except TimeoutError:
                    told = "event: ping\ndata: {}\n\n"
                else:
                    if event is None:
                        return
                    if not _is_for(event, scope) or _too_early(event, scope):
                        continue
                    told = f"event: {event.kind}\ndata: {json.dumps(event.data)}\n\n"
                if time.monotonic() - looked_at >= _LOOK_SECONDS:
                    if not await run_in_threadpool(_still, services, request, scope):
                        return
                    looked_at = time.monotonic()
                yield told

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(stream(), media_type="text/event-stream", headers=headers)


def _still(services: Services, request: Request, scope: Scope) -> bool:
    """Tell whether a session goes on as it was; that its page listens does not prolong it."""
    try:
        now = resumed_scope(services, request.cookies[COOKIE], scope.client, active=False)
    except Problem:
        return False
    return (now.organisation_id, now.roles) == (scope.organisation_id, scope.roles)


def _is_for(event: Event, scope: Scope) -> bool:
    """Tell whether somebody may know of it: by his sites, or because it concerns him."""
    if event.kind == "emergency_access":
        return event.person_id == scope.person_id
    return event.site_id in scope.site_ids or event.person_id == scope.person_id


def _too_early(event: Event, scope: Scope) -> bool:
    """Tell whether a site would learn of a critical value that nobody has told it yet."""
    return scope.organisation_kind is OrganisationKind.SITE and event.data.get("told") is False
