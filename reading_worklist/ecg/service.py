"""ECG records out of the object store.

Objects never change under their key, so a record that was read once is kept:
a reader who switches layout and gain asks for the same one many times.
"""

import io
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from reading_worklist.ecg.queries import EcgInstance
from storage.datasets.sources import ObjectSource
from storage.ecg.dicom_reader import read_ecg
from storage.ecg.errors import EcgError, NotAnEcg
from storage.ecg.kept_samples import KEPT_BYTES_MAX
from storage.ecg.waveform import EcgRecord
from storage.ecg.windows import open_ecg
from storage.objects import ObjectKey, ObjectStore

_CACHE_BYTES: Final = 64 * 1024 * 1024
IN_MEMORY_BYTES: Final = 16 * 1024 * 1024
"""Up to this an object is read whole, which is one round trip to an S3 store: twelve leads at
500 Hz for twenty minutes."""


class RecordCache:
    """The records read last, up to a number of bytes of samples; safe between threads."""

    def __init__(self, max_bytes: int = _CACHE_BYTES) -> None:
        self._max_bytes = max_bytes
        self._records: OrderedDict[str, EcgRecord] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: str) -> EcgRecord | None:
        """Return the record and count it as used, None when it is not kept."""
        with self._lock:
            record = self._records.get(key)
            if record is not None:
                self._records.move_to_end(key)
            return record

    def put(self, key: str, record: EcgRecord) -> None:
        """Keep the record, at the expense of those used longest ago.

        One that alone exceeds the bound is not kept.
        """
        size = _bytes_of(record)
        if size > self._max_bytes:
            return
        with self._lock:
            replaced = self._records.pop(key, None)
            self._bytes -= _bytes_of(replaced) if replaced else 0
            self._records[key] = record
            self._bytes += size
            while self._bytes > self._max_bytes:
                _, dropped = self._records.popitem(last=False)
                self._bytes -= _bytes_of(dropped)


def _bytes_of(record: EcgRecord) -> int:
    """Return what a record takes in memory at most; one left in the store, what it keeps of it."""
    return record.size_bytes or len(record.groups) * KEPT_BYTES_MAX


# By store, so that two stores of one process may use the same keys.
_caches: Final[WeakKeyDictionary[ObjectStore, RecordCache]] = WeakKeyDictionary()
_caches_lock: Final = threading.Lock()


def load_record(objects: ObjectStore, object_key: ObjectKey) -> EcgRecord:
    """Return the ECG under the key, from memory when it was read lately.

    The samples of one above `IN_MEMORY_BYTES` stay in the store; stretches are
    read when they are looked at, so ask its channels for stretches only.

    Raises:
        EcgError: it is not an ECG, broken, too large or in an encoding that is not read.
        ObjectNotFound, ObjectStoreUnavailable: as the store says.
    """
    with _caches_lock:
        cache = _caches.setdefault(objects, RecordCache())
    record = cache.get(object_key)
    if record is None:
        with objects.open(object_key) as stored:
            size = stored.seek(0, io.SEEK_END)
            stored.seek(0)
            whole = size <= IN_MEMORY_BYTES
            record = read_ecg(io.BytesIO(stored.read())) if whole else None
        if record is None:
            record = open_ecg(ObjectSource(objects, object_key, size)).record
        cache.put(object_key, record)
    return record


@dataclass(frozen=True, slots=True)
class StudyEcg:
    """One ECG of a study as a list shows it.

    acquired_at: None when unknown or not readable. error: why it cannot be
    read, None when it can.
    """

    instance: EcgInstance
    acquired_at: datetime | None
    error: EcgError | None


def list_ecgs(
    objects: ObjectStore, instances: Sequence[EcgInstance], zone: ZoneInfo
) -> Sequence[StudyEcg]:
    """Return the study's ECGs by time of acquisition; those without one, then broken ones, last."""
    ecgs: list[StudyEcg] = []
    for instance in instances:
        try:
            record = load_record(objects, instance.object_key)
        except EcgError as error:
            ecgs.append(StudyEcg(instance, None, error))
        else:
            ecgs.append(StudyEcg(instance, acquired_at(record, zone), None))
    latest = datetime.max.replace(tzinfo=UTC)
    return sorted(ecgs, key=lambda ecg: (ecg.error is not None, ecg.acquired_at or latest))


def first_ecg(objects: ObjectStore, ecgs: Sequence[StudyEcg]) -> tuple[StudyEcg, EcgRecord]:
    """Return the first readable one of `list_ecgs`.

    Raises:
        EcgError: there is none; with its own reason when there are only broken ones.
    """
    if not ecgs:
        raise NotAnEcg(
            "The study holds no ECG waveform",
            expected="an instance of an ECG waveform SOP class",
            found="none",
            remedy="A printed or scanned ECG is read as a document.",
        )
    first = ecgs[0]
    if first.error is not None:
        raise first.error
    return first, load_record(objects, first.instance.object_key)


def acquired_at(record: EcgRecord, zone: ZoneInfo) -> datetime | None:
    """Return the time of acquisition, aware.

    A wall clock without an offset is taken to be of the zone, that of the site.
    """
    if record.acquired_at is None or record.acquired_at.tzinfo is not None:
        return record.acquired_at
    return record.acquired_at.replace(tzinfo=zone)
