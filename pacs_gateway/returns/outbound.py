"""Which addresses we let ourselves be sent to when we call a web address that somebody configured.

A destination's address is entered by people of a site and resolved by servers that are not ours. A
name that leads to ourselves, to the cloud's metadata service or to our neighbours on the link would
make us fetch what only we may. Private networks stay open: sites' systems stand there.
"""

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from storage.errors import RdcError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Services of clouds for the machine itself, where no property of the address tells it: Alibaba,
# Azure, Oracle, and Amazon over IPv6.
_METADATA: Final = frozenset(
    ipaddress.ip_address(one)
    for one in ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254")
)
# IPv4 within IPv6: translated (RFC 6052) and tunnelled (RFC 3056); a mapped one is known to Python.
_TRANSLATED: Final = ipaddress.IPv6Network("64:ff9b::/96")
_TUNNELLED: Final = ipaddress.IPv6Network("2002::/16")
_IPV4_BITS: Final = 0xFFFF_FFFF
_TUNNEL_SHIFT: Final = 80


class AddressRefused(RdcError):
    """A web address leads to where we do not call."""


@dataclass(frozen=True, slots=True)
class OutboundRules:
    """What the machine's owner says of addresses beside the rules that hold everywhere.

    allowed: networks that may be called though they would be refused, such as ::1/128 or
        127.0.0.0/8 for a receiver on this very machine.
    denied: networks that may not be called whatever else is said.
    """

    allowed: tuple[Network, ...] = ()
    denied: tuple[Network, ...] = ()

    @classmethod
    def of(cls, allowed: Iterable[str] = (), denied: Iterable[str] = ()) -> "OutboundRules":
        """Return rules from networks in CIDR notation.

        Raises:
            ValueError: something is no network.
        """
        return cls(
            tuple(ipaddress.ip_network(one.strip()) for one in allowed if one.strip()),
            tuple(ipaddress.ip_network(one.strip()) for one in denied if one.strip()),
        )

    def refusal(self, address: Address) -> str:
        """Return why an address is not called; "" for one that is."""
        inner = _within(address)
        if any(one in network for network in self.denied for one in (address, inner)):
            return "denied by RDC_OUTBOUND_DENY"
        if any(one in network for network in self.allowed for one in (address, inner)):
            return ""
        return _kind(inner) or _kind(address)


def resolve(host: str, port: int, rules: OutboundRules) -> str:
    """Return the one IP address to connect to for a host, after every address it has was looked at.

    The caller connects to this address and to no other: what a second look-up would say does not
    matter any more.

    Raises:
        AddressRefused: one of the addresses is not called.
        OSError: the name is not known.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(one[4][0]).partition("%")[0] for one in found))
    for text in addresses:
        why = rules.refusal(ipaddress.ip_address(text))
        if why:
            raise AddressRefused(
                f"the address of {host} is not called",
                expected="an address of a site's system",
                found=f"{text}: {why}",
                remedy="If it is meant, allow it with RDC_OUTBOUND_ALLOW.",
            )
    return addresses[0]


def _within(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for; any other as it is."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _TRANSLATED:
        return ipaddress.IPv4Address(int(address) & _IPV4_BITS)
    if address in _TUNNELLED:
        return ipaddress.IPv4Address((int(address) >> _TUNNEL_SHIFT) & _IPV4_BITS)
    return address


def _kind(address: Address) -> str:
    if address in _METADATA:
        return "a metadata service"
    kinds = {
        "loopback": address.is_loopback,
        "link-local": address.is_link_local,
        "multicast": address.is_multicast,
        "unspecified": address.is_unspecified or int(address) == 0,
        "reserved": address.is_reserved,
        "this network": isinstance(address, ipaddress.IPv4Address) and int(address) >> 24 == 0,
    }
    return next((name for name, holds in kinds.items() if holds), "")
