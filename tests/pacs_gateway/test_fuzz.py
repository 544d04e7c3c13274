"""Whatever comes over the line or in a file: an answer or an end, soon, and nothing grows.

The ordinary suite tries a few thousand mutations, `make soak` 100,000 messages and
20,000 files; RDC_FUZZ_MESSAGES and RDC_FUZZ_FILES change the numbers, and which
mutations they are is decided by RDC_FUZZ_SEED alone.
"""

import io
import logging
import os
import random
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import psutil
import pydicom
import pytest

from pacs_gateway.gateway import Gateway
from pacs_gateway.inbox import load
from storage.database import Database
from storage.dicom_header import DatasetError, read_file_meta, read_header
from storage.index.tables import Instance, Quarantine
from storage.receptions import NotASpooledFile
from storage.registry import DeviceLimits, device_by_ae_title, limit_device
from tests.pacs_gateway.conftest import Site, left_in
from tests.pacs_gateway.datasets import CT, EXPLICIT, Sample, encode, sample
from tests.pacs_gateway.datasets import ct as slice_of_ct
from tests.pacs_gateway.mutations import hostile, mutated
from tests.pacs_gateway.peers import RawPeer, association_request, command, p_data, pdv
from tests.pacs_gateway.test_store import count, drained, request, send
from tests.pacs_gateway.waiting import until
from tests.support.peers import CORPUS
from tests.support.soak import SOAK

MESSAGES: Final = int(os.environ.get("RDC_FUZZ_MESSAGES", "100000" if SOAK else "2000"))
FILES: Final = int(os.environ.get("RDC_FUZZ_FILES", "20000" if SOAK else "3000"))
SEED: Final = int(os.environ.get("RDC_FUZZ_SEED", "20260304"))
_LONGEST_SECONDS: Final = 5.0
_GROWTH_BYTES: Final = 96 << 20
_PER_ASSOCIATION: Final = 12
_AT_ONCE: Final = 8
_LARGEST_BASE: Final = 200_000

# A peer's own end of the line is no answer; everything else is.
_RELEASE: Final = struct.pack(">BxI", 5, 4) + bytes(4)
_ABORT: Final = struct.pack(">BxI", 7, 4) + bytes(4)
_CONTEXTS: Final = {
    1: (CT, [EXPLICIT]),
    3: ("1.2.840.10008.1.1", ["1.2.840.10008.1.2"]),
    5: ("1.2.840.10008.5.1.4.1.2.2.1", ["1.2.840.10008.1.2"]),
}


def _messages() -> Sequence[bytes]:
    """Return valid PDUs of every kind, each the beginning of many mutations."""
    find = command(0x0020, t0002=b"1.2.840.10008.5.1.4.1.2.2.1", t0700=b"\0\0")
    level = struct.pack("<HHI", 0x0008, 0x0052, 6) + b"STUDY "
    echo = command(0x0030, t0002=b"1.2.840.10008.1.1", t0800=b"\x01\x01")
    store = request(1, sample())
    return (
        store,
        store,
        request(1, sample(size=64)),
        p_data(pdv(3, 3, echo)),
        p_data(pdv(5, 3, find)) + p_data(pdv(5, 2, level)),
        p_data(pdv(5, 3, command(0x0FFF, t0120=b"\x01\0", t0800=b"\x01\x01"))),
        _RELEASE,
        _ABORT,
    )


class Assault:
    """Sends mutated streams and keeps what was not as it should be."""

    def __init__(self, port: int, seed: int) -> None:
        self._port = port
        self._seed = seed
        self._lock = threading.Lock()
        self.faults: list[str] = []
        self.answers = 0

    def stream(self, number: int) -> None:
        """One connection: its request, or what follows it, is not as it should be."""
        chance = random.Random(self._seed * 1_000_003 + number)
        began = time.monotonic()
        answers = 0
        try:
            with RawPeer(self._port) as peer:
                peer.socket.settimeout(_LONGEST_SECONDS)
                asked = association_request(_CONTEXTS)
                spoilt = chance.random() < 0.15
                peer.send(mutated(chance, asked, head=200) if spoilt else asked)
                if not spoilt:
                    assert peer.receive()[0] == 2
                for _ in range(_PER_ASSOCIATION):
                    valid = chance.choice(_messages())
                    # Some only change what the PDU carries, so that it reaches the service.
                    inside = chance.random() < 0.5
                    if inside and len(valid) > 200:
                        peer.send(valid[:200] + mutated(chance, valid[200:])[: len(valid) - 200])
                    else:
                        peer.send(mutated(chance, valid, head=200))
                peer.socket.shutdown(1)
                while peer.receive()[0]:
                    answers += 1
        except TimeoutError:
            self._fault(f"stream {number}: no answer and no end in {_LONGEST_SECONDS} s")
        except OSError:
            # The other side has ended it while we were still sending: an answer too.
            pass
        took = time.monotonic() - began
        with self._lock:
            self.answers += answers
        if took > 2 * _LONGEST_SECONDS:
            self._fault(f"stream {number}: took {took:.1f} s")

    def _fault(self, words: str) -> None:
        with self._lock:
            self.faults.append(words)


