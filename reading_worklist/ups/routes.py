"""UPS-RS (PS3.18 §11) over HTTP, under the common root and that of each site.

    GET  {root}/workitems                       search
    GET  {root}/workitems/{uid}                 retrieve
    PUT  {root}/workitems/{uid}/state           change state: claim, give back
    POST {root}/workitems/{uid}?transaction-uid= update: go on working
    POST {root}/workitems/{uid}/cancelrequest   ask that it be given back
    POST, DELETE {root}/workitems/{uid}/subscribers/{AE title}    subscribe, unsubscribe
    WS   {root}/subscribers/{AE title}          the event channel

What is mapped to what and what is left out stands in `CONFORMANCE.md` beside this file.
"""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from reading_worklist.dicomweb import queries as dicomweb_queries
from reading_worklist.dicomweb.requests import Asked, Asks
from reading_worklist.dicomweb.responses import json_response
from reading_worklist.problems import problem_response
from reading_worklist.ups import channel, queries, service, subscriptions
from reading_worklist.ups.requests import (
    BODY_MAX,
    UpsConflict,
    parse_change,
    parse_search,
    parse_update,
    workitem_id,
)
from reading_worklist.workitems.routes import centre

router = APIRouter(tags=["worklist"], include_in_schema=False)
_routes = APIRouter()


async def _received(request: Request) -> bytes:
    """Return the body, or as much of it as shows that it is too large."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_MAX:
            break
    return body


_Dataset = Annotated[bytes, Depends(_received)]


@_routes.get("/workitems")
def search_workitems(asked: Asks) -> Response:
    """Return workitems: what waits, most urgent first, then what is done, the latest first."""
    centre(asked.scope)
    asked.require_json()
    wanted = parse_search(asked.request.query_params.multi_items())
    with asked.services.database.transaction() as session:
        site_id = dicomweb_queries.require_site(session, asked.root)
        found, total = queries.search(session, asked.scope, site_id, wanted, _base(asked))
    exact = total <= queries.COUNTED_MAX
    headers = {
        "X-Total-Count": str(min(total, queries.COUNTED_MAX)),
        "X-Total-Count-Relation": "eq" if exact else "gte",
    }
    warnings: list[str] = []
    left = total - wanted.offset - len(found)
    if left > 0 and found:
        count = str(left) if exact else f"at least {left}"
        warnings.append(f"There are {count} additional results that can be requested")
    if wanted.ignored:
        warnings.append("Some parameters were ignored")
    if warnings:
        headers["Warning"] = ", ".join(_warning(asked, one) for one in warnings)
    return json_response(asked.request, json.dumps(found).encode(), headers=headers)


@_routes.get("/workitems/{uid}")
def retrieve_workitem(asked: Asks, uid: str) -> Response:
    """Return one workitem."""
    centre(asked.scope)
    asked.require_json()
    with asked.services.database.transaction() as session:
        site_id = dicomweb_queries.require_site(session, asked.root)
        found = queries.retrieve(session, asked.scope, site_id, workitem_id(uid), _base(asked))
    return json_response(asked.request, json.dumps([found]).encode())


@_routes.put("/workitems/{uid}/state")
def change_workitem_state(asked: Asks, uid: str, body: _Dataset) -> Response:
    """Claim a workitem under a Transaction UID, or give back what one has claimed."""

    def act() -> str | None:
        change = parse_change(body)
        item = _visible(asked, uid)
        with asked.services.database.transaction() as session:
            return service.change_state(session, asked.scope, item, change, asked.services.config)

    return _answer(asked, act, HTTPStatus.OK)


@_routes.post("/workitems/{uid}/cancelrequest")
def request_workitem_cancellation(asked: Asks, uid: str) -> Response:
    """Ask that a workitem be given back by whoever holds it."""

    def act() -> str | None:
        item = _visible(asked, uid)
        with asked.services.database.transaction() as session:
            return service.request_cancellation(session, asked.scope, item)

    return _answer(asked, act, HTTPStatus.ACCEPTED)


@_routes.post("/workitems/{uid}")
def update_workitem(
    asked: Asks,
    uid: str,
    body: _Dataset,
    transaction_uid: Annotated[str | None, Query(alias="transaction-uid", max_length=64)] = None,
) -> Response:
    """Say that one goes on working on what one has claimed; attributes stay as they are."""

    def act() -> str | None:
        parse_update(body)
        item = _visible(asked, uid)
        with asked.services.database.transaction() as session:
            service.update(session, asked.scope, item, transaction_uid, asked.services.config)
        return "The Workitem was updated with modifications."

    return _answer(asked, act, HTTPStatus.OK)


@_routes.post("/workitems/{uid}/subscribers/{ae_title}")
def subscribe_to_workitem(asked: Asks, uid: str, ae_title: str) -> Response:
    """Let one's software know of changes of a workitem, of all, or of those that match a filter."""
    centre(asked.scope)
    with asked.services.database.transaction() as session:
        subscriptions.subscribe(
            session, asked.scope, uid, ae_title, asked.request.query_params.multi_items()
        )
    address = f"{_base(asked)}/subscribers/{ae_title}".replace("http", "ws", 1)
    headers = {"Content-Location": address}
    if asked.request.query_params.get("deletionlock", "false").lower() == "true":
        headers["Warning"] = _warning(asked, "Deletion Lock not granted.")
    return Response(status_code=HTTPStatus.CREATED, headers=headers)


@_routes.delete("/workitems/{uid}/subscribers/{ae_title}")
def unsubscribe_from_workitem(asked: Asks, uid: str, ae_title: str) -> Response:
    """End a subscription."""
    centre(asked.scope)
    with asked.services.database.transaction() as session:
        subscriptions.unsubscribe(session, asked.scope, uid, ae_title)
    return Response(status_code=HTTPStatus.OK)


def _visible(asked: Asked, uid: str) -> UUID:
    """Return the workitem's id when it is visible under the root that was asked."""
    centre(asked.scope)
    wanted = workitem_id(uid)
    with asked.services.database.transaction() as session:
        site_id = dicomweb_queries.require_site(session, asked.root)
        queries.retrieve(session, asked.scope, site_id, wanted, _base(asked))
    return wanted


def _answer(asked: Asked, act: Callable[[], str | None], status: HTTPStatus) -> Response:
    try:
        warning = act()
    except UpsConflict as error:
        return problem_response(
            error.status,
            error.code,
            error.what,
            remedy=error.remedy,
            headers={"Warning": _warning(asked, error.warning)},
        )
    headers = {"Warning": _warning(asked, warning)} if warning else None
    return Response(status_code=status, headers=headers)


def _base(asked: Asked) -> str:
    site = asked.root.site_code
    return f"{asked.base_url}/dicom-web" + (f"/sites/{site}" if site else "")


def _warning(asked: Asked, text: str) -> str:
    return f'299 {asked.request.url.netloc} "{text}"'


_ROOTS: Final = ("/dicom-web", "/dicom-web/sites/{site_code}")
for _root in _ROOTS:
    router.include_router(_routes, prefix=_root)
    router.include_router(channel.routes, prefix=_root)
