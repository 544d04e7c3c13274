"""Writing a dataset in another encoding (PS3.5 §7), element by element, its text untouched.

Text keeps its bytes, whatever character set it is declared to be in, unless its writer is asked
for another; numbers change their byte order where the encoding asks for it. Sequences leave with
undefined length, so that nothing has to be measured before it is written.
"""

import struct
from collections.abc import Callable, Iterable, Mapping
from typing import BinaryIO, Final, TypeAlias

from storage.datasets.encoded import SPECIFIC_CHARACTER_SET, Dataset, Element, Encoding
from storage.datasets.representations import resolve_vr, swapped, word_size
from storage.datasets.sources import ByteSource
from storage.dicom_header.encoding import PIXEL_DATA_TAGS, SHORT_VRS, UNDEFINED_LENGTH
from storage.errors import RdcError

_ITEM: Final = 0xFFFEE000
_ITEM_DELIMITATION: Final = 0xFFFEE00D
_SEQUENCE_DELIMITATION: Final = 0xFFFEE0DD
_ICON_IMAGE_SEQUENCE: Final = 0x00880200
_PIXEL_REPRESENTATION: Final = 0x00280103
_SHORT_MAX: Final = 0xFFFF
_SHORT: Final = frozenset(code.decode("ascii") for code in SHORT_VRS)
# In a dataset whose encoding changes: group lengths, and what would have to be computed anew
# (signatures, PS3.15 §C.1.1.3.1.3, which are over the encoded values).
_LEFT_OUT: Final = frozenset({0x4FFE0001, 0xFFFAFFFA, 0xFFFCFFFC})


# Text that Specific Character Set (0008,0005) is about (PS3.5 §6.1.2.3).
TEXT_VRS: Final = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})

Retext: TypeAlias = Callable[[bytes], bytes]
"""Gives a value of text in another character set, padded to even length."""


class CannotBeRewritten(RdcError):
    """A dataset holds something that has no form in another encoding."""


