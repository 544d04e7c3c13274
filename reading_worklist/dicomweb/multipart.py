"""multipart/related bodies (RFC 2387) whose length is known before the first byte is read."""

import secrets
from collections.abc import Sequence
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
    """A body of several parts, read as it is sent."""

    def __init__(self, parts: Sequence[Part], media_type: str) -> None:
        # Random, so that no content can be made to contain it.
        self._boundary = secrets.token_hex(_BOUNDARY_BYTES)
        self._parts = parts
        self.content_type = f'multipart/related; type="{media_type}"; boundary={self._boundary}'

    def pieces(self) -> list[Piece]:
        """Return the body."""
        result: list[Piece] = []
        lead = b""
        for part in self._parts:
            result += [lead + self._head(part), *part.pieces]
            lead = b"\r\n"
        result.append(lead + f"--{self._boundary}--\r\n".encode("ascii"))
        return result

    def _head(self, part: Part) -> bytes:
        lines = [
            f"--{self._boundary}",
            f"Content-Type: {part.content_type}",
            f"Content-Length: {length_of(part.pieces)}",
        ]
        if part.location:
            lines.append(f"Content-Location: {part.location}")
        return "\r\n".join([*lines, "", ""]).encode("ascii")
