r"""Text of a dataset as its writer meant it (PS3.3 C.12.1.1.2, PS3.5 §6.1).

What Specific Character Set (0008,0005) declares is often not what the bytes
are: GBK under "ISO_IR 100" or under nothing, UTF-8 without a label, terms
spelled in ways of their own ("GB18030\ISO IR 192"). So the declaration is
believed where the bytes agree with it; where they contradict it, they decide,
and the text is marked as a guess. Decoded text is a copy: the bytes are the
original and stay with it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self

from pydicom.charset import CODES_TO_ENCODINGS, python_encoding

from storage.text_evidence import chinese_reading, looks_like_utf8, prefer_utf8

UTF8: Final = "ISO_IR 192"
GB18030: Final = "GB18030"
LATIN1: Final = "ISO_IR 100"
_DEFAULT: Final = "ISO_IR 6"

_Reading = tuple[str, str, bool]
"""Text, the defined term that gave it, and whether that is a guess."""

_PLAIN: Final = frozenset({"", _DEFAULT, "ISO 2022 IR 6"})
_LATIN1_TERMS: Final = frozenset({LATIN1, "ISO 2022 IR 100"})
_CHINESE_BY_ESCAPE: Final = frozenset({"ISO 2022 IR 58"})
_WINDOWS_ONLY: Final = re.compile(rb"[\x80-\x9f]")
_REMEMBERED_BYTES: Final = 256
_LONGEST_TAIL: Final = 3
_ESCAPE: Final = b"\x1b"
_FRAGMENT: Final = re.compile(rb"^[^\x1b]+|\x1b[^\x1b]*")
# Each resets code extensions to the first character set (PS3.5 §6.1.2.5.3).
_RESET: Final = re.compile(rb"[\^=\\\r\n\f\t]")
_LONG_ESCAPES: Final = (b"\x1b$(", b"\x1b$)")
# ASCII but for two signs; written without being declared.
_TO_JIS_ROMAN: Final = b"\x1b(J"
# Python decodes these from the escape sequence on; from all others it has to be taken off.
_STATEFUL: Final = frozenset({"iso2022_jp", "iso2022_jp_2"})
# GB18030 contains GB2312 and GBK, which writers overstep under either name.
_CHINESE_CODECS: Final = frozenset({"gb2312", "iso_ir_58", "gbk", "gb18030"})
_CHINESE_NAMES: Final = frozenset(
    {"GBK", "GB2312", "GB231280", "CP936", "MS936", "EUCCN", "HZGB2312"}
)
_UTF8_NAMES: Final = frozenset({"UTF8", "UTF8BOM", "UNICODE"})
_NUMBERED: Final = re.compile(r"(?:ISO)?(2022)?(?:IR)?([0-9]{1,3})")
_ISO_8859: Final = {
    "1": "100",
    "2": "101",
    "3": "109",
    "4": "110",
    "5": "144",
    "6": "127",
    "7": "126",
}
# Without code extensions these would have no first half, so nothing else can be meant.
_MULTIBYTE: Final = frozenset({"58", "87", "149", "159"})
_LATIN9: Final = {"ISO_IR 203": "iso8859_15", "ISO 2022 IR 203": "iso8859_15"}
# Of these, real text is practically never valid UTF-8; of katakana, Thai and Korean it can be.
_NEVER_UTF8: Final = frozenset({"101", "109", "110", "126", "127", "138", "144", "148", "203"})
# Control characters have no meaning in the index, and PostgreSQL refuses NUL.
_CONTROLS: Final = {code: None for code in (*range(32), 0x7F) if chr(code) not in "\t\n\r\f"}


@dataclass(frozen=True, slots=True)
class DecodedText:
    """Text and how it was found.

    character_set: the defined term that gave the text.
    guessed: the declaration did not hold, and the bytes decided.
    original: the bytes as they stand in the dataset, padding included.
    """

    text: str
    character_set: str
    guessed: bool
    original: bytes


@dataclass(frozen=True, slots=True)
class SpecificCharacterSet:
    """What a dataset declares about its text, spelled as the standard does.

    terms: defined terms in their order; a term that nobody knows is left out.
    """

    terms: tuple[str, ...]

    @classmethod
    def parse(cls, declared: bytes | str | Sequence[str]) -> Self:
        """Return what a value of Specific Character Set (0008,0005) says, however spelled."""
        if isinstance(declared, bytes):
            declared = declared.decode("latin-1")
        values = declared.split("\\") if isinstance(declared, str) else declared
        return cls(_terms(tuple(values)))

    def decode(self, original: bytes) -> DecodedText:
        """Return the text in a value, without padding and control characters. Never fails."""
        plain = plain_text(original)
        if plain is not None:
            return DecodedText(plain, next(iter(self.terms), "") or _DEFAULT, False, original)
        raw = original.strip(b" \0")
        # Instances of a study repeat their short values.
        decode = _decode if len(raw) <= _REMEMBERED_BYTES else _decode.__wrapped__
        text, term, guessed = decode(self.terms, raw)
        return DecodedText(_clean(text), term, guessed, original)


def plain_text(original: bytes) -> str | None:
    """Return the text of a value that reads the same in every character set; None of another."""
    if not original.isascii() or _ESCAPE in original:
        return None
    text = original.decode("ascii").strip(" \0")
    return text if text.isprintable() else _clean(text)


def decode_text(original: bytes, declared: bytes | str | Sequence[str] = "") -> DecodedText:
    """Return the text in `original` under the declared Specific Character Set. Never fails."""
    return SpecificCharacterSet.parse(declared).decode(original)


def character_set_for(texts: Iterable[str], declared: bytes | str | Sequence[str]) -> str | None:
    """Return the defined term in which to write `texts` to a reader that knows `declared`.

    None where all is plain ASCII; the declared one where it is single and has every character;
    otherwise that of Unicode.
    """
    written = [text for text in texts if not text.isascii()]
    if not written:
        return None
    terms = SpecificCharacterSet.parse(declared).terms
    if len(terms) == 1 and "2022" not in terms[0] and terms[0] not in _PLAIN:
        try:
            for text in written:
                text.encode(_codec(terms[0]))
        except UnicodeEncodeError:
            return UTF8
        return terms[0]
    return UTF8


def encode_text(text: str, term: str | None) -> bytes:
    """Return `text` in the character set that `character_set_for` has found; None: plain ASCII.

    Raises:
        UnicodeEncodeError: the character set does not have all of it.
    """
    return text.encode("ascii" if term is None else _codec(term))


@lru_cache(maxsize=512)
def _terms(values: tuple[str, ...]) -> tuple[str, ...]:
    found = [_term(value) for value in values]
    # An empty first value stands for the default repertoire, any other for nothing.
    return tuple(
        term for number, term in enumerate(found) if term or (number == 0 and len(found) > 1)
    )


def _term(value: str) -> str:
    """Return the defined term that `value` means; empty when it means none."""
    name = re.sub(r"[\s_.-]+", "", value.strip("\0 ").upper())
    if name.startswith("GB18030") or name in _CHINESE_NAMES:
        return GB18030
    if name in _UTF8_NAMES:
        return UTF8
    if name.startswith(("ISO8859", "LATIN")):
        number = _ISO_8859.get(name.removeprefix("ISO8859").removeprefix("LATIN"), "")
        return f"ISO_IR {number}" if number else ""
    match = _NUMBERED.fullmatch(name)
    extension, number = match.groups() if match else ("", "")
    if number == "192":
        return UTF8
    extended = extension or number in _MULTIBYTE
    term = f"ISO 2022 IR {number}" if extended else f"ISO_IR {number}"
    return term if term in python_encoding or term in _LATIN9 else ""


def _codec(term: str) -> str:
    return _LATIN9.get(term) or python_encoding.get(term) or "latin_1"


@lru_cache(maxsize=4096)
def _decode(terms: tuple[str, ...], raw: bytes) -> _Reading:
    """Decode bytes beyond plain ASCII."""
    extended = _decode_extended(terms, raw) if _ESCAPE in raw else None
    if extended is not None:
        return extended
    first = terms[0] if terms else ""
    declared = {term for term in terms if term in {UTF8, GB18030}}
    if not declared and first in _CHINESE_BY_ESCAPE | _PLAIN and _CHINESE_BY_ESCAPE & set(terms):
        # The escape sequences are left out, but what they would have switched to is said.
        declared = {GB18030}
    if declared:
        return _decode_declared(raw, declared)
    believed = None if first in _PLAIN | _LATIN1_TERMS else _strict(raw, _codec(first))
    if believed is not None and not (_number(first) in _NEVER_UTF8 and looks_like_utf8(raw)):
        return believed, first, False
    return _decode_by_evidence(raw, labelled=first in _LATIN1_TERMS)


def _number(term: str) -> str:
    return term.rpartition(" ")[2]


def _decode_declared(raw: bytes, declared: set[str]) -> _Reading:
    """Decode where UTF-8, Chinese or, against the standard, both are declared."""
    utf8, chinese = _strict(raw, "utf-8-sig"), _strict(raw, "gb18030")
    if utf8 is not None and chinese is not None and GB18030 in declared:
        utf8 = utf8 if prefer_utf8(utf8, chinese) else None
    if utf8 is not None:
        return utf8, UTF8, declared != {UTF8}
    if chinese is not None and (GB18030 in declared or chinese_reading(raw) is not None):
        return chinese, GB18030, declared != {GB18030}
    return _without_cut_end(raw) or _decode_by_evidence(raw, labelled=False)


def _decode_by_evidence(raw: bytes, *, labelled: bool) -> _Reading:
    """Decode what is declared as Latin-1 (`labelled`), as nothing, or wrongly."""
    utf8 = _strict(raw, "utf-8-sig")
    chinese = chinese_reading(raw)
    if utf8 is not None and (chinese is None or prefer_utf8(utf8, chinese)):
        return utf8, UTF8, True
    if chinese is not None:
        return chinese, GB18030, True
    if _WINDOWS_ONLY.search(raw):
        # Latin-1 has no letters there; Windows has quotation marks and dashes.
        return raw.decode("cp1252", errors="replace"), LATIN1, True
    return raw.decode("latin_1"), LATIN1, not labelled


def _strict(raw: bytes, codec: str) -> str | None:
    try:
        return raw.decode(codec)
    except (UnicodeError, LookupError):
        return None


def _without_cut_end(raw: bytes) -> _Reading | None:
    """Decode a value that was cut within its last character, as writers cut at 64 bytes."""
    for codec, term in (("utf-8", UTF8), ("gb18030", GB18030)):
        try:
            raw.decode(codec)
        except UnicodeDecodeError as error:
            if error.end == len(raw) and error.start >= len(raw) - _LONGEST_TAIL:
                return raw[: error.start].decode(codec) + "\ufffd", term, True
    return None


def _decode_extended(terms: tuple[str, ...], raw: bytes) -> _Reading | None:
    """Decode text with code extensions (ISO 2022); None when that cannot be done."""
    first = _codec(terms[0]) if terms else _codec(_DEFAULT)
    declared = {_codec(term) for term in terms} | {_codec(_DEFAULT)}
    parts: list[str] = []
    guessed = False
    for fragment in _FRAGMENT.findall(raw):
        codec, content, rest = first, fragment, b""
        if fragment.startswith(_ESCAPE):
            length = 4 if fragment.startswith(_LONG_ESCAPES) else 3
            codec = CODES_TO_ENCODINGS.get(fragment[:length], "")
            guessed |= codec not in declared and fragment[:length] != _TO_JIS_ROMAN
            if codec not in _STATEFUL:
                content, rest = _until_reset(fragment[length:])
        if rest and not rest.isascii() and first == _codec(_DEFAULT):
            # The default repertoire has no such characters: the writer has
            # forgotten to repeat the escape sequence after a delimiter.
            content, rest, guessed = content + rest, b"", True
        if not codec:
            return None
        text = _strict(content, "gb18030" if codec in _CHINESE_CODECS else codec)
        after = _strict(rest, first)
        if text is None or after is None:
            return None
        parts += (text, after)
    return "".join(parts), "\\".join(terms) or _DEFAULT, guessed


def _until_reset(content: bytes) -> tuple[bytes, bytes]:
    reset = _RESET.search(content)
    return (content[: reset.start()], content[reset.start() :]) if reset else (content, b"")


def _clean(text: str) -> str:
    return text.translate(_CONTROLS).strip(" ")
