"""The task of the analysis worker: one study looked at from its first series to its last.

Imports SimpleITK, which takes half a second and 100 MB: only that worker
imports this module.
"""

import logging
import time
from typing import Final
from uuid import UUID

from reading_worklist.dicomweb.queries import instances_of_series
from reading_worklist.study_tasks.service import LeaseLost, Task
from reading_worklist.volume import service
from reading_worklist.volume.inspection import inspect_series
from reading_worklist.volume.montage import Montage
from reading_worklist.volume.service import KeptMontage, SeriesResult, SeriesTask
from reading_worklist.volume.toolkit import quiet_toolkit
from storage.database import Database
from storage.objects import ObjectConflict, ObjectKey, ObjectStore

FORMAT: Final = 1
"""Part of the key of montages: raise it when they are made differently."""

_PREFIX: Final = "derived/montage"

_log = logging.getLogger(__name__)


def analyse(study_id: UUID, database: Database, objects: ObjectStore) -> bool:
    """Look at a study if that is due; returns whether it was.

    A failure puts it off with growing pauses and is kept with the row. No
    transaction is open while objects are read.
    """
    quiet_toolkit()
    with database.transaction() as session:
        task = service.TASKS.take(session, study_id)
    if task is None:
        return False
    began = time.monotonic()
    try:
        results = _look(task, database, objects)
        with database.transaction() as session:
            service.finish(session, task, results)
    except LeaseLost:
        return False
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is kept and tried again
        _log.warning(
            "a study was not looked at",
            extra={"study_id": str(study_id), "error": type(error).__name__},
        )
        with database.transaction() as session:
            service.TASKS.give_up(session, task, error)
        return False
    for result in results:
        if result.montage is not None:
            _drop_others(objects, result.series.id, result.montage.object_key)
    _log.info(
        "a study was looked at",
        extra={
            "study_id": str(study_id),
            "series": len(results),
            "notes": sum(len(result.findings) for result in results),
            "seconds": round(time.monotonic() - began, 3),
        },
    )
    return True


def _look(task: Task, database: Database, objects: ObjectStore) -> list[SeriesResult]:
    with database.transaction() as session:
        series = service.series_tasks(session, task)
    return [_look_at_series(task, one, database, objects) for one in series]


def _look_at_series(
    task: Task, one: SeriesTask, database: Database, objects: ObjectStore
) -> SeriesResult:
    def still_ours() -> None:
        with database.transaction() as session:
            service.TASKS.renew(session, task)

    still_ours()
    with database.transaction() as session:
        records = instances_of_series(session, one.series)
    inspection = inspect_series(
        objects, records, one.modality, with_montage=not one.pictured, still_ours=still_ours
    )
    kept = None
    if inspection.montage is not None:
        kept = _keep(objects, one, inspection.montage)
    return SeriesResult(one.series, inspection.findings, kept)


def _keep(objects: ObjectStore, one: SeriesTask, montage: Montage) -> KeptMontage:
    """Put a montage into the object store under a key that names its revision."""
    series = one.series
    key = ObjectKey(f"{_PREFIX}/{series.id}/{series.revision}-{FORMAT}.jpg")
    size = len(montage.jpeg)
    try:
        objects.put(key, montage.jpeg, content_type="image/jpeg")
    except ObjectConflict:
        # Made before by another version of SimpleITK, by a process that did not come to the end.
        stored = objects.stat(key)
        size = stored.size if stored is not None else size
    return KeptMontage(key, size, montage.width, montage.height, montage.tiles)


def _drop_others(objects: ObjectStore, series_id: int, kept_key: str) -> None:
    for stored in list(objects.list(f"{_PREFIX}/{series_id}/")):
        if stored.key != kept_key:
            objects.delete(stored.key)
