"""Answers of the DICOMweb routes: bodies that stream, conditional requests, errors as problems."""

import gzip
import zlib
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from itertools import chain
from typing import Final

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from reading_worklist.dicomweb.instances import NoSuchValue
from reading_worklist.dicomweb.media_types import DICOM_JSON
from reading_worklist.dicomweb.multipart import Multipart, Part
from reading_worklist.dicomweb.pixels import BadPixelData, NoPixelData, NoSuchFrame
from reading_worklist.dicomweb.sources import CHUNK, DeflateBroken, InflatedTooLarge
from reading_worklist.problems import Problem
from storage.errors import RdcError
from storage.identifiers import InvalidIdentifier
from storage.objects import ObjectNotFound, ObjectStoreUnavailable

# Kept by the browser alone, and asked for again each time, since who may see it can change.
_PRIVATE: Final = {"Cache-Control": "private, no-cache", "Vary": "Accept, Accept-Encoding, Cookie"}
_WHOLE_MAX: Final = 8 << 20
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
    except (BadPixelData, DeflateBroken, InflatedTooLarge) as error:
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


def entity_tag(*parts: object) -> str:
    """Return the strong entity tag (RFC 9110 §8.8.3) for what `parts` identify."""
    return f'"{"-".join(str(part) for part in parts)}"'


def not_modified(request: Request, tag: str) -> Response | None:
    """Return 304 when the client has what `tag` stands for, in whichever coding; else None."""
    known = {
        value.strip().removeprefix("W/")
        for value in request.headers.get("if-none-match", "").split(",")
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


def json_stream(request: Request, arrays: Iterable[bytes], *, tag: str) -> Response:
    """Return several JSON arrays joined to one, each in memory only while it is sent."""
    body = _joined(arrays)
    sent = _PRIVATE | {"ETag": tag}
    if wants_gzip(request):
        body = _packed(body)
        sent |= {"Content-Encoding": "gzip", "ETag": _packed_tag(tag)}
    return StreamingResponse(_begun(body), media_type=DICOM_JSON, headers=sent)


def multipart_response(
    parts: Sequence[Part],
    media_type: str,
    *,
    tag: str | None = None,
    status: int = HTTPStatus.OK,
) -> Response:
    """Return a multipart/related body."""
    body = Multipart(parts, media_type)
    return _body_response(body.stream(), body.length, body.content_type, tag=tag, status=status)


def single_response(part: Part, *, tag: str | None = None) -> Response:
    """Return one part's bytes by themselves."""
    return _body_response(part.stream(), part.length, part.content_type, tag=tag)


def _body_response(
    stream: Iterable[bytes],
    length: int,
    content_type: str,
    *,
    tag: str | None,
    status: int = HTTPStatus.OK,
) -> Response:
    sent = _PRIVATE | {"Content-Type": content_type, "Content-Length": str(length)}
    if tag is not None:
        sent["ETag"] = tag
    if length <= _WHOLE_MAX:
        return Response(b"".join(stream), status_code=status, headers=sent)
    return StreamingResponse(_begun(_gathered(stream)), status_code=status, headers=sent)


def _begun(stream: Iterator[bytes]) -> Iterator[bytes]:
    """Make the first chunk now: what is wrong shall be told in the status, not in a broken body."""
    first = next(stream, b"")
    return chain((first,), stream)


def _gathered(stream: Iterable[bytes]) -> Iterator[bytes]:
    """Join small pieces, since each one costs a change of threads."""
    pieces: list[bytes] = []
    size = 0
    for piece in stream:
        pieces.append(piece)
        size += len(piece)
        if size >= CHUNK:
            yield b"".join(pieces)
            pieces, size = [], 0
    if pieces:
        yield b"".join(pieces)


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
