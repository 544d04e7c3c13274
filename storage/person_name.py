"""Person names (PS3.5 §6.2, VR PN): from DICOM's groups to what people read and type.

A value is up to three groups separated by "=" (alphabetic, ideographic,
phonetic), each with up to five components separated by "^" (family, given,
middle, prefix, suffix).
"""

import itertools
from typing import Final

from pypinyin import Style, pinyin

_GROUPS: Final = ("alphabetic", "ideographic", "phonetic")
_READINGS_MAX: Final = 8
_CJK_RANGES: Final = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))


def is_han(character: str) -> bool:
    """Tell whether `character` is a Han ideograph, rare planes included."""
    return any(low <= ord(character) <= high for low, high in _CJK_RANGES)


def display_name(value: str) -> str:
    """Return the name as a person would write it.

    The ideographic group is preferred where it has text; Han components are
    joined without a space, others by one, family name first as in the
    alphabetic order of the value. An empty value gives an empty string.
    """
    groups = dict(zip(_GROUPS, value.split("="), strict=False))
    chosen = (
        groups.get("ideographic", "").strip(" ^")
        or groups.get("alphabetic", "").strip(" ^")
        or groups.get("phonetic", "")
    )
    parts = [part.strip() for part in chosen.split("^") if part.strip()]
    separator = "" if parts and all(is_han(c) for part in parts for c in part) else " "
    return separator.join(parts)


def search_keys(value: str) -> list[str]:
    """Return the lower-case keys under which a name is found, sorted.

    They are every group, its Hanzi, its pinyin and its initials.

    A family name with several readings (单 shan or dan, 曾 zeng or ceng) gives a key for each, so
    that none has to be guessed.
    """
    keys: set[str] = set()
    for group in value.split("="):
        parts = [part.strip().lower() for part in group.split("^") if part.strip()]
        if not parts:
            continue
        keys.update(parts)
        joined = "".join(parts)
        keys.update({joined, " ".join(parts)})
        if any(is_han(c) for c in joined):
            keys.update(_pinyin_keys(joined))
        else:
            keys.add("".join(part[0] for part in " ".join(parts).split()))
    return sorted(keys)


def _pinyin_keys(text: str) -> set[str]:
    readings = [
        sorted(set(options)) for options in pinyin(text, style=Style.NORMAL, heteronym=True)
    ]
    usual = [options[0] for options in pinyin(text, style=Style.NORMAL)]
    # Only the first character is read every way: over a whole name the product would explode.
    choices = itertools.islice(((first, *usual[1:]) for first in readings[0]), _READINGS_MAX)
    keys: set[str] = set()
    for syllables in (tuple(usual), *choices):
        keys.add("".join(syllables).lower())
        keys.add("".join(syllable[0] for syllable in syllables if syllable).lower())
    return keys