def _resident() -> int:
    return psutil.Process().memory_info().rss


@pytest.fixture
def silent() -> Iterator[None]:
    """Logs nothing: the test's own runner keeps every line in memory, which would seem a leak."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.slow
@pytest.mark.timeout(14_400)
@pytest.mark.usefixtures("silent")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_mutated_messages_are_answered_or_ended(
    start_gateway: Callable[..., Gateway], database: Database, site: Site, tmp_path: Path
) -> None:
    with database.transaction() as session:
        device = device_by_ae_title(session, site.ae_title)
        limit_device(device, DeviceLimits(max_associations=100))
    gateway = start_gateway(network_timeout_seconds=10.0, acse_timeout_seconds=10.0)
    assault = Assault(gateway.bound_port, SEED)
    streams = -(-MESSAGES // _PER_ASSOCIATION)
    first = max(1, streams // 4)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(assault.stream, range(first)))
        settled = _resident()
        list(pool.map(assault.stream, range(first, streams)))
    assert assault.faults == []
    assert assault.answers > streams
    until(lambda: gateway.active() == 0, "every connection has come to its end")
    # After all of that it works as ever.
    fresh = sample()
    assert send(gateway, [fresh]) == [0]
    # What was refused is put aside one by one.
    until(lambda: gateway.waiting() == 0, "all is filed or put aside", seconds=60 + MESSAGES / 50)
    assert left_in(tmp_path / "spool") == []
    assert count(database, Instance) + count(database, Quarantine) > 0
    assert _resident() - settled < _GROWTH_BYTES


def _bases() -> list[bytes]:
    """Return valid files of all kinds, small enough to be mutated by the thousand."""
    # As files: asking pydicom for them makes it look for more in the network.
    files = sorted(Path(pydicom.__file__).parent.glob("data/test_files/*.dcm"))
    if CORPUS.is_dir():
        files += sorted(CORPUS.rglob("*.dcm"))
    contents = (path.read_bytes() for path in files if path.stat().st_size <= _LARGEST_BASE)
    return [content for content in contents if content[128:132] == b"DICM"]


@pytest.mark.slow
@pytest.mark.timeout(14_400)
def test_mutated_files_are_read_or_refused_soon(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    bases = _bases()
    read = refused = 0
    settled = 0
    for number in range(FILES):
        data = mutated(chance, chance.choice(bases), head=2000)
        began = time.thread_time()
        try:
            file = io.BytesIO(data)
            meta = read_file_meta(file)
            file.seek(meta.dataset_offset)
            read_header(file, meta.transfer_syntax_uid)
            read += 1
        except DatasetError:
            refused += 1
        if number % 10 == 0:
            path = tmp_path / "spooled.dcm"
            path.write_bytes(data)
            try:
                assert load(path) is None
            except NotASpooledFile:
                refused += 1
        took = time.thread_time() - began
        assert took < _LONGEST_SECONDS, f"file {number}: {took:.1f} s"
        if number == FILES // 4:
            settled = _resident()
    assert read > 0
    assert refused > 0
    assert _resident() - settled < _GROWTH_BYTES


_HOSTILE = tuple(hostile(encode(slice_of_ct(SOPInstanceUID="1.2.3.4", PixelData=None))))


@pytest.mark.parametrize("dataset", [pytest.param(data, id=name) for name, data in _HOSTILE])
def test_hostile_datasets_are_answered_soon(
    gateway: Gateway, database: Database, site: Site, dataset: bytes
) -> None:
    assert site
    used = psutil.Process().cpu_times()
    statuses = send(gateway, [Sample(CT, "1.2.3.4", EXPLICIT, dataset), sample()])
    spent = psutil.Process().cpu_times()
    # The processor's time: how busy the machine is does not count.
    assert spent.user - used.user < 2 * _LONGEST_SECONDS
    assert statuses[0] == 0 or statuses[0] >= 0xC000
    assert statuses[1] == 0
    drained(gateway)
    assert count(database, Instance) + count(database, Quarantine) == 2


_TEXT = "<script>alert('x')</script>"


def test_hostile_names_stay_text(gateway: Gateway, database: Database, site: Site) -> None:
    assert site
    item = sample(PatientName=_TEXT, StudyDescription=_TEXT, AccessionNumber="'; DROP TABLE x")
    assert send(gateway, [item]) == [0]
    drained(gateway)
    assert count(database, Instance) == 1


def test_a_declared_pdu_of_4_gigabytes_takes_no_memory(
    gateway: Gateway, database: Database, site: Site
) -> None:
    assert site
    assert database
    before = _resident()
    with RawPeer(gateway.bound_port) as peer:
        assert peer.associate() == 2
        peer.send(struct.pack(">BxI", 4, 0xFFFFFFFF) + struct.pack(">IBB", 0xFFFFFFF0, 1, 0))
        assert peer.receive()[0] in {0, 7}
    with RawPeer(gateway.bound_port) as peer:
        # Before an association there is a limit at once.
        peer.send(struct.pack(">BxI", 1, 0xFFFFFFFF) + bytes(1000))
        assert peer.receive()[0] in {0, 3, 7}
    assert _resident() - before < 16 << 20
