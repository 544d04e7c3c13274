"""What every backend of the object store must do: the same suite for all of them."""

import hashlib
import io
import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import pytest

from storage.errors import RdcError
from storage.objects import (
    FilesystemObjectStore,
    InvalidObjectKey,
    InvalidObjectStoreUrl,
    ObjectConflict,
    ObjectKey,
    ObjectNotFound,
    ObjectStore,
    ObjectStoreUnavailable,
    SourceTruncated,
    open_object_store,
    s3_connection,
)
from tests.support.weed import Weed

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BACKENDS = ("filesystem", "filesystem-without-links", "s3", "s3-without-conditions")

OpenStore = Callable[[], ObjectStore]


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """The kind of store under test."""
    return str(request.param)


@pytest.fixture
def open_again(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStore]:
    """Opens one and the same, at first empty, store as often as it is called."""
    root = tmp_path / "store"
    if backend == "filesystem":
        yield lambda: open_object_store(f"file://{root}")
        return
    if backend == "filesystem-without-links":
        yield lambda: FilesystemObjectStore(root, hard_links=False, shared_journal=True)
        return
    weed: Weed = request.getfixturevalue("weed")
    with weed.bucket() as bucket:
        url = weed.url(bucket)
        if backend == "s3-without-conditions":
            url += "&conditional_writes=0"
        yield lambda: open_object_store(url)


@pytest.fixture
def store(open_again: OpenStore) -> ObjectStore:
    """An empty object store."""
    return open_again()


class Pipe(io.RawIOBase):
    """A source that can be read once, in small pieces, like a socket."""

    def __init__(self, content: bytes, piece: int = 1000) -> None:
        super().__init__()
        self._content = io.BytesIO(content)
        self._piece = piece
        self.taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        found = self._content.read(min(len(view), self._piece))
        view[: len(found)] = found
        self.taken += len(found)
        return len(found)


def pipe(content: bytes) -> BinaryIO:
    return io.BufferedReader(Pipe(content), 512)


KEY = ObjectKey("instances/site-1/ab/abc.dcm")


