"""`rdc backup`: database, objects, keys and spool of a running or stopped system.

The spool is copied first, then the database as of one moment, then the objects
that its rows name. Objects are immutable and are put before their rows, so each
is there when its turn comes; what the earlier backup copied is not copied again.
Everything acknowledged before the backup began is in it.
"""

import hashlib
import io
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from heapq import merge
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, TypeVar, cast

from deploy.keeping import HOLDINGS
from deploy.keeping.database_dump import consistent_snapshot, dump
from deploy.keeping.manifest import (
    AUTHORITY,
    DATABASE,
    OBJECT_LIST,
    OBJECTS,
    SNAPSHOTS,
    SPOOL,
    TLS,
    KeptFile,
    ListedObject,
    Manifest,
    check_files,
    kept_file,
    read_list,
    snapshots_in,
    write_list,
)
from storage.clock import utc_now
from storage.dicom_header import DatasetError, read_file_meta
from storage.keeping.digests import digest_of
from storage.keeping.holdings import FETCHED, Limits, by_key, claims_query
from storage.objects import (
    FilesystemObjectStore,
    ObjectConflict,
    ObjectNotFound,
    ObjectStore,
)

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BATCH: Final = 64
_COPIERS: Final = 4
_FOLDER_MODE: Final = 0o700
_CLOSED_MODE: Final = 0o600
_T = TypeVar("_T")


@dataclass(slots=True)
class Copied:
    """How far copying is; problems by object key."""

    total: int
    copied: int = 0
    present: int = 0
    bytes: int = 0
    problems: dict[str, str] = field(default_factory=dict[str, str])


Progress = Callable[[Copied], None]


def make(
    directory: Path,
    url: str,
    objects: ObjectStore,
    data_dir: Path,
    progress: Progress,
    *,
    authority_dir: Path | None = None,
) -> tuple[Path, Manifest]:
    """Add a snapshot to the backup in `directory` and return its folder and manifest.

    data_dir: of this machine, whose spool and private authority for connections are taken along.
    authority_dir: None: in it.
    An interrupted run leaves its objects behind, which the next one need not copy again.

    Raises:
        DumpFailed: the database cannot be dumped.
        ObjectStoreUnavailable: one of the stores went away.
        OSError: the directory cannot be written.
    """
    folder = directory / SNAPSHOTS
    folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    directory.chmod(_FOLDER_MODE)
    for left in folder.glob(".*"):
        shutil.rmtree(left)
    began = utc_now()
    working = folder / f".{began:%Y%m%dT%H%M%S%fZ}"
    working.mkdir(mode=_FOLDER_MODE)
    _copy_tree(data_dir / SPOOL, working / SPOOL, "*.dcm")
    _copy_tree(authority_dir or data_dir / AUTHORITY, working / AUTHORITY, "*")
    _copy_tree(data_dir / TLS, working / TLS, "*.pem")
    with consistent_snapshot(url) as (connection, snapshot):
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        with connection.cursor("claims") as cursor:
            cursor.itersize = FETCHED
            cursor.execute(claims_query(HOLDINGS, Limits()))
            count, size = write_list(working / OBJECT_LIST, by_key(cursor))
        dump(url, working / DATABASE, snapshot)
    target = FilesystemObjectStore(directory / OBJECTS)
    done = copy_objects(read_list(working), objects, target, Copied(count), progress)
    manifest = Manifest(
        made_at=began.isoformat(),
        schema=str(row[0]) if row else "",
        objects=count,
        bytes=size,
        files=_kept_files(working),
        problems=done.problems,
    )
    manifest.write(working)
    return working.rename(folder / working.name[1:]), manifest


def copy_objects(
    listed: Iterator[ListedObject],
    source: ObjectStore,
    target: ObjectStore,
    done: Copied,
    progress: Progress,
) -> Copied:
    """Copy what `target` does not have, each held against its digest on the way; return the tally.

    What is missing or damaged in `source` is noted under `problems` and not copied.
    """

    def copy(one: ListedObject) -> int | str | None:
        there = target.stat(one.key)
        if there is not None and one.size in (None, there.size):
            return None
        return _copy(one, source, target)

    with ThreadPoolExecutor(_COPIERS, thread_name_prefix="copy") as copiers:
        for batch in _batches(listed, _BATCH):
            for one, outcome in zip(batch, copiers.map(copy, batch), strict=True):
                if outcome is None:
                    done.present += 1
                elif isinstance(outcome, str):
                    done.problems[one.key] = outcome
                else:
                    done.copied += 1
                    done.bytes += outcome
            progress(done)
    return done


