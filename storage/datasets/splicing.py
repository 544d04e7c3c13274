"""A dataset with some of its bytes exchanged, read as if it stood like that.

Nothing is copied: what is unchanged is read from the source below, by ranges.
"""

from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from storage.datasets.pixels import Span
from storage.datasets.sources import ByteSource

Segment: TypeAlias = bytes | Span
"""Bytes of their own, or a range of the source below."""


class SplicedSource:
    """Segments one after the other; raises on use whatever the source below raises."""

    def __init__(self, below: ByteSource, segments: Iterable[Segment]) -> None:
        """Read `segments`; ranges that follow each other become one."""
        self._below = below
        self._segments: Final = _merged(segments)
        self._size = sum(map(_length, self._segments))

    @property
    def below(self) -> ByteSource:
        """Where the ranges are."""
        return self._below

    @property
    def size(self) -> int:
        """Number of bytes."""
        return self._size

    def segments(self, offset: int, length: int) -> list[Segment]:
        """Return what `length` bytes from `offset` are made of; fewer only at the end."""
        result: list[Segment] = []
        for segment in self._segments:
            size = _length(segment)
            first, last = max(offset, 0), min(offset + length, size)
            if first < last:
                result.append(
                    segment[first:last]
                    if isinstance(segment, bytes)
                    else Span(segment.offset + first, last - first)
                )
            offset -= size
            if offset + length <= 0:
                break
        return result

    def read(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`; fewer only at the end."""
        return b"".join(
            one if isinstance(one, bytes) else self._below.read(one.offset, one.length)
            for one in self.segments(offset, length)
        )

    def stream(self, offset: int, length: int) -> Iterator[bytes]:
        """Yield the same bytes in chunks of bounded size."""
        for one in self.segments(offset, length):
            if isinstance(one, bytes):
                yield one
            else:
                yield from self._below.stream(one.offset, one.length)


def _merged(segments: Iterable[Segment]) -> list[Segment]:
    result: list[Segment] = []
    for segment in segments:
        last = result[-1] if result else None
        if isinstance(segment, Span) and isinstance(last, Span):
            if last.offset + last.length == segment.offset:
                result[-1] = Span(last.offset, last.length + segment.length)
                continue
        elif isinstance(segment, bytes) and isinstance(last, bytes):
            result[-1] = last + segment
            continue
        if _length(segment):
            result.append(segment)
    return result


def _length(segment: Segment) -> int:
    return len(segment) if isinstance(segment, bytes) else segment.length
