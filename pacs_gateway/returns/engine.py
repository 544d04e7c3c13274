"""Deliveries: made when a report is issued, sent until the receiver has acknowledged.

The rows are the truth. A destination is served as a whole: whoever takes its turn holds its lease,
sends what waits for it one after the other over one connection, and writes what came of each. On
the network no transaction is open. A process that dies in the middle leaves a lease that runs out;
whoever comes next sends the same under the same identity.

A destination that cannot be reached is probed with one delivery at a time, at growing intervals
that never end; the others of its queue wait and are not counted. Probes take a part of the turns
only, so that however many destinations are dead, the living get theirs.
"""

import logging
import time
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import (
    Boolean,
    ColumnElement,
    and_,
    exists,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from pacs_gateway.config import MOST_PROBES, ReturnsConfig
from pacs_gateway.returns import turns
from pacs_gateway.returns.channels import Channel, DeliveryAnswer, PartMissing, opener
from pacs_gateway.returns.parcels import Store, StoredParcel
from pacs_gateway.returns.turns import Begun, Now, Turn
from storage import tracing
from storage.clock import utc_now
from storage.database import Database, notify, one_of
from storage.deliveries import CHANNEL, Delivery, DeliveryQueue, DeliveryState, ensure_queue
from storage.index.tables import Study
from storage.messages import ReportIssued
from storage.objects import ObjectStore, ObjectStoreError
from storage.registry import Destination
from storage.report_objects.names import ReportObjectKind, sop_instance_uid

# Between "due" and the start of the turn a message travels through the broker; it may get lost.
_DISPATCH_SECONDS: Final = 30.0
_UNSENT: Final = (DeliveryState.PENDING, DeliveryState.PAUSED, DeliveryState.REFUSED)

_log = logging.getLogger(__name__)


def create_deliveries(session: Session, issued: ReportIssued) -> int:
    """Make a delivery of the issued version for each destination that shall have it.

    Those are the active ones of its site, and every one that has an earlier version or may have it,
    be it switched off by now: what it has must be corrected. Returns how many are new: handled
    twice, it makes none the second time, and none when a later version is under way already.
    Earlier versions that have not reached a destination yet are cancelled there: they are
    superseded.
    """
    is_late = session.scalar(
        select(Delivery.id)
        .where(
            Delivery.workitem_id == issued.workitem_id,
            Delivery.version_number > issued.version_number,
        )
        .limit(1)
    )
    if is_late is not None:
        return 0
    made = 0
    for destination_id in _destinations(session, issued):
        values = {
            "report_version_id": issued.report_version_id,
            "workitem_id": issued.workitem_id,
            "study_id": issued.study_id,
            "site_id": issued.site_id,
            "title": issued.title,
            "version_number": issued.version_number,
            "pdf_object_key": issued.pdf_object_key,
            "pdf_sha256": issued.pdf_sha256,
            "issued_at": issued.issued_at,
        }
        if not add_delivery(session, destination_id, **values):
            continue
        made += 1
        session.execute(
            update(Delivery)
            .where(
                Delivery.workitem_id == issued.workitem_id,
                Delivery.destination_id == destination_id,
                Delivery.version_number < issued.version_number,
                Delivery.state.in_(_UNSENT),
            )
            .values(
                state=DeliveryState.CANCELED,
                last_error=f"superseded by version {issued.version_number}",
            )
        )
    return made


def add_delivery(session: Session, destination_id: UUID, **values: object) -> bool:
    """Add a delivery to a destination and wake the engine; False when it is there already.

    values: of the other columns that a delivery must have.
    """
    ensure_queue(session, destination_id)
    delivery_id = session.scalar(
        insert(Delivery)
        .values(
            id=uuid4(),
            destination_id=destination_id,
            state=DeliveryState.PENDING,
            attempts=0,
            sop_instance_uid=sop_instance_uid(
                ReportObjectKind.PDF, UUID(str(values["report_version_id"]))
            ),
            **values,
        )
        .on_conflict_do_nothing(index_elements=["report_version_id", "destination_id"])
        .returning(Delivery.id)
    )
    if delivery_id is None:
        return False
    notify(session, CHANNEL, str(delivery_id))
    return True


def may_have_arrived() -> ColumnElement[bool]:
    """Return the SQL condition that a receiver has what a delivery brought, or may have it.

    An attempt that was begun may have reached it, whatever came of it here.
    """
    return or_(Delivery.attempts > 0, Delivery.delivered_at.is_not(None))


def _destinations(session: Session, issued: ReportIssued) -> Collection[UUID]:
    """Return the destinations of a version in the order they were added."""
    has_earlier = exists().where(
        Delivery.workitem_id == issued.workitem_id,
        Delivery.destination_id == Destination.id,
        or_(may_have_arrived(), Delivery.redirected_from.is_not(None)),
    )
    return session.scalars(
        select(Destination.id)
        .where(
            Destination.site_id == issued.site_id,
            or_(Destination.active, has_earlier),
        )
        .order_by(Destination.created_at, Destination.id)
    ).all()


def due(
    session: Session, limit: int = 20, *, most_probes: int = MOST_PROBES, now: Now = utc_now
) -> Sequence[UUID]:
    """Return destinations that have something due, for `serve`; each again in half a minute.

    Several relays may call this at once. Those that wait longest for a turn come first; of those
    that could not be reached last time no more are returned than may be probed at once,
    `most_probes`.
    """
    moment = now()
    probing = session.scalar(
        select(func.count())
        .select_from(DeliveryQueue)
        .where(DeliveryQueue.failures > 0, DeliveryQueue.leased_until > moment)
    )
    found: list[UUID] = []
    for is_dead, allowed in ((False, limit), (True, most_probes - (probing or 0))):
        if allowed <= 0:
            continue
        rows = session.scalars(
            select(DeliveryQueue)
            .join(Destination, Destination.id == DeliveryQueue.destination_id)
            .where(
                (DeliveryQueue.failures > 0) if is_dead else (DeliveryQueue.failures == 0),
                DeliveryQueue.paused_at.is_(None),
                DeliveryQueue.next_attempt_at <= moment,
                or_(DeliveryQueue.leased_until.is_(None), DeliveryQueue.leased_until <= moment),
                Destination.active,
                exists().where(
                    Delivery.destination_id == DeliveryQueue.destination_id,
                    or_(
                        and_(
                            turns.PENDING,
                            Delivery.next_attempt_at <= moment,
                        ),
                        # Left behind by a process that is gone.
                        literal_column("delivery.state = 'IN_PROGRESS'", Boolean()),
                    ),
                ),
            )
            .order_by(DeliveryQueue.served_at.nulls_first(), DeliveryQueue.destination_id)
            .limit(allowed)
            .with_for_update(skip_locked=True, of=DeliveryQueue)
        ).all()
        for row in rows:
            row.lease_token = None
            row.leased_until = moment + timedelta(seconds=_DISPATCH_SECONDS)
            found.append(row.destination_id)
    return found


def give_back(session: Session, destination_ids: Collection[UUID]) -> None:
    """Take back what `due` returned, for a relay that could not tell a worker."""
    session.execute(
        update(DeliveryQueue)
        .where(
            one_of(DeliveryQueue.destination_id, destination_ids),
            DeliveryQueue.lease_token.is_(None),
        )
        .values(leased_until=None)
    )


def serve(
    destination_id: UUID,
    database: Database,
    objects: ObjectStore,
    config: ReturnsConfig,
    *,
    now: Now = utc_now,
) -> int:
    """Give a destination its turn; return how many deliveries it took.

    Called for one that is not due, paused, or being served elsewhere, it does nothing. A turn ends
    when nothing is left that is due, when the destination cannot be reached, and after
    `config.turn_deliveries` or `config.turn_seconds`: others wait, too. Whatever keeps a delivery
    from succeeding is written to its attempt; only the database's own errors are raised.
    """
    store = Store(database, objects, config)
    opened = turns.begin(destination_id, store, now)
    if opened is None:
        return 0
    turn, begun = opened
    delivered = tried = 0
    ends_at = time.monotonic() + config.turn_seconds
    channel = _opened(turn, begun)
    if channel is None:
        return 0
    try:
        while begun is not None:
            began = utc_now()
            answer = _send(channel, begun.parcel)
            _trace(database, turn, begun, answer, began)
            delivered += answer.is_delivered
            tried += 1
            go_on = tried < config.turn_deliveries and time.monotonic() < ends_at
            begun = turns.step(turn, begun, answer, go_on=go_on)
    finally:
        channel.close()
    return delivered


def _opened(turn: turns.Turn, begun: turns.Begun) -> Channel | None:
    """Return the channel of a turn; None when it cannot even be made, and the turn is over."""
    try:
        return opener(turn.target.kind)(turn.target, turn.store.config)
    except Exception as error:  # noqa: BLE001 -- as in `_send`
        _log.exception("no channel", extra={"destination_id": str(turn.target.id)})
        answer = DeliveryAnswer.try_again(
            f"error of ours: {type(error).__name__}", whole_destination=True
        )
        turns.step(turn, begun, answer, go_on=False)
        return None


def _send(channel: Channel, parcel: StoredParcel) -> DeliveryAnswer:
    try:
        return channel.send(parcel)
    except PartMissing as error:
        if error.for_good:
            return DeliveryAnswer.refused(str(error))
        return DeliveryAnswer.try_again(str(error), whole_destination=False)
    except ObjectStoreError as error:
        return DeliveryAnswer.try_again(str(error), whole_destination=False)
    except Exception as error:  # noqa: BLE001 -- see below
        # Whatever it is, the attempt must end, or it would be repeated without back-off.
        _log.exception("delivery attempt failed", extra={"delivery_id": str(parcel.delivery_id)})
        return DeliveryAnswer.try_again(
            f"error of ours: {type(error).__name__}", whole_destination=False
        )


def _trace(
    database: Database, turn: Turn, begun: Begun, answer: DeliveryAnswer, began: datetime
) -> None:
    """Add an attempt to the trace of the study whose report it should bring."""
    if not tracing.is_enabled():
        return
    ended = utc_now()
    with database.transaction() as session:
        study = session.get_one(Study, begun.parcel.study_id)
        key = study.site_id, study.study_instance_uid
    tracing.note(
        *key,
        "deliver",
        began,
        ended,
        failed=not answer.is_delivered,
        kind=turn.target.kind.value,
        outcome=answer.outcome.value,
    )
