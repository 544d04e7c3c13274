"""Bodies of answers made of pieces, most of them ranges of stored objects.

The bytes of an image are never held as a whole and never copied through a
worker thread when the machine has them in memory already: a viewer asks for
hundreds of frames per second.
"""

import asyncio
import os
from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Generator,
    Iterable,
    Iterator,
    Sequence,
)
from contextlib import aclosing, asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import Final, TypeAlias, cast

from fastapi.responses import Response
from starlette.concurrency import iterate_in_threadpool
from starlette.types import Message, Receive, Scope, Send
from typing_extensions import override

from reading_worklist.file_bodies import EXTENSION, BodyPart, FileRange
from storage.datasets.pixels import Frame
from storage.datasets.sources import CHUNK, ByteSource, ObjectSource
from storage.datasets.splicing import SplicedSource
from storage.objects import ObjectKey, ObjectStore

# Below this, joining pieces costs less than sending each by itself.
_JOINED_MAX: Final = 1 << 15
# Below this, a file costs more than its bytes.
_FILE_MIN: Final = 1 << 16
# Heads of parts among them: sixteen objects more than the one that is sent, so that the disk has
# some milliseconds for what is not in memory (2178 MB/s became 2785 with 4 % of a study missing).
_PARTS_AHEAD: Final = 33
# Of each: what is longer Linux reads ahead by itself while it is sent, and sixteen of gigabytes
# would push all else out of memory.
_READ_AHEAD_MAX: Final = 4 << 20
# A body this long is worth noticing that nobody reads it any more.
_LONG_MIN: Final = 8 << 20


@dataclass(frozen=True, slots=True)
class Region:
    """A range of a stored object."""

    key: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Streamed:
    """Bytes that are made on the way; `begin` starts them anew, `length` is known before."""

    length: int
    begin: Callable[[], Iterable[bytes]]


Piece: TypeAlias = bytes | Region | Streamed


def piece_of(source: ByteSource, offset: int, length: int) -> Piece:
    """Return the range of `source` as a piece, by its place in the object where it has one."""
    if isinstance(source, ObjectSource):
        return Region(source.key, offset, length)
    return Streamed(length, lambda: source.stream(offset, length))


def pieces_of(source: ByteSource, offset: int, length: int) -> list[Piece]:
    """Return the range of `source` as pieces; what is spliced by the ranges it is made of."""
    if not isinstance(source, SplicedSource):
        return [piece_of(source, offset, length)]
    return [
        one if isinstance(one, bytes) else piece_of(source.below, one.offset, one.length)
        for one in source.segments(offset, length)
    ]


def read_pieces(pieces: Iterable[Piece], objects: ObjectStore) -> Iterator[bytes]:
    """Yield pieces in chunks of bounded size, for bodies that are made while they are sent."""
    for piece in pieces:
        if isinstance(piece, bytes):
            yield piece
        elif isinstance(piece, Region):
            yield from objects.stream(ObjectKey(piece.key), piece.offset, piece.length, CHUNK)
        else:
            yield from piece.begin()


def frame_pieces(frame: Frame, source: ByteSource) -> list[Piece]:
    """Return a frame of `source` as pieces: where it is in its object, if it is as stored."""
    if frame.bits or frame.swap > 1:
        return [Streamed(frame.length, partial(frame.stream, source))]
    return [piece_of(source, span.offset, span.length) for span in frame.spans]


def length_of(pieces: Iterable[Piece]) -> int:
    """Return how many bytes the pieces have together."""
    return sum(len(one) if isinstance(one, bytes) else one.length for one in pieces)


def cut(pieces: Sequence[Piece], start: int, length: int) -> list[Piece]:
    """Return `length` bytes of a body from `start` on, as pieces."""
    result: list[Piece] = []
    for piece in pieces:
        size = length_of((piece,))
        first, last = max(start, 0), min(start + length, size)
        if first < last:
            result.append(_part_of(piece, first, last - first))
        start -= size
    return result


def _part_of(piece: Piece, start: int, length: int) -> Piece:
    if isinstance(piece, bytes):
        return piece[start : start + length]
    if isinstance(piece, Region):
        return Region(piece.key, piece.offset + start, length)
    return Streamed(length, lambda: _slice(piece.begin(), start, length))


def _slice(chunks: Iterable[bytes], start: int, length: int) -> Iterator[bytes]:
    for chunk in chunks:
        part = chunk[start : start + length] if start < len(chunk) else b""
        start = max(start - len(chunk), 0)
        if part:
            length -= len(part)
            yield part
        if not length:
            return


