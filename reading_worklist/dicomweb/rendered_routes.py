"""Rendered resources and thumbnails (PS3.18 §10.4.1.1.3, §10.4.1.1.5), and WADO-URI (§9)."""

from hashlib import sha256
from http import HTTPStatus
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from reading_worklist.dicomweb import queries
from reading_worklist.dicomweb.instances import find_value, open_instance
from reading_worklist.dicomweb.media_types import DICOM, Offer, choose, not_acceptable
from reading_worklist.dicomweb.multipart import Part
from reading_worklist.dicomweb.payloads import frame_numbers
from reading_worklist.dicomweb.rendering import JPEG, PNG, View, Viewport, parse_view, render
from reading_worklist.dicomweb.requests import Asked, Asks, series_uid, study_uid
from reading_worklist.dicomweb.responses import (
    as_problems,
    entity_tag,
    multipart_response,
    not_modified,
    single_response,
)
from reading_worklist.dicomweb.retrieve_routes import find_indexed, opened_by
from reading_worklist.dicomweb.series_index import IndexedInstance
from reading_worklist.dicomweb.whole import whole_instances
from reading_worklist.ecg.drawing import draw
from reading_worklist.ecg.service import load_record
from reading_worklist.problems import Problem, not_found
from storage.ecg.errors import EcgError
from storage.objects import ObjectKey

router = APIRouter()

_PICTURES: Final = (Offer(JPEG), Offer(PNG))
_PDF: Final = "application/pdf"
_SVG: Final = "image/svg+xml"
_ENCAPSULATED_PDF: Final = "1.2.840.10008.5.1.4.1.1.104.1"
_WAVEFORMS: Final = "1.2.840.10008.5.1.4.1.1.9."
_DOCUMENT: Final = "00420011"
_THUMBNAIL: Final = Viewport(128, 128)
_RENDERED_MAX: Final = 64


@router.get("/studies/{study}/rendered")
def render_study(asked: Asks, study: str) -> Response:
    """Return the first frame of each image of a study."""
    return _several(asked, study, None)


@router.get("/studies/{study}/series/{series}/rendered")
def render_series(asked: Asks, study: str, series: str) -> Response:
    """Return the first frame of each image of a series."""
    return _several(asked, study, series)


@router.get("/studies/{study}/series/{series}/instances/{instance}/rendered")
def render_instance(asked: Asks, study: str, series: str, instance: str) -> Response:
    """Return an image as a picture, a document as PDF, an ECG as SVG."""
    return _rendered(asked, find_indexed(asked, study, series, instance), [1])


@router.get("/studies/{study}/series/{series}/instances/{instance}/frames/{frames}/rendered")
def render_frames(asked: Asks, study: str, series: str, instance: str, frames: str) -> Response:
    """Return frames as pictures."""
    return _rendered(asked, find_indexed(asked, study, series, instance), frame_numbers(frames))


@router.get("/studies/{study}/thumbnail")
def thumbnail_of_study(asked: Asks, study: str) -> Response:
    """Return a small picture that stands for a study."""
    return _thumbnail_of_middle(asked, study, None)


@router.get("/studies/{study}/series/{series}/thumbnail")
def thumbnail_of_series(asked: Asks, study: str, series: str) -> Response:
    """Return a small picture that stands for a series: its middle image."""
    return _thumbnail_of_middle(asked, study, series)


@router.get("/studies/{study}/series/{series}/instances/{instance}/thumbnail")
def thumbnail_of_instance(asked: Asks, study: str, series: str, instance: str) -> Response:
    """Return a small picture of an image."""
    return _thumbnail(asked, find_indexed(asked, study, series, instance), 1)


@router.get("/studies/{study}/series/{series}/instances/{instance}/frames/{frames}/thumbnail")
def thumbnail_of_frame(
    asked: Asks, study: str, series: str, instance: str, frames: str
) -> Response:
    """Return a small picture of a frame."""
    number = frame_numbers(frames)[0]
    return _thumbnail(asked, find_indexed(asked, study, series, instance), number)


