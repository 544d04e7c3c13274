"""Deliveries: made when a report is issued, attempted until the receiver has acknowledged.

The row is the truth. An attempt takes a lease, works on the network outside
any transaction, and writes what came of it. A process that dies in the middle
leaves a lease that runs out; the next attempt sends the same instance under
the same UID.
"""

import hashlib
import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from pydicom import dcmread  # pyright: ignore[reportUnknownVariableType] -- PathLike without its parameter
from pydicom.dataset import Dataset
from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from pacs_gateway.config import ReturnsConfig
from pacs_gateway.returns.dicom_destination import DeliveryAnswer, deliver
from pacs_gateway.returns.encapsulated_pdf import (
    ReportFacts,
    encapsulate,
    sop_instance_uid,
)
from storage import outbox, structured_reports
from storage.character_sets import UTF8
from storage.clock import utc_now
from storage.database import Database, notify
from storage.deliveries import CHANNEL, Delivery, DeliveryAttempt, DeliveryState
from storage.dicom_header import read_header
from storage.identity.overlay import Overlay, overlay_of
from storage.index.tables import Instance, Study
from storage.messages import ReportDelivered, ReportIssued
from storage.objects import ObjectKey, ObjectStore, ObjectStoreError
from storage.registry import Destination, Listener
from storage.study_facts import StudyFacts, fill_patient_and_study

# Between "due" and the start of the attempt a message travels through the broker; it may get lost.
_DISPATCH_SECONDS: Final = 30.0
_ERROR_LENGTH: Final = 500

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Task:
    """What one attempt needs to know, read in its first transaction."""

    lease_token: UUID
    attempt_id: int
    report: ReportFacts
    pdf_object_key: str
    pdf_sha256: str
    modalities: tuple[str, ...]
    source_object_key: str | None
    structured_object_key: str | None
    overlay: Overlay | None
    receiver: Listener
    active: bool


def create_deliveries(session: Session, issued: ReportIssued) -> int:
    """Make a delivery of the issued version for each active destination of its site.

    Returns how many are new: handled twice, it makes none the second time.
    Earlier versions that have not reached a destination yet are cancelled
    there: they are superseded.
    """
    destinations = session.scalars(
        select(Destination).where(Destination.site_id == issued.site_id, Destination.active)
    ).all()
    made = 0
    for destination in destinations:
        delivery_id = session.scalar(
            insert(Delivery)
            .values(
                id=uuid4(),
                report_version_id=issued.report_version_id,
                workitem_id=issued.workitem_id,
                study_id=issued.study_id,
                site_id=issued.site_id,
                destination_id=destination.id,
                state=DeliveryState.PENDING,
                attempts=0,
                sop_instance_uid=sop_instance_uid(issued.report_version_id),
                title=issued.title,
                version_number=issued.version_number,
                pdf_object_key=issued.pdf_object_key,
                pdf_sha256=issued.pdf_sha256,
                issued_at=issued.issued_at,
            )
            .on_conflict_do_nothing(index_elements=["report_version_id", "destination_id"])
            .returning(Delivery.id)
        )
        if delivery_id is None:
            continue
        made += 1
        notify(session, CHANNEL, str(delivery_id))
        session.execute(
            update(Delivery)
            .where(
                Delivery.workitem_id == issued.workitem_id,
                Delivery.destination_id == destination.id,
                Delivery.version_number < issued.version_number,
                Delivery.state == DeliveryState.PENDING,
            )
            .values(
                state=DeliveryState.CANCELED,
                last_error=f"superseded by version {issued.version_number}",
            )
        )
    return made


