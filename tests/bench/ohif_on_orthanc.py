"""The viewer on Orthanc: the same files and settings as ours, and Orthanc's DICOMweb beside them.

A page of the viewer asks its own origin only, as ours does, so what it asks of DICOMweb is passed
on over a kept connection. That costs Orthanc less than a millisecond for each request.
"""

import http.client
import shutil
import socket
import threading
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseServer
from typing import Final, Self
from urllib.parse import SplitResult, urlsplit

from typing_extensions import override

from reading_worklist.viewer import PREFIX, PackedFiles, ViewerPackage
from tests.support.viewer import OHIF, REPOSITORY

_CONFIG: Final = REPOSITORY / "reading_worklist" / "viewer" / "config.js"
_TYPES: Final = {".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm"}
_BUFFER: Final = 1 << 20


class _Handler(BaseHTTPRequestHandler):
    """One connection of the browser, in a thread of its own."""

    protocol_version = "HTTP/1.1"
    wbufsize = _BUFFER
    disable_nagle_algorithm = True

    def __init__(
        self,
        package: ViewerPackage,
        orthanc: SplitResult,
        request: socket.socket,
        client: tuple[str, int],
        server: BaseServer,
    ) -> None:
        self.package = package
        self.orthanc = http.client.HTTPConnection(str(orthanc.hostname), orthanc.port, timeout=120)
        super().__init__(request, client, server)

    @override
    def finish(self) -> None:
        self.orthanc.close()
        super().finish()

    def do_GET(self) -> None:
        """Pass on what is Orthanc's, and serve the rest."""
        if self.path.startswith("/dicom-web/"):
            self.pass_on()
        else:
            self.serve(urlsplit(self.path).path.removeprefix(f"{PREFIX}/"))

    def pass_on(self) -> None:
        """Ask Orthanc, and send its answer as it comes."""
        headers = {name: self.headers[name] for name in ("Accept",) if name in self.headers}
        try:
            self.orthanc.request("GET", self.path, headers=headers)
            answer = self.orthanc.getresponse()
        except (http.client.RemoteDisconnected, ConnectionError):
            # Orthanc ends a connection that was idle for a second: the next request opens another.
            self.orthanc.close()
            self.orthanc.request("GET", self.path, headers=headers)
            answer = self.orthanc.getresponse()
        self.send_response_only(answer.status)
        self.send_header("Content-Type", answer.getheader("Content-Type", ""))
        length = answer.getheader("Content-Length")
        if length is None:
            body = answer.read()
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        else:
            self.send_header("Content-Length", length)
            self.end_headers()
            shutil.copyfileobj(answer, self.wfile, _BUFFER)

    def serve(self, path: str) -> None:
        """Send a file of the viewer as our own server does, packed."""
        files = self.package.files()
        if path == "app-config.js":
            self.send(_CONFIG.read_bytes(), path)
            return
        if path not in files and Path(path).suffix:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        asset = self.package.asset(path if path in files else "index.html")
        body = asset.plain if asset.packed is None else asset.packed
        headers = dict(asset.headers)
        if asset.packed is not None:
            headers["Content-Encoding"] = "gzip"
        self.send(body, path if path in files else "index.html", headers)

    def send(self, body: bytes, path: str, headers: dict[str, str] | None = None) -> None:
        """Send a file."""
        self.send_response_only(HTTPStatus.OK)
        self.send_header("Content-Type", _TYPES.get(Path(path).suffix, "text/html"))
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class OhifOnOrthanc:
    """A web server with the viewer at `/viewer` and Orthanc's `/dicom-web` under one address."""

    def __init__(self, orthanc: str) -> None:
        """Start it. orthanc: the address of its web server."""
        handler = partial(_Handler, ViewerPackage(OHIF, PackedFiles(None)), urlsplit(orthanc))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
