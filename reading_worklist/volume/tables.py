"""Tables of the volume checks: what is to be looked at, what was found, and the montages."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from reading_worklist.study_tasks.tables import DUE, StudyWork
from reading_worklist.volume.findings import Code, Severity
from storage.database import Base, Word


class StudyAnalysis(StudyWork):
    """Whether the newest completion of a study has been looked at."""

    __tablename__ = "study_analysis"
    __table_args__ = (Index("ix_study_analysis_due", "due_at", postgresql_where=text(DUE)),)


class QualityNote(Base):
    """One finding about a series, from the first completion that shows it to the last.

    generation: the completion at which it was found. superseded_at: when a later completion no
        longer showed it; such notes are kept.
    parameters: for the text of its code, see `findings.Finding`.
    """

    __tablename__ = "quality_note"
    __table_args__ = (
        Index(
            "ix_quality_note_standing", "study_id", postgresql_where=text("superseded_at IS NULL")
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    study_id: Mapped[UUID] = mapped_column(ForeignKey("study.id", ondelete="CASCADE"), index=True)
    series_id: Mapped[int] = mapped_column(ForeignKey("series.id", ondelete="CASCADE"), index=True)
    generation: Mapped[int]
    code: Mapped[Code] = mapped_column(Word(Code))
    severity: Mapped[Severity] = mapped_column(Word(Severity))
    parameters: Mapped[dict[str, Any]] = mapped_column(JSONB)
    found_at: Mapped[datetime]
    superseded_at: Mapped[datetime | None]


class SeriesMontage(Base):
    """The picture that shows a series at a glance, kept in the object store.

    revision: of the series it was made from. width, height: in pixels. tiles: slices shown.
    """

    __tablename__ = "series_montage"

    series_id: Mapped[int] = mapped_column(
        ForeignKey("series.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    study_id: Mapped[UUID] = mapped_column(ForeignKey("study.id", ondelete="CASCADE"), index=True)
    revision: Mapped[int]
    object_key: Mapped[str]
    object_size: Mapped[int]
    width: Mapped[int]
    height: Mapped[int]
    tiles: Mapped[int]
