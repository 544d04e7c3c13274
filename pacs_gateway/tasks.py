"""What the gateway does when a message reaches it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy.orm import Session

from pacs_gateway.returns.engine import create_deliveries
from storage.messages import Message, ReportIssued
from storage.outbox import Handler


def on_report_issued(session: Session, message: ReportIssued) -> None:
    """Make the deliveries of an issued report version; the second time nothing is left to make."""
    create_deliveries(session, message)


_HANDLERS: dict[type[Message], Handler] = {ReportIssued: on_report_issued}

HANDLERS: Final[Mapping[type[Message], Any]] = MappingProxyType(_HANDLERS)
