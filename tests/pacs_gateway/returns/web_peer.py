"""A web server of a site that answers as a test says."""

import ssl
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Posted:
    """One request. headers: by name in small letters."""

    path: str
    headers: dict[str, str]
    body: bytes
    method: str = "POST"


@dataclass
class Reply:
    """What is answered. raw: written as it is, in pieces, in the place of everything else."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    raw: Callable[[Callable[[bytes], None]], None] | None = None


@dataclass
class WebPeer:
    """port: where it listens. posted: what came. connections: how many were made."""

    port: int = 0
    posted: list[Posted] = field(default_factory=list[Posted])
    connections: int = 0


@contextmanager
def web_peer(
    script: Callable[[Posted], Reply], *, secured: ssl.SSLContext | None = None
) -> Generator[WebPeer]:
    """Serve until the end of the block."""
    told = WebPeer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            told.connections += 1
            super().setup()

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            names = {name.lower(): value for name, value in self.headers.items()}
            told.posted.append(Posted(self.path, names, self.rfile.read(length), self.command))
            reply = script(told.posted[-1])
            try:
                self._answer(reply)
            except OSError:
                self.close_connection = True

        do_GET = do_POST  # noqa: N815 -- its name there

        def _answer(self, reply: Reply) -> None:
            if reply.raw is not None:
                reply.raw(lambda piece: (self.wfile.write(piece), self.wfile.flush())[1])
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- its name there
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    if secured is not None:
        server.socket = secured.wrap_socket(server.socket, server_side=True)
    told.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        thread.join()
        server.daemon_threads = True
        server.server_close()
