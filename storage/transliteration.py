"""Chinese written in Latin letters, for devices that can read nothing else."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from storage.person_name import is_han
from storage.pinyin import syllables

_COMPOUND: Final = (
    "欧阳太史端木上官司马东方独孤南宫万俟闻人夏侯诸葛尉迟公羊赫连澹台皇甫宗政濮阳公冶太叔申屠"
    "公孙慕容仲孙钟离长孙宇文司徒鲜于司空令狐西门呼延百里东郭南门拓跋轩辕"
)
_COMPOUND_FAMILY_NAMES: Final = frozenset(
    _COMPOUND[at : at + 2] for at in range(0, len(_COMPOUND), 2)
)
_LONGEST_UNSPLIT: Final = 4
_HAN_RUN: Final = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")


def to_ascii(text: str) -> str:
    """Return `text` in ASCII: Hanzi as pinyin without tones, accents dropped, the rest as "?"."""
    if text.isascii():
        return text
    spelled = _HAN_RUN.sub(lambda run: f" {_spelled(run.group())} ", text)
    plain = unicodedata.normalize("NFKD", spelled)
    letters = (c if c.isascii() else "?" for c in plain if not unicodedata.combining(c))
    return re.sub(r" {2,}", " ", "".join(letters)).strip()


def with_pinyin(name: str) -> str:
    """Return a value of the VR PN whose first group every device can read.

    张伟 becomes "Zhang^Wei=张^伟". A value that has an alphabetic group beside the Hanzi, or no
    Hanzi, stays as it is. Hanzi without "^" are cut after the family name.
    """
    groups = name.split("=")
    if not any(is_han(c) for c in groups[0]):
        return name
    ideographic = _cut(groups[0].strip())
    alphabetic = "^".join(
        _spelled(part, apart=False).capitalize() for part in ideographic.split("^")
    )
    return "=".join([alphabetic, ideographic, *groups[2:]])


def _cut(name: str) -> str:
    plain = name.replace(" ", "")
    if "^" in name or not all(is_han(c) for c in plain):
        return name
    length = 2 if plain[:2] in _COMPOUND_FAMILY_NAMES and len(plain) > 2 else 1  # noqa: PLR2004
    if not length < len(plain) <= _LONGEST_UNSPLIT:
        return plain
    return f"{plain[:length]}^{plain[length:]}"


@lru_cache(maxsize=4096)
def _spelled(hanzi: str, *, apart: bool = True) -> str:
    # ü is written v by the library, and yu in passports.
    spelled = (
        syllable.replace("v", "yu") if syllable.isascii() else "?" * len(syllable)
        for syllable in syllables(hanzi)
    )
    return (" " if apart else "").join(spelled)
