"""The spool: what is published is durable and explains itself, what is not leaves no trace."""

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from pydicom import dcmread

from pacs_gateway.part10 import NotASpooledFile, Origin, Reception, Refusal
from pacs_gateway.spool import Spool, SpoolBusy, SpooledInstance, SpoolFull, SpoolWriter, load
from storage.index.tables import QuarantineReason
from tests.pacs_gateway.conftest import left_in

_ORIGIN = Origin(uuid4(), uuid4(), "CT1", "RDC", "10.0.0.1")
_EXPLICIT = "1.2.840.10008.1.2.1"
_DATASET = b"\x08\x00\x18\x00UI\x06\x001.2.3\0"


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path / "spool", reserve_bytes=1)
    made.open()
    yield made
    made.close()


def _begin(spool: Spool, uid: str = "1.2.3") -> SpoolWriter:
    return spool.begin(
        _ORIGIN, sop_class_uid="1.2.4", sop_instance_uid=uid, transfer_syntax_uid=_EXPLICIT
    )


def _reception(writer: SpoolWriter, refusal: Refusal | None = None) -> Reception:
    return Reception(
        _ORIGIN, _EXPLICIT, datetime.now(UTC), writer.size, writer.dataset_sha256, refusal
    )


def _publish(spool: Spool, refusal: Refusal | None = None) -> SpooledInstance:
    writer = _begin(spool)
    writer.write(memoryview(_DATASET))
    return writer.publish(_reception(writer, refusal), None)


def test_a_published_file_is_a_part_10_file_with_the_dataset_as_received(spool: Spool) -> None:
    published = _publish(spool)
    content = published.path.read_bytes()
    assert len(content) == published.size
    assert content[published.dataset_offset :] == _DATASET
    assert published.reception.dataset_sha256 == hashlib.sha256(_DATASET).hexdigest()
    found = dcmread(published.path)
    assert found.SOPInstanceUID == "1.2.3"
    assert found.file_meta.TransferSyntaxUID == _EXPLICIT
    assert found.file_meta.SourceApplicationEntityTitle == "CT1"
    assert found.file_meta.ReceivingApplicationEntityTitle == "RDC"


@pytest.mark.parametrize(
    "refusal",
    [
        None,
        Refusal(QuarantineReason.INVALID_UID, "found '../\"x'", "1.2", "../../etc/passwd"),
        Refusal(QuarantineReason.MALFORMED, "é" * 500, "\x00" * 500, "\\" * 500),
    ],
)
def test_a_spooled_file_explains_itself_after_a_restart(
    spool: Spool, refusal: Refusal | None
) -> None:
    published = _publish(spool, refusal)
    found = load(published.path)
    assert found is not None
    assert found.dataset_offset == published.dataset_offset
    assert found.size == published.size
    assert found.reception.origin == _ORIGIN
    assert found.reception.received_at == published.reception.received_at
    assert found.reception.dataset_sha256 == published.reception.dataset_sha256
    assert (found.reception.refusal is None) == (refusal is None)
    if refusal is not None and found.reception.refusal is not None:
        assert found.reception.refusal.reason == refusal.reason
        assert found.reception.refusal.found


@pytest.mark.parametrize(
    "damage", [b"not ours", b"\0" * 128 + b"DICM" + b"\0" * 3000, b"\0" * 200 + b"x"]
)
def test_a_damaged_file_is_told(spool: Spool, tmp_path: Path, damage: bytes) -> None:
    assert spool
    path = tmp_path / "x.dcm"
    path.write_bytes(damage)
    with pytest.raises(NotASpooledFile):
        load(path)


@pytest.mark.parametrize("keep", [0, 1, 131, 132, 400, 1500])
def test_a_file_cut_before_its_record_was_never_acknowledged(
    spool: Spool, tmp_path: Path, keep: int
) -> None:
    writer = _begin(spool)
    writer.write(memoryview(_DATASET))
    partial = next(path for path in left_in(tmp_path / "spool"))
    path = tmp_path / "x.dcm"
    path.write_bytes(partial.read_bytes()[:keep])
    assert load(path) is None


def test_zeros_where_the_disk_has_not_written_were_never_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "x.dcm"
    path.write_bytes(bytes(5000))
    assert load(path) is None


def test_a_dataset_that_changed_is_told(spool: Spool) -> None:
    published = _publish(spool)
    content = bytearray(published.path.read_bytes())
    content[-1] ^= 1
    published.path.write_bytes(content)
    with pytest.raises(NotASpooledFile, match="SHA-256"):
        load(published.path)


def test_what_is_discarded_or_left_by_a_dead_process_is_gone(spool: Spool, tmp_path: Path) -> None:
    _begin(spool).discard()
    left = _begin(spool)
    left.write(memoryview(b"abc"))
    kept = _publish(spool)
    spool.close()
    again = Spool(tmp_path / "spool", reserve_bytes=1)
    again.open()
    try:
        loaded = [load(path) for path in again.next_batch(10, timeout=0) if isinstance(path, Path)]
        # What was being received is known as never acknowledged, what was published as complete.
        assert [item.path for item in loaded if item] == [kept.path]
        assert len(loaded) == 2
    finally:
        again.close()


def test_a_second_owner_is_refused(spool: Spool, tmp_path: Path) -> None:
    assert spool
    with pytest.raises(SpoolBusy, match="another gateway"):
        Spool(tmp_path / "spool", reserve_bytes=1).open()


def test_a_short_disk_refuses_before_it_is_full(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", reserve_bytes=1 << 60)
    spool.open()
    try:
        with pytest.raises(SpoolFull, match="bytes free"):
            _begin(spool)
        assert left_in(tmp_path / "spool") == []
    finally:
        spool.close()


def test_batches_come_in_order_and_wait_for_arrivals(spool: Spool) -> None:
    assert list(spool.next_batch(10, timeout=0)) == []
    published = [_publish(spool) for _ in range(5)]
    assert list(spool.next_batch(3, timeout=0)) == published[:3]
    assert list(spool.next_batch(3, timeout=0)) == published[3:]
    waiting = threading.Timer(0.1, lambda: published.append(_publish(spool)))
    waiting.start()
    assert list(spool.next_batch(3, timeout=10)) == published[5:]
    waiting.join()


def test_what_was_postponed_comes_again(spool: Spool) -> None:
    published = [_publish(spool) for _ in range(3)]
    assert len(spool.next_batch(10, timeout=0)) == 3
    spool.remove(published[1].path)
    spool.postpone()
    assert list(spool.next_batch(10, timeout=0)) == [published[0].path, published[2].path]


def test_more_than_can_be_remembered_is_found_on_disk(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pacs_gateway.spool._REMEMBERED", 3)
    published = {_publish(spool).path for _ in range(8)}
    found: set[Path] = set()
    while batch := spool.next_batch(2, timeout=0):
        for item in batch:
            path = item if isinstance(item, Path) else item.path
            found.add(path)
            spool.remove(path)
    assert found == published
    assert spool.waiting() == 0


def test_many_threads_publish_at_once(spool: Spool) -> None:
    with ThreadPoolExecutor(8) as pool:
        published = list(pool.map(lambda _: _publish(spool), range(200)))
    assert len({item.path for item in published}) == 200
    assert spool.waiting() == 200
