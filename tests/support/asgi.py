"""Many questions to an application in one event loop, without the cost of an HTTP client."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlencode

from starlette.types import ASGIApp, Message


@dataclass(frozen=True, slots=True)
class Answer:
    """What the application answered.

    headers: names in lower case, in the order in which they were sent.
    """

    status_code: int
    content: bytes
    headers: Sequence[tuple[str, str]]

    @property
    def text(self) -> str:
        """The body, read as UTF-8."""
        return self.content.decode(errors="replace")


async def ask(
    app: ASGIApp,
    method: str,
    path: str,
    *,
    params: Mapping[str, Any] | None = None,
    body: object = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Ask `path` and read the whole answer.

    path: not escaped. body: sent as JSON; None sends none.
    """
    content = b"" if body is None else json.dumps(body).encode()
    sent = {"host": "testserver", **(headers or {})}
    if body is not None:
        sent |= {"content-type": "application/json", "content-length": str(len(content))}
    return await ask_bytes(app, method, f"{quote(path)}?{urlencode(params or {})}", sent, content)


async def ask_bytes(
    app: ASGIApp, method: str, target: str, headers: Mapping[str, str], content: bytes
) -> Answer:
    """Ask a target, path and query as they stand in a request line, and read the whole answer."""
    scope = _connection(method, target, headers)
    status, parts, answered_with = 0, list[bytes](), list[tuple[str, str]]()
    asked, answered = False, asyncio.Event()

    async def receive() -> Message:
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "http.request", "body": content, "more_body": False}
        await answered.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            answered_with.extend(
                (name.decode("latin-1").lower(), value.decode("latin-1"))
                for name, value in message.get("headers", ())
            )
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                answered.set()

    await app(scope, receive, send)
    return Answer(status, b"".join(parts), answered_with)


async def listen(
    app: ASGIApp, target: str, headers: Mapping[str, str], *, until: Callable[[bytes], bool]
) -> bytes:
    """Read an answer that has no end until `until` is true of it, then go away; return it."""
    gone, found = asyncio.Event(), bytearray()
    asked = False

    async def receive() -> Message:
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        found.extend(message.get("body", b""))
        if until(bytes(found)):
            gone.set()

    await app(_connection("GET", target, {"host": "testserver", **headers}), receive, send)
    return bytes(found)


def _connection(method: str, target: str, headers: Mapping[str, str]) -> dict[str, Any]:
    path, _, query = target.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 40_000),
        "server": ("testserver", 80),
    }
