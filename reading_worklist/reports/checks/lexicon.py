"""The words of `lexicon.toml`, compiled once into one pattern for each kind of word."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

# The length stays: what is found at a place stands at that place in the text as written.
_HALF_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_LOWER: Final = {ord(letter): ord(letter.lower()) for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
_PLAIN: Final = {
    code: _LOWER.get(target, target)
    for code, target in (_HALF_WIDTH | _LOWER | {0x3000: 0x20, 0xA0: 0x20}).items()
}

_STANDS_ALONE: Final = 4


@dataclass(frozen=True, slots=True)
class Organ:
    """An organ of the lexicon. sex: of those who have it; empty for everybody.

    sided: whether left and right of it are told apart.
    """

    name: str
    region: str
    paired: bool = False
    lobes: bool = False
    sex: str = ""

    @property
    def sided(self) -> bool:
        """Whether a report tells its left from its right."""
        return self.paired or self.lobes


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Patterns and what their words mean. The patterns are for `plain` texts."""

    organs: Mapping[str, Organ]
    organ_of: Mapping[str, str]
    organ_pattern: re.Pattern[str]
    lesion_of: Mapping[str, str]
    major_lesions: frozenset[str]
    lesion_pattern: re.Pattern[str]
    removal_of: Mapping[str, str]
    removal_pattern: re.Pattern[str]
    region_parts: Mapping[str, tuple[str, ...]]
    beside: Mapping[str, frozenset[str]]

    def regions_named(self, text: str) -> frozenset[str]:
        """Return the regions that a body part or a procedure names; empty when none is known."""
        told = plain(text)
        words = set(re.findall(r"[a-z]+", told))
        return frozenset(
            region
            for region, parts in self.region_parts.items()
            if any(part in (words if _is_short(part) else told) for part in parts)
        )


def _is_short(part: str) -> bool:
    """Tell whether a word stands in others by chance, as "toe" and "iac" do."""
    return part.isascii() and len(part) < _STANDS_ALONE


def plain(text: str) -> str:
    """Return the text in half-width lower case, character by character: its length stays."""
    return text.translate(_PLAIN)


def words_pattern(words: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern that finds the longest of the words; Latin ones as whole words only."""
    ordered = sorted(set(words), key=lambda word: (-len(word), word))
    latin = "|".join(re.escape(word) for word in ordered if word.isascii())
    others = "|".join(re.escape(word) for word in ordered if not word.isascii())
    parts = [f"(?<![a-z])(?:{latin})(?![a-z])" if latin else "", others]
    return re.compile("|".join(part for part in parts if part))


@cache
def lexicon() -> Lexicon:
    """Return the words of the lexicon."""
    source = resources.files("reading_worklist.reports.checks").joinpath("lexicon.toml")
    told: dict[str, Any] = tomllib.loads(source.read_text(encoding="utf-8"))
    organs = {
        name: Organ(
            name,
            one["region"],
            paired=one.get("paired", False),
            lobes=one.get("lobes", False),
            sex=one.get("sex", ""),
        )
        for name, one in told["organs"].items()
    }
    organ_of = _meanings(told["organs"])
    lesion_of = _meanings(told["lesions"])
    regions: dict[str, dict[str, list[str]]] = told["regions"]
    return Lexicon(
        organs=organs,
        organ_of=organ_of,
        organ_pattern=words_pattern(organ_of),
        lesion_of=lesion_of,
        major_lesions=frozenset(
            name for name, one in told["lesions"].items() if one.get("major", False)
        ),
        lesion_pattern=words_pattern(lesion_of),
        removal_of=told["removals"],
        removal_pattern=words_pattern(told["removals"]),
        region_parts={name: tuple(one["parts"]) for name, one in regions.items()},
        beside={name: frozenset(one["beside"]) for name, one in regions.items()},
    )


def _meanings(groups: Mapping[str, Mapping[str, list[str]]]) -> dict[str, str]:
    return {word: name for name, one in groups.items() for word in (*one["zh"], *one["en"])}
