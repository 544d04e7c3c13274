"""multipart/related bodies (RFC 2387) whose length is known before the first byte is read."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_BOUNDARY_BYTES: Final = 18


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its headers and how to get at its `length` bytes."""

    content_type: str
    length: int
    stream: Callable[[], Iterable[bytes]]
    location: str | None = None


class Multipart:
    """A body of several parts, made as it is sent."""

    def __init__(self, parts: Sequence[Part], media_type: str) -> None:
        # Random, so that no content can be made to contain it.
        self._boundary = secrets.token_hex(_BOUNDARY_BYTES)
        self._parts = parts
        self.content_type = f'multipart/related; type="{media_type}"; boundary={self._boundary}'

    @property
    def length(self) -> int:
        """Length of the whole body in bytes."""
        return sum(len(self._head(part)) + part.length + 2 for part in self._parts) + len(
            self._end()
        )

    def stream(self) -> Iterator[bytes]:
        """Yield the body."""
        for part in self._parts:
            yield self._head(part)
            yield from part.stream()
            yield b"\r\n"
        yield self._end()

    def _head(self, part: Part) -> bytes:
        lines = [
            f"--{self._boundary}",
            f"Content-Type: {part.content_type}",
            f"Content-Length: {part.length}",
        ]
        if part.location:
            lines.append(f"Content-Location: {part.location}")
        return "\r\n".join([*lines, "", ""]).encode("ascii")

    def _end(self) -> bytes:
        return f"--{self._boundary}--\r\n".encode("ascii")
