"""What a person may do with deliveries and with the queue of a destination.

Each is one step in the caller's transaction: the state, the audit record, and the message that
tells open pages and wakes the engine. Who may is the caller's to decide, who has looked the row up
within what the person may see.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, exists, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from storage import audit, outbox
from storage.clock import utc_now
from storage.database import notify, one_of
from storage.deliveries import CHANNEL, Delivery, DeliveryQueue, ensure_queue
from storage.delivery_states import TRANSITIONS, DeliveryAction, DeliveryState
from storage.errors import RdcError
from storage.issued_reports import IssuedReportRow
from storage.messages import DeliveryChanged, DestinationChanged
from storage.registry.destinations import Destination
from storage.report_status import IssuedKind


class DeliveryActionRefused(RdcError):
    """What was asked cannot be done with this delivery or queue now."""


def pause(session: Session, actor: audit.Actor, delivery_id: UUID, reason: str) -> None:
    """Hold a delivery until somebody resumes it; an attempt that runs may still arrive.

    Raises:
        DeliveryActionRefused: it is not waiting, or there is no reason.
    """
    row = _locked(session, delivery_id)
    _decide(session, actor, row, DeliveryAction.PAUSE, _given(reason))


def resume(session: Session, actor: audit.Actor, delivery_id: UUID, reason: str = "") -> None:
    """Let a delivery that was paused go on, at once.

    Raises:
        DeliveryActionRefused: it is not paused, or another version has taken its place.
    """
    row = _locked(session, delivery_id)
    _require_standing(session, row)
    _decide(session, actor, row, DeliveryAction.RESUME, reason.strip())
    hurry(session, [row.id])


def replay(session: Session, actor: audit.Actor, delivery_id: UUID, reason: str) -> None:
    """Send a delivery now, or once more, under the identity it had: no second copy at the receiver.

    Raises:
        DeliveryActionRefused: it is under way, paused or cancelled, another version has taken its
            place, or there is no reason.
    """
    row = _locked(session, delivery_id)
    _require_standing(session, row)
    _decide(session, actor, row, DeliveryAction.REPLAY, _given(reason))
    hurry(session, [row.id])


def redirect(
    session: Session, actor: audit.Actor, delivery_id: UUID, destination_id: UUID, reason: str
) -> UUID:
    """Send a delivery to another destination of the same site in the place of its own.

    Returns the other delivery, which is there already when the report goes there anyway.

    Raises:
        DeliveryActionRefused: it is not waiting, paused or refused, another version has taken its
            place, the destination is its own, of another site, or switched off, or there is no
            reason.
    """
    row = _locked(session, delivery_id)
    _require_standing(session, row)
    _require_destination(session, row.site_id, row.destination_id, destination_id)
    return _redirect(session, actor, row, destination_id, _given(reason))


def pause_queue(session: Session, actor: audit.Actor, destination_id: UUID, reason: str) -> None:
    """Send nothing to a destination until somebody resumes it.

    Raises:
        DeliveryActionRefused: it is paused, or there is no reason.
    """
    queue = _locked_queue(session, destination_id)
    if queue.paused_at is not None:
        raise DeliveryActionRefused("the destination is paused already", remedy="Reload.")
    queue.paused_at = utc_now()
    queue.paused_by = actor.person_id
    queue.pause_reason = _given(reason)
    _tell_queue(session, actor, destination_id, "pause", reason)


def resume_queue(
    session: Session, actor: audit.Actor, destination_id: UUID, reason: str = ""
) -> None:
    """Send to a destination again, beginning now.

    Raises:
        DeliveryActionRefused: it is not paused.
    """
    queue = _locked_queue(session, destination_id)
    if queue.paused_at is None:
        raise DeliveryActionRefused("the destination is not paused", remedy="Reload.")
    queue.paused_at = queue.paused_by = queue.pause_reason = None
    queue.next_attempt_at = utc_now()
    _tell_queue(session, actor, destination_id, "resume", reason)


def probe_queue(session: Session, actor: audit.Actor, destination_id: UUID) -> None:
    """Try a destination now, whatever its waiting time.

    Raises:
        DeliveryActionRefused: it is paused.
    """
    queue = _locked_queue(session, destination_id)
    if queue.paused_at is not None:
        raise DeliveryActionRefused("the destination is paused", remedy="Resume it.")
    queue.next_attempt_at = utc_now()
    _tell_queue(session, actor, destination_id, "probe", "")


def redirect_queue(
    session: Session,
    actor: audit.Actor,
    destination_id: UUID,
    to_destination_id: UUID,
    reason: str,
    *,
    limit: int = 1000,
) -> int:
    """Redirect what waits for a destination to another one; returns how many were.

    limit: most at once; call again while it returns as many.

    Raises:
        DeliveryActionRefused: as `redirect`.
    """
    given = _given(reason)
    _locked_queue(session, destination_id)
    destination = session.get_one(Destination, destination_id)
    _require_destination(session, destination.site_id, destination_id, to_destination_id)
    rows = session.scalars(
        select(Delivery)
        .where(
            Delivery.destination_id == destination_id,
            Delivery.state.in_(
                (DeliveryState.PENDING, DeliveryState.PAUSED, DeliveryState.REFUSED)
            ),
            ~_superseded(),
        )
        .order_by(Delivery.issued_at)
        .limit(limit)
        .with_for_update()
    ).all()
    for row in rows:
        _redirect(session, actor, row, to_destination_id, given)
    return len(rows)


def hurry(session: Session, delivery_ids: Sequence[UUID], *, at: datetime | None = None) -> None:
    """Have waiting deliveries tried now, and their destinations with them.

    at: the time from which on; now.
    """
    now = at or utc_now()
    session.execute(
        update(DeliveryQueue)
        .where(
            DeliveryQueue.destination_id.in_(
                select(Delivery.destination_id).where(one_of(Delivery.id, delivery_ids))
            )
        )
        .values(next_attempt_at=now)
    )
    session.execute(
        update(Delivery)
        .where(one_of(Delivery.id, delivery_ids), Delivery.state == DeliveryState.PENDING)
        .values(next_attempt_at=now)
    )
    notify(session, CHANNEL)


def _superseded() -> ColumnElement[bool]:
    """Return the SQL condition that something was issued that takes a delivery's place."""
    newer = IssuedReportRow.version_number > Delivery.version_number
    void = (
        (IssuedReportRow.kind == IssuedKind.NOTICE)
        & (IssuedReportRow.version_number >= Delivery.version_number)
        & ~Delivery.is_notice
    )
    return exists().where(IssuedReportRow.workitem_id == Delivery.workitem_id, or_(newer, void))


