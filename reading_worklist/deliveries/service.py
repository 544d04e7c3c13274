"""What people decide about deliveries and queues, over `storage.delivery_actions`."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.deliveries.queries import DECIDERS
from reading_worklist.deliveries.schemas import ReplayBody
from reading_worklist.problems import conflict, forbidden, not_found
from storage import audit, delivery_actions
from storage.deliveries import Delivery, DeliveryState
from storage.delivery_actions import DeliveryActionRefused
from storage.delivery_states import DeliveryAction
from storage.registry import Destination, OrganisationKind

AT_ONCE: Final = 200
"""How many deliveries of a queue are moved in one transaction."""


def decide(
    session: Session, scope: Scope, delivery_id: UUID, action: DeliveryAction, reason: str
) -> None:
    """Pause, resume or send again one delivery.

    Raises:
        Problem: 403 for other roles, 404 when it is not visible, 409 when its state does not allow
            it or another version stands.
    """
    _require(scope)
    _visible_delivery(session, scope, delivery_id)
    act = {
        DeliveryAction.PAUSE: delivery_actions.pause,
        DeliveryAction.RESUME: delivery_actions.resume,
        DeliveryAction.REPLAY: delivery_actions.replay,
    }[action]
    try:
        act(session, scope.actor, delivery_id, reason)
    except DeliveryActionRefused as error:
        raise _refused(error) from None


def redirect(
    session: Session, scope: Scope, delivery_id: UUID, destination_id: UUID, reason: str
) -> UUID:
    """Send one delivery to another destination of its site; returns the delivery there.

    Raises:
        Problem: as `decide`.
    """
    _require(scope)
    _visible_delivery(session, scope, delivery_id)
    try:
        return delivery_actions.redirect(session, scope.actor, delivery_id, destination_id, reason)
    except DeliveryActionRefused as error:
        raise _refused(error) from None


def decide_queue(
    session: Session, scope: Scope, destination_id: UUID, action: str, reason: str
) -> None:
    """Pause or resume a destination, or try it now ("probe").

    Raises:
        Problem: 403 for other roles, 404 when it is not visible, 409 when it is so already.
    """
    _require(scope)
    visible_destination(session, scope, destination_id)
    try:
        if action == "pause":
            delivery_actions.pause_queue(session, scope.actor, destination_id, reason)
        elif action == "resume":
            delivery_actions.resume_queue(session, scope.actor, destination_id, reason)
        else:
            delivery_actions.probe_queue(session, scope.actor, destination_id)
    except DeliveryActionRefused as error:
        raise _refused(error) from None


@dataclass(frozen=True, slots=True)
class Replayed:
    """What one transaction has sent again; last: the last delivery that was looked at."""

    moved: int
    last: UUID | None


def replay_queue(
    session: Session, scope: Scope, destination_id: UUID, body: ReplayBody, *, after: UUID | None
) -> Replayed:
    """Send again what a destination refused, and with `since` what it got from then on.

    What waits for it is tried at once anyway. For a receiver that was restored from a backup, or
    that acknowledged and lost: the identity of each object stays, so what it still has is no second
    copy there. To be called with `after` as the last one until there is no last.

    Raises:
        Problem: 403 for other roles, 404 when it is not visible, 409 when it is paused.
    """
    _require(scope)
    visible_destination(session, scope, destination_id)
    again = Delivery.state == DeliveryState.REFUSED
    if body.since is not None:
        arrived = Delivery.state == DeliveryState.DELIVERED
        again = or_(again, arrived & (Delivery.delivered_at >= body.since))
    query = select(Delivery.id).where(Delivery.destination_id == destination_id, again)
    if after is not None:
        query = query.where(Delivery.id > after)
    ids = session.scalars(query.order_by(Delivery.id).limit(AT_ONCE)).all()
    moved = 0
    try:
        for delivery_id in ids:
            # What has been replaced stays where it is: the version that stands goes there.
            if delivery_actions.stands(session, delivery_id):
                delivery_actions.replay(session, scope.actor, delivery_id, body.reason)
                moved += 1
        delivery_actions.probe_queue(session, scope.actor, destination_id)
    except DeliveryActionRefused as error:
        raise _refused(error) from None
    audit.record(
        session,
        scope.actor,
        "destination:replay",
        subject_kind="destination",
        subject_id=destination_id,
        detail={
            "reason": body.reason,
            "deliveries": moved,
            "since": body.since.isoformat() if body.since else None,
        },
    )
    return Replayed(moved, ids[-1] if len(ids) == AT_ONCE else None)


def redirect_queue(
    session: Session, scope: Scope, destination_id: UUID, to_destination_id: UUID, reason: str
) -> int:
    """Send what waits for a destination to another one of its site; returns how many were.

    `AT_ONCE` means that there may be more.

    Raises:
        Problem: as `replay_queue`.
    """
    _require(scope)
    visible_destination(session, scope, destination_id)
    try:
        return delivery_actions.redirect_queue(
            session, scope.actor, destination_id, to_destination_id, reason, limit=AT_ONCE
        )
    except DeliveryActionRefused as error:
        raise _refused(error) from None


def visible_destination(session: Session, scope: Scope, destination_id: UUID) -> Destination:
    """Return a destination of a visible site.

    Raises:
        Problem: 404 when there is none.
    """
    found = session.scalar(
        select(Destination).where(Destination.id == destination_id, scope.sees(Destination.site_id))
    )
    if found is None:
        raise not_found("The destination")
    return found


def _require(scope: Scope) -> None:
    scope.require(*DECIDERS)
    if scope.organisation_kind is OrganisationKind.SITE:
        raise forbidden("The centre decides about deliveries", remedy="Ring the centre.")


def _visible_delivery(session: Session, scope: Scope, delivery_id: UUID) -> None:
    found = session.scalar(
        select(Delivery.id).where(Delivery.id == delivery_id, scope.sees(Delivery.site_id))
    )
    if found is None:
        raise not_found("The delivery")


def _refused(error: DeliveryActionRefused) -> Exception:
    return conflict(
        "delivery-action",
        error.what,
        expected=error.expected,
        found=error.found,
        remedy=error.remedy,
    )