class PiecesResponse(Response):
    """An answer whose body is made of pieces; its length is told before.

    What is wrong with the first object raises before the status is sent, so
    that it can still be told as a problem.
    """

    def __init__(
        self,
        pieces: Sequence[Piece],
        objects: ObjectStore,
        *,
        status_code: int,
        headers: dict[str, str],
    ) -> None:
        super().__init__(None, status_code=status_code)
        self.length: Final = length_of(pieces)
        self._pieces = pieces
        self._objects = objects
        sent = {**headers, "Content-Length": str(self.length)}
        self.raw_headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in sent.items()
        ]

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer; give up quietly when the client has gone."""
        if EXTENSION in scope.get("extensions", {}) and self._is_for_the_server():
            with closing(_parts(self._pieces, self._objects)) as parts:
                # The head of a part, and the first object: what is wrong with that is told.
                first = await asyncio.to_thread(_first_of, parts)
                if not any(isinstance(one, Region) for one in first):
                    await send(self._start())
                    rest = chain(first, parts)
                    await send({"type": EXTENSION, "parts": rest, "length": self.length})
                    return
        await self._send_chunks(receive, send)

    def _is_for_the_server(self) -> bool:
        """Tell whether the body is better sent by the server itself: long, and kept as it is."""
        is_made = any(isinstance(one, Streamed) for one in self._pieces)
        return self.length > _LONG_MIN and not is_made

    def _start(self) -> Message:
        return {
            "type": "http.response.start",
            "status": self.status_code,
            "headers": self.raw_headers,
        }

    async def _send_chunks(self, receive: Receive, send: Send) -> None:
        async with aclosing(self._chunks()) as chunks, _watch(receive, self.length) as gone:
            # The head of a part, and the first bytes of an object.
            head, ahead = await anext(chunks, b""), await anext(chunks, None)
            await send(self._start())
            while ahead is not None:
                await send({"type": "http.response.body", "body": head, "more_body": True})
                if gone.is_set():
                    return
                head, ahead = ahead, await anext(chunks, None)
            await send({"type": "http.response.body", "body": head, "more_body": False})

    async def _chunks(self) -> AsyncGenerator[bytes]:
        """Yield the body; small pieces joined, large ones by the megabyte."""
        small: list[bytes] = []
        for piece in self._pieces:
            if isinstance(piece, bytes):
                small.append(piece)
                continue
            if small and length_of((piece,)) > _JOINED_MAX:
                yield b"".join(small)
                small.clear()
            async for chunk in self._read(piece):
                if len(chunk) <= _JOINED_MAX:
                    small.append(chunk)
                    if length_of(small) <= CHUNK:
                        continue
                    chunk = b"".join(small)  # noqa: PLW2901 -- the chunk is one of those joined
                    small.clear()
                yield chunk
        if small:
            yield b"".join(small)

    async def _read(self, piece: Region | Streamed) -> AsyncIterator[bytes]:
        if isinstance(piece, Streamed):
            async for chunk in iterate_in_threadpool(piece.begin()):
                yield chunk
            return
        key, offset, left = ObjectKey(piece.key), piece.offset, piece.length
        while left:
            chunk = self._objects.read_now(key, offset, min(left, CHUNK))
            if not chunk:
                break
            yield chunk
            offset += len(chunk)
            left -= len(chunk)
        if left:
            opened = await asyncio.to_thread(self._objects.stream, key, offset, left, CHUNK)
            async for chunk in iterate_in_threadpool(opened):
                yield chunk


def _parts(pieces: Iterable[Piece], objects: ObjectStore) -> Generator[BodyPart | Region]:
    """Yield a body of bytes and regions as bytes and ranges of files.

    A file is open while its range is sent, and from a little before: what is not in memory the
    disk reads meanwhile, while the network is busy with those before. Where the objects are no
    files the regions are yielded as they are.

    Raises:
        ObjectNotFound, ObjectStoreUnavailable: for the next part or one that comes soon.
    """
    rest = iter(pieces)
    ahead: deque[BodyPart | Region] = deque()
    try:
        while True:
            ahead.extend(_opened(one, objects) for one in islice(rest, _PARTS_AHEAD - len(ahead)))
            if not ahead:
                return
            yield ahead[0]
            _close(ahead.popleft())
    finally:
        for one in ahead:
            _close(one)


def _first_of(parts: Iterator[BodyPart | Region]) -> list[BodyPart | Region]:
    """Return the first part, and the second when the first is no range: its file stays open."""
    first = [*islice(parts, 1)]
    if first and isinstance(first[0], bytes):
        first += islice(parts, 1)
    return first


def _opened(piece: Piece, objects: ObjectStore) -> BodyPart | Region:
    if not isinstance(piece, Region):
        return cast("bytes", piece)
    file = objects.descriptor(ObjectKey(piece.key))
    if file is None:
        return piece
    try:
        if not _is_long(piece):
            data = os.pread(file, piece.length, piece.offset)
            os.close(file)
            return data
        # Also where its ends are in memory: Linux may have taken pages from its middle, and who
        # sends would wait for each of them.
        ahead = min(piece.length, _READ_AHEAD_MAX)
        os.posix_fadvise(file, piece.offset, ahead, os.POSIX_FADV_WILLNEED)
    except OSError:
        os.close(file)
        raise
    return FileRange(file, piece.offset, piece.length)


def _close(part: BodyPart | Region) -> None:
    if isinstance(part, FileRange):
        os.close(part.file)


def _is_long(piece: Piece) -> bool:
    return isinstance(piece, Region) and piece.length >= _FILE_MIN


@asynccontextmanager
async def _watch(receive: Receive, length: int) -> AsyncGenerator[asyncio.Event]:
    """Yield an event that is set when the client of a long body has gone."""
    gone = asyncio.Event()
    if length < _LONG_MIN:
        yield gone
        return

    async def listen() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        gone.set()

    task = asyncio.create_task(listen())
    try:
        yield gone
    finally:
        task.cancel()
