"""Looking at complete studies: asked for on completion, done under a lease, kept with history.

The row of a study is the truth. Whoever works on it holds a lease and writes
everything at the end in one transaction, so that a process that dies leaves
nothing but a lease that runs out.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reading_worklist import events
from reading_worklist.dicomweb.queries import SeriesRecord, StudyRecord
from reading_worklist.volume.findings import Finding
from reading_worklist.volume.tables import QualityNote, SeriesMontage, StudyAnalysis
from reading_worklist.workitems.tables import Workitem, event_data
from storage.clock import utc_now
from storage.database import notify
from storage.errors import RdcError
from storage.index.tables import Series, Study, StudyState
from storage.messages import StudyReceived
from storage.outbox import backoff_seconds
from storage.registry import Organisation

CHANNEL: Final = "rdc_analysis"
LEASE_SECONDS: Final = 120
PARK_AFTER: Final = 10

_DISPATCH_SECONDS: Final = 30.0
_ERROR_LENGTH: Final = 500

_log = logging.getLogger(__name__)


class LeaseLost(RdcError):
    """Somebody else is at this study now: what was done so far is dropped."""


@dataclass(frozen=True, slots=True)
class Task:
    """A study to look at, held under a lease until it is finished or given up."""

    study: StudyRecord
    site_id: UUID
    generation: int
    attempt: int
    lease_token: UUID


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


def request(session: Session, message: StudyReceived) -> None:
    """Ask for a complete study to be looked at; the same completion twice asks once."""
    made = insert(StudyAnalysis).values(
        study_id=message.study_id,
        site_id=message.site_id,
        generation=message.generation,
        analysed_generation=0,
        attempts=0,
    )
    fresh = made.on_conflict_do_update(
        index_elements=["study_id"],
        set_={
            "generation": message.generation,
            "due_at": utc_now(),
            "attempts": 0,
            "parked_at": None,
            "last_error": None,
        },
        where=StudyAnalysis.generation < message.generation,
    ).returning(StudyAnalysis.study_id)
    if session.scalar(fresh) is not None:
        notify(session, CHANNEL, str(message.study_id))


def due(session: Session, limit: int = 20) -> Sequence[UUID]:
    """Return studies to be looked at now, for `analysis.analyse`; each again in half a minute.

    Several relays may call this at once.
    """
    now = utc_now()
    rows = session.scalars(
        select(StudyAnalysis)
        .where(
            StudyAnalysis.analysed_generation < StudyAnalysis.generation,
            StudyAnalysis.parked_at.is_(None),
            StudyAnalysis.due_at <= now,
            or_(StudyAnalysis.leased_until.is_(None), StudyAnalysis.leased_until <= now),
        )
        .order_by(StudyAnalysis.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.due_at = now + timedelta(seconds=_DISPATCH_SECONDS)
    return [row.study_id for row in rows]


def take(session: Session, study_id: UUID) -> Task | None:
    """Take a study under a lease; None when there is nothing to do or somebody is at it.

    An attempt counts when it begins: a study that ends the process each time is parked, too.
    """
    now = utc_now()
    row = session.get(StudyAnalysis, study_id, with_for_update=True)
    if row is None or row.analysed_generation >= row.generation or row.parked_at is not None:
        return None
    if row.leased_until is not None and row.leased_until > now:
        return None
    if row.attempts >= PARK_AFTER:
        row.parked_at = now
        row.last_error = row.last_error or "each attempt ended with its process"
        return None
    study, code = session.execute(
        select(Study, Organisation.code)
        .join(Organisation, Organisation.id == Study.site_id)
        .where(Study.id == study_id)
    ).one()
    token = uuid4()
    row.attempts += 1
    row.lease_token = token
    row.leased_until = now + timedelta(seconds=LEASE_SECONDS)
    return Task(
        study=StudyRecord(
            study.id, code, study.study_instance_uid, study.state == StudyState.COMPLETE
        ),
        site_id=row.site_id,
        generation=row.generation,
        attempt=row.attempts,
        lease_token=token,
    )


def renew(session: Session, task: Task) -> None:
    """Hold the study for another while.

    Raises:
        LeaseLost: see there.
    """
    held = session.scalar(
        update(StudyAnalysis)
        .where(_held_by(task))
        .values(leased_until=utc_now() + timedelta(seconds=LEASE_SECONDS))
        .returning(StudyAnalysis.study_id)
    )
    if held is None:
        raise LeaseLost("the study is looked at by another process")


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
    row = session.scalar(select(StudyAnalysis).where(_held_by(task)).with_for_update())
    if row is None:
        raise LeaseLost("the study was looked at by another process")
    row.analysed_generation = task.generation
    row.analysed_at = now
    row.due_at = now
    row.attempts = 0
    row.lease_token = None
    row.leased_until = None
    row.last_error = None
    _keep_notes(session, task, results, now)
    for result in results:
        if result.montage is not None:
            _keep_montage(session, task, result.series, result.montage)
    item = session.scalar(select(Workitem).where(Workitem.study_id == task.study.id))
    if item is not None:
        events.publish(session, events.Event("workitem", item.site_id, event_data(item)))


def give_up(session: Session, task: Task, error: Exception) -> None:
    """Put the study off after a failure, longer each time; nothing when the lease is lost."""
    row = session.scalar(select(StudyAnalysis).where(_held_by(task)).with_for_update())
    if row is None:
        return
    row.lease_token = None
    row.leased_until = None
    row.last_error = f"{type(error).__name__}: {error}"[:_ERROR_LENGTH]
    row.due_at = utc_now() + timedelta(seconds=backoff_seconds(task.attempt))
    if task.attempt >= PARK_AFTER:
        row.parked_at = utc_now()
        _log.error("a study cannot be looked at", extra={"study_id": str(task.study.id)})


def _held_by(task: Task) -> ColumnElement[bool]:
    return (StudyAnalysis.study_id == task.study.id) & (
        StudyAnalysis.lease_token == task.lease_token
    )


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
