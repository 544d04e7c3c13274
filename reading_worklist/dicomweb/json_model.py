"""The DICOM JSON model (PS3.18 Annex F) of a dataset, made element by element.

Whatever a device wrote, the result is valid JSON: a value that is not what its
VR promises is told as text or as its bytes, never dropped and never an error.
"""

import base64
import math
import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from storage.datasets.encoded import (
    SPECIFIC_CHARACTER_SET,
    Dataset,
    Element,
)
from storage.datasets.representations import resolve_vr, swapped, word_size
from storage.dicom_header.encoding import PIXEL_DATA_TAGS, UNDEFINED_LENGTH

JsonAttribute: TypeAlias = dict[str, Any]
JsonDataset: TypeAlias = dict[str, JsonAttribute]
Decode: TypeAlias = Callable[[bytes], str]
DecoderFor: TypeAlias = Callable[[Sequence[str]], Decode]

UNICODE: Final[JsonAttribute] = {"vr": "CS", "Value": ["ISO_IR 192"]}
_PIXEL_REPRESENTATION: Final = 0x00280103
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_INTEGER: Final = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_ESCAPE: Final = b"\x1b"  # begins a change of character set (ISO 2022)
_NAME_GROUPS: Final = ("Alphabetic", "Ideographic", "Phonetic")

# Which text is in the repertoire of Specific Character Set, and of which spaces count (PS3.5 §6.2).
_STRIPPED: Final = frozenset({"AE", "AS", "CS", "DA", "DT", "TM", "UI", "LO", "SH"})
_WHOLE: Final = frozenset({"LT", "ST", "UT", "UR"})
_INLINE: Final = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
_NUMERIC: Final = {
    "US": "H",
    "SS": "h",
    "UL": "L",
    "SL": "l",
    "FL": "f",
    "FD": "d",
    "UV": "Q",
    "SV": "q",
}


@dataclass(frozen=True, slots=True)
class Context:
    """What the conversion of one dataset needs to know.

    bulk_uri: the reference under which large values are told; the element's path is appended.
    decoder_for: gives the decoder for the values of Specific Character Set (0008,0005).
    """

    bulk_uri: str
    decoder_for: DecoderFor


def to_json_model(dataset: Dataset, context: Context) -> JsonDataset:
    """Return the JSON model of `dataset`, its text as Unicode and (0008,0005) saying so.

    Group lengths are left out and attributes are ordered by tag, as PS3.18 §F.2.2 asks.
    """
    representation = _first_number(dataset, _PIXEL_REPRESENTATION) or 0
    return _Converter(context).convert(dataset, "", (), signed=representation == 1)


