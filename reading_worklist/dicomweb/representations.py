"""Value representations: how their lengths are written, and what an unstated one is."""

from functools import lru_cache
from typing import Final

from pydicom.datadict import dictionary_VR, private_dictionary_VR

from storage.dicom_header.encoding import LONG_VRS, SHORT_VRS

# PS3.5 §7.1.2: by their two bytes, those with a 16-bit length and those with a 32-bit length.
SHORT_FORM: Final = {code: code.decode("ascii") for code in SHORT_VRS}
LONG_FORM: Final = {code: code.decode("ascii") for code in LONG_VRS}
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
