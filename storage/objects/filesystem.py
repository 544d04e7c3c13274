"""Objects as files under one root folder, in one filesystem.

The path of an object is its key. A new object is written and synced under
`.tmp/` first and then linked to its path, which happens whole or not at all;
afterwards the folder is synced, so that the name survives a power cut too.
"""

import contextlib
import fcntl
import io
import os
import secrets
import stat
import time
from collections.abc import Container, Generator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final, Self
from urllib.parse import unquote, urlsplit

from storage.objects.contract import (
    CHUNK_BYTES,
    InvalidObjectStoreUrl,
    ObjectConflict,
    ObjectKey,
    ObjectNotFound,
    ObjectStoreUnavailable,
    StoredObject,
    check_range,
    folder_conflict,
    not_found,
    other_bytes,
    source_truncated,
)
from storage.objects.files import (
    LINK_IMPOSSIBLE,
    in_memory,
    links_work,
    one_journal,
    same_bytes,
    sync_folder,
    unavailable,
    write_all,
)
from storage.objects.walk import FolderEntry, stored_object_or_none, walk

_WORKING_FOLDER: Final = ".tmp"
_LOCK_NAME: Final = ".lock"
_LEFTOVER_SECONDS: Final = 24 * 3600
_REMEMBERED_FOLDERS: Final = 10_000
# Objects are patient data: their folders are closed to other users of the machine.
_FOLDER_MODE: Final = 0o750
_FILE_MODE: Final = 0o640
_ABSENT: Final = (FileNotFoundError, NotADirectoryError, IsADirectoryError)


