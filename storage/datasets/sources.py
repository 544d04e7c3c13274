"""Random access to the bytes of a dataset, whole objects never in memory."""

import tempfile
import zlib
from collections.abc import Iterator
from typing import IO, Final, Protocol

from storage.errors import RdcError
from storage.objects import ObjectKey, ObjectStore

CHUNK: Final = 1 << 20
# Deflate packs at most 1032:1, so that a megabyte could unpack to a gigabyte.
INFLATED_MAX: Final = 2 << 30
_INFLATED_IN_MEMORY: Final = 16 << 20


class InflatedTooLarge(RdcError):
    """A deflated dataset unpacks to more than this server is willing to hold."""


class DeflateBroken(RdcError):
    """The bytes of a deflated dataset are not a deflate stream."""


class ByteSource(Protocol):
    """Bytes that can be read anywhere."""

    @property
    def size(self) -> int:
        """Number of bytes."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`; fewer only where the source ends."""
        ...

    def stream(self, offset: int, length: int) -> Iterator[bytes]:
        """Yield the same bytes in chunks of bounded size."""
        ...


class MemorySource:
    """Bytes held in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    @property
    def size(self) -> int:
        """Number of bytes."""
        return len(self._data)

    def read(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`; fewer only at the end."""
        return self._data[offset : offset + length]

    def stream(self, offset: int, length: int) -> Iterator[bytes]:
        """Yield the bytes in one piece: they are in memory already."""
        yield self.read(offset, length)


class ObjectSource:
    """A stored object, read by ranges.

    Raises on use whatever the object store raises: `ObjectNotFound`, `ObjectStoreUnavailable`.
    """

    def __init__(self, objects: ObjectStore, key: str, size: int) -> None:
        self._objects = objects
        self._key = ObjectKey(key)
        self._size = size

    @property
    def key(self) -> ObjectKey:
        """The object's key."""
        return self._key

    @property
    def size(self) -> int:
        """Number of bytes."""
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`; fewer only at the end."""
        length = min(length, self._size - offset)
        return self._objects.read(self._key, offset, length) if length > 0 else b""

    def stream(self, offset: int, length: int) -> Iterator[bytes]:
        """Yield the bytes in chunks."""
        length = min(length, self._size - offset)
        if length > 0:
            yield from self._objects.stream(self._key, offset, length, CHUNK)


class FileSource:
    """An open binary file, closed and gone with this object."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        self._size = size

    @property
    def size(self) -> int:
        """Number of bytes."""
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`; fewer only at the end."""
        self._file.seek(offset)
        return self._file.read(length)

    def stream(self, offset: int, length: int) -> Iterator[bytes]:
        """Yield the bytes in chunks."""
        while length > 0:
            chunk = self.read(offset, min(CHUNK, length))
            if not chunk:
                return
            yield chunk
            offset += len(chunk)
            length -= len(chunk)


def inflate(source: ByteSource, offset: int, *, limit: int = INFLATED_MAX) -> FileSource:
    """Unpack the deflated dataset (PS3.5 §A.5) at `offset`; large ones into a temporary file.

    A stream that ends early is taken as far as it goes.

    Raises:
        InflatedTooLarge: it would be more than `limit` bytes.
        DeflateBroken: the bytes are not a deflate stream.
    """
    # Not closed here: the returned source owns it, and it vanishes when that is collected.
    file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_INFLATED_IN_MEMORY)  # noqa: SIM115
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    written = 0
    try:
        for packed in source.stream(offset, source.size - offset):
            pending = packed
            while pending and not unpacker.eof:
                plain = unpacker.decompress(pending, CHUNK)
                pending = unpacker.unconsumed_tail
                written += len(plain)
                if written > limit:
                    raise InflatedTooLarge(
                        "the deflated dataset is too large to unpack",
                        expected=f"at most {limit} bytes unpacked",
                        remedy="Retrieve the whole instance instead.",
                    )
                file.write(plain)
        tail = unpacker.flush()
    except zlib.error as error:
        raise DeflateBroken(
            "the deflated dataset cannot be unpacked",
            found=str(error),
            remedy="Send the instance again from its modality.",
        ) from error
    file.write(tail)
    return FileSource(file, written + len(tail))
