"""Making any text printable: what the reader sees is all that the text holds, and nothing more.

A signed paper may not lose a character silently, and may not show text in
another order than it is stored. So a character that no font draws, a control
character and a bidirectional override are replaced by a visible mark with the
code point; only characters that never print anything are left out.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import Final

# Zero-width joiners, marks and hyphens, and variation selectors: without ink wherever they stand.
_INKLESS: Final = re.compile(
    "[\u00ad\u034f\u200b-\u200f\u2060-\u2064\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef]"
)
_LINE_BREAKS: Final = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
# What no one would read as itself even if a font draws it: controls, formats, surrogates and
# private use.
_UNREADABLE: Final = frozenset({"Cc", "Cf", "Cs", "Co"})
_LONG_RUN: Final = re.compile(r"[^\s\u2e80-\U0003ffff]{25,}")
_PIECE: Final = 12


def lines_of(text: str) -> list[str]:
    """Split a text at every kind of line break; empty lines are kept, those at the end dropped."""
    lines = [line.replace("\t", "    ").rstrip() for line in _LINE_BREAKS.split(text)]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def printable(line: str, draws: Callable[[str], bool]) -> str:
    """Return one line in which every character can be drawn and read.

    draws: tells whether some font has a glyph for a character.
    A character that cannot be drawn becomes "□[U+XXXXX]".
    """
    return "".join(_shown(character, draws) for character in _INKLESS.sub("", line))


def unprintable(text: str, draws: Callable[[str], bool]) -> list[str]:
    """Return the characters of `text` that will print as a mark, each once, in their order."""
    kept = _INKLESS.sub("", "".join(lines_of(text)))
    return list(dict.fromkeys(c for c in kept if _shown(c, draws) not in {c, " "}))


def breakable(line: str) -> list[str]:
    """Cut a line into pieces between which it may be broken.

    Ordinary words break by the rules of Unicode; a run of letters too long for
    any column would leave the paper, so it is cut every few characters, though
    never before a combining mark.
    """
    pieces: list[str] = []
    done = 0
    for run in _LONG_RUN.finditer(line):
        at = run.start() + _PIECE
        while at < run.end():
            while at < run.end() and unicodedata.combining(line[at]):
                at += 1
            pieces.append(line[done:at])
            done, at = at, at + _PIECE
    pieces.append(line[done:])
    return [piece for piece in pieces if piece]


def _shown(character: str, draws: Callable[[str], bool]) -> str:
    category = unicodedata.category(character)
    if category not in _UNREADABLE and draws(character):
        return character
    # A thin or ideographic space that the font lacks is still a space.
    return " " if category == "Zs" else f"□[U+{ord(character):04X}]"
