"""What this room does when others tell it something, and by the clock."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from sqlalchemy.orm import Session

from reading_worklist.dicomweb.metadata import prepare_study
from reading_worklist.dicomweb.queries import complete_study
from reading_worklist.identity import arrival
from reading_worklist.volume import service as volume
from reading_worklist.workitems import service
from storage.database import Database
from storage.messages import Message, OrderChanged, ReportDelivered, StudyReceived
from storage.objects import ObjectStore
from storage.outbox import Afterwards, Handler


def _study_received(session: Session, message: StudyReceived) -> None:
    """Queue the study for its readers, and ask for its volumes to be looked at."""
    arrival.study_received(session, message)
    volume.request(session, message)


HANDLERS: Final[Mapping[type[Message], Handler]] = MappingProxyType(
    {
        StudyReceived: _study_received,
        OrderChanged: arrival.order_changed,
        ReportDelivered: service.acknowledge_delivery,
    }
)
"""Handlers by message type; each works in the transaction that marks its message handled."""


def afterwards(database: Database, objects: ObjectStore) -> Afterwards:
    """Return what follows the messages: the metadata of a complete study is prepared.

    A viewer finds it ready; where it is not, the first request makes it.
    """

    def prepare(message: StudyReceived) -> None:
        with database.transaction() as session:
            study = complete_study(session, message.study_id)
        if study is not None:
            prepare_study(database, objects, study)

    return {StudyReceived: prepare}


def tick(database: Database) -> int:
    """Do what is due by the clock: give back workitems whose lease is over. Returns how many."""
    with database.transaction() as session:
        return service.expire_leases(session)
