"""What this room does when others tell it something, and by the clock."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from reading_worklist.workitems import service
from storage.database import Database
from storage.messages import Message, ReportDelivered, StudyReceived
from storage.outbox import Handler

HANDLERS: Final[Mapping[type[Message], Handler]] = MappingProxyType(
    {
        StudyReceived: service.queue_study,
        ReportDelivered: service.acknowledge_delivery,
    }
)
"""Handlers by message type; each works in the transaction that marks its message handled."""


def tick(database: Database) -> int:
    """Do what is due by the clock: give back workitems whose lease is over. Returns how many."""
    with database.transaction() as session:
        return service.expire_leases(session)
