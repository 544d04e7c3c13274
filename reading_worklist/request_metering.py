"""How long requests take, by their route's template: paths hold identifiers, templates none."""

import time
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from storage import metering
from storage.correlation import correlated, new_id

_OTHER: Final = "(other)"
"""Files of the UI, and what is answered before a route is looked for."""


class RequestMetering:
    """Notes the time from a request to the beginning of its answer, and gives each a number.

    The number is in every line that is logged on the way, and in the answer (`X-Request-Id`).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.monotonic()
        request = new_id()

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                template = getattr(scope.get("route"), "path", _OTHER)
                metering.observe(
                    "rdc_http_request_seconds",
                    time.monotonic() - began,
                    scope["method"],
                    template,
                    str(message["status"]),
                )
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-request-id", request.encode()),
                ]
            await send(message)

        with correlated(request=request):
            await self._app(scope, receive, noted)