def check(directory: Path, snapshot: Path, progress: Progress) -> Copied:
    """Read everything of a snapshot and compare it with its digests; problems by object key.

    Raises:
        BackupUnusable: the manifest or a file of it.
    """
    manifest = Manifest.read(snapshot)
    check_files(snapshot, manifest)
    store = FilesystemObjectStore(directory / OBJECTS)
    done = Copied(manifest.objects)

    def look(one: ListedObject) -> str | None:
        if one.key in manifest.problems:
            return manifest.problems[one.key]
        return problem_of(one, store)

    with ThreadPoolExecutor(_COPIERS, thread_name_prefix="check") as readers:
        for batch in _batches(read_list(snapshot), _BATCH):
            for one, problem in zip(batch, readers.map(look, batch), strict=True):
                if problem is None:
                    done.present += 1
                else:
                    done.problems[one.key] = problem
            progress(done)
    return done


def problem_of(one: ListedObject, store: ObjectStore) -> str | None:
    """Return what is wrong with an object in `store`, None when it is as listed."""
    stored = store.stat(one.key)
    if stored is None:
        return "missing"
    if one.size not in (None, stored.size):
        return f"{stored.size} bytes instead of {one.size}"
    if not one.sha256:
        return None
    try:
        digest, _ = digest_of(store, one.key, one.dataset_offset)
    except DatasetError as error:
        return error.found
    return None if digest == one.sha256 else f"SHA-256 {digest} instead of {one.sha256}"


def keep_newest(directory: Path, count: int) -> tuple[int, int]:
    """Remove all but the `count` newest snapshots, and the objects that only they name.

    Returns how many snapshots and how many objects were removed.
    """
    snapshots = snapshots_in(directory)
    dropped = snapshots[: max(len(snapshots) - count, 0)]
    for snapshot in dropped:
        # Under a name that does not count, so that half of one is never taken for whole.
        hidden = snapshot.rename(snapshot.with_name(f".{snapshot.name}"))
        shutil.rmtree(hidden)
    if not dropped:
        return 0, 0
    lists = [read_list(snapshot) for snapshot in snapshots_in(directory)]
    wanted = merge(*lists, key=attrgetter("key"))
    store = FilesystemObjectStore(directory / OBJECTS)
    removed = 0
    current = next(wanted, None)
    for stored in store.list():
        while current is not None and current.key < stored.key:
            current = next(wanted, None)
        if current is None or current.key != stored.key:
            store.delete(stored.key)
            removed += 1
    return len(dropped), removed


class _Hashed(io.RawIOBase):
    """A file that can be read once, with the SHA-256 of what was read from an offset on."""

    def __init__(self, file: BinaryIO, offset: int) -> None:
        super().__init__()
        self._file = file
        self._skipped = offset
        self.sha256 = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        piece = self._file.read(len(view))
        view[: len(piece)] = piece
        self.sha256.update(view[min(self._skipped, len(piece)) : len(piece)])
        self._skipped = max(self._skipped - len(piece), 0)
        return len(piece)


def _copy(one: ListedObject, source: ObjectStore, target: ObjectStore) -> int | str:
    """Copy one object; return its size, or what is wrong with it."""
    try:
        with source.open(one.key) as file:
            offset = one.dataset_offset
            if offset is None and one.sha256:
                offset = read_file_meta(file).dataset_offset
                file.seek(0)
            hashed = _Hashed(file, offset or 0)
            stored = target.put(one.key, cast("BinaryIO", hashed))
    except ObjectNotFound:
        return "missing"
    except DatasetError as error:
        return error.found
    except ObjectConflict as conflict:
        return f"the copy has {conflict.found}"
    digest = hashed.sha256.hexdigest()
    if one.sha256 and digest != one.sha256:
        target.delete(one.key)
        return f"SHA-256 {digest} instead of {one.sha256}"
    return stored.size


def _copy_tree(source: Path, target: Path, pattern: str) -> None:
    """Copy the files of a folder that have bytes; what goes meanwhile was not to be copied."""
    for path in sorted(source.rglob(pattern)):
        with suppress(FileNotFoundError):
            if not path.is_file() or not path.stat().st_size:
                continue
            copy = target / path.relative_to(source)
            copy.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
            copy.chmod(_CLOSED_MODE)


def _kept_files(working: Path) -> list[KeptFile]:
    return [kept_file(working, path) for path in sorted(working.rglob("*")) if path.is_file()]


def _batches(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch
