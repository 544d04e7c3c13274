r"""Reading an HL7 v2 message: its text, its segments, its values.

The `hl7` library cuts the message; escapes are resolved here, since the library's own would write
patient data into the log and repeat characters as often as a message says.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self, cast

import hl7

from storage.character_sets import DecodedText, SpecificCharacterSet
from storage.errors import RdcError

REQUIRED_FIELD_MISSING: Final = 101
DATA_TYPE_ERROR: Final = 102
SEGMENT_SEQUENCE_ERROR: Final = 100
TABLE_VALUE_NOT_FOUND: Final = 103
_ENCODING_LENGTH: Final = 5
_FIRST: Final = re.compile(rb"\s*(?:\xef\xbb\xbf)?(MSH.*)", re.DOTALL)
_LINE_END: Final = re.compile(r"\r\n|\n")
_NULL: Final = '""'
# Table 0211 in the defined terms of DICOM, which the decoder speaks.
_CHARACTER_SETS: Final = {
    "ASCII": "",
    "UNICODE UTF-8": "ISO_IR 192",
    "UTF-8": "ISO_IR 192",
    "UTF8": "ISO_IR 192",
    "GB 18030-2000": "GB18030",
    "8859/1": "ISO_IR 100",
}
_CODECS: Final = {"ISO_IR 192": "utf-8", "GB18030": "gb18030"}
_HEX: Final = re.compile(r"X((?:[0-9A-Fa-f]{2})+)")


class MessageRefused(RdcError):
    """A message, or an order in it, cannot be taken.

    location: segment, its number, field: as ERR-2 tells it; fields it cannot name are 0.
    code: of table 0357.
    rejected: AR, for reasons other than what the message orders; else AE.
    """

    def __init__(
        self,
        what: str,
        *,
        location: tuple[str, int, int] = ("MSH", 1, 0),
        code: int = SEGMENT_SEQUENCE_ERROR,
        rejected: bool = False,
        expected: str = "",
        found: str = "",
        remedy: str = "",
    ) -> None:
        self.location = location
        self.code = code
        self.rejected = rejected
        super().__init__(what, expected=expected, found=found, remedy=remedy)


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment; `number` counts those of its name from 1."""

    name: str
    number: int
    cut: Any
    separators: str

    def text(self, field: int, component: int = 1, *, repetition: int = 1) -> str | None:
        """Return a value without surrounding spaces; None when it is absent, empty or null.

        Of a value with subcomponents the first.
        """
        value: Any = self.cut[field] if field < len(self.cut) else ""
        for index in (repetition, component, 1):
            if isinstance(value, str):
                if index > 1:
                    return None
            elif index > len(value):
                return None
            else:
                value = value[index - 1]
        if not isinstance(value, str):
            return None
        plain = _unescaped(value, self.separators).strip()
        return None if plain in {"", _NULL} else plain

    def repetitions(self, field: int) -> int:
        """Return how often a field is repeated; 0 when it is absent."""
        return len(self.cut[field]) if field < len(self.cut) else 0

    def place(self, field: int) -> tuple[str, int, int]:
        """Return the location of a field for ERR-2."""
        return (self.name, self.number, field)


@dataclass(frozen=True, slots=True)
class Message:
    """A message that was cut into segments.

    codec: Python's name of the encoding the text was found to have; for the answer.
    guessed: MSH-18 did not hold.
    """

    segments: Sequence[Segment]
    codec: str
    guessed: bool

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Read the bytes of a message.

        Raises:
            MessageRefused: it is no HL7 v2 message.
        """
        found = _FIRST.match(content)
        if found is None or len(found[1]) < len("MSH|^~\\&|"):
            raise _unreadable("something else at its beginning")
        decoded = _decoded(found[1])
        text = _LINE_END.sub("\r", decoded.text).strip("\r ")
        separators = text[3 : 3 + _ENCODING_LENGTH]
        if not _usable(separators):
            raise _unreadable("delimiters that are letters, digits or the same twice")
        try:
            cut = cast("Sequence[Any]", cast("Any", hl7).parse(text))
        # The library raises nearly anything for what is malformed.
        except Exception as error:
            raise _unreadable("what cannot be cut into segments") from error
        counts: dict[str, int] = {}
        segments: list[Segment] = []
        for one in cut:
            name = str(one[0])[:3]
            counts[name] = counts.get(name, 0) + 1
            segments.append(Segment(name, counts[name], one, separators))
        return cls(segments, _CODECS.get(decoded.character_set, "latin-1"), decoded.guessed)

    @property
    def header(self) -> Segment:
        """The MSH segment."""
        return self.segments[0]

    def first(self, name: str) -> Segment | None:
        """Return the first segment of a name; None without one."""
        return next((one for one in self.segments if one.name == name), None)


def _decoded(content: bytes) -> DecodedText:
    """Return the text of a message by what MSH-18 declares and by evidence."""
    separator = content[3:4]
    fields = re.split(rb"[\r\n]", content, maxsplit=1)[0].split(separator)
    # MSH-1 is the separator itself, so that MSH-18 is the 18th piece from the name on.
    declared = fields[17] if len(fields) > 17 else b""  # noqa: PLR2004 -- the field's number
    first = declared.split(content[5:6])[0].decode("latin-1").strip().upper()
    term = _CHARACTER_SETS.get(first, first)
    return SpecificCharacterSet.parse(term).decode(content)


def _usable(separators: str) -> bool:
    return len(set(separators)) == len(separators) == _ENCODING_LENGTH and not any(
        c.isalnum() or c.isspace() for c in separators
    )


def _unescaped(value: str, separators: str) -> str:
    """Resolve escape sequences (HL7 v2.5.1 §2.7); those that mean nothing here are dropped."""
    field, component, repetition, escape, subcomponent = separators
    if escape not in value:
        return value
    meanings = {
        "F": field,
        "S": component,
        "R": repetition,
        "E": escape,
        "T": subcomponent,
        ".br": "\n",
    }
    parts = value.split(escape)
    resolved: list[str] = []
    for number, part in enumerate(parts):
        if number % 2 == 0:
            resolved.append(part)
        elif number == len(parts) - 1:
            resolved.append(escape + part)
        elif (found := _HEX.fullmatch(part)) is not None:
            resolved.append(bytes.fromhex(found[1]).decode("utf-8", "replace"))
        else:
            resolved.append(meanings.get(part, ""))
    return "".join(resolved)


def _unreadable(found: str) -> MessageRefused:
    return MessageRefused(
        "this is no HL7 v2 message",
        rejected=True,
        expected="MSH with its delimiters at the beginning",
        found=found,
    )
