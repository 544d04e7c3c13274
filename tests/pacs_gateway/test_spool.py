"""The spool: what is published is durable and explains itself, what is not leaves no trace."""

import errno
import fcntl
import hashlib
import os
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pytest
from pydicom import dcmread

from pacs_gateway.announcements import Announced, Announcements
from pacs_gateway.announcer import Announcer
from pacs_gateway.inbox import Inbox, SpoolBusy, load, waiting
from pacs_gateway.spool import Spool
from pacs_gateway.spool_buffers import BUFFER_BYTES
from pacs_gateway.spool_writer import SpoolFull, SpoolWriter
from pacs_gateway.spooled import SpooledInstance
from storage.dicom_header import read_header
from storage.identifiers import Uid
from storage.index.tables import QuarantineReason
from storage.receptions import NotASpooledFile, Origin, Reception, Refusal
from tests.pacs_gateway.conftest import left_in
from tests.pacs_gateway.datasets import ct, encode, sample

_ORIGIN = Origin(uuid4(), uuid4(), "CT1", "RDC", "10.0.0.1")
_EXPLICIT = "1.2.840.10008.1.2.1"
_DATASET = sample(SOPInstanceUID="1.2.3").encoded
_MEBIBYTE = 1024 * 1024


@pytest.fixture
def root(disk_path: Path) -> Path:
    """On a disk, which refuses what lies on no block of it: a file system in memory takes it."""
    return disk_path / "spool"


@pytest.fixture
def announcements() -> Iterator[Announcements]:
    with Announcements() as made:
        yield made


@pytest.fixture
def spool(root: Path, announcements: Announcements) -> Iterator[Spool]:
    made = Spool(root, reserve_bytes=1, announce=announcements.announce)
    made.open()
    yield made
    made.close()


@pytest.fixture
def inbox(root: Path, announcements: Announcements) -> Iterator[Inbox]:
    made = Inbox(root, announcements)
    made.open()
    yield made
    made.close()


def _begin(spool: Spool, uid: str = "1.2.3") -> SpoolWriter:
    return spool.begin(
        _ORIGIN, sop_class_uid="1.2.4", sop_instance_uid=uid, transfer_syntax_uid=_EXPLICIT
    )


def _publish(spool: Spool, refusal: Refusal | None = None, dataset: bytes = _DATASET) -> Path:
    writer = _begin(spool)
    writer.write(memoryview(dataset))
    path = writer.publish(datetime.now(UTC), refusal).path
    writer.announce()
    return path


def test_a_published_file_is_a_part_10_file_with_the_dataset_as_received(spool: Spool) -> None:
    path = _publish(spool)
    content = path.read_bytes()
    assert content.endswith(_DATASET)
    found = dcmread(path)
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
def test_a_spooled_file_explains_itself(spool: Spool, refusal: Refusal | None) -> None:
    path = _publish(spool, refusal)
    found = load(path)
    assert found is not None
    assert found.size == path.stat().st_size == found.dataset_offset + len(_DATASET)
    assert found.reception.origin == _ORIGIN
    assert found.reception.dataset_size == len(_DATASET)
    assert found.dataset_sha256 == hashlib.sha256(_DATASET).hexdigest()
    assert (found.reception.refusal is None) == (refusal is None) == (found.header is not None)
    if refusal is not None and found.reception.refusal is not None:
        assert found.reception.refusal.reason == refusal.reason
        assert found.reception.refusal.found


@pytest.mark.parametrize("size", [0, 1, _MEBIBYTE - 1, _MEBIBYTE, _MEBIBYTE + 1, 5 * _MEBIBYTE])
@pytest.mark.parametrize("piece", [7 * 1024 + 1, 700_000, 3 * _MEBIBYTE])
def test_datasets_of_every_size_come_out_as_they_went_in(
    spool: Spool, size: int, piece: int
) -> None:
    dataset = encode(ct(PixelData=None, TextValue=None)) + bytes(
        number * 31 % 251 for number in range(size)
    )
    writer = _begin(spool)
    for at in range(0, len(dataset), piece):
        writer.write(memoryview(dataset)[at : at + piece])
    with writer.open_dataset() as file:
        assert file.read() == dataset
    assert writer.size == len(dataset)
    refusal = Refusal(QuarantineReason.MALFORMED, "padding", "", "")
    loaded = load(writer.publish(datetime.now(UTC), refusal).path)
    assert loaded is not None
    assert loaded.dataset_sha256 == hashlib.sha256(dataset).hexdigest()
    assert loaded.path.read_bytes()[loaded.dataset_offset :] == dataset


