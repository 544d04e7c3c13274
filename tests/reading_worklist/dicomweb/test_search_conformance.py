"""The table of QIDO-RS in the conformance statement says what the code does."""

from pathlib import Path

from reading_worklist import dicomweb
from reading_worklist.dicomweb.parameters import LIMIT_DEFAULT, LIMIT_MAX, RETURNED
from storage.index.search import ATTRIBUTES, COUNTED_MAX, COUNTED_MAX_BY_ATTRIBUTES, Level

STATEMENT = (Path(dicomweb.__file__).parent / "CONFORMANCE.md").read_text(encoding="utf-8")


def lines() -> list[str]:
    """The rows of the table of attributes; patients are told with their studies."""
    rows: list[str] = []
    for one in ATTRIBUTES.values():
        level = max(one.level, Level.STUDY)
        by_default = one.keyword in RETURNED[level]
        rows.append(
            f"| {level.name.lower()} | {one.keyword} | {one.matching.value}"
            f" | {'yes' if by_default else 'includefield'} |"
        )
    return rows


def test_every_attribute_is_in_the_statement() -> None:
    stated = [
        line
        for line in STATEMENT.splitlines()
        if line.startswith(("| study | ", "| series | ", "| instance | "))
    ]
    assert stated == lines()


def test_the_bounds_are_in_the_statement() -> None:
    for number in (LIMIT_DEFAULT, LIMIT_MAX, COUNTED_MAX, COUNTED_MAX_BY_ATTRIBUTES):
        assert f"{number:,}" in STATEMENT
