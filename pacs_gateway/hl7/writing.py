r"""Writing HL7 v2 messages: text that cannot break a message, and the parts it is made of.

Text is escaped as v2.5.1 §2.7 asks: the five delimiters by their escape sequences, line breaks by
`\.br\` where the data type has them, every other control character left out. What a segment
function takes is already escaped; nothing else may put text between delimiters.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, tzinfo
from typing import Final

DELIMITERS: Final = "|^~\\&"
LINE_BREAK: Final = "\\.br\\"
_ESCAPES: Final = {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "~": "\\R\\", "&": "\\T\\", "\t": " "}
# What readers take for the end of a line, as str.splitlines does; each may end a segment for one.
_END_OF_LINE: Final = re.compile("\r\n|[\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029]")
# The delimiters, and the categories Cc and Cs of Unicode, which are never written.
_NOT_PLAIN: Final = re.compile("[\\\\|^~&\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def lines_of(text: str) -> list[str]:
    """Return the lines of a text without what ends them; CR LF ends one line, not two."""
    return _END_OF_LINE.split(text)


def escaped(text: str | None) -> str:
    """Return one line of text (ST, TX, or a component) with delimiters escaped.

    Ends of lines and tabs become spaces; other control characters are left out. None gives "".
    """
    return " ".join(_escaped_line(line) for line in lines_of(text or ""))


def formatted(text: str) -> str:
    r"""Return a text of several lines as FT (§2.A.31): `\.br\` between its lines."""
    return LINE_BREAK.join(_escaped_line(line) for line in lines_of(text))


def repeated_lines(text: str) -> str:
    """Return a text of several lines as TX (§2.A.78): each line a repetition."""
    return "~".join(_escaped_line(line) for line in lines_of(text))


def _escaped_line(line: str) -> str:
    return _NOT_PLAIN.sub(lambda found: _ESCAPES.get(found[0], ""), line)


def components(*texts: str | None) -> str:
    """Return a value of several components from their texts, empty ones at its end left out."""
    return "^".join(escaped(text) for text in texts).rstrip("^")


def subcomponents(*texts: str | None) -> str:
    """Return a component of several subcomponents; for `joined`, since it is escaped already."""
    return "&".join(escaped(text) for text in texts).rstrip("&")


def joined(*parts: str) -> str:
    """Return a value from components that are escaped already, empty ones at its end left out."""
    return "^".join(parts).rstrip("^")


def repeated(values: Iterable[str]) -> str:
    """Return a field of several repetitions; empty ones are left out."""
    return "~".join(value for value in values if value)


def segment(name: str, fields: Mapping[int, str]) -> str:
    """Return a segment, without the carriage return at its end, from its fields by number.

    The fields are escaped already. Of MSH they begin with 3: 1 and 2 are the delimiters.
    """
    first, head = (3, f"MSH{DELIMITERS}") if name == "MSH" else (1, name)
    last = max((number for number, value in fields.items() if value), default=first - 1)
    return "|".join([head, *(fields.get(number, "") for number in range(first, last + 1))])


def message(segments: Iterable[str]) -> str:
    """Return the text of a message: every segment ends with a carriage return (§2.5)."""
    return "".join(f"{one}\r" for one in segments)


def time_stamp(moment: datetime | None, zone: tzinfo) -> str:
    """Return a time as TS (§2.A.77), to the second and with its offset; None gives ""."""
    return "" if moment is None else f"{moment.astimezone(zone):%Y%m%d%H%M%S%z}"


def date_stamp(day: date | None) -> str:
    """Return a date as TS; None gives ""."""
    return "" if day is None else f"{day:%Y%m%d}"
