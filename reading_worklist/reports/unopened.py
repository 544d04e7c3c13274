"""Reports that nobody opens: people are told once, after the time that their centre sets.

A report that the site's own system has taken is read there, and whoever does so is not known here;
it counts as opened unless the centre wants every report opened by a person. An e-mail or a short
message that a report is ready is no such receipt.
"""

from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from reading_worklist.reports import queries
from reading_worklist.workitems import service as workitems
from reading_worklist.workitems.tables import Workitem
from storage import audit
from storage.deliveries import Delivery
from storage.delivery_policy import deadlines_of
from storage.orders.words import Priority
from storage.registry import Destination
from storage.registry.destination_settings import carries_report
from storage.report_pulls import ReportPull


def await_opening(session: Session, item: Workitem, issued_at: datetime) -> None:
    """Begin to wait until somebody opens the version that is being issued."""
    limit = deadlines_of(session, item.site_id).unopened(stat=item.priority is Priority.STAT)
    item.open_by = issued_at + limit
    item.unopened_at = None


def end(item: Workitem) -> None:
    """Wait no more: it was opened, or it does not stand any more."""
    item.open_by = item.unopened_at = None


def run_clock(session: Session, now: datetime, *, limit: int = 100) -> int:
    """Find reports that nobody has opened in time, once each; return how many are new."""
    late = session.scalars(
        select(Workitem)
        .where(Workitem.open_by <= now)
        .order_by(Workitem.open_by)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    told = 0
    for item in late:
        item.open_by = None
        if not deadlines_of(session, item.site_id).always_open and _is_taken(session, item):
            continue
        told += 1
        item.unopened_at = now
        item.revision += 1
        audit.record(
            session,
            workitems.WORKER,
            "workitem:unopened",
            subject_kind="workitem",
            subject_id=item.id,
        )
        workitems.tell(session, item)
    return told


def _is_taken(session: Session, item: Workitem) -> bool:
    """Tell whether a system of the site has the version that stands."""
    standing = queries.standing_version(session, item.id)
    if standing is None:
        return False
    fetched = exists().where(
        ReportPull.report_version_id == standing.id, ReportPull.taken_at.is_not(None)
    )
    if session.scalar(select(fetched)):
        return True
    destinations = session.scalars(
        select(Destination)
        .join(Delivery, Delivery.destination_id == Destination.id)
        .where(
            Delivery.report_version_id == standing.id,
            Delivery.delivered_at.is_not(None),
        )
    )
    return any(carries_report(one.typed_settings) for one in destinations)
