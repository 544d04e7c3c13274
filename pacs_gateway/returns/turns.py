"""A destination's turn, step by step: each step is one short transaction.

The row of the queue is the lock: who holds its lease is the only one to send to that destination,
so its versions arrive in order and a destination that is down costs one connection at a time. A
process that dies leaves a lease that runs out; whoever comes next closes its attempts.

Everybody who locks several rows locks the queue first, then deliveries.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import Boolean, ColumnElement, and_, func, literal_column, or_, select, update
from sqlalchemy.orm import Session

from pacs_gateway.returns.channels import (
    KEPT_CHARACTERS,
    DeliveryAnswer,
    Outcome,
    Replaced,
    Target,
)
from pacs_gateway.returns.parcels import Store, StoredParcel
from storage import audit, delivery_commitments, metering, outbox
from storage.database import notify
from storage.deliveries import (
    CHANNEL,
    AttemptOutcome,
    Delivery,
    DeliveryAttempt,
    DeliveryQueue,
    DeliveryState,
)
from storage.delivery_actions import tell
from storage.delivery_states import DeliveryAction, next_state
from storage.messages import DestinationChanged, ReportDelivered
from storage.registry import Destination, RegistryRefused
from storage.registry.destination_settings import carries_report

ENGINE: Final = audit.system_actor("returns")
SAID_LENGTH: Final = 500
INTERRUPTED: Final = "no result: the attempt was interrupted"

# The words stand in the statement itself, so that a plan that is made once has the index of those
# that wait.
PENDING: Final[ColumnElement[bool]] = literal_column("delivery.state = 'PENDING'", Boolean())

Now = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt that was begun, and what it shall bring."""

    attempt_id: int
    parcel: StoredParcel


@dataclass(frozen=True, slots=True)
class Turn:
    """The turn of one destination; token: of its lease. now: the clock."""

    store: Store
    target: Target
    token: UUID
    now: Now


def begin(destination_id: UUID, store: Store, now: Now) -> tuple[Turn, Begun] | None:
    """Lease the queue of a destination and begin its first attempt; None: nothing to do there."""
    with store.database.transaction() as session:
        queue = session.get(DeliveryQueue, destination_id, with_for_update=True)
        moment = now()
        if queue is None or not _is_free(queue, moment):
            return None
        queue.lease_token = queue.leased_until = None
        destination = session.get_one(Destination, destination_id)
        if not destination.active or queue.paused_at or queue.next_attempt_at > moment:
            return None
        close_abandoned(session, destination_id, store, moment)
        try:
            target = Target.of(destination)
        except RegistryRefused as error:
            _note_failure(queue, str(error), store, moment)
            return None
        turn = Turn(
            store,
            target,
            uuid4(),
            now,
        )
        begun = _next(session, turn)
        if begun is None:
            return None
        queue.lease_token = turn.token
        queue.leased_until = moment + timedelta(seconds=store.config.lease_seconds)
        queue.served_at = moment
        return turn, begun


def step(turn: Turn, begun: Begun, answer: DeliveryAnswer, *, go_on: bool) -> Begun | None:
    """Write what came of an attempt and begin the next; None: the turn is over.

    go_on: whether the turn may have another one. Whoever has lost the lease writes no more than the
    attempt, and that the receiver has the report when it says so: that is a fact.
    """
    kind, outcome = turn.target.kind.value, answer.outcome.value
    metering.count("rdc_delivery_attempts_total", kind, outcome)
    with turn.store.database.transaction() as session:
        queue = session.get_one(DeliveryQueue, turn.target.id, with_for_update=True)
        moment = turn.now()
        holds = queue.lease_token == turn.token
        _finish(session, turn, begun, answer, moment)
        if not holds:
            return None
        if answer.outcome is Outcome.TRY_AGAIN and answer.whole_destination:
            _note_failure(queue, answer.said, turn.store, moment)
            if answer.wait_seconds is not None:
                asked = moment + timedelta(seconds=answer.wait_seconds)
                queue.next_attempt_at = max(queue.next_attempt_at, asked)
            go_on = False
        else:
            _note_success(session, queue, turn, moment)
        following = _next(session, turn) if go_on and not queue.paused_at else None
        if following is None:
            queue.lease_token = queue.leased_until = None
            # What came in the meantime found the queue taken.
            notify(session, CHANNEL)
        else:
            queue.leased_until = moment + timedelta(seconds=turn.store.config.lease_seconds)
        return following


