"""What pages ask about the volumes of a study, always within the scope of who asks."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.problems import not_found
from reading_worklist.volume.findings import Severity
from reading_worklist.volume.schemas import (
    MontageView,
    QualityNoteView,
    QualityState,
    QualityView,
    SeriesPicture,
)
from reading_worklist.volume.tables import QualityNote, SeriesMontage, StudyAnalysis
from reading_worklist.workitems.tables import Workitem
from storage.database import one_of
from storage.index.tables import Series, Study


def quality(session: Session, scope: Scope, workitem_id: UUID) -> QualityView:
    """Return what is known of the volumes of a workitem's study.

    Raises:
        Problem: 404 when it does not exist or is not visible.
    """
    study_id = session.scalar(
        select(Workitem.study_id).where(Workitem.id == workitem_id, scope.sees(Workitem.site_id))
    )
    if study_id is None:
        raise not_found("The exam")
    notes = session.execute(
        select(QualityNote, Series)
        .join(Series, Series.id == QualityNote.series_id)
        .where(QualityNote.study_id == study_id)
        .order_by(
            QualityNote.superseded_at.desc().nulls_first(),
            QualityNote.severity.desc(),
            Series.series_number.nulls_last(),
            QualityNote.id,
        )
    ).all()
    series = session.execute(
        select(Series, SeriesMontage)
        .join(SeriesMontage, SeriesMontage.series_id == Series.id, isouter=True)
        .where(Series.study_id == study_id)
        .order_by(Series.series_number.nulls_last(), Series.id)
    ).all()
    return QualityView(
        state=_state(session.get(StudyAnalysis, study_id)),
        notes=[_note_view(note, of) for note, of in notes],
        series=[_picture(one, montage) for one, montage in series],
    )


def warnings_of(session: Session, study_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return how many standing warnings each of some studies has; those without are left out."""
    rows = session.execute(
        select(QualityNote.study_id, func.count())
        .where(
            one_of(QualityNote.study_id, study_ids),
            QualityNote.superseded_at.is_(None),
            QualityNote.severity == Severity.WARNING,
        )
        .group_by(QualityNote.study_id)
    )
    return dict(rows.all())


def montage(session: Session, scope: Scope, series_id: int) -> SeriesMontage:
    """Return where the montage of a series is.

    Raises:
        Problem: 404 when there is none, or the series is not visible.
    """
    found = session.scalar(
        select(SeriesMontage)
        .join(Study, Study.id == SeriesMontage.study_id)
        .where(SeriesMontage.series_id == series_id, scope.sees(Study.site_id))
    )
    if found is None:
        raise not_found("The montage")
    return found


def _state(row: StudyAnalysis | None) -> QualityState:
    if row is not None and row.parked_at is not None:
        return QualityState.FAILED
    if row is None or row.analysed_generation < row.generation:
        return QualityState.PENDING
    return QualityState.CHECKED


def _note_view(note: QualityNote, series: Series) -> QualityNoteView:
    return QualityNoteView(
        id=note.id,
        code=note.code,
        severity=note.severity,
        series_instance_uid=series.series_instance_uid,
        series_number=series.series_number,
        series_description=series.series_description,
        generation=note.generation,
        parameters=note.parameters,
        found_at=note.found_at,
        superseded_at=note.superseded_at,
    )


def _picture(series: Series, found: SeriesMontage | None) -> SeriesPicture:
    return SeriesPicture(
        series_instance_uid=series.series_instance_uid,
        modality=series.modality,
        number=series.series_number,
        description=series.series_description,
        instance_count=series.instance_count,
        montage=found
        and MontageView(
            url=f"/api/series/{series.id}/montage?revision={found.revision}",
            width=found.width,
            height=found.height,
            tiles=found.tiles,
        ),
    )
