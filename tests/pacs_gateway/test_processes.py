"""A gateway of several processes: they share the work, and any of them may die."""

import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
import pytest

from deploy.embedded.processes import tied
from pacs_gateway.inbox import waiting
from storage.database import Database
from storage.index.tables import Instance
from storage.registry import DeviceLimits, limit_device
from storage.registry import device_by_ae_title as device_of
from tests.pacs_gateway.conftest import Site
from tests.pacs_gateway.datasets import CT, EXPLICIT, Sample, sample
from tests.pacs_gateway.peers import RawPeer, p_data, pdv, store_command
from tests.pacs_gateway.test_store import count, request
from tests.pacs_gateway.waiting import until
from tests.support.ending import left_of

_PROGRAM = """
import signal, sys
from contextlib import contextmanager
from pathlib import Path
from pacs_gateway.config import GatewayConfig
from pacs_gateway.processes.supervisor import GatewayProcesses
from storage.database import Database
from storage.objects import open_object_store
url, store, spool, notes = sys.argv[1:]

@contextmanager
def open_child(name):
    database = Database(url)
    try:
        yield database, open_object_store(store)
    finally:
        database.close()

config = GatewayConfig(
    "RDC", "127.0.0.1", 0, Path(spool), spool_reserve_bytes=1, device_cache_seconds=0.0,
    stop_grace_seconds=2.0,
)
gateway = GatewayProcesses(config, open_child)
signal.signal(signal.SIGTERM, lambda *_: gateway.stop())
gateway.start()

def ready():
    print(gateway.bound_port, flush=True)

gateway.run(ready)
"""


