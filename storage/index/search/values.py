"""Values of matching keys (PS3.4 §C.2.2.2): dates, times, numbers, lists and patterns."""

import re
from datetime import date, time
from typing import Final

from storage.errors import RdcError
from storage.identifiers import InvalidIdentifier, Uid

VALUE_LENGTH: Final = 4096
LIST_LENGTH: Final = 500
_NUMBER_MAX: Final = (1 << 31) - 1
_INTEGER: Final = re.compile(r"[+-]?\d{1,10}", re.ASCII)
# With the dots and colons of ACR-NEMA and of ISO 8601 as well, which some clients write.
_DATE: Final = re.compile(r"(\d{4})[.]?(\d\d)[.]?(\d\d)", re.ASCII)
_TIME: Final = re.compile(r"(\d\d)(?::?(\d\d)(?::?(\d\d)(?:\.(\d{1,6}))?)?)?", re.ASCII)
_LEAP_SECOND: Final = 60


class InvalidKey(RdcError):
    """A matching key has a value that its attribute cannot be matched with.

    keyword: the attribute's. `found` repeats the value, so it does not belong into a log.
    """

    def __init__(self, keyword: str, expected: str, found: str) -> None:
        self.keyword = keyword
        super().__init__(
            f"the key {keyword} has a value that cannot be matched",
            expected=expected,
            found=repr(found[:64]),
            remedy="Correct the query.",
        )


def checked(keyword: str, text: str) -> str:
    """Return a key's value without its padding.

    Raises:
        InvalidKey: too long for any use, or with characters that are no text.
    """
    if len(text) > VALUE_LENGTH:
        raise InvalidKey(keyword, f"at most {VALUE_LENGTH} characters", text)
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidKey(keyword, "text without NUL and lone surrogates", text)
    return text.strip()


def has_wildcard(text: str) -> bool:
    """Tell whether a value of text is a pattern (PS3.4 §C.2.2.2.4)."""
    return "*" in text or "?" in text


def like_pattern(text: str) -> str:
    """Return the SQL LIKE pattern, escaped by backslash, of a value with the wildcards * and ?."""
    escaped = re.sub(r"([\\%_])", r"\\\1", text)
    return escaped.replace("*", "%").replace("?", "_")


def listed(keyword: str, text: str, separators: str) -> list[str]:
    """Return the values of a list, without padding and empty ones.

    separators: the characters of which each separates.

    Raises:
        InvalidKey: none, or more than `LIST_LENGTH`.
    """
    values = [part.strip() for part in re.split(f"[{re.escape(separators)}]", text)]
    values = [value for value in values if value]
    if not values or len(values) > LIST_LENGTH:
        raise InvalidKey(keyword, f"1 to {LIST_LENGTH} values", text)
    return values


def uids(keyword: str, text: str) -> list[str]:
    """Return the UIDs of a list (PS3.4 §C.2.2.2.2), separated by backslash or comma.

    Raises:
        InvalidKey: one is no UID.
    """
    try:
        return [Uid.parse(value, what=keyword) for value in listed(keyword, text, "\\,")]
    except InvalidIdentifier as error:
        raise InvalidKey(keyword, error.expected, text) from error


def integer(keyword: str, text: str) -> int:
    """Return a whole number of 32 bits.

    Raises:
        InvalidKey: it is none.
    """
    if not _INTEGER.fullmatch(text) or abs(int(text)) > _NUMBER_MAX:
        raise InvalidKey(keyword, "a whole number of 32 bits", text)
    return int(text)


def date_range(keyword: str, text: str) -> tuple[date | None, date | None]:
    """Return the bounds, both included, of a date or range (PS3.4 §C.2.2.2.5); None for open.

    Raises:
        InvalidKey: it is neither.
    """
    first, dash, last = _bounds(keyword, text, "YYYYMMDD")
    if not dash:
        day = _date(keyword, first)
        return day, day
    return _date(keyword, first) if first else None, _date(keyword, last) if last else None


def time_range(keyword: str, text: str) -> tuple[time | None, time | None]:
    """Return the bounds, both included, of a time or range (PS3.4 §C.2.2.2.5); None for open.

    A time without minutes, seconds or fractions covers all of them.

    Raises:
        InvalidKey: it is neither.
    """
    first, dash, last = _bounds(keyword, text, "HHMMSS")
    if not dash:
        return _time(keyword, first, last=False), _time(keyword, first, last=True)
    return (
        _time(keyword, first, last=False) if first else None,
        _time(keyword, last, last=True) if last else None,
    )


def is_range(text: str) -> bool:
    """Tell whether a date or time is a range."""
    return "-" in text


def same_form(first: str, second: str) -> bool:
    """Tell whether two ranges are open at the same side, or at none (PS3.4 §C.2.2.2.5.4)."""

    def form(text: str) -> tuple[bool, bool]:
        before, _, after = text.partition("-")
        return bool(before.strip()), bool(after.strip())

    return is_range(first) and is_range(second) and form(first) == form(second)


def _bounds(keyword: str, text: str, form: str) -> tuple[str, bool, str]:
    first, dash, last = (part.strip() for part in text.partition("-"))
    if dash and not first and not last:
        raise InvalidKey(keyword, f"{form}, {form}-{form}, {form}- or -{form}", text)
    return first, bool(dash), last


def _date(keyword: str, text: str) -> date:
    found = _DATE.fullmatch(text)
    expected = "a date, YYYYMMDD"
    if found is None:
        raise InvalidKey(keyword, expected, text)
    try:
        return date(*map(int, found.groups()))
    except ValueError as error:
        raise InvalidKey(keyword, expected, text) from error


def _time(keyword: str, text: str, *, last: bool) -> time:
    found = _TIME.fullmatch(text)
    expected = "a time, HH, HHMM or HHMMSS.FFFFFF"
    if found is None:
        raise InvalidKey(keyword, expected, text)
    hours, minutes, seconds, fraction = found.groups()
    rest = "59" if last else "0"
    second = int(seconds or rest)
    micro = int((fraction or "").ljust(6, "9" if last else "0"))
    if second == _LEAP_SECOND:
        second = 59  # as the index keeps it
    try:
        return time(int(hours), int(minutes or rest), second, micro)
    except ValueError as error:
        raise InvalidKey(keyword, expected, text) from error
