"""multipart/related bodies (RFC 2387); the length of each part is known before it is sent."""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from reading_worklist.dicomweb.bodies import Piece, length_of

_BOUNDARY_BYTES: Final = 18


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its headers and its bytes."""

    content_type: str
    pieces: Sequence[Piece]
    location: str | None = None


class Multipart:
    """A body of several parts, which may be made as they are sent."""

    def __init__(self, parts: Iterable[Part], media_type: str) -> None:
        # Random, so that no content can be made to contain it.
        self._boundary = secrets.token_hex(_BOUNDARY_BYTES)
        self._parts = parts
        self.content_type = f'multipart/related; type="{media_type}"; boundary={self._boundary}'

    def pieces(self) -> Iterator[Piece]:
        """Yield the body."""
        lead = b""
        for part in self._parts:
            yield lead + self._head(part)
            yield from part.pieces
            lead = b"\r\n"
        yield lead + f"--{self._boundary}--\r\n".encode("ascii")

    def _head(self, part: Part) -> bytes:
        lines = [
            f"--{self._boundary}",
            f"Content-Type: {part.content_type}",
            f"Content-Length: {length_of(part.pieces)}",
        ]
        if part.location:
            lines.append(f"Content-Location: {part.location}")
        return "\r\n".join([*lines, "", ""]).encode("ascii")
