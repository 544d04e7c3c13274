"""The tables of C-FIND in the conformance statement say what the code does."""

from pathlib import Path

import pacs_gateway
from pacs_gateway.services.query import LEVELS
from storage.index.search import ATTRIBUTES, UNIQUE_KEYS

STATEMENT = (Path(pacs_gateway.__file__).parent / "CONFORMANCE.md").read_text(encoding="utf-8")
NAMES = ("PATIENT", "STUDY", "SERIES", "IMAGE")


def lines() -> list[str]:
    """The rows of the table of attributes."""
    return [
        f"| {NAMES[one.level]} | {one.keyword} ({one.tag >> 16:04X},{one.tag & 0xFFFF:04X})"
        f" | {one.vr} | {'unique key; ' if one.keyword == UNIQUE_KEYS[one.level] else ''}"
        f"{one.matching.value} |"
        for one in ATTRIBUTES.values()
    ]


def test_every_attribute_is_in_the_statement() -> None:
    stated = [
        line
        for line in STATEMENT.splitlines()
        if line.startswith(tuple(f"| {name} | " for name in NAMES))
    ]
    assert stated == lines()


def test_every_information_model_is_in_the_statement() -> None:
    for sop_class, levels in LEVELS.items():
        assert f"`{sop_class}` | {', '.join(levels)} |" in STATEMENT
