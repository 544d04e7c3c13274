"""The MLLP listener over real sockets."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pacs_gateway.config import Hl7Config, TlsConfig
from pacs_gateway.hl7.framing import framed
from pacs_gateway.hl7.listener import MllpListener
from pacs_gateway.hl7.service import Hl7Service
from pacs_gateway.ports import PortUnavailable
from pacs_gateway.tls import TlsUnusable
from storage.database import Database
from storage.hl7.senders import bind_sender, sender_by_names
from tests.pacs_gateway.certificates import Authority, Issued
from tests.pacs_gateway.hl7.conftest import Say
from tests.pacs_gateway.hl7.samples import orm


@pytest.fixture
def listener(service: Hl7Service) -> Iterator[MllpListener]:
    """A listener with two connections at most and little patience."""
    config = Hl7Config(
        "RDC",
        "127.0.0.1",
        0,
        maximum_message_bytes=8192,
        maximum_connections=2,
        message_seconds=1.0,
    )
    running = MllpListener(config, service)
    running.start()
    yield running
    running.stop()


def connect(listener: MllpListener) -> socket.socket:
    assert listener.bound_port is not None
    return socket.create_connection(("127.0.0.1", listener.bound_port), timeout=20)


def answer(connection: socket.socket) -> bytes:
    received = b""
    while not received.endswith(b"\x1c\r"):
        piece = connection.recv(4096)
        if not piece:
            return received
        received += piece
    return received


def test_messages_of_one_connection_are_answered_in_order(listener: MllpListener) -> None:
    with connect(listener) as line:
        both = framed(orm(control_id="1").encode()) + framed(orm(control_id="2").encode())
        line.sendall(both[:100])
        line.sendall(both[100:])
        received = answer(line)
        while received.count(b"\x1c\r") < 2:
            received += answer(line)
    assert received.index(b"MSA|AA|1") < received.index(b"MSA|AA|2")


def test_an_oversized_message_is_refused_and_the_next_one_taken(listener: MllpListener) -> None:
    long = orm(version="2.5.1") + "NTE|1||" + "x" * 100_000
    with connect(listener) as line:
        line.sendall(framed(long.encode()))
        assert b"MSA|AR|MSG1" in answer(line)
        line.sendall(framed(orm().encode()))
        assert b"MSA|AA|MSG1" in answer(line)


def test_a_peer_that_stops_inside_a_message_is_left(listener: MllpListener) -> None:
    with connect(listener) as line:
        line.sendall(b"\x0bMSH|^~\\&|HIS")
        assert line.recv(10) == b""


def test_noise_without_end_is_cut_off(listener: MllpListener) -> None:
    def flood(line: socket.socket) -> None:
        for _ in range(10_000):
            line.sendall(b"noise" * 1000)

    # Reset or broken pipe: which of the two is the kernel's choice.
    with connect(listener) as line, pytest.raises((ConnectionResetError, BrokenPipeError)):
        flood(line)


def test_too_many_connections_are_refused(listener: MllpListener) -> None:
    with connect(listener) as first, connect(listener) as second:
        for line in (first, second):
            line.sendall(framed(orm().encode()))
            assert b"MSA|AA" in answer(line)
        with connect(listener) as third:
            assert third.recv(10) == b""


def test_a_taken_port_is_told(listener: MllpListener, service: Hl7Service, say: Say) -> None:
    config = Hl7Config("RDC", "127.0.0.1", listener.bound_port)
    with pytest.raises(PortUnavailable, match="RDC_MLLP_PORT"):
        MllpListener(config, service).start()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


@pytest.fixture
def secured(service: Hl7Service, authority: Authority) -> Iterator[MllpListener]:
    """A listener for TLS beside the plain one."""
    ours = authority.issue("centre")
    tls = TlsConfig(0, ours.certificate, ours.key, authorities=authority.path)
    running = MllpListener(Hl7Config("RDC", "127.0.0.1", 0, message_seconds=5.0, tls=tls), service)
    running.start()
    yield running
    running.stop()


def ordered(listener: MllpListener, authority: Authority, credential: Issued | None) -> bytes:
    """Order over TLS; return the acknowledgement, nothing when the handshake fails."""
    context = ssl.create_default_context(cafile=str(authority.path))
    # The certificates of the test name no host.
    context.check_hostname = False
    if credential is not None:
        context.load_cert_chain(credential.certificate, credential.key)
    assert listener.bound_tls_port is not None
    address = ("127.0.0.1", listener.bound_tls_port)
    try:
        with (
            socket.create_connection(address, timeout=20) as plain,
            context.wrap_socket(plain) as line,
        ):
            line.sendall(framed(orm().encode()))
            return answer(line)
    except (ssl.SSLError, ConnectionError):
        return b""


def test_orders_come_over_tls_from_the_certificate_that_the_sender_is_bound_to(
    secured: MllpListener, authority: Authority, database: Database, tmp_path: Path
) -> None:
    right, wrong = authority.issue("right"), authority.issue("wrong")
    stranger = Authority(tmp_path, "stranger").issue("intruder")
    assert b"MSA|AA|MSG1" in ordered(secured, authority, None)
    assert ordered(secured, authority, stranger) == b""
    with database.transaction() as session:
        bind_sender(sender_by_names(session, "HIS", "EAST"), right.fingerprint.upper())
    assert b"MSA|AR|MSG1" in ordered(secured, authority, None)
    assert b"MSA|AR|MSG1" in ordered(secured, authority, wrong)
    assert b"MSA|AA|MSG1" in ordered(secured, authority, right)
    # Nor does it get in on the port without TLS.
    with connect(secured) as line:
        line.sendall(framed(orm().encode()))
        assert b"MSA|AR|MSG1" in answer(line)


def test_a_line_ends_when_its_certificate_is_revoked(
    service: Hl7Service, authority: Authority
) -> None:
    ours, stolen, other = (authority.issue(name) for name in ("centre", "stolen", "other"))
    tls = TlsConfig(
        0, ours.certificate, ours.key, authorities=authority.path, revocations=authority.revoke()
    )
    listener = MllpListener(Hl7Config("RDC", "127.0.0.1", 0, message_seconds=5.0, tls=tls), service)
    listener.start()
    try:
        assert listener.bound_tls_port is not None
        context = ssl.create_default_context(cafile=str(authority.path))
        context.check_hostname = False
        context.load_cert_chain(stolen.certificate, stolen.key)
        with (
            socket.create_connection(("127.0.0.1", listener.bound_tls_port), timeout=20) as plain,
            context.wrap_socket(plain) as line,
        ):
            line.sendall(framed(orm().encode()))
            assert b"MSA|AA|MSG1" in answer(line)
            authority.revoke(stolen)
            line.sendall(framed(orm().encode()))
            with suppress(ConnectionResetError):
                assert line.recv(4096) == b""
        assert ordered(listener, authority, stolen) == b""
        assert b"MSA|AA|MSG1" in ordered(listener, authority, other)
    finally:
        listener.stop()


def test_a_sender_that_does_not_speak_tls_is_let_go(
    secured: MllpListener, authority: Authority
) -> None:
    assert secured.bound_tls_port is not None
    with socket.create_connection(("127.0.0.1", secured.bound_tls_port), timeout=20) as line:
        line.sendall(framed(orm().encode()))
        # An alert or a reset: which of the two overtakes the other is the kernel's choice.
        with suppress(ConnectionResetError):
            assert b"MSA" not in answer(line)
    assert b"MSA|AA|MSG1" in ordered(secured, authority, None)


def test_a_certificate_that_cannot_be_used_is_told_by_its_setting(
    service: Hl7Service, tmp_path: Path
) -> None:
    absent = TlsConfig(0, tmp_path / "a.crt", tmp_path / "a.key", settings="RDC_MLLP_TLS")
    with pytest.raises(TlsUnusable, match="RDC_MLLP_TLS_CERTIFICATE"):
        MllpListener(Hl7Config("RDC", "127.0.0.1", None, tls=absent), service)
