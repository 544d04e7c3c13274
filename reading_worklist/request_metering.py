"""How long requests take, by their route's template: paths hold identifiers, templates none."""

import time
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from storage import metering

_OTHER: Final = "(other)"
"""Files of the UI, and what is answered before a route is looked for."""


class RequestMetering:
    """Notes the time from a request to the beginning of its answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not metering.is_enabled():
            await self._app(scope, receive, send)
            return
        began = time.monotonic()

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
            await send(message)

        await self._app(scope, receive, noted)
