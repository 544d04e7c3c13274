"""A version goes out: the row, the recall of the one before it, the message, and its clock."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.reports import issued, queries, recalls, unopened
from reading_worklist.reports.document import ReportStatus
from reading_worklist.reports.documents import StoredPdf
from reading_worklist.reports.states import RecallKind
from reading_worklist.reports.tables import ReportSubmission, ReportVersion
from reading_worklist.workitems import service as workitems
from reading_worklist.workitems.tables import Workitem
from storage import audit, metering, outbox, tracing
from storage.clock import utc_now
from storage.database import notify
from storage.deliveries import CHANNEL, Delivery, DeliveryState
from storage.index.tables import Study
from storage.messages import ReportIssued

ACKNOWLEDGED_WITHIN: Final = timedelta(minutes=30)
"""How long a site's machine or people may take to have a report before somebody is told."""


def issue(
    session: Session,
    scope: Scope,
    item: Workitem,
    submission: ReportSubmission,
    stored: StoredPdf,
    *,
    reviewer_id: UUID | None,
    reason: str,
    single_signature_id: UUID | None = None,
    version_id: UUID | None = None,
) -> ReportVersion:
    """Issue a submission as the version that stands; the one that stood until now is recalled.

    stored: the document with every signature it shall have.
    reason: why an earlier version does not stand any more, if there is one.
    single_signature_id: the period of the switch that lets the writer's signature be enough.
    version_id: under which its structured report was made; a new one when it has none.
    """
    document = queries.stored_document(submission)
    version = ReportVersion(
        id=version_id or uuid4(),
        workitem_id=item.id,
        number=queries.highest_number(session, item.id) + 1,
        submission_id=submission.id,
        writer_id=submission.writer_id,
        reviewer_id=reviewer_id,
        single_signature_id=single_signature_id,
        status=document.status,
        pdf_object_key=stored.key,
        pdf_sha256=stored.sha256,
        issued_at=stored.at,
    )
    standing = queries.standing_version(session, item.id)
    if standing is not None:
        kind = (
            RecallKind.SUPPLEMENTED
            if document.status is ReportStatus.APPENDED
            else RecallKind.SUPERSEDED
        )
        recalls.supersede(
            session, scope, item, standing, kind=kind, replaced_by=version.id, reason=reason
        )
    session.add(version)
    item.acknowledge_by = stored.at + ACKNOWLEDGED_WITHIN
    item.delivery_overdue_at = None
    unopened.await_opening(session, item, stored.at)
    session.flush()
    issued.keep_version(session, version, scope.organisation_id)
    _trace(session, item, stored.at)
    if standing is None:
        waited, lane = (stored.at - item.queued_at).total_seconds(), item.lane.value
        metering.after_commit(
            session, lambda: metering.observe("rdc_turnaround_seconds", waited, lane)
        )
    outbox.emit(
        session,
        ReportIssued(
            report_version_id=version.id,
            workitem_id=item.id,
            study_id=item.study_id,
            site_id=item.site_id,
            study_instance_uid=document.study_instance_uid,
            version_number=version.number,
            pdf_object_key=stored.key,
            pdf_sha256=stored.sha256,
            title=document.title(submission.language),
            issued_at=stored.at,
        ),
    )
    return version


def _trace(session: Session, item: Workitem, issued_at: datetime) -> None:
    """Add waiting, reading and issuing to the study's trace, and the walk as a whole."""
    if not tracing.is_enabled():
        return
    study = session.get_one(Study, item.study_id)
    key, lane = (study.site_id, study.study_instance_uid), item.lane.value
    received_at, queued_at = study.first_received_at, item.queued_at
    claimed_at = item.claimed_at or queued_at

    def noted() -> None:
        tracing.note(*key, "walk", received_at, issued_at, is_root=True, lane=lane)
        tracing.note(*key, "wait", queued_at, claimed_at, lane=lane)
        tracing.note(*key, "read", claimed_at, issued_at, lane=lane)
        tracing.note(*key, "issue", issued_at, utc_now())

    tracing.after_commit(session, noted)


def run_clock(session: Session, now: datetime, *, limit: int = 100) -> int:
    """Find reports that the site does not have in time, once each; return how many are new.

    What waits for its next attempt is tried again at once, and open pages are told.
    """
    late = session.scalars(
        select(Workitem)
        .where(Workitem.acknowledge_by <= now)
        .order_by(Workitem.acknowledge_by)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for item in late:
        item.acknowledge_by = None
        item.delivery_overdue_at = now
        item.revision += 1
        tried = session.scalars(
            update(Delivery)
            .where(Delivery.workitem_id == item.id, Delivery.state == DeliveryState.PENDING)
            .values(next_attempt_at=now)
            .returning(Delivery.id)
        ).all()
        for delivery_id in tried:
            notify(session, CHANNEL, str(delivery_id))
        audit.record(
            session,
            workitems.WORKER,
            "workitem:delivery_overdue",
            subject_kind="workitem",
            subject_id=item.id,
            detail={"deliveries": len(tried)},
        )
        workitems.tell(session, item)
    return len(late)
