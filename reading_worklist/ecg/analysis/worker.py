"""The task of the ECG worker: every ECG of one study that no analysis exists of yet."""

import logging
import time
from typing import Final
from uuid import UUID

from reading_worklist.ecg.analysis import service
from reading_worklist.ecg.analysis.analyse import analyse
from reading_worklist.ecg.analysis.service import EcgOutcome, EcgToAnalyse, EcgWork
from reading_worklist.ecg.analysis.tables import AnalysisState
from reading_worklist.ecg.service import load_record
from reading_worklist.ecg.triage.rulesets import rulesets_for
from reading_worklist.study_tasks.service import LeaseLost
from storage.database import Database
from storage.ecg.errors import EcgError
from storage.errors import RdcError
from storage.objects import ObjectStore

_ERROR_LENGTH: Final = 500

_log = logging.getLogger(__name__)


def analyse_study(study_id: UUID, database: Database, objects: ObjectStore) -> bool:
    """Analyse the ECGs of a study if that is due; returns whether it was.

    A failure of the object store or the database puts it off with growing pauses and is kept with
    the task. An ECG that cannot be read, or at which we fail, has a row that says so. No
    transaction is open while objects are read.
    """
    with database.transaction() as session:
        task = service.TASKS.take(session, study_id)
        work = service.work_of(session, task) if task is not None else None
    if task is None or work is None:
        return False
    began = time.monotonic()
    try:
        outcomes = [_outcome(one, work, objects) for one in work.ecgs]
        with database.transaction() as session:
            service.finish(session, task, outcomes)
    except LeaseLost:
        return False
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is kept and tried again
        _log.warning(
            "the ECGs of a study were not analysed",
            extra={"study_id": str(study_id), "error": type(error).__name__},
        )
        with database.transaction() as session:
            service.TASKS.give_up(session, task, error)
        return False
    _log.info(
        "the ECGs of a study were analysed",
        extra={
            "study_id": str(study_id),
            "ecgs": len(outcomes),
            "failed": sum(one.state is not AnalysisState.DONE for one in outcomes),
            "seconds": round(time.monotonic() - began, 3),
        },
    )
    return True


def _outcome(one: EcgToAnalyse, work: EcgWork, objects: ObjectStore) -> EcgOutcome:
    try:
        record = load_record(objects, one.object_key)
    except EcgError as error:
        return EcgOutcome(one.instance_id, None, AnalysisState.UNREADABLE, _in_words(error))
    try:
        analysed = analyse(record, work.patient, rulesets_for(work.province))
    except Exception as error:  # noqa: BLE001 -- told in the row of the ECG
        # The same samples fail again: the next version may do better, a repetition does not.
        _log.exception("an ECG cannot be analysed", extra={"instance": one.instance_id})
        return EcgOutcome(one.instance_id, None, AnalysisState.FAILED, type(error).__name__)
    return EcgOutcome(one.instance_id, analysed)


def _in_words(error: RdcError) -> str:
    """Return what is wrong with an object; errors of reading say nothing of a patient."""
    return f"{error.what}: {error.found}"[:_ERROR_LENGTH] if error.found else error.what
