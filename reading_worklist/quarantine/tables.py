"""Every decision about quarantined bytes, in the order it was made."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, func
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base, Word


class QuarantineAction(StrEnum):
    """What a person can decide.

    DISCARD: what is filed stays; the newcomer stays aside, and its bytes are kept.
    REPLACE: the newcomer takes the place of the filed version, which is kept aside in its stead.
    FILE: the instance belongs to the patient of its study, whatever its header says.
    UNDO: the decision before is taken back.
    """

    DISCARD = "discard"
    REPLACE = "replace"
    FILE = "file"
    UNDO = "undo"


class QuarantineDecision(Base):
    """One decision; rows are only added.

    filed_sha256: of the dataset that is filed under the SOP Instance UID after the decision; empty
        where none is.
    """

    __tablename__ = "quarantine_decision"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    quarantine_id: Mapped[UUID] = mapped_column(ForeignKey("quarantine.id"), index=True)
    action: Mapped[QuarantineAction] = mapped_column(Word(QuarantineAction))
    reason: Mapped[str]
    filed_sha256: Mapped[str]
    decided_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime] = mapped_column(server_default=func.now())
