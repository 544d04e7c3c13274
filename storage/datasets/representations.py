"""Value representations: how their lengths are written, and what an unstated one is."""

from functools import lru_cache
from typing import Final

from pydicom.datadict import dictionary_VR, private_dictionary_VR

from storage.dicom_header.encoding import LONG_VRS, SHORT_VRS

# PS3.5 §7.1.2: by their two bytes, those with a 16-bit length and those with a 32-bit length.
SHORT_FORM: Final = {code: code.decode("ascii") for code in SHORT_VRS}
LONG_FORM: Final = {code: code.decode("ascii") for code in LONG_VRS}
_WORD_SIZES: Final = {
    "AT": 2,
    "OW": 2,
    "OL": 4,
    "OF": 4,
    "OD": 8,
    "OV": 8,
    "US": 2,
    "SS": 2,
    "UL": 4,
    "SL": 4,
    "FL": 4,
    "FD": 8,
    "UV": 8,
    "SV": 8,
}
# The tags come from outside, so what is remembered of them is bounded.
_REMEMBERED: Final = 16384


@lru_cache(_REMEMBERED)
def vr_of_standard(tag: int) -> str:
    """Return the VR that PS3.6 gives a standard element, "UN" when it does not know the tag.

    Some are a choice ("US or SS", "OB or OW"), which the dataset decides.
    """
    if tag & 0xFFFF == 0:
        return "UL"
    try:
        return dictionary_VR(tag)
    except KeyError:
        return "UN"


@lru_cache(_REMEMBERED)
def vr_of_private(tag: int, creator: str | None) -> str:
    """Return the VR of a private element of a known creator (PS3.5 §7.8), else "UN"."""
    if creator is None:
        return "UN"
    try:
        return private_dictionary_VR(tag, creator)
    except KeyError:
        return "UN"


def private_creator(value: bytes) -> str:
    """Return the name in a private creator element, as the private dictionary spells it."""
    return value.decode("latin-1").strip(" \0")


def word_size(vr: str) -> int:
    """Return the size in bytes of the units whose byte order matters in values of a VR."""
    return _WORD_SIZES.get(vr, 1)


def swapped(data: bytes, size: int) -> bytes:
    """Return `data` with the bytes of each unit of `size` reversed; an incomplete last stays."""
    if size == 1 or not data:
        return data
    whole = len(data) - len(data) % size
    result = bytearray(data)
    for index in range(size):
        result[index:whole:size] = data[size - 1 - index : whole : size]
    return bytes(result)


def resolve_vr(vr: str, *, signed: bool) -> str:
    """Decide among the VRs between which the dictionary leaves a choice (PS3.6)."""
    if vr == "US or SS":
        return "SS" if signed else "US"
    # Pixel data, overlays and lookup tables in implicit VR little endian are OW (PS3.5 §A.1).
    return "OW" if " or " in vr else vr
