"""Looking at complete studies: asked for and done as `study_tasks` says, kept with history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reading_worklist import events
from reading_worklist.dicomweb.queries import SeriesRecord
from reading_worklist.study_tasks.service import StudyTasks, Task
from reading_worklist.volume.findings import Finding
from reading_worklist.volume.tables import QualityNote, SeriesMontage, StudyAnalysis
from reading_worklist.workitems.tables import Workitem, event_data
from storage.clock import utc_now
from storage.index.tables import Series

CHANNEL: Final = "rdc_analysis"
TASKS: Final = StudyTasks(StudyAnalysis, CHANNEL)
"""The studies to be looked at."""


@dataclass(frozen=True, slots=True)
class SeriesTask:
    """A series of such a study. pictured: its montage is of this revision."""

    series: SeriesRecord
    modality: str | None
    pictured: bool


@dataclass(frozen=True, slots=True)
class KeptMontage:
    """A montage that is in the object store."""

    object_key: str
    object_size: int
    width: int
    height: int
    tiles: int


@dataclass(frozen=True, slots=True)
class SeriesResult:
    """What came of a series; `montage` None leaves what is there."""

    series: SeriesRecord
    findings: Sequence[Finding]
    montage: KeptMontage | None


def series_tasks(session: Session, task: Task) -> list[SeriesTask]:
    """Return the series of the study, by number."""
    rows = session.execute(
        select(Series, SeriesMontage.revision)
        .join(SeriesMontage, SeriesMontage.series_id == Series.id, isouter=True)
        .where(Series.study_id == task.study.id)
        .order_by(Series.series_number.nulls_last(), Series.id)
    ).all()
    return [
        SeriesTask(
            SeriesRecord(
                one.id,
                task.study.site_code,
                task.study.study_instance_uid,
                one.series_instance_uid,
                one.revision,
                task.study.complete,
            ),
            one.modality,
            pictured=revision == one.revision,
        )
        for one, revision in rows
    ]


def finish(session: Session, task: Task, results: Sequence[SeriesResult]) -> None:
    """Write what was found, and tell open pages.

    Notes found before stay as they are, new ones are added, those no longer
    found are marked as superseded.

    Raises:
        LeaseLost: see there.
    """
    now = utc_now()
    TASKS.finish(session, task, now)
    _keep_notes(session, task, results, now)
    for result in results:
        if result.montage is not None:
            _keep_montage(session, task, result.series, result.montage)
    item = session.scalar(select(Workitem).where(Workitem.study_id == task.study.id))
    if item is not None:
        events.publish(session, events.Event("workitem", item.site_id, event_data(item)))


def _keep_notes(
    session: Session, task: Task, results: Sequence[SeriesResult], now: datetime
) -> None:
    standing = session.scalars(
        select(QualityNote)
        .where(QualityNote.study_id == task.study.id, QualityNote.superseded_at.is_(None))
        .with_for_update()
    ).all()
    found: dict[tuple[int, str], Finding] = {
        (result.series.id, finding.code): finding
        for result in results
        for finding in result.findings
    }
    for note in standing:
        finding = found.get((note.series_id, note.code))
        if finding is not None and _same(note.parameters, finding.parameters):
            del found[note.series_id, note.code]
        else:
            note.superseded_at = now
    for (series_id, _), finding in found.items():
        session.add(
            QualityNote(
                study_id=task.study.id,
                series_id=series_id,
                generation=task.generation,
                code=finding.code,
                severity=finding.severity,
                parameters=finding.parameters,
                found_at=now,
            )
        )


def _same(kept: Mapping[str, object], found: Mapping[str, object]) -> bool:
    return dict(kept) == dict(found)


def _keep_montage(session: Session, task: Task, series: SeriesRecord, montage: KeptMontage) -> None:
    values = {
        "study_id": task.study.id,
        "revision": series.revision,
        "object_key": montage.object_key,
        "object_size": montage.object_size,
        "width": montage.width,
        "height": montage.height,
        "tiles": montage.tiles,
    }
    session.execute(
        insert(SeriesMontage)
        .values(series_id=series.id, **values)
        .on_conflict_do_update(index_elements=["series_id"], set_=values)
    )
