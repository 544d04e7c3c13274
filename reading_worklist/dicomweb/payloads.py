"""Bodies of the retrieve transactions (PS3.18 §10.4.3): frames and bulk data."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from http import HTTPStatus
from typing import Final, TypeAlias

from fastapi.responses import Response

from reading_worklist.dicomweb.bodies import frame_pieces
from reading_worklist.dicomweb.instances import find_value, open_instance
from reading_worklist.dicomweb.media_types import (
    EXPLICIT_LITTLE_ENDIAN,
    OCTET_STREAM,
    VIDEO,
    Choice,
    Offer,
    choose,
    frame_media_type,
    not_acceptable,
)
from reading_worklist.dicomweb.metadata import bulk_uri
from reading_worklist.dicomweb.multipart import Part
from reading_worklist.dicomweb.queries import InstanceRecord
from reading_worklist.dicomweb.requests import Wanted
from reading_worklist.dicomweb.responses import (
    as_problems,
    entity_tag,
    multipart_response,
    multipart_stream,
    not_modified,
    single_response,
)
from reading_worklist.problems import Problem
from storage.datasets.pixels import FrameLayout
from storage.datasets.sources import ByteSource
from storage.dicom_header.encoding import PIXEL_DATA_TAGS
from storage.transcoding import FRAME_TARGETS, Original, can_transcode, converted_frame

Opened: TypeAlias = Callable[[], tuple[ByteSource, FrameLayout]]

_FRAMES_MAX: Final = 4096
_ALL_FRAMES_MAX: Final = 1 << 16
_FRAME_DIGITS: Final = 9
_PIXEL_DATA_PATHS: Final = frozenset(f"{tag:08X}" for tag in PIXEL_DATA_TAGS)
# This transfer syntax puts uncompressed frames into fragments; they leave as any other.
_ENCAPSULATED_UNCOMPRESSED: Final = "1.2.840.10008.1.2.1.98"


def frame_numbers(text: str) -> list[int]:
    """Parse a list of frame numbers.

    Raises:
        Problem: 400 when it is none.
    """
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > _FRAMES_MAX or not all(map(_is_frame_number, parts)):
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            "invalid-frame-list",
            "The list of frames is not understood",
            expected=f"up to {_FRAMES_MAX} numbers from 1, separated by commas",
            found=repr(text[:64]),
            remedy="Correct the address.",
        )
    return [int(part) for part in parts]


def frames_of(
    wanted: Wanted, record: InstanceRecord, numbers: Sequence[int] | None, opened: Opened
) -> Response:
    """Return frames of an instance; all of them for None.

    opened: gives the instance's bytes and the layout of its frames.

    Raises:
        Problem: 404 for what is not there, 406 for what the client does not take, 413 for too
            many at once, 422 when the pixel data contradicts itself.
    """
    named = "all" if numbers is None else ",".join(map(str, numbers))
    tag = entity_tag(record.dataset_sha256, "frames", sha256(named.encode()).hexdigest()[:16])
    if (unchanged := not_modified(wanted.headers, tag)) is not None:
        return unchanged
    with as_problems():
        source, layout = opened()
        if record.transfer_syntax_uid in VIDEO and layout.encapsulated:
            if numbers is not None:
                raise _frames_of_video()
            return _video(wanted, record, source, layout)
        offers = _frame_offers(record, layout)
        asked = range(1, layout.frame_count + 1) if numbers is None else numbers
        if len(asked) > _ALL_FRAMES_MAX:
            raise _too_many_frames(len(asked))
        choice = choose(
            wanted.accepted, offers, default_multipart=True, single_possible=len(asked) == 1
        )
        if choice is None:
            raise not_acceptable(offers, multipart=True)
        offer = choice.offer
        content_type = f"{offer.media_type}; transfer-syntax={offer.transfer_syntax}"
        if offer not in _stored_offers(record, layout):
            return _converted(wanted, record, layout, numbers=asked, choice=choice, stored_tag=tag)
        parts: list[Part] = []
        for number in asked:
            frame = layout.frame(source, number)
            parts.append(Part(content_type, frame_pieces(frame, source)))
        if choice.multipart:
            return multipart_response(wanted.objects, parts, offer.media_type, tag=tag)
        return single_response(wanted.headers, wanted.objects, parts[0], tag=tag)


def bulk_data(wanted: Wanted, record: InstanceRecord, path: str, opened: Opened) -> Response:
    """Return the value at a bulk data path in little endian; pixel data as its frames.

    Raises:
        Problem: 404 when the path leads nowhere, 406.
    """
    if path.upper() in _PIXEL_DATA_PATHS:
        return frames_of(wanted, record, None, opened)
    tag = entity_tag(record.dataset_sha256, "bulk", sha256(path.encode()).hexdigest()[:16])
    if (unchanged := not_modified(wanted.headers, tag)) is not None:
        return unchanged
    offers = (Offer(OCTET_STREAM, EXPLICIT_LITTLE_ENDIAN),)
    choice = choose(wanted.accepted, offers, default_multipart=True)
    if choice is None:
        raise not_acceptable(offers, multipart=True)
    with as_problems():
        value = find_value(open_instance(wanted.objects, record), path)
        location = f"{bulk_uri(record)}/{path}"
        part = Part(OCTET_STREAM, value.pieces(), location=location)
        if choice.multipart:
            return multipart_response(wanted.objects, [part], OCTET_STREAM, tag=tag)
        return single_response(wanted.headers, wanted.objects, part, tag=tag)


def _is_frame_number(text: str) -> bool:
    is_number = text.isascii() and text.isdigit() and len(text) <= _FRAME_DIGITS
    return is_number and int(text) > 0


def _frame_offers(record: InstanceRecord, layout: FrameLayout) -> list[Offer]:
    """Return what frames can be had in: as stored first, then what they can be converted to."""
    offers = _stored_offers(record, layout)
    for target in FRAME_TARGETS:
        if can_transcode(record.transfer_syntax_uid, target):
            media_type = frame_media_type(target)
            offers += [Offer(one, target) for one in dict.fromkeys((media_type, OCTET_STREAM))]
    return list(dict.fromkeys(offers))


def _stored_offers(record: InstanceRecord, layout: FrameLayout) -> list[Offer]:
    syntax = record.transfer_syntax_uid
    if not layout.encapsulated or syntax == _ENCAPSULATED_UNCOMPRESSED:
        return [Offer(OCTET_STREAM, EXPLICIT_LITTLE_ENDIAN)]
    media_type = frame_media_type(syntax)
    offers = [Offer(OCTET_STREAM, syntax)]
    return offers if media_type == OCTET_STREAM else [Offer(media_type, syntax), *offers]


def _converted(
    wanted: Wanted,
    record: InstanceRecord,
    layout: FrameLayout,
    *,
    numbers: Sequence[int],
    choice: Choice,
    stored_tag: str,
) -> Response:
    """Return frames in another transfer syntax, each converted when it is its turn."""
    media_type, target = choice.offer.media_type, choice.offer.transfer_syntax or ""
    opened = open_instance(wanted.objects, record)
    read = Original(opened.source, 0, record.transfer_syntax_uid)
    parts = (
        Part(
            f"{media_type}; transfer-syntax={target}",
            (converted_frame(read, opened.dataset, layout, number, target),),
        )
        for number in numbers
    )
    tag = entity_tag(stored_tag.strip('"'), target)
    if not choice.multipart:
        return single_response(wanted.headers, wanted.objects, next(parts), tag=tag)
    return multipart_stream(wanted.objects, parts, media_type, status=HTTPStatus.OK)


def _too_many_frames(count: int) -> Problem:
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too-many-frames",
        "The instance has too many frames for one answer",
        expected=f"at most {_ALL_FRAMES_MAX}",
        found=str(count),
        remedy="Retrieve its frames in smaller lists, or the whole instance.",
    )


def _frames_of_video() -> Problem:
    return Problem(
        HTTPStatus.NOT_ACCEPTABLE,
        "frames-of-video",
        "The frames of a video cannot be retrieved one by one",
        expected="…/bulkdata/7FE00010",
        remedy="Retrieve the video as bulk data and play it.",
    )


def _video(
    wanted: Wanted, record: InstanceRecord, source: ByteSource, layout: FrameLayout
) -> Response:
    """Return the code stream of a video: all its frames in one."""
    syntax = record.transfer_syntax_uid
    offers = (Offer(VIDEO[syntax], syntax), Offer(OCTET_STREAM, syntax))
    choice = choose(wanted.accepted, offers, default_multipart=False)
    if choice is None:
        raise not_acceptable(offers, multipart=False)
    stream = layout.frame(source, 1)
    part = Part(choice.offer.media_type, frame_pieces(stream, source))
    tag = entity_tag(record.dataset_sha256, "video")
    if choice.multipart:
        return multipart_response(wanted.objects, [part], choice.offer.media_type, tag=tag)
    return single_response(wanted.headers, wanted.objects, part, tag=tag)