@router.get("/wado")
def retrieve_by_uri(asked: Asks) -> Response:
    """Return one instance, as received or as a picture, by query parameters (WADO-URI)."""
    parameters = asked.request.query_params
    if parameters.get("requestType") != "WADO":
        raise _bad("requestType", "WADO")
    if parameters.get("anonymize"):
        raise _bad("anonymize", "nothing: instances are not made anonymous here")
    names = ("studyUID", "seriesUID", "objectUID")
    for name in names:
        if not parameters.get(name):
            raise _bad(name, "a UID")
    found = find_indexed(asked, *(parameters[name] for name in names))
    is_image = found.record.pixel_data_offset is not None
    asked_for = [
        part.partition(";")[0].strip().lower()
        for part in parameters.get("contentType", JPEG if is_image else DICOM).split(",")
    ]
    if DICOM in asked_for:
        return whole_instances(asked.as_single(DICOM), [found.record], overlay=found.overlay)
    media_type = next((one for one in asked_for if one in (JPEG, PNG)), None)
    if "*/*" in asked_for or "image/*" in asked_for:
        media_type = media_type or JPEG
    if media_type is None or not is_image:
        raise not_acceptable([Offer(DICOM), *(_PICTURES if is_image else ())], multipart=False)
    number = frame_numbers(parameters.get("frameNumber", "1"))[0]
    with as_problems():
        picture = _picture(asked, found, number, _view_by_uri(asked), media_type)
    return single_response(
        asked.request.headers, asked.services.objects, Part(media_type, (picture,))
    )


def _view_by_uri(asked: Asked) -> View:
    """Read the parameters that WADO-URI names in its own way (PS3.18 §9.4.1.2)."""
    given = asked.request.query_params
    named: dict[str, str] = {}
    if given.get("windowCenter") or given.get("windowWidth"):
        named["window"] = f"{given.get('windowCenter', '')},{given.get('windowWidth', '')}"
    if given.get("imageQuality"):
        named["quality"] = given["imageQuality"]
    if given.get("rows") or given.get("columns"):
        side = given.get("columns") or given["rows"]
        named["viewport"] = f"{side},{given.get('rows') or side}"
    return parse_view(named)


def _rendered(asked: Asked, found: IndexedInstance, numbers: list[int]) -> Response:
    record, services = found.record, asked.services
    query = sha256(f"{numbers} {asked.request.url.query}".encode()).hexdigest()[:16]
    tag = entity_tag(record.dataset_sha256, "rendered", query)
    if (unchanged := not_modified(asked.request.headers, tag)) is not None:
        return unchanged
    if record.sop_class_uid == _ENCAPSULATED_PDF:
        return _document(asked, found, tag)
    if record.sop_class_uid.startswith(_WAVEFORMS):
        return _ecg(asked, found, tag)
    choice = choose(
        asked.accepted, _PICTURES, default_multipart=False, single_possible=len(numbers) == 1
    )
    if choice is None:
        raise not_acceptable(_PICTURES, multipart=False)
    if len(numbers) > _RENDERED_MAX:
        raise _too_many(len(numbers))
    view, media_type = parse_view(asked.request.query_params), choice.offer.media_type
    with as_problems():
        parts = [
            Part(
                media_type,
                (
                    render(
                        services.objects,
                        record,
                        opened_by(asked, found),
                        number=one,
                        view=view,
                        media_type=media_type,
                    ),
                ),
            )
            for one in numbers
        ]
    if choice.multipart or len(parts) > 1:
        return multipart_response(services.objects, parts, media_type, tag=tag)
    return single_response(asked.request.headers, services.objects, parts[0], tag=tag)


def _picture(
    asked: Asked, found: IndexedInstance, number: int, view: View, media_type: str
) -> bytes:
    return render(
        asked.services.objects,
        found.record,
        opened_by(asked, found),
        number=number,
        view=view,
        media_type=media_type,
    )


