"""Tables of keeping: runs of `rdc verify` with what they found, and storage use."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, ForeignKey, Identity, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base, Word


class Fault(StrEnum):
    """What can be wrong between the database and the object store.

    MISSING: a row names an object that does not exist.
    WRONG_SIZE, WRONG_DIGEST: the object is not the one that was stored.
    UNREADABLE: the object is there, but its bytes cannot be read.
    NO_ROW: an object that no row names.
    FOREIGN: an object under a name that no part of the system uses.
    """

    MISSING = "missing"
    WRONG_SIZE = "wrong_size"
    WRONG_DIGEST = "wrong_digest"
    UNREADABLE = "unreadable"
    NO_ROW = "no_row"
    FOREIGN = "foreign"


class Verification(Base):
    """One run of `rdc verify`.

    options: site, since and sample as they were given.
    ended_at: None while it runs, and for ever when it was interrupted.
    last_key: up to which object key, in order, everything has been compared; a later run may go on
        from there.
    objects, bytes_read, findings: counted so far. derived: objects that can be made again.
    recent: objects too young to be judged, since their rows may be on the way.
    """

    __tablename__ = "verification"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    started_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    options: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    last_key: Mapped[str] = mapped_column(default="")
    objects: Mapped[int] = mapped_column(BigInteger, default=0)
    bytes_read: Mapped[int] = mapped_column(BigInteger, default=0)
    derived: Mapped[int] = mapped_column(BigInteger, default=0)
    recent: Mapped[int] = mapped_column(BigInteger, default=0)
    findings: Mapped[int] = mapped_column(BigInteger, default=0)


class VerificationFinding(Base):
    """One thing that a run found wrong.

    holding: which table's row names the object; empty for an object without a row.
    subject: what that row is about, such as a SOP Instance UID.
    """

    __tablename__ = "verification_finding"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    verification_id: Mapped[UUID] = mapped_column(ForeignKey("verification.id"), index=True)
    fault: Mapped[Fault] = mapped_column(Word(Fault))
    object_key: Mapped[str]
    holding: Mapped[str]
    subject: Mapped[str]
    expected: Mapped[str]
    found: Mapped[str]
    found_at: Mapped[datetime] = mapped_column(server_default=func.now())


class StorageUsage(Base):
    """What one site keeps of one modality from one month of reception; made by `usage.refresh`.

    modality: empty where the series has none.
    month: first day of the month in which the study was first received, UTC.
    """

    __tablename__ = "storage_usage"

    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    modality: Mapped[str] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    studies: Mapped[int] = mapped_column(BigInteger)
    series: Mapped[int] = mapped_column(BigInteger)
    instances: Mapped[int] = mapped_column(BigInteger)
    bytes: Mapped[int] = mapped_column(BigInteger)
    refreshed_at: Mapped[datetime]


class KeptObjects(Base):
    """How many objects of one kind are kept for one site, as the store was last walked as a whole.

    site_id: as the objects' names tell it; of a site that is not in the registry any more, too.
    kind: a word of `storage.keeping.kept.KeptKind`.
    """

    __tablename__ = "kept_objects"

    site_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    objects: Mapped[int] = mapped_column(BigInteger)
    bytes: Mapped[int] = mapped_column(BigInteger)
    counted_at: Mapped[datetime]
