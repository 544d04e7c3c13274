"""What open pages are told of reports on their way back."""

from sqlalchemy.orm import Session

from reading_worklist import events
from storage.messages import DeliveryChanged, DestinationChanged


def delivery_changed(session: Session, message: DeliveryChanged) -> None:
    """Tell pages that a delivery was refused, or that somebody decided about it."""
    data = {
        "id": str(message.delivery_id),
        "workitem_id": str(message.workitem_id),
        "state": message.state,
    }
    events.publish(session, events.Event("delivery", message.site_id, data))


def destination_changed(session: Session, message: DestinationChanged) -> None:
    """Tell pages that a destination is silent, back, paused, resumed or probed."""
    data = {"id": str(message.destination_id), "change": message.change}
    events.publish(session, events.Event("destination", message.site_id, data))
