"""Machines that fetch the objects of a report by themselves, over C-GET and C-MOVE."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage import outbox
from storage.clock import utc_now
from storage.messages import ReportFetched
from storage.report_objects.names import ReportObjectKind
from storage.report_objects.tables import ReportObject
from storage.report_pulls import PullChannel, note_pull, note_taken


def note_fetched(
    session: Session, site_id: UUID, sop_instance_uids: Collection[str], machine: str
) -> frozenset[str]:
    """Note which versions a machine of a site is about to get; return what it must not get.

    Those are objects of versions that do not stand any more. The rows are held until the caller's
    transaction ends: a version that is recalled meanwhile is recalled here too.

    machine: the AE title of who will have them.
    """
    rows = session.execute(
        select(
            ReportObject.sop_instance_uid,
            ReportObject.report_version_id,
            ReportObject.superseded_at,
        )
        .where(
            ReportObject.site_id == site_id,
            ReportObject.sop_instance_uid.in_(sop_instance_uids),
        )
        .order_by(ReportObject.sop_instance_uid)
        .with_for_update(read=True)
    ).all()
    at = utc_now()
    for version_id in sorted({row[1] for row in rows if row[2] is None}):
        note_pull(
            session,
            version_id,
            site_id=site_id,
            channel=PullChannel.DICOM,
            machine=machine,
            at=at,
            taken=False,
        )
    return frozenset(row[0] for row in rows if row[2] is not None)


def note_stored(
    session: Session, site_id: UUID, sop_instance_uids: Collection[str], machine: str
) -> None:
    """Note which versions a machine has said to have, and tell of those that are news.

    The page alone decides, as for a delivery. machine: as it was told to `note_fetched`.
    """
    rows = session.execute(
        select(ReportObject.report_version_id, ReportObject.workitem_id).where(
            ReportObject.site_id == site_id,
            ReportObject.kind == ReportObjectKind.PDF,
            ReportObject.sop_instance_uid.in_(sop_instance_uids),
        )
    ).all()
    at = utc_now()
    for version_id, workitem_id in rows:
        if note_taken(session, version_id, channel=PullChannel.DICOM, machine=machine, at=at):
            outbox.emit(
                session,
                ReportFetched(
                    report_version_id=version_id,
                    workitem_id=workitem_id,
                    site_id=site_id,
                    machine=machine,
                    fetched_at=at,
                ),
            )
