"""Looking at a long run of bytes through a small window, so that big values are never read."""

import io
import zlib
from mmap import mmap
from typing import BinaryIO, Final, Protocol

from storage.dicom_header.errors import TruncatedDataset, malformed, truncated

WINDOW_BYTES: Final = 16 << 10
_INFLATE_BYTES: Final = 64 << 10
# Two seconds of inflating; what a few kilobytes can become is without end.
_INFLATED_MAX: Final = 256 << 20


SeekableBytes = BinaryIO | mmap
"""A file open for reading that can be read from anywhere, or mapped to memory."""


def end_of(file: SeekableBytes) -> int:
    """Return where `file` ends; it stands there afterwards."""
    # The method of mmap returns nothing.
    file.seek(0, io.SEEK_END)
    return file.tell()


class Window(Protocol):
    """Bytes with a known end, read where asked.

    end: the offset after the last byte.
    """

    end: int

    def at(self, offset: int, length: int) -> tuple[bytes, int]:
        """Return a buffer and the offset of its first byte, which holds `offset`.

        It holds at least `length` bytes from there unless the data ends before;
        `length` is at most `WINDOW_BYTES`.
        """
        ...


class FileWindow:
    """Part of a seekable file; offsets are those of the file."""

    def __init__(self, file: SeekableBytes, start: int, end: int) -> None:
        self._file = file
        self._start = start
        self._buffer = b""
        self.end = end

    def at(self, offset: int, length: int) -> tuple[bytes, int]:
        """See `Window.at`."""
        inside = offset - self._start
        have = len(self._buffer) - inside
        if inside < 0 or have < min(length, self.end - offset):
            self._file.seek(offset)
            self._buffer = self._file.read(min(WINDOW_BYTES, max(0, self.end - offset)))
            self._start = offset
        return self._buffer, self._start


class InflatedWindow:
    """What a raw deflate stream holds (PS3.5 §10.5), inflated piece by piece; offsets are of that.

    The whole is inflated once beforehand to know its length: without it no
    declared length could be checked. It may be up to 256 MiB.

    Raises:
        TruncatedDataset: the stream ends early.
        MalformedDataset: it is no deflate stream, or too long.
    """

    def __init__(self, file: SeekableBytes, start: int, end: int) -> None:
        self._file = file
        self._begin = start
        self._stop = end
        self._rewind()
        self.end = 0
        while piece := self._inflate():
            self.end += len(piece)
            if self.end > _INFLATED_MAX:
                raise malformed(
                    "deflated dataset is too long", start, f"at most {_INFLATED_MAX} bytes", "more"
                )
        self._rewind()

    def at(self, offset: int, length: int) -> tuple[bytes, int]:
        """See `Window.at`."""
        if offset < self._start:
            self._rewind()
        wanted = min(offset + length, self.end)
        while self._start + len(self._buffer) < wanted:
            piece = self._inflate()
            if not piece:
                break
            kept = max(0, min(len(self._buffer), self._start + len(self._buffer) - offset))
            self._start += len(self._buffer) - kept
            self._buffer = self._buffer[len(self._buffer) - kept :] + piece
        return self._buffer, self._start

    def _rewind(self) -> None:
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        self._position = self._begin
        self._buffer = b""
        self._start = 0

    def _inflate(self) -> bytes:
        """Return the next bytes; none at the end of the stream."""
        while not self._inflater.eof:
            compressed = self._inflater.unconsumed_tail
            if not compressed:
                self._file.seek(self._position)
                compressed = self._file.read(min(WINDOW_BYTES, self._stop - self._position))
                self._position += len(compressed)
            try:
                piece = self._inflater.decompress(compressed, _INFLATE_BYTES)
            except zlib.error as error:
                raise malformed(
                    "dataset cannot be inflated", self._begin, "a deflate stream", str(error)
                ) from error
            if piece:
                return piece
            if not compressed:
                raise self._cut()
        return b""

    def _cut(self) -> TruncatedDataset:
        return truncated(
            None,
            self._stop,
            "the end of the deflate stream",
            f"{self._stop - self._begin} bytes without it",
        )
