"""Reading an encoded dataset (PS3.5 §7), tolerant of what devices in the field write.

One pass over the bytes, no object per value beyond what is needed: metadata of
thousands of instances is made from this. Large values are located, not read.
"""

import struct
from dataclasses import dataclass
from typing import Final

from storage.datasets.representations import (
    LONG_FORM,
    SHORT_FORM,
    private_creator,
    vr_of_private,
    vr_of_standard,
)
from storage.datasets.sources import ByteSource
from storage.dicom_header.encoding import (
    BIG_ENDIAN_SYNTAX,
    IMPLICIT_SYNTAXES,
    PIXEL_DATA_TAGS,
    is_vr,
)
from storage.dicom_header.encoding import UNDEFINED_LENGTH as UNDEFINED
from storage.errors import RdcError

SPECIFIC_CHARACTER_SET: Final = 0x00080005
FLOAT_PIXEL_DATA: Final = 0x7FE00008
DOUBLE_FLOAT_PIXEL_DATA: Final = 0x7FE00009

# A value above its limit stays in the object and is told by its place.
BINARY_LIMIT: Final = 2048
TEXT_LIMIT: Final = 1 << 16

_ITEM: Final = 0xFFFEE000
_ITEM_DELIMITATION: Final = 0xFFFEE00D
_SEQUENCE_DELIMITATION: Final = 0xFFFEE0DD
_DELIMITATIONS: Final = (b"\xfe\xff\x0d\xe0", b"\xff\xfe\xe0\x0d")
_DEPTH_MAX: Final = 48
_ELEMENTS_MAX: Final = 1_000_000
_SHORT_HEADER: Final = 8
_LONG_HEADER: Final = 12
_CREATORS: Final = range(0x10, 0x100)
_READ_AHEAD: Final = 1 << 16
_CREATOR_LENGTH: Final = 64  # of LO (PS3.5 §6.2)
_TEXT_VRS: Final = frozenset(
    {
        "AE",
        "AS",
        "CS",
        "DA",
        "DS",
        "DT",
        "IS",
        "LO",
        "LT",
        "PN",
        "SH",
        "ST",
        "TM",
        "UC",
        "UI",
        "UR",
        "UT",
    }
)


class MalformedDataset(RdcError):
    """The encoding of a dataset cannot be followed beyond some place."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How elements are written: with or without their VR, and in which byte order."""

    explicit: bool
    little: bool


IMPLICIT_LITTLE: Final = Encoding(explicit=False, little=True)
EXPLICIT_LITTLE: Final = Encoding(explicit=True, little=True)
EXPLICIT_BIG: Final = Encoding(explicit=True, little=False)


def encoding_of(transfer_syntax_uid: str) -> Encoding:
    """Return the encoding a transfer syntax prescribes (PS3.5 §10).

    Unknown and private ones are taken as explicit little endian.
    """
    if transfer_syntax_uid in IMPLICIT_SYNTAXES:
        return IMPLICIT_LITTLE
    return EXPLICIT_BIG if transfer_syntax_uid == BIG_ENDIAN_SYNTAX else EXPLICIT_LITTLE


class _Order:
    """The unpacking of numbers in one byte order."""

    def __init__(self, sign: str) -> None:
        self.tag = struct.Struct(f"{sign}HH").unpack_from
        self.short = struct.Struct(f"{sign}H").unpack_from
        self.long = struct.Struct(f"{sign}L").unpack_from
        self.item = struct.Struct(f"{sign}HHL").unpack_from


_LITTLE: Final = _Order("<")
_BIG: Final = _Order(">")


@dataclass(slots=True)
class Element:
    """One data element.

    vr: as written, or from the dictionary; that may be a choice such as "US or SS".
    offset, length: of the value in the source; `length` is `UNDEFINED` for encapsulated pixel data.
    value: the raw bytes, or None when they are above their limit, or the value is a sequence.
    items: of a sequence, else None.
    fragmented: the value is in items, as that of an icon compressed with its image.
    header_size: bytes of tag, VR and length before the value.
    """

    tag: int
    vr: str
    offset: int
    length: int
    value: bytes | None
    items: "list[Dataset] | None" = None
    fragmented: bool = False
    header_size: int = _SHORT_HEADER

    @property
    def start(self) -> int:
        """Where the element begins in the source."""
        return self.offset - self.header_size


@dataclass(slots=True)
class Dataset:
    """The elements of a dataset or of a sequence item, in the order of their bytes.

    cut_at: where reading had to stop because the bytes make no sense or end too early; None when
        all was read.
    """

    elements: list[Element]
    encoding: Encoding
    cut_at: int | None = None

    def find(self, tag: int) -> Element | None:
        """Return the element with this tag on this level, or None."""
        return next((element for element in self.elements if element.tag == tag), None)


