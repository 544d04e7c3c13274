"""Metadata of instances and series as DICOM JSON; that of complete series is prepared once."""

import gzip
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reading_worklist.dicomweb.instances import open_instance
from reading_worklist.dicomweb.json_model import (
    Context,
    JsonDataset,
    text_attribute,
    to_json_model,
)
from reading_worklist.dicomweb.queries import (
    InstanceRecord,
    SeriesRecord,
    StudyRecord,
    instances_of_series,
    series_of_study,
)
from reading_worklist.dicomweb.sources import DeflateBroken, InflatedTooLarge
from reading_worklist.dicomweb.text import decoder_for
from storage.database import Database
from storage.objects import ObjectConflict, ObjectKey, ObjectNotFound, ObjectStore

# Part of the key of prepared metadata: raise it when the conversion changes, to prepare all anew.
FORMAT: Final = 1
_PREFIX: Final = "derived/series-metadata"
_GZIP_LEVEL: Final = 6

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SeriesMetadata:
    """The metadata of a series as a JSON array; `packed` is the same in gzip, where at hand."""

    plain: bytes
    packed: bytes | None = None


def bulk_uri(record: InstanceRecord) -> str:
    """Return the reference of an instance's large values, under the root of its site.

    That root is right for every caller, so that metadata is the same for all.
    """
    return (
        f"/dicom-web/sites/{record.site_code}/studies/{record.study_instance_uid}"
        f"/series/{record.series_instance_uid}/instances/{record.sop_instance_uid}/bulkdata"
    )


def instance_metadata(objects: ObjectStore, record: InstanceRecord) -> JsonDataset:
    """Return the metadata of one instance (PS3.18 §10.4.1.1.2).

    What identifies it comes from the index, so that it is there however broken
    the dataset; its stored transfer syntax is told as (0008,3002).

    Raises:
        ObjectStoreUnavailable: the object store does not answer.
    """
    model: JsonDataset = {}
    try:
        opened = open_instance(objects, record)
        model = to_json_model(opened.dataset, Context(bulk_uri(record), decoder_for))
        if opened.dataset.cut_at is not None:
            _log.warning(
                "dataset is readable in part",
                extra={"object_key": record.object_key, "cut_at": opened.dataset.cut_at},
            )
    except (DeflateBroken, InflatedTooLarge, ObjectNotFound) as error:
        _log.warning(
            "dataset is not readable", extra={"object_key": record.object_key, "error": str(error)}
        )
    known: JsonDataset = {
        "00080016": text_attribute("UI", record.sop_class_uid),
        "00080018": text_attribute("UI", record.sop_instance_uid),
        "00083002": text_attribute("UI", record.transfer_syntax_uid),
        "0020000D": text_attribute("UI", record.study_instance_uid),
        "0020000E": text_attribute("UI", record.series_instance_uid),
    }
    return dict(sorted((model | known).items()))


def encode(results: Sequence[JsonDataset]) -> bytes:
    """Return datasets as the JSON array of PS3.18 §F.2.1, in UTF-8."""
    text = json.dumps(results, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


def series_metadata(
    database: Database, objects: ObjectStore, series: SeriesRecord, *, packed: bool
) -> SeriesMetadata:
    """Return the metadata of a series that was found for the caller.

    That of a complete study's series is read as prepared bytes, and prepared by
    whoever asks first; while instances still arrive it is made each time.

    packed: whether the gzip form is wanted, too.

    Raises:
        ObjectStoreUnavailable: the object store does not answer.
    """
    if not series.complete:
        return SeriesMetadata(_made(database, objects, series))
    try:
        if packed:
            return SeriesMetadata(b"", objects.read(prepared_key(series, packed=True)))
        return SeriesMetadata(objects.read(prepared_key(series, packed=False)))
    except ObjectNotFound:
        return prepare_series(database, objects, series)


def prepare_study(database: Database, objects: ObjectStore, study: StudyRecord) -> int:
    """Prepare the metadata of a complete study's series where it is missing; return how many.

    Raises:
        ObjectStoreUnavailable: the object store does not answer; what was made stays.
    """
    with database.transaction() as session:
        wanted = series_of_study(session, study)
    missing = [
        series for series in wanted if objects.stat(prepared_key(series, packed=True)) is None
    ]
    for series in missing:
        prepare_series(database, objects, series)
    return len(missing)


def prepare_series(
    database: Database, objects: ObjectStore, series: SeriesRecord
) -> SeriesMetadata:
    """Make the metadata of a series, keep it under its revision, drop that of earlier ones."""
    plain = _made(database, objects, series)
    made = SeriesMetadata(plain, gzip.compress(plain, _GZIP_LEVEL, mtime=0))
    assert made.packed is not None
    try:
        objects.put(prepared_key(series, packed=False), plain)
        # Last, since its presence means that both are there.
        objects.put(prepared_key(series, packed=True), made.packed)
    except ObjectConflict:
        # Somebody prepared it while an instance arrived: the next revision will be asked for.
        _log.info(
            "series metadata was prepared twice",
            extra={"series_id": series.id, "revision": series.revision},
        )
    for kept in list(objects.list(f"{_PREFIX}/{series.id}/")):
        # A newer one may be there already, where somebody still asked for an older.
        revision, _, rest = kept.key.rpartition("/")[2].partition("-")
        if int(revision) < series.revision or not rest.startswith(f"{FORMAT}."):
            objects.delete(kept.key)
    return made


def prepared_key(series: SeriesRecord, *, packed: bool) -> ObjectKey:
    """Return where the prepared metadata of a series' revision is kept."""
    suffix = ".json.gz" if packed else ".json"
    return ObjectKey(f"{_PREFIX}/{series.id}/{series.revision}-{FORMAT}{suffix}")


def _made(database: Database, objects: ObjectStore, series: SeriesRecord) -> bytes:
    with database.transaction() as session:
        records = instances_of_series(session, series)
    # Encoded one by one: the bytes of a long series are much smaller than its objects.
    return (
        b"["
        + b",".join(encode([instance_metadata(objects, record)])[1:-1] for record in records)
        + b"]"
    )
