"""A stored instance opened for reading: its header, its frames, its large values."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from reading_worklist.dicomweb.bodies import Piece, Streamed, piece_of
from reading_worklist.dicomweb.media_types import BIG_ENDIAN_PIXELS, VIDEO
from reading_worklist.dicomweb.queries import InstanceRecord
from storage.datasets.encoded import (
    Dataset,
    Element,
    encoding_of,
    read_dataset,
)
from storage.datasets.pixels import FrameLayout, locate_frames
from storage.datasets.representations import resolve_vr, swapped, word_size
from storage.datasets.sources import ByteSource, ObjectSource, inflate
from storage.dicom_header.encoding import DEFLATED_SYNTAXES, UNDEFINED_LENGTH
from storage.errors import RdcError
from storage.objects import ObjectStore
from storage.transcoding import Original

_REMEMBERED_LAYOUTS: Final = 1024
_REMEMBERED_FRAMES: Final = 10_000
# Enough for the tag, VR and length of the pixel data element.
_ELEMENT_HEADER: Final = 12


class NoSuchValue(RdcError):
    """The instance has no value at a bulk data address."""


@dataclass(frozen=True, slots=True)
class OpenInstance:
    """An instance's bytes and its header, read up to the pixel data.

    source: where the positions in `dataset` count; of a deflated instance the unpacked dataset.
    """

    source: ByteSource
    dataset: Dataset


@dataclass(frozen=True, slots=True)
class BulkValue:
    """A value of an instance in its own bytes, not read yet.

    swap: the unit in bytes whose byte order is to be reversed; 1 for none.
    """

    source: ByteSource
    offset: int
    length: int
    swap: int

    def pieces(self) -> list[Piece]:
        """Return the value as pieces of a body."""
        if self.swap > 1:
            return [Streamed(self.length, self.stream)]
        return [piece_of(self.source, self.offset, self.length)]

    def stream(self) -> Iterator[bytes]:
        """Yield the value in little endian (PS3.18 §8.7.3.3.1), in chunks of bounded size."""
        for chunk in self.source.stream(self.offset, self.length):
            yield swapped(chunk, self.swap)


def open_source(objects: ObjectStore, record: InstanceRecord) -> tuple[ByteSource, int]:
    """Return an instance's bytes and where its dataset begins in them.

    Raises:
        DeflateBroken, InflatedTooLarge: it is deflated and cannot be unpacked.
    """
    source = ObjectSource(objects, record.object_key, record.object_size)
    if record.transfer_syntax_uid in DEFLATED_SYNTAXES:
        return inflate(source, record.dataset_offset), 0
    return source, record.dataset_offset


def original_of(objects: ObjectStore, record: InstanceRecord) -> Original:
    """Return an instance as it is stored, for what is made of it."""
    source = ObjectSource(objects, record.object_key, record.object_size)
    return Original(source, record.dataset_offset, record.transfer_syntax_uid)


def open_instance(objects: ObjectStore, record: InstanceRecord) -> OpenInstance:
    """Read an instance's header, in one read where the index knows where the pixel data begins.

    Raises:
        DeflateBroken, InflatedTooLarge: it is deflated and cannot be unpacked.
    """
    source, offset = open_source(objects, record)
    known = None
    if record.pixel_data_offset is not None:
        known = record.pixel_data_offset + _ELEMENT_HEADER - record.dataset_offset
    dataset = read_dataset(
        source, offset, encoding_of(record.transfer_syntax_uid), read_first=known
    )
    return OpenInstance(source, dataset)


def layout_of(opened: OpenInstance, record: InstanceRecord) -> FrameLayout:
    """Return where the frames of an opened instance are.

    Raises:
        NoPixelData, BadPixelData: it has no frames that could be told apart.
    """
    return locate_frames(
        opened.source,
        opened.dataset,
        one_stream=record.transfer_syntax_uid in VIDEO,
        big_endian=record.transfer_syntax_uid == BIG_ENDIAN_PIXELS,
    )


def find_value(opened: OpenInstance, path: str) -> BulkValue:
    """Return the value at a bulk data path.

    path: tags, with the number of the item, from 0, between a sequence and what is in it.

    Raises:
        NoSuchValue: the path leads nowhere, or to a sequence.
    """
    steps = path.strip("/").split("/")
    level = opened.dataset
    element: Element | None = None
    for position, step in enumerate(steps):
        if position % 2:
            items = element.items if element is not None else None
            if items is None or not step.isdigit() or len(step) > 6 or int(step) >= len(items):  # noqa: PLR2004 -- no sequence has a million items
                raise _no_value(path)
            level = items[int(step)]
            element = None
        else:
            element = level.find(_tag(step, path))
    if element is None or element.items is not None or element.length == UNDEFINED_LENGTH:
        raise _no_value(path)
    vr = element.vr if len(element.vr) == 2 else resolve_vr(element.vr, signed=False)  # noqa: PLR2004 -- a VR is two letters
    swap = 1 if level.encoding.little else word_size(vr)
    return BulkValue(opened.source, element.offset, element.length, swap)


class FrameLayouts:
    """Remembers where the frames of recently used instances are; thread-safe, bounded.

    Keyed by object: those never change.
    """

    def __init__(self) -> None:
        self._layouts: OrderedDict[str, FrameLayout] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, objects: ObjectStore, record: InstanceRecord) -> tuple[ByteSource, FrameLayout]:
        """Return an instance's bytes and the layout of its frames.

        Raises:
            NoPixelData, BadPixelData: it has no frames that could be told apart.
            DeflateBroken, InflatedTooLarge: it is deflated and cannot be unpacked.
        """
        key = f"{record.object_key} {record.transfer_syntax_uid}"
        with self._lock:
            layout = self._layouts.get(key)
            if layout is not None:
                self._layouts.move_to_end(key)
        if layout is not None:
            return open_source(objects, record)[0], layout
        opened = open_instance(objects, record)
        layout = layout_of(opened, record)
        if layout.encapsulated and layout.frame_count > _REMEMBERED_FRAMES:
            return opened.source, layout
        with self._lock:
            self._layouts[key] = layout
            while len(self._layouts) > _REMEMBERED_LAYOUTS:
                self._layouts.popitem(last=False)
        return opened.source, layout


def _tag(text: str, path: str) -> int:
    if len(text) != 8 or any(character not in "0123456789ABCDEFabcdef" for character in text):  # noqa: PLR2004 -- GGGGEEEE
        raise _no_value(path)
    return int(text, 16)


def _no_value(path: str) -> NoSuchValue:
    return NoSuchValue(
        "the instance has no bulk data at this address",
        expected="a BulkDataURI from its metadata",
        found=repr(path[:80]),
        remedy="Retrieve the metadata again.",
    )