class TestPut:
    def test_what_was_put_is_there_whole(self, store: ObjectStore) -> None:
        before = datetime.now(UTC)
        stored = store.put(KEY, b"some bytes", content_type="application/dicom")
        assert (stored.key, stored.size) == (KEY, 10)
        assert abs(stored.modified_at - before) < timedelta(seconds=60)
        assert store.read(KEY) == b"some bytes"
        found = store.stat(KEY)
        assert found is not None
        assert (found.key, found.size) == (KEY, 10)
        # One of them may be the time of the answer.
        assert abs(found.modified_at - stored.modified_at) < timedelta(seconds=60)

    def test_an_object_outlives_the_store_that_wrote_it(self, open_again: OpenStore) -> None:
        open_again().put(KEY, b"kept")
        assert open_again().read(KEY) == b"kept"

    def test_an_empty_object_is_an_object(self, store: ObjectStore) -> None:
        store.put(KEY, b"")
        assert store.stat(KEY) is not None
        assert store.read(KEY) == b""
        assert list(store.stream(KEY)) == []
        with store.open(KEY) as file:
            assert file.read() == b""

    def test_the_same_bytes_again_change_nothing(self, store: ObjectStore) -> None:
        store.put(KEY, b"same")
        again = store.put(KEY, pipe(b"same"))
        assert again.size == 4
        assert store.read(KEY) == b"same"
        assert len(list(store.list())) == 1

    @pytest.mark.parametrize("other", [b"othe", b"longer than before", b""])
    def test_other_bytes_are_refused_and_the_first_stay(
        self, store: ObjectStore, other: bytes
    ) -> None:
        store.put(KEY, b"same")
        with pytest.raises(ObjectConflict) as refusal:
            store.put(KEY, other)
        assert str(KEY) in str(refusal.value)
        assert refusal.value.remedy
        assert store.read(KEY) == b"same"

    def test_a_conflict_is_seen_by_another_process_too(self, open_again: OpenStore) -> None:
        open_again().put(KEY, b"same")
        open_again().put(KEY, b"same")
        with pytest.raises(ObjectConflict):
            open_again().put(KEY, b"other")

    def test_a_source_is_read_from_where_it_stands(self, store: ObjectStore) -> None:
        source = io.BytesIO(b"head and body")
        source.seek(9)
        store.put(KEY, source)
        assert store.read(KEY) == b"body"

    def test_no_more_than_the_size_is_read(self, store: ObjectStore) -> None:
        raw = Pipe(b"0123456789", piece=3)
        store.put(KEY, raw, size=4)  # pyright: ignore[reportArgumentType]  # a raw source reads exactly what is asked
        assert store.read(KEY) == b"0123"
        assert raw.taken == 4

    @pytest.mark.parametrize("make", [io.BytesIO, pipe])
    def test_a_source_that_ends_early_leaves_nothing(
        self, store: ObjectStore, make: Callable[[bytes], BinaryIO]
    ) -> None:
        with pytest.raises(SourceTruncated) as refusal:
            store.put(KEY, make(b"short"), size=6)
        assert (refusal.value.expected, refusal.value.found) == ("6 bytes", "5 bytes")
        assert store.stat(KEY) is None
        assert list(store.list()) == []

    def test_a_source_that_fails_leaves_nothing_and_tells_its_own_error(
        self, store: ObjectStore
    ) -> None:
        class Broken(Pipe):
            def readinto(self, buffer: "WriteableBuffer", /) -> int:
                if self.taken >= 2000:
                    raise ConnectionResetError("peer went away")
                return super().readinto(buffer)

        with pytest.raises(ConnectionResetError):
            store.put(KEY, io.BufferedReader(Broken(bytes(5000)), 512))
        assert store.stat(KEY) is None
        assert list(store.list()) == []

    # What is sent in parts depends on the size and on whether it is known; bytes know theirs.
    @pytest.mark.parametrize(
        ("make", "size"),
        [
            (pipe, 5 << 20),
            (pipe, (16 << 20) + 1),
            (pipe, 40 << 20),
            (io.BytesIO, 40 << 20),
            (bytes, (16 << 20) + 1),
        ],
    )
    def test_large_objects(
        self, store: ObjectStore, size: int, make: Callable[[bytes], BinaryIO | bytes]
    ) -> None:
        content = hashlib.sha256(b"seed").digest() * (size // 32) + bytes(size % 32)
        store.put(KEY, make(content))
        digest = hashlib.sha256()
        for piece in store.stream(KEY):
            digest.update(piece)
        assert digest.digest() == hashlib.sha256(content).digest()
        store.put(KEY, content)
        with pytest.raises(ObjectConflict):
            store.put(KEY, content[:-1] + b"x")

    def test_memory_does_not_grow_with_the_object(self, store: ObjectStore) -> None:
        class Zeros(io.RawIOBase):
            left = 96 << 20

            def readable(self) -> bool:
                return True

            def readinto(self, buffer: "WriteableBuffer", /) -> int:
                size = min(memoryview(buffer).nbytes, self.left)
                self.left -= size
                return size

        tracemalloc.start()
        try:
            store.put(KEY, io.BufferedReader(Zeros()))
            total = sum(len(piece) for piece in store.stream(KEY))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert total == 96 << 20
        # Two parts of an S3 upload: the one being read and the one being sent.
        assert peak < 48 << 20

    def test_one_of_many_writers_wins_and_the_object_is_whole(
        self, backend: str, store: ObjectStore
    ) -> None:
        contents = [bytes([number]) * 100_000 for number in range(6)]
        outcomes: list[RdcError | int] = []
        barrier = threading.Barrier(len(contents))

        def write(content: bytes) -> None:
            barrier.wait()
            try:
                store.put(KEY, content)
                outcomes.append(content[0])
            except ObjectConflict as error:
                outcomes.append(error)

        threads = [threading.Thread(target=write, args=(content,)) for content in contents]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(outcomes) == len(contents)
        winners = [outcome for outcome in outcomes if isinstance(outcome, int)]
        if backend != "s3-without-conditions":
            assert len(winners) == 1
        assert store.read(KEY) in [contents[winner] for winner in winners]


class TestPutFile:
    def test_the_file_may_be_removed_afterwards(self, store: ObjectStore, tmp_path: Path) -> None:
        path = tmp_path / "spooled"
        path.write_bytes(b"spooled bytes")
        stored = store.put_file(KEY, path)
        assert stored.size == 13
        assert path.exists()
        path.unlink()
        assert store.read(KEY) == b"spooled bytes"

    def test_again_and_conflict(self, store: ObjectStore, tmp_path: Path) -> None:
        path = tmp_path / "spooled"
        path.write_bytes(b"spooled bytes")
        store.put_file(KEY, path)
        store.put_file(KEY, path)
        store.put(KEY, b"spooled bytes")
        other = tmp_path / "other"
        other.write_bytes(b"other bytes!!")
        with pytest.raises(ObjectConflict):
            store.put_file(KEY, other)
        assert store.read(KEY) == b"spooled bytes"

    def test_through_a_symbolic_link_the_bytes_are_stored(
        self, store: ObjectStore, tmp_path: Path
    ) -> None:
        path, link = tmp_path / "spooled", tmp_path / "link"
        path.write_bytes(b"spooled bytes")
        link.symlink_to(path)
        store.put_file(KEY, link)
        link.unlink()
        path.unlink()
        assert store.read(KEY) == b"spooled bytes"

    def test_a_missing_file_is_the_callers_error(self, store: ObjectStore, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            store.put_file(KEY, tmp_path / "nothing")

    def test_many_files_are_stored_but_those_whose_key_has_other_bytes(
        self, store: ObjectStore, tmp_path: Path
    ) -> None:
        paths = [tmp_path / f"{number}.dcm" for number in range(5)]
        for number, path in enumerate(paths):
            path.write_bytes(bytes([number]) * 1000)
        keys = [ObjectKey(f"many/{number}/object") for number in range(5)]
        store.put(keys[3], b"other bytes")
        conflicts = store.put_files(dict(zip(keys, paths, strict=True)), synced=paths[:2])
        assert list(conflicts) == [keys[3]]
        assert store.read(keys[3]) == b"other bytes"
        for number in (0, 1, 2, 4):
            assert store.read(keys[number]) == bytes([number]) * 1000
        assert store.put_files({keys[0]: paths[0]}) == {}

    def test_a_file_of_many_that_is_gone_is_told(self, store: ObjectStore, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            store.put_files({KEY: tmp_path / "gone"})
        assert store.stat(KEY) is None


class TestRead:
    CONTENT = bytes(range(256)) * 4096

    @pytest.mark.parametrize(
        ("offset", "length"),
        [
            (0, None),
            (0, 1),
            (0, 0),
            (5, 0),
            (255, 2),
            (1000, None),
            (len(CONTENT) - 1, 10),
            (len(CONTENT), None),
            (len(CONTENT), 5),
            (len(CONTENT) + 10, 1),
            (0, len(CONTENT) * 2),
        ],
    )
    def test_ranges_are_those_of_a_slice(
        self, store: ObjectStore, offset: int, length: int | None
    ) -> None:
        store.put(KEY, self.CONTENT)
        end = None if length is None else offset + length
        expected = self.CONTENT[offset:end]
        assert store.read(KEY, offset, length) == expected
        pieces = list(store.stream(KEY, offset, length, chunk=100_000))
        assert b"".join(pieces) == expected
        assert all(0 < len(piece) <= 100_000 for piece in pieces)

    def test_a_negative_range_is_the_callers_mistake(self, store: ObjectStore) -> None:
        store.put(KEY, b"x")
        for offset, length in ((-1, None), (0, -1)):
            with pytest.raises(ValueError, match="negative"):
                store.read(KEY, offset, length)
            with pytest.raises(ValueError, match="negative"):
                store.stream(KEY, offset, length)

    def test_an_open_object_reads_and_seeks_like_a_file(self, store: ObjectStore) -> None:
        store.put(KEY, self.CONTENT)
        with store.open(KEY) as file, io.BytesIO(self.CONTENT) as model:
            assert file.readable()
            assert file.seekable()
            assert not file.writable()
            for offset, whence, length in [
                (0, 0, 4),
                (100, 1, 70_000),
                (-10, 2, 100),
                (300_000, 0, 500_000),
                (10, 2, 5),
                (7, 0, 0),
                (123, 0, -1),
            ]:
                assert file.seek(offset, whence) == model.seek(offset, whence)
                assert file.read(length) == model.read(length)
                assert file.tell() == model.tell()
            with pytest.raises((ValueError, OSError)):
                file.seek(-1)
        with store.open(KEY) as file:
            assert file.read() == self.CONTENT
            # pydicom asks every buffered file for it.
            assert isinstance(file.name, str)

    def test_an_abandoned_stream_harms_nothing(self, store: ObjectStore) -> None:
        store.put(KEY, self.CONTENT)
        for _ in range(50):
            next(iter(store.stream(KEY, chunk=10)))
        assert store.read(KEY) == self.CONTENT

    def test_absent_objects_are_told_at_once(self, store: ObjectStore) -> None:
        store.put(ObjectKey("folder/object"), b"x")
        for name in ("absent", "folder/absent", "folder", "folder/object/below"):
            key = ObjectKey(name)
            assert store.stat(key) is None
            for use in (
                lambda key=key: store.open(key),
                lambda key=key: store.stream(key),
                lambda key=key: store.read(key),
                lambda key=key: store.read(key, 0, 0),
                lambda key=key: store.read(key, 10, 10),
            ):
                with pytest.raises(ObjectNotFound) as refusal:
                    use()
                assert name in str(refusal.value)


class TestDelete:
    def test_a_deleted_object_is_gone_and_its_key_free(self, store: ObjectStore) -> None:
        store.put(KEY, b"first")
        store.delete(KEY)
        assert store.stat(KEY) is None
        assert list(store.list()) == []
        store.put(KEY, b"second")
        assert store.read(KEY) == b"second"

    def test_deleting_what_is_not_there_is_fine(self, store: ObjectStore) -> None:
        store.put(ObjectKey("folder/object"), b"x")
        for name in ("absent", "folder", "folder/object/below"):
            store.delete(ObjectKey(name))
        assert store.read(ObjectKey("folder/object")) == b"x"


class TestList:
    # The order of "-", "." and "/" is where stores differ.
    NAMES = ("a", "x/y", "x/y-z", "x-a", "x.b", "x.b/c", "x0", "xA", "x_", "z/1/2/3", "z/1.2/3")

    def test_objects_come_in_the_order_of_their_keys(self, store: ObjectStore) -> None:
        names = [name for name in self.NAMES if name != "x.b/c"]
        for name in names:
            store.put(ObjectKey(name), name.encode())
        assert [item.key for item in store.list()] == sorted(names)
        for item in store.list():
            assert item.size == len(item.key)
            assert abs(item.modified_at - datetime.now(UTC)) < timedelta(minutes=1)

    @pytest.mark.parametrize(
        "prefix", ["", "x", "x/", "x/y", "x-", "z/1", "z/1/", "z/1/2", "q", "q/"]
    )
    def test_a_prefix_is_the_beginning_of_the_key(self, store: ObjectStore, prefix: str) -> None:
        names = [name for name in self.NAMES if name != "x.b/c"]
        for name in names:
            store.put(ObjectKey(name), b"1")
        expected = sorted(name for name in names if name.startswith(prefix))
        assert [item.key for item in store.list(prefix)] == expected

    def test_more_objects_than_one_answer_of_s3_holds(self, store: ObjectStore) -> None:
        names = [f"many/{number:04}" for number in range(1050)]
        threads = [
            threading.Thread(
                target=lambda part=part: [store.put(ObjectKey(name), b"") for name in part]
            )
            for part in (names[0::4], names[1::4], names[2::4], names[3::4])
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [item.key for item in store.list("many/")] == names

    @pytest.mark.parametrize("prefix", ["..", "../x", "/", "/x", "a//b", "a/../b", "ä", "a\0"])
    def test_a_prefix_that_no_key_has_is_refused(self, store: ObjectStore, prefix: str) -> None:
        with pytest.raises(InvalidObjectKey):
            store.list(prefix)


class TestKeys:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            ".",
            "..",
            "a/..",
            "../a",
            "a/./b",
            ".hidden",
            "a/.tmp",
            "a b",
            "a\\b",
            "a\nb",
            "a\n",
            "ü",
            "a\0",
            "a%2fb",
            "a" * 256,
            "a/" * 256 + "a",
        ],
    )
    def test_what_is_no_key(self, text: str) -> None:
        for make in (ObjectKey, ObjectKey.parse):
            with pytest.raises(InvalidObjectKey):
                make(text)

    def test_what_is_a_key(self) -> None:
        for text in ("a", "a.b-c_D/1.2.840", "a/" * 255 + "a", "a" * 255, "-/_"):
            assert ObjectKey(text) == text

    def test_text_that_was_never_checked_is_refused_by_the_store(self, store: ObjectStore) -> None:
        stray: ObjectKey = "../outside"  # type: ignore[assignment]  # what a careless caller may do
        with pytest.raises(InvalidObjectKey):
            store.put(stray, b"x")
        with pytest.raises(InvalidObjectKey):
            store.stat(stray)
        with pytest.raises(InvalidObjectKey):
            store.delete(stray)

    def test_an_object_under_a_folders_name_is_refused_or_kept_apart(
        self, store: ObjectStore
    ) -> None:
        """A bucket may hold `a` beside `a/b`, a filesystem cannot; neither may mix them up."""
        store.put(ObjectKey("a/b"), b"inner")
        try:
            store.put(ObjectKey("a"), b"outer")
        except ObjectConflict:
            assert store.stat(ObjectKey("a")) is None
        else:
            assert store.read(ObjectKey("a")) == b"outer"
        store.put(ObjectKey("c"), b"outer")
        try:
            store.put(ObjectKey("c/d"), b"inner")
        except ObjectConflict:
            assert store.stat(ObjectKey("c/d")) is None
        else:
            assert store.read(ObjectKey("c/d")) == b"inner"
        assert store.read(ObjectKey("a/b")) == b"inner"
        assert store.read(ObjectKey("c")) == b"outer"


def test_a_usable_store_passes_its_check_and_shows_no_trace_of_it(store: ObjectStore) -> None:
    store.check()
    assert list(store.list()) == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/plain/path",
        "http://host/x",
        "file://host/x",
        "file:relative",
        "file:///x?y=1",
        "s3://host/bucket",
        "s3://key@host/bucket",
        "s3://key:se-cret@host",
        "s3://key:se-cret@host/a/b",
        "s3://key:se-cret@host:99999/bucket",
        "s3://key:se-cret@host/bucket?secure=yes",
        "s3://key:se-cret@host/bucket?tls=1",
        "s3://key:se/cret@host/bucket",
    ],
)
def test_an_address_that_cannot_be_used_is_refused_without_its_secret(url: str) -> None:
    with pytest.raises(InvalidObjectStoreUrl) as refusal:
        open_object_store(url)
    assert "RDC_OBJECT_STORE_URL" in refusal.value.remedy
    assert "cret" not in str(refusal.value).replace("secret", "").replace("SECRET", "")
    assert refusal.value.__cause__ is None


