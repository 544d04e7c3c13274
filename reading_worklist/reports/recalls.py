"""Versions that do not stand any more, and everybody who has one and must learn of it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.reports import issued, unopened
from reading_worklist.reports.recall_clocks import RecallStep, next_due
from reading_worklist.reports.states import RecallKind
from reading_worklist.reports.tables import (
    RecallRecipient,
    ReportOpening,
    ReportRecall,
    ReportRevocation,
    ReportVersion,
)
from reading_worklist.workitems import service as workitems
from reading_worklist.workitems.tables import Workitem
from storage import audit, outbox
from storage.clock import utc_now
from storage.deliveries import Delivery, DeliveryState
from storage.messages import ReportDelivered, ReportFetched, ReportRecalled
from storage.report_pulls import ReportPull


def supersede(
    session: Session,
    scope: Scope,
    item: Workitem,
    version: ReportVersion,
    *,
    kind: RecallKind,
    replaced_by: UUID,
    reason: str,
) -> None:
    """Recall the version that stands, since another is issued in the same transaction.

    kind: `SUPERSEDED` or `SUPPLEMENTED`.
    """
    _recall(
        session,
        scope,
        item,
        ReportRecall(
            report_version_id=version.id,
            workitem_id=item.id,
            kind=kind,
            replaced_by=replaced_by,
            reason=reason,
            person_id=scope.person_id,
            recalled_at=utc_now(),
        ),
    )
    outbox.emit(
        session,
        ReportRecalled(
            report_version_id=version.id,
            workitem_id=item.id,
            study_id=item.study_id,
            site_id=item.site_id,
            version_number=version.number,
            kind="superseded",
            recalled_at=utc_now(),
        ),
    )


def revoke(
    session: Session,
    scope: Scope,
    item: Workitem,
    version: ReportVersion,
    *,
    revocation: ReportRevocation,
    title: str,
) -> None:
    """Recall the version that stands, since it is void; its tombstone goes where it went.

    title: of the tombstone as the receiver lists it.
    """
    _recall(
        session,
        scope,
        item,
        ReportRecall(
            report_version_id=version.id,
            workitem_id=item.id,
            kind=RecallKind.REVOKED,
            revocation_id=revocation.id,
            reason=revocation.reason,
            person_id=scope.person_id,
            recalled_at=utc_now(),
        ),
    )
    issued.keep_notice(session, revocation)
    unopened.end(item)
    outbox.emit(
        session,
        ReportRecalled(
            report_version_id=version.id,
            workitem_id=item.id,
            study_id=item.study_id,
            site_id=item.site_id,
            version_number=version.number,
            kind="revoked",
            recalled_at=utc_now(),
            notice_id=revocation.id,
            notice_object_key=revocation.pdf_object_key,
            notice_sha256=revocation.pdf_sha256,
            notice_title=title,
        ),
    )


def acknowledge_delivery(session: Session, message: ReportDelivered) -> None:
    """Note that a destination has the report that stands, or one that does not any more.

    Whoever gets a recalled version after its recall has to be told of it like those before.
    Handled twice it changes nothing more.
    """
    item = session.scalars(
        select(Workitem).where(Workitem.id == message.workitem_id).with_for_update()
    ).one()
    recalled = session.get(ReportRecall, message.report_version_id)
    if recalled is not None:
        _add_destination(session, recalled, message)
        return
    session.execute(
        update(RecallRecipient)
        .where(
            RecallRecipient.destination_id == message.destination_id,
            RecallRecipient.told_at.is_(None),
            RecallRecipient.report_version_id.in_(
                select(ReportRecall.report_version_id).where(ReportRecall.workitem_id == item.id)
            ),
        )
        .values(told_at=message.delivered_at, next_at=None)
    )
    if session.get(ReportVersion, message.report_version_id) is None:
        return  # a tombstone
    if not message.holds_report:
        return
    _arrived(session, item, message.delivered_at)


def acknowledge_fetch(session: Session, message: ReportFetched) -> None:
    """Note that a machine of the site has the report that stands; handled twice, no more.

    Who fetched one that was recalled meanwhile is among its recipients since it was handed out.
    """
    item = session.scalars(
        select(Workitem).where(Workitem.id == message.workitem_id).with_for_update()
    ).one()
    standing = session.get(ReportVersion, message.report_version_id)
    if standing is None or session.get(ReportRecall, message.report_version_id) is not None:
        return
    _arrived(session, item, message.fetched_at)


def _arrived(session: Session, item: Workitem, at: datetime) -> None:
    if item.finalised_at is not None and item.delivered_at is None:
        item.delivered_at = at
    workitems.note_arrival(session, item, workitems.WORKER)


def _recall(session: Session, scope: Scope, item: Workitem, recall: ReportRecall) -> None:
    session.add(recall)
    # Before the version that takes its place: the database refuses a second one that stands.
    session.flush()
    received = session.execute(
        select(Delivery.destination_id, Delivery.delivered_at).where(
            Delivery.report_version_id == recall.report_version_id,
            Delivery.state == DeliveryState.DELIVERED,
        )
    ).all()
    opened = session.execute(
        select(ReportOpening.person_id, func.min(ReportOpening.opened_at))
        .where(ReportOpening.report_version_id == recall.report_version_id)
        .group_by(ReportOpening.person_id)
    ).all()
    pulled = session.execute(
        select(ReportPull.channel, ReportPull.machine, ReportPull.first_at).where(
            ReportPull.report_version_id == recall.report_version_id
        )
    ).all()
    next_at = next_due(recall.kind, RecallStep.RECIPIENT, recall.recalled_at)
    session.add_all(
        RecallRecipient(
            report_version_id=recall.report_version_id,
            destination_id=where,
            received_at=when,
            next_at=next_at,
        )
        for where, when in received
    )
    session.add_all(
        RecallRecipient(
            report_version_id=recall.report_version_id,
            person_id=who,
            received_at=when,
            next_at=next_at,
        )
        for who, when in opened
    )
    session.add_all(
        RecallRecipient(
            report_version_id=recall.report_version_id,
            machine=f"{channel.value}:{machine}",
            received_at=when,
            next_at=next_at,
        )
        for channel, machine, when in pulled
    )
    audit.record(
        session,
        scope.actor,
        "report:recall",
        subject_kind="report_version",
        subject_id=recall.report_version_id,
        detail={
            "workitem_id": str(item.id),
            "kind": recall.kind,
            "destinations": len(received),
            "people": len(opened),
            "pulls": len(pulled),
        },
    )


def _add_destination(session: Session, recall: ReportRecall, message: ReportDelivered) -> None:
    """Put a destination on the list that got the version too late to be on it."""
    newer = session.scalar(
        select(func.min(Delivery.delivered_at)).where(
            Delivery.workitem_id == recall.workitem_id,
            Delivery.destination_id == message.destination_id,
            Delivery.state == DeliveryState.DELIVERED,
            Delivery.report_version_id != recall.report_version_id,
            Delivery.issued_at >= recall.recalled_at,
        )
    )
    session.execute(
        insert(RecallRecipient)
        .values(
            id=func.gen_random_uuid(),
            report_version_id=recall.report_version_id,
            destination_id=message.destination_id,
            received_at=message.delivered_at,
            told_at=newer,
            next_at=None
            if newer is not None
            else next_due(recall.kind, RecallStep.RECIPIENT, message.delivered_at),
        )
        .on_conflict_do_nothing(index_elements=["report_version_id", "destination_id"])
    )
