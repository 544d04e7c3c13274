"""The day that it is at the centre, where a day is a person's: of roles, agreements, duties.

Times are kept in UTC, whose day begins in China at eight in the morning: a night shift that begins
its role at midnight would wait for it.
"""

from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Date, cast, func

SETTING: Final = "rdc.time_zone"


def connection_option(time_zone: str) -> str:
    """Return what tells PostgreSQL, in a connection's options, which zone's days `civil_day` means.

    Raises:
        ZoneInfoNotFoundError: there is no such zone.
    """
    return f"-c {SETTING}={ZoneInfo(time_zone).key}"


def civil_day() -> ColumnElement[date]:
    """Return the SQL expression of the day that it is in the zone of the asking `Database`."""
    zone = func.coalesce(func.nullif(func.current_setting(SETTING, True), ""), "UTC")
    return cast(func.timezone(zone, func.now()), Date)