class _Converter:
    """Converts one dataset with its items; remembers the decoder of each character set."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def convert(
        self, dataset: Dataset, path: str, inherited: Sequence[str], *, signed: bool
    ) -> JsonDataset:
        stated = dataset.find(SPECIFIC_CHARACTER_SET)
        character_sets = inherited
        if stated is not None and stated.value is not None:
            character_sets = [
                part.strip(" \0") for part in stated.value.decode("latin-1").split("\\")
            ]
        decode = self._context.decoder_for(character_sets)
        result: JsonDataset = {}
        last = -1
        ordered = True
        for element in dataset.elements:
            tag = element.tag
            if tag & 0xFFFF == 0:
                continue
            ordered = ordered and tag > last
            last = tag
            name = f"{tag:08X}"
            if name in result:
                continue
            if element.items is not None:
                items = [
                    self.convert(item, f"{path}{name}/{number}/", character_sets, signed=signed)
                    for number, item in enumerate(element.items)
                ]
                result[name] = {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}
            elif tag == SPECIFIC_CHARACTER_SET:
                result[name] = UNICODE
            else:
                vr = element.vr if len(element.vr) == 2 else resolve_vr(element.vr, signed=signed)  # noqa: PLR2004 -- a VR is two letters
                if element.value is None:
                    result[name] = self._bulk(element, vr, path + name)
                else:
                    result[name] = attribute(
                        vr, element.value, decode, little=dataset.encoding.little
                    )
        return result if ordered else dict(sorted(result.items()))

    def _bulk(self, element: Element, vr: str, path: str) -> JsonAttribute:
        if element.length == 0 and element.tag in PIXEL_DATA_TAGS:
            return {"vr": vr}
        if element.length == UNDEFINED_LENGTH and vr == "UN":
            vr = "OB"
        return {"vr": vr, "BulkDataURI": f"{self._context.bulk_uri}/{path}"}


def attribute(vr: str, value: bytes, decode: Decode, *, little: bool) -> JsonAttribute:
    """Return the attribute object of one value that is not a sequence.

    vr: one VR, choices resolved. value: the value field as encoded.
    """
    if not value:
        return {"vr": vr}
    if vr in _INLINE:
        return _inline(vr, value, little=little)
    if vr in _NUMERIC:
        return _numbers(vr, value, little=little)
    if vr == "AT":
        return _tags(value, little=little)
    is_ascii = value.isascii() and _ESCAPE not in value
    text = (value.decode("ascii") if is_ascii else decode(value)).rstrip("\0 ")
    return {"vr": vr, "Value": _text_values(vr, text)} if text else {"vr": vr}


def _text_values(vr: str, text: str) -> list[Any]:
    if vr in _WHOLE:
        return [text]
    parts = text.split("\\")
    if vr == "PN":
        return [_person_name(part) for part in parts]
    if vr in ("DS", "IS"):
        return [_decimal(part.strip(" \0")) for part in parts]
    if vr in _STRIPPED:
        return [part.strip(" \0") or None for part in parts]
    return [part or None for part in parts]


def text_attribute(vr: str, *values: str | None) -> JsonAttribute:
    """Return the attribute object of text that is decoded; without a value when there is none."""
    present = [value for value in values if value]
    if not present:
        return {"vr": vr}
    if vr == "PN":
        return {"vr": vr, "Value": [_person_name(value) for value in present]}
    return {"vr": vr, "Value": present}


def number_attribute(vr: str, value: int | None) -> JsonAttribute:
    """Return the attribute object of one number; without a value when there is none."""
    return {"vr": vr} if value is None else {"vr": vr, "Value": [value]}


def _inline(vr: str, value: bytes, *, little: bool) -> JsonAttribute:
    # PS3.18 §F.2.7: the octets of InlineBinary are little endian.
    data = value if little else swapped(value, word_size(vr))
    return {"vr": vr, "InlineBinary": base64.b64encode(data).decode("ascii")}


def _numbers(vr: str, value: bytes, *, little: bool) -> JsonAttribute:
    size = word_size(vr)
    count, rest = divmod(len(value), size)
    if rest:
        return _inline("UN", value, little=True)
    numbers: list[int | float | str] = list(
        struct.unpack(f"{'<' if little else '>'}{count}{_NUMERIC[vr]}", value)
    )
    if vr in ("FL", "FD"):
        numbers = [_finite(float(number)) for number in numbers]
    return {"vr": vr, "Value": numbers}


def _finite(number: float) -> float | str:
    """Return what JSON has no number for as the string that scripts read back as the same."""
    if math.isfinite(number):
        return number
    if math.isnan(number):
        return "NaN"
    return "Infinity" if number > 0 else "-Infinity"


def _tags(value: bytes, *, little: bool) -> JsonAttribute:
    count, rest = divmod(len(value), 4)
    if rest:
        return _inline("UN", value, little=True)
    parts = struct.unpack(f"{'<' if little else '>'}{2 * count}H", value)
    return {
        "vr": "AT",
        "Value": [
            f"{group:04X}{number:04X}"
            for group, number in zip(parts[::2], parts[1::2], strict=True)
        ],
    }


def _person_name(text: str) -> dict[str, str] | None:
    groups = {
        name: part.rstrip(" ") for name, part in zip(_NAME_GROUPS, text.split("="), strict=False)
    }
    present = {name: part for name, part in groups.items() if part}
    return present or None


def _decimal(text: str) -> int | float | str | None:
    """Return a number where the text is one, else the text, which PS3.18 §F.2.3 allows."""
    if _INTEGER.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text):
        number = float(text)
        return number if math.isfinite(number) else text
    return text or None


def _first_number(dataset: Dataset, tag: int) -> int | None:
    element = dataset.find(tag)
    if element is None or element.value is None or len(element.value) < 2:  # noqa: PLR2004 -- one US
        return None
    return int.from_bytes(element.value[:2], "little" if dataset.encoding.little else "big")
