"""What every object store promises, whichever way it keeps the bytes.

An object is immutable: it appears whole under its key or not at all, and never
changes afterwards. Whoever holds a key may therefore cache, range-read and
retry without asking whether something has happened in between.
"""

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final, Protocol, Self

from storage import metering
from storage.errors import RdcError

CHUNK_BYTES: Final = 1 << 20
"""How much of an object is held in memory while it is copied or streamed."""

_KEY_LENGTH: Final = 512
# No segment begins with a dot: neither "." nor ".." nor a backend's own working files can be named.
_SEGMENT: Final = r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}"
_KEY_PATTERN: Final = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*")
_PREFIX_PATTERN: Final = re.compile(rf"(?:{_SEGMENT}/)*(?:{_SEGMENT})?")
_SHOWN: Final = 80


class ObjectStoreError(RdcError):
    """An object store refused or failed."""


class InvalidObjectKey(ObjectStoreError):
    """Text is not a key, or not the beginning of one."""


class ObjectNotFound(ObjectStoreError):
    """No object has this key."""


class ObjectConflict(ObjectStoreError):
    """The key already names an object with other bytes, or a folder of objects."""


class SourceTruncated(ObjectStoreError):
    """The source to be stored ended before the size that was announced."""


class ObjectStoreUnavailable(ObjectStoreError):
    """The store cannot be reached, read or written just now; the same call may succeed later."""

    def __init__(self, what: str, *, expected: str = "", found: str = "", remedy: str = "") -> None:
        metering.count("rdc_object_store_errors_total")
        super().__init__(what, expected=expected, found=found, remedy=remedy)


class InvalidObjectStoreUrl(ObjectStoreError):
    """The address of the store in the settings cannot be used."""


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")


class ObjectKey(str):
    """The name of an object: segments of letters, digits, ".", "_" and "-", joined by "/".

    At most 512 characters, at most 255 in a segment, no segment begins with a
    dot. A key is checked however it is made, so that one can be joined to a
    path without another look.

    An object should not also be the folder of others (`a` beside `a/b`): a
    store may refuse the second of the two with `ObjectConflict`.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Return `text` as a key.

        Raises:
            InvalidObjectKey: `text` is not one.
        """
        if len(text) > _KEY_LENGTH or not _KEY_PATTERN.fullmatch(text):
            raise InvalidObjectKey(
                "object key cannot be used",
                expected=f"1 to {_KEY_LENGTH} of A-Z a-z 0-9 . _ - /, no segment begun with a dot",
                found=_shown(text),
                remedy="Build keys from parsed identifiers, never from text that a peer sent.",
            )
        return super().__new__(cls, text)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return `text` as a key: the same as calling the type, spelled as for other identifiers.

        Raises:
            InvalidObjectKey: `text` is not one.
        """
        return cls(text)


def check_prefix(prefix: str) -> str:
    """Return `prefix` when some key can begin with it.

    Raises:
        InvalidObjectKey: none can.
    """
    if len(prefix) > _KEY_LENGTH or not _PREFIX_PATTERN.fullmatch(prefix):
        raise InvalidObjectKey(
            "prefix of object keys cannot be used",
            expected="the beginning of a key",
            found=_shown(prefix),
        )
    return prefix


def check_range(offset: int, length: int | None) -> None:
    """Refuse a range that no object can have.

    Raises:
        ValueError: `offset` or `length` is negative: a mistake of the caller, not of the data.
    """
    if offset < 0 or (length is not None and length < 0):
        raise ValueError(f"a range has no negative parts: offset {offset}, length {length}")


def not_found(key: ObjectKey) -> ObjectNotFound:
    """Return the error for an absent object."""
    return ObjectNotFound(
        f"object {key} does not exist",
        remedy="It was deleted meanwhile, or the store has lost it: run `rdc verify`.",
    )


def other_bytes(key: ObjectKey, *, stored_size: int, new_size: int) -> ObjectConflict:
    """Return the error for new bytes under a key that is in use."""
    return ObjectConflict(
        f"object {key} exists with other bytes",
        expected="the same bytes, or a key that is not in use",
        found=f"{stored_size} stored bytes against {new_size} new ones",
        remedy="Objects are immutable; store the new bytes under a key of their own.",
    )


def folder_conflict(key: ObjectKey) -> ObjectConflict:
    """Return the error for a key that lies across the folders of other keys."""
    return ObjectConflict(
        f"object {key} cannot be stored",
        expected="a key that is neither the folder of other objects nor inside another object",
        found="such an object",
        remedy="Choose another key.",
    )


def source_truncated(key: ObjectKey, expected: int, found: int) -> SourceTruncated:
    """Return the error for a source that is shorter than announced."""
    return SourceTruncated(
        f"source of object {key} ended early",
        expected=f"{expected} bytes",
        found=f"{found} bytes",
        remedy="Send it again; nothing was stored.",
    )


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What a store knows of an object without reading it.

    size: in bytes.
    modified_at: when it was stored by the store's own clock, UTC; a store may
        keep whole seconds only.
    """

    key: ObjectKey
    size: int
    modified_at: datetime


