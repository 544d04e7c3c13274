"""An outside time-stamp authority, asked over HTTP (RFC 3161 §3.4).

Its word proves the time also to those who do not believe the centre's clock. What it sends is
looked at before it counts: see `long_term`.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast
from urllib.parse import urlsplit

import httpx
from asn1crypto import tsp
from cryptography import x509
from pyhanko.sign.timestamps import TimeStamper, TimestampRequestError
from typing_extensions import override

# The digest that every authority takes.
DIGEST: Final = "sha256"
_QUERY: Final = "application/timestamp-query"
_REPLY: Final = "application/timestamp-reply"
_REPLY_MAX: Final = 64 << 10

# httpx writes each address it asks into the log; this one may hold a password.
logging.getLogger("httpx").setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class TimeAuthority:
    """How the authority is reached, and whose certificates its own must come from.

    url: http or https; user and password in it are sent as HTTP basic authentication.
    trust: PEM certificates of who may issue the authority's certificate; for time stamps alone.
    timeout: seconds for each step of asking.
    """

    url: str = field(repr=False)
    trust: tuple[str, ...]
    timeout: float = 5.0

    @property
    def name(self) -> str:
        """What it is called in records: its host."""
        return urlsplit(self.url).hostname or "?"

    def anchors(self) -> list[x509.Certificate]:
        """Return the certificates of `trust`."""
        return [
            certificate
            for one in self.trust
            for certificate in x509.load_pem_x509_certificates(one.encode("ascii"))
        ]


class HttpTimeStamper(TimeStamper):
    """pyHanko's client, one for each report: it asks twice, first for the size of an answer."""

    def __init__(self, authority: TimeAuthority) -> None:
        """Ask this authority."""
        super().__init__()
        self._authority = authority

    def certificates(self) -> Sequence[x509.Certificate]:
        """Return the certificates that came with the first answer, after asking for one.

        Raises:
            TimestampRequestError, ValueError: there is no good answer.
        """
        asyncio.run(cast("Any", self).async_dummy_response(DIGEST))
        return [
            x509.load_der_x509_certificate(one.dump()) for one in cast("Any", self).cert_registry
        ]

    @override
    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """Send one request."""
        return await asyncio.to_thread(self._asked, cast("Any", req).dump())

    def _asked(self, query: bytes) -> tsp.TimeStampResp:
        received = bytearray()
        try:
            with (
                httpx.Client(timeout=self._authority.timeout, trust_env=False) as client,
                client.stream(
                    "POST",
                    self._authority.url,
                    content=query,
                    headers={"Content-Type": _QUERY, "Accept": _REPLY},
                ) as response,
            ):
                response.raise_for_status()
                for chunk in response.iter_bytes():
                    received += chunk
                    if len(received) > _REPLY_MAX:
                        break
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise TimestampRequestError(type(error).__name__) from error
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip()
        if kind != _REPLY or len(received) > _REPLY_MAX:
            message = "the answer is no time stamp"
            raise TimestampRequestError(message)
        return cast("Any", tsp.TimeStampResp).load(bytes(received), strict=True)