class DatasetWriter:
    """Writes elements in one encoding to a file."""

    def __init__(self, file: BinaryIO, encoding: Encoding) -> None:
        """Write at the file's position from now on."""
        self._file = file
        self._encoding = encoding
        self._sign = "<" if encoding.little else ">"

    def dataset(
        self, dataset: Dataset, source: ByteSource, changes: Mapping[int, tuple[str, bytes]]
    ) -> None:
        """Write the elements of a dataset but its pixel data, in ascending order of their tags.

        source: where large values are. changes: VR and little-endian value by
        tag, instead of what is there or beside it.

        Raises:
            CannotBeRewritten: some value has no form in the other encoding.
        """
        signed = is_signed(dataset)
        elements = {one.tag: one for one in reversed(dataset.elements) if not _leave_out(one)}
        for tag in sorted(elements.keys() | changes.keys()):
            if tag in PIXEL_DATA_TAGS:
                continue
            if tag in changes:
                vr, value = changes[tag]
                unit = 1 if self._encoding.little else word_size(vr)
                self.header(tag, vr, len(value))
                self._file.write(swapped(value, unit))
            else:
                self.element(elements[tag], dataset.encoding, source, signed=signed)

    def header(self, tag: int, vr: str, length: int) -> None:
        """Write the header of an element; a value of that length is to follow."""
        self._file.write(struct.pack(f"{self._sign}HH", tag >> 16, tag & 0xFFFF))
        if not self._encoding.explicit:
            self._file.write(struct.pack(f"{self._sign}L", length))
        elif vr in _SHORT and length <= _SHORT_MAX:
            self._file.write(vr.encode("ascii") + struct.pack(f"{self._sign}H", length))
        else:
            # PS3.5 §6.2.2: what is too long for the short form of its VR is UN.
            code = "UN" if vr in _SHORT else vr
            self._file.write(code.encode("ascii") + struct.pack(f"{self._sign}HL", 0, length))

    def value(self, chunks: Iterable[bytes], unit: int) -> None:
        """Write a value that is read in pieces of whole units, `unit` bytes reversed in each."""
        for chunk in chunks:
            self._file.write(swapped(chunk, unit))

    def element(
        self,
        element: Element,
        encoding: Encoding,
        source: ByteSource,
        *,
        signed: bool,
        retext: Retext | None = None,
    ) -> None:
        """Write one element of a dataset that is in `encoding`.

        signed: Pixel Representation (0028,0103) of the dataset. retext: for text whose character
            set is that of the dataset; items that declare one of their own keep theirs.

        Raises:
            CannotBeRewritten: its value has no form in the other encoding.
        """
        if element.items is not None:
            self.header(element.tag, "SQ", UNDEFINED_LENGTH)
            self.items(element, source, signed=signed, retext=retext)
            self.end_sequence()
            return
        if element.fragmented:
            raise CannotBeRewritten(
                f"element ({element.tag >> 16:04X},{element.tag & 0xFFFF:04X}) is in fragments",
                expected="a value of stated length",
                remedy="Retrieve the instance in the transfer syntax it is stored in.",
            )
        vr = element.vr if len(element.vr) == 2 else resolve_vr(element.vr, signed=signed)  # noqa: PLR2004 -- a VR is two letters
        if retext is not None and vr in TEXT_VRS:
            value = retext(source.read(element.offset, element.length))
            self.header(element.tag, vr, len(value))
            self._file.write(value)
            return
        unit = word_size(vr) if encoding.little != self._encoding.little else 1
        odd = element.length % 2
        self.header(element.tag, vr, element.length + odd)
        if element.value is not None:
            self._file.write(swapped(element.value, unit))
        else:
            self.value(source.stream(element.offset, element.length), unit)
        if odd:
            self._file.write(b"\0")

    def items(
        self,
        sequence: Element,
        source: ByteSource,
        *,
        signed: bool,
        retext: Retext | None = None,
    ) -> None:
        """Write the items of a sequence whose header is written; see `element`.

        Raises:
            CannotBeRewritten: as for `element`.
        """
        for item in sequence.items or ():
            inherited = None if item.find(SPECIFIC_CHARACTER_SET) is not None else retext
            self.begin_item()
            for inner in sorted(item.elements, key=lambda one: one.tag):
                if not _leave_out(inner):
                    self.element(inner, item.encoding, source, signed=signed, retext=inherited)
            self.end_item()

    def begin_item(self) -> None:
        """Begin an item of a sequence."""
        self._mark(_ITEM, UNDEFINED_LENGTH)

    def end_item(self) -> None:
        """End the item that was begun last."""
        self._mark(_ITEM_DELIMITATION, 0)

    def end_sequence(self) -> None:
        """End the sequence whose header was written last."""
        self._mark(_SEQUENCE_DELIMITATION, 0)

    def _mark(self, tag: int, length: int) -> None:
        self._file.write(struct.pack(f"{self._sign}HHL", tag >> 16, tag & 0xFFFF, length))


def _leave_out(element: Element) -> bool:
    return (
        element.tag & 0xFFFF == 0
        or element.tag in _LEFT_OUT
        # An icon is compressed as its image is, and is dispensable.
        or (element.tag == _ICON_IMAGE_SEQUENCE and _holds_fragments(element))
    )


def _holds_fragments(sequence: Element) -> bool:
    return any(
        one.tag in PIXEL_DATA_TAGS and one.fragmented
        for item in sequence.items or ()
        for one in item.elements
    )


def is_signed(dataset: Dataset) -> bool:
    """Tell whether the pixels of a dataset have a sign, which decides some VRs (PS3.6)."""
    element = dataset.find(_PIXEL_REPRESENTATION)
    if element is None or not element.value:
        return False
    return int.from_bytes(element.value[:2], "little" if dataset.encoding.little else "big") == 1
