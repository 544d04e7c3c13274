"""Storage commitment: what devices have asked us to vouch for, and what became of it (PS3.4 J).

A request is kept from the moment it is accepted. Its result is decided once,
from what is in the object store and the index of the device's own site, and
then told to the device until it has heard it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    UniqueConstraint,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.attempts import Attempted
from storage.database import Base, Word
from storage.index.tables import Instance, Quarantine, QuarantineReason


class CommitmentState(StrEnum):
    """Where a request stands.

    EXAMINING: not everything it names has been found, and it may still be on its way.
    REPORTING: the result is decided and the device has not heard it yet.
    REPORTED: the device has acknowledged the result; final.
    """

    EXAMINING = "EXAMINING"
    REPORTING = "REPORTING"
    REPORTED = "REPORTED"


class FailureReason(IntEnum):
    """Failure Reason (0008,1197) of an instance that we do not vouch for (PS3.3 C.14.1.1)."""

    PROCESSING_FAILURE = 0x0110
    NO_SUCH_OBJECT_INSTANCE = 0x0112
    CLASS_INSTANCE_CONFLICT = 0x0119


class CommitmentRequest(Attempted, Base):
    """One N-ACTION of a device.

    examine_until: when what has not been found by then counts as not there.
    reported_by: how the device heard: "same association", "later association", or "own
        association", one that we opened.
    """

    __tablename__ = "commitment_request"
    __table_args__ = (
        UniqueConstraint("device_id", "transaction_uid"),
        Index(
            "ix_commitment_request_due",
            "next_attempt_at",
            postgresql_where=text("state IN ('EXAMINING', 'REPORTING')"),
        ),
    )

    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    device_id: Mapped[UUID] = mapped_column(ForeignKey("device.id"))
    calling_ae_title: Mapped[str]
    transaction_uid: Mapped[str]
    state: Mapped[CommitmentState] = mapped_column(
        Word(CommitmentState), default=CommitmentState.EXAMINING
    )
    requested_at: Mapped[datetime] = mapped_column(server_default=func.now())
    examine_until: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    reported_at: Mapped[datetime | None]
    reported_by: Mapped[str | None]


class CommitmentReference(Base):
    """One instance that a request names; `failure_reason` is None for what we vouch for."""

    __tablename__ = "commitment_reference"

    request_id: Mapped[UUID] = mapped_column(ForeignKey("commitment_request.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    sop_class_uid: Mapped[str]
    sop_instance_uid: Mapped[str]
    failure_reason: Mapped[int | None]


@dataclass(frozen=True, slots=True)
class Reference:
    """An instance as a request names it (Referenced SOP Sequence, PS3.3 C.14.1)."""

    sop_class_uid: str
    sop_instance_uid: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the index knows of a reference.

    sop_class_uid: of the filed instance; None when none is filed under the UID at the site.
    in_dispute: the device's own version differs from the filed one and waits for a person.
    """

    position: int
    referenced: Reference
    sop_class_uid: str | None
    object_key: str | None
    object_size: int | None
    in_dispute: bool


def is_open() -> ColumnElement[bool]:
    """Return the SQL condition of requests that still need work."""
    return CommitmentRequest.state.in_((CommitmentState.EXAMINING, CommitmentState.REPORTING))


def find_request(
    session: Session, device_id: UUID, transaction_uid: str
) -> CommitmentRequest | None:
    """Return the request of a device under a Transaction UID, locked, or None."""
    return session.scalar(
        select(CommitmentRequest)
        .where(
            CommitmentRequest.device_id == device_id,
            CommitmentRequest.transaction_uid == transaction_uid,
        )
        .with_for_update()
    )


def references_of(session: Session, request_id: UUID) -> list[Reference]:
    """Return what a request names, in its order."""
    rows = session.execute(
        select(CommitmentReference.sop_class_uid, CommitmentReference.sop_instance_uid)
        .where(CommitmentReference.request_id == request_id)
        .order_by(CommitmentReference.position)
    ).all()
    return [Reference(*row) for row in rows]


def add_references(session: Session, request_id: UUID, references: Sequence[Reference]) -> None:
    """Keep what a request names."""
    session.execute(
        insert(CommitmentReference),
        [
            {
                "request_id": request_id,
                "position": position,
                "sop_class_uid": reference.sop_class_uid,
                "sop_instance_uid": reference.sop_instance_uid,
            }
            for position, reference in enumerate(references)
        ],
    )


def candidates(session: Session, request: CommitmentRequest) -> list[Candidate]:
    """Return what the index of the request's site knows of each reference, in order."""
    in_dispute = (
        select(Quarantine.id)
        .where(
            Quarantine.site_id == request.site_id,
            Quarantine.device_id == request.device_id,
            Quarantine.sop_instance_uid == CommitmentReference.sop_instance_uid,
            Quarantine.reason == QuarantineReason.UID_CONFLICT,
            Quarantine.resolved_at.is_(None),
        )
        .exists()
    )
    rows = session.execute(
        select(
            CommitmentReference,
            Instance.sop_class_uid,
            Instance.object_key,
            Instance.object_size,
            in_dispute,
        )
        .outerjoin(
            Instance,
            (Instance.site_id == request.site_id)
            & (Instance.sop_instance_uid == CommitmentReference.sop_instance_uid),
        )
        .where(CommitmentReference.request_id == request.id)
        .order_by(CommitmentReference.position)
    ).all()
    return [
        Candidate(
            position=reference.position,
            referenced=Reference(reference.sop_class_uid, reference.sop_instance_uid),
            sop_class_uid=sop_class_uid,
            object_key=object_key,
            object_size=object_size,
            in_dispute=disputed,
        )
        for reference, sop_class_uid, object_key, object_size, disputed in rows
    ]


def outcome_of(
    session: Session, request_id: UUID
) -> tuple[list[Reference], list[tuple[Reference, FailureReason]]]:
    """Return what a decided request vouches for, and what not with the reason; each in order."""
    kept: list[Reference] = []
    missing: list[tuple[Reference, FailureReason]] = []
    for row in session.scalars(
        select(CommitmentReference)
        .where(CommitmentReference.request_id == request_id)
        .order_by(CommitmentReference.position)
    ):
        reference = Reference(row.sop_class_uid, row.sop_instance_uid)
        if row.failure_reason is None:
            kept.append(reference)
        else:
            missing.append((reference, FailureReason(row.failure_reason)))
    return kept, missing


def waiting_for_device(
    session: Session, device_id: UUID, requested_before: datetime
) -> Sequence[UUID]:
    """Return the older requests of a device that it has not heard the result of, oldest first."""
    return session.scalars(
        select(CommitmentRequest.id)
        .where(
            CommitmentRequest.device_id == device_id,
            CommitmentRequest.requested_at < requested_before,
            is_open(),
        )
        .order_by(CommitmentRequest.requested_at)
    ).all()
