"""The event channel of UPS-RS: a WebSocket on which changed workitems are told (PS3.18 §11.13)."""

import asyncio
import contextlib
import json
from typing import Final, cast
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import APIRouter, WebSocket
from fastapi.concurrency import run_in_threadpool
from starlette.websockets import WebSocketDisconnect

from reading_worklist.access.scope import Scope
from reading_worklist.events import Batch
from reading_worklist.problems import Problem
from reading_worklist.services import COOKIE, Services, client_address, resumed_scope
from reading_worklist.ups.subscriptions import event_report
from reading_worklist.workitems.routes import CENTRE_ROLES

routes = APIRouter()

_REFUSED: Final = 1008  # "policy violation", RFC 6455 §7.4.1
_GOING_AWAY: Final = 1001
_LARGEST_MESSAGE_ID: Final = 65_535


@routes.websocket("/subscribers/{ae_title}")
async def open_channel(socket: WebSocket, ae_title: str) -> None:
    """Tell each change that this person's software of that AE title has subscribed to."""
    services = cast("Services", socket.app.state.services)
    scope = await run_in_threadpool(_scope, socket, services)
    if scope is None or not _same_origin(socket):
        await socket.close(_REFUSED)
        return
    async with services.events.subscribe() as queue:
        await socket.accept()
        heard = asyncio.create_task(_until_gone(socket))
        number = 0
        try:
            while not heard.done():
                told = asyncio.create_task(queue.get())
                await asyncio.wait({told, heard}, return_when=asyncio.FIRST_COMPLETED)
                if not told.done():
                    told.cancel()
                    return
                batch = told.result()
                if batch is None:
                    await socket.close(_GOING_AWAY)
                    return
                # As whoever he is now: he may have signed out, or act for others.
                scope = await run_in_threadpool(_scope, socket, services, active=False)
                if scope is None:
                    await socket.close(_REFUSED)
                    return
                for changed in _changed(batch, scope):
                    number = number % _LARGEST_MESSAGE_ID + 1
                    report = await run_in_threadpool(
                        _report, services, scope, ae_title, changed, number
                    )
                    if report is not None:
                        await socket.send_text(report)
        except WebSocketDisconnect:
            return
        finally:
            heard.cancel()


def _changed(batch: Batch, scope: Scope) -> list[UUID]:
    return [
        UUID(str(event.data["id"]))
        for event in batch
        if event.kind == "workitem" and event.site_id in scope.site_ids
    ]


def _report(
    services: Services, scope: Scope, ae_title: str, changed: UUID, number: int
) -> str | None:
    with services.database.transaction() as session:
        report = event_report(session, scope, ae_title, changed, number)
    return None if report is None else json.dumps(report)


def _scope(socket: WebSocket, services: Services, *, active: bool = True) -> Scope | None:
    """Return whose the channel is; None when nobody is signed in or his role does not read.

    active: see `sessions.resume`; that a channel is told of changes does not prolong a session.
    """
    token = socket.cookies.get(COOKIE)
    if token is None:
        return None
    try:
        scope = resumed_scope(services, token, client_address(socket), active=active)
    except Problem:
        return None
    return scope if scope.roles & set(CENTRE_ROLES) else None


def _same_origin(socket: WebSocket) -> bool:
    """Tell whether no page of another site opens it with this person's cookie."""
    origin = socket.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == socket.headers.get("host")


async def _until_gone(socket: WebSocket) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while True:
            await socket.receive_text()
