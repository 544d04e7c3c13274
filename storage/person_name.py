"""Person names (PS3.5 §6.2, VR PN): from DICOM's groups to what people read and type.

A value is up to three groups separated by "=" (alphabetic, ideographic,
phonetic), each with up to five components separated by "^" (family, given,
middle, prefix, suffix).
"""

import itertools
import re
from typing import Final

from storage.pinyin import readings, syllables

_GROUPS: Final = ("alphabetic", "ideographic", "phonetic")
_READINGS_MAX: Final = 8
KEY_LENGTH: Final = 64
"""Characters of a whole key; longer names are found by their beginning."""
RUN_LENGTH: Final = 32
"""Characters of a key that is an end of a name."""
_HAN: Final = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_HAN_ALONE: Final = re.compile(f"{_HAN.pattern}+")


def is_han(character: str) -> bool:
    """Tell whether `character` is a Han ideograph, rare planes included."""
    return _HAN.fullmatch(character) is not None


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
    return _written(chosen)


def latin_name(value: str) -> str:
    """Return the alphabetic group, to stand beside a `display_name` in other characters.

    Empty where there is none, or where it is not in other characters: when Han stands in it, as
    devices write that do not know the groups, or when it is the name that is displayed.
    """
    alphabetic, _, others = value.partition("=")
    if not others.strip(" =^") or _HAN.search(alphabetic):
        return ""
    latin = _written(alphabetic)
    return "" if latin == display_name(value) else latin


def _written(group: str) -> str:
    parts = [part.strip() for part in group.split("^") if part.strip()]
    return ("" if _HAN_ALONE.fullmatch("".join(parts)) else " ").join(parts)


def canonical(text: str) -> str:
    """Return what of a name, or of a part of one, is compared: letters and digits, case folded.

    Character by character: what is canonical of a part is part of what is canonical of the whole.
    """
    return "".join(character for character in text.casefold() if character.isalnum())


def search_keys(value: str) -> list[str]:
    """Return the keys under which a name is found, sorted.

    A key with "^" before it is a whole one: each group and each component of the value, its
    pinyin and its initials, as `canonical`. A key without it is an end of a group or of its
    pinyin: what a search for a part in the middle of a name begins with. Pinyin is cut between
    syllables only.

    A character with several readings (单 shan or dan, 曾 zeng or ceng) gives a key for each,
    so that none has to be guessed; of very many combinations the usual ones.
    Of a group `KEY_LENGTH` characters are looked at, PS3.5 allows it 64.
    """
    keys: set[str] = set()
    for group in value.split("="):
        parts = [canonical(part) for part in re.split(r"[\s^]+", group)]
        parts = [part for part in parts if part]
        joined = "".join(parts)[:KEY_LENGTH]
        if not joined:
            continue
        keys.update(f"^{part[:KEY_LENGTH]}" for part in (*parts, joined))
        keys.update(joined[start:][:RUN_LENGTH] for start in range(len(joined)))
        if any(is_han(character) for character in joined):
            keys.update(_pinyin_keys(joined))
        elif len(parts) > 1:
            keys.add("^" + "".join(part[0] for part in parts)[:KEY_LENGTH])
            # As people of other countries write it, the given name first.
            keys.add("^" + "".join((*parts[1:], parts[0]))[:KEY_LENGTH])
    return sorted(keys)


def _pinyin_keys(text: str) -> set[str]:
    usual = syllables(text)
    every = readings(text)
    if len(every) != len(usual):
        # A word of the dictionary was read as one.
        every = [[reading] for reading in usual]
    choices = [
        list(dict.fromkeys((first, *options))) for first, options in zip(usual, every, strict=True)
    ]
    keys: set[str] = set()
    # Turned round, so that the readings of the family name come first.
    combinations = itertools.product(*reversed(choices))
    for chosen in itertools.islice(combinations, _READINGS_MAX):
        spelled = [canonical(syllable) for syllable in reversed(chosen)]
        spelled = [syllable for syllable in spelled if syllable]
        keys.add("^" + "".join(spelled)[:KEY_LENGTH])
        keys.add("^" + "".join(syllable[0] for syllable in spelled)[:KEY_LENGTH])
        keys.update("".join(spelled[start:])[:RUN_LENGTH] for start in range(len(spelled)))
    return keys - {"^", ""}
