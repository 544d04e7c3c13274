"""Text in a character set that a device can read (PS3.3 C.12.1.1.2)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from pydicom.charset import convert_encodings, python_encoding
from pydicom.valuerep import PersonName

from storage.character_sets import SpecificCharacterSet
from storage.transliteration import to_ascii

_CHINESE_BY_ESCAPE: Final = "ISO 2022 IR 58"
_ESCAPED_ENCODINGS: Final = convert_encodings(["", _CHINESE_BY_ESCAPE])
_ESCAPE: Final = "\x1b$)A"
_NOT_ASCII: Final = re.compile(r"(?=[^\x00-\x7f])")
_DELIMITER: Final = re.compile(r"([\^=\\\r\n\t\f])")
_GBK: Final = "GBK"
# Code extensions of other languages are never needed for Chinese.
_EXTENDED: Final = "2022"


@dataclass(slots=True)
class Readable:
    """Writes text for one device; `used` when any of it was beyond ASCII.

    declared: the values of Specific Character Set (0008,0005).
    codec: Python's name of the encoding, "ascii" for the default repertoire.
    """

    declared: Sequence[str]
    codec: str
    used: bool = field(default=False, init=False)

    def value(self, text: str, vr: str) -> str | bytes | PersonName | None:
        """Return what an element of this VR is given for `text`; None for no text."""
        written = self.written(text, is_name=vr == "PN")
        if _CHINESE_BY_ESCAPE not in self.declared or written.isascii():
            return written or None
        # pydicom leaves the escape sequences out.
        encoded = _with_escapes(written).encode(self.codec)
        return PersonName(encoded, _ESCAPED_ENCODINGS) if vr == "PN" else encoded

    def written(self, text: str, *, is_name: bool = False) -> str:
        """Return `text` as the device can read it: as it is, else in Latin letters.

        Of a name the groups that it can read remain.
        """
        if text.isascii():
            return text
        if _fits(text, self.codec):
            self.used = True
            return text
        if is_name and text.partition("=")[0].isascii():
            return text.partition("=")[0]
        return to_ascii(text)


def readable_by(requested: bytes, registered: str | None) -> Readable:
    """Return how to write for a device.

    requested: Specific Character Set of its request: what it says it can read.
    registered: what is known of it otherwise; decides where the request names none beyond Latin.
    """
    plain = requested.decode("latin-1").strip("\0 ").upper()
    for terms in (_terms(requested), _terms((registered or "").encode())):
        for term in terms:
            if term == _CHINESE_BY_ESCAPE:
                return Readable(("", _CHINESE_BY_ESCAPE), "gb2312")
            codec = python_encoding.get(term, "")
            if _EXTENDED in term or not _fits("中", codec):
                continue
            # A device that asks for GBK by that name may not know GB18030's.
            label = _GBK if term == "GB18030" and _GBK in {plain, registered} else term
            return Readable((label,), "gbk" if label == _GBK else codec)
    for term in _terms(requested):
        if _EXTENDED not in term and python_encoding.get(term):
            return Readable((term,), python_encoding[term])
    return Readable((), "ascii")


def _with_escapes(text: str) -> str:
    """Put the escape sequence before the first character of each part that needs it.

    Every delimiter switches back to the first character set (PS3.5 §6.1.2.5.3).
    """
    return "".join(_NOT_ASCII.sub(_ESCAPE, part, count=1) for part in _DELIMITER.split(text))


def _terms(declared: bytes) -> tuple[str, ...]:
    return SpecificCharacterSet.parse(declared).terms


def _fits(text: str, codec: str) -> bool:
    try:
        text.encode(codec)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
