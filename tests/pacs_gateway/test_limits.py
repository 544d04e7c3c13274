"""What no peer may do to the gateway: fill its memory, its disk, or hold others up."""

import random
import resource
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from pacs_gateway.gateway import Gateway
from storage.database import Database
from storage.index.tables import Instance
from tests.pacs_gateway.conftest import Site, left_in
from tests.pacs_gateway.datasets import CT, EXPLICIT, ct, encode, sample
from tests.pacs_gateway.peers import RawPeer, p_data, pdv, store_command
from tests.pacs_gateway.processes import GatewayProcess
from tests.pacs_gateway.test_store import count, drained, request, send
from tests.pacs_gateway.waiting import until

_MEBIBYTE = 1024 * 1024


@pytest.mark.slow
def test_memory_does_not_grow_with_an_instance(
    gateway_process: GatewayProcess, database: Database, site: Site
) -> None:
    assert site
    size = 256 * _MEBIBYTE
    dataset = ct(PixelData=None, SOPInstanceUID="1.2.3.9")
    head = encode(dataset) + struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OW", 0, size)
    block = bytes(_MEBIBYTE)
    gateway_process.start()
    assert gateway_process.process is not None
    observed = psutil.Process(gateway_process.process.pid)
    before = peak = observed.memory_info().rss
    with RawPeer(gateway_process.port) as peer:
        assert peer.associate({1: (CT, [EXPLICIT])}) == 2
        peer.send(p_data(pdv(1, 3, store_command("1.2.3.9")), pdv(1, 0, head)))
        for number in range(size // len(block)):
            # One PDU far longer than what was offered is taken too, piece by piece.
            peer.send(p_data(pdv(1, 0, block)))
            if number % 16 == 0:
                peak = max(peak, observed.memory_info().rss)
        peer.send(p_data(pdv(1, 2, b"")))
        assert peer.status() == 0
        peak = max(peak, observed.memory_info().rss)
    until(lambda: count(database, Instance) == 1, "it is filed")
    peak = max(peak, observed.memory_info().rss)
    assert peak - before < 64 * _MEBIBYTE


def test_a_disk_that_fills_up_during_an_instance_is_told(
    gateway: Gateway, database: Database, site: Site, tmp_path: Path
) -> None:
    assert site
    large, small = sample(size=1024), sample()
    kept = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (_MEBIBYTE, kept[1]))
    try:
        assert send(gateway, [large, small]) == [0xA700, 0]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, kept)
    drained(gateway)
    assert left_in(tmp_path / "spool") == []
    assert send(gateway, [large]) == [0]
    drained(gateway)
    assert count(database, Instance) == 2


@pytest.mark.parametrize("ending", ["abort", "close", "reset"])
def test_an_association_that_ends_within_an_instance_leaves_nothing(
    gateway: Gateway, database: Database, site: Site, tmp_path: Path, ending: str
) -> None:
    assert site
    spool = tmp_path / "spool"
    with RawPeer(gateway.bound_port) as peer:
        assert peer.associate() == 2
        peer.send(
            p_data(pdv(1, 3, store_command("1.2.3"))) + p_data(pdv(1, 0, bytes(2 * _MEBIBYTE)))
        )
        until(lambda: bool(left_in(spool)), "the instance is being received")
        if ending == "abort":
            peer.send(struct.pack(">BxI", 7, 4) + bytes(4))
        elif ending == "reset":
            peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    until(lambda: not left_in(spool), "what came of it is gone")
    assert gateway.waiting() == 0
    assert count(database, Instance) == 0


def test_a_slow_peer_holds_up_nobody(
    start_gateway: Callable[..., Gateway], database: Database, site: Site
) -> None:
    assert site
    gateway = start_gateway(network_timeout_seconds=90.0)
    slow = [RawPeer(gateway.bound_port) for _ in range(10)]
    try:
        for peer in slow:
            assert peer.associate() == 2
            peer.send(p_data(pdv(1, 3, store_command("1.2.3")))[:50])
        begun = time.monotonic()
        assert send(gateway, [sample() for _ in range(20)]) == [0] * 20
        assert time.monotonic() - begun < 60, "they waited until the slow ones were given up"
    finally:
        for peer in slow:
            peer.socket.close()
    drained(gateway)
    assert count(database, Instance) == 20


@pytest.mark.slow
def test_mutated_streams_are_answered_or_ended(
    start_gateway: Callable[..., Gateway], database: Database, site: Site, tmp_path: Path
) -> None:
    assert site
    assert database
    gateway = start_gateway(network_timeout_seconds=5.0)
    chance = random.Random(20260304)
    valid = request(1, sample()) + struct.pack(">BxI", 5, 4) + bytes(4)
    for _ in range(150):
        stream = bytearray(valid)
        for _ in range(chance.randint(1, 6)):
            # Mostly where lengths, contexts and commands are.
            at = chance.randrange(chance.choice((12, 200, len(stream))))
            stream[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        with RawPeer(gateway.bound_port) as peer:
            assert peer.associate() == 2
            peer.send(bytes(stream))
            peer.socket.shutdown(socket.SHUT_WR)
            while peer.receive()[0] != 0:
                pass
    assert send(gateway, [sample()]) == [0]
    drained(gateway)
    assert left_in(tmp_path / "spool") == []
