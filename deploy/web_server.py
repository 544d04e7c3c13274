"""How the web application is served: encrypted where a certificate is set, and to nobody for ever.

uvicorn waits for the rest of a request as long as its sender likes. A handful of machines that say
one byte a minute (slow loris) would hold every connection there is, and so would lines that broke.
"""

from __future__ import annotations

import asyncio
import ssl
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp

    from deploy.settings import Settings

STOP_SECONDS: Final = 5
# A head is a few kilobytes, which a line of 9.6 kbit/s brings in seconds.
HEAD_SECONDS: Final = 20.0
# Of a body at least so much in so long: a tenth of what the worst mobile line of a township brings.
BODY_SECONDS: Final = 30.0
BODY_BYTES: Final = 3_000
# Of one process. A page holds one connection for its events and at most six beside it; the kernel
# allows a process 1,024 files by default.
CONNECTIONS: Final = 800


def config(app: ASGIApp, settings: Settings) -> uvicorn.Config:
    """Return how uvicorn serves `app`.

    Raises:
        TlsUnusable: the certificate or key for HTTPS cannot be used.
    """
    certificate = settings.http_tls_certificate
    secured: dict[str, Any] = {}
    if certificate is not None:
        context = https_context(certificate, settings.http_tls_key or certificate)
        secured["ssl_context_factory"] = partial(_given, context)
    return uvicorn.Config(
        app,
        host=settings.http_host,
        port=settings.http_port,
        http=PatientHttp,
        log_config=None,
        # Query strings carry patient names and ids.
        access_log=False,
        server_header=False,
        # It would believe whoever calls from this machine; see `access.proxies`.
        proxy_headers=False,
        limit_concurrency=CONNECTIONS,
        timeout_graceful_shutdown=STOP_SECONDS,
        **secured,
    )


def https_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return the context of HTTPS, after BCP 195 as for DICOM.

    Raises:
        TlsUnusable: a file is missing, or is not what it should be.
    """
    from pacs_gateway.config import TlsConfig  # noqa: PLC0415
    from pacs_gateway.tls import server_context  # noqa: PLC0415

    context = server_context(TlsConfig(0, certificate, key, settings="RDC_HTTP_TLS"))
    context.set_alpn_protocols(["http/1.1"])
    return context


def _given(context: ssl.SSLContext, *_: object) -> ssl.SSLContext:
    return context


class PatientHttp(HttpToolsProtocol):
    """A connection that is closed when its sender takes too long over a request.

    Between two requests uvicorn's own limit holds. An answer may take as long as it takes.
    """

    head_seconds = HEAD_SECONDS
    body_seconds = BODY_SECONDS

    _patience: asyncio.TimerHandle | None = None
    _received = 0

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] -- as uvicorn's
        super().connection_made(transport)
        self._wait(self.head_seconds, self._give_up)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        super().connection_lost(exc)

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._wait(self.head_seconds, self._give_up)

    @override
    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._received = 0
        self._wait(self.body_seconds, self._look_at_body)

    @override
    def on_body(self, body: bytes) -> None:
        self._received += len(body)
        super().on_body(body)

    @override
    def on_message_complete(self) -> None:
        self._wait_no_more()
        super().on_message_complete()

    @override
    def handle_websocket_upgrade(self) -> None:
        self._wait_no_more()
        super().handle_websocket_upgrade()

    def _look_at_body(self) -> None:
        # While the application has more than it can take, the sender is not to blame.
        if self._received < BODY_BYTES and not self.flow.read_paused:
            self._give_up()
            return
        self._received = 0
        self._wait(self.body_seconds, self._look_at_body)

    def _give_up(self) -> None:
        self._patience = None
        # A cut, not a farewell: who does not read would keep a closing connection, too.
        self.transport.abort()

    def _wait(self, seconds: float, then: Any) -> None:  # noqa: ANN401 -- a method without arguments
        self._wait_no_more()
        self._patience = self.loop.call_later(seconds, then)

    def _wait_no_more(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