class FilesystemObjectStore:
    """An `ObjectStore` on a local or mounted filesystem; several processes may share one root.

    Leftovers of writers that were killed are removed at start when they are a day old.
    """

    def __init__(
        self, root: Path, *, hard_links: bool | None = None, shared_journal: bool | None = None
    ) -> None:
        """Open the store under `root`, made when absent.

        hard_links: False where the filesystem has none; objects are then
            published by renaming under a lock. None finds it out.
        shared_journal: see `files.one_journal`; None finds it out.

        Raises:
            ObjectStoreUnavailable: the folder cannot be made or written to.
        """
        self._root = root.absolute()
        self._working = self._root / _WORKING_FOLDER
        # Folders whose names are known to be durable; as none is ever removed, this stays true.
        self._durable: set[Path] = set()
        with self._unavailable("object store cannot be opened"):
            if not self._root.is_dir():
                self._root.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
                sync_folder(self._root.parent)
            self._working.mkdir(mode=_FOLDER_MODE, exist_ok=True)
            self._remove_leftovers()
            self._hard_links = links_work(self._working) if hard_links is None else hard_links
            self._shared_journal = (
                one_journal(self._root) if shared_journal is None else shared_journal
            )

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Return the store at a `file:///absolute/path` address.

        Raises:
            InvalidObjectStoreUrl: the address names a host or no absolute path.
            ObjectStoreUnavailable: as for the constructor.
        """
        parts = urlsplit(url)
        path = unquote(parts.path)
        if (
            parts.netloc not in {"", "localhost"}
            or not path.startswith("/")
            or parts.query
            or parts.fragment
        ):
            raise InvalidObjectStoreUrl(
                "address of the object store is not a local folder",
                expected="file:///absolute/path",
                found=repr(url[:80]),
                remedy="Correct RDC_OBJECT_STORE_URL.",
            )
        return cls(Path(path))

    def __repr__(self) -> str:
        """Name the folder, for logs."""
        return f"{type(self).__name__}({str(self._root)!r})"

    def put(
        self,
        key: ObjectKey,
        source: BinaryIO | bytes,
        *,
        size: int | None = None,
        content_type: str = "application/octet-stream",
    ) -> StoredObject:
        """Store `source` under `key`; see `ObjectStore.put`; `content_type` has no place here."""
        del content_type
        reader = io.BytesIO(source) if isinstance(source, bytes) else source
        temporary = self._working / f"{os.getpid()}-{secrets.token_hex(8)}"
        try:
            self._write(temporary, reader, size, key)
            stored = self._publish(key, temporary)
            self._sync_names([key])
            return stored
        finally:
            temporary.unlink(missing_ok=True)

    def put_file(
        self, key: ObjectKey, path: Path, *, content_type: str = "application/octet-stream"
    ) -> StoredObject:
        """Store the file at `path`, by a hard link where possible; see `ObjectStore.put_file`."""
        stored = self._put_file(key, path, content_type)
        self._sync_names([key])
        return stored

    def put_files(
        self,
        files: Mapping[ObjectKey, Path],
        *,
        content_type: str = "application/octet-stream",
        synced: Container[Path] = (),
    ) -> Mapping[ObjectKey, ObjectConflict]:
        """Store many files, their names synced together; see `ObjectStore.put_files`."""
        conflicts: dict[ObjectKey, ObjectConflict] = {}
        for key, path in files.items():
            try:
                self._put_file(key, path, content_type, synced=path in synced)
            except ObjectConflict as conflict:
                conflicts[key] = conflict
        self._sync_names(key for key in files if key not in conflicts)
        return conflicts

    def _put_file(
        self, key: ObjectKey, path: Path, content_type: str, *, synced: bool = False
    ) -> StoredObject:
        """Store a file, whose bytes are `synced` already or not; its name is not durable yet."""
        # A link to a symbolic link would share its name, not its bytes.
        source, status = path, path.lstat()
        if stat.S_ISLNK(status.st_mode):
            source = path.resolve(strict=True)
            status = source.stat()
        if self._hard_links and stat.S_ISREG(status.st_mode):
            if not synced:
                with source.open("rb") as file:
                    # Bytes and size must be durable; the times need not.
                    os.fdatasync(file.fileno())
            try:
                return self._publish(key, source)
            except ObjectStoreUnavailable as error:
                cause = error.__cause__
                if not (isinstance(cause, OSError) and cause.errno in LINK_IMPOSSIBLE):
                    raise
        with source.open("rb") as file:
            return self.put(key, file, content_type=content_type)

    def _sync_names(self, keys: Iterable[ObjectKey]) -> None:
        """Make names durable, also those another writer made first."""
        with self._unavailable("names of objects cannot be made durable"):
            # On a shared journal one stands for all.
            needed = list(keys)[-1:] if self._shared_journal else keys
            for folder in dict.fromkeys(key.rpartition("/")[0] for key in needed):
                sync_folder(self._root / folder)

    def open(self, key: ObjectKey) -> BinaryIO:
        """Return the object as a file; see `ObjectStore.open`."""
        with self._reading(key):
            return self._path(key).open("rb")

    def read(self, key: ObjectKey, offset: int = 0, length: int | None = None) -> bytes:
        """Return a range of the object; see `ObjectStore.read`."""
        check_range(offset, length)
        with self.open(key) as file, self._reading(key):
            file.seek(offset)
            return file.read(-1 if length is None else length)

    def read_now(self, key: ObjectKey, offset: int, length: int) -> bytes | None:
        """Return a range that is in the page cache; see `ObjectStore.read_now`."""
        check_range(offset, length)
        try:
            handle = os.open(f"{self._root}/{ObjectKey(key)}", os.O_RDONLY)
        except OSError:
            return None
        try:
            there = max(min(length, os.fstat(handle).st_size - offset), 0)
            return os.pread(handle, there, offset) if in_memory(handle, offset, there) else None
        except OSError:
            return None
        finally:
            os.close(handle)

    def descriptor(self, key: ObjectKey) -> int | None:
        """Return the object's file, open; see `ObjectStore.descriptor`."""
        with self._reading(key):
            return os.open(f"{self._root}/{ObjectKey(key)}", os.O_RDONLY | os.O_CLOEXEC)

    def stream(
        self, key: ObjectKey, offset: int = 0, length: int | None = None, chunk: int = CHUNK_BYTES
    ) -> Iterator[bytes]:
        """Return an iterator over a range of the object; see `ObjectStore.stream`."""
        check_range(offset, length)
        file = self.open(key)
        file.seek(offset)
        return self._pieces(key, file, length, chunk)

    def stat(self, key: ObjectKey) -> StoredObject | None:
        """Return what is known of the object; see `ObjectStore.stat`."""
        try:
            with self._reading(key):
                return _stored(key, self._path(key).stat())
        except ObjectNotFound:
            return None

    def delete(self, key: ObjectKey) -> None:
        """Remove the object; see `ObjectStore.delete`."""
        path = self._path(key)
        try:
            with self._reading(key):
                if not stat.S_ISREG(path.stat().st_mode):
                    return
                path.unlink()
                sync_folder(path.parent)
        except ObjectNotFound:
            return

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """Yield objects by prefix; see `ObjectStore.list`."""
        return walk(prefix, self._folder_entries)

    def check(self) -> None:
        """Write and remove a small file; see `ObjectStore.check`."""
        probe = self._working / f"check-{secrets.token_hex(8)}"
        with self._unavailable("object store cannot be written to"):
            try:
                probe.write_bytes(b"rdc")
            finally:
                probe.unlink(missing_ok=True)

    def _path(self, key: ObjectKey) -> Path:
        return self._root / ObjectKey(key)

    def _write(self, temporary: Path, source: BinaryIO, size: int | None, key: ObjectKey) -> None:
        """Copy `source` to `temporary` and sync it.

        An OSError of reading the source is the caller's and goes through; one of writing is ours.
        """
        written = 0
        with self._unavailable(f"object {key} cannot be written"):
            target = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
        with os.fdopen(target, "wb", buffering=0) as file:
            while size is None or written < size:
                piece = source.read(
                    CHUNK_BYTES if size is None else min(CHUNK_BYTES, size - written)
                )
                if not piece:
                    break
                with self._unavailable(f"object {key} cannot be written"):
                    write_all(file, piece)
                written += len(piece)
            if size is not None and written != size:
                raise source_truncated(key, size, written)
            with self._unavailable(f"object {key} cannot be written"):
                os.fsync(file.fileno())

    def _publish(self, key: ObjectKey, source: Path) -> StoredObject:
        """Give the synced file `source` the name of `key`, unless the same bytes have it.

        The name is durable after `_sync_names`.
        """
        path = self._path(key)
        with self._unavailable(f"object {key} cannot be published"):
            try:
                self._make_folder(path.parent)
            except (FileExistsError, NotADirectoryError) as error:
                raise folder_conflict(key) from error
            if not self._name(source, path):
                if not path.is_file():
                    raise folder_conflict(key)
                if not same_bytes(source, path):
                    raise other_bytes(
                        key, stored_size=path.stat().st_size, new_size=source.stat().st_size
                    )
            return _stored(key, path.stat())

    def _name(self, source: Path, path: Path) -> bool:
        """Let `path` name the file `source`; False when the name is taken."""
        if self._hard_links:
            try:
                os.link(source, path)
            except FileExistsError:
                return False
            return True
        with (self._working / _LOCK_NAME).open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if path.exists():
                return False
            source.rename(path)
            return True

    def _make_folder(self, folder: Path) -> None:
        """Make `folder` and those above it up to the root, each synced once in this process."""
        if folder in self._durable and folder.is_dir():
            return
        if folder != self._root:
            self._make_folder(folder.parent)
            folder.mkdir(mode=_FOLDER_MODE, exist_ok=True)
            sync_folder(folder.parent)
        if len(self._durable) >= _REMEMBERED_FOLDERS:
            self._durable.clear()
        self._durable.add(folder)

    def _folder_entries(self, folder: str) -> Iterator[FolderEntry]:
        with self._unavailable("objects cannot be listed"):
            try:
                entries = os.scandir(self._root / folder)
            except _ABSENT:
                return
            with entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir():
                        yield entry.name, None
                        continue
                    try:
                        status = entry.stat()
                    except FileNotFoundError:
                        continue  # deleted meanwhile
                    if stat.S_ISREG(status.st_mode):
                        item = stored_object_or_none(
                            folder + entry.name, lambda key, status=status: _stored(key, status)
                        )
                        if item is not None:
                            yield entry.name, item

    def _pieces(
        self, key: ObjectKey, file: BinaryIO, length: int | None, chunk: int
    ) -> Iterator[bytes]:
        left = length
        with file:
            while left is None or left > 0:
                with self._reading(key):
                    piece = file.read(chunk if left is None else min(chunk, left))
                if not piece:
                    return
                if left is not None:
                    left -= len(piece)
                yield piece

    def _remove_leftovers(self) -> None:
        oldest = time.time() - _LEFTOVER_SECONDS
        for path in self._working.iterdir():
            # Another process may be cleaning too, or finishing its write.
            with contextlib.suppress(FileNotFoundError):
                if path.name != _LOCK_NAME and path.stat().st_mtime < oldest:
                    path.unlink()

    def _unavailable(self, what: str) -> AbstractContextManager[None]:
        return unavailable(what, self._root)

    @contextlib.contextmanager
    def _reading(self, key: ObjectKey) -> Generator[None]:
        with self._unavailable(f"object {key} cannot be read"):
            try:
                yield
            except _ABSENT as error:
                raise not_found(key) from error


def _stored(key: ObjectKey, status: os.stat_result) -> StoredObject:
    if not stat.S_ISREG(status.st_mode):
        raise not_found(key)
    return StoredObject(key, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))
