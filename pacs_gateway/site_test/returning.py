"""The way back: is each destination there, does it answer, how long does its certificate last."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from ssl import SSLSocket
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509

from pacs_gateway.config import ReturnsConfig
from pacs_gateway.returns import trials
from pacs_gateway.returns.outbound import OutboundRules, resolve
from pacs_gateway.tls import client_context
from storage.database import Database
from storage.destination_trials import ClockSeen
from storage.errors import RdcError
from storage.registry import Destination
from storage.registry.destination_settings import (
    ClientTls,
    DicomSettings,
    FhirSettings,
    Hl7Settings,
    NoticeSettings,
    Settings,
    WebhookSettings,
)
from storage.site_tests.findings import Check, Finding, Outcome

_SOON: Final = timedelta(days=30)
_CLOCKS_APART: Final = timedelta(minutes=2)
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class _Line:
    """Where a destination is called. tls: None for a plain connection.

    guarded: whether the address is one that somebody entered, which may not lead anywhere.
    """

    host: str
    port: int
    tls: ClientTls | None
    guarded: bool


def any_way(destinations: Sequence[Destination]) -> Iterator[Finding]:
    """Tell when the site has no machine that reports go to."""
    if not destinations:
        yield Finding(Check.DESTINATION, Outcome.WARNING, "destination_none")


def reached(
    destination: Destination, database: Database, config: ReturnsConfig, now: datetime
) -> Iterator[Finding]:
    """Try a destination as its kind is tried, and look at its certificate; nothing is delivered."""
    label = destination.label
    [found] = trials.try_now(database, config, destination_id=destination.id)
    tried = found.tried
    yield Finding(
        Check.DESTINATION,
        Outcome.PASSED if tried.finding.is_good else Outcome.FAILED,
        f"destination_{tried.finding.value}",
        label,
        {"said": tried.said},
    )
    if tried.clock is not None:
        yield clock_of(label, tried.clock)
    if not tried.finding.is_good:
        return
    try:
        until = _certificate_until(_line(destination.typed_settings), config)
    except (OSError, RdcError) as error:
        # Nothing here but what the trial would have met, had it come a moment later.
        facts = {"said": error.what if isinstance(error, RdcError) else type(error).__name__}
        yield Finding(Check.CERTIFICATE, Outcome.WARNING, "certificate_failed", label, facts)
        return
    if until is not None:
        ending = until - now < _SOON
        yield Finding(
            Check.CERTIFICATE,
            Outcome.WARNING if ending else Outcome.PASSED,
            "certificate_ending" if ending else "certificate",
            label,
            {"until": f"{until:%Y-%m-%d}"},
        )


def clock_of(label: str, seen: ClockSeen) -> Finding:
    """Tell how a web receiver's clock compares with ours.

    What the way there and back may explain is not held against it. Five minutes are what receivers
    of signed messages let pass, so that one at two is told in time.
    """
    off = seen.surely_off
    amount = {"apart": _duration(abs(off))}
    if abs(off) <= _CLOCKS_APART:
        return Finding(Check.RECEIVER_CLOCK, Outcome.PASSED, "receiver_clock", label)
    ahead = off > timedelta(0)
    reason = "receiver_clock_ahead" if ahead else "receiver_clock_behind"
    return Finding(Check.RECEIVER_CLOCK, Outcome.WARNING, reason, label, amount)


def _duration(length: timedelta) -> str:
    """Return hours, minutes and seconds as every language reads them, such as 8:00:03."""
    return str(timedelta(seconds=round(length.total_seconds())))


def _line(settings: Settings) -> _Line:
    match settings:
        case DicomSettings() | Hl7Settings():
            return _Line(settings.host, settings.port, settings.tls, guarded=False)
        case FhirSettings() | WebhookSettings():
            return _web(settings.url, settings.tls)
        case NoticeSettings():
            if settings.url is not None:
                return _web(settings.url, settings.tls)
            secured = settings.security == "tls"
            tls = (settings.tls or ClientTls()) if secured else None
            return _Line(settings.host or "", settings.port, tls, guarded=False)


def _web(url: str, tls: ClientTls | None) -> _Line:
    parts = urlsplit(url)
    secured = parts.scheme == "https"
    return _Line(
        parts.hostname or "",
        parts.port or _PORTS[parts.scheme],
        (tls or ClientTls()) if secured else None,
        guarded=True,
    )


def _certificate_until(line: _Line, config: ReturnsConfig) -> datetime | None:
    """Return until when the peer's certificate is good; None without TLS.

    Raises:
        OSError: not reached, or its certificate is not accepted (SSLError).
        AddressRefused, TlsUnusable: see there.
    """
    if line.tls is None:
        return None
    address = line.host
    if line.guarded:
        rules = OutboundRules.of(config.outbound_allowed, config.outbound_denied)
        address = resolve(line.host, line.port, rules)
    context = client_context(line.tls)
    name = line.tls.server_name or line.host
    seconds = config.connect_timeout_seconds
    with (
        closing(socket.create_connection((address, line.port), seconds)) as connection,
        context.wrap_socket(connection, server_hostname=name) as secured,
    ):
        return _end(secured)


def _end(connection: SSLSocket) -> datetime | None:
    encoded = connection.getpeercert(binary_form=True)
    return None if encoded is None else x509.load_der_x509_certificate(encoded).not_valid_after_utc