def test_an_s3_store_out_of_reach_is_unavailable() -> None:
    with pytest.raises(ObjectStoreUnavailable) as refusal:
        open_object_store("s3://key:se-cret@127.0.0.1:1/bucket?secure=0").check()
    assert "127.0.0.1:1" in str(refusal.value)
    assert "se-cret" not in str(refusal.value)


def test_an_s3_store_that_says_nothing_is_asked_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_connection, "_READ_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"s3://key:secret@127.0.0.1:{silent.getsockname()[1]}/bucket?secure=0"
        with pytest.raises(ObjectStoreUnavailable):
            open_object_store(f"{url}&conditional_writes=0").read(ObjectKey("a"))
        silent.setblocking(False)
        asked = 0
        with suppress(BlockingIOError):
            while True:
                silent.accept()[0].close()
                asked += 1
        assert asked == 2


def test_a_wrong_secret_says_what_to_check(weed: Weed) -> None:
    with pytest.raises(ObjectStoreUnavailable) as refusal:
        open_object_store(f"s3://{weed.access_key}:wrong@{weed.endpoint}/bucket?secure=0").check()
    assert "RDC_OBJECT_STORE_URL" in refusal.value.remedy


def test_a_store_shows_no_secret_when_printed(weed: Weed) -> None:
    assert weed.secret_key not in repr(open_object_store(weed.url("printed")))
