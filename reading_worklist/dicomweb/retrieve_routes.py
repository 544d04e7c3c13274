"""WADO-RS (PS3.18 §10.4): instances, metadata, frames and bulk data, as stored.

Where people decided that a study's patient is another than its header says, instances and
metadata say so, and frames and bulk data are what they were.
"""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

from fastapi import APIRouter
from fastapi.responses import Response

from reading_worklist.dicomweb import queries
from reading_worklist.dicomweb.metadata import FORMAT, encode, instance_metadata, made_metadata
from reading_worklist.dicomweb.payloads import (
    Opened,
    bulk_data,
    frame_numbers,
    frames_of,
)
from reading_worklist.dicomweb.prepared import prepared_metadata
from reading_worklist.dicomweb.queries import InstanceRecord, SeriesRecord
from reading_worklist.dicomweb.requests import Asked, Asks, instance_uid, series_uid, study_uid
from reading_worklist.dicomweb.responses import (
    as_problems,
    entity_tag,
    json_response,
    json_stream,
    not_modified,
)
from reading_worklist.dicomweb.series_index import IndexedInstance
from reading_worklist.dicomweb.whole import whole_instances
from reading_worklist.problems import not_found
from storage.datasets.sources import ObjectSource
from storage.identity.overlay import Overlay

router = APIRouter()


@router.get("/studies/{study}")
def retrieve_study(asked: Asks, study: str) -> Response:
    """Return every instance of a study as received."""
    database = asked.services.database
    with as_problems():
        with database.reading() as session:
            found, series = queries.find_study_with_series(session, asked.root, study_uid(study))
        records = _indexed(asked, series)
        if records is None:
            with database.reading() as session:
                records = queries.instances_of_study(session, found)
    return whole_instances(asked.wanted, records, overlay=found.overlay)


@router.get("/studies/{study}/series/{series}")
def retrieve_series(asked: Asks, study: str, series: str) -> Response:
    """Return every instance of a series as received."""
    database = asked.services.database
    with as_problems():
        with database.reading() as session:
            found = queries.find_series(session, asked.root, study_uid(study), series_uid(series))
        records = _indexed(asked, [found])
        if records is None:
            with database.reading() as session:
                records = queries.instances_of_series(session, found)
    return whole_instances(asked.wanted, records, overlay=found.overlay)


@router.get("/studies/{study}/series/{series}/instances/{instance}")
def retrieve_instance(asked: Asks, study: str, series: str, instance: str) -> Response:
    """Return an instance as received.

    It comes in one part where the client accepts application/dicom without multipart.
    """
    found = find_indexed(asked, study, series, instance)
    record = found.record
    return whole_instances(
        asked.wanted, [record], overlay=found.overlay, named=(record.dataset_sha256,)
    )


@router.get("/studies/{study}/metadata")
def retrieve_study_metadata(asked: Asks, study: str) -> Response:
    """Return the metadata of every instance of a study."""
    asked.require_json()
    services = asked.services
    with as_problems(), services.database.reading() as session:
        found, series = queries.find_study_with_series(session, asked.root, study_uid(study))
    revisions = " ".join(f"{one.id}-{one.revision}" for one in series)
    tag = _tag(sha256(revisions.encode()).hexdigest()[:32], FORMAT, overlay=found.overlay)
    if (unchanged := not_modified(asked.request.headers, tag)) is not None:
        return unchanged
    with as_problems():
        kept = prepared_metadata(asked, series, tag=tag) if found.complete else None
        if kept is not None:
            return kept
        arrays = (made_metadata(services.database, services.objects, one) for one in series)
        return json_stream(asked.request, arrays, tag=tag)


@router.get("/studies/{study}/series/{series}/metadata")
def retrieve_series_metadata(asked: Asks, study: str, series: str) -> Response:
    """Return the metadata of every instance of a series."""
    asked.require_json()
    services = asked.services
    with as_problems(), services.database.reading() as session:
        found = queries.find_series(session, asked.root, study_uid(study), series_uid(series))
    tag = _tag(found.id, found.revision, FORMAT, overlay=found.overlay)
    if (unchanged := not_modified(asked.request.headers, tag)) is not None:
        return unchanged
    with as_problems():
        kept = prepared_metadata(asked, [found], tag=tag) if found.complete else None
        if kept is not None:
            return kept
        made = made_metadata(services.database, services.objects, found)
    return json_response(asked.request, made, tag=tag)


@router.get("/studies/{study}/series/{series}/instances/{instance}/metadata")
def retrieve_instance_metadata(asked: Asks, study: str, series: str, instance: str) -> Response:
    """Return the metadata of an instance."""
    asked.require_json()
    found = find_indexed(asked, study, series, instance)
    tag = _tag(found.record.dataset_sha256, "metadata", FORMAT, overlay=found.overlay)
    if (unchanged := not_modified(asked.request.headers, tag)) is not None:
        return unchanged
    with as_problems():
        model = instance_metadata(asked.services.objects, found.record, found.overlay)
    return json_response(asked.request, encode([model]), tag=tag)


@router.get("/studies/{study}/series/{series}/instances/{instance}/frames/{frames}")
def retrieve_frames(asked: Asks, study: str, series: str, instance: str, frames: str) -> Response:
    """Return frames by their numbers from 1, separated by commas.

    Compressed ones come as stored, others in little endian.
    """
    numbers = frame_numbers(frames)
    found = find_indexed(asked, study, series, instance)
    return frames_of(asked.wanted, found.record, numbers, opened_by(asked, found))


@router.get("/studies/{study}/series/{series}/instances/{instance}/bulkdata/{path:path}")
def retrieve_bulk_data(asked: Asks, study: str, series: str, instance: str, path: str) -> Response:
    """Return the value that metadata told by a BulkDataURI; pixel data as its frames."""
    found = find_indexed(asked, study, series, instance)
    return bulk_data(asked.wanted, found.record, path, opened_by(asked, found))


def find_indexed(asked: Asked, study: str, series: str, instance: str) -> IndexedInstance:
    """Find an instance; that of a complete series where all of them are written down.

    Raises:
        Problem: 400, 404 or 409, see `queries.find_instance`.
    """
    services, root = asked.services, asked.root
    with as_problems():
        study_id, series_id, sop_id = study_uid(study), series_uid(series), instance_uid(instance)
        with services.database.reading() as session:
            found = queries.find_series(session, root, study_id, series_id)
        view = asked.views.note(root, found, services.objects)
        if view is not None:
            if sop_id not in view.instances:
                raise not_found("The instance")
            known = view.instances[sop_id]
            return known if found.overlay is None else replace(known, overlay=found.overlay)
        with services.database.reading() as session:
            record = queries.find_instance(session, root, study_id, series_id, sop_id)
    return IndexedInstance(record, None, found.overlay)


def _indexed(asked: Asked, series: Sequence[SeriesRecord]) -> list[InstanceRecord] | None:
    """Return the instances of complete series; None where not all of them are written down."""
    views = [asked.views.note(asked.root, one, asked.services.objects) for one in series]
    if not views or None in views:
        return None
    return [one.record for view in views if view for one in view.instances.values()]


def opened_by(asked: Asked, found: IndexedInstance) -> Opened:
    """Return what opens an instance that was found."""
    objects, record, layout = asked.services.objects, found.record, found.layout
    if layout is None:
        return lambda: asked.layouts.open(objects, record)
    return lambda: (ObjectSource(objects, record.object_key, record.object_size), layout)


def _tag(*parts: object, overlay: Overlay | None) -> str:
    return entity_tag(*parts) if overlay is None else entity_tag(*parts, overlay.mark)
