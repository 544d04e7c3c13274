"""Instance Availability Notification as SCU (PS3.4 Annex R).

A destination that wants it is told of each study that has become complete: all
its instances, on line, to be retrieved from our AE title.
"""

import logging
from collections.abc import Sequence
from typing import Final
from uuid import UUID, uuid4

from pydicom.dataset import Dataset
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from pacs_gateway.config import ReturnsConfig
from pacs_gateway.requesting import NoAssociation, open_association
from storage import attempts
from storage.availability import AvailabilityNotification, is_open
from storage.clock import utc_now
from storage.database import Database, notify
from storage.identifiers import Uid
from storage.index.tables import Instance, Series, Study
from storage.messages import StudyReceived
from storage.registry import Destination, Listener

CHANNEL: Final = "rdc_availability"
SOP_CLASS_UID: Final = "1.2.840.10008.5.1.4.33"
_SUCCESS: Final = 0x0000
# PS3.7 C.5.3: it has this notification already, from an attempt whose answer was lost.
_DUPLICATE_SOP_INSTANCE: Final = 0x0111

_log = logging.getLogger(__name__)


def create_notifications(session: Session, received: StudyReceived) -> int:
    """Make a notification of the complete study for each destination of its site that wants it.

    Returns how many are new: handled twice, it makes none the second time.
    Earlier ones of the same study that were not told yet are superseded.
    """
    destinations = session.scalars(
        select(Destination.id).where(
            Destination.site_id == received.site_id,
            Destination.active,
            Destination.notify_availability,
        )
    ).all()
    made = 0
    for destination_id in destinations:
        notification_id = uuid4()
        new = session.scalar(
            insert(AvailabilityNotification)
            .values(
                id=notification_id,
                study_id=received.study_id,
                destination_id=destination_id,
                generation=received.generation,
                sop_instance_uid=Uid.from_uuid(notification_id),
                attempts=0,
                superseded=False,
            )
            .on_conflict_do_nothing(index_elements=["study_id", "destination_id", "generation"])
            .returning(AvailabilityNotification.id)
        )
        if new is None:
            continue
        made += 1
        notify(session, CHANNEL, str(new))
        session.execute(
            update(AvailabilityNotification)
            .where(
                AvailabilityNotification.study_id == received.study_id,
                AvailabilityNotification.destination_id == destination_id,
                AvailabilityNotification.generation < received.generation,
                AvailabilityNotification.told_at.is_(None),
            )
            .values(superseded=True)
        )
    return made


def due(session: Session, limit: int = 20) -> Sequence[UUID]:
    """Return notifications that are due, for `attempt`; each again in half a minute."""
    return attempts.due(session, AvailabilityNotification, is_open(), limit)


def attempt(notification_id: UUID, database: Database, config: ReturnsConfig) -> bool:
    """Try once to tell; return whether it is told now.

    Called for one that is told, superseded, not due or being attempted elsewhere, it does nothing.
    """
    with database.transaction() as session:
        row = attempts.take(
            session, AvailabilityNotification, notification_id, config.lease_seconds
        )
        if row is None:
            return False
        if row.told_at is not None or row.superseded or row.next_attempt_at > utc_now():
            row.lease_token = row.leased_until = None
            return False
        token = row.lease_token
        sop_instance_uid = row.sop_instance_uid
        destination = session.get_one(Destination, row.destination_id)
        listener = destination.listener
        active = destination.active and destination.notify_availability
        dataset = _dataset(session, row.study_id, config.calling_ae_title)
    try:
        error = (
            _tell(dataset, sop_instance_uid, listener, config)
            if active
            else "the destination does not want it any more"
        )
    except Exception as problem:  # noqa: BLE001 -- or it would be repeated without back-off
        _log.exception("notification failed", extra={"notification_id": str(notification_id)})
        error = f"error of ours: {type(problem).__name__}"
    with database.transaction() as session:
        row = session.get_one(AvailabilityNotification, notification_id, with_for_update=True)
        if error is None:
            row.told_at = utc_now()
            attempts.succeeded(row)
        elif row.lease_token == token:
            attempts.failed(
                row,
                error,
                first_seconds=config.first_retry_seconds,
                longest_seconds=config.longest_retry_seconds,
            )
    return error is None


def _dataset(session: Session, study_id: UUID, retrieve_ae_title: str) -> Dataset:
    """Return the attribute list (PS3.4 Table R.3.2-1)."""
    notification = Dataset()
    # No performed procedure step of ours: type 2, empty.
    notification.ReferencedPerformedProcedureStepSequence = []
    notification.StudyInstanceUID = session.get_one(Study, study_id).study_instance_uid
    series: dict[str, list[Dataset]] = {}
    for series_uid, class_uid, instance_uid in session.execute(
        select(Series.series_instance_uid, Instance.sop_class_uid, Instance.sop_instance_uid)
        .join(Series, Series.id == Instance.series_id)
        .where(Instance.study_id == study_id)
        .order_by(Series.id, Instance.id)
    ):
        instance = Dataset()
        instance.ReferencedSOPClassUID = class_uid
        instance.ReferencedSOPInstanceUID = instance_uid
        instance.InstanceAvailability = "ONLINE"
        instance.RetrieveAETitle = retrieve_ae_title
        series.setdefault(series_uid, []).append(instance)
    notification.ReferencedSeriesSequence = [
        _series(uid, instances) for uid, instances in series.items()
    ]
    return notification


def _series(series_instance_uid: str, instances: list[Dataset]) -> Dataset:
    item = Dataset()
    item.SeriesInstanceUID = series_instance_uid
    item.ReferencedSOPSequence = instances
    return item


def _tell(
    dataset: Dataset, sop_instance_uid: str, listener: Listener, config: ReturnsConfig
) -> str | None:
    """Send it; None when the receiver has it, else why not, in words for a person."""
    try:
        association = open_association(
            listener, SOP_CLASS_UID, config, what="Instance Availability Notification"
        )
    except NoAssociation as error:
        return str(error)
    try:
        status, _ = association.send_n_create(
            dataset,
            SOP_CLASS_UID,  # pyright: ignore[reportArgumentType] -- it makes a UID of it
            sop_instance_uid,  # pyright: ignore[reportArgumentType]
        )
    except (ValueError, RuntimeError) as error:
        association.abort()
        return f"not sent: {error}"
    association.release()
    if "Status" not in status:
        return "no answer to N-CREATE before the association ended"
    code = int(status.Status)
    return None if code in {_SUCCESS, _DUPLICATE_SOP_INSTANCE} else f"N-CREATE status {code:04X}H"
