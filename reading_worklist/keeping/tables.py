"""Tables of retention: rules, legal holds, purges and what they removed."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from reading_worklist.keeping.states import PurgeState
from storage.database import Base, Word


class VisitKind(StrEnum):
    """For how long a visit's records are kept; what is neither known counts as inpatient."""

    OUTPATIENT = "outpatient"
    INPATIENT = "inpatient"


class StudyFate(StrEnum):
    """What became of a study of a purge.

    KEPT: something stood against it when its turn came; `kept_because` says what.
    """

    WAITING = "WAITING"
    PURGED = "PURGED"
    KEPT = "KEPT"


class RetentionRule(Base):
    """For how many years a site keeps, where that is longer than the national minimum.

    The minimum (15 years after the last visit, 30 after the last discharge) cannot be undercut.
    """

    __tablename__ = "retention_rule"
    __table_args__ = (
        CheckConstraint(
            "(visit_kind = 'outpatient' AND years >= 15)"
            " OR (visit_kind = 'inpatient' AND years >= 30)",
            name="national_minimum",
        ),
        CheckConstraint("years <= 200", name="bounded"),
    )

    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    visit_kind: Mapped[VisitKind] = mapped_column(Word(VisitKind), primary_key=True)
    years: Mapped[int]
    changed_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())


class LegalHold(Base):
    """A reason why nothing of a patient, or one study of his, may go; until it is released.

    study_id: None holds everything of the patient, what comes later too.
    """

    __tablename__ = "legal_hold"
    __table_args__ = (
        CheckConstraint(
            "(released_at IS NULL) = (released_by IS NULL)"
            " AND (released_at IS NULL) = (release_reason IS NULL)",
            name="release",
        ),
        Index("ix_legal_hold_active", "patient_id", postgresql_where=text("released_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    study_id: Mapped[UUID | None] = mapped_column(ForeignKey("study.id"))
    reason: Mapped[str]
    set_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    set_at: Mapped[datetime] = mapped_column(server_default=func.now())
    released_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    released_at: Mapped[datetime | None]
    release_reason: Mapped[str | None]


class Purge(Base):
    """A proposal of one person to remove studies for good, and another's decision."""

    __tablename__ = "purge"
    __table_args__ = (
        CheckConstraint(
            "state NOT IN ('APPROVED', 'EXECUTING', 'DONE', 'REJECTED')"
            " OR (decided_by IS NOT NULL AND decided_by <> proposed_by)",
            name="two_people",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    state: Mapped[PurgeState] = mapped_column(Word(PurgeState), default=PurgeState.PROPOSED)
    reason: Mapped[str]
    proposed_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    proposed_at: Mapped[datetime] = mapped_column(server_default=func.now())
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]
    comment: Mapped[str | None]
    finished_at: Mapped[datetime | None]


class PurgeStudy(Base):
    """One study of a purge; afterwards its tombstone.

    due_on: since when it need not be kept any more, as it was when proposed.
    series_ids: of the series removed, by which objects made from them are found.
    """

    __tablename__ = "purge_study"
    __table_args__ = (
        Index(
            "uq_purge_study_open",
            "study_id",
            unique=True,
            postgresql_where=text("fate = 'WAITING'"),
        ),
    )

    purge_id: Mapped[UUID] = mapped_column(ForeignKey("purge.id"), primary_key=True)
    study_id: Mapped[UUID] = mapped_column(ForeignKey("study.id"), primary_key=True)
    study_instance_uid: Mapped[str]
    due_on: Mapped[date]
    fate: Mapped[StudyFate] = mapped_column(Word(StudyFate), default=StudyFate.WAITING)
    kept_because: Mapped[str | None]
    instances: Mapped[int]
    bytes: Mapped[int] = mapped_column(BigInteger)
    series_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), default=list)
    purged_at: Mapped[datetime | None]


class PurgeObject(Base):
    """An object to be deleted for good once the rows that named it are gone.

    still_named: a row names it (again), so it stayed.
    """

    __tablename__ = "purge_object"
    __table_args__ = (
        Index("ix_purge_object_due", "purge_id", postgresql_where=text("done_at IS NULL")),
    )

    purge_id: Mapped[UUID] = mapped_column(ForeignKey("purge.id"), primary_key=True)
    object_key: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[UUID]
    sop_instance_uid: Mapped[str]
    sha256: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    removed_at: Mapped[datetime] = mapped_column(server_default=func.now())
    done_at: Mapped[datetime | None]
    still_named: Mapped[bool] = mapped_column(default=False)


class PurgeTransition(Base):
    """The pairs of states a purge may change between; only migrations write it."""

    __tablename__ = "purge_transition"

    from_state: Mapped[str] = mapped_column(primary_key=True)
    to_state: Mapped[str] = mapped_column(primary_key=True)
