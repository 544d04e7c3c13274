"""Metadata of instances and series as DICOM JSON; that of complete series is prepared once."""

import json
import logging
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from reading_worklist.dicomweb.instances import OpenInstance, layout_of, open_instance, original_of
from reading_worklist.dicomweb.json_model import (
    Context,
    JsonDataset,
    text_attribute,
    to_json_model,
)
from reading_worklist.dicomweb.packed_json import pack
from reading_worklist.dicomweb.queries import (
    InstanceRecord,
    SeriesRecord,
    StudyRecord,
    instances_of_series,
    is_current,
    series_of_study,
)
from reading_worklist.dicomweb.series_index import IndexedInstance, encode_index, keepable
from reading_worklist.dicomweb.text import decoder_for
from storage.database import Database
from storage.datasets.encoded import Dataset, encoding_of, read_dataset
from storage.datasets.pixels import BadPixelData, FrameLayout, NoPixelData, NoSuchFrame
from storage.datasets.sources import DeflateBroken, InflatedTooLarge
from storage.identity.correction import CannotBeCorrected, corrected
from storage.identity.overlay import Overlay
from storage.objects import ObjectConflict, ObjectKey, ObjectNotFound, ObjectStore

# Part of the key of prepared metadata: raise it when the conversion changes, to prepare all anew.
FORMAT: Final = 3
_PREFIX: Final = "derived/series-metadata"
_WINDOW_CENTER: Final = "00281050"
_WINDOW_WIDTH: Final = "00281051"

_log = logging.getLogger(__name__)


class Prepared(StrEnum):
    """What is prepared of a complete series: its metadata, plain and packed, and its index."""

    PLAIN = "json"
    PACKED = "json.gz"
    INDEX = "index.json"


def bulk_uri(record: InstanceRecord) -> str:
    """Return the reference of an instance's large values, under the root of its site.

    That root is right for every caller, so that metadata is the same for all.
    """
    return (
        f"/dicom-web/sites/{record.site_code}/studies/{record.study_instance_uid}"
        f"/series/{record.series_instance_uid}/instances/{record.sop_instance_uid}/bulkdata"
    )


def instance_metadata(
    objects: ObjectStore, record: InstanceRecord, overlay: Overlay | None
) -> JsonDataset:
    """Return the metadata of one instance (PS3.18 §10.4.1.1.2).

    What identifies it comes from the index, so that it is there however broken
    the dataset; its stored transfer syntax is told as (0008,3002).

    overlay: of its study.

    Raises:
        ObjectStoreUnavailable: the object store does not answer.
    """
    return _read(objects, record, overlay)[0]


