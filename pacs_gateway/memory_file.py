"""A buffer that many instances pass through, read as a file."""

import io


class MemoryFile(io.RawIOBase):
    """Bytes in memory as a file, without a copy of all of them as `BytesIO` makes."""

    def __init__(self, content: memoryview) -> None:
        """Read `content`, which must not change meanwhile."""
        super().__init__()
        self._content = content
        self._at = 0

    @property
    def content(self) -> memoryview:
        """All bytes, whatever the position."""
        return self._content

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that it can be sought in."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to `offset` from the place that `whence` names; return the position."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._content)}[whence]
        self._at = base + offset
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes from the position on, all of them when it is negative."""
        end = len(self._content) if size < 0 else self._at + size
        piece = bytes(self._content[self._at : end])
        self._at += len(piece)
        return piece
