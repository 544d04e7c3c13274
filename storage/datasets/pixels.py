"""Where the frames of an instance are in its bytes (PS3.5 §8 and Annex A.4).

Native frames are found by arithmetic, encapsulated ones through an offset table
or by walking over their fragments. Nothing is decoded: frames leave as stored,
uncompressed ones in little endian (PS3.18 §8.7.3.3.1).
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from storage.datasets.encoded import (
    DOUBLE_FLOAT_PIXEL_DATA,
    FLOAT_PIXEL_DATA,
    Dataset,
    Element,
)
from storage.datasets.representations import swapped
from storage.datasets.sources import ByteSource
from storage.dicom_header.encoding import PIXEL_DATA_TAGS, UNDEFINED_LENGTH
from storage.errors import RdcError

_NUMBER_OF_FRAMES: Final = 0x00280008
_SAMPLES_PER_PIXEL: Final = 0x00280002
_PHOTOMETRIC_INTERPRETATION: Final = 0x00280004
_ROWS: Final = 0x00280010
_COLUMNS: Final = 0x00280011
_BITS_ALLOCATED: Final = 0x00280100
_EXTENDED_OFFSET_TABLE: Final = 0x7FE00001
_EXTENDED_OFFSET_TABLE_LENGTHS: Final = 0x7FE00002

_ITEM: Final = b"\xfe\xff\x00\xe0"
_DELIMITER: Final = b"\xfe\xff\xdd\xe0"
_ITEM_HEADER: Final = 8
# JPEG, JPEG-LS and JPEG 2000 all end a code stream with this marker, padded to even length.
_END_OF_IMAGE: Final = b"\xff\xd9"
_MARKER_WITHIN: Final = 16
_FRAGMENTS_MAX: Final = 1 << 18
_SHIFTED_FRAME_MAX: Final = 1 << 28
_OFFSET_TABLE_MAX: Final = 1 << 26
_READ_AHEAD: Final = 1 << 14


class NoPixelData(RdcError):
    """The instance has no frames: it is not an image, or its pixels are elsewhere."""


class BadPixelData(RdcError):
    """The pixel data contradicts the attributes that describe it: no frame can be told from it."""


class NoSuchFrame(RdcError):
    """The instance has fewer frames, or its bytes end before this one."""


@dataclass(frozen=True, slots=True)
class Span:
    """A run of bytes in a source."""

    offset: int
    length: int


class FrameLayout(Protocol):
    """Where the frames of one instance are; immutable, and small enough to be remembered."""

    @property
    def frame_count(self) -> int:
        """Number of frames, as the instance states it."""
        ...

    @property
    def encapsulated(self) -> bool:
        """Whether frames are code streams in the transfer syntax, else little endian samples."""
        ...

    def frame(self, source: ByteSource, number: int) -> "Frame":
        """Return the frame with this number, counted from 1.

        Raises:
            NoSuchFrame: there is none, or it is cut off.
            BadPixelData: what is at its place is not a frame.
        """
        ...


@dataclass(frozen=True, slots=True)
class Frame:
    """The bytes of one frame, not read yet.

    spans: where they are, in order. swap: unit in which byte order is reversed; 1 is as stored.
    shift, bits: for frames that do not begin and end with a byte: how many bits of the first
        byte belong to the frame before, and how many bits the frame has; 0 else.
    """

    spans: tuple[Span, ...]
    length: int
    swap: int = 1
    shift: int = 0
    bits: int = 0

    def stream(self, source: ByteSource) -> Iterator[bytes]:
        """Yield the frame's `length` bytes in chunks of bounded size."""
        if self.bits:
            yield self._shifted(source)
            return
        for span in self.spans:
            for chunk in source.stream(span.offset, span.length):
                # Chunks are whole megabytes, so a unit is never split between two.
                yield swapped(chunk, self.swap)

    def _shifted(self, source: ByteSource) -> bytes:
        span = self.spans[0]
        data = swapped(source.read(span.offset, span.length), self.swap)
        number = (int.from_bytes(data, "little") >> self.shift) & ((1 << self.bits) - 1)
        return number.to_bytes(self.length, "little")


