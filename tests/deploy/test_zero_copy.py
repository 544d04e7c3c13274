"""Long bodies from files over uvicorn: whole, to slow clients too, and nothing is left open."""

import fcntl
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from deploy.zero_copy import UNSENT_BYTES, ZeroCopySends, shallow
from reading_worklist.file_bodies import EXTENSION, BodyPart, FileRange

_FILE = os.urandom(3 << 20)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "object"
    path.write_bytes(_FILE)
    return path


@contextmanager
def _served(
    parts: Callable[[], Iterator[BodyPart]], length: int
) -> Generator[tuple[str, int, threading.Event]]:
    """Serve one body on every path; the event tells that an answer has ended."""
    ended = threading.Event()

    async def answer(scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        assert EXTENSION in scope["extensions"]
        headers = [(b"content-length", str(length).encode())]
        try:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": EXTENSION, "parts": parts(), "length": length})
        finally:
            ended.set()

    config = uvicorn.Config(ZeroCopySends(answer), log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield "127.0.0.1", listening.getsockname()[1], ended
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def _ranges(path: Path, count: int) -> Iterator[BodyPart]:
    for number in range(count):
        yield f"part {number}\r\n".encode()
        with path.open("rb") as opened:
            yield FileRange(opened.fileno(), number, len(_FILE) - number)
    yield b"end"


def _body(count: int) -> bytes:
    return b"".join(f"part {n}\r\n".encode() + _FILE[n:] for n in range(count)) + b"end"


def test_the_body_is_whole_and_the_connection_goes_on(file: Path) -> None:
    body = _body(4)
    with (
        _served(lambda: _ranges(file, 4), len(body)) as (host, port, _),
        httpx.Client(base_url=f"http://{host}:{port}") as client,
    ):
        for _ in range(3):
            assert client.get("/").content == body


def test_a_slow_client_is_waited_for(file: Path) -> None:
    body = _body(8)
    with _served(lambda: _ranges(file, 8), len(body)) as (host, port, _):
        with socket.create_connection((host, port)) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            # The socket takes no more long before the end, and longer than a thread has patience.
            time.sleep(0.1)
            received = b"".join(iter(lambda: client.recv(1 << 20), b""))
        assert received.partition(b"\r\n\r\n")[2] == body


def test_a_client_that_goes_ends_it(file: Path) -> None:
    with _served(lambda: _ranges(file, 8), len(_body(8))) as (host, port, ended):
        with socket.create_connection((host, port)) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            client.recv(1 << 10)
        assert ended.wait(10)


def test_a_file_that_is_too_short_breaks_the_body_off(file: Path) -> None:
    def parts() -> Iterator[BodyPart]:
        with file.open("rb") as opened:
            yield FileRange(opened.fileno(), 0, len(_FILE) + 1)

    with (
        _served(parts, len(_FILE) + 1) as (host, port, ended),
        httpx.Client(base_url=f"http://{host}:{port}") as client,
    ):
        with pytest.raises(httpx.RemoteProtocolError), suppress(httpx.ReadError):
            client.get("/")
        assert ended.wait(10)


# linux/sockios.h: bytes of a socket that are not on their way yet.
_SIOCOUTQNSD = 0x894B


def unsent(connection: socket.socket) -> int:
    answer = fcntl.ioctl(connection.fileno(), _SIOCOUTQNSD, bytes(4))
    return int(struct.unpack("i", answer)[0])


def filled(connection: socket.socket) -> int:
    """What the kernel holds back when it takes no more for somebody who does not read."""
    with suppress(BlockingIOError):
        while True:
            connection.send(bytes(1 << 16))
    return unsent(connection)


def test_little_waits_in_the_kernel_while_a_body_is_sent_and_no_longer() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname()),
        listening.accept()[0] as connection,
    ):
        connection.setblocking(False)
        with shallow(connection):
            assert filled(connection) < 2 * UNSENT_BYTES
        assert filled(connection) > 4 * UNSENT_BYTES
