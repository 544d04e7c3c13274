"""Whether two names can be one person's, however each is written.

A device without Chinese sends 张伟 as "ZHANG WEI", "Zhang^Wei" or "WEI ZHANG"; one with both groups
as "Zhang^Wei=张^伟". A spelling agrees when it can be read syllable by syllable along the
characters, each in any of its readings (单 shan, dan; 吕 lv, lu, lyu).
"""

import re
from functools import lru_cache
from typing import Final

from storage.person_name import canonical, is_han
from storage.pinyin import readings

_UMLAUT: Final = ("v", "u", "yu")
_PARTS: Final = re.compile(r"[\s^,.]+")
_LONGEST: Final = 64


def names_agree(one: str, other: str) -> bool | None:
    """Tell whether two values of the VR PN may name one person; None when one of them is empty."""
    first, second = _Name(one), _Name(other)
    if first.empty or second.empty:
        return None
    if first.hanzi and second.hanzi:
        return _same_hanzi(first, second)
    if first.hanzi:
        return _spelled_by(first, second)
    if second.hanzi:
        return _spelled_by(second, first)
    return _same_latin(first.latin, second.latin)


class _Name:
    """A name's group with Han characters in it, and its group without, each cut into parts."""

    def __init__(self, value: str) -> None:
        groups = [
            [part for part in (canonical(p) for p in _PARTS.split(group[:_LONGEST])) if part]
            for group in value.split("=")
        ]
        with_han = [group for group in groups if any(is_han(c) for part in group for c in part)]
        self.core = "".join(with_han[0]) if with_han else ""
        self.hanzi = "".join(c for c in self.core if is_han(c))
        without = [group for group in groups if group and group not in with_han]
        self.latin = without[0] if without else []

    @property
    def empty(self) -> bool:
        return not self.core and not self.latin

    @property
    def beside_hanzi(self) -> str:
        return "".join(c for c in self.core if not is_han(c))


def _same_hanzi(first: _Name, second: _Name) -> bool:
    if first.core == second.core:
        return True
    # "张伟 ZHANG WEI" in one group is 张伟; "王丽之子A" is not "王丽之子B".
    return first.hanzi == second.hanzi and all(
        not name.beside_hanzi or is_spelling(name.hanzi, name.beside_hanzi)
        for name in (first, second)
    )


def _spelled_by(chinese: _Name, western: _Name) -> bool:
    if chinese.latin and _same_latin(chinese.latin, western.latin):
        return True
    return any(is_spelling(chinese.hanzi, text) for text in _orders(western.latin))


def _same_latin(first: list[str], second: list[str]) -> bool:
    return not {"".join(first), *_orders(first)}.isdisjoint({"".join(second), *_orders(second)})


def _orders(parts: list[str]) -> tuple[str, ...]:
    """Return the parts joined as they are, and with the given name first."""
    return ("".join(parts), "".join((*parts[1:], *parts[:1])), "".join((*parts[-1:], *parts[:-1])))


@lru_cache(maxsize=4096)
def _readings(character: str) -> frozenset[str]:
    found: set[str] = set()
    for reading in readings(character)[0]:
        plain = canonical(reading).replace("ü", "v")
        found.update(plain.replace("v", umlaut) for umlaut in _UMLAUT)
    return frozenset(found)


def is_spelling(hanzi: str, latin: str) -> bool:
    """Tell whether `latin`, canonical letters without tones, reads `hanzi` from end to end."""
    latin = latin.replace("ü", "v")
    reached = {0}
    for character in hanzi:
        reached = {
            start + len(reading)
            for start in reached
            for reading in _readings(character)
            if latin.startswith(reading, start)
        }
        if not reached:
            return False
    return len(latin) in reached
