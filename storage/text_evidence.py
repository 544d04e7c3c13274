"""What unlabelled bytes look like: Chinese in GBK, UTF-8, or the Latin alphabet.

GBK and Latin-1 overlap almost wholly: "Rüdiger" is valid GBK with a rare Han
character in it, 王 is "Íõ". What tells them apart is how people write. Latin
words carry single accented letters among plain ones, in natural case; Chinese
text is runs of characters from GB2312, most of them from its first level, the
3,755 in daily use.
"""

import re
from functools import lru_cache
from typing import Final

_LETTERS: Final = frozenset(range(0xC0, 0x100)) - {0xD7, 0xF7}
# Signs that Western text holds too: no-break space ¡ § ª ° ± ² ³ ´ µ · º ¼ ½ ¾ ¿.
_WESTERN_SIGNS: Final = frozenset(
    b"\xa0\xa1\xa7\xaa\xb0\xb1\xb2\xb3\xb4\xb5\xb7\xba\xbc\xbd\xbe\xbf"
)
_FINNISH_PAIRS: Final = frozenset({b"\xc4\xc4", b"\xd6\xd6"})
_LOWER: Final = 0xE0
_SHARP_S: Final = 0xDF
_HIGH_RUN: Final = re.compile(rb"[\x80-\xff]+")
_WORD_BREAK: Final = re.compile(r"[\x00-@\[-`{-\x7f]+")
_ASCII_LETTER: Final = re.compile(r"[A-Za-z]")
_FIRST_CJK: Final = 0x2E80
_LATIN1_END: Final = 0xFF
# Latin with the letters of Vietnamese and Romanian, Greek, Cyrillic, punctuation, € and ™.
_WESTERN_BLOCKS: Final = (
    (0x100, 0x17F),
    (0x1A0, 0x1A1),
    (0x1AF, 0x1B0),
    (0x218, 0x21B),
    (0x386, 0x3CE),
    (0x400, 0x45F),
    (0x1E00, 0x1EFF),
    (0x2010, 0x2027),
    (0x20AC, 0x20AC),
    (0x2122, 0x2122),
)
_HAN_BLOCKS: Final = ((0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))
# One sign that Chinese text seldom holds is let through among so many usual characters.
_FOREIGN_SHARE: Final = 4
_PAIR: Final = 2
_LONGEST_RUN: Final = 3
_TAIL: Final = 3
_LEVEL_1: Final = (0xB0, 0xD7)
_LEVEL_2: Final = (0xD8, 0xF7)
_SIGN_ROWS: Final = (0xA1, 0xA9)
_GRADES: Final = {"level 1": 1.0, "level 2": 0.6, "sign": 0.6, "rare": 0.2, "foreign": 0.0}
_STRONG: Final = frozenset({"level 1", "level 2"})


@lru_cache(maxsize=8192)
def _kind(character: str) -> str:
    """Tell how usual a character of GB18030 is in Chinese text."""
    try:
        row = character.encode("gb2312")[0]
    except UnicodeEncodeError:
        return "rare" if _is_han(character) else "foreign"
    if _LEVEL_1[0] <= row <= _LEVEL_1[1]:
        return "level 1"
    if _LEVEL_2[0] <= row <= _LEVEL_2[1]:
        return "level 2"
    return "sign" if _SIGN_ROWS[0] <= row <= _SIGN_ROWS[1] else "foreign"


def _is_han(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in _HAN_BLOCKS)


def _usualness(text: str) -> float:
    """Return from 0 to 1 how usual the characters beyond ASCII are in Chinese text."""
    grades = [_GRADES[_kind(character)] for character in text if not character.isascii()]
    return sum(grades) / len(grades) if grades else 0.0


