"""Server-sent events: what changed at the sites a person may see.

A change of a workitem comes with its line of the worklist, read once for all who see the same: with
three hundred pages open, each of which asked for it, one change a second was more than two
processors could answer.
"""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Hashable, Mapping, Sequence
from http import HTTPStatus
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from sqlalchemy.exc import SQLAlchemyError

from reading_worklist.access.scope import Scope
from reading_worklist.events import PAGES_MAX, Batch, Event
from reading_worklist.problems import Problem
from reading_worklist.services import COOKIE, Asking, Parts, Services, resumed_scope
from reading_worklist.workitems.routes import CENTRE_ROLES
from reading_worklist.worklist.queries import lines_of
from reading_worklist.worklist.shared_lines import SharedLine
from reading_worklist.worklist.sharing import Shared, SharedWorklist
from storage import audit
from storage.registry import OrganisationKind

router = APIRouter(prefix="/api", tags=["live"])

LINES_TOLD_MAX: Final = 20
"""Of so many changed workitems at most a page is told the lines; for more it asks for its list."""
_WORKITEM: Final = "workitem"
_PING_SECONDS: Final = 15.0
# So long may somebody still hear of changes whose role has ended, who was signed out, or whose
# sites are others now.
_LOOK_SECONDS: Final = 5.0


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def events(
    request: Request, scope: Asking, services: Parts, shared: Shared
) -> StreamingResponse:
    """Stream events as they happen, until the session ends or acts for somebody else.

    Names are `workitem` (data: id, state, lane; for people of the centre also `line`, as
    `/api/worklist/lines` gives it, unless so much changes that the list is better asked for),
    `order` and `identity` (data: id, state), `critical_value` (data: id, state, level, told),
    `consultation` and `retake` (data: id, state), `delivery` (data: id, workitem_id, state) and
    `destination` (data: id, change).
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

    if _sees_lines(scope):
        await run_in_threadpool(_record, services, scope)

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    content = _stream(services, shared, request, scope)
    return StreamingResponse(content, media_type="text/event-stream", headers=headers)


async def _stream(
    services: Services, shared: SharedWorklist, request: Request, scope: Scope
) -> AsyncIterator[bytes]:
    async with services.events.subscribe(scope.person_id) as queue:
        yield b": connected\n\n"
        # One event wakes hundreds of streams: not all of them look at that moment.
        looked_at = time.monotonic() - random.uniform(0, _LOOK_SECONDS)  # noqa: S311 -- a moment, no secret
        while not services.events.stopping:
            try:
                batch = await asyncio.wait_for(queue.get(), timeout=_PING_SECONDS)
            except TimeoutError:
                told = b"event: ping\ndata: {}\n\n"
            else:
                if batch is None:
                    return
                told = await _told(services, shared, scope, batch)
                if not told:
                    continue
            if time.monotonic() - looked_at >= _LOOK_SECONDS:
                if not await run_in_threadpool(_still, services, request, scope):
                    return
                looked_at = time.monotonic()
            yield told


async def _told(services: Services, shared: SharedWorklist, scope: Scope, batch: Batch) -> bytes:
    """Return what a person is told of some changes; nothing when they are not for him."""
    events = [one for one in batch if _is_for(one, scope) and not _too_early(one, scope)]
    lines = await _lines(services, shared, scope, events)

    def told(event: Event) -> bytes:
        data = json.dumps(event.data).encode()
        line = lines.get(event.data.get("id", "")) if event.kind == _WORKITEM else None
        if line is not None:
            data = b'%b,"line":%b}' % (data[:-1], line.json(scope))
        return b"event: %b\ndata: %b\n\n" % (event.kind.encode(), data)

    return b"".join(map(told, events))


async def _lines(
    services: Services, shared: SharedWorklist, scope: Scope, events: Sequence[Event]
) -> Mapping[str, SharedLine]:
    ids = frozenset(str(one.data["id"]) for one in events if one.kind == _WORKITEM)
    if not (_sees_lines(scope) and 0 < len(ids) <= LINES_TOLD_MAX):
        return {}

    def lines() -> Mapping[str, SharedLine]:
        with services.database.transaction() as session:
            found = lines_of(session, scope, [UUID(one) for one in ids])
        return {str(one.view.id): one for one in found}

    try:
        return await shared.lines.get((ids, scope.reach, scope.site_ids), lines)
    except SQLAlchemyError:
        # That there was a change is told in any case; the page asks for the rest.
        return {}


def _sees_lines(scope: Scope) -> bool:
    return not scope.roles.isdisjoint(CENTRE_ROLES)


def _record(services: Services, scope: Scope) -> None:
    """Record that a person is shown lines of the worklist from now on, as they change."""
    with services.database.reading() as connection:
        audit.record_alone(
            connection, scope.actor, "list:see", subject_kind="list", subject_id="worklist/changes"
        )


def _still(services: Services, request: Request, scope: Scope) -> bool:
    """Tell whether a session goes on as it was; that its page listens does not prolong it."""
    try:
        now = resumed_scope(services, request.cookies[COOKIE], scope.client, active=False)
    except Problem:
        return False
    # A site that left the consortium, too: lines of its patients would go on. The page comes again.
    return _standing(now) == _standing(scope)


def _standing(scope: Scope) -> Hashable:
    return scope.organisation_id, scope.roles, scope.site_ids, scope.reach


def _is_for(event: Event, scope: Scope) -> bool:
    """Tell whether somebody may know of it: by his sites, or because it concerns him."""
    if event.kind == "emergency_access":
        return event.person_id == scope.person_id
    return event.site_id in scope.site_ids or event.person_id == scope.person_id


def _too_early(event: Event, scope: Scope) -> bool:
    """Tell whether a site would learn of a critical value that nobody has told it yet."""
    return scope.organisation_kind is OrganisationKind.SITE and event.data.get("told") is False
