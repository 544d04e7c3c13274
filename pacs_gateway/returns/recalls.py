"""What becomes of deliveries when the version they bring does not stand any more."""

from uuid import uuid4

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from pacs_gateway.returns.encapsulated_pdf import sop_instance_uid
from storage.database import notify
from storage.deliveries import CHANNEL, Delivery, DeliveryState
from storage.messages import ReportRecalled

_NOT_SENT = (DeliveryState.PENDING, DeliveryState.PAUSED)
# An attempt that runs may have reached the receiver, whatever comes of it here.
_MAY_HAVE_ARRIVED = (DeliveryState.DELIVERED, DeliveryState.IN_PROGRESS)


def recall_deliveries(session: Session, recalled: ReportRecalled) -> int:
    """Cancel what was not sent of a recalled version, and deliver the notice of a revoked one.

    The notice goes to every destination that got any version of this report or may have. Returns
    how many deliveries of it are new: handled twice, it makes none the second time.
    """
    reached = session.scalars(
        select(Delivery.destination_id)
        .where(
            Delivery.workitem_id == recalled.workitem_id,
            Delivery.version_number <= recalled.version_number,
            Delivery.state.in_(_MAY_HAVE_ARRIVED) | (Delivery.attempts > 0),
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
    made = 0
    for destination_id in reached:
        delivery_id = session.scalar(
            insert(Delivery)
            .values(
                id=uuid4(),
                report_version_id=recalled.notice_id,
                workitem_id=recalled.workitem_id,
                study_id=recalled.study_id,
                site_id=recalled.site_id,
                destination_id=destination_id,
                state=DeliveryState.PENDING,
                attempts=0,
                sop_instance_uid=sop_instance_uid(recalled.notice_id),
                title=recalled.notice_title,
                version_number=recalled.version_number,
                pdf_object_key=recalled.notice_object_key,
                pdf_sha256=recalled.notice_sha256,
                issued_at=recalled.recalled_at,
            )
            .on_conflict_do_nothing(index_elements=["report_version_id", "destination_id"])
            .returning(Delivery.id)
        )
        if delivery_id is not None:
            made += 1
            notify(session, CHANNEL, str(delivery_id))
    return made
