"""Identifiers of C-FIND (PS3.4 §C.4.1.1.3): what a request asks, read tolerantly."""

from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Final, cast

from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset

from pacs_gateway.associations.contexts import EXPLICIT_VR_BIG_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from pacs_gateway.services.datasets import UnreadableDataset
from storage.character_sets import SpecificCharacterSet

_CHARACTER_SET: Final = 0x00080005
_NUMBERS: Final = {"US": False, "SS": True, "UL": False, "SL": True}


@dataclass(frozen=True, slots=True)
class Identifier:
    """The elements of one level of an identifier, in their order.

    values: by keyword, as text without padding; several values with backslashes between; empty
        for an element without a value.
    others: tags of elements that have no such text: sequences, private and unknown ones.
    character_set: the value of Specific Character Set (0008,0005) as sent.
    items: the first item of each sequence, by keyword; an item without elements for an empty one.
    """

    values: dict[str, str] = field(default_factory=dict[str, str])
    others: tuple[int, ...] = ()
    character_set: bytes = b""
    items: dict[str, "Identifier"] = field(default_factory=dict[str, "Identifier"])


def read_identifier(encoded: bytes, transfer_syntax: str) -> Identifier:
    """Read an identifier that came under an uncompressed transfer syntax.

    Text is decoded as its writer meant it, also where Specific Character Set says otherwise.

    Raises:
        UnreadableDataset: it cannot be read; the message names no value.
    """
    little = transfer_syntax != EXPLICIT_VR_BIG_ENDIAN
    try:
        dataset = read_dataset(
            BytesIO(encoded), transfer_syntax == IMPLICIT_VR_LITTLE_ENDIAN, little
        )
        return _identifier(dataset, little=little)
    # pydicom raises nearly anything for what is malformed; depth ends in RecursionError.
    except Exception as error:
        raise UnreadableDataset(type(error).__name__) from error


def _identifier(dataset: Dataset, *, little: bool, inherited: bytes = b"") -> Identifier:
    declared = _raw(dataset, _CHARACTER_SET) or inherited
    character_set = SpecificCharacterSet.parse(declared)
    values: dict[str, str] = {}
    others: list[int] = []
    items: dict[str, Identifier] = {}
    for tag in sorted(dataset.keys()):
        number = int(tag)
        keyword = keyword_for_tag(tag)
        if number & 0xFFFF == 0 or number == _CHARACTER_SET:
            continue
        raw = _raw(dataset, number)
        if raw is None or not keyword:
            others.append(number)
            if raw is None and keyword:
                items[keyword] = _first_item(dataset, number, little=little, inherited=declared)
            continue
        signed = _NUMBERS.get(dictionary_VR(tag))
        if signed is None:
            values[keyword] = character_set.decode(raw).text
        else:
            values[keyword] = _number(raw, little=little, signed=signed)
    return Identifier(values, tuple(others), declared, items)


def _first_item(dataset: Dataset, tag: int, *, little: bool, inherited: bytes) -> Identifier:
    sequence = cast("Any", dataset)[tag].value
    return (
        _identifier(sequence[0], little=little, inherited=inherited) if sequence else Identifier()
    )


def _number(raw: bytes, *, little: bool, signed: bool) -> str:
    return str(int.from_bytes(raw, "little" if little else "big", signed=signed)) if raw else ""


def _raw(dataset: Dataset, tag: int) -> bytes | None:
    """Return the bytes of an element's value; None for a sequence or an absent element."""
    element: Any = cast("Any", dataset).get_item(tag)
    if element is None or element.VR == "SQ":
        return None
    # pydicom leaves a value as it is until somebody looks at it, except an empty one.
    return (element.value or b"") if isinstance(element, RawDataElement) else b""
