"""Storage commitment that we ask of the machines which took a report (PS3.4 J), and their word.

"Delivered" is the answer to a C-STORE: it has come. "Committed" is more: the receiver says, some
time later and of each object, that it keeps it. A request is made with the delivery's end where
its destination is to be asked, and asked again until the receiver has said one or the other.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKey, Index, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage import attempts, audit
from storage.attempts import Attempted
from storage.clock import utc_now
from storage.commitments import Reference
from storage.database import Base, Word, notify
from storage.deliveries import AttemptOutcome, Delivery, DeliveryAttempt
from storage.delivery_actions import tell

CHANNEL: Final = "rdc_delivery_commitment"
_RECEIVER: Final = audit.system_actor("returns")
_ANSWER_LENGTH: Final = 500


class AskedState(StrEnum):
    """Where a request stands.

    ASKING: the receiver has not taken the request yet. WAITING: it has, and not said its word.
    COMMITTED: it keeps every object. REFUSED: it does not keep all of them, or does not say so.
    """

    ASKING = "ASKING"
    WAITING = "WAITING"
    COMMITTED = "COMMITTED"
    REFUSED = "REFUSED"


class DeliveryCommitment(Attempted, Base):
    """One request for the objects that a destination has taken with one delivery.

    objects: SOP class and SOP Instance UID of each. transaction_uid: of the last N-ACTION; none
        before the first. asked_at: when the receiver took that. missing: SOP Instance UIDs that it
        does not vouch for, with its reason (0008,1197), None where it gives none.
    """

    __tablename__ = "delivery_commitment"
    __table_args__ = (
        Index(
            "ix_delivery_commitment_due",
            "next_attempt_at",
            postgresql_where=text("state IN ('ASKING', 'WAITING')"),
        ),
    )

    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("delivery.id"), index=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    state: Mapped[AskedState] = mapped_column(Word(AskedState), default=AskedState.ASKING)
    objects: Mapped[list[list[str]]] = mapped_column(JSONB)
    transaction_uid: Mapped[str | None] = mapped_column(unique=True)
    asked_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    missing: Mapped[dict[str, int | None] | None] = mapped_column(JSONB(none_as_null=True))

    @property
    def references(self) -> list[Reference]:
        """What is asked for."""
        return [Reference(sop_class, instance) for sop_class, instance in self.objects]


def is_open() -> ColumnElement[bool]:
    """Return the SQL condition of requests that the receiver has not decided."""
    return DeliveryCommitment.state.in_((AskedState.ASKING, AskedState.WAITING))


def ask(session: Session, delivery: Delivery, objects: Sequence[Reference]) -> None:
    """Have the receiver of a delivery asked to commit itself to what it has taken."""
    made = DeliveryCommitment(
        delivery_id=delivery.id,
        site_id=delivery.site_id,
        objects=[[one.sop_class_uid, one.sop_instance_uid] for one in objects],
    )
    session.add(made)
    session.flush()
    notify(session, CHANNEL, str(made.id))


def decide(
    session: Session,
    site_id: UUID,
    transaction_uid: str,
    kept: Sequence[Reference],
    failed: Mapping[str, int | None],
) -> bool:
    """Write the word of a receiver at a site; False when nothing was asked under this UID there.

    Committed is what was asked for, of the class it has, named as kept and not as failed: an object
    that is not mentioned is not vouched for. Said a second time, it changes nothing.
    """
    row = session.scalar(
        select(DeliveryCommitment)
        .where(
            DeliveryCommitment.transaction_uid == transaction_uid,
            DeliveryCommitment.site_id == site_id,
        )
        .with_for_update()
    )
    if row is None:
        return False
    if row.decided_at is not None:
        return True
    vouched = set(kept)
    missing = {
        one.sop_instance_uid: failed.get(one.sop_instance_uid)
        for one in row.references
        if one not in vouched or one.sop_instance_uid in failed
    }
    row.state = AskedState.REFUSED if missing else AskedState.COMMITTED
    row.missing = missing or None
    row.decided_at = utc_now()
    attempts.succeeded(row)
    delivery = session.get_one(Delivery, row.delivery_id)
    _say(session, row)
    audit.record(
        session,
        _RECEIVER,
        "delivery:commitment_refused" if missing else "delivery:committed",
        subject_kind="delivery",
        subject_id=row.delivery_id,
        detail={"objects": len(row.objects), "missing": len(missing)},
    )
    tell(session, delivery)
    return True


def words_of(row: DeliveryCommitment) -> str:
    """Return what a receiver said of a decided request, for a person."""
    if not row.missing:
        return "storage committed"
    reasons = sorted(
        {"not named" if one is None else f"{one:04X}H" for one in row.missing.values()}
    )
    return (
        f"storage NOT committed for {len(row.missing)} of {len(row.objects)} objects: "
        f"{', '.join(reasons)}"
    )


def _say(session: Session, row: DeliveryCommitment) -> None:
    """Put the word beside the answer of the attempt that it raises, or casts doubt on."""
    attempt = session.scalar(
        select(DeliveryAttempt)
        .where(
            DeliveryAttempt.delivery_id == row.delivery_id,
            DeliveryAttempt.outcome == AttemptOutcome.DELIVERED,
        )
        .order_by(DeliveryAttempt.number.desc())
        .limit(1)
    )
    if attempt is None:
        return
    words = words_of(row)
    before = (attempt.answer or "")[: _ANSWER_LENGTH - len(words) - 2]
    session.execute(
        update(DeliveryAttempt)
        .where(DeliveryAttempt.id == attempt.id)
        .values(answer=f"{before}; {words}" if before else words)
    )
