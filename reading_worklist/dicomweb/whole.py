"""Whole instances as they leave (PS3.18 §10.4.3): as stored, corrected, or in another encoding."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from http import HTTPStatus
from typing import BinaryIO, Final, cast

from fastapi.responses import Response

from reading_worklist.dicomweb.bodies import Piece, Region, Streamed, pieces_of
from reading_worklist.dicomweb.instances import original_of
from reading_worklist.dicomweb.media_types import DICOM, Choice, Offer, choose, not_acceptable
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
from storage.datasets.sources import FileSource
from storage.dicom_header.part10 import head_with_syntax
from storage.identity.correction import corrected
from storage.identity.overlay import Overlay
from storage.transcoding import NATIVE_TARGETS, TARGETS, can_transcode, transcode

_IN_MEMORY: Final = 16 << 20
_COMPRESSED: Final = sorted(TARGETS - set(NATIVE_TARGETS))


@dataclass(frozen=True, slots=True)
class _Leaving:
    """An instance, and the transfer syntax that it is to have; None: as it is."""

    record: InstanceRecord
    syntax: str | None


def whole_instances(
    wanted: Wanted,
    records: Sequence[InstanceRecord],
    *,
    overlay: Overlay | None,
    named: Sequence[object] = (),
) -> Response:
    """Return instances; those that the client does not accept are left out.

    They leave exactly as stored, unless their patient was corrected or the client wants them in
    another transfer syntax.

    overlay: of their study. named: what identifies the resource, for its entity tag; empty: none.

    Raises:
        Problem: 406 when nothing is left, or the one instance cannot be given as it is wanted;
            422 when it cannot be corrected.
    """
    leaving: list[_Leaving] = []
    multipart = True
    choices: dict[tuple[str, bool], Choice | None] = {}
    for record in records:
        kind = (record.transfer_syntax_uid, record.pixel_data_offset is not None)
        if kind not in choices:
            single = len(records) == 1
            choices[kind] = choose(
                wanted.accepted, _offers(*kind), default_multipart=True, single_possible=single
            )
        choice = choices[kind]
        if choice is not None:
            multipart = choice.multipart
            syntax = choice.offer.transfer_syntax
            stored = syntax == record.transfer_syntax_uid
            leaving.append(_Leaving(record, None if stored else syntax))
    if not leaving:
        raise not_acceptable([one for kind in choices for one in _offers(*kind)], multipart=True)
    tag = _tag(named, overlay, leaving[0].syntax) if named else None
    if tag is not None and (unchanged := not_modified(wanted.headers, tag)) is not None:
        return unchanged
    # PS3.18 §8.5: 206 says that not all of the resource is in the answer.
    whole = len(leaving) == len(records)
    status = HTTPStatus.OK if whole else HTTPStatus.PARTIAL_CONTENT
    with as_problems():
        if overlay is None and all(one.syntax is None for one in leaving):
            parts = [_as_stored(one.record) for one in leaving]
        elif len(leaving) == 1:
            parts = [_made(wanted, leaving[0], overlay)]
        else:
            made = (_made(wanted, one, overlay) for one in leaving)
            return multipart_stream(wanted.objects, made, DICOM, status=status)
        if not multipart:
            return single_response(wanted.headers, wanted.objects, parts[0], tag=tag)
        return multipart_response(wanted.objects, parts, DICOM, tag=tag, status=status)


@lru_cache(256)
def _offers(stored: str, has_pixels: bool) -> tuple[Offer, ...]:  # noqa: FBT001 -- a key of the cache
    """Return what an instance in this transfer syntax can be had in: as stored first."""
    # Without pixels there is nothing to compress.
    targets = (*NATIVE_TARGETS, *_COMPRESSED) if has_pixels else NATIVE_TARGETS
    others = [one for one in targets if one != stored and can_transcode(stored, one)]
    return tuple(Offer(DICOM, one) for one in (stored, *others))


def _tag(named: Sequence[object], overlay: Overlay | None, syntax: str | None) -> str:
    marks = [one for one in (overlay.mark if overlay else None, syntax) if one]
    return entity_tag(*named, *marks)


def _as_stored(record: InstanceRecord) -> Part:
    content_type = f"{DICOM}; transfer-syntax={record.transfer_syntax_uid}"
    return Part(content_type, (Region(record.object_key, 0, record.object_size),))


def _made(wanted: Wanted, leaving: _Leaving, overlay: Overlay | None) -> Part:
    """Return an instance as it leaves, made now.

    Raises:
        CannotTranscode, CannotBeCorrected, ObjectNotFound, ObjectStoreUnavailable: see there.
    """
    record = leaving.record
    stored = original_of(wanted.objects, record)
    given = stored if overlay is None else corrected(stored, overlay)
    syntax = leaving.syntax or record.transfer_syntax_uid
    if given is stored and syntax == record.transfer_syntax_uid:
        return _as_stored(record)
    # Our record of the reception speaks of the dataset that was received.
    head = head_with_syntax(stored.source.read(0, stored.dataset_offset), syntax)
    if syntax == given.transfer_syntax_uid:
        offset = given.dataset_offset
        pieces = pieces_of(given.source, offset, given.source.size - offset)
    else:
        file = cast("BinaryIO", tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY))  # noqa: SIM115 -- the piece owns it, and it vanishes with that
        transcode(given, syntax, file)
        source = FileSource(file, file.tell())
        pieces: list[Piece] = [Streamed(source.size, partial(source.stream, 0, source.size))]
    return Part(f"{DICOM}; transfer-syntax={syntax}", (head, *pieces))
