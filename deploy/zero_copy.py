"""Bodies that the kernel sends straight from files, for uvicorn, which has no such thing.

Reading a study of 131 MB into the process and writing it to the socket copied it twice, into
memory that was new each time, with a dozen steps of the event loop for each of its instances.
Here the pages that the kernel holds are given to the socket as they are, by a thread as long as
the network takes them at once.
"""

import asyncio
import os
import select
import socket
import sys
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from reading_worklist.file_bodies import EXTENSION, BodyPart, BodyParts

# How long a thread waits for a client that takes no more, before the event loop does.
_PATIENCE_MS: Final = 10
_THREADS: Final = 16
# What lies in the kernel and is not on its way yet. With the megabytes that it takes by itself, a
# study's bytes had left the processor's memory when they were read on the same machine, and where
# others worked there, sender and receiver waited for whole turns of theirs: three times as long for
# 131 MB. What is on its way is not limited: a far line is filled as before.
UNSENT_BYTES: Final = 256 << 10
# Linux' number of TCP_NOTSENT_LOWAT (tcp(7)); Python has had its name since 3.12.
_NOTSENT_LOWAT: Final = 25


class ZeroCopySends:
    """ASGI application that offers `EXTENSION` to `app` on plain connections of uvicorn.

    It must be what uvicorn calls first.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._threads = ThreadPoolExecutor(_THREADS, "sending")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        cycle = getattr(send, "__self__", None)
        if (
            not isinstance(cycle, RequestResponseCycle)
            or not hasattr(os, "sendfile")
            # What is encrypted has to pass through our memory.
            or cycle.transport.get_extra_info("sslcontext") is not None
        ):
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == EXTENSION:
                await self._send_parts(cycle, message["parts"], message["length"])
                message = {"type": "http.response.body", "body": b"", "more_body": False}
            await send(message)

        extensions: dict[str, object] = {**scope.get("extensions", {}), EXTENSION: {}}
        await self._app({**scope, "extensions": extensions}, receive, sending)

    async def _send_parts(self, cycle: RequestResponseCycle, parts: BodyParts, length: int) -> None:
        if not cycle.response_started or length != cycle.expected_content_length:
            raise RuntimeError("parts of files are sent as the whole of a Content-Length")
        cycle.expected_content_length = 0
        transport, flow = cycle.transport, cycle.flow
        connection: Any = transport.get_extra_info("socket")
        # A duplicate: the connection may end, and its number be another's, while a thread sends.
        with closing(socket.socket(fileno=os.dup(connection.fileno()))) as target:
            # The head of the answer goes first: with no bytes to spare, `drain` waits for it.
            transport.set_write_buffer_limits(high=0)
            while flow.write_paused and not cycle.disconnected:
                await flow.drain()
            transport.set_write_buffer_limits()
            pushing = _Pushing(target, parts, length)
            loop = asyncio.get_running_loop()
            with shallow(target):
                while not cycle.disconnected:
                    if await self._pushed_by_thread(pushing):
                        return
                    await _writable(loop, target)

    async def _pushed_by_thread(self, pushing: "_Pushing") -> bool:
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(self._threads, pushing.push)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            # The files must not be closed under the thread.
            pushing.ended = True
            await asyncio.wait({running})
            raise


@contextmanager
def shallow(connection: socket.socket) -> Generator[None]:
    """Let the kernel take little more of a connection's bytes than it can send, for the block.

    Elsewhere than on Linux it takes what it likes.
    """
    if sys.platform != "linux":
        yield
        return
    connection.setsockopt(socket.IPPROTO_TCP, _NOTSENT_LOWAT, UNSENT_BYTES)
    try:
        yield
    finally:
        # 0: as the machine is set. Short answers of the same connection go out in one piece.
        connection.setsockopt(socket.IPPROTO_TCP, _NOTSENT_LOWAT, 0)


class _Pushing:
    """Parts on their way into a socket that does not block."""

    def __init__(self, target: socket.socket, parts: BodyParts, length: int) -> None:
        self._target = target
        self._left = length
        self.ended = False
        """Whether nobody waits for it any more."""
        self._parts = parts
        self._part: BodyPart | None = next(parts, None)
        self._sent = 0
        self._writable = select.poll()
        self._writable.register(target.fileno(), select.POLLOUT)

    def push(self) -> bool:
        """Send until all is sent, or nothing more is taken for a moment; True: no more to do.

        Raises:
            EOFError: a file is shorter than its range. What the iterator of parts raises.
        """
        while self._part is not None and not self.ended:
            try:
                sent = self._push_some(self._part)
            except BlockingIOError:
                if not self._writable.poll(_PATIENCE_MS):
                    return False
            except (BrokenPipeError, ConnectionResetError):
                # uvicorn sees it on its own end of the connection.
                return True
            else:
                self._count(self._part, sent)
        return True

    def _push_some(self, part: BodyPart) -> int:
        if isinstance(part, bytes):
            rest = memoryview(part)[self._sent :]
            # No packet of its own for the few headers before a file.
            return self._target.send(rest, socket.MSG_MORE if self._left > len(rest) else 0)
        count = part.length - self._sent
        sent = os.sendfile(self._target.fileno(), part.file, part.offset + self._sent, count)
        if not sent:
            raise EOFError("a file is shorter than the part of it to be sent")
        return sent

    def _count(self, part: BodyPart, sent: int) -> None:
        self._sent += sent
        self._left -= sent
        if self._sent == (len(part) if isinstance(part, bytes) else part.length):
            self._part, self._sent = next(self._parts, None), 0


async def _writable(loop: asyncio.AbstractEventLoop, target: socket.socket) -> None:
    """Return when the socket takes more."""
    ready = loop.create_future()

    def tell() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_writer(target.fileno(), tell)
    try:
        await ready
    finally:
        loop.remove_writer(target.fileno())