def looks_like_utf8(raw: bytes) -> bool:
    """Tell whether `raw` is UTF-8 with at least two characters beyond ASCII."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return sum(not character.isascii() for character in text) >= _PAIR


def prefer_utf8(utf8: str, chinese: str) -> bool:
    """Decide between two valid readings of the same bytes, as UTF-8 and as GB18030."""
    if any(ord(character) >= _FIRST_CJK for character in utf8):
        return _usualness(utf8) >= _usualness(chinese)
    if not all(_is_western(character) for character in utf8):
        return False
    # Western words are likelier than all but wholly usual Chinese with no letter beside it.
    if _usualness(chinese) < _GRADES["level 1"]:
        return True
    return re.search(r"[A-Za-z][^\x00-\x7f]|[^\x00-\x7f][A-Za-z]", chinese) is not None


def _is_western(character: str) -> bool:
    code = ord(character)
    if code <= _LATIN1_END:
        return code in _LETTERS or code in _WESTERN_SIGNS or character.isascii()
    return any(first <= code <= last for first, last in _WESTERN_BLOCKS)


def chinese_reading(raw: bytes) -> str | None:
    """Return `raw` read as GB18030 when it is likelier Chinese than Western; None otherwise.

    A value that was cut within its last character ends in U+FFFD.
    """
    text, cut = _decode(raw)
    kinds = [_kind(character) for character in text or "" if not character.isascii()]
    usual = sum(kind in _STRONG for kind in kinds)
    if text is None or not kinds or kinds.count("foreign") * _FOREIGN_SHARE > usual:
        return None
    words = [word for word in _WORD_BREAK.split(text) if not word.isascii()]
    if usual:
        strong = [word for word in words if _has_usual(word) and not _latin_word(word)]
        if any(_latin_word(word) for word in words):
            # Where one word is Western, another with plain letters in it is so too.
            strong = [word for word in strong if not _ASCII_LETTER.search(word)]
        enough = sum(len(word) for word in strong) >= (_PAIR if cut else 1)
        return text + "\ufffd" * cut if enough else None
    # Only rare characters, whose second byte may be a plain letter: no Western text is so.
    western = all(byte in _LETTERS or byte in _WESTERN_SIGNS for byte in _beyond_ascii(raw))
    mixed = any(character.isascii() for word in words for character in word)
    return None if cut or western or mixed or not words else text


def _beyond_ascii(raw: bytes) -> bytes:
    return b"".join(_HIGH_RUN.findall(raw))


def _has_usual(word: str) -> bool:
    return any(_kind(character) in _STRONG for character in word)


def _decode(raw: bytes) -> tuple[str | None, bool]:
    try:
        return raw.decode("gb18030"), False
    except UnicodeDecodeError as error:
        if error.end == len(raw) and error.start >= len(raw) - _TAIL:
            return raw[: error.start].decode("gb18030"), True
    return None, False


def _latin_word(word: str) -> bool:
    """Tell whether a word that GB18030 reads as Chinese is rather a Western one, as "NÚÑEZ"."""
    raw = word.encode("gb18030")
    high = _beyond_ascii(raw)
    western = raw.decode("latin_1").replace("ß", "")
    natural = western.islower() or western.isupper() or western.istitle()
    if not natural or any(byte not in _LETTERS for byte in high):
        return False
    runs = list(_HIGH_RUN.finditer(raw))
    if any(len(run.group()) == 1 for run in runs):
        return True
    many_plain = len(_ASCII_LETTER.findall(western)) > len(high)
    return all(_latin_run(raw, run, many_plain=many_plain) for run in runs)


def _latin_run(raw: bytes, run: re.Match[bytes], *, many_plain: bool) -> bool:
    """Tell whether accented letters in a row can belong to a Western word."""
    letters = run.group()
    before, after = raw[: run.start()][-1:], raw[run.end() :][:1]
    if all(byte >= _LOWER or byte == _SHARP_S for byte in letters):
        # Read as Chinese these are second-level characters, seldom beside lower-case letters.
        return len(letters) <= _LONGEST_RUN and (before.islower() or after.islower())
    if len(letters) > _PAIR:
        return False
    if before.isalpha() and (after.isalpha() or letters in _FINNISH_PAIRS):
        return many_plain
    return not before and after.islower() and letters[1] >= _LOWER