def close_abandoned(session: Session, destination_id: UUID, store: Store, moment: datetime) -> None:
    """End the attempts of a process that is gone; the caller holds the queue's row."""
    rows = session.scalars(
        select(Delivery)
        .where(
            Delivery.destination_id == destination_id,
            Delivery.state == DeliveryState.IN_PROGRESS,
        )
        .with_for_update()
    ).all()
    for row in rows:
        # At once; but what none of our processes survives waits longer and longer.
        wait = _wait(row.attempts, store) if row.attempts > 1 else timedelta()
        _put_off(session, row, DeliveryAction.INTERRUPT, INTERRUPTED, moment + wait)
        session.execute(
            update(DeliveryAttempt)
            .where(DeliveryAttempt.delivery_id == row.id, DeliveryAttempt.ended_at.is_(None))
            .values(
                ended_at=moment,
                succeeded=False,
                outcome=AttemptOutcome.INTERRUPTED,
                answer=INTERRUPTED,
            )
        )


def is_superseded_there(session: Session, row: Delivery) -> bool:
    """Tell whether the destination of a delivery gets something that takes its place."""
    return (
        session.scalar(
            select(Delivery.id)
            .where(_at_the_same(row), _after(row), Delivery.id != row.id)
            .limit(1)
        )
        is not None
    )


def _is_free(queue: DeliveryQueue, moment: datetime) -> bool:
    """Tell whether nobody serves a queue; `due` leaves a time and no token."""
    return queue.lease_token is None or queue.leased_until is None or queue.leased_until <= moment


def _next(session: Session, turn: Turn) -> Begun | None:
    """Begin the next attempt at a destination; what was superseded meanwhile is cancelled."""
    moment = turn.now()
    while True:
        row = session.scalar(
            select(Delivery)
            .where(
                Delivery.destination_id == turn.target.id,
                PENDING,
                Delivery.next_attempt_at <= moment,
            )
            # Those that were tried before come last: one that no receiver survives would else
            # stand before all others for ever. As the index has them, so that the first is read and
            # not ten thousand sorted.
            .order_by(Delivery.attempts, Delivery.issued_at)
            .limit(1)
            .with_for_update()
        )
        if row is None:
            return None
        if not is_superseded_there(session, row):
            return _start(session, turn, row, moment)
        cancel(row, "superseded")
        session.flush()


def _start(session: Session, turn: Turn, row: Delivery, moment: datetime) -> Begun:
    row.state = _after_action(row, DeliveryAction.START)
    row.attempts += 1
    row.lease_token = turn.token
    started = DeliveryAttempt(delivery_id=row.id, number=row.attempts, started_at=moment)
    session.add(started)
    session.flush()
    parcel = StoredParcel(
        row,
        _replaces(session, row),
        turn.store,
        transmission=0 if row.attempts == 1 else _answered(session, row),
    )
    return Begun(started.id, parcel)


def _answered(session: Session, row: Delivery) -> int:
    """Return how often the receiver took or refused a delivery for good before."""
    return (
        session.scalar(
            select(func.count())
            .select_from(DeliveryAttempt)
            .where(
                DeliveryAttempt.delivery_id == row.id,
                DeliveryAttempt.outcome.in_((AttemptOutcome.DELIVERED, AttemptOutcome.REFUSED)),
            )
        )
        or 0
    )


def _replaces(session: Session, row: Delivery) -> Sequence[Replaced]:
    """Return the earlier versions, and notices, that the destination has, or may have.

    Oldest first. A notice replaces the version that it voids; a version that is issued after that
    replaces the notice too.
    """
    if row.version_number == 1 and not row.is_notice:
        return ()
    earlier = Delivery.version_number < row.version_number
    if row.is_notice:
        earlier = or_(earlier, Delivery.version_number == row.version_number)
    rows = session.scalars(
        select(Delivery)
        .where(
            _at_the_same(row),
            earlier,
            Delivery.id != row.id,
            or_(Delivery.attempts > 0, Delivery.delivered_at.is_not(None)),
        )
        .order_by(Delivery.version_number, Delivery.is_notice)
    )
    return [
        Replaced(one.report_version_id, one.version_number, one.sop_instance_uid) for one in rows
    ]


def _finish(
    session: Session, turn: Turn, begun: Begun, answer: DeliveryAnswer, moment: datetime
) -> None:
    said = answer.said[:SAID_LENGTH]
    session.execute(
        update(DeliveryAttempt)
        .where(DeliveryAttempt.id == begun.attempt_id)
        .values(
            ended_at=moment,
            succeeded=answer.is_delivered,
            outcome=AttemptOutcome(answer.outcome.value),
            answer=said,
            request=_bounded(answer.request),
            response=_bounded(answer.response),
        )
        .execution_options(synchronize_session=False)
    )
    row = session.get_one(
        Delivery, begun.parcel.delivery_id, with_for_update=True, populate_existing=True
    )
    if answer.is_delivered:
        _mark_delivered(session, row, turn, moment)
        if answer.commit:
            delivery_commitments.ask(session, row, answer.commit)
    elif row.state is not DeliveryState.IN_PROGRESS or row.lease_token != turn.token:
        return
    elif answer.outcome is Outcome.REFUSED:
        row.state = _after_action(row, DeliveryAction.REFUSE)
        row.lease_token = None
        row.last_error = said
        audit.record(
            session,
            ENGINE,
            "delivery:refuse",
            subject_kind="delivery",
            subject_id=row.id,
            detail={"attempt": row.attempts},
        )
        tell(session, row)
    else:
        # Of a whole destination the queue waits, and this one as every other in it.
        alone = timedelta() if answer.whole_destination else _wait(row.attempts, turn.store)
        _put_off(session, row, DeliveryAction.FAIL, said, moment + alone)


