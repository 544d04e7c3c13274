"""One row for each ECG file that came, by whatever way but DICOM's own."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

# The tables that the foreign keys name: whoever takes a file in need not know of them.
from storage import registry  # noqa: F401  # pyright: ignore[reportUnusedImport]
from storage.attempts import Attempted
from storage.database import Base, Word
from storage.ecg_files.formats import EcgFormat
from storage.orders import tables as orders  # noqa: F401  # pyright: ignore[reportUnusedImport]


class EcgFileState(StrEnum):
    """What has become of a file.

    RECEIVED: its bytes are kept; it has not been looked at.
    NEEDS_PATIENT: it is readable and says nobody's name; a person says whose it is.
    FILED: it is an ECG in the index.
    DOCUMENT: it is in the index as a document that people read; nothing in it is measured.
    UNREADABLE: it is an ECG by its format and cannot be read; the original is kept.
    REFUSED: it is nothing that an ECG comes in; nothing of it is kept.
    """

    RECEIVED = "RECEIVED"
    NEEDS_PATIENT = "NEEDS_PATIENT"
    FILED = "FILED"
    DOCUMENT = "DOCUMENT"
    UNREADABLE = "UNREADABLE"
    REFUSED = "REFUSED"


class EcgFileWay(StrEnum):
    """How a file came."""

    MACHINE = "machine"
    PORTAL = "portal"
    FOLDER = "folder"
    IMPORT = "import"


class EcgFile(Attempted, Base):
    """An original file and what was made of it.

    sha256, size: of the file; the same file of the same site is one row however often it comes.
    purged_at: when the original was removed with its study at the end of the retention.
    file_name: as the sender called it; may name the patient, so it is in no log.
    order_id, chosen_patient: whose it is, said by the person who sent it or was asked:
        an order of the site, or a patient as `EcgPatient.as_words`.
    problem: what, expected, found and remedy of why it could not be read; code names the kind.
    summary: acquired_at, seconds, leads, notes and patient_name as the file has them.
    study_instance_uid, sop_instance_uid: of the object in the index.
    """

    __tablename__ = "ecg_file"
    __table_args__ = (
        Index(
            "uq_ecg_file_content",
            "site_id",
            "sha256",
            unique=True,
            postgresql_where=text("purged_at IS NULL"),
        ),
        Index("ix_ecg_file_due", "next_attempt_at", postgresql_where=text("state = 'RECEIVED'")),
        Index("ix_ecg_file_site", "site_id", "received_at"),
        Index("ix_ecg_file_study", "site_id", "study_instance_uid"),
        CheckConstraint(
            "(state IN ('FILED', 'DOCUMENT')) = (sop_instance_uid IS NOT NULL)", name="filed"
        ),
        CheckConstraint(
            "(state IN ('UNREADABLE', 'REFUSED')) = (problem IS NOT NULL)", name="problem"
        ),
    )

    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    sha256: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    object_key: Mapped[str]
    file_name: Mapped[str]
    way: Mapped[EcgFileWay] = mapped_column(Word(EcgFileWay))
    client: Mapped[str]
    token_id: Mapped[UUID | None] = mapped_column(ForeignKey("machine_token.id"))
    device_id: Mapped[UUID | None] = mapped_column(ForeignKey("device.id"))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    order_id: Mapped[UUID | None] = mapped_column(ForeignKey("exam_order.id"))
    chosen_patient: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    state: Mapped[EcgFileState] = mapped_column(Word(EcgFileState), default=EcgFileState.RECEIVED)
    format: Mapped[EcgFormat | None] = mapped_column(Word(EcgFormat))
    problem: Mapped[dict[str, str] | None] = mapped_column(JSONB(none_as_null=True))
    summary: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    study_instance_uid: Mapped[str | None]
    sop_instance_uid: Mapped[str | None]
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())
    settled_at: Mapped[datetime | None]
    purged_at: Mapped[datetime | None]
