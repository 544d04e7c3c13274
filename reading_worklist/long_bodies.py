"""What a body that is longer than its route takes is answered with.

Starlette counts a body while it is read. One that comes in pieces it refuses with an exception,
which becomes a problem document as every other; one whose length is told beforehand it answers by
itself, in plain text, in place of whatever was to be said.
"""

from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reading_worklist.problems import too_long

_PLAIN: Final = "text/plain"


class LongBodies:
    """ASGI middleware around Starlette's own: whoever sends too much gets a problem document."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        replaced = False

        async def sending(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and _is_plain_refusal(message):
                replaced = True
                await too_long(scope)(scope, receive, send)
            elif not replaced:
                await send(message)

        await self._app(scope, receive, sending)


def _is_plain_refusal(message: Message) -> bool:
    if message["status"] != HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return False
    kind = Headers(raw=message.get("headers", [])).get("content-type", "")
    return kind.startswith(_PLAIN)
