"""`rdc metrics`: what the processes of this machine have counted."""

from __future__ import annotations

import http.server
from typing import TYPE_CHECKING, Annotated, Final

import typer

from deploy.cli_session import DataDir

if TYPE_CHECKING:
    from pathlib import Path

ANYWHERE: Final = "0.0.0.0"  # noqa: S104 - whoever scrapes is on another machine; it holds no patient data


def metrics(
    *,
    port: Annotated[
        int | None,
        typer.Option(help="Serve them at /metrics on this port, for a machine without web process"),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to bind to, with --port")] = ANYWHERE,
    data_dir: DataDir = None,
) -> None:
    """Print the metrics of this machine in Prometheus' format, or serve them until stopped."""
    from deploy.settings import load  # noqa: PLC0415 - `--help` stays quick
    from storage.metering.exposition import exposition  # noqa: PLC0415

    directory = load(data_dir=data_dir).metrics_dir
    if port is None:
        typer.echo(exposition(directory).decode())
        return
    with http.server.ThreadingHTTPServer((host, port), _handler(directory)) as server:
        typer.echo(f"rdc: metrics at http://{host}:{server.server_port}/metrics", err=True)
        server.serve_forever()


def _handler(directory: Path) -> type[http.server.BaseHTTPRequestHandler]:
    from storage.metering.exposition import CONTENT_TYPE, exposition  # noqa: PLC0415

    class Handler(http.server.BaseHTTPRequestHandler):
        """Answers one path."""

        def do_GET(self) -> None:
            """Answer a scrape."""
            if self.path != "/metrics":
                self.send_error(404)
                return
            content = exposition(directory)
            self.send_response(200)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Log no scrape."""

    return Handler
