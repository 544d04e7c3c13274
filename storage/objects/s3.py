"""Objects in a bucket of an S3 store (MinIO, SeaweedFS, Ceph, AWS).

Immutability is kept by asking the store to refuse what exists
(`If-None-Match: *`); a store that does not know the condition is asked before
each write instead, which leaves a gap between two writers of one key. The
SHA-256 of every object is kept in its metadata, so that a second write of the
same bytes can be told from a conflict without reading the object.
"""

import hashlib
import io
import secrets
import tempfile
import threading
from collections.abc import Container, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, Self, cast

from minio.error import S3Error

from storage.objects.contract import (
    CHUNK_BYTES,
    ObjectConflict,
    ObjectKey,
    ObjectNotFound,
    StoredObject,
    check_range,
    folder_conflict,
    not_found,
    other_bytes,
    source_truncated,
)
from storage.objects.s3_bucket import PROBE_PREFIX, prepare_bucket
from storage.objects.s3_connection import S3Config, S3Connection, parse_s3_url
from storage.objects.s3_reading import Pieces, RangeFile
from storage.objects.walk import FolderEntry, stored_object_or_none, walk

if TYPE_CHECKING:
    from minio import Minio
    from minio.datatypes import Object as S3Object
    from urllib3 import BaseHTTPResponse

_PART_BYTES: Final = 16 << 20
_PARTS_MAX: Final = 10_000
_PUTS_AT_ONCE: Final = 4
_SPOOL_BYTES: Final = 8 << 20
_READ_AHEAD_BYTES: Final = 256 << 10
_DIGEST_HEADER: Final = "x-amz-meta-sha256"


