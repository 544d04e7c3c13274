"""The MLLP listener over real sockets."""

import socket
from collections.abc import Iterator

import pytest

from pacs_gateway.config import Hl7Config
from pacs_gateway.hl7.framing import framed
from pacs_gateway.hl7.listener import Hl7PortUnavailable, MllpListener
from pacs_gateway.hl7.service import Hl7Service
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
    with pytest.raises(Hl7PortUnavailable, match="RDC_MLLP_PORT"):
        MllpListener(config, service).start()
