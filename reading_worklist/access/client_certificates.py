"""The certificate that a machine calls with over HTTPS, wherever its connection ends.

It ends at a listener of ours, which tells the certificate as ASGI's TLS extension, or at a proxy of
ours, which tells it in the header Client-Cert (RFC 9440). Whoever can write that header is whoever
he likes: a certificate is no secret. So it counts only from a trusted proxy, only where somebody
has said that the proxies write it, and nobody behind this ever sees it.

A certificate that its authority took back opens nothing, not even what needs none, from the moment
its list is there: neither a connection that is older than the list nor a proxy without one helps.
"""

import binascii
import logging
import re
from base64 import b64decode
from collections.abc import MutableMapping
from datetime import datetime
from http import HTTPStatus
from ssl import PEM_cert_to_DER_cert
from typing import Any, Final

from cryptography import x509
from fastapi import Request
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Call

from reading_worklist.access.proxies import ProxyTrust, is_in
from reading_worklist.problems import problem_response
from storage.clock import utc_now
from storage.registry import certificate_fingerprint
from storage.revocation_lists import RevocationLists

_log = logging.getLogger(__name__)

_KEY: Final = "rdc.client_certificate"
_HEADER: Final = b"client-cert"
_HEADERS: Final = frozenset({_HEADER, b"client-cert-chain"})
# RFC 6455 §7.4.1; before the connection is taken, a server answers 403.
_POLICY_VIOLATION: Final = 1008
# One item, a byte sequence (RFC 9440 §2.1, RFC 8941 §3.3.5), of a certificate's usual size.
_BYTES: Final = re.compile(rb":([A-Za-z0-9+/]{1,16000}={0,2}):")


def client_certificate(request: Request) -> str | None:
    """Return the SHA-256 fingerprint of the verified certificate a request came with, or None."""
    found = request.scope.get(_KEY)
    return found if isinstance(found, str) else None


def told_in_header(values: list[bytes]) -> bytes | None:
    """Read what a proxy says in Client-Cert; None where it says nothing or no one certificate."""
    if len(values) != 1:
        return None
    item = _BYTES.fullmatch(values[0].strip())
    if item is None:
        return None
    try:
        return b64decode(item[1], validate=True)
    except binascii.Error:
        return None


_REFUSED: Final = problem_response(
    HTTPStatus.FORBIDDEN,
    "certificate-revoked",
    "The certificate was revoked",
    expected="a certificate that its authority has not taken back",
    remedy="Have a new one issued at the centre: rdc tls issue NAME.",
)


class ClientCertificates:
    """ASGI: finds the certificate of each call, takes the header away, and refuses a revoked one.

    It must be called before whatever sets the client's address from other headers.
    """

    def __init__(
        self, app: ASGIApp, *, trust: ProxyTrust, revocations: RevocationLists | None
    ) -> None:
        self._app = app
        self._trust = trust
        self._revocations = revocations

    async def __call__(self, scope: Call, receive: Receive, send: Send) -> None:
        """Pass a call on with what is known of its certificate."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        encoded = self._found(scope)
        revoked = self._revocations is not None and encoded and self._revocations.revokes(encoded)
        scope[_KEY] = None if encoded is None or revoked else _fingerprint(encoded, utc_now())
        if encoded and revoked:
            shown = certificate_fingerprint(encoded)
            _log.warning("revoked certificate", extra={"certificate": shown})
            if scope["type"] == "http":
                await _REFUSED(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
            return
        await self._app(scope, receive, send)

    def _found(self, scope: MutableMapping[str, Any]) -> bytes | None:
        """Take what proxies say out of the headers, and return the certificate in DER, or None."""
        told = [value for name, value in scope["headers"] if name == _HEADER]
        if any(name in _HEADERS for name, _ in scope["headers"]):
            scope["headers"] = [one for one in scope["headers"] if one[0] not in _HEADERS]
        peer = scope.get("client")
        if self._trust.client_certificates and peer and is_in(peer[0], self._trust.networks):
            # A certificate of this connection would be the proxy's own.
            return told_in_header(told)
        return _of_connection(scope)


def _of_connection(scope: MutableMapping[str, Any]) -> bytes | None:
    """Return the certificate that our own listener has verified; see ASGI's TLS extension."""
    chain = scope.get("extensions", {}).get("tls", {}).get("client_cert_chain", ())
    return next((PEM_cert_to_DER_cert(one) for one in chain), None)


def _fingerprint(encoded: bytes, now: datetime) -> str | None:
    """Return the fingerprint of a certificate that is valid now.

    A connection may be older than its certificate's end, and a proxy may not look.
    """
    try:
        found = x509.load_der_x509_certificate(encoded)
    except ValueError:
        return None
    if not found.not_valid_before_utc <= now <= found.not_valid_after_utc:
        return None
    return certificate_fingerprint(encoded)