def read_dataset(
    source: ByteSource, offset: int, encoding: Encoding, *, read_first: int | None = None
) -> Dataset:
    """Read the dataset at `offset`, up to and including the header of its pixel data.

    read_first: bytes to fetch with the first read, where it is known how far the header goes.
    What follows the pixel data (padding, signatures) is not read. Broken
    encoding never raises: what could be read is returned, with `cut_at` set.
    """
    return _Reader(source, read_first or _READ_AHEAD).root(offset, encoding)


class _Reader:
    """The state of one pass: the window of bytes at hand."""

    def __init__(self, source: ByteSource, read_first: int) -> None:
        self._source = source
        self._ahead = read_first
        self._buffer = b""
        self._base = 0
        self._count = 0

    def root(self, offset: int, encoding: Encoding) -> Dataset:
        dataset = Dataset([], encoding)
        try:
            self._read_into(dataset, offset, self._source.size, 0)
        except MalformedDataset:
            # The elements before the place are sound; the caller sees that it is not all.
            dataset.cut_at = dataset.elements[-1].offset if dataset.elements else offset
        return dataset

    def _at(self, position: int, count: int) -> int:
        """Bring `count` bytes at `position` into the buffer and return their index in it.

        Raises:
            MalformedDataset: the source ends before.
        """
        start = position - self._base
        if start < 0 or start + count > len(self._buffer):
            self._buffer = self._source.read(position, max(count, self._ahead))
            self._base = position
            self._ahead = _READ_AHEAD
            start = 0
            if len(self._buffer) < count:
                raise _ends_within(count, position, len(self._buffer))
        return start

    def _read_into(self, dataset: Dataset, position: int, end: int, depth: int) -> int:
        """Read elements until `end` or a delimitation item; return the position after them."""
        dataset.encoding = self._actual_encoding(dataset.encoding, position, end)
        order = _LITTLE if dataset.encoding.little else _BIG
        creators: dict[int, str] = {}
        while position < end:
            # Only the last element of a source may have fewer than twelve bytes left.
            index = self._at(position, min(_LONG_HEADER, end - position))
            buffer = self._buffer
            if len(buffer) - index < _SHORT_HEADER:
                raise _ends_within(_SHORT_HEADER, position, len(buffer) - index)
            group, number = order.tag(buffer, index)
            tag = group << 16 | number
            if tag == _ITEM_DELIMITATION:
                return position + _SHORT_HEADER
            if tag == _SEQUENCE_DELIMITATION:
                # An item without its own delimitation: this one is for the sequence to see.
                return position
            vr, length, size = self._vr_and_length(index, tag, dataset.encoding, order)
            element = Element(tag, vr, position + size, length, None, header_size=size)
            if group & 1:
                self._settle_private_vr(element, creators)
            elif vr == "UN":
                element.vr = vr_of_standard(tag)
            self._count += 1
            if self._count > _ELEMENTS_MAX:
                raise MalformedDataset("too many elements", expected=f"at most {_ELEMENTS_MAX}")
            if depth == 0 and tag in PIXEL_DATA_TAGS:
                dataset.elements.append(element)
                return element.offset
            # PS3.5 §6.2.2 note 4: a sequence sent as UN is inside in implicit little endian.
            as_unknown = vr == "UN" and dataset.encoding.explicit
            inner = IMPLICIT_LITTLE if as_unknown else dataset.encoding
            if element.vr == "SQ" or (length == UNDEFINED and element.vr == "UN"):
                element.vr = "SQ"
                element.items = []
                # Before its items, so that those before a broken one are kept.
                dataset.elements.append(element)
                position = self._read_items(element, element.items, inner, end, depth)
            else:
                position = self._read_value(element, inner, end)
                dataset.elements.append(element)
        return position

    def _vr_and_length(
        self, index: int, tag: int, encoding: Encoding, order: _Order
    ) -> tuple[str, int, int]:
        """Return the VR and length of the element whose header is at `index`, and its size."""
        buffer = self._buffer
        if encoding.explicit:
            code = buffer[index + 4 : index + 6]
            vr = SHORT_FORM.get(code)
            if vr is not None:
                return vr, order.short(buffer, index + 6)[0], _SHORT_HEADER
            vr = LONG_FORM.get(code)
            if vr is not None:
                if len(buffer) - index < _LONG_HEADER:
                    raise _ends_within(_LONG_HEADER, self._base + index, len(buffer) - index)
                return vr, order.long(buffer, index + 8)[0], _LONG_HEADER
            if is_vr(code):
                # Not in PS3.5 §6.2: an invented VR, in practice written in the short form.
                return "UN", order.short(buffer, index + 6)[0], _SHORT_HEADER
        # Some writers leave the VR out of single elements of an explicit dataset, too.
        vr = "UN" if tag & 0x10000 else vr_of_standard(tag)
        return vr, order.long(buffer, index + 4)[0], _SHORT_HEADER

    def _read_value(self, element: Element, encoding: Encoding, end: int) -> int:
        """Read the value of an element that is not a sequence; return the position after."""
        if element.length == UNDEFINED:
            # Encapsulated pixel data of an icon, or nonsense; its place tells enough.
            after = self._skip_fragments(element.offset, end, encoding)
            element.length = after - element.offset
            element.fragmented = True
            return after
        after = element.offset + element.length
        if after > end:
            raise MalformedDataset(
                "an element is longer than what encloses it",
                expected=f"at most {end - element.offset} bytes",
                found=str(element.length),
            )
        limit = TEXT_LIMIT if element.vr in _TEXT_VRS else BINARY_LIMIT
        if element.length <= limit:
            start = self._at(element.offset, element.length)
            element.value = self._buffer[start : start + element.length]
        return after

    def _actual_encoding(self, stated: Encoding, position: int, end: int) -> Encoding:
        """Return the encoding that the first element really has.

        Some writers switch to implicit VR within sequences, or write it all along.
        """
        if not stated.explicit or end - position < _SHORT_HEADER:
            return stated
        start = self._at(position, 6)
        is_explicit = is_vr(self._buffer[start + 4 : start + 6])
        if is_explicit or self._buffer[start : start + 4] in _DELIMITATIONS:
            return stated
        return Encoding(explicit=False, little=stated.little)

    def _settle_private_vr(self, element: Element, creators: dict[int, str]) -> None:
        """Give a private element without a known VR that of its creator's dictionary."""
        group, number = element.tag >> 16, element.tag & 0xFFFF
        if number in _CREATORS and element.vr in ("LO", "UN") and element.length != UNDEFINED:
            element.vr = "LO"
            if element.length <= _CREATOR_LENGTH:
                start = self._at(element.offset, element.length)
                name = self._buffer[start : start + element.length]
                creators[group << 8 | number] = private_creator(name)
        elif element.vr == "UN":
            creator = creators.get(group << 8 | number >> 8)
            element.vr = vr_of_private(element.tag, creator)

    def _read_items(
        self, sequence: Element, items: list[Dataset], encoding: Encoding, end: int, depth: int
    ) -> int:
        """Read the items of a sequence; return the position after the sequence."""
        if depth >= _DEPTH_MAX:
            raise MalformedDataset(
                "sequences are nested too deeply", expected=f"at most {_DEPTH_MAX} levels"
            )
        position = sequence.offset
        stated = end if sequence.length == UNDEFINED else position + sequence.length
        stop = min(stated, end)
        while position < stop:
            tag, length = self._item_header(position, encoding)
            position += _SHORT_HEADER
            if tag == _SEQUENCE_DELIMITATION:
                return position if sequence.length == UNDEFINED else stop
            if tag != _ITEM:
                raise _not_an_item("a sequence", tag)
            item_end = stop if length == UNDEFINED else position + length
            item = Dataset([], encoding)
            items.append(item)
            after = self._read_into(item, position, min(item_end, stop), depth + 1)
            position = after if length == UNDEFINED else item_end
        if max(position, stated) > stop:
            # What there was of it is read; after it nothing can be in its right place.
            raise MalformedDataset(
                "a sequence is longer than what encloses it",
                expected=f"its end at {stop}",
                found=f"at {max(position, stated)}",
            )
        return position

    def _item_header(self, position: int, encoding: Encoding) -> tuple[int, int]:
        """Return the tag and length of the item or delimitation at `position`."""
        start = self._at(position, _SHORT_HEADER)
        order = _LITTLE if encoding.little else _BIG
        group, number, length = order.item(self._buffer, start)
        return group << 16 | number, length

    def _skip_fragments(self, position: int, end: int, encoding: Encoding) -> int:
        while position < end:
            tag, length = self._item_header(position, encoding)
            position += _SHORT_HEADER
            if tag == _SEQUENCE_DELIMITATION:
                return position
            if tag != _ITEM or length == UNDEFINED:
                raise _not_an_item("a value of undefined length", tag)
            position += length
        raise MalformedDataset("a value of undefined length has no end", expected="FFFE,E0DD")


def _not_an_item(where: str, tag: int) -> MalformedDataset:
    return MalformedDataset(
        f"{where} holds something that is not an item", expected="FFFE,E000", found=f"{tag:08X}"
    )


def _ends_within(count: int, position: int, found: int) -> MalformedDataset:
    return MalformedDataset(
        "a dataset ends within an element",
        expected=f"{count} bytes at {position}",
        found=str(found),
    )