class Running:
    """The gateway of a test."""

    def __init__(self, arguments: list[str]) -> None:
        self.process = subprocess.Popen(
            tied([sys.executable, "-c", _PROGRAM, *arguments]), stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def children(self) -> list[psutil.Process]:
        """The filing process first, then those that receive, by age."""
        found: list[tuple[bool, float, int, psutil.Process]] = []
        for child in psutil.Process(self.process.pid).children():
            # One that was killed may be gone before it is looked at.
            with suppress(psutil.NoSuchProcess):
                found.append((child.nice() == 0, child.create_time(), child.pid, child))
        return [child for *_, child in sorted(found, key=lambda one: one[:3])]

    def filing(self) -> psutil.Process:
        """The process that files, as soon as there is one."""
        until(lambda: self.children()[0].nice() > 0, "there is a process that files")
        return self.children()[0]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def end(self) -> None:
        if self.process.poll() is None:
            left = psutil.Process(self.process.pid).children()
            self.process.kill()
            self.process.wait()
            left_of(left, 10)


@pytest.fixture
def start(database_url: str, tmp_path: Path) -> Iterator[Callable[[], Running]]:
    with ExitStack() as ends:

        def starting() -> Running:
            made = Running(
                [database_url, f"file://{tmp_path}/objects", str(tmp_path / "spool"), "notes"]
            )
            ends.callback(made.end)
            return made

        yield starting


def _connections(process: psutil.Process) -> int:
    return sum(one.status == psutil.CONN_ESTABLISHED for one in process.net_connections("tcp"))


def _send(peer: RawPeer, items: list[Sample]) -> None:
    for item in items:
        peer.send(request(1, item))
        assert peer.status() == 0


def test_associations_are_spread_and_all_is_filed(
    start: Callable[[], Running], database: Database, site: Site, tmp_path: Path
) -> None:
    assert site
    gateway = start()
    filing, *receiving = gateway.children()
    assert filing.nice() > 0
    assert len(receiving) == 2
    with ExitStack() as stack:
        peers = [stack.enter_context(RawPeer(gateway.port)) for _ in range(4)]
        for peer in peers:
            assert peer.associate({1: (CT, [EXPLICIT])}) == 2
        assert [_connections(process) for process in receiving] == [2, 2]
        for peer in peers:
            _send(peer, [sample() for _ in range(5)])
            assert peer.release() == 6
    until(lambda: count(database, Instance) == 20, "all are filed")
    until(lambda: waiting(tmp_path / "spool") == 0, "the spool is empty")
    processes = gateway.children()
    assert gateway.stop() == 0
    assert not any(process.is_running() for process in processes)
    # Nothing is left but the lock of whoever files.
    assert {path.name for path in (tmp_path / "spool").rglob("*.dcm")} == set()


def test_a_receiving_process_that_dies_takes_nothing_with_it(
    start: Callable[[], Running], database: Database, site: Site
) -> None:
    assert site
    gateway = start()
    _, one, other = gateway.children()
    with RawPeer(gateway.port) as first, RawPeer(gateway.port) as second:
        for peer in (first, second):
            assert peer.associate({1: (CT, [EXPLICIT])}) == 2
            _send(peer, [sample() for _ in range(3)])
        victim = one if _connections(one) else other
        # Half an instance is under way when it dies.
        first.send(p_data(pdv(1, 3, store_command("1.2.3"))) + p_data(pdv(1, 0, bytes(1000))))
        os.kill(victim.pid, signal.SIGKILL)
        # One of the two associations is gone, the other does not notice.
        alive = [peer for peer in (first, second) if _still_serves(peer, peer is first)]
        assert len(alive) == 1
    until(lambda: len(gateway.children()) == 3, "it is started again")
    until(lambda: count(database, Instance) in {6, 7}, "all are filed")
    with RawPeer(gateway.port) as peer:
        assert peer.associate({1: (CT, [EXPLICIT])}) == 2
        _send(peer, [sample()])
    assert gateway.stop() == 0


def _still_serves(peer: RawPeer, half_way: bool) -> bool:  # noqa: FBT001 -- one call, read above
    try:
        peer.send(p_data(pdv(1, 2, b"")) if half_way else request(1, sample()))
    except OSError:
        return False
    return peer.receive()[0] == 4


def test_the_filing_process_may_die(
    start: Callable[[], Running], database: Database, site: Site, tmp_path: Path
) -> None:
    assert site
    gateway = start()
    with RawPeer(gateway.port) as peer:
        assert peer.associate({1: (CT, [EXPLICIT])}) == 2
        for _ in range(3):
            os.kill(gateway.filing().pid, signal.SIGKILL)
            _send(peer, [sample() for _ in range(5)])
            until(lambda: len(gateway.children()) == 3, "it is started again")
    until(lambda: count(database, Instance) == 15, "all are filed")
    until(lambda: waiting(tmp_path / "spool") == 0, "the spool is empty")


def test_without_their_supervisor_children_end_and_the_next_gateway_goes_on(
    start: Callable[[], Running], database: Database, site: Site, tmp_path: Path
) -> None:
    assert site
    gateway = start()
    children = gateway.children()
    # Nothing is filed meanwhile.
    children[0].suspend()
    with RawPeer(gateway.port) as peer:
        assert peer.associate({1: (CT, [EXPLICIT])}) == 2
        _send(peer, [sample() for _ in range(5)])
        gateway.process.kill()
        gateway.process.wait()
        children[0].kill()
        left_of(children, 10)
        assert not any(child.is_running() for child in children)
    assert waiting(tmp_path / "spool") == 5
    start()
    until(lambda: count(database, Instance) == 5, "what was acknowledged is filed")


def test_a_device_has_its_rate_over_all_processes(
    start: Callable[[], Running], database: Database, site: Site
) -> None:
    item = sample(size=256)
    with database.transaction() as session:
        limits = DeviceLimits(max_bytes_per_second=len(item.encoded))
        limit_device(device_of(session, site.ae_title), limits)
    gateway = start()
    _, *receiving = gateway.children()
    with RawPeer(gateway.port) as one, RawPeer(gateway.port) as other:
        for peer in (one, other):
            assert peer.associate({1: (CT, [EXPLICIT])}) == 2
        assert [_connections(process) for process in receiving] == [1, 1]
        begun = time.monotonic()
        with ThreadPoolExecutor(2) as senders:
            for sent in [senders.submit(_send, peer, [item, item]) for peer in (one, other)]:
                sent.result()
    # Four seconds of the rate, of which one may come at once; each process alone needs one.
    assert time.monotonic() - begun > 2.5
    assert gateway.stop() == 0


def test_a_device_has_its_number_of_associations_over_all_processes(
    start: Callable[[], Running], database: Database, site: Site, other_site: Site
) -> None:
    assert other_site
    with database.transaction() as session:
        limit_device(device_of(session, site.ae_title), DeviceLimits(max_associations=3))
    gateway = start()
    with ExitStack() as stack:
        peers = [stack.enter_context(RawPeer(gateway.port)) for _ in range(5)]
        assert [peer.associate() for peer in peers[:3]] == [2, 2, 2]
        peers[3].send(b"")
        assert peers[3].associate() == 3
        # Another device is not concerned.
        assert peers[4].associate(calling="CT2") == 2
        assert peers[0].release() == 6
        with RawPeer(gateway.port) as again:
            until(lambda: _admitted(gateway.port), "the seat is free again")
            assert again.associate(calling="CT2") == 2


def _admitted(port: int) -> bool:
    with RawPeer(port) as peer:
        admitted = peer.associate() == 2
        if admitted:
            peer.send(struct.pack(">BxI", 7, 4) + bytes(4))
        return admitted
