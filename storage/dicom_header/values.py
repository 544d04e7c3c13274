"""Values of DICOM text in Python's types; what is malformed is None, no header fails for it."""

import re
from datetime import date, time
from typing import Final

# ACR-NEMA wrote dots and colons (PS3.5 §6.2, DA and TM).
_DATE: Final = re.compile(rb"(\d{4})[.-]?(\d\d)[.-]?(\d\d)")
_TIME: Final = re.compile(rb"(\d\d)(?::?(\d\d)(?::?(\d\d)(?:\.(\d{1,6}))?)?)?")
_WHOLE_NUMBER: Final = re.compile(rb"([+-]?\d{1,12})(?:\.0*)?")
_INTEGER_MAX: Final = 2**31 - 1
_PADDING: Final = b" \0"
_US_BYTES: Final = 2


def first(raw: bytes) -> bytes:
    """Return the first of several values, without padding."""
    return raw.partition(b"\\")[0].strip(_PADDING)


def as_date(raw: bytes) -> date | None:
    """Return a value of VR DA."""
    match = _DATE.fullmatch(first(raw)) if raw else None
    try:
        return date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


def as_time(raw: bytes) -> time | None:
    """Return a value of VR TM; a leap second counts as the one before it."""
    match = _TIME.fullmatch(first(raw)) if raw else None
    if match is None:
        return None
    hour, minute, second, fraction = match.groups(b"0")
    try:
        return time(int(hour), int(minute), min(int(second), 59), int(fraction.ljust(6, b"0")))
    except ValueError:
        return None


def as_integer(raw: bytes) -> int | None:
    """Return a value of VR IS; "3.0", which some write, is 3."""
    match = _WHOLE_NUMBER.fullmatch(first(raw)) if raw else None
    number = int(match.group(1)) if match else None
    return number if number is not None and abs(number) <= _INTEGER_MAX else None


def as_unsigned_short(raw: bytes, *, big_endian: bool) -> int | None:
    """Return the first value of VR US."""
    if len(raw) < _US_BYTES:
        return None
    return int.from_bytes(raw[:_US_BYTES], "big" if big_endian else "little")