def due(session: Session, limit: int = 20) -> Sequence[UUID]:
    """Return deliveries whose next attempt is due, for `attempt`; each again in half a minute.

    Several relays may call this at once. An attempt whose lease has run out,
    because its process died, is closed here and its delivery is due again.
    """
    now = utc_now()
    rows = session.scalars(
        select(Delivery)
        .where(
            Delivery.state.in_((DeliveryState.PENDING, DeliveryState.IN_PROGRESS)),
            Delivery.next_attempt_at <= now,
            or_(Delivery.leased_until.is_(None), Delivery.leased_until <= now),
        )
        .order_by(Delivery.next_attempt_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        if row.state == DeliveryState.IN_PROGRESS:
            _close_abandoned(session, row)
        row.lease_token = None
        row.leased_until = now + timedelta(seconds=_DISPATCH_SECONDS)
    return [row.id for row in rows]


def attempt(
    delivery_id: UUID, database: Database, objects: ObjectStore, config: ReturnsConfig
) -> bool:
    """Try once to deliver; return whether the delivery is done now.

    Called for a delivery that is not due, done, or being attempted elsewhere,
    it does nothing. Whatever keeps it from succeeding is written to the
    attempt and the next one is put off; only the database's own errors are raised.
    """
    task = _take(delivery_id, database, config)
    if task is None:
        return False
    try:
        answer = _send(task, objects, config)
    except ObjectStoreError as error:
        answer = DeliveryAnswer(delivered=False, answer=str(error))
    except Exception as error:  # noqa: BLE001 -- see below
        # Whatever it is, the attempt must end, or it would be repeated without back-off.
        _log.exception("delivery attempt failed", extra={"delivery_id": str(delivery_id)})
        answer = DeliveryAnswer(delivered=False, answer=f"error of ours: {type(error).__name__}")
    _finish(delivery_id, task, answer, database, config)
    return answer.delivered


def _take(delivery_id: UUID, database: Database, config: ReturnsConfig) -> _Task | None:
    """Lease the delivery and open an attempt; None when there is nothing to do."""
    now = utc_now()
    with database.transaction() as session:
        row = session.get(Delivery, delivery_id, with_for_update=True)
        if row is None or row.next_attempt_at > now:
            return None
        if (
            row.state == DeliveryState.IN_PROGRESS
            and row.leased_until is not None
            and row.leased_until <= now
        ):
            _close_abandoned(session, row)
        if row.state != DeliveryState.PENDING:
            return None
        token = uuid4()
        row.state = DeliveryState.IN_PROGRESS
        row.attempts += 1
        row.lease_token = token
        row.leased_until = now + timedelta(seconds=config.lease_seconds)
        started = DeliveryAttempt(delivery_id=row.id, number=row.attempts, started_at=now)
        session.add(started)
        session.flush()
        destination = session.get_one(Destination, row.destination_id)
        return _Task(
            lease_token=token,
            attempt_id=started.id,
            report=ReportFacts(
                report_version_id=row.report_version_id,
                workitem_id=row.workitem_id,
                version_number=row.version_number,
                title=row.title,
                issued_at=row.issued_at,
            ),
            pdf_object_key=row.pdf_object_key,
            pdf_sha256=row.pdf_sha256,
            modalities=tuple(session.get_one(Study, row.study_id).modalities),
            # The first to have come: later ones may be objects that others derived.
            source_object_key=session.scalar(
                select(Instance.object_key)
                .where(Instance.study_id == row.study_id)
                .order_by(Instance.id)
                .limit(1)
            ),
            structured_object_key=session.scalar(
                select(Instance.object_key).where(
                    Instance.study_id == row.study_id,
                    Instance.sop_instance_uid
                    == structured_reports.sop_instance_uid(row.report_version_id),
                )
            ),
            overlay=overlay_of(session, row.study_id),
            receiver=Listener(destination.ae_title, destination.host, destination.port),
            active=destination.active,
        )


def _send(task: _Task, objects: ObjectStore, config: ReturnsConfig) -> DeliveryAnswer:
    """Build the instance and hand it to the receiver; outside of any transaction."""
    if not task.active:
        return DeliveryAnswer(delivered=False, answer="destination is switched off")
    if task.source_object_key is None:
        return DeliveryAnswer(delivered=False, answer="study has no instance left to belong to")
    pdf = objects.read(ObjectKey(task.pdf_object_key))
    if hashlib.sha256(pdf).hexdigest() != task.pdf_sha256:
        return DeliveryAnswer(delivered=False, answer="stored PDF is not the one that was signed")
    with objects.open(ObjectKey(task.source_object_key)) as file:
        header = read_header(file)
    facts = StudyFacts.of(header, task.modalities, task.overlay)
    instance = encapsulate(
        task.report,
        facts,
        pdf,
        utc_offset=timedelta(minutes=config.utc_offset_minutes),
    )
    beside = (
        []
        if task.structured_object_key is None
        else [_structured(objects, ObjectKey(task.structured_object_key), facts, task.overlay)]
    )
    return deliver([instance, *beside], task.receiver, config)


def _structured(
    objects: ObjectStore, key: ObjectKey, facts: StudyFacts, overlay: Overlay | None
) -> Dataset:
    """Return the version's structured report, under the patient that the PDF names."""
    instance = dcmread(io.BytesIO(objects.read(key)))
    if overlay is not None:
        instance.decode()
        fill_patient_and_study(instance, facts)
        instance.SpecificCharacterSet = UTF8
    return instance


def _finish(
    delivery_id: UUID,
    task: _Task,
    answer: DeliveryAnswer,
    database: Database,
    config: ReturnsConfig,
) -> None:
    now = utc_now()
    with database.transaction() as session:
        row = session.get_one(Delivery, delivery_id, with_for_update=True)
        made = session.get_one(DeliveryAttempt, task.attempt_id)
        made.ended_at = now
        made.succeeded = answer.delivered
        made.answer = answer.answer[:_ERROR_LENGTH]
        if answer.delivered:
            # A fact, whoever holds the lease by now.
            if row.state != DeliveryState.DELIVERED:
                _mark_delivered(session, row)
        elif row.lease_token == task.lease_token and row.state == DeliveryState.IN_PROGRESS:
            wait = outbox.backoff_seconds(
                row.attempts, base=config.first_retry_seconds, cap=config.longest_retry_seconds
            )
            row.state = DeliveryState.PENDING
            row.next_attempt_at = now + timedelta(seconds=wait)
            row.lease_token = None
            row.leased_until = None
            row.last_error = answer.answer[:_ERROR_LENGTH]
        notify(session, CHANNEL, str(delivery_id))


def _mark_delivered(session: Session, row: Delivery) -> None:
    row.state = DeliveryState.DELIVERED
    delivered_at = utc_now()
    row.delivered_at = delivered_at
    row.lease_token = None
    row.leased_until = None
    row.last_error = None
    outbox.emit(
        session,
        ReportDelivered(
            delivery_id=row.id,
            report_version_id=row.report_version_id,
            workitem_id=row.workitem_id,
            destination_id=row.destination_id,
            delivered_at=delivered_at,
        ),
    )


def _close_abandoned(session: Session, row: Delivery) -> None:
    """End the attempt of a process that is gone."""
    row.state = DeliveryState.PENDING
    session.execute(
        update(DeliveryAttempt)
        .where(DeliveryAttempt.delivery_id == row.id, DeliveryAttempt.ended_at.is_(None))
        .values(
            ended_at=utc_now(), succeeded=False, answer="no result: the attempt was interrupted"
        )
    )
