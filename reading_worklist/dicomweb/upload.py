"""A multipart/related body taken apart while it arrives, each part into a file of its own."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import BinaryIO, Final, cast

from reading_worklist.problems import Problem

PART_MAX: Final = 8 << 30
"""Bytes of one part; the same limit as an instance has over DIMSE."""

_HEADERS_MAX: Final = 16 << 10
_BOUNDARY_MAX: Final = 70  # RFC 2046 §5.1.1
_IN_MEMORY: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class UploadedPart:
    """A part that has arrived whole: its Content-Type in lower case, and its bytes."""

    content_type: str
    file: BinaryIO


class _State(Enum):
    BODY = 0
    AFTER_BOUNDARY = 1
    HEADERS = 2
    END = 3


class PartsReader:
    """Takes a body in pieces and calls `take` with each part, in order, as soon as it is whole."""

    def __init__(self, boundary: str, take: Callable[[UploadedPart], None]) -> None:
        """Read a body with this boundary.

        Raises:
            Problem: 400 when it cannot be one.
        """
        if not 0 < len(boundary) <= _BOUNDARY_MAX or not boundary.isascii():
            raise broken_body("a boundary of 1 to 70 characters")
        self._delimiter = b"\r\n--" + boundary.encode("ascii")
        # The first boundary may begin the body.
        self._buffer = bytearray(b"\r\n")
        self._state = _State.BODY
        self._take = take
        self._file: BinaryIO | None = None
        self._content_type = ""
        self._size = 0

    def feed(self, data: bytes) -> None:
        """Take the next piece.

        Raises:
            Problem: 400 when the body is not what it says, 413 when a part is too large.
            Whatever `take` raises.
        """
        self._buffer += data
        while self._step():
            pass

    def close(self) -> None:
        """End the body.

        Raises:
            Problem: 400 when its last boundary is missing.
        """
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._state is not _State.END:
            raise broken_body("a closing boundary at the end")

    def _step(self) -> bool:
        """Go on by one element; return whether there may be more."""
        if self._state is _State.BODY:
            return self._body()
        if self._state is _State.AFTER_BOUNDARY:
            if len(self._buffer) < 2:  # noqa: PLR2004 -- CR LF, or two dashes
                return False
            mark = bytes(self._buffer[:2])
            if mark not in (b"--", b"\r\n"):
                raise broken_body("a line break after the boundary")
            del self._buffer[:2]
            self._state = _State.END if mark == b"--" else _State.HEADERS
            return True
        if self._state is _State.HEADERS:
            return self._headers()
        self._buffer.clear()
        return False

    def _body(self) -> bool:
        found = self._buffer.find(self._delimiter)
        if found < 0:
            # What may be the beginning of a boundary stays.
            self._write(max(len(self._buffer) - len(self._delimiter) + 1, 0))
            return False
        self._write(found)
        del self._buffer[: len(self._delimiter)]
        self._state = _State.AFTER_BOUNDARY
        if self._file is not None:
            file, self._file = self._file, None
            with file:
                file.seek(0)
                self._take(UploadedPart(self._content_type, file))
        return True

    def _headers(self) -> bool:
        # A part may have no header at all: then its empty line comes at once.
        end = 0 if self._buffer.startswith(b"\r\n") else self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > _HEADERS_MAX:
                raise broken_body("headers of a part within 16 KiB")
            return False
        lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        fields = dict(line.lower().split(":", 1) for line in lines if ":" in line)
        self._content_type = fields.get("content-type", "application/dicom").strip()
        del self._buffer[: end + (2 if end == 0 else 4)]
        # Not closed here: it is when the part is whole, or at the end.
        self._file = cast("BinaryIO", tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY))  # noqa: SIM115
        self._size = 0
        self._state = _State.BODY
        # An empty body's boundary would begin with the line break that was just taken.
        return True

    def _write(self, count: int) -> None:
        if self._file is not None:
            self._size += count
            if self._size > PART_MAX:
                raise Problem(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                    "instance-too-large",
                    "An instance is larger than this server takes",
                    expected=f"at most {PART_MAX} bytes",
                    remedy="Ask the system administrator to import it from a disk.",
                )
            self._file.write(self._buffer[:count])
        del self._buffer[:count]


def broken_body(expected: str) -> Problem:
    """Return the answer for a body that is not multipart/related as it says."""
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "broken-multipart",
        "The body cannot be taken apart",
        expected=expected,
        remedy="Send it again; what was stored before stays and is known as the same.",
    )
