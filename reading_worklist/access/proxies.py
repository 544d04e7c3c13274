"""Who is calling behind proxies: the client's address and scheme, as only trusted hops tell them.

A header with addresses is written by whoever sends it. What a proxy of ours added stands at its
right end, so the list is read from there: as long as an address is itself one of ours, its word
about the next one to the left counts. The first that is not ours is the client; what stands to the
left of it is the client's own claim. One header is read, never the other: a proxy that adds to
X-Forwarded-For passes a stranger's Forwarded (RFC 7239) on untouched.
"""

import re
from collections.abc import Iterable, MutableMapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, Final

from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Call

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

_PROTO: Final = "x-forwarded-proto"
_SCHEMES: Final = {
    "http": {"http": "http", "https": "https"},
    "websocket": {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"},
}
# One pair of RFC 7239 §4: a token, "=", a token or quoted string; in order, up to the next ; or ,.
_PAIR: Final = re.compile(r'\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)=("(?:[^"\\]|\\.)*"|[^;,"\s]*)\s*')
_PORT: Final = re.compile(r"^\[(?P<v6>[^\]]+)\](?::\w+)?$|^(?P<v4>[^:]+)(?::\w+)?$")


class ForwardedHeader(StrEnum):
    """In which header the trusted proxies say whom they speak for."""

    X_FORWARDED_FOR = "x-forwarded-for"
    FORWARDED = "forwarded"


@dataclass(frozen=True, slots=True)
class ProxyTrust:
    """Which proxies are believed; without a network none, and no header is read.

    client_certificates: whether they write Client-Cert (RFC 9440), and take away a stranger's.
    """

    networks: tuple[Network, ...] = ()
    header: ForwardedHeader = ForwardedHeader.X_FORWARDED_FOR
    client_certificates: bool = False


@dataclass(frozen=True, slots=True)
class Hop:
    """What one proxy says of whom it received the request from.

    address: None where it says something that is no address (RFC 7239 §6.2, §6.3).
    scheme: "http" or "https" in lower case; None where it does not say.
    """

    address: Address | None
    scheme: str | None = None


def address_of(text: str) -> Address | None:
    """Read an IP address; an IPv4 address mapped into IPv6 is the IPv4 address; else None."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    if isinstance(found, IPv6Address):
        return found.ipv4_mapped or found
    return found


def is_in(text: str, networks: Iterable[Network]) -> bool:
    """Tell whether a text is an address of one of the networks."""
    address = address_of(text)
    return address is not None and any(address in network for network in networks)


def caller(peer: str, hops: Sequence[Hop], trusted: Sequence[Network]) -> tuple[str, str | None]:
    """Return the client's address and the scheme that it used, None where nobody says.

    peer: who is connected with us. hops: as the header has them, the nearest to us last.
    """
    address, scheme = peer, None
    for hop in reversed(hops):
        if not is_in(address, trusted):
            break
        scheme = hop.scheme or scheme
        if hop.address is None:
            break
        address = str(hop.address)
    return address, scheme


def hops_of_x_forwarded_for(value: str) -> list[Hop]:
    """Read X-Forwarded-For: addresses with commas between, perhaps with ports."""
    return [Hop(_node(part.strip())) for part in value.split(",")]


def hops_of_forwarded(value: str) -> list[Hop]:
    """Read Forwarded (RFC 7239 §4); where it is not as it should be, it ends: what is left counts.

    A malformed header is read from its right end no further than it can be read.
    """
    hops: list[Hop] = []
    for element in _elements(value):
        pairs: dict[str, str] = {}
        at = 0
        while at < len(element):
            pair = _PAIR.match(element, at)
            if pair is None:
                # Nothing to the left of a broken element can be believed.
                hops.clear()
                pairs = {}
                break
            pairs.setdefault(pair[1].lower(), _unquoted(pair[2]))
            at = pair.end() + 1
        scheme = pairs.get("proto", "").lower()
        hops.append(
            Hop(_node(pairs.get("for", "")), scheme if scheme in _SCHEMES["http"] else None)
        )
    return hops


class TrustedProxies:
    """ASGI: sets the client and the scheme of what came through trusted proxies.

    It must be called before whatever asks for the client's address.
    """

    def __init__(self, app: ASGIApp, *, trust: ProxyTrust) -> None:
        self._app = app
        self._trust = trust

    async def __call__(self, scope: Call, receive: Receive, send: Send) -> None:
        """Pass a call on as its client's."""
        if scope["type"] in _SCHEMES and scope["client"] and self._trust.networks:
            peer = scope["client"][0]
            if is_in(peer, self._trust.networks):
                self._attribute(scope, peer)
        await self._app(scope, receive, send)

    def _attribute(self, scope: MutableMapping[str, Any], peer: str) -> None:
        value = _joined(scope, self._trust.header)
        if self._trust.header is ForwardedHeader.FORWARDED:
            client, scheme = caller(peer, hops_of_forwarded(value), self._trust.networks)
        else:
            hops = hops_of_x_forwarded_for(value) if value else []
            client, _ = caller(peer, hops, self._trust.networks)
            # What the nearest proxy wrote stands last.
            scheme = _joined(scope, _PROTO).rpartition(",")[2].strip().lower()
        scope["client"] = (client, scope["client"][1] if client == peer else 0)
        scope["scheme"] = _SCHEMES[scope["type"]].get(scheme or "", scope.get("scheme", "http"))


def _joined(scope: MutableMapping[str, Any], name: str) -> str:
    """Return all lines of a header as one, as RFC 9110 §5.3 has it."""
    wanted = name.encode("ascii")
    return ",".join(value.decode("latin-1") for key, value in scope["headers"] if key == wanted)


def _node(text: str) -> Address | None:
    """Read a node of RFC 7239 §6, with or without port, also an IPv6 address without brackets."""
    bare = address_of(text)
    if bare is not None:
        return bare
    parts = _PORT.match(text)
    return None if parts is None else address_of(parts["v6"] or parts["v4"])


def _elements(value: str) -> list[str]:
    """Split at commas outside of quoted strings."""
    elements = [""]
    quoted = escaped = False
    for character in value:
        if character == "," and not quoted:
            elements.append("")
            continue
        if character == '"' and not escaped:
            quoted = not quoted
        escaped = character == "\\" and not escaped
        elements[-1] += character
    return [element.strip() for element in elements if element.strip()]


def _unquoted(text: str) -> str:
    if text.startswith('"'):
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text
