"""The library of statements as it is in `statements.toml`, read once.

A text is read segment by segment: what stands between line breaks, numbers of a list and full
stops. A segment that is a statement word for word, in either language, is that statement, whether
it was picked or typed; anything else is the doctor's own text and is left alone.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import combinations, product
from typing import Any, Final, Literal

from reading_worklist.typesetting.labels import Language

EcgClass = Literal["normal", "borderline", "suspicious", "abnormal"]
CLASSES: Final[tuple[EcgClass, ...]] = ("normal", "borderline", "suspicious", "abnormal")
"""From nothing wrong to wrong."""

# A comma is none of them: some statements have one, and a list of statements has a line for each.
_SEGMENT: Final = re.compile(r"[^\n;；。]+")
_NUMBERED: Final = re.compile(r"\s*(?:[(（]?\d{1,2}[)）]|\d{1,2}(?:、|．|\.(?!\d)))?\s*")
_END: Final = " \t\r.,，、"


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement.

    group: what it speaks of, a key of the page's words. ecg_class: what the ECG is at least when
    this is said; None where it says nothing of that. key: the short key that finds it first.
    code: (value, coding scheme designator, meaning), None where no code says the same.
    pinyin: how `zh` is read, syllables with spaces between. retired: not offered any more.
    """

    id: str
    group: str
    zh: str
    en: str
    ecg_class: EcgClass | None
    key: str
    code: tuple[str, str, str] | None
    pinyin: str
    retired: bool = False

    def text(self, language: Language) -> str:
        """Return the statement in a language."""
        return self.en if language is Language.EN else self.zh


@dataclass(frozen=True, slots=True)
class Said:
    """A statement that stands in a text, from `start` to `end` in code points."""

    statement: Statement
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Library:
    """Every statement by id, in the order of the file; version of the data.

    excluding: pairs of ids that one ECG cannot both have, and whether that stops a signature.
    """

    version: str
    statements: Mapping[str, Statement]
    by_text: Mapping[str, Statement]
    excluding: Mapping[frozenset[str], bool]

    def get(self, identifier: str) -> Statement | None:
        """Return a statement, retired ones too; None for an id that never was one."""
        return self.statements.get(identifier)

    def said(self, text: str) -> list[Said]:
        """Return the statements that stand in a text word for word, in the order of the text."""
        return list(self._said(text))

    def in_language(self, text: str, identifiers: Sequence[str], language: Language) -> str:
        """Return a text with those of its segments that were picked in another language.

        identifiers: the statements that were picked. What was typed or changed stays as it is.
        """
        wanted = set(identifiers)
        parts: list[str] = []
        at = 0
        for one in self._said(text):
            if one.statement.id in wanted:
                parts += (text[at : one.start], one.statement.text(language))
                at = one.end
        return "".join((*parts, text[at:]))

    def _said(self, text: str) -> Iterator[Said]:
        for segment in _SEGMENT.finditer(text):
            numbered = _NUMBERED.match(segment[0])
            start = segment.start() + (numbered.end() if numbered else 0)
            words = text[start : segment.end()].rstrip(_END)
            statement = self.by_text.get(_plain(words))
            if statement is not None:
                yield Said(statement, start, start + len(words))


def worst(classes: Sequence[EcgClass | None]) -> EcgClass | None:
    """Return the class farthest from normal; None where there is none."""
    return next((one for one in reversed(CLASSES) if one in classes), None)


@cache
def library() -> Library:
    """Return the library."""
    source = resources.files("reading_worklist.ecg.statements").joinpath("statements.toml")
    told: dict[str, Any] = tomllib.loads(source.read_text(encoding="utf-8"))
    statements = {
        one["id"]: Statement(
            id=one["id"],
            group=group,
            zh=one["zh"],
            en=one["en"],
            ecg_class=one.get("class"),
            key=one["key"],
            code=tuple(one["code"]) if "code" in one else None,
            pinyin=one["py"],
            retired=one.get("retired", False),
        )
        for group, members in told["groups"].items()
        for one in members["statements"]
    }
    by_text = {
        _plain(text): statement
        for statement in statements.values()
        for text in (statement.zh, statement.en)
    }
    return Library(told["version"], statements, by_text, _excluding(told["contradictions"]))


def _excluding(rules: Sequence[Mapping[str, Any]]) -> dict[frozenset[str], bool]:
    found: dict[frozenset[str], bool] = {}
    for rule in rules:
        pairs = combinations(rule["every"], 2) if "every" in rule else ()
        crossed = product(rule["one"], rule["others"]) if "one" in rule else ()
        for pair in (*pairs, *crossed):
            key = frozenset(pair)
            found[key] = found.get(key, False) or rule["severity"] == "block"
    return found


def _plain(text: str) -> str:
    """Return what two ways of writing the same statement have in common."""
    folded = text.translate(_HALF_WIDTH).lower()
    return "".join(folded.split())


_HALF_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