@pytest.mark.parametrize(
    "damage", [b"not ours", b"\0" * 128 + b"DICM" + b"\0" * 3000, b"\0" * 200 + b"x"]
)
def test_a_damaged_file_is_told(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "x.dcm"
    path.write_bytes(damage)
    with pytest.raises(NotASpooledFile):
        load(path)


@pytest.mark.parametrize("keep", [0, 1, 131, 132, 400, 1500])
def test_a_file_cut_before_its_record_was_never_acknowledged(
    spool: Spool, root: Path, tmp_path: Path, keep: int
) -> None:
    writer = _begin(spool)
    writer.write(memoryview(bytes(2 * _MEBIBYTE)))
    partial = next(path for path in left_in(root))
    path = tmp_path / "x.dcm"
    path.write_bytes(partial.read_bytes()[:keep])
    assert load(path) is None
    writer.discard()


def test_zeros_where_the_disk_has_not_written_were_never_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "x.dcm"
    path.write_bytes(bytes(5000))
    assert load(path) is None


def test_a_dataset_that_changed_is_told(spool: Spool) -> None:
    path = _publish(spool)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(NotASpooledFile, match="SHA-256"):
        load(path)


def test_what_is_discarded_leaves_nothing(spool: Spool, root: Path) -> None:
    small, large = _begin(spool), _begin(spool)
    small.write(memoryview(b"abc"))
    large.write(memoryview(bytes(2 * _MEBIBYTE)))
    assert waiting(root) == 1
    small.discard()
    large.discard()
    large.discard()
    assert left_in(root) == []


def test_what_a_dead_process_left_is_found_and_its_directory_goes(root: Path, inbox: Inbox) -> None:
    spool = Spool(root, reserve_bytes=1)
    spool.open()
    left = _begin(spool)
    left.write(memoryview(bytes(2 * _MEBIBYTE)))
    kept = _publish(spool)
    # While its owner lives, what is being received stays as it is.
    assert inbox.next_batch(10, timeout=0) == [kept]
    inbox.postpone()
    assert inbox.next_batch(10, timeout=0) == [kept]
    assert waiting(root) == 2
    inbox.postpone()
    spool.close()
    assert inbox.next_batch(10, timeout=0) == [kept]
    assert left_in(root) == [kept]
    inbox.remove(kept)
    inbox.postpone()
    assert inbox.next_batch(10, timeout=0) == []
    assert not kept.parent.exists()


def test_a_second_filing_process_is_refused(root: Path, inbox: Inbox) -> None:
    assert inbox
    with Announcements() as other, pytest.raises(SpoolBusy, match="another gateway"):
        Inbox(root, other).open()


def test_several_processes_may_receive(spool: Spool, root: Path, inbox: Inbox) -> None:
    other = Spool(root, reserve_bytes=1)
    other.open()
    found = {_publish(spool), _publish(other), _publish(spool)}
    assert waiting(root) == 3
    batch = inbox.next_batch(10, timeout=0)
    # The other one announces nothing: it is found by looking.
    inbox.postpone()
    assert found == {*batch, *inbox.next_batch(10, timeout=0)}
    other.close()


def test_a_short_disk_refuses_before_it_is_full(root: Path) -> None:
    spool = Spool(root, reserve_bytes=1 << 60)
    spool.open()
    try:
        with pytest.raises(SpoolFull, match="bytes free"):
            _begin(spool)
        assert left_in(root) == []
    finally:
        spool.close()


def test_a_disk_that_becomes_short_is_noticed_within_a_moment_and_room_at_once(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    _begin(spool).discard()
    full = os.statvfs_result((4096, 4096, 1, 0, 0, 1, 1, 1, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _path: full)
    began, refused = time.monotonic(), False
    while not refused and time.monotonic() < began + 5:
        try:
            _begin(spool).discard()
        except SpoolFull:
            refused = True
    assert refused
    with pytest.raises(SpoolFull):
        _begin(spool)
    monkeypatch.undo()
    _begin(spool).discard()


def test_an_announcer_tells_of_everything_in_order(
    announcements: Announcements, tmp_path: Path
) -> None:
    told = [_instance(tmp_path / "directory" / f"{number:03d}.dcm") for number in range(100)]
    with Announcer(announcements.announce) as announcer:
        announcer.announce(told[0])
        assert [one.instance for one in announcements.take(10)] == told[:1]
        for instance in told[1:]:
            announcer.announce(instance)
    assert [one.instance for one in announcements.take(0)] == told[1:]


def test_a_batch_gathers_what_comes_until_nothing_more_comes(
    spool: Spool, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    published: list[Path] = []
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) <= 2:
            published.append(_publish(spool))

    monkeypatch.setattr(time, "sleep", nap)
    published.append(_publish(spool))
    assert inbox.next_batch(10, timeout=0, gather=60) == published
    assert len(published) == len(naps) == 3


def test_batches_come_in_order(spool: Spool, inbox: Inbox) -> None:
    assert inbox.next_batch(10, timeout=0) == []
    published = [_publish(spool) for _ in range(5)]
    assert inbox.next_batch(3, timeout=0) == published[:3]
    assert inbox.next_batch(3, timeout=0) == published[3:]
    assert inbox.next_batch(3, timeout=0) == []


def test_what_was_postponed_comes_again(spool: Spool, inbox: Inbox) -> None:
    published = [_publish(spool) for _ in range(3)]
    assert len(inbox.next_batch(10, timeout=0)) == 3
    inbox.remove(published[1])
    inbox.postpone()
    assert inbox.next_batch(10, timeout=0) == [published[0], published[2]]


def test_what_the_pipe_could_not_take_is_found_on_disk(root: Path, inbox: Inbox) -> None:
    silent = Spool(root, reserve_bytes=1)
    silent.open()
    published = {_publish(silent) for _ in range(8)}
    assert set(inbox.next_batch(10, timeout=0)) == published
    silent.close()


def test_a_full_pipe_holds_nobody_up(announcements: Announcements, tmp_path: Path) -> None:
    for number in range(20_000):
        announcements.announce(_instance(tmp_path / "directory" / f"{number:040d}.dcm"))
    taken: list[Announced] = []
    while announced := announcements.take(0):
        taken += announced
    assert 500 < len(taken) < 20_000
    assert [one.name for one in taken] == [
        f"directory/{number:040d}.dcm" for number in range(len(taken))
    ]


def test_an_instance_too_large_for_the_pipe_is_announced_by_name(
    announcements: Announcements, tmp_path: Path
) -> None:
    large = _instance(tmp_path / "directory" / "x.dcm", patient_name="x" * 5000)
    small = _instance(tmp_path / "directory" / "y.dcm", patient_name="李")
    announcements.announce(large)
    announcements.wake()
    announcements.announce(small)
    assert announcements.take(0) == [
        Announced("directory/x.dcm", None),
        Announced("directory/y.dcm", small),
    ]


def test_what_is_announced_is_what_the_file_says(spool: Spool, inbox: Inbox) -> None:
    writer = _begin(spool)
    writer.write(memoryview(_DATASET))
    with writer.open_dataset() as file:
        header = read_header(file, _EXPLICIT)
    published = writer.publish(datetime.now(UTC), None, header)
    writer.announce()
    assert inbox.next_batch(10, timeout=0) == [published.path]
    # It was also time to look for files.
    assert inbox.announced(published.path)
    announced = inbox.load(published.path)
    assert announced == published == load(published.path)
    assert announced is not None
    assert announced.header is not None
    # Equal texts are not enough.
    assert type(announced.header.series_instance_uid) is Uid
    published.path.unlink()
    assert inbox.load(published.path) is None


@pytest.mark.parametrize("size", [200_000, 300_002, 525_000, BUFFER_BYTES - 9_000])
def test_an_instance_that_the_buffer_holds_ends_with_a_block_and_takes_one_write(
    root: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    def note(descriptor: int, content: memoryview, at: int) -> int:
        written.append(at)
        return known(descriptor, content, at)

    known, written = os.pwrite, list[int]()
    spool = Spool(root, reserve_bytes=1)
    spool.open()
    pixels = random.Random(size).randbytes(size)
    dataset = encode(ct(PixelData=pixels, TextValue=None))
    writer = _begin(spool)
    writer.write(memoryview(dataset))
    with writer.open_dataset() as file:
        header = read_header(file, _EXPLICIT)
    monkeypatch.setattr(os, "pwrite", note)
    published = writer.publish(datetime.now(UTC), None, header)
    assert written == [0]
    content = published.path.read_bytes()
    assert len(content) % 4096 == 0
    assert content[published.dataset_offset :] == dataset
    assert load(published.path) == published
    assert header.pixel_data_offset is not None
    assert content[header.pixel_data_offset :].startswith(b"\xe0\x7f\x10\x00")
    assert dcmread(published.path).PixelData == pixels
    spool.close()


@pytest.mark.parametrize("size", [20_001, 200_001, 1_500_001])
def test_what_follows_the_dataset_is_damage(spool: Spool, size: int) -> None:
    path = _publish(spool, None, _DATASET + bytes(range(1, 251)) * (size // 250))
    with path.open("ab") as file:
        file.write(b"\0")
    with pytest.raises(NotASpooledFile, match="SHA-256"):
        load(path)


@pytest.mark.parametrize("size", [200_001, 900_001])
def test_a_receiver_killed_within_its_writes_has_acknowledged_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    class Killed(BaseException):
        """As kill -9: nothing of ours runs after it."""

    def once(descriptor: int, content: memoryview, at: int) -> int:
        written.append(at)
        if len(written) > 1:
            raise Killed
        return known(descriptor, content, at)

    known, written = os.pwrite, list[int]()
    spool = Spool(root, reserve_bytes=1)
    spool.open()
    writer = _begin(spool)
    # Odd, so that no head makes it end with a block: it takes two writes.
    writer.write(memoryview(_DATASET + random.Random(size).randbytes(size)))
    monkeypatch.setattr(os, "pwrite", once)
    with pytest.raises(Killed):
        writer.publish(datetime.now(UTC), None)
    (path,) = [one for one in spool.directory.glob("*.dcm") if one.stat().st_size]
    assert written[0] > 0 == written[1]
    assert load(path) is None
    monkeypatch.undo()
    spool.close()


def test_a_filesystem_that_cannot_go_past_the_page_cache_serves_too(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int, command: int, argument: int = 0) -> int:
        if command == fcntl.F_SETFL:
            raise OSError(errno.EINVAL, "no")
        return known(descriptor, command, argument)

    known = fcntl.fcntl
    monkeypatch.setattr(fcntl, "fcntl", refuse)
    spool = Spool(root, reserve_bytes=0)
    spool.open()
    refusal = Refusal(QuarantineReason.MALFORMED, "padding", "", "")
    for size in (200_001, 1_500_001):
        path = _publish(spool, refusal, _DATASET + bytes(size))
        loaded = load(path)
        assert loaded is not None
        assert path.read_bytes()[loaded.dataset_offset :] == _DATASET + bytes(size)
    spool.close()


def _instance(path: Path, patient_name: str = "") -> SpooledInstance:
    header = replace(read_header(BytesIO(_DATASET), _EXPLICIT), patient_name=patient_name)
    reception = Reception(_ORIGIN, _EXPLICIT, datetime.now(UTC), 1, "0" * 64, None)
    return SpooledInstance(path, 1, 0, "0" * 64, reception, header)


def test_many_threads_publish_at_once(spool: Spool, root: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        published = list(pool.map(lambda _: _publish(spool), range(200)))
    assert len(set(published)) == 200
    assert waiting(root) == 200
