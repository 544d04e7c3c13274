"""Metadata of complete series as it is kept: found, joined and sent without being read."""

from collections.abc import Sequence

from fastapi.responses import Response

from reading_worklist.dicomweb.bodies import Piece, Region
from reading_worklist.dicomweb.metadata import Prepared, prepare_series, prepared_key
from reading_worklist.dicomweb.packed_json import HEADER_LENGTH, join, read_header
from reading_worklist.dicomweb.queries import SeriesRecord
from reading_worklist.dicomweb.requests import Asked
from reading_worklist.dicomweb.responses import json_pieces, wants_gzip
from storage.objects import ObjectStore, StoredObject


def prepared_metadata(asked: Asked, series: Sequence[SeriesRecord], *, tag: str) -> Response | None:
    """Return the metadata of complete series in one array; prepared now when it is not.

    None when an instance was added to one of them meanwhile.

    Raises:
        ObjectStoreUnavailable: the object store does not answer.
    """
    database, objects = asked.services.database, asked.services.objects
    packed = wants_gzip(asked.request)
    kind = Prepared.PACKED if packed else Prepared.PLAIN
    kept: list[StoredObject] = []
    for one in series:
        key = prepared_key(one, kind)
        stored = objects.stat(key)
        if stored is None and prepare_series(database, objects, one):
            stored = objects.stat(key)
        if stored is None:
            return None
        kept.append(stored)
    return json_pieces(_joined(objects, kept, packed=packed), objects, packed=packed, tag=tag)


def _joined(objects: ObjectStore, arrays: Sequence[StoredObject], *, packed: bool) -> list[Piece]:
    if len(arrays) == 1:
        return [Region(arrays[0].key, 0, arrays[0].size)]
    if packed:
        headers = ((one.key, objects.read(one.key, 0, HEADER_LENGTH)) for one in arrays)
        return join([(key, read_header(header)) for key, header in headers])
    pieces: list[Piece] = []
    lead = b"["
    for one in arrays:
        if one.size > len(b"[]"):
            pieces += [lead, Region(one.key, 1, one.size - 2)]
            lead = b","
    return [*pieces, b"]"] if pieces else [b"[]"]
