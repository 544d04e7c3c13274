"""The straight road of retrieval: one thread, one look at the session, one route's function.

A web process that has been still for some seconds pays most for the sheer amount of code that its
next request runs through. The framework's way to a route (every route compared, dependencies
resolved in threads of their own) was half of what metadata costs; here it is left out for the
requests that viewers wait for. What cannot be answered so goes on to the routes, which say why.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Final, TypeAlias

from fastapi import Request
from fastapi.responses import Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Connection

from reading_worklist.dicomweb import retrieve_routes as routes
from reading_worklist.dicomweb.queries import Root
from reading_worklist.dicomweb.requests import IMAGE_ROLES, Asked
from reading_worklist.services import COOKIE, Services, client_address, resumed_scope
from storage.errors import RdcError

PREFIX: Final = "/dicom-web/"
_Route: TypeAlias = Callable[..., Response]
# By the words of the path, with how many steps it has: what is named between them is the rest.
_ROUTES: Final[Mapping[tuple[str, ...], tuple[int, _Route]]] = {
    ("studies",): (2, routes.retrieve_study),
    ("studies", "metadata"): (3, routes.retrieve_study_metadata),
    ("studies", "series"): (4, routes.retrieve_series),
    ("studies", "series", "metadata"): (5, routes.retrieve_series_metadata),
    ("studies", "series", "instances"): (6, routes.retrieve_instance),
    ("studies", "series", "instances", "metadata"): (7, routes.retrieve_instance_metadata),
    ("studies", "series", "instances", "frames"): (8, routes.retrieve_frames),
}
_LONGEST: Final = max(steps for steps, _ in _ROUTES.values())
# Each waits for the database or the object store, as the framework's own threads do.
_THREADS: Final = 32


class DirectRetrieval:
    """ASGI middleware that answers retrieval by the routes' own functions, and else calls `app`."""

    def __init__(self, app: ASGIApp, *, services: Services) -> None:
        self._app = app
        self._services = services
        # They stay, where the framework's end after ten still seconds.
        self._threads = ThreadPoolExecutor(_THREADS, "retrieval")

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Answer the request, or pass it on."""
        site, steps = retrieval_steps(scope)
        # Words and what they name take turns in a path.
        found = _ROUTES.get(tuple(steps[::2])) if len(steps) <= _LONGEST else None
        if found is None or len(steps) != found[0]:
            await self._app(scope, receive, send)
            return
        _, route = found
        loop = asyncio.get_running_loop()
        # Whose request it is has to be known in the thread.
        context = copy_context()

        def within() -> Response | None:
            return context.run(self._answer, Request(scope), site, route, steps[1::2])

        answer = await loop.run_in_executor(self._threads, within)
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            if answer is not None:
                await answer(scope, receive, sending)
                return
        except RdcError:
            # A lost object, or a store that does not answer: the routes say so.
            if begun:
                raise
        await self._app(scope, receive, send)

    def _answer(
        self, request: Request, site: str | None, route: _Route, named: list[str]
    ) -> Response | None:
        token = request.cookies.get(COOKIE)
        if token is None:
            return None
        try:
            scope = resumed_scope(self._services, token, client_address(request))
            if scope.roles.isdisjoint(IMAGE_ROLES):
                return None
            return route(Asked(request, self._services, Root(scope, site)), *named)
        except (RdcError, SQLAlchemyError):
            return None


def retrieval_steps(scope: Connection) -> tuple[str | None, list[str]]:
    """Return the site code of a GET below the DICOMweb root and the steps of its path below that.

    The site is None under the common root; no steps: it is no such request.
    """
    if scope["type"] != "http" or scope["method"] != "GET":
        return None, []
    path: str = scope["path"]
    if not path.startswith(PREFIX):
        return None, []
    steps = path[len(PREFIX) :].split("/")
    if steps[0] == "sites" and len(steps) > 2:  # noqa: PLR2004 -- sites/{code}/…
        return steps[1], steps[2:]
    return None, steps
