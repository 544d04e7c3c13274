"""Carrying out a purge that two people agreed on, in steps that may each be repeated.

Rows of a few studies go in one transaction, each study leaving its tombstone;
then, outside of any transaction, the objects that nothing names any more.
Reports, their signed documents, the exam and the audit trail stay.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta
from itertools import chain
from typing import Final
from uuid import UUID

from sqlalchemy import delete, false, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reading_worklist.keeping.retention import obstacles
from reading_worklist.keeping.service import record
from reading_worklist.keeping.states import PurgeAction, next_state
from reading_worklist.keeping.tables import Purge, PurgeObject, PurgeStudy, StudyFate
from storage import audit, outbox
from storage.clock import utc_now
from storage.database import Database
from storage.ecg_files.tables import EcgFile
from storage.index.tables import Instance, Quarantine, Series, Study
from storage.messages import PurgeContinues
from storage.objects import ObjectKey, ObjectStore
from storage.report_objects import service as report_objects
from storage.report_objects.tables import ReportObject

DERIVED_FROM_SERIES: Final = (
    "derived/series-metadata",
    "derived/montage",
    "derived/ecg-overview",
)
"""Folders in which objects made from a series lie in a folder named by its id."""

_STUDIES_AT_ONCE: Final = 5
_OBJECTS_AT_ONCE: Final = 2000
_OBJECTS_DELAY: Final = timedelta(seconds=5)
_SYSTEM: Final = audit.system_actor("purge")

_log = logging.getLogger(__name__)


def continue_purge(session: Session, message: PurgeContinues) -> None:
    """Remove the rows of the next few studies, or finish when objects and rows are gone.

    What stands against a study now, whatever was decided before, keeps it.
    """
    purge = session.scalars(
        select(Purge).where(Purge.id == message.purge_id).with_for_update()
    ).one()
    after = next_state(purge.state, PurgeAction.EXECUTE)
    if after is None:
        return
    purge.state = after
    session.flush()
    waiting = session.scalars(
        select(PurgeStudy)
        .where(PurgeStudy.purge_id == purge.id, PurgeStudy.fate == StudyFate.WAITING)
        .order_by(PurgeStudy.study_id)
        .limit(_STUDIES_AT_ONCE)
    ).all()
    for one in waiting:
        _remove_rows(session, one)
    if waiting:
        outbox.emit(session, message)
    elif _has_leftovers(session, purge.id):
        # They are removed after this message; the next one finds them gone, or tries again.
        outbox.emit(session, message, delay=_OBJECTS_DELAY)
    else:
        done = next_state(purge.state, PurgeAction.FINISH)
        assert done is not None
        purge.state = done
        purge.finished_at = utc_now()
        record(session, _SYSTEM, purge, "finish")


def remove_objects(database: Database, objects: ObjectStore, purge_id: UUID) -> None:
    """Delete the next objects whose rows are gone, and what was made from their series.

    An object that a row names again, since its instance was sent once more, stays.

    Raises:
        ObjectStoreUnavailable: the store went away; the rest is deleted later.
    """
    with database.transaction() as session:
        due = session.scalars(
            select(PurgeObject)
            .where(PurgeObject.purge_id == purge_id, PurgeObject.done_at.is_(None))
            .order_by(PurgeObject.object_key)
            .limit(_OBJECTS_AT_ONCE)
        ).all()
        named = _named(session, due)
        rows = session.execute(
            select(PurgeStudy.study_id, PurgeStudy.series_ids).where(
                PurgeStudy.purge_id == purge_id, func.cardinality(PurgeStudy.series_ids) > 0
            )
        )
        series_ids = {row[0]: row[1] for row in rows}
    gone = [one for one in due if one.object_key not in named]
    for one in gone:
        objects.delete(ObjectKey(one.object_key))
    for series_id in chain.from_iterable(series_ids.values()):
        for folder in DERIVED_FROM_SERIES:
            for stored in list(objects.list(f"{folder}/{series_id}/")):
                objects.delete(stored.key)
    with database.transaction() as session:
        for key in _named(session, gone):
            # Sent again in the moment between looking and deleting; `rdc verify` names it too.
            _log.error("a purged object was sent again and is missing", extra={"key": key})
        session.execute(
            update(PurgeObject)
            .where(
                PurgeObject.purge_id == purge_id,
                PurgeObject.object_key.in_([one.object_key for one in due]),
            )
            .values(done_at=utc_now(), still_named=PurgeObject.object_key.in_(named))
        )
        session.execute(
            update(PurgeStudy)
            .where(PurgeStudy.purge_id == purge_id, PurgeStudy.study_id.in_(series_ids))
            .values(series_ids=[])
        )


def _has_leftovers(session: Session, purge_id: UUID) -> bool:
    objects = select(PurgeObject.object_key).where(
        PurgeObject.purge_id == purge_id, PurgeObject.done_at.is_(None)
    )
    derived = select(PurgeStudy.study_id).where(
        PurgeStudy.purge_id == purge_id, func.cardinality(PurgeStudy.series_ids) > 0
    )
    return any(session.scalar(query.limit(1)) is not None for query in (objects, derived))


def _named(session: Session, candidates: Sequence[PurgeObject]) -> set[str]:
    """Return the keys of those that an instance, a quarantine entry or an ECG file names."""
    keys = [one.object_key for one in candidates]
    identities = [(one.site_id, one.sop_instance_uid) for one in candidates]
    by_instances = select(Instance.object_key).where(
        tuple_(Instance.site_id, Instance.sop_instance_uid).in_(identities),
        Instance.object_key.in_(keys),
    )
    by_entries = select(Quarantine.object_key).where(
        Quarantine.object_key.in_(keys), Quarantine.purged_at.is_(None)
    )
    by_files = select(EcgFile.object_key).where(
        EcgFile.object_key.in_(keys), EcgFile.purged_at.is_(None)
    )
    return {key for query in (by_instances, by_entries, by_files) for key in session.scalars(query)}


def _remove_rows(session: Session, one: PurgeStudy) -> None:
    """Remove the rows of a study's instances and note their objects; the study's row stays."""
    study = session.scalars(select(Study).where(Study.id == one.study_id).with_for_update()).one()
    against = obstacles(session, [study.id]).get(study.id)
    if against:
        one.fate = StudyFate.KEPT
        one.kept_because = ", ".join(against)
        return
    filed = select(Instance.id).where(Instance.study_id == study.id)
    _note_objects(session, one)
    # The other versions of its instances go with it; their entries stay, with no way to the bytes.
    session.execute(
        update(Quarantine)
        .where(Quarantine.instance_id.in_(filed))
        .values(purged_at=utc_now(), instance_id=None)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(EcgFile)
        .where(
            EcgFile.site_id == study.site_id,
            EcgFile.study_instance_uid == study.study_instance_uid,
            EcgFile.purged_at.is_(None),
        )
        .values(purged_at=utc_now())
        .execution_options(synchronize_session=False)
    )
    one.instances, one.bytes = study.instance_count, study.byte_count
    one.series_ids = list(session.scalars(select(Series.id).where(Series.study_id == study.id)))
    study.purged_at = utc_now()
    study.series_count = study.instance_count = study.byte_count = 0
    study.report_object_count = 0
    session.flush()
    session.execute(delete(Instance).where(Instance.study_id == study.id))
    session.execute(delete(Series).where(Series.study_id == study.id))
    report_objects.forget(session, study.id)
    one.fate = StudyFate.PURGED
    one.purged_at = study.purged_at
    audit.record(
        session,
        _SYSTEM,
        "study:purge",
        subject_kind="study",
        subject_id=study.id,
        detail={
            "purge_id": str(one.purge_id),
            "study_instance_uid": study.study_instance_uid,
            "instances": one.instances,
            "bytes": one.bytes,
        },
    )


def _note_objects(session: Session, one: PurgeStudy) -> None:
    columns = [
        "purge_id",
        "object_key",
        "site_id",
        "sop_instance_uid",
        "sha256",
        "size",
        "still_named",
    ]
    of_instances = select(
        PurgeStudy.purge_id,
        Instance.object_key,
        Instance.site_id,
        Instance.sop_instance_uid,
        Instance.dataset_sha256,
        Instance.object_size,
        false(),
    ).join(PurgeStudy, PurgeStudy.study_id == Instance.study_id)
    of_other_versions = (
        select(
            PurgeStudy.purge_id,
            Quarantine.object_key,
            Instance.site_id,
            Instance.sop_instance_uid,
            Quarantine.dataset_sha256,
            Quarantine.object_size,
            false(),
        )
        .join(Instance, Instance.id == Quarantine.instance_id)
        .join(PurgeStudy, PurgeStudy.study_id == Instance.study_id)
        .where(Quarantine.purged_at.is_(None))
    )
    of_original_files = (
        select(
            PurgeStudy.purge_id,
            EcgFile.object_key,
            EcgFile.site_id,
            EcgFile.sop_instance_uid,
            EcgFile.sha256,
            EcgFile.size,
            false(),
        )
        .join(
            Study,
            (Study.site_id == EcgFile.site_id)
            & (Study.study_instance_uid == EcgFile.study_instance_uid),
        )
        .join(PurgeStudy, PurgeStudy.study_id == Study.id)
        .where(EcgFile.purged_at.is_(None))
    )
    of_recalled_reports = (
        select(
            PurgeStudy.purge_id,
            ReportObject.object_key,
            ReportObject.site_id,
            ReportObject.sop_instance_uid,
            ReportObject.dataset_sha256,
            ReportObject.object_size,
            false(),
        )
        .join(PurgeStudy, PurgeStudy.study_id == ReportObject.study_id)
        .where(ReportObject.superseded_at.is_not(None))
    )
    for query in (of_instances, of_other_versions, of_original_files, of_recalled_reports):
        wanted = query.where(
            PurgeStudy.purge_id == one.purge_id, PurgeStudy.study_id == one.study_id
        )
        session.execute(insert(PurgeObject).from_select(columns, wanted).on_conflict_do_nothing())
