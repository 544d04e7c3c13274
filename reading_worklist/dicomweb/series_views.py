"""What was found for a caller a moment ago, so that a viewer's next frame needs no query.

Everything here was found by a query scoped by `Scope.sees_images` and is forgotten
after `FRESH_SECONDS`: so long may a withdrawn right, or a study that was taken
away, be seen by who saw it just before.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from reading_worklist.dicomweb.metadata import Prepared, prepared_key
from reading_worklist.dicomweb.queries import Root, SeriesRecord
from reading_worklist.dicomweb.series_index import IndexedInstance, decode_index
from storage.objects import ObjectNotFound, ObjectStore

FRESH_SECONDS: Final = 1.0
_INSTANCES_MAX: Final = 50_000
_SHOWN_MAX: Final = 4096

_Key: TypeAlias = tuple[Hashable, str | None, str, str]


@dataclass(frozen=True, slots=True)
class SeriesView:
    """A complete series and its instances by SOP Instance UID."""

    series: SeriesRecord
    instances: Mapping[str, IndexedInstance]


class SeriesViews:
    """The series lately found for callers; thread-safe, bounded."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._indexes: OrderedDict[tuple[int, int], Mapping[str, IndexedInstance]] = OrderedDict()
        self._held = 0
        self._shown: OrderedDict[_Key, tuple[float, SeriesView]] = OrderedDict()

    def recall(self, root: Root, study: str, series: str) -> SeriesView | None:
        """Return the series as it was found for `root` less than `FRESH_SECONDS` ago."""
        found = self._shown.get((_visible(root), root.site_code, study, series))
        if found is None or found[0] <= time.monotonic():
            return None
        return found[1]

    def note(self, root: Root, found: SeriesRecord, objects: ObjectStore) -> SeriesView | None:
        """Return the view of a series just found for `root`, and remember it.

        None when it is not complete, or nothing is prepared of it.

        Raises:
            ObjectStoreUnavailable: the object store does not answer.
        """
        if not found.complete:
            return None
        index = self._index(found, objects)
        if index is None:
            return None
        view = SeriesView(found, index)
        key = (
            _visible(root),
            root.site_code,
            found.study_instance_uid,
            found.series_instance_uid,
        )
        with self._lock:
            self._shown[key] = (time.monotonic() + FRESH_SECONDS, view)
            self._shown.move_to_end(key)
            while len(self._shown) > _SHOWN_MAX:
                self._shown.popitem(last=False)
        return view

    def _index(
        self, series: SeriesRecord, objects: ObjectStore
    ) -> Mapping[str, IndexedInstance] | None:
        key = (series.id, series.revision)
        with self._lock:
            index = self._indexes.get(key)
            if index is not None:
                self._indexes.move_to_end(key)
                return index
        try:
            index = decode_index(objects.read(prepared_key(series, Prepared.INDEX)))
        except ObjectNotFound:
            return None
        with self._lock:
            if key not in self._indexes:
                self._indexes[key] = index
                self._held += len(index)
            while self._held > _INSTANCES_MAX and len(self._indexes) > 1:
                self._held -= len(self._indexes.popitem(last=False)[1])
        return index


def _visible(root: Root) -> Hashable:
    """Return what tells one view from another; a reading's root has one of its own."""
    return root.scope.sight if root.reading is None else root.reading
