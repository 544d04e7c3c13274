"""What the gateway does when a message reaches it."""

from types import MappingProxyType
from typing import Final

from sqlalchemy.orm import Session

from pacs_gateway.availability import create_notifications
from pacs_gateway.returns.engine import create_deliveries
from pacs_gateway.returns.recalls import recall_deliveries
from storage.messages import ReportIssued, ReportRecalled, StudyReceived
from storage.outbox import Handlers


def on_report_issued(session: Session, message: ReportIssued) -> None:
    """Make the deliveries of an issued report version; the second time nothing is left to make."""
    create_deliveries(session, message)


def on_report_recalled(session: Session, message: ReportRecalled) -> None:
    """Stop what is not delivered of a recalled version; its notice goes where the version went."""
    recall_deliveries(session, message)


def on_study_received(session: Session, message: StudyReceived) -> None:
    """Make the availability notifications of a complete study; the second time there are none."""
    create_notifications(session, message)


HANDLERS: Final[Handlers] = MappingProxyType(
    {
        ReportIssued: on_report_issued,
        ReportRecalled: on_report_recalled,
        StudyReceived: on_study_received,
    }
)