def _put_off(
    session: Session,
    row: Delivery,
    action: DeliveryAction,
    said: str,
    until: datetime,
) -> None:
    row.lease_token = None
    if is_superseded_there(session, row):
        cancel(row, f"superseded; {said}"[:SAID_LENGTH])
        return
    row.state = _after_action(row, action)
    row.last_error = said
    row.next_attempt_at = until


def _mark_delivered(session: Session, row: Delivery, turn: Turn, moment: datetime) -> None:
    was_canceled = row.state is DeliveryState.CANCELED
    row.state = _after_action(row, DeliveryAction.DELIVER)
    row.lease_token = None
    row.last_error = None
    if was_canceled:
        _chase(session, row)
    if row.delivered_at is not None:
        return
    row.delivered_at = moment
    outbox.emit(
        session,
        ReportDelivered(
            delivery_id=row.id,
            report_version_id=row.report_version_id,
            workitem_id=row.workitem_id,
            destination_id=row.destination_id,
            delivered_at=moment,
            holds_report=carries_report(turn.target.settings),
        ),
    )


def _chase(session: Session, row: Delivery) -> None:
    """Send what stands once more, since what it replaced has arrived after it."""
    newest = session.scalar(
        select(Delivery)
        .where(_at_the_same(row), _after(row), Delivery.id != row.id)
        .order_by(Delivery.version_number.desc(), Delivery.is_notice.desc())
        .limit(1)
        .with_for_update()
    )
    if newest is None or newest.state is not DeliveryState.DELIVERED:
        return
    newest.state = _after_action(newest, DeliveryAction.REPLAY)
    newest.last_error = f"version {row.version_number} has arrived after it"
    audit.record(
        session,
        ENGINE,
        "delivery:replay",
        subject_kind="delivery",
        subject_id=newest.id,
        detail={"reason": newest.last_error},
    )


def _note_failure(queue: DeliveryQueue, said: str, store: Store, moment: datetime) -> None:
    queue.failures += 1
    queue.failing_since = queue.failing_since or moment
    queue.last_error = said[:SAID_LENGTH]
    queue.next_attempt_at = moment + _wait(queue.failures, store)


def _note_success(session: Session, queue: DeliveryQueue, turn: Turn, moment: datetime) -> None:
    """Note that the destination answers, which ends whatever people were told."""
    queue.last_success_at = moment
    if not queue.failures:
        return
    queue.failures = 0
    queue.failing_since = queue.last_error = None
    if queue.told_at is None:
        return
    queue.told_at = None
    audit.record(
        session,
        ENGINE,
        "destination:back",
        subject_kind="destination",
        subject_id=turn.target.id,
    )
    outbox.emit(
        session,
        DestinationChanged(
            destination_id=turn.target.id, site_id=turn.target.site_id, change="back"
        ),
    )


def cancel(row: Delivery, why: str) -> None:
    """Cancel a delivery that something else has taken the place of."""
    row.state = _after_action(row, DeliveryAction.SUPERSEDE)
    row.last_error = why


def _after_action(row: Delivery, action: DeliveryAction) -> DeliveryState:
    after = next_state(row.state, action)
    assert after is not None, (row.state, action)
    return after


def _wait(failures: int, store: Store) -> timedelta:
    config = store.config
    return timedelta(
        seconds=outbox.backoff_seconds(
            failures, base=config.first_retry_seconds, cap=config.longest_retry_seconds
        )
    )


def _at_the_same(row: Delivery) -> ColumnElement[bool]:
    return and_(
        Delivery.workitem_id == row.workitem_id, Delivery.destination_id == row.destination_id
    )


def _after(row: Delivery) -> ColumnElement[bool]:
    """Return the SQL condition that a delivery of the same workitem takes a delivery's place."""
    newer = Delivery.version_number > row.version_number
    if row.is_notice:
        return newer
    return or_(newer, and_(Delivery.is_notice, Delivery.version_number == row.version_number))


def _bounded(text: str) -> str | None:
    # PostgreSQL keeps no NUL in text.
    return text[:KEPT_CHARACTERS].replace("\0", "\N{REPLACEMENT CHARACTER}") or None
