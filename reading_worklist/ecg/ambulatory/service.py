"""Long records out of the object store, and the overview that is kept beside each."""

import gzip
import logging
import threading
from typing import Final
from uuid import UUID

from reading_worklist.ecg import queries
from reading_worklist.ecg.ambulatory.overview import overview_of
from reading_worklist.ecg.ambulatory.queries import LongInstance, long_instances
from reading_worklist.ecg.ambulatory.schemas import LONG_SECONDS
from storage.database import Database
from storage.datasets.sources import ObjectSource
from storage.ecg.errors import EcgError
from storage.ecg.windows import LongEcg, open_ecg
from storage.objects import ObjectConflict, ObjectKey, ObjectNotFound, ObjectStore

PREFIX: Final = "derived/ecg-overview"
FORMAT: Final = 1
"""Part of the key of overviews: raise it when they are made differently."""
_CONTENT_TYPE: Final = "application/gzip"

_log = logging.getLogger(__name__)
# One at a time in a process: each takes a processor for some seconds.
_making: Final = threading.Lock()


def open_long(objects: ObjectStore, instance: LongInstance) -> LongEcg:
    """Open an ECG by its header.

    Raises:
        EcgError: it cannot be read.
        ObjectNotFound, ObjectStoreUnavailable: as the store says.
    """
    return open_ecg(ObjectSource(objects, instance.object_key, instance.object_size))


def overview_key(instance: LongInstance) -> ObjectKey:
    """Return where the overview of an instance is kept."""
    return ObjectKey(f"{PREFIX}/{instance.series_id}/{instance.sop_instance_uid}-{FORMAT}.json.gz")


def packed_overview(objects: ObjectStore, instance: LongInstance) -> bytes:
    """Return the overview as JSON in gzip: the one that is kept, else made and kept now.

    Raises:
        EcgError: the ECG cannot be read.
        ObjectNotFound, ObjectStoreUnavailable: as the store says.
    """
    key = overview_key(instance)
    kept = _kept(objects, key)
    if kept is not None:
        return kept
    with _making:
        # Somebody may have made it while this one waited.
        return _kept(objects, key) or _make(objects, instance, key)


def unpacked(packed: bytes) -> bytes:
    """Return what `packed_overview` returned as plain JSON."""
    return gzip.decompress(packed)


def prepare(database: Database, objects: ObjectStore, study_id: UUID) -> int:
    """Make the overviews of a study's long records where they are missing; return how many.

    What cannot be read is left to whoever opens it, who is told why.

    Raises:
        ObjectStoreUnavailable: the object store does not answer; what was made stays.
    """
    with database.transaction() as session:
        instances = long_instances(session, queries.waveforms_of_study(session, study_id))
    made = 0
    for instance in instances:
        key = overview_key(instance)
        try:
            if open_long(objects, instance).record.duration_seconds < LONG_SECONDS:
                continue
            if objects.stat(key) is None:
                _make(objects, instance, key)
                made += 1
        except (EcgError, ObjectNotFound) as error:
            _log.warning(
                "a long ECG has no overview",
                extra={"study_id": str(study_id), "error": type(error).__name__},
            )
    return made


def _kept(objects: ObjectStore, key: ObjectKey) -> bytes | None:
    try:
        return objects.read(key)
    except ObjectNotFound:
        return None


def _make(objects: ObjectStore, instance: LongInstance, key: ObjectKey) -> bytes:
    overview = overview_of(open_long(objects, instance).record)
    packed = gzip.compress(overview.model_dump_json().encode(), mtime=0)
    try:
        objects.put(key, packed, content_type=_CONTENT_TYPE)
    except ObjectConflict:
        # Made otherwise by another version of numpy: one of them is enough.
        _log.info("an overview was made twice", extra={"series_id": instance.series_id})
    return packed
