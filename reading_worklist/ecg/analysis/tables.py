"""Tables of the analysis of ECGs: what is due, what was found, what readers corrected."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from reading_worklist.ecg.triage.rulesets import Province
from reading_worklist.study_tasks.tables import DUE, StudyWork
from storage.database import Base, Word


class AnalysisState(StrEnum):
    """What came of an analysis.

    UNREADABLE: the object is no ECG that can be read. FAILED: our own fault; nothing of it is to be
    trusted.
    """

    DONE = "DONE"
    UNREADABLE = "UNREADABLE"
    FAILED = "FAILED"


class EcgTask(StudyWork):
    """Whether the ECGs of the newest completion of a study have been analysed."""

    __tablename__ = "ecg_task"
    __table_args__ = (Index("ix_ecg_task_due", "due_at", postgresql_where=text(DUE)),)


class EcgAnalysis(Base):
    """What one version of the method says of one ECG; never changed once it is there.

    method_version: of everything that may change the result, see `analyse.METHOD_VERSION`.
    error: why there is no result, without patient data; None when it is DONE.
    quality: findings and usable leads. repeat: whether the technician should record again.
    measurement: as `schemas.MeasurementView` has it, None where nothing could be measured.
    triage: hints, what was not judged and which rulesets were asked.
    critical_value_ids: of the suspicions that this opened or found open.
    thumbnail: an SVG for lists, None where there is no signal to show.
    cpu_ms: the processor's time for all of it.
    """

    __tablename__ = "ecg_analysis"
    __table_args__ = (
        UniqueConstraint("instance_id", "method_version"),
        CheckConstraint(
            "(state = 'DONE') = (error IS NULL) AND (state <> 'DONE' OR (quality IS NOT NULL"
            " AND triage IS NOT NULL))",
            name="result",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    instance_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("instance.id", ondelete="CASCADE")
    )
    study_id: Mapped[UUID] = mapped_column(ForeignKey("study.id", ondelete="CASCADE"), index=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    method_version: Mapped[str]
    state: Mapped[AnalysisState] = mapped_column(Word(AnalysisState))
    error: Mapped[str | None]
    quality: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    repeat: Mapped[bool] = mapped_column(default=False)
    measurement: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    triage: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    critical_value_ids: Mapped[list[str]] = mapped_column(JSONB, default=list)
    thumbnail: Mapped[str | None]
    analysed_at: Mapped[datetime]
    cpu_ms: Mapped[float]


class EcgCorrection(Base):
    """Markers that a reader set by hand, and what was measured with them; only added.

    number: from 1 in their order; before the first stands what the analysis measured.
    corrections: as `schemas.EcgCorrections` has them. measurement, triage: with them.
    """

    __tablename__ = "ecg_correction"
    __table_args__ = (UniqueConstraint("analysis_id", "number"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    analysis_id: Mapped[UUID] = mapped_column(ForeignKey("ecg_analysis.id", ondelete="CASCADE"))
    number: Mapped[int]
    corrected_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    corrected_for: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    corrected_at: Mapped[datetime]
    corrections: Mapped[dict[str, Any]] = mapped_column(JSONB)
    measurement: Mapped[dict[str, Any]] = mapped_column(JSONB)
    triage: Mapped[dict[str, Any]] = mapped_column(JSONB)


class EcgCriticalList(Base):
    """By which list of critical values a consortium judges ECGs; without a row the default."""

    __tablename__ = "ecg_critical_list"

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    province: Mapped[Province] = mapped_column(Word(Province))
    set_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    set_at: Mapped[datetime]