def stands(session: Session, delivery_id: UUID) -> bool:
    """Tell whether what a delivery brings has not been replaced or declared void since."""
    return not session.scalar(select(_superseded()).where(Delivery.id == delivery_id))


def _given(reason: str) -> str:
    if not reason.strip():
        raise DeliveryActionRefused("this needs a reason", expected="a text", remedy="Say why.")
    return reason.strip()


def _locked(session: Session, delivery_id: UUID) -> Delivery:
    """Lock a delivery, its queue before it, as the engine does."""
    destination_id = session.scalar(
        select(Delivery.destination_id).where(Delivery.id == delivery_id)
    )
    if destination_id is None:
        raise DeliveryActionRefused("there is no such delivery", remedy="Reload.")
    _locked_queue(session, destination_id)
    return session.get_one(Delivery, delivery_id, with_for_update=True, populate_existing=True)


def _locked_queue(session: Session, destination_id: UUID) -> DeliveryQueue:
    ensure_queue(session, destination_id)
    return session.get_one(
        DeliveryQueue, destination_id, with_for_update=True, populate_existing=True
    )


def _require_standing(session: Session, row: Delivery) -> None:
    if not stands(session, row.id):
        raise DeliveryActionRefused(
            f"version {row.version_number} does not stand any more",
            expected="the version that stands",
            remedy="Look at the delivery of the version that took its place.",
        )


def _require_destination(
    session: Session, site_id: UUID, destination_id: UUID, other_id: UUID
) -> None:
    other = session.get(Destination, other_id)
    if other is None or other.site_id != site_id or other.id == destination_id or not other.active:
        raise DeliveryActionRefused(
            "the report cannot be sent there",
            expected="another destination of the same site that is switched on",
            remedy="Choose one from the list.",
        )


def _decide(
    session: Session, actor: audit.Actor, row: Delivery, action: DeliveryAction, reason: str
) -> None:
    before = row.state
    after = TRANSITIONS[before, action]
    if after is None:
        raise DeliveryActionRefused(
            f"'{action.value}' is not possible now",
            expected=" or ".join(
                state.value for (state, one), to in TRANSITIONS.items() if one is action and to
            ),
            found=before.value,
            remedy="Reload.",
        )
    row.state = after
    row.decided_by = actor.person_id
    row.decided_at = utc_now()
    row.decision_reason = reason or None
    if after is not DeliveryState.IN_PROGRESS:
        row.lease_token = None
    session.flush()
    audit.record(
        session,
        actor,
        f"delivery:{action.value}",
        subject_kind="delivery",
        subject_id=row.id,
        detail={"from": before.value, "to": after.value, "reason": reason},
    )
    tell(session, row)


def tell(session: Session, row: Delivery) -> None:
    """Write the message that a delivery changed, for open pages."""
    outbox.emit(
        session,
        DeliveryChanged(
            delivery_id=row.id,
            workitem_id=row.workitem_id,
            site_id=row.site_id,
            destination_id=row.destination_id,
            state=row.state.value,
        ),
    )


def _tell_queue(
    session: Session, actor: audit.Actor, destination_id: UUID, action: str, reason: str
) -> None:
    audit.record(
        session,
        actor,
        f"destination:{action}",
        subject_kind="destination",
        subject_id=destination_id,
        detail={"reason": reason.strip()},
    )
    site_id = session.get_one(Destination, destination_id).site_id
    outbox.emit(
        session, DestinationChanged(destination_id=destination_id, site_id=site_id, change=action)
    )
    notify(session, CHANNEL)


def _redirect(
    session: Session, actor: audit.Actor, row: Delivery, destination_id: UUID, reason: str
) -> UUID:
    _decide(session, actor, row, DeliveryAction.REDIRECT, reason)
    row.last_error = "redirected by a person"
    ensure_queue(session, destination_id)
    made = session.scalar(
        insert(Delivery)
        .values(
            id=uuid4(),
            report_version_id=row.report_version_id,
            workitem_id=row.workitem_id,
            study_id=row.study_id,
            site_id=row.site_id,
            destination_id=destination_id,
            state=DeliveryState.PENDING,
            attempts=0,
            sop_instance_uid=row.sop_instance_uid,
            title=row.title,
            version_number=row.version_number,
            is_notice=row.is_notice,
            pdf_object_key=row.pdf_object_key,
            pdf_sha256=row.pdf_sha256,
            issued_at=row.issued_at,
            redirected_from=row.id,
        )
        .on_conflict_do_nothing(index_elements=["report_version_id", "destination_id"])
        .returning(Delivery.id)
    )
    notify(session, CHANNEL)
    if made is not None:
        return made
    return session.scalars(
        select(Delivery.id).where(
            Delivery.report_version_id == row.report_version_id,
            Delivery.destination_id == destination_id,
        )
    ).one()
