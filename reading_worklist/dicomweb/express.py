"""The short road of a viewer's requests: what needs no query and no thread is answered at once.

A viewer asks for hundreds of frames of a series it has just opened. Whoever
asks and what they may see was found by the routes less than a second ago; what
is left is a range of an object. Anything else (the first request, an error, an
unusual one) goes on to the routes, which decide everything.
"""

from functools import lru_cache
from typing import Final

from fastapi.responses import Response
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Connection

from reading_worklist.access.recent import RecentScopes
from reading_worklist.access.scope import Scope
from reading_worklist.dicomweb.direct import retrieval_steps
from reading_worklist.dicomweb.payloads import frame_numbers, frames_of
from reading_worklist.dicomweb.queries import Root
from reading_worklist.dicomweb.requests import IMAGE_ROLES, Wanted, accepted_by
from reading_worklist.dicomweb.series_index import IndexedInstance
from reading_worklist.dicomweb.series_views import SeriesView, SeriesViews
from reading_worklist.dicomweb.whole import whole_instances
from storage.datasets.sources import ObjectSource
from storage.errors import RdcError
from storage.objects import ObjectStore

_ROLES: Final = frozenset(IMAGE_ROLES)
# studies/{}/series/{}, and below it instances/{}, and below that frames/{}.
_SERIES_STEPS: Final = 4
_INSTANCE_STEPS: Final = 6
_FRAMES_STEPS: Final = 8


class ExpressRetrieval:
    """ASGI middleware that answers retrieval from memory where it can, and else calls `app`."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        objects: ObjectStore,
        scopes: RecentScopes,
        views: SeriesViews,
        cookie: str,
    ) -> None:
        self._app = app
        self._objects = objects
        self._scopes = scopes
        self._views = views
        self._cookie = cookie

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Answer the request, or pass it on."""
        answer = self._answer(scope)
        if answer is None:
            await self._app(scope, receive, send)
            return
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await answer(scope, receive, sending)
        except RdcError:
            # A lost object, or a store that does not answer: the routes say so.
            if begun:
                raise
            await self._app(scope, receive, send)

    def _answer(self, scope: Connection) -> Response | None:
        site, steps = retrieval_steps(scope)
        if len(steps) <= _SERIES_STEPS or steps[0] != "studies" or steps[2] != "series":
            return None
        if scope["query_string"]:
            return None
        headers = Headers(scope=scope)
        person = self._person(scope, headers)
        view = person and self._views.recall(Root(person, site), steps[1], steps[3])
        try:
            return self._of_series(headers, view, steps) if view else None
        except RdcError:
            return None

    def _person(self, scope: Connection, headers: Headers) -> Scope | None:
        token = _cookie_of(headers.get("cookie", ""), self._cookie)
        client = scope.get("client")
        if token is None or client is None:
            return None
        person = self._scopes.recall(token, client[0])
        if person is None or not person.roles & _ROLES:
            return None
        return person

    def _of_series(self, headers: Headers, view: SeriesView, steps: list[str]) -> Response | None:
        if len(steps) > _SERIES_STEPS + 1 and steps[4] == "instances":
            instance = view.instances.get(steps[5])
            if instance is None:
                return None
            wanted = Wanted(headers, accepted_by(headers.get("accept")), self._objects)
            if len(steps) == _INSTANCE_STEPS:
                if view.series.overlay is not None:
                    return None
                named = (instance.record.dataset_sha256,)
                return whole_instances(wanted, [instance.record], overlay=None, named=named)
            if len(steps) == _FRAMES_STEPS and steps[6] == "frames":
                return self._frames(wanted, instance, steps[7])
        return None

    def _frames(self, wanted: Wanted, instance: IndexedInstance, text: str) -> Response | None:
        layout, record = instance.layout, instance.record
        if layout is None:
            return None
        source = ObjectSource(self._objects, record.object_key, record.object_size)
        return frames_of(wanted, record, frame_numbers(text), lambda: (source, layout))


@lru_cache(4096)
def _cookie_of(header: str, name: str) -> str | None:
    """Return the value of a cookie, read as for the routes."""
    return cookie_parser(header).get(name)