@dataclass(frozen=True, slots=True)
class NativeLayout:
    """Frames of equal size, one behind the other.

    offset, length: of the pixel data value, as far as the source goes.
    """

    offset: int
    length: int
    frame_count: int
    frame_bits: int
    swap: int
    encapsulated: bool = False

    def frame(self, source: ByteSource, number: int) -> Frame:  # noqa: ARG002 -- the protocol's
        """Return the frame with this number; see `FrameLayout`."""
        _check_number(number, self.frame_count)
        first_bit = (number - 1) * self.frame_bits
        last_bit = first_bit + self.frame_bits
        if last_bit > self.length * 8:
            raise NoSuchFrame(
                f"frame {number} is cut off",
                expected=f"pixel data of {-(-last_bit // 8)} bytes",
                found=f"{self.length} bytes",
                remedy="Send the instance again from its modality.",
            )
        size = -(-self.frame_bits // 8)
        first, shift = divmod(first_bit, 8)
        # Reading begins at a whole unit, so that its byte order can be reversed.
        lead = first % self.swap
        if shift == 0 and lead == 0 and self.frame_bits % 8 == 0 and size % self.swap == 0:
            return Frame((Span(self.offset + first, size),), size, self.swap)
        if size > _SHIFTED_FRAME_MAX:
            raise BadPixelData(
                "a frame that does not begin at a byte is too large",
                expected=f"at most {_SHIFTED_FRAME_MAX} bytes",
            )
        stop = min(-(-last_bit // 8 // self.swap) * self.swap, self.length)
        span = Span(self.offset + first - lead, stop - first + lead)
        return Frame((span,), size, self.swap, shift + lead * 8, self.frame_bits)


@dataclass(frozen=True, slots=True)
class EncapsulatedLayout:
    """Frames in fragments.

    places: for each frame the run of bytes, item headers included, that holds its fragments.
    """

    places: tuple[Span, ...]
    encapsulated: bool = True

    @property
    def frame_count(self) -> int:
        """Number of frames."""
        return len(self.places)

    def frame(self, source: ByteSource, number: int) -> Frame:
        """Return the frame with this number; see `FrameLayout`."""
        _check_number(number, len(self.places))
        place = self.places[number - 1]
        spans = tuple(_fragments(source, place.offset, place.offset + place.length))
        if not spans or spans[-1].offset + spans[-1].length > source.size:
            raise NoSuchFrame(
                f"frame {number} is cut off", remedy="Send the instance again from its modality."
            )
        return Frame(spans, sum(span.length for span in spans))


@dataclass(frozen=True, slots=True)
class ResolvedLayout:
    """Frames in fragments that were found before: for each frame where the values of its are."""

    frames: tuple[tuple[Span, ...], ...]
    encapsulated: bool = True

    @property
    def frame_count(self) -> int:
        """Number of frames."""
        return len(self.frames)

    def frame(self, source: ByteSource, number: int) -> Frame:  # noqa: ARG002 -- the protocol's
        """Return the frame with this number, without reading; see `FrameLayout`."""
        _check_number(number, len(self.frames))
        spans = self.frames[number - 1]
        return Frame(spans, sum(span.length for span in spans))


def locate_frames(
    source: ByteSource, dataset: Dataset, *, one_stream: bool = False, big_endian: bool = False
) -> FrameLayout:
    """Return where the frames of `dataset`, read from `source`, are.

    one_stream: the transfer syntax is of a video, whose one code stream counts as one frame.
    big_endian: the pixels are, even where the dataset is not.

    Raises:
        NoPixelData: it has none.
        BadPixelData: the describing attributes are missing, or contradict the pixel data.
    """
    pixels = next((element for element in dataset.elements if element.tag in PIXEL_DATA_TAGS), None)
    if pixels is None or pixels.length == 0:
        raise NoPixelData(
            "the instance has no pixel data",
            remedy="Ask for frames of images only; reports, waveforms and plans have none.",
        )
    frames = 1 if one_stream else _number(dataset, _NUMBER_OF_FRAMES, 1)
    if pixels.length == UNDEFINED_LENGTH:
        return EncapsulatedLayout(_places(source, dataset, pixels, frames))
    bits = {FLOAT_PIXEL_DATA: 32, DOUBLE_FLOAT_PIXEL_DATA: 64}.get(pixels.tag) or _number(
        dataset, _BITS_ALLOCATED
    )
    samples = _number(dataset, _SAMPLES_PER_PIXEL, 1)
    frame_bits = _number(dataset, _ROWS) * _number(dataset, _COLUMNS) * samples * bits
    if samples > 1 and _text(dataset, _PHOTOMETRIC_INTERPRETATION) == "YBR_FULL_422":
        # PS3.3 §C.7.6.3.1.2: two chrominance samples serve two pixels.
        frame_bits = frame_bits // samples * 2
    swap = 1
    if (big_endian or not dataset.encoding.little) and pixels.vr != "OB":
        swap = max(bits // 8, 2)
    length = min(pixels.length, source.size - pixels.offset)
    return NativeLayout(pixels.offset, length, frames, frame_bits, swap)


def pixel_data_vr(vr: str) -> str:
    """Return the VR of pixel data whose encoding does not state one (PS3.5 §A.1)."""
    return "OW" if " or " in vr or vr == "UN" else vr


def _check_number(number: int, count: int) -> None:
    if not 1 <= number <= count:
        raise NoSuchFrame(f"the instance has no frame {number}", expected=f"1 to {count}")


def _number(dataset: Dataset, tag: int, default: int | None = None) -> int:
    """Return a positive number of the image description; `default` where it is missing or empty.

    Raises:
        BadPixelData: it is missing without a default, or is not a positive number.
    """
    element = dataset.find(tag)
    found = "nothing"
    if element is not None and element.value:
        if element.vr == "IS":
            found = element.value.decode("latin-1").strip(" \0")
            value = int(found) if found.isascii() and found.isdigit() and len(found) < 10 else 0  # noqa: PLR2004 -- below 2^31 (PS3.5 §6.2)
        else:
            value = int.from_bytes(
                element.value[:2], "little" if dataset.encoding.little else "big"
            )
            found = str(value)
        if value > 0:
            return value
    elif default is not None:
        return default
    raise BadPixelData(
        f"the pixel data is not described: attribute ({tag >> 16:04X},{tag & 0xFFFF:04X})",
        expected="a positive number",
        found=repr(found[:20]),
        remedy="Correct the modality's output and send the instance again.",
    )


def _text(dataset: Dataset, tag: int) -> str:
    element = dataset.find(tag)
    return (
        ""
        if element is None or element.value is None
        else element.value.decode("latin-1").strip(" \0")
    )


def _places(source: ByteSource, dataset: Dataset, pixels: Element, frames: int) -> tuple[Span, ...]:
    """Return for each frame where its fragments are, by the cheapest way the instance allows."""
    header = source.read(pixels.offset, _ITEM_HEADER)
    if header[:4] != _ITEM or len(header) < _ITEM_HEADER:
        raise BadPixelData(
            "encapsulated pixel data does not begin with an offset table",
            expected="an item (FFFE,E000)",
        )
    table_length = int.from_bytes(header[4:], "little")
    begin = pixels.offset + _ITEM_HEADER + table_length
    if frames > 1:
        extended = _extended_places(source, dataset, begin, frames)
        if extended is not None:
            return extended
        if table_length == frames * 4 and table_length <= _OFFSET_TABLE_MAX:
            table = struct.unpack(
                f"<{frames}L", source.read(pixels.offset + _ITEM_HEADER, table_length)
            )
            places = _basic_places(source, table, begin)
            if places is not None:
                return places
    fragments = list(_fragments(source, begin, source.size))
    return tuple(_whole(group) for group in _grouped(source, fragments, frames))


def _extended_places(
    source: ByteSource, dataset: Dataset, begin: int, frames: int
) -> tuple[Span, ...] | None:
    """Read the extended offset table (PS3.3 §C.7.6.3.1.8); None when absent or not fitting."""
    columns: list[Sequence[int]] = []
    for tag in (_EXTENDED_OFFSET_TABLE, _EXTENDED_OFFSET_TABLE_LENGTHS):
        element = dataset.find(tag)
        if element is None or element.length != frames * 8 or element.length > _OFFSET_TABLE_MAX:
            return None
        columns.append(struct.unpack(f"<{frames}Q", source.read(element.offset, element.length)))
    places = tuple(
        Span(begin + offset, _ITEM_HEADER + length) for offset, length in zip(*columns, strict=True)
    )
    return places if all(_is_item(source, place) for place in (places[0], places[-1])) else None


def _basic_places(source: ByteSource, table: Sequence[int], begin: int) -> tuple[Span, ...] | None:
    """Read the basic offset table (PS3.5 §A.4); None when it cannot be right."""
    ends = [*table[1:], source.size - begin]
    places = tuple(
        Span(begin + offset, end - offset) for offset, end in zip(table, ends, strict=True)
    )
    if table[0] != 0 or any(place.length <= _ITEM_HEADER for place in places):
        return None
    return places if all(_is_item(source, place) for place in (places[0], places[-1])) else None


def _is_item(source: ByteSource, place: Span) -> bool:
    return source.read(place.offset, 4) == _ITEM


def _fragments(source: ByteSource, position: int, end: int) -> Iterator[Span]:
    """Yield the values of the items from `position` to a sequence delimiter or `end`.

    Raises:
        BadPixelData: there is something else between them, or too many.
    """
    window, base = b"", position
    count = 0
    while position + _ITEM_HEADER <= end:
        start = position - base
        if start + _ITEM_HEADER > len(window):
            window, base, start = source.read(position, _READ_AHEAD), position, 0
        header = window[start : start + _ITEM_HEADER]
        if header[:4] == _DELIMITER or len(header) < _ITEM_HEADER:
            return
        count += 1
        if header[:4] != _ITEM or count > _FRAGMENTS_MAX:
            raise BadPixelData(
                "encapsulated pixel data holds something that is not a fragment",
                expected=f"at most {_FRAGMENTS_MAX} items (FFFE,E000)",
                found=header[:4].hex(),
                remedy="Send the instance again from its modality.",
            )
        length = int.from_bytes(header[4:], "little")
        yield Span(position + _ITEM_HEADER, length)
        position += _ITEM_HEADER + length


def _grouped(source: ByteSource, fragments: Sequence[Span], frames: int) -> list[Sequence[Span]]:
    """Tell which fragments make which frame where no table says it."""
    if frames == 1 and fragments:
        return [fragments]
    if len(fragments) == frames:
        return [(fragment,) for fragment in fragments]
    groups: list[Sequence[Span]] = []
    group: list[Span] = []
    for fragment in fragments:
        group.append(fragment)
        tail = min(_MARKER_WITHIN, fragment.length)
        if _END_OF_IMAGE in source.read(fragment.offset + fragment.length - tail, tail):
            groups.append(group)
            group = []
    if len(groups) != frames or group:
        raise BadPixelData(
            "the fragments of the pixel data do not make its frames",
            expected=f"{frames} frames",
            found=f"{len(fragments)} fragments that end {len(groups)} images",
            remedy="Retrieve the whole instance instead, or send it again from its modality.",
        )
    return groups


def _whole(group: Sequence[Span]) -> Span:
    first, last = group[0], group[-1]
    begin = first.offset - _ITEM_HEADER
    return Span(begin, last.offset + last.length - begin)
