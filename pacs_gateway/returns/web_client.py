"""Posting to a web address that was configured: where we may, once, and within a time.

No redirect is followed and no proxy of the environment used; the name is resolved once and the
address that was checked is the one that is connected to. Whatever the peer does, it ends in time
and takes no more memory than an answer is worth.
"""

import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpcore
import httpx

from pacs_gateway import tls
from pacs_gateway.returns.channels import DeliveryAnswer
from pacs_gateway.returns.outbound import AddressRefused, OutboundRules, resolve
from storage.clock import utc_now
from storage.destination_trials import ClockSeen, Finding, Tried
from storage.registry.destination_settings import ClientTls

ANSWER_BYTES: Final = 64 * 1024
_PIECE: Final = 65_536
_KEEP_SECONDS: Final = 30.0
_SHORTEST_SECONDS: Final = 0.1
_LATER: Final = frozenset({408, 425, 429})
_SERVER_ERRORS: Final = range(500, 600)
_NOT_LET_IN: Final = frozenset({401, 403, 407})
_LONGEST_WAIT_SECONDS: Final = 86_400.0
_DATE_STEP: Final = timedelta(seconds=1)


class NotReached(Exception):
    """There is no whole answer; the text says why, for a person.

    sent: whether what was posted may have arrived all the same.
    for_good: whether the address itself is refused, so that a person must look.
    """

    def __init__(self, why: str, *, sent: bool, for_good: bool = False) -> None:
        super().__init__(why)
        self.sent = sent
        self.for_good = for_good

    def tried(self) -> Tried:
        """Return what this means for a trial."""
        if self.for_good:
            return Tried(Finding.NOT_ALLOWED, str(self))
        if tls.is_tls_fault(self):
            return Tried(Finding.NOT_SECURED, str(self))
        return Tried(Finding.NO_ANSWER if self.sent else Finding.UNREACHABLE, str(self))

    def answer(self, request: str = "") -> DeliveryAnswer:
        """Return what this means for a delivery."""
        if self.for_good:
            return DeliveryAnswer.refused(str(self), request=request)
        return DeliveryAnswer.try_again(str(self), whole_destination=True, request=request)


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """What was answered. headers: by name in small letters. body: the first of it.

    asked_at, answered_at: by our clock, when the request began and its answer's head was there;
    None for one that was made up.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    asked_at: datetime | None = None
    answered_at: datetime | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the status says so (RFC 9110 §15.3)."""
        return httpx.codes.is_success(self.status)

    @property
    def may_succeed_later(self) -> bool:
        """Whether the same may be taken later: 408, 425, 429 and the server's own errors."""
        return self.status in _LATER or self.status in _SERVER_ERRORS

    @property
    def retry_after(self) -> float | None:
        """How many seconds the peer asks to wait (RFC 9110 §10.2.3); None when it does not."""
        value = self.headers.get("retry-after", "").strip()
        if value.isascii() and value.isdigit():
            return min(float(value), _LONGEST_WAIT_SECONDS)
        try:
            wait = (parsedate_to_datetime(value) - utc_now()).total_seconds()
        except (ValueError, TypeError):
            return None
        return min(max(wait, 0.0), _LONGEST_WAIT_SECONDS)

    @property
    def clock(self) -> ClockSeen | None:
        """What the answer's `Date` (RFC 9110 §6.6.1) tells of the peer's clock; None: nothing.

        The header was written at some moment between our asking and its coming, and leaves out the
        fraction of its second. A cache's answer (with `Age`) tells when somebody else had asked.
        """
        if self.asked_at is None or self.answered_at is None or "age" in self.headers:
            return None
        try:
            told = parsedate_to_datetime(self.headers.get("date", ""))
        except (ValueError, TypeError):
            return None
        # A zone of "-0000" leaves it without one; HTTP's dates are always in UTC.
        at = told.replace(tzinfo=UTC) if told.tzinfo is None else told
        return ClockSeen(at - self.answered_at, at + _DATE_STEP - self.asked_at)

    def tried(self) -> Tried:
        """Return what this means for a trial."""
        finding = Finding.NOT_TAKEN
        if self.succeeded:
            finding = Finding.WORKS
        elif self.status in _NOT_LET_IN:
            finding = Finding.NOT_KNOWN
        elif self.may_succeed_later:
            finding = Finding.THEIR_ERROR
        return Tried(finding, f"HTTP {self.status}", self.clock)

    @property
    def text(self) -> str:
        """The body for the record of an attempt."""
        return self.body.decode("utf-8", "replace")

    def answer(self, request: str = "") -> DeliveryAnswer:
        """Return what this means for a delivery.

        Success is delivered. Later is for what may change by itself; anything else, a redirect
        among it, changes when a person has looked.
        """
        said = f"HTTP {self.status}"
        if self.succeeded:
            return DeliveryAnswer.delivered(said, request=request, response=self.text)
        if not self.may_succeed_later:
            if httpx.codes.is_redirect(self.status):
                said += ", a redirect, which is not followed"
            return DeliveryAnswer.refused(said, request=request, response=self.text)
        wait = self.retry_after
        if wait is not None:
            said += f", asks to wait {wait:.0f} s"
        return DeliveryAnswer.try_again(
            said,
            whole_destination=True,
            wait_seconds=wait,
            request=request,
            response=self.text,
        )


