"""Putting what is issued into the feed of its site."""

from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from storage.clock import utc_now
from storage.fhir.elements import Element
from storage.fhir.identities import Systems
from storage.fhir.mapping import tell
from storage.issued_feed.tables import IssuedFeed, IssuedFeedEntry, IssuedResource
from storage.issued_reports.model import IssuedReport
from storage.report_status import IssuedKind

_STEP: Final = timedelta(milliseconds=1)


def append(session: Session, report: IssuedReport) -> int:
    """Put an issued report at the end of its site's feed; return its position.

    In the transaction that issues it, and once. Until that is committed nothing else is issued to
    the site: it must wait for nothing but the database.
    """
    now = utc_now()
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)
    made = insert(IssuedFeed).values(site_id=report.site.id, position=1, at=now)
    position, at = session.execute(
        made.on_conflict_do_update(
            index_elements=["site_id"],
            set_={
                "position": IssuedFeed.position + 1,
                "at": func.greatest(made.excluded.at, IssuedFeed.at + _STEP),
            },
        ).returning(IssuedFeed.position, IssuedFeed.at)
    ).one()
    rank = rank_of(report)
    is_late = _outranked(session, report.workitem_id, rank)
    told = tell(report, Systems.of_site(report.site.id))
    terms = {name: terms_of(one) for name, one in told.resources.items()}
    session.execute(
        insert(IssuedFeedEntry).values(
            site_id=report.site.id,
            position=position,
            at=at,
            report_version_id=report.report_version_id,
            workitem_id=report.workitem_id,
            rank=rank,
            is_current=not is_late,
            is_late=is_late,
            status=report.status,
            patient_id=told.ids.patient,
            study_id=told.ids.study,
            order_id=told.ids.order,
            issued_at=report.times.issued,
            performed_at=_performed_at(report),
            terms=sorted(set[str]().union(*terms.values())),
        )
    )
    terms["Binary", told.ids.binary] = set()
    _name(session, report.site.id, position, terms, is_late=is_late)
    return position


def _performed_at(report: IssuedReport) -> datetime | None:
    """Return when the exam was made: of an exam whose device names the day alone, its midnight."""
    if report.times.acquired is not None or report.exam.study_date is None:
        return report.times.acquired
    return datetime.combine(report.exam.study_date, time(), ZoneInfo(report.time_zone))


def rank_of(report: IssuedReport) -> int:
    """Return where a version stands among those of its exam."""
    return 2 * report.version_number + (report.kind is IssuedKind.NOTICE)


def _outranked(session: Session, workitem_id: UUID, rank: int) -> bool:
    """Take its place from the entry that was current; tell whether that one keeps it."""
    current = session.scalar(
        select(IssuedFeedEntry).where(
            IssuedFeedEntry.workitem_id == workitem_id, IssuedFeedEntry.is_current
        )
    )
    if current is None:
        return False
    if current.rank > rank:
        return True
    current.is_current = False
    session.flush()
    return False


def terms_of(one: Element) -> set[str]:
    """Return the tokens by which a resource is found.

    ``TYPE.PARAMETER=SYSTEM|CODE``, and the same without the system, as a search without one asks.
    """
    kind = one["resourceType"]
    found = _tokens(f"{kind}.identifier", one.get("identifier", ()))
    if kind in {"DiagnosticReport", "Observation"}:
        found |= _tokens(f"{kind}.code", one["code"].get("coding", ()))
        for category in one.get("category", ()):
            found |= _tokens(f"{kind}.category", category.get("coding", ()))
    if kind == "Observation":
        found |= _tokens(f"{kind}.status", [{"code": one["status"]}])
    if kind == "ImagingStudy":
        found |= _tokens(f"{kind}.modality", one.get("modality", ()))
    return found


def _tokens(name: str, elements: Iterable[Element]) -> set[str]:
    found: set[str] = set()
    for one in elements:
        system, value = one.get("system", ""), one.get("value") or one.get("code") or ""
        if value:
            found |= {f"{name}={system}|{value}", f"{name}={value}"}
    return found


def _name(
    session: Session,
    site_id: UUID,
    position: int,
    terms: Mapping[tuple[str, UUID], set[str]],
    *,
    is_late: bool,
) -> None:
    made = insert(IssuedResource).values(
        [
            {
                "site_id": site_id,
                "kind": kind,
                "resource_id": one,
                "position": position,
                "terms": sorted(terms[kind, one]),
            }
            for kind, one in sorted(terms)
        ]
    )
    key = ["site_id", "kind", "resource_id"]
    session.execute(
        made.on_conflict_do_nothing(index_elements=key)
        if is_late
        else made.on_conflict_do_update(
            index_elements=key, set_={"position": made.excluded.position}
        )
    )