def encode(results: Sequence[JsonDataset]) -> bytes:
    """Return datasets as the JSON array of PS3.18 §F.2.1, in UTF-8."""
    text = json.dumps(results, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


def made_metadata(database: Database, objects: ObjectStore, series: SeriesRecord) -> bytes:
    """Return the metadata of a series to which instances may still be added, as a JSON array.

    Raises:
        ObjectStoreUnavailable: the object store does not answer.
    """
    return _made(database, objects, series)[0]


def prepare_study(database: Database, objects: ObjectStore, study: StudyRecord) -> int:
    """Prepare the metadata of a complete study's series where it is missing; return how many.

    Raises:
        ObjectStoreUnavailable: the object store does not answer; what was made stays.
    """
    with database.transaction() as session:
        wanted = series_of_study(session, study)
    return sum(prepare_series(database, objects, series) for series in wanted)


def prepare_series(database: Database, objects: ObjectStore, series: SeriesRecord) -> bool:
    """Make the metadata and the index of a complete series, and drop those of earlier revisions.

    Returns whether it was made: not when it is there, or when the series has changed since.

    Raises:
        ObjectStoreUnavailable: the object store does not answer.
    """
    if objects.stat(prepared_key(series, Prepared.PACKED)) is not None:
        return False
    plain, index = _made(database, objects, series)
    with database.transaction() as session:
        if not is_current(session, series):
            return False
    try:
        objects.put(prepared_key(series, Prepared.INDEX), index)
        objects.put(prepared_key(series, Prepared.PLAIN), plain)
        # Last, since its presence means that all are there.
        objects.put(prepared_key(series, Prepared.PACKED), pack(plain))
    except ObjectConflict:
        # Another version of this software made it otherwise: one of them is enough.
        _log.info(
            "series metadata was prepared twice",
            extra={"series_id": series.id, "revision": series.revision},
        )
    for kept in list(objects.list(f"{_PREFIX}/{series.id}/")):
        # A newer one may be there already, where somebody still asked for an older. That of the
        # header alone stays beside a corrected one: the decision may be taken back.
        revision, _, rest = kept.key.rpartition("/")[2].partition("-")
        version = rest.partition(".")[0]
        if int(revision) < series.revision or version not in {_version(None), _version(series)}:
            objects.delete(kept.key)
    return True


def prepared_key(series: SeriesRecord, kind: Prepared) -> ObjectKey:
    """Return where what is prepared of a series' revision is kept.

    Metadata is that of its overlay; the index, which is about stored bytes, knows none.
    """
    version = _version(None if kind is Prepared.INDEX else series)
    return ObjectKey(f"{_PREFIX}/{series.id}/{series.revision}-{version}.{kind.value}")


def _version(series: SeriesRecord | None) -> str:
    overlay = series.overlay if series is not None else None
    return str(FORMAT) if overlay is None else f"{FORMAT}-{overlay.mark}"


def _made(database: Database, objects: ObjectStore, series: SeriesRecord) -> tuple[bytes, bytes]:
    """Return the metadata of a series as a JSON array, and its index."""
    with database.transaction() as session:
        records = instances_of_series(session, series)
    models: list[bytes] = []
    indexed: list[IndexedInstance] = []
    for record in records:
        model, layout = _read(objects, record, series.overlay)
        # Encoded one by one: the bytes of a long series are much smaller than its objects.
        models.append(encode([model])[1:-1])
        indexed.append(IndexedInstance(record, layout))
    return b"[" + b",".join(models) + b"]", encode_index(indexed)


def _read(
    objects: ObjectStore, record: InstanceRecord, overlay: Overlay | None
) -> tuple[JsonDataset, FrameLayout | None]:
    """Read an instance for its metadata and the layout of its stored frames."""
    model: JsonDataset = {}
    layout: FrameLayout | None = None
    try:
        opened = open_instance(objects, record)
        layout = _layout(record, opened)
        dataset = opened.dataset if overlay is None else _corrected(objects, record, overlay)
        model = to_json_model(dataset, Context(bulk_uri(record), decoder_for))
        _drop_impossible_window(model)
        if opened.dataset.cut_at is not None:
            _log.warning(
                "dataset is readable in part",
                extra={"object_key": record.object_key, "cut_at": opened.dataset.cut_at},
            )
    except (DeflateBroken, InflatedTooLarge, ObjectNotFound, CannotBeCorrected) as error:
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
    return dict(sorted((model | known).items())), layout


def _drop_impossible_window(model: JsonDataset) -> None:
    """Leave out a window that no image can be shown with; the instance keeps it.

    A width must be positive (PS3.3 C.11.2.1.2.1). Viewers take what is told and show black, without
    any they find the range of values themselves.
    """
    widths = model.get(_WINDOW_WIDTH, {}).get("Value", [])
    if any(isinstance(width, (int, float)) and width <= 0 for width in widths):
        model.pop(_WINDOW_WIDTH)
        model.pop(_WINDOW_CENTER, None)


def _layout(record: InstanceRecord, opened: OpenInstance) -> FrameLayout | None:
    if record.pixel_data_offset is None:
        return None
    try:
        return keepable(record, layout_of(opened, record), opened.source)
    except (NoPixelData, BadPixelData, NoSuchFrame):
        # Whoever asks for its frames is told why there are none.
        return None


def _corrected(objects: ObjectStore, record: InstanceRecord, overlay: Overlay) -> Dataset:
    given = corrected(original_of(objects, record), overlay)
    return read_dataset(given.source, given.dataset_offset, encoding_of(given.transfer_syntax_uid))