class WebClient:
    """A client of one address, its connection kept between requests; not shared by threads."""

    def __init__(
        self,
        url: str,
        secured: ClientTls | None,
        rules: OutboundRules,
        *,
        connect_seconds: float,
        answer_seconds: float,
        answer_bytes: int = ANSWER_BYTES,
    ) -> None:
        """Connect at the first request.

        url: http or https. secured: certificates for https; None: the system's authorities.
        answer_bytes: how much of an answer is read.
        """
        self._answer_bytes = answer_bytes
        self._url = httpx.URL(url)
        self._secured = secured or ClientTls()
        self._rules = rules
        self._connect_seconds = connect_seconds
        self._answer_seconds = answer_seconds
        self._deadline = _Deadline()
        self._pool: httpcore.ConnectionPool | None = None

    def post(
        self, content: bytes, headers: Mapping[str, str], *, until: float | None = None
    ) -> WebAnswer:
        """Post to the address and return the answer, whatever its status.

        until: when to give up, of `time.monotonic`, besides the time that an answer may take.

        Raises:
            NotReached: no whole answer came, or the address may not be called.
            TlsUnusable: certificate, key or authorities cannot be used.
        """
        own = {"Content-Length": str(len(content)), **headers}
        return self._ask("POST", self._url.raw_path, own, content, until)

    def get(self, below: str, headers: Mapping[str, str]) -> WebAnswer:
        """Return the answer to GET of what lies below the address; raises as `post`."""
        path, sign, query = self._url.raw_path.partition(b"?")
        target = path.rstrip(b"/") + f"/{below}".encode("ascii") + sign + query
        return self._ask("GET", target, headers, b"", None)

    def _ask(
        self,
        method: str,
        target: bytes,
        headers: Mapping[str, str],
        content: bytes,
        until: float | None,
    ) -> WebAnswer:
        limit = time.monotonic() + self._connect_seconds + self._answer_seconds
        self._deadline.until = limit if until is None else min(limit, until)
        if self._pool is None:
            self._pool = self._open()
        url = self._url
        own = {
            "Host": url.netloc.decode("ascii"),
            "User-Agent": "rdc",
            **headers,
        }
        name = self._secured.server_name
        asked_at = utc_now()
        extensions: dict[str, Any] = {
            "timeout": {
                "connect": self._connect_seconds,
                "read": self._answer_seconds,
                "write": self._answer_seconds,
                "pool": self._connect_seconds,
            },
            **({"sni_hostname": name} if name else {}),
        }
        try:
            with self._pool.stream(
                method,
                httpcore.URL(
                    scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=target
                ),
                headers=list(own.items()),
                content=content,
                extensions=extensions,
            ) as response:
                answered_at = utc_now()
                told = {
                    name.decode("latin-1").lower(): value.decode("latin-1")
                    for name, value in response.headers
                }
                body = _bounded(response.iter_stream(), self._answer_bytes)
                return WebAnswer(response.status, told, body, asked_at, answered_at)
        except AddressRefused as error:
            raise NotReached(str(error), sent=False, for_good=True) from error
        except (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout) as error:
            raise NotReached(f"no connection to {self._where}: {error}", sent=False) from error
        except httpcore.TimeoutException as error:
            raise NotReached(f"no answer from {self._where} in time", sent=True) from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise NotReached(
                f"connection to {self._where} lost: {type(error).__name__}", sent=True
            ) from error

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    @property
    def _where(self) -> str:
        """The address without its path and query, which may hold a secret."""
        return f"{self._url.scheme}://{self._url.netloc.decode('ascii')}"

    def _open(self) -> httpcore.ConnectionPool:
        context: ssl.SSLContext | None = None
        if self._url.scheme == "https":
            context = tls.client_context(self._secured)
        return httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=1,
            keepalive_expiry=_KEEP_SECONDS,
            network_backend=_Backend(self._rules, self._deadline),
        )


class _Deadline:
    """Until when the request at hand may take."""

    def __init__(self) -> None:
        self.until = 0.0

    def left(self, wanted: float | None) -> float:
        """Return the seconds that one step may take.

        Raises httpcore.ReadTimeout when there are none.
        """
        left = self.until - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout
        return max(left if wanted is None else min(left, wanted), _SHORTEST_SECONDS)


class _Backend(httpcore.NetworkBackend):
    """Connects to the address that was checked, and to nothing else."""

    def __init__(self, rules: OutboundRules, deadline: _Deadline) -> None:
        self._rules = rules
        self._deadline = deadline
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            address = resolve(host, port, self._rules)
        except OSError as error:
            raise httpcore.ConnectError(error.strerror or type(error).__name__) from error
        stream = self._inner.connect_tcp(
            address, port, self._deadline.left(timeout), local_address, socket_options
        )
        return _Stream(stream, self._deadline)


class _Stream(httpcore.NetworkStream):
    """A connection each step of which is bounded by what is left for the whole request."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _PIECE):
            self._inner.write(buffer[start : start + _PIECE], self._deadline.left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        secured = self._inner.start_tls(ssl_context, server_hostname, self._deadline.left(timeout))
        return _Stream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 -- as the library has it
        return self._inner.get_extra_info(info)


def _bounded(pieces: Iterable[bytes], limit: int) -> bytes:
    body = bytearray()
    for piece in pieces:
        body += piece
        if len(body) >= limit:
            break
    return bytes(body[:limit])
