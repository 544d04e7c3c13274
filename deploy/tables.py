"""Plain text tables, lined up also where names are Chinese."""

import unicodedata
from collections.abc import Sequence
from typing import Any, Final

_WIDE: Final = frozenset("WF")


def width(text: str) -> int:
    """Return how many columns a terminal gives the text (UAX 11: wide characters take two)."""
    return sum(
        0
        if unicodedata.combining(char)
        else 2
        if unicodedata.east_asian_width(char) in _WIDE
        else 1
        for char in text
    )


def render(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return the rows under their headings, columns two spaces apart, no trailing blanks."""
    lines = [[str(cell) for cell in row] for row in (headings, *rows)]
    widths = [max(width(line[column]) for line in lines) for column in range(len(headings))]
    return "\n".join(
        "  ".join(
            cell + " " * (size - width(cell)) for cell, size in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    )
