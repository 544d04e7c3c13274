"""Dates and times of a search (R4 §3.1.1.5.5): what a value names is a span, not a moment."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from reading_worklist.fhir.refusals import bad_value

_MOMENT: Final = re.compile(
    r"(?P<prefix>eq|ne|gt|lt|ge|le|sa|eb)?"
    r"(?P<year>\d{4})(?:-(?P<month>\d{2})(?:-(?P<day>\d{2})"
    r"(?:T(?P<hour>\d{2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.(?P<fraction>\d{1,9}))?)?"
    r"(?P<zone>Z|[+-]\d{2}:\d{2})?)?)?)?",
    re.ASCII,
)


def parse_range(value: str, time_zone: str, *, name: str) -> tuple[str, datetime, datetime]:
    """Return prefix, beginning and end of the time that a value names (R4 §3.1.1.5.5).

    Raises:
        Problem: 400 when it is no date or time.
    """
    expected = "a date or a time such as ge2026-03-14T08:00:00+08:00"
    found = _MOMENT.fullmatch(value)
    if found is None:
        raise bad_value(name, expected)
    try:
        begins, ends = _span(found, ZoneInfo(time_zone))
    except (ValueError, OverflowError) as error:
        raise bad_value(name, expected) from error
    return found["prefix"] or "eq", begins, ends


def _span(found: re.Match[str], zone: ZoneInfo) -> tuple[datetime, datetime]:
    year = int(found["year"])
    if found["month"] is None:
        begins = datetime(year, 1, 1, tzinfo=zone)
        return _utc(begins), _utc(begins.replace(year=year + 1))
    month = int(found["month"])
    if found["day"] is None:
        begins = datetime(year, month, 1, tzinfo=zone)
        later = (begins + timedelta(days=31)).replace(day=1)
        return _utc(begins), _utc(later)
    begins = datetime(year, month, int(found["day"]), tzinfo=zone)
    if found["hour"] is None:
        return _utc(begins), _utc(begins + timedelta(days=1))
    begins = begins.replace(hour=int(found["hour"]), minute=int(found["minute"]))
    if found["zone"]:
        offset = "+00:00" if found["zone"] == "Z" else found["zone"]
        begins = begins.replace(tzinfo=datetime.fromisoformat(f"2000-01-01T00:00{offset}").tzinfo)
    if found["second"] is None:
        return _utc(begins), _utc(begins) + timedelta(minutes=1)
    begins = begins.replace(second=int(found["second"]))
    if found["fraction"] is None:
        return _utc(begins), _utc(begins) + timedelta(seconds=1)
    begins = begins.replace(microsecond=int(found["fraction"][:6].ljust(6, "0")) // 1000 * 1000)
    return _utc(begins), _utc(begins) + timedelta(milliseconds=1)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
