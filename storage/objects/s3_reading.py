"""Objects of an S3 store as an iterator and as a file."""

import io
from typing import TYPE_CHECKING, Protocol, Self

from storage.objects.contract import ObjectKey, StoredObject
from storage.objects.s3_connection import S3Connection

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from urllib3 import BaseHTTPResponse


class Pieces:
    """The bytes of a response, piece by piece; the connection is free again when they end."""

    def __init__(
        self, connection: S3Connection, key: ObjectKey, response: "BaseHTTPResponse", chunk: int
    ) -> None:
        self._connection = connection
        self._key = key
        self._response = response
        self._chunk = chunk

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        with self._connection.mapped(f"object {self._key} cannot be read"):
            piece = self._response.read(self._chunk)
        if not piece:
            self.close()
            raise StopIteration
        return piece

    def close(self) -> None:
        """Give up the rest of the response."""
        self._response.close()
        self._response.release_conn()


class _Ranges(Protocol):
    def read(self, key: ObjectKey, offset: int = 0, length: int | None = None) -> bytes: ...


class RangeFile(io.RawIOBase):
    """An object as a file, each read asking for its range.

    Meant to stand under an `io.BufferedReader`, which reads ahead.
    """

    def __init__(self, store: _Ranges, stored: StoredObject) -> None:
        super().__init__()
        self._store = store
        self._stored = stored
        self._position = 0

    @property
    def name(self) -> str:
        """The object's key: who is given a buffered file, pydicom for one, asks for its name."""
        return str(self._stored.key)

    def readable(self) -> bool:
        """Tell that the file can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that the file can be read from any position."""
        return True

    def tell(self) -> int:
        """Return the position of the next byte read."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to a position, which may lie beyond the end, and return it.

        Raises:
            ValueError: it would lie before the beginning.
        """
        origins = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._stored.size}
        position = origins[whence] + offset
        if position < 0:
            raise ValueError(f"no position before the beginning: {position}")
        self._position = position
        return position

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Fill `buffer` from the position on and return how many bytes there were."""
        view = memoryview(buffer).cast("B")
        length = min(len(view), self._stored.size - self._position)
        if length <= 0:
            return 0
        content = self._store.read(self._stored.key, self._position, length)
        view[: len(content)] = content
        self._position += len(content)
        return len(content)

    def readall(self) -> bytes:
        """Return all from the position on, by one request where the inherited method takes many."""
        content = self._store.read(self._stored.key, self._position)
        self._position += len(content)
        return content
