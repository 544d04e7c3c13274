"""A collector of OpenTelemetry traces on the loopback address (OTLP over HTTP, JSON)."""

import http.server
import json
import threading
from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Collector:
    """What was sent. url: for RDC_OTLP_URL. spans: as OTLP has them, each with its process."""

    url: str = ""
    spans: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def names_by_trace(self) -> dict[str, set[str]]:
        """The names of the spans of each trace."""
        found: dict[str, set[str]] = defaultdict(set)
        for span in self.spans:
            found[span["traceId"]].add(span["name"])
        return found

    def take(self, request: dict[str, Any]) -> None:
        """Keep what one request has."""
        for resource in request["resourceSpans"]:
            attributes = resource["resource"]["attributes"]
            [process] = [
                one["value"]["stringValue"] for one in attributes if one["key"] == "rdc.process"
            ]
            for scope in resource["scopeSpans"]:
                self.spans += [{**span, "process": process} for span in scope["spans"]]


@contextmanager
def collector() -> Generator[Collector]:
    """Run one for the length of the block."""
    found = Collector()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            found.take(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the library's
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()
