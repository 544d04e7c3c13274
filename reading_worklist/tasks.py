"""What this room does when others tell it something, and by the clock."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from reading_worklist.consultations import service as consultations
from reading_worklist.critical_values import service as critical_values
from reading_worklist.dicomweb.metadata import prepare_study
from reading_worklist.dicomweb.queries import complete_study
from reading_worklist.ecg.ambulatory import service as ambulatory
from reading_worklist.ecg.analysis import service as ecg
from reading_worklist.identity import arrival
from reading_worklist.keeping import removal
from reading_worklist.reports import (
    acknowledging,
    issued,
    issuing,
    recalls,
    return_events,
    unopened,
)
from reading_worklist.retakes import service as retakes
from reading_worklist.routing import escalation
from reading_worklist.volume import service as volume
from reading_worklist.workitems import service, tally
from storage.clock import utc_now
from storage.database import Database
from storage.keeping import usage
from storage.messages import (
    DeliveryChanged,
    DestinationChanged,
    Message,
    OrderChanged,
    PurgeContinues,
    ReportDelivered,
    ReportFetched,
    StudyReceived,
)
from storage.objects import ObjectStore
from storage.outbox import Afterwards, Handler


def _study_received(session: Session, message: StudyReceived) -> None:
    """Queue the study for its readers, and ask for its ECGs and volumes to be looked at."""
    arrival.study_received(session, message)
    volume.TASKS.request(session, message)
    ecg.request(session, message)


HANDLERS: Final[Mapping[type[Message], Handler]] = MappingProxyType(
    {
        StudyReceived: _study_received,
        OrderChanged: arrival.order_changed,
        ReportDelivered: recalls.acknowledge_delivery,
        ReportFetched: recalls.acknowledge_fetch,
        DeliveryChanged: return_events.delivery_changed,
        DestinationChanged: return_events.destination_changed,
        PurgeContinues: removal.continue_purge,
    }
)
"""Handlers by message type; each works in the transaction that marks its message handled."""


def afterwards(
    database: Database, objects: ObjectStore, ask_to_prepare: Callable[[UUID], None]
) -> Afterwards:
    """Return what follows the messages: metadata is to be prepared, purged objects go.

    ask_to_prepare: has `prepare_metadata` called for a study, somewhere else and soon: the next
        message shall not wait for it.
    A purge sends its message again until its objects are gone.
    """

    def prepare(message: StudyReceived) -> None:
        ask_to_prepare(message.study_id)

    def remove(message: PurgeContinues) -> None:
        removal.remove_objects(database, objects, message.purge_id)

    return {StudyReceived: prepare, PurgeContinues: remove}


def prepare_metadata(database: Database, objects: ObjectStore, study_id: UUID) -> None:
    """Prepare what viewers of a study ask for, unless it is incomplete again or gone.

    That is its metadata and the overviews of its long ECGs. Where this is late or fails, the first
    request makes them.
    """
    with database.transaction() as session:
        study = complete_study(session, study_id)
    if study is not None:
        prepare_study(database, objects, study)
        ambulatory.prepare(database, objects, study_id)


class Describing:
    """Keeps the neutral form of reports that an earlier release issued, a few at each call.

    Called until nothing is left, then it does nothing more: this release keeps it when it issues.
    """

    def __init__(self) -> None:
        self._is_done = False

    def __call__(self, database: Database) -> None:
        """Keep a few more."""
        if not self._is_done:
            self._is_done = issued.describe_earlier(database) == 0


def tick(database: Database) -> int:
    """Do what is due by the clock, with storage use first and leases last.

    Returns how many leases.
    """
    with database.transaction() as session:
        usage.refresh(session)
    with database.transaction() as session:
        escalation.escalate(session)
    with database.transaction() as session:
        critical_values.run_clock(session, utc_now())
    with database.transaction() as session:
        consultations.run_clock(session, utc_now())
    with database.transaction() as session:
        retakes.run_clock(session, utc_now())
    with database.transaction() as session:
        issuing.run_clock(session, utc_now())
    with database.transaction() as session:
        unopened.run_clock(session, utc_now())
    with database.transaction() as session:
        acknowledging.run_clock(session, utc_now())
    with database.transaction() as session:
        tally.fold(session)
    with database.transaction() as session:
        return service.expire_leases(session)
