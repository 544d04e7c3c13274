"""Who is behind a balancer: the header it sends before the first byte of a connection.

HAProxy's PROXY protocol, versions 1 and 2. Without it every device would seem to call from the
balancer's address, and the list of addresses that each device may call from would be worth nothing.
It is believed of the balancers that are named in the settings, and of nobody else.
"""

import ipaddress
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

_SIGNATURE: Final = b"\r\n\r\n\x00\r\nQUIT\n"
_VERSION_2: Final = struct.Struct("!BBH")
_LOCAL: Final = 0x20
_PROXY: Final = 0x21
# By address family and transport: how long addresses and ports are. The rest is of no use to us.
_ADDRESSES: Final = {0x11: struct.Struct("!4s4sHH"), 0x21: struct.Struct("!16s16sHH")}
_LONGEST: Final = 1024
_VERSION_1: Final = b"PROXY "
_LONGEST_LINE: Final = 107
_WORDS: Final = 6


class ProxyHeaderInvalid(OSError):
    """A balancer's connection does not begin with a header, or it did not come in time."""


@dataclass(frozen=True)
class Balancers:
    """The networks, in CIDR notation, whose connections begin with a header."""

    networks: Sequence[str] = ()

    @cached_property
    def _parsed(self) -> Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        return [ipaddress.ip_network(one) for one in self.networks]

    def have(self, address: str) -> bool:
        """Tell whether a connection from `address` begins with a header."""
        if not self.networks:
            return False
        peer = ipaddress.ip_address(address)
        return any(peer in network for network in self._parsed)


def read_origin(connection: socket.socket, *, timeout: float) -> tuple[str, int] | None:
    """Take the header off a connection; return address and port of who called the balancer.

    None when the balancer itself calls, as it does to see whether we are there.
    timeout: seconds for the whole header; those of the connection itself do not count.

    Raises:
        ProxyHeaderInvalid: there is none.
    """
    deadline = time.monotonic() + timeout
    start = _exactly(connection, len(_SIGNATURE), deadline)
    if start == _SIGNATURE:
        return _version_2(connection, deadline)
    if start.startswith(_VERSION_1):
        return _version_1(connection, start, deadline)
    raise ProxyHeaderInvalid("it begins with something else")


def _version_2(connection: socket.socket, deadline: float) -> tuple[str, int] | None:
    command, kind, length = _VERSION_2.unpack(_exactly(connection, _VERSION_2.size, deadline))
    if command not in {_LOCAL, _PROXY} or length > _LONGEST:
        raise ProxyHeaderInvalid("its version, command or length is unknown")
    rest = _exactly(connection, length, deadline)
    if command == _LOCAL or kind == 0:
        return None
    if kind not in _ADDRESSES or length < _ADDRESSES[kind].size:
        raise ProxyHeaderInvalid("it names no TCP connection")
    source, _, port, _ = _ADDRESSES[kind].unpack_from(rest)
    return str(ipaddress.ip_address(source)), int(port)


def _version_1(connection: socket.socket, start: bytes, deadline: float) -> tuple[str, int] | None:
    line = bytearray(start)
    # Byte by byte: what follows the line is the caller's.
    while not line.endswith(b"\r\n"):
        if len(line) > _LONGEST_LINE:
            raise ProxyHeaderInvalid("its line does not end")
        line += _exactly(connection, 1, deadline)
    words = line.decode("ascii", errors="replace").split()
    if words[1:2] == ["UNKNOWN"]:
        return None
    if len(words) != _WORDS or words[1] not in {"TCP4", "TCP6"}:
        raise ProxyHeaderInvalid("it names no TCP connection")
    try:
        return str(ipaddress.ip_address(words[2])), int(words[4])
    except ValueError as error:
        raise ProxyHeaderInvalid("it names no address") from error


def _exactly(connection: socket.socket, count: int, deadline: float) -> bytes:
    received = bytearray()
    while len(received) < count:
        if time.monotonic() > deadline:
            raise ProxyHeaderInvalid("it did not come in time")
        try:
            piece = connection.recv(count - len(received))
        except (BlockingIOError, TimeoutError):
            # The connection wakes us so often; the deadline is ours.
            continue
        if not piece:
            raise ProxyHeaderInvalid("the connection ended before it")
        received += piece
    return bytes(received)
