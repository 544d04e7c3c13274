"""How the web application is served: encrypted where a certificate is set, and to nobody for ever.

uvicorn waits for the rest of a request as long as its sender likes. A handful of machines that say
one byte a minute (slow loris) would hold every connection there is, and so would lines that broke.

Asked to stop, uvicorn closes its port at once. A balancer that looks every second sends requests
there until it has seen that, and those that change something it may not send again elsewhere.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from deploy import readiness
from deploy.zero_copy import ZeroCopySends
from reading_worklist.warm_up import warm_up

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    from fastapi import FastAPI
    from starlette.types import ASGIApp

    from deploy.settings import Settings
    from reading_worklist.services import Services

WARM_UP_SECONDS: Final = 5.0
# Behind a balancer: two of its looks, a second apart as in our file for HAProxy, and one to spare.
LEAVE_SECONDS: Final = 3.0
STOP_SECONDS: Final = 5
# How long a connection is kept between two requests. A balancer's must not be closed by us just
# when it takes it for a POST, so that it outlasts those of HAProxy (5 s) and nginx (60 s).
IDLE_SECONDS: Final = 5
BALANCER_IDLE_SECONDS: Final = 75
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
        timeout_keep_alive=BALANCER_IDLE_SECONDS if settings.trusted_proxies else IDLE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
        **secured,
    )


def https_context(
    certificate: Path, key: Path, *, machines: bool = False, authorities: Path | None = None
) -> ssl.SSLContext:
    """Return the context of HTTPS, after BCP 195 as for DICOM.

    machines: whoever calls shows a certificate that one of the `authorities` has issued.

    Raises:
        TlsUnusable: a file is missing, or is not what it should be.
    """
    from pacs_gateway.config import TlsConfig  # noqa: PLC0415
    from pacs_gateway.tls import server_context  # noqa: PLC0415

    context = server_context(
        TlsConfig(0, certificate, key, authorities, machines, settings="RDC_HTTP_TLS")
    )
    context.set_alpn_protocols(["http/1.1"])
    return context


def _given(context: ssl.SSLContext, *_: object) -> ssl.SSLContext:
    return context


class WebServer(uvicorn.Server):
    """Tells when it can work, and tells balancers that it goes before it does.

    Asked to stop behind trusted proxies it works on for `LEAVE_SECONDS`, while /readyz answers 503
    and every answer ends its connection. Then it ends event streams, takes nothing more, and ends
    what it was asked within `STOP_SECONDS`.
    """

    def __init__(self, app: FastAPI, settings: Settings) -> None:
        """Prepare to serve `app`, an application of `reading_worklist.app.create_app`.

        Raises:
            TlsUnusable: the certificate or key for HTTPS cannot be used.
        """
        super().__init__(config(ZeroCopySends(app), settings))
        self._app = app
        self._services: Services = app.state.services
        self._machines = _listener_of_machines(settings)
        self._leave_seconds = LEAVE_SECONDS if settings.trusted_proxies else 0.0

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        # Not cancelled when it takes longer: a thread in it cannot be.
        await asyncio.wait({asyncio.create_task(warm_up(self._app))}, timeout=WARM_UP_SECONDS)
        await super().startup(sockets)
        if self._machines is not None:
            self.servers.append(await self._listen_for_machines(*self._machines))
        if self.started:
            readiness.announce()

    async def _listen_for_machines(self, context: ssl.SSLContext, port: int) -> asyncio.Server:
        """Listen where people's browsers are not asked for certificates that they do not have."""
        return await asyncio.get_running_loop().create_server(
            partial(
                PatientHttp,
                config=self.config,
                server_state=self.server_state,
                app_state=self.lifespan.state,
            ),
            host=self.config.host,
            port=port,
            ssl=context,
            backlog=self.config.backlog,
            # Each web process of this machine listens there.
            reuse_port=True,
        )

    @override
    async def main_loop(self) -> None:
        await super().main_loop()
        self._services.leaving.set()
        self.server_state.default_headers = [
            *self.server_state.default_headers,
            (b"connection", b"close"),
        ]
        await asyncio.sleep(self._leave_seconds)
        # In a thread: it waits for the listener's end.
        threading.Thread(target=self._services.events.stop, daemon=True).start()


def _listener_of_machines(settings: Settings) -> tuple[ssl.SSLContext, int] | None:
    """Return context and port of the listener for machines' certificates; None without one.

    Raises:
        TlsUnusable: it cannot be made of the settings.
    """
    if settings.machine_https_port is None:
        return None
    from pacs_gateway.tls import TlsUnusable  # noqa: PLC0415

    certificate = settings.http_tls_certificate
    if certificate is None:
        raise TlsUnusable(
            "there is a port for machines with certificates, but no certificate of ours",
            remedy="Set RDC_HTTP_TLS_CERTIFICATE, or RDC_TLS=1 after `rdc tls init`.",
        )
    key = settings.http_tls_key or certificate
    context = https_context(certificate, key, machines=True, authorities=settings.http_tls_ca)
    return context, settings.machine_https_port


class PatientHttp(HttpToolsProtocol):
    """A connection that is closed when its sender takes too long over a request.

    Between two requests uvicorn's own limit holds. An answer may take as long as it takes.
    """

    head_seconds = HEAD_SECONDS
    body_seconds = BODY_SECONDS

    _patience: asyncio.TimerHandle | None = None
    _received = 0
    _certificate: str | None = None

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] -- as uvicorn's
        super().connection_made(transport)
        secured = transport.get_extra_info("ssl_object")
        encoded = None if secured is None else secured.getpeercert(binary_form=True)
        if encoded is not None:
            self._certificate = ssl.DER_cert_to_PEM_cert(encoded)
        self._wait(self.head_seconds, self._give_up)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        super().connection_lost(exc)

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._certificate is not None:
            # ASGI's TLS extension, as far as somebody here asks for it.
            self.scope["extensions"] = {"tls": {"client_cert_chain": [self._certificate]}}
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
