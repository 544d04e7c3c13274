"""Answers of the DICOMweb routes: bodies that stream, conditional requests, errors as problems."""

import gzip
import re
import zlib
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from itertools import chain
from typing import Final

from fastapi import Request
from fastapi.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from reading_worklist.dicomweb.bodies import Piece, PiecesResponse, cut, length_of, read_pieces
from reading_worklist.dicomweb.instances import NoSuchValue
from reading_worklist.dicomweb.media_types import DICOM_JSON
from reading_worklist.dicomweb.multipart import Multipart, Part
from reading_worklist.problems import Problem
from storage.datasets.pixels import BadPixelData, NoPixelData, NoSuchFrame
from storage.datasets.sources import DeflateBroken, InflatedTooLarge
from storage.errors import RdcError
from storage.identifiers import InvalidIdentifier
from storage.identity.correction import CannotBeCorrected
from storage.objects import ObjectNotFound, ObjectStore, ObjectStoreUnavailable
from storage.transcoding import CannotTranscode

# Kept by the browser alone, and asked for again each time, since who may see it can change.
_PRIVATE: Final = {"Cache-Control": "private, no-cache", "Vary": "Accept, Accept-Encoding, Cookie"}
_RANGE: Final = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.ASCII)
_GZIP_MIN: Final = 1024
_GZIP_FAST: Final = 3
_GZIP_WINDOW: Final = 31  # zlib's word for a gzip header around a full window


@contextmanager
def as_problems() -> Generator[None]:
    """Turn what can be wrong with stored bytes and asked-for identifiers into HTTP problems."""
    try:
        yield
    except InvalidIdentifier as error:
        raise _problem(HTTPStatus.BAD_REQUEST, "invalid-uid", error) from error
    except (NoPixelData, NoSuchFrame, NoSuchValue) as error:
        raise _problem(HTTPStatus.NOT_FOUND, "not-found", error) from error
    except CannotTranscode as error:
        raise _problem(HTTPStatus.NOT_ACCEPTABLE, "not-transcodable", error) from error
    except (BadPixelData, CannotBeCorrected, DeflateBroken, InflatedTooLarge) as error:
        raise _problem(HTTPStatus.UNPROCESSABLE_ENTITY, "unreadable-instance", error) from error
    except ObjectStoreUnavailable as error:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "object-store-unavailable",
            "The object store does not answer",
            remedy="Try again in a minute.",
        ) from error
    except ObjectNotFound as error:
        raise Problem(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "object-missing",
            "The bytes of the instance are not in the object store",
            remedy="Tell your system administrator; 'rdc verify' lists what is missing.",
        ) from error


class ObjectResponse(PiecesResponse):
    """Pieces whose faults are told as problems."""

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer. Raises `Problem` before anything is sent, where there is one."""
        with as_problems():
            await super().__call__(scope, receive, send)


def entity_tag(*parts: object) -> str:
    """Return the strong entity tag (RFC 9110 §8.8.3) for what `parts` identify."""
    return f'"{"-".join(str(part) for part in parts)}"'


def not_modified(headers: Mapping[str, str], tag: str) -> Response | None:
    """Return 304 when the client has what `tag` stands for, in whichever coding; else None."""
    known = {
        value.strip().removeprefix("W/") for value in headers.get("if-none-match", "").split(",")
    }
    if tag in known or _packed_tag(tag) in known:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=_PRIVATE | {"ETag": tag})
    return None


def wants_gzip(request: Request) -> bool:
    """Tell whether the client takes gzip."""
    for coding in request.headers.get("accept-encoding", "").split(","):
        name, _, parameters = coding.partition(";")
        if name.strip().lower() in ("gzip", "*"):
            return parameters.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def json_response(
    request: Request,
    plain: bytes,
    *,
    packed: bytes | None = None,
    tag: str | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Return DICOM JSON; in gzip where the client takes it: `packed`, or `plain` packed now."""
    sent = _PRIVATE | (headers or {})
    if packed is None and len(plain) >= _GZIP_MIN and wants_gzip(request):
        packed = gzip.compress(plain, _GZIP_FAST, mtime=0)
    if packed is not None:
        sent["Content-Encoding"] = "gzip"
    if tag is not None:
        sent["ETag"] = tag if packed is None else _packed_tag(tag)
    return Response(plain if packed is None else packed, media_type=DICOM_JSON, headers=sent)


