r"""Frames of the minimal lower layer protocol (HL7 v2.5.1 Appendix C): <VT> message <FS><CR>.

What comes between frames is passed over. Senders in the field leave the last <CR> out, begin a new
frame inside one they have lost, and send line noise; none of it may cost memory or a message that
was framed rightly.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

START: Final = b"\x0b"
END: Final = b"\x1c"
_AFTER: Final = b"\r\n"
# Enough of the first segment to say whose message it was.
HEAD_LENGTH: Final = 4096


class FramingLost(Exception):
    """The peer sends what is no frame, and too much of it."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message; of an oversized one only the first `HEAD_LENGTH` bytes.

    length: bytes it had.
    """

    content: bytes
    length: int

    @property
    def oversized(self) -> bool:
        """Whether more came than was kept."""
        return self.length > len(self.content)


class FrameReader:
    """Cuts a stream into frames; holds at most `limit` bytes."""

    def __init__(self, limit: int) -> None:
        """Take messages of up to `limit` bytes."""
        self._limit = max(limit, HEAD_LENGTH)
        self._inside = False
        self._content = bytearray()
        self._length = 0
        self._garbage = 0

    @property
    def inside(self) -> bool:
        """Whether a frame has begun that has not ended."""
        return self._inside

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take the next bytes and yield each frame that they complete.

        Raises:
            FramingLost: more than the limit came outside of any frame.
        """
        at = 0
        while at < len(data):
            if not self._inside:
                start = data.find(START, at)
                self._pass_over(data[at:start] if start >= 0 else data[at:])
                if start < 0:
                    return
                at = start + 1
                self._begin()
            end = data.find(END, at)
            stop = end if end >= 0 else len(data)
            again = data.rfind(START, at, stop)
            if again >= 0:
                # The peer has lost its frame and begun anew.
                at = again + 1
                self._begin()
            self._keep(data[at:stop])
            at = stop
            if end >= 0:
                at = end + 1
                self._inside = False
                self._garbage = 0
                yield Frame(bytes(self._content), self._length)
                self._content.clear()

    def _begin(self) -> None:
        self._inside = True
        self._content.clear()
        self._length = 0

    def _keep(self, piece: bytes) -> None:
        self._length += len(piece)
        if self._length <= self._limit:
            self._content += piece
        else:
            self._content = (self._content + piece)[:HEAD_LENGTH]

    def _pass_over(self, piece: bytes) -> None:
        self._garbage += len(piece.strip(_AFTER))
        if self._garbage > self._limit:
            raise FramingLost


def framed(content: bytes) -> bytes:
    """Return a message in its frame."""
    return START + content + END + b"\r"
