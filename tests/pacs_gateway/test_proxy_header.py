"""Connections through a balancer: who is behind it, and whom we believe that."""

import socket
import struct
from collections.abc import Callable
from ipaddress import ip_address

import pytest

from pacs_gateway.associations.seats import Seats
from pacs_gateway.config import Hl7Config
from pacs_gateway.gateway import Gateway
from pacs_gateway.hl7.framing import framed
from pacs_gateway.hl7.listener import MllpListener
from pacs_gateway.hl7.service import Hl7Service
from pacs_gateway.proxy_header import ProxyHeaderInvalid, read_origin
from storage.database import Database
from storage.hl7.senders import add_sender
from storage.registry import add_device, organisation_by_code
from tests.pacs_gateway.conftest import Site
from tests.pacs_gateway.hl7.samples import orm
from tests.pacs_gateway.peers import RawPeer

ACCEPTED, REJECTED = 2, 3
SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
LOCAL = SIGNATURE + bytes([0x20, 0x00, 0, 0])


def version_2(source: str, port: int = 40_000, extra: bytes = b"") -> bytes:
    """A header as HAProxy sends it, with other fields after the addresses."""
    address = ip_address(source).packed
    body = address + address + struct.pack("!HH", port, 11112) + extra
    kind = 0x11 if len(address) == 4 else 0x21
    return SIGNATURE + struct.pack("!BBH", 0x21, kind, len(body)) + body


def version_1(source: str, port: int = 40_000) -> bytes:
    kind = "TCP4" if ip_address(source).version == 4 else "TCP6"
    return f"PROXY {kind} {source} {source} {port} 11112\r\n".encode()


def received(content: bytes) -> tuple[tuple[str, int] | None, bytes]:
    """What is read of a connection, and what is left on it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(content)
        theirs.shutdown(socket.SHUT_WR)
        return read_origin(ours, timeout=5), ours.recv(100)


@pytest.mark.parametrize("source", ["10.1.2.3", "fd00::12"])
@pytest.mark.parametrize("header", [version_1, version_2])
def test_the_header_names_the_caller_and_nothing_after_it_is_taken(
    header: Callable[[str], bytes], source: str
) -> None:
    assert received(header(source) + b"the caller's") == ((source, 40_000), b"the caller's")


def test_other_fields_of_the_header_are_skipped() -> None:
    assert received(version_2("10.1.2.3", extra=b"\x04\x00\x02xx") + b"x") == (
        ("10.1.2.3", 40_000),
        b"x",
    )


@pytest.mark.parametrize("header", [LOCAL, b"PROXY UNKNOWN\r\n"])
def test_a_balancer_that_calls_for_itself_names_nobody(header: bytes) -> None:
    assert received(header) == (None, b"")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x01\x00\x00\x00\x00\xcd\x00\x01\x00\x00RDC       ",
        SIGNATURE,
        SIGNATURE + bytes([0x31, 0x11, 0, 12]) + bytes(12),
        SIGNATURE + bytes([0x21, 0x11, 0, 4]) + bytes(4),
        SIGNATURE + bytes([0x21, 0x11, 0xFF, 0xFF]),
        b"PROXY TCP4 " + b"1" * 200,
        b"PROXY TCP4 here there 1 2\r\n",
    ],
)
def test_what_is_no_header(content: bytes) -> None:
    with pytest.raises(ProxyHeaderInvalid):
        received(content)


@pytest.fixture
def scanner(database: Database, site: Site) -> str:
    """A device that may call from one network only."""
    with database.transaction() as session:
        east = organisation_by_code(session, site.code)
        add_device(session, east, "DR1", "DR", addresses=["10.2.0.0/16"])
    return "DR1"


@pytest.mark.parametrize(
    ("header", "answer"),
    [
        (version_2("10.2.3.4"), ACCEPTED),
        (version_1("10.2.3.4"), ACCEPTED),
        (version_2("10.3.3.4"), REJECTED),
        # Nobody is behind it, or nobody says so: nothing is answered.
        (LOCAL, 0),
        (b"", 0),
    ],
)
def test_a_device_behind_a_balancer_has_its_own_address(
    start_gateway: Callable[..., Gateway], scanner: str, header: bytes, answer: int
) -> None:
    gateway = start_gateway(balancers=("127.0.0.0/8",), acse_timeout_seconds=1.0)
    with RawPeer(gateway.bound_port) as peer:
        peer.send(header)
        assert peer.associate(calling=scanner) == answer


def test_nobody_else_is_believed(start_gateway: Callable[..., Gateway], scanner: str) -> None:
    gateway = start_gateway(balancers=("10.9.9.9/32",), acse_timeout_seconds=1.0)
    with RawPeer(gateway.bound_port) as peer:
        peer.send(version_2("10.2.3.4"))
        assert peer.associate(calling=scanner) not in {ACCEPTED, REJECTED}


def test_many_wait_behind_a_balancer_where_few_may_at_one_address() -> None:
    seats = Seats(10, balancers=("10.0.0.1/32",))
    arrived = [[seats.arrive(address) for _ in range(100)] for address in ("10.0.0.1", "10.0.0.2")]
    assert None not in arrived[0]
    assert None in arrived[1]


def test_a_sender_of_hl7_behind_a_balancer_has_its_own_address(
    database: Database, site: Site
) -> None:
    with database.transaction() as session:
        add_sender(
            session,
            organisation_by_code(session, site.code),
            "HIS",
            "EAST",
            addresses=["10.2.0.0/16"],
        )
    service = Hl7Service(database, application="RDC", time_zone="Asia/Shanghai")
    config = Hl7Config("RDC", "127.0.0.1", 0, balancers=("127.0.0.0/8",))
    listener = MllpListener(config, service)
    listener.start()
    try:
        assert listener.bound_port is not None
        for source, code in (("10.2.3.4", b"MSA|AA|"), ("10.3.3.4", b"MSA|AR|")):
            with socket.create_connection(("127.0.0.1", listener.bound_port), 20) as line:
                line.sendall(version_2(source) + framed(orm().encode()))
                assert code in line.recv(4096)
    finally:
        listener.stop()
