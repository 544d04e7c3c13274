"""How much each site keeps, without counting instances for every look.

Series and studies carry their own sums; a rollup by site, modality and month is
made from the series every few minutes and read by pages.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Date, cast, delete, func, insert, select, text
from sqlalchemy.orm import Session

from storage.clock import utc_now
from storage.index.tables import Series, Study
from storage.keeping.tables import StorageUsage

FRESH: Final = timedelta(minutes=10)
_LOCK: Final = 0x52444355  # advisory lock key, ASCII "RDCU"


def refreshed_at(session: Session) -> datetime | None:
    """Return when the rollup was made last, None when never or when nothing is kept."""
    return session.scalar(select(func.max(StorageUsage.refreshed_at)))


def totals(session: Session) -> dict[UUID, tuple[int, int]]:
    """Return by site how many instances are kept and their bytes, as of the last rollup."""
    rows = session.execute(
        select(
            StorageUsage.site_id, func.sum(StorageUsage.instances), func.sum(StorageUsage.bytes)
        ).group_by(StorageUsage.site_id)
    )
    return {row[0]: (int(row[1]), int(row[2])) for row in rows}


def refresh(session: Session, *, older_than: timedelta = FRESH) -> bool:
    """Make the rollup again when it is older; return whether it was made.

    It reads one row for each series (2 s for three millions). Of several processes one does it.
    """
    made = refreshed_at(session)
    now = utc_now()
    if made is not None and now - made < older_than:
        return False
    if not session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK}):
        return False
    modality = func.coalesce(Series.modality, "")
    month = cast(func.date_trunc("month", func.timezone("UTC", Study.first_received_at)), Date)
    session.execute(delete(StorageUsage))
    session.execute(
        insert(StorageUsage).from_select(
            [
                "site_id",
                "modality",
                "month",
                "studies",
                "series",
                "instances",
                "bytes",
                "refreshed_at",
            ],
            select(
                Study.site_id,
                modality,
                month,
                func.count(Study.id.distinct()),
                func.count(),
                func.sum(Series.instance_count),
                func.sum(Series.byte_count),
                func.clock_timestamp(),
            )
            .join(Study, Study.id == Series.study_id)
            .group_by(Study.site_id, modality, month),
        )
    )
    return True