def _document(asked: Asked, found: IndexedInstance, tag: str) -> Response:
    offers = (Offer(_PDF),)
    if choose(asked.accepted, offers, default_multipart=False) is None:
        raise not_acceptable(offers, multipart=False)
    objects = asked.services.objects
    with as_problems():
        value = find_value(open_instance(objects, found.record), _DOCUMENT)
    return single_response(asked.request.headers, objects, Part(_PDF, value.pieces()), tag=tag)


def _ecg(asked: Asked, found: IndexedInstance, tag: str) -> Response:
    offers = (Offer(_SVG),)
    if choose(asked.accepted, offers, default_multipart=False) is None:
        raise not_acceptable(offers, multipart=False)
    objects = asked.services.objects
    try:
        drawn = draw(load_record(objects, ObjectKey(found.record.object_key)))
    except EcgError as error:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "cannot-render",
            "The waveform cannot be drawn",
            found=error.what,
            remedy=error.remedy,
        ) from error
    return single_response(
        asked.request.headers, objects, Part(_SVG, (drawn.svg.encode("utf-8"),)), tag=tag
    )


def _thumbnail(asked: Asked, found: IndexedInstance, number: int) -> Response:
    if choose(asked.accepted, _PICTURES[:1], default_multipart=False) is None:
        raise not_acceptable(_PICTURES[:1], multipart=False)
    view = parse_view(asked.request.query_params)
    tag = entity_tag(found.record.dataset_sha256, "thumbnail", number, view.viewport or "")
    tag = entity_tag(sha256(tag.encode()).hexdigest()[:32])
    if (unchanged := not_modified(asked.request.headers, tag)) is not None:
        return unchanged
    with as_problems():
        shown = View(view.window, view.viewport or _THUMBNAIL, view.quality)
        picture = _picture(asked, found, number, shown, JPEG)
    objects = asked.services.objects
    return single_response(asked.request.headers, objects, Part(JPEG, (picture,)), tag=tag)


def _images(asked: Asked, study: str, series: str | None) -> list[IndexedInstance]:
    """Return the images of a study or series in their order.

    Raises:
        Problem: 404 when there are none.
    """
    with as_problems(), asked.services.database.transaction() as session:
        if series is None:
            of_study = queries.find_study(session, asked.root, study_uid(study))
            records = queries.instances_of_study(session, of_study)
        else:
            found = queries.find_series(session, asked.root, study_uid(study), series_uid(series))
            records = queries.instances_of_series(session, found)
    images = [IndexedInstance(one, None) for one in records if one.pixel_data_offset is not None]
    if not images:
        raise not_found("An image of it")
    return images


def _thumbnail_of_middle(asked: Asked, study: str, series: str | None) -> Response:
    images = _images(asked, study, series)
    return _thumbnail(asked, images[len(images) // 2], 1)


def _several(asked: Asked, study: str, series: str | None) -> Response:
    images = _images(asked, study, series)
    if len(images) > _RENDERED_MAX:
        raise _too_many(len(images))
    choice = choose(asked.accepted, _PICTURES, default_multipart=True, single_possible=False)
    if choice is None:
        raise not_acceptable(_PICTURES, multipart=True)
    view, media_type = parse_view(asked.request.query_params), choice.offer.media_type
    objects = asked.services.objects
    with as_problems():
        parts = [
            Part(
                media_type,
                (
                    render(
                        objects,
                        one.record,
                        opened_by(asked, one),
                        number=1,
                        view=view,
                        media_type=media_type,
                    ),
                ),
            )
            for one in images
        ]
    return multipart_response(objects, parts, media_type)


def _too_many(count: int) -> Problem:
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too-many-frames",
        "There are too many images for one rendered answer",
        expected=f"at most {_RENDERED_MAX}",
        found=str(count),
        remedy="Ask for the instances, or for fewer frames.",
    )


def _bad(name: str, expected: str) -> Problem:
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "invalid-parameter",
        f"The parameter {name} is not understood",
        expected=expected,
        remedy="Correct the address.",
    )