class ObjectStore(Protocol):
    """Keeps immutable objects under keys.

    Every method may raise `ObjectStoreUnavailable`. All may be called from
    several threads at once. None holds more than a few megabytes in memory,
    whatever the size of the object.
    """

    def put(
        self,
        key: ObjectKey,
        source: BinaryIO | bytes,
        *,
        size: int | None = None,
        content_type: str = "application/octet-stream",
    ) -> StoredObject:
        """Store `source` under `key`; when this returns, the object is durable and whole.

        The same bytes again under the same key change nothing and succeed.

        size: exactly so many bytes are read from `source`, which may then be a
            socket; None reads to its end.
        content_type: kept where the store has a place for it.

        Raises:
            ObjectConflict: the key holds other bytes; they stay as they are.
            SourceTruncated: `source` ended before `size`; nothing is stored.
        """
        ...

    def put_file(
        self, key: ObjectKey, path: Path, *, content_type: str = "application/octet-stream"
    ) -> StoredObject:
        """Store the file at `path` as by `put`, without copying where its bytes can be shared.

        The file stays where it is and may be removed at any time afterwards.
        It must never be written again: it may be the stored object itself.

        Raises:
            ObjectConflict: as for `put`.
            OSError: `path` cannot be read.
        """
        ...

    def put_files(
        self,
        files: Mapping[ObjectKey, Path],
        *,
        content_type: str = "application/octet-stream",
        synced: Container[Path] = (),
    ) -> Mapping[ObjectKey, ObjectConflict]:
        """Store many files as by `put_file`, with what can be done once for all of them.

        synced: files whose bytes their writer has made durable already.

        Returns the keys that hold other bytes; all other files are stored.

        Raises:
            OSError: a path cannot be read; some of the others may have been stored.
        """
        ...

    def open(self, key: ObjectKey) -> BinaryIO:
        """Return the object as a seekable file for reading; the caller closes it.

        Raises:
            ObjectNotFound: at once, not at the first read.
        """
        ...

    def read(self, key: ObjectKey, offset: int = 0, length: int | None = None) -> bytes:
        """Return up to `length` bytes from `offset` on; None reads to the end.

        The result is in memory: for objects of unknown size use `stream`.

        Raises:
            ObjectNotFound: no such object, whatever the range.
        """
        ...

    def read_now(self, key: ObjectKey, offset: int, length: int) -> bytes | None:
        """Return what `read` would, when it is in this machine's memory; None when it would wait.

        For callers that must not be held up, such as an event loop: None says
        nothing about the object, not even that it exists; `read` does.
        """
        ...

    def descriptor(self, key: ObjectKey) -> int | None:
        """Return an open file of this machine that is the object, for the caller to close.

        None where the object is no such file.

        Raises:
            ObjectNotFound: it is not there.
        """
        ...

    def stream(
        self, key: ObjectKey, offset: int = 0, length: int | None = None, chunk: int = CHUNK_BYTES
    ) -> Iterator[bytes]:
        """Return an iterator over the range that `read` returns, in pieces of at most `chunk`.

        Raises:
            ObjectNotFound: at once, not at the first piece, so that an HTTP
                status can still tell of it.
        """
        ...

    def stat(self, key: ObjectKey) -> StoredObject | None:
        """Return what is known of the object; None when there is none."""
        ...

    def delete(self, key: ObjectKey) -> None:
        """Remove the object for good; an absent one is fine."""
        ...

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """Yield the objects whose keys begin with `prefix`, in ascending order of the key.

        Objects put or deleted meanwhile may or may not be among them. Memory
        grows with the number of entries of one folder.

        Raises:
            InvalidObjectKey: no key begins with `prefix`.
        """
        ...

    def check(self) -> None:
        """Return when the store can be reached and written to, for readiness checks.

        Raises:
            ObjectStoreUnavailable: it cannot; the error says what to do.
        """
        ...
