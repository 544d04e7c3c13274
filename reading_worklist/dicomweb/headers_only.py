"""HEAD on every DICOMweb resource (RFC 9110 §9.3.2): what GET would answer, without its body."""

import asyncio
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PREFIX: Final = "/dicom-web/"


class HeadersOnly:
    """ASGI middleware that has `app` answer HEAD as GET and lets nothing of the body through.

    As soon as the headers are sent the app is told that its client has gone, so that a long body
    is not read for nobody.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        is_head = scope["type"] == "http" and scope["method"] == "HEAD"
        if not is_head or not scope["path"].startswith(_PREFIX):
            await self._app(scope, receive, send)
            return
        told, asked = asyncio.Event(), False

        async def receive_once() -> Message:
            nonlocal asked
            if asked:
                await told.wait()
                return {"type": "http.disconnect"}
            asked = True
            return await receive()

        async def send_head(message: Message) -> None:
            if told.is_set():
                return
            await send(message)
            if message["type"] == "http.response.start":
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                told.set()

        await self._app({**scope, "method": "GET"}, receive_once, send_head)
