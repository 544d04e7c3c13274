"""How much of everything is kept for each site, weighed while a verification walks the store.

The rollup of `usage` is made from rows, which do not know the size of documents and of what was
prepared from a series. Here the objects themselves are counted, by whose they are.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from storage.database import Database
from storage.index.tables import Series, Study
from storage.issued_reports.tables import IssuedReportRow
from storage.keeping.tables import KeptObjects
from storage.objects import ObjectKey

_AT_ONCE: Final = 2000
_SERIES_AT: Final = 2


class KeptKind(StrEnum):
    """What an object is: instances as received and of reports, signed pages, originals, the rest.

    PREPARED: made from instances to be served quickly; can be made again.
    """

    INSTANCES = "instances"
    QUARANTINE = "quarantine"
    ECG_FILES = "ecg_files"
    REPORTS = "reports"
    PREPARED = "prepared"


_FOLDERS: Final = {
    "instances": KeptKind.INSTANCES,
    "quarantine": KeptKind.QUARANTINE,
    "ecg-files": KeptKind.ECG_FILES,
    "reports": KeptKind.REPORTS,
    "derived": KeptKind.PREPARED,
}


class KeptScales:
    """Adds up objects by site and kind; what cannot be told whose it is counts nowhere."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sizes: Counter[tuple[UUID, KeptKind]] = Counter()
        self._numbers: Counter[tuple[UUID, KeptKind]] = Counter()
        # By series or workitem, until enough have come to ask whose they are.
        self._waiting: dict[tuple[KeptKind, str], tuple[int, int]] = {}

    def add(self, key: ObjectKey, size: int) -> None:
        """Count one object."""
        parts = key.split("/")
        kind = _FOLDERS.get(parts[0])
        at = _SERIES_AT if kind is KeptKind.PREPARED else 1
        if kind is None or len(parts) <= at:
            return
        owner = parts[at]
        if kind in {KeptKind.REPORTS, KeptKind.PREPARED}:
            number, total = self._waiting.get((kind, owner), (0, 0))
            self._waiting[kind, owner] = (number + 1, total + size)
            if len(self._waiting) >= _AT_ONCE:
                self._settle()
            return
        site = _uuid(owner)
        if site is not None:
            self._count(site, kind, 1, size)

    def write(self, session: Session, at: datetime) -> None:
        """Keep what was counted in the place of what was counted before."""
        self._settle()
        session.execute(delete(KeptObjects))
        rows = [
            {
                "site_id": site,
                "kind": kind,
                "objects": number,
                "bytes": self._sizes[site, kind],
                "counted_at": at,
            }
            for (site, kind), number in sorted(self._numbers.items())
        ]
        if rows:
            session.execute(insert(KeptObjects), rows)

    def _settle(self) -> None:
        waiting, self._waiting = self._waiting, {}
        reports = [name for kind, name in waiting if kind is KeptKind.REPORTS]
        prepared = [name for kind, name in waiting if kind is KeptKind.PREPARED]
        with self._database.transaction() as session:
            sites = {
                KeptKind.REPORTS: _sites_of_reports(session, reports),
                KeptKind.PREPARED: _sites_of_series(session, prepared),
            }
        for (kind, name), (number, size) in waiting.items():
            site = sites[kind].get(name)
            if site is not None:
                self._count(site, kind, number, size)

    def _count(self, site: UUID, kind: KeptKind, number: int, size: int) -> None:
        self._numbers[site, kind] += number
        self._sizes[site, kind] += size


def kept_of(session: Session, site_id: UUID) -> list[KeptObjects]:
    """Return what was counted of a site when the store was last walked as a whole, by kind."""
    return list(
        session.scalars(
            select(KeptObjects).where(KeptObjects.site_id == site_id).order_by(KeptObjects.kind)
        )
    )


def _sites_of_reports(session: Session, workitem_ids: list[str]) -> Mapping[str, UUID]:
    ids = [found for one in workitem_ids if (found := _uuid(one)) is not None]
    rows = session.execute(
        select(IssuedReportRow.workitem_id, IssuedReportRow.site_id)
        .where(IssuedReportRow.workitem_id.in_(ids))
        .distinct()
    )
    return {str(workitem): site for workitem, site in rows}


def _sites_of_series(session: Session, series_ids: list[str]) -> Mapping[str, UUID]:
    ids = [int(one) for one in series_ids if one.isdecimal()]
    rows = session.execute(
        select(Series.id, Study.site_id)
        .join(Study, Study.id == Series.study_id)
        .where(Series.id.in_(ids))
    )
    return {str(series): site for series, site in rows}


def _uuid(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None
