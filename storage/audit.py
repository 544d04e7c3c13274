"""The audit trail: who did what to which object, when, for which organisation, from where.

Rows are only ever added; the database refuses to change or delete one. The
record is written in the transaction of the change, so neither exists without
the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Connection, ForeignKey, Identity, Index, func, insert
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

# The tables that the foreign keys name: whoever records an act need not know of them.
from storage import registry  # noqa: F401  # pyright: ignore[reportUnusedImport]
from storage.database import Base


class AuditRecord(Base):
    """One act; `action` is ``subject:verb`` such as ``workitem:claim``."""

    __tablename__ = "audit_record"
    __table_args__ = (Index("ix_audit_record_subject", "subject_kind", "subject_id"),)
    # Who works for a site may add records and read nothing of them but their ids.
    __mapper_args__ = MappingProxyType({"eager_defaults": False})

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
    action: Mapped[str]
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"))
    client: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person for an organisation, or a part of the system (both ids None).

    client: where the act came from: a network address, an AE title, or the name of our own process.
    """

    person_id: UUID | None
    organisation_id: UUID | None
    client: str


def system_actor(process: str) -> Actor:
    """Return the actor for what the system does by itself."""
    return Actor(person_id=None, organisation_id=None, client=process)


def record(
    session: Session,
    actor: Actor,
    action: str,
    *,
    subject_kind: str,
    subject_id: object,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Add one record in the caller's transaction.

    detail: JSON-serialisable facts of the act, such as states and versions; never report text or
        patient data.
    """
    values = _values(actor, action, subject_kind, subject_id, detail)
    session.add(AuditRecord(**values))


def record_alone(
    connection: Connection, actor: Actor, action: str, *, subject_kind: str, subject_id: object
) -> None:
    """Add one record that belongs to no change, such as of what somebody was shown.

    It is committed, on disk, when this returns: one question to the server, where a transaction
    around it makes three.

    connection: of `Database.reading`.
    """
    values = _values(actor, action, subject_kind, subject_id, None)
    connection.execute(insert(AuditRecord).inline(), values)


def _values(
    actor: Actor,
    action: str,
    subject_kind: str,
    subject_id: object,
    detail: Mapping[str, Any] | None,
) -> dict[str, Any]:
    return {
        "action": action,
        "person_id": actor.person_id,
        "organisation_id": actor.organisation_id,
        "client": actor.client,
        "subject_kind": subject_kind,
        "subject_id": str(subject_id),
        "detail": dict(detail or {}),
    }
