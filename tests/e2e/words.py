"""The words of the web UI, read from its catalogue: tests look for what a person reads."""

import re
from functools import cache
from typing import Final

from tests.support.peers import REPOSITORY

_CATALOGUE: Final = REPOSITORY / "reading_worklist" / "web" / "src" / "i18n" / "catalogue"
_STRING: Final = r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)\""""
_ENTRY: Final = re.compile(rf"'([\w.-]+)':\s*\[\s*(?:{_STRING}),\s*(?:{_STRING}),?\s*\]", re.DOTALL)
LANGUAGES: Final = ("zh-CN", "en")


@cache
def _entries() -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for path in sorted(_CATALOGUE.glob("*.ts")):
        for key, *texts in _ENTRY.findall(path.read_text()):
            chinese, english = (texts[0] or texts[1], texts[2] or texts[3])
            found[key] = (re.sub(r"\\(.)", r"\1", chinese), re.sub(r"\\(.)", r"\1", english))
    return found


def word(language: str, key: str) -> str:
    """The text of `key` in `language`; its parameters stay in braces."""
    return _entries()[key][LANGUAGES.index(language)]


def pattern(language: str, key: str) -> re.Pattern[str]:
    """What matches the text of `key` with anything in place of its parameters."""
    pieces = re.split(r"\{\w+\}", word(language, key))
    return re.compile("(.+?)".join(re.escape(piece) for piece in pieces))