class S3ObjectStore:
    """An `ObjectStore` in one bucket, made when it does not exist yet.

    Objects above 16 MiB travel in parts of that size, one at a time. Parts of
    uploads that were killed stay invisible until the bucket's lifecycle rule
    removes them (see `storage.objects.s3_bucket`).

    The store is reached at its first use and not before, so that whoever only
    wants to put something there later starts while it is away.
    """

    def __init__(self, config: S3Config) -> None:
        self._connection = S3Connection(config)
        self._bucket = config.bucket
        self._opening = threading.Lock()
        self._conditional: bool | None = None
        self._create_only = self._connection.create_only_client()

    @property
    def _client(self) -> "Minio":
        """The SDK's client, the bucket known to be there.

        Raises:
            ObjectStoreUnavailable: the store cannot be reached or refuses.
        """
        if self._conditional is None:
            with self._opening:
                if self._conditional is None:
                    self._conditional = prepare_bucket(self._connection)
        return self._connection.client

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Return the store at an `s3://KEY:SECRET@host:port/bucket?secure=0|1` address.

        Raises:
            InvalidObjectStoreUrl: a part is missing or unknown.
        """
        return cls(parse_s3_url(url))

    def __repr__(self) -> str:
        """Name endpoint and bucket, for logs; never the secret."""
        return f"{type(self).__name__}({self._connection.config.endpoint!r}, {self._bucket!r})"

    def put(
        self,
        key: ObjectKey,
        source: BinaryIO | bytes,
        *,
        size: int | None = None,
        content_type: str = "application/octet-stream",
    ) -> StoredObject:
        """Store `source` under `key`; see `ObjectStore.put`.

        The digest has to be known before the first byte is sent, so a source
        that cannot be rewound is first copied to a temporary file.
        """
        reader = io.BytesIO(source) if isinstance(source, bytes) else source
        if reader.seekable():
            start = reader.tell()
            digest, found = _copy_digest(reader, None, size)
            reader.seek(start)
            _check_size(key, size, found)
            return self._upload(key, reader, found, digest, content_type)
        with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as spool:
            file = cast("BinaryIO", spool)
            digest, found = _copy_digest(reader, file, size)
            _check_size(key, size, found)
            spool.seek(0)
            return self._upload(key, file, found, digest, content_type)

    def put_file(
        self, key: ObjectKey, path: Path, *, content_type: str = "application/octet-stream"
    ) -> StoredObject:
        """Store the file at `path`; see `ObjectStore.put_file`."""
        with path.open("rb") as file:
            return self.put(key, file, content_type=content_type)

    def put_files(
        self,
        files: Mapping[ObjectKey, Path],
        *,
        content_type: str = "application/octet-stream",
        synced: Container[Path] = (),
    ) -> Mapping[ObjectKey, ObjectConflict]:
        """Store many files, several at a time; see `ObjectStore.put_files`."""
        del synced

        def put(key: ObjectKey) -> ObjectConflict | None:
            try:
                self.put_file(key, files[key], content_type=content_type)
            except ObjectConflict as conflict:
                return conflict
            return None

        with ThreadPoolExecutor(_PUTS_AT_ONCE) as pool:
            outcomes = zip(files, pool.map(put, files), strict=True)
            return {key: conflict for key, conflict in outcomes if conflict is not None}

    def open(self, key: ObjectKey) -> BinaryIO:
        """Return the object as a seekable file that reads ahead by 256 KiB; see `ObjectStore.open`.

        Its reads raise `ObjectStoreUnavailable` when the store fails.
        """
        found = self.stat(key)
        if found is None:
            raise not_found(key)
        return io.BufferedReader(RangeFile(self, found), _READ_AHEAD_BYTES)

    def read(self, key: ObjectKey, offset: int = 0, length: int | None = None) -> bytes:
        """Return a range of the object; see `ObjectStore.read`."""
        return b"".join(self.stream(key, offset, length))

    def read_now(self, key: ObjectKey, offset: int, length: int) -> bytes | None:
        """Return None: every read asks the network; see `ObjectStore.read_now`."""
        del key, offset, length
        return None

    def descriptor(self, key: ObjectKey) -> int | None:
        """Return None: no object is a file of this machine; see `ObjectStore.descriptor`."""
        del key
        return None

    def stream(
        self, key: ObjectKey, offset: int = 0, length: int | None = None, chunk: int = CHUNK_BYTES
    ) -> Iterator[bytes]:
        """Return an iterator over a range, read by one request; see `ObjectStore.stream`."""
        check_range(offset, length)
        response = self._get(ObjectKey(key), offset, length)
        return iter(()) if response is None else Pieces(self._connection, key, response, chunk)

    def stat(self, key: ObjectKey) -> StoredObject | None:
        """Return what is known of the object; see `ObjectStore.stat`."""
        head = self._head(key)
        return None if head is None else _stored(key, head)

    def delete(self, key: ObjectKey) -> None:
        """Remove the object; see `ObjectStore.delete`."""
        with self._connection.mapped(f"object {key} cannot be deleted"):
            self._client.remove_object(self._bucket, ObjectKey(key))

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """Yield objects by prefix; see `ObjectStore.list`. One request or more for each folder."""
        return walk(prefix, self._folder_entries)

    def check(self) -> None:
        """Write and remove a small object; see `ObjectStore.check`."""
        name = PROBE_PREFIX + secrets.token_hex(8)
        with self._connection.mapped("object store cannot be written to"):
            self._client.put_object(self._bucket, name, io.BytesIO(b"rdc"), 3)
            self._client.remove_object(self._bucket, name)

    def _upload(
        self, key: ObjectKey, source: BinaryIO, size: int, digest: str, content_type: str
    ) -> StoredObject:
        # Opening finds out whether the store honours conditions.
        plain = self._client
        writer = self._create_only if self._conditional else plain
        if not self._conditional:
            existing = self._head(key)
            if existing is not None:
                return self._same_or_conflict(key, existing, size, digest)
        try:
            with self._connection.mapped(
                f"object {key} cannot be written", passing="PreconditionFailed"
            ):
                result = writer.put_object(
                    self._bucket,
                    ObjectKey(key),
                    source,
                    size,
                    content_type=content_type,
                    metadata={_DIGEST_HEADER: digest},
                    part_size=max(_PART_BYTES, -(-size // _PARTS_MAX)),
                    num_parallel_uploads=1,
                )
        except S3Error:
            existing = self._head(key)
            if existing is None:
                # A store built on a filer also answers so when the key is a folder.
                raise folder_conflict(key) from None
            return self._same_or_conflict(key, existing, size, digest)
        return StoredObject(key, size, _answered_at(result.http_headers.get("date")))

    def _same_or_conflict(
        self, key: ObjectKey, existing: "S3Object", size: int, digest: str
    ) -> StoredObject:
        stored = _stored(key, existing)
        if stored.size == size and self._digest(key, existing) == digest:
            return stored
        raise other_bytes(key, stored_size=stored.size, new_size=size)

    def _digest(self, key: ObjectKey, existing: "S3Object") -> str:
        metadata = existing.metadata
        known = metadata.get(_DIGEST_HEADER) if metadata else None
        if known:
            return known
        # Restored or copied here by another tool: its bytes are what counts.
        digest = hashlib.sha256()
        for piece in self.stream(key):
            digest.update(piece)
        return digest.hexdigest()

    def _head(self, key: ObjectKey) -> "S3Object | None":
        try:
            with self._connection.mapped(f"object {key} cannot be looked up", key):
                return self._client.stat_object(self._bucket, ObjectKey(key))
        except ObjectNotFound:
            return None

    def _get(self, key: ObjectKey, offset: int, length: int | None) -> "BaseHTTPResponse | None":
        """Return the response with a range's bytes; None when the range is empty."""
        if length == 0:
            # For S3, a length of zero means "to the end".
            if self._head(key) is None:
                raise not_found(key)
            return None
        try:
            with self._connection.mapped(
                f"object {key} cannot be read", key, passing="InvalidRange"
            ):
                return self._client.get_object(self._bucket, key, offset=offset, length=length or 0)
        except S3Error:
            return None

    def _folder_entries(self, folder: str) -> Iterator[FolderEntry]:
        with self._connection.mapped("objects cannot be listed"):
            for entry in self._client.list_objects(self._bucket, prefix=folder, recursive=False):
                name = entry.object_name or ""
                if name == folder or not name.startswith(folder):
                    continue
                if entry.is_dir or name.endswith("/"):
                    yield name.removeprefix(folder).rstrip("/"), None
                    continue
                item = stored_object_or_none(name, lambda key, entry=entry: _stored(key, entry))
                if item is not None:
                    yield name.removeprefix(folder), item


def _stored(key: ObjectKey, found: "S3Object") -> StoredObject:
    return StoredObject(key, found.size or 0, found.last_modified or datetime.fromtimestamp(0, UTC))


def _answered_at(date: str | None) -> datetime:
    """Return the time of the store's answer, which for a write is the object's."""
    return parsedate_to_datetime(date).astimezone(UTC) if date else datetime.now(UTC)


def _check_size(key: ObjectKey, expected: int | None, found: int) -> None:
    if expected is not None and expected != found:
        raise source_truncated(key, expected, found)


def _copy_digest(source: BinaryIO, target: BinaryIO | None, size: int | None) -> tuple[str, int]:
    """Copy up to `size` bytes of `source` to `target` and return their SHA-256 and number."""
    digest = hashlib.sha256()
    read = 0
    while size is None or read < size:
        piece = source.read(CHUNK_BYTES if size is None else min(CHUNK_BYTES, size - read))
        if not piece:
            break
        digest.update(piece)
        if target is not None:
            target.write(piece)
        read += len(piece)
    return digest.hexdigest(), read