def json_pieces(
    pieces: Sequence[Piece], objects: ObjectStore, *, packed: bool, tag: str
) -> Response:
    """Return DICOM JSON that is kept; `packed` tells that it is in gzip."""
    sent = _PRIVATE | {"Content-Type": DICOM_JSON, "ETag": _packed_tag(tag) if packed else tag}
    if packed:
        sent["Content-Encoding"] = "gzip"
    return ObjectResponse(pieces, objects, status_code=HTTPStatus.OK, headers=sent)


def json_stream(request: Request, arrays: Iterable[bytes], *, tag: str) -> Response:
    """Return several JSON arrays joined to one, each in memory only while it is sent."""
    body = _joined(arrays)
    sent = _PRIVATE | {"ETag": tag}
    if wants_gzip(request):
        body = _packed(body)
        sent |= {"Content-Encoding": "gzip", "ETag": _packed_tag(tag)}
    return StreamingResponse(_begun(body), media_type=DICOM_JSON, headers=sent)


def multipart_response(
    objects: ObjectStore,
    parts: Sequence[Part],
    media_type: str,
    *,
    tag: str | None = None,
    status: int = HTTPStatus.OK,
) -> Response:
    """Return a multipart/related body."""
    body = Multipart(parts, media_type)
    sent = _PRIVATE | {"Content-Type": body.content_type}
    if tag is not None:
        sent["ETag"] = tag
    return ObjectResponse(list(body.pieces()), objects, status_code=status, headers=sent)


def multipart_stream(
    objects: ObjectStore, parts: Iterable[Part], media_type: str, *, status: int
) -> Response:
    """Return a multipart/related body whose parts are made one by one while it is sent.

    The first is made now; where a later one fails the body ends early, without its closing
    boundary.
    """
    body = Multipart(parts, media_type)
    sent = _PRIVATE | {"Content-Type": body.content_type}
    stream = read_pieces(body.pieces(), objects)
    return StreamingResponse(_begun(stream), status_code=status, headers=sent)


def single_response(
    headers: Mapping[str, str], objects: ObjectStore, part: Part, *, tag: str | None = None
) -> Response:
    """Return one part's bytes by themselves, or the range of them that the request asks for.

    headers: of the request. More than one range is answered with the whole, as RFC 9110 §14.2
        allows.
    """
    sent = _PRIVATE | {"Content-Type": part.content_type, "Accept-Ranges": "bytes"}
    if tag is not None:
        sent["ETag"] = tag
    pieces, status = part.pieces, HTTPStatus.OK
    length = length_of(pieces)
    wanted = _asked_range(headers, length, tag)
    if wanted is not None:
        start, stop = wanted
        if start >= stop:
            sent["Content-Range"] = f"bytes */{length}"
            del sent["Content-Type"]
            return Response(status_code=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=sent)
        sent["Content-Range"] = f"bytes {start}-{stop - 1}/{length}"
        pieces, status = cut(pieces, start, stop - start), HTTPStatus.PARTIAL_CONTENT
    return ObjectResponse(pieces, objects, status_code=status, headers=sent)


def _asked_range(
    headers: Mapping[str, str], length: int, tag: str | None
) -> tuple[int, int] | None:
    """Return where the asked-for range begins and ends; None when the whole is to be sent."""
    asked = _RANGE.fullmatch(headers.get("range", ""))
    if asked is None or not any(asked.groups()):
        return None
    condition = headers.get("if-range")
    if condition is not None and condition != tag:
        return None
    first, last = asked.groups()
    if not first:
        return max(length - int(last), 0), length
    return int(first), min(int(last) + 1, length) if last else length


def _begun(stream: Iterator[bytes]) -> Iterator[bytes]:
    """Make the first chunk now: what is wrong shall be told in the status, not in a broken body."""
    first = next(stream, b"")
    return chain((first,), stream)


def _joined(arrays: Iterable[bytes]) -> Iterator[bytes]:
    lead = b"["
    for array in arrays:
        inside = array[1:-1]
        if inside:
            yield lead + inside
            lead = b","
    yield b"[]" if lead == b"[" else b"]"


def _packed(stream: Iterator[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(_GZIP_FAST, zlib.DEFLATED, _GZIP_WINDOW)
    for piece in stream:
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()


def _packed_tag(tag: str) -> str:
    return f'{tag[:-1]}-gzip"'


def _problem(status: int, code: str, error: RdcError) -> Problem:
    what = error.what[:1].upper() + error.what[1:]
    return Problem(
        status, code, what, expected=error.expected, found=error.found, remedy=error.remedy
    )
