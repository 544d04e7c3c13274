"""What remains in the object store after its process was killed, and when the disk is full."""

import errno
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy.embedded.processes import tied
from storage.objects import (
    FilesystemObjectStore,
    ObjectKey,
    ObjectNotFound,
    ObjectStoreUnavailable,
    open_object_store,
)
from tests.storage.object_writer import content_of
from tests.support.memory import MEMORY
from tests.support.weed import Weed

ROOT = Path(__file__).parents[2]


def write_until_killed(
    url: str, run: str, scratch: Path, after_lines: int, delay: float
) -> list[str]:
    """Kill the writer `delay` seconds after so many objects; return those it told of."""
    with subprocess.Popen(
        tied([sys.executable, "-m", "tests.storage.object_writer", url, run, str(scratch)]),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdout is not None
        told = [writer.stdout.readline() for _ in range(after_lines)]
        time.sleep(delay)  # not to wait for something: to be killed anywhere in the work
        writer.kill()
        told.extend(writer.stdout)
        assert writer.wait() == -signal.SIGKILL
    return [line.strip() for line in told if line.endswith("\n")]


def assert_whole(url: str, run: str, told: list[str]) -> None:
    store = open_object_store(url)
    found = {item.key: item.size for item in store.list(f"killed/{run}/")}
    assert set(told) <= set(found)
    # At most the one in work is there without having been told of.
    assert len(found) <= len(told) + 1
    for key, size in found.items():
        content = store.read(key)
        assert len(content) == size
        assert content == content_of(key)


def test_after_kill_every_visible_object_is_whole(disk_path: Path) -> None:
    """On a disk, whose slow synchronisation is where most kills fall."""
    url = f"file://{disk_path}/store"
    chance = random.Random(20_240_501)
    for run in range(8):
        told = write_until_killed(
            url, str(run), disk_path, chance.randint(3, 25), chance.random() / 20
        )
        assert_whole(url, str(run), told)


def test_after_kill_every_visible_object_is_whole_on_s3(weed: Weed, tmp_path: Path) -> None:
    url = weed.url("killed")
    chance = random.Random(20_240_502)
    for run in range(3):
        told = write_until_killed(
            url, str(run), tmp_path, chance.randint(3, 25), chance.random() / 10
        )
        assert_whole(url, str(run), told)


def test_leftovers_of_killed_writers_go_when_they_are_old(tmp_path: Path) -> None:
    store = FilesystemObjectStore(tmp_path / "store")
    store.put(ObjectKey("kept"), b"x")
    old, fresh = (tmp_path / "store" / ".tmp" / name for name in ("1-old", "2-fresh"))
    for path in (old, fresh):
        path.write_bytes(b"half an obj")
    two_days_ago = time.time() - 48 * 3600
    os.utime(old, (two_days_ago, two_days_ago))
    os.utime(tmp_path / "store" / "kept", (two_days_ago, two_days_ago))
    again = FilesystemObjectStore(tmp_path / "store")
    assert not old.exists()
    assert fresh.exists()
    assert [item.key for item in again.list()] == ["kept"]


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    """The limit on file size stands for a full disk: both end a write in the middle."""
    store = FilesystemObjectStore(tmp_path / "store")
    key = ObjectKey("big")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, limits[1]))
    try:
        with pytest.raises(ObjectStoreUnavailable) as refusal:
            store.put(key, bytes(3 << 20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert isinstance(refusal.value.__cause__, OSError)
    assert refusal.value.__cause__.errno == errno.EFBIG
    assert refusal.value.found == os.strerror(errno.EFBIG)
    assert store.stat(key) is None
    assert [path.name for path in (tmp_path / "store" / ".tmp").iterdir()] == []
    store.put(key, bytes(3 << 20))


def test_a_root_that_is_no_folder_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ObjectStoreUnavailable):
        FilesystemObjectStore(tmp_path / "file")
    with pytest.raises(ObjectStoreUnavailable):
        FilesystemObjectStore(tmp_path / "file" / "below")


def test_a_root_that_vanished_fails_the_check(tmp_path: Path) -> None:
    store = FilesystemObjectStore(tmp_path / "store")
    (tmp_path / "store" / ".tmp").rmdir()
    (tmp_path / "store").rmdir()
    with pytest.raises(ObjectStoreUnavailable):
        store.check()
    with pytest.raises(ObjectStoreUnavailable):
        store.put(ObjectKey("a"), b"x")
    with pytest.raises(ObjectNotFound):
        store.read(ObjectKey("a"))


def test_a_file_on_the_same_filesystem_is_linked_not_copied(tmp_path: Path) -> None:
    store = FilesystemObjectStore(tmp_path / "store")
    path = tmp_path / "spooled"
    path.write_bytes(b"x" * 1000)
    store.put_file(ObjectKey("a/b"), path)
    assert path.stat().st_ino == (tmp_path / "store" / "a" / "b").stat().st_ino


def test_a_file_on_another_filesystem_is_copied(disk_path: Path) -> None:
    if not MEMORY.is_dir() or MEMORY.stat().st_dev == disk_path.stat().st_dev:
        pytest.skip("no second filesystem on this machine")
    path = MEMORY / f"rdc-test-{os.getpid()}"
    path.write_bytes(b"x" * 1000)
    try:
        store = FilesystemObjectStore(disk_path / "store")
        assert store.put_file(ObjectKey("a/b"), path).size == 1000
        assert store.read(ObjectKey("a/b")) == b"x" * 1000
    finally:
        path.unlink()


def test_foreign_files_in_the_store_are_not_objects(tmp_path: Path) -> None:
    store = FilesystemObjectStore(tmp_path / "store")
    store.put(ObjectKey("a/b"), b"x")
    for name in (".hidden", "a/with space", "a/.tmp"):
        (tmp_path / "store" / name).write_bytes(b"")
    (tmp_path / "store" / "empty").mkdir()
    assert [item.key for item in store.list()] == ["a/b"]
