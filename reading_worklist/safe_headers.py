"""What every answer tells a browser about how far to trust it, unless its route says otherwise.

- Nothing is kept by caches that does not say so itself: most answers are about patients.
- No other origin may frame, embed or open us, and no media type is guessed.
- What is not a page may load nothing, should a browser ever show it as one.
- Behind TLS, no browser comes without it again (RFC 6797).
"""

import base64
import secrets
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

NONCE_BYTES: Final = 16

Headers = tuple[tuple[bytes, bytes], ...]

_ALWAYS: Final[Headers] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
_TLS: Final[Headers] = ((b"strict-transport-security", b"max-age=31536000; includeSubDomains"),)
# Of what a page could ask of the machine, what none of ours does. Sound, full screen, the clipboard
# and a second screen are used.
_PAGE: Final[Headers] = (
    (b"cross-origin-opener-policy", b"same-origin"),
    (
        b"permissions-policy",
        (
            b"accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), "
            b"hid=(), magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=()"
        ),
    ),
)
_POLICY: Final = b"content-security-policy"
_DATA: Final[Headers] = ((_POLICY, b"default-src 'none'; frame-ancestors 'none'"),)
# By the beginning of the media type. The reports' own PDF viewer is the browser's, in a frame of
# ours; a drawing styles itself; a script's policy would be that of the workers it starts.
_BY_TYPE: Final[Mapping[bytes, Headers]] = MappingProxyType(
    {
        b"text/html": (
            *_PAGE,
            (_POLICY, b"default-src 'none'; base-uri 'none'; frame-ancestors 'self'"),
        ),
        b"application/pdf": ((_POLICY, b"frame-ancestors 'self'"),),
        b"image/svg+xml": (
            (_POLICY, b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"),
        ),
        b"text/javascript": (),
        b"application/wasm": (),
        b"text/css": (),
    }
)


def page_policy(nonce: str) -> str:
    """Return the content security policy of our own pages.

    nonce: what the page's style elements are marked with; those that the components write when
        they first appear need it. No script and no style without it, none from elsewhere.
    """
    return (
        f"default-src 'self'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; "
        "img-src 'self' data: blob:; frame-src 'self' blob:; object-src 'self' blob:; "
        "frame-ancestors 'self'; base-uri 'self'; form-action 'self'"
    )


def new_nonce() -> str:
    """Return a value that nobody can foresee, for one answer (CSP3 §2.3.1: 128 bits in base64)."""
    return base64.b64encode(secrets.token_bytes(NONCE_BYTES)).decode()


def missing(headers: Headers, *, tls: bool) -> list[tuple[bytes, bytes]]:
    """Return what an answer's headers lack.

    headers: names in lower case, as ASGI has them. tls: whether people reach us over TLS alone.
    """
    said = dict(headers)
    kind = said.get(b"content-type", b"").partition(b";")[0].strip().lower()
    wanted = _ALWAYS + _BY_TYPE.get(kind, _DATA) + (_TLS if tls else ())
    return [(name, value) for name, value in wanted if name not in said]


class SafeHeaders:
    """ASGI middleware that adds to each answer what it lacks.

    tls: whether people reach us over TLS, whatever the connection with the proxy before us is.
    """

    def __init__(self, app: ASGIApp, *, tls: bool) -> None:
        self._app = app
        self._tls = tls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                # As it is now: what is called after us may have learnt it from a proxy.
                tls = self._tls or scope["scheme"] == "https"
                headers = tuple(message.get("headers", ()))
                message["headers"] = [*headers, *missing(headers, tls=tls)]
            await send(message)

        await self._app(scope, receive, sending)
