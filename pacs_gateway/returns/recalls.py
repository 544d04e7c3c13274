"""What becomes of deliveries when the version they bring does not stand any more."""

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from pacs_gateway.returns.engine import add_delivery, may_have_arrived
from storage.deliveries import Delivery, DeliveryState
from storage.messages import ReportRecalled

_NOT_SENT = (DeliveryState.PENDING, DeliveryState.PAUSED, DeliveryState.REFUSED)


def recall_deliveries(session: Session, recalled: ReportRecalled) -> int:
    """Cancel what was not sent of a recalled version, and deliver the notice of a revoked one.

    The notice goes to every destination that got any version of this report or may have, be it
    switched off by now. Returns how many deliveries of it are new: handled twice, it makes none the
    second time.
    """
    reached = session.scalars(
        select(Delivery.destination_id)
        .where(
            Delivery.workitem_id == recalled.workitem_id,
            Delivery.version_number <= recalled.version_number,
            or_(may_have_arrived(), Delivery.state == DeliveryState.DELIVERED),
        )
        .distinct()
    ).all()
    session.execute(
        update(Delivery)
        .where(
            Delivery.report_version_id == recalled.report_version_id,
            Delivery.state.in_(_NOT_SENT),
        )
        .values(state=DeliveryState.CANCELED, last_error=f"recalled: {recalled.kind}")
    )
    if recalled.notice_id is None:
        return 0
    return sum(
        add_delivery(
            session,
            destination_id,
            report_version_id=recalled.notice_id,
            workitem_id=recalled.workitem_id,
            study_id=recalled.study_id,
            site_id=recalled.site_id,
            title=recalled.notice_title,
            version_number=recalled.version_number,
            is_notice=True,
            pdf_object_key=recalled.notice_object_key,
            pdf_sha256=recalled.notice_sha256,
            issued_at=recalled.recalled_at,
        )
        for destination_id in reached
    )
