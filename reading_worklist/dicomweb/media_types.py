"""What a client accepts and what an instance's frames are called (PS3.18 §8.7)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from reading_worklist.problems import Problem

DICOM: Final = "application/dicom"
DICOM_JSON: Final = "application/dicom+json"
JSON: Final = "application/json"
OCTET_STREAM: Final = "application/octet-stream"
MULTIPART: Final = "multipart/related"
EXPLICIT_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2.1"
# Of General Electric: a little endian dataset with big endian pixels.
BIG_ENDIAN_PIXELS: Final = "1.2.840.113619.5.2"

# PS3.18 table 8.7.3-5; what is not here is a code stream without a media type of its own.
_COMPRESSED: Final = {
    "1.2.840.10008.1.2.4.50": "image/jpeg",
    "1.2.840.10008.1.2.4.51": "image/jpeg",
    "1.2.840.10008.1.2.4.57": "image/jpeg",
    "1.2.840.10008.1.2.4.70": "image/jpeg",
    "1.2.840.10008.1.2.4.80": "image/jls",
    "1.2.840.10008.1.2.4.81": "image/jls",
    "1.2.840.10008.1.2.4.90": "image/jp2",
    "1.2.840.10008.1.2.4.91": "image/jp2",
    "1.2.840.10008.1.2.4.92": "image/jpx",
    "1.2.840.10008.1.2.4.93": "image/jpx",
    "1.2.840.10008.1.2.4.110": "image/jxl",
    "1.2.840.10008.1.2.4.111": "image/jxl",
    "1.2.840.10008.1.2.4.112": "image/jxl",
    "1.2.840.10008.1.2.4.201": "image/jphc",
    "1.2.840.10008.1.2.4.202": "image/jphc",
    "1.2.840.10008.1.2.4.203": "image/jphc",
    "1.2.840.10008.1.2.5": "image/dicom-rle",
}
# One code stream holds all frames, which only decoding tells apart (PS3.5 §8.2.5 to §8.2.8).
VIDEO: Final = {
    "1.2.840.10008.1.2.4.100": "video/mpeg",
    "1.2.840.10008.1.2.4.100.1": "video/mpeg",
    "1.2.840.10008.1.2.4.101": "video/mpeg",
    "1.2.840.10008.1.2.4.101.1": "video/mpeg",
    "1.2.840.10008.1.2.4.102": "video/mp4",
    "1.2.840.10008.1.2.4.102.1": "video/mp4",
    "1.2.840.10008.1.2.4.103": "video/mp4",
    "1.2.840.10008.1.2.4.103.1": "video/mp4",
    "1.2.840.10008.1.2.4.104": "video/mp4",
    "1.2.840.10008.1.2.4.104.1": "video/mp4",
    "1.2.840.10008.1.2.4.105": "video/mp4",
    "1.2.840.10008.1.2.4.105.1": "video/mp4",
    "1.2.840.10008.1.2.4.106": "video/mp4",
    "1.2.840.10008.1.2.4.106.1": "video/mp4",
    "1.2.840.10008.1.2.4.107": "video/mp4",
    "1.2.840.10008.1.2.4.108": "video/mp4",
}
_OUTSIDE_QUOTES: Final = r'(?:[^"{0}]|"(?:[^"\\]|\\.)*"?)+'
_RANGE: Final = re.compile(_OUTSIDE_QUOTES.format(","))
_PARAMETER: Final = re.compile(_OUTSIDE_QUOTES.format(";"))
_RANGES_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class Acceptable:
    """One media type a client takes.

    multipart: whether it is wanted in parts of multipart/related.
    transfer_syntax: the only one wanted, None for any.
    """

    media_type: str
    multipart: bool
    transfer_syntax: str | None
    quality: float


@dataclass(frozen=True, slots=True)
class Offer:
    """A representation the server can give."""

    media_type: str
    transfer_syntax: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """The offer that is taken, and whether it goes in parts."""

    offer: Offer
    multipart: bool


def frame_media_type(transfer_syntax_uid: str) -> str:
    """Return the media type of a frame's code stream in this transfer syntax."""
    return _COMPRESSED.get(transfer_syntax_uid, OCTET_STREAM)


def parse_accept(*headers: str | None) -> list[Acceptable]:
    """Parse Accept values, the client's favourite first; empty when it does not say.

    The first value that is not empty counts: PS3.18 §8.3.3.1 lets the query parameter
    "accept" take the place of the header. Parameters nested in the quotes of
    multipart/related's type, as some viewers write them, are read like those beside it.
    """
    header = next((text for text in headers if text and text.strip()), "")
    ranges = [_acceptable(text) for text in _RANGE.findall(header)[:_RANGES_MAX] if text.strip()]
    return sorted(
        (range_ for range_ in ranges if range_.quality > 0), key=lambda range_: -range_.quality
    )


def choose(
    accepted: Sequence[Acceptable],
    offers: Sequence[Offer],
    *,
    default_multipart: bool,
    single_possible: bool = True,
) -> Choice | None:
    """Return the best offer for a client, None when there is none for it.

    offers: the server's favourite first.
    default_multipart: how it goes to a client that takes anything.
    single_possible: whether the answer fits in one part without multipart.
    """
    if not accepted:
        return Choice(offers[0], default_multipart)
    for wanted in accepted:
        for offer in offers:
            if not _matches(wanted, offer):
                continue
            if wanted.multipart:
                return Choice(offer, multipart=True)
            if wanted.media_type == "*/*":
                return Choice(offer, multipart=default_multipart)
            if single_possible:
                return Choice(offer, multipart=False)
    return None


def not_acceptable(offers: Sequence[Offer], *, multipart: bool) -> Problem:
    """Return the answer for a client that takes nothing of what there is."""
    names = sorted(
        offer.media_type
        + (f"; transfer-syntax={offer.transfer_syntax}" if offer.transfer_syntax else "")
        for offer in set(offers)
    )
    inner = ", ".join(f'multipart/related; type="{name}"' if multipart else name for name in names)
    return Problem(
        HTTPStatus.NOT_ACCEPTABLE,
        "not-acceptable",
        "The resource does not exist in a media type that the request accepts",
        expected=f"Accept: {inner}",
        remedy="Accept one of these, or transfer-syntax=* for what is stored.",
    )


def _acceptable(text: str) -> Acceptable:
    media_type, parameters = _parse_type(text)
    multipart = media_type == MULTIPART
    if multipart:
        media_type, nested = _parse_type(parameters.get("type", "*/*"))
        parameters = nested | parameters
    syntax = parameters.get("transfer-syntax")
    return Acceptable(
        media_type,
        multipart,
        None if syntax in (None, "*", "") else syntax,
        _quality(parameters.get("q")),
    )


def _parse_type(text: str) -> tuple[str, dict[str, str]]:
    head, *rest = _PARAMETER.findall(text) or [""]
    parameters: dict[str, str] = {}
    for parameter in rest:
        name, _, value = parameter.partition("=")
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] == '"':
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        parameters.setdefault(name.strip().lower(), value)
    return head.strip().lower() or "*/*", parameters


def _quality(text: str | None) -> float:
    try:
        return 1.0 if text is None else min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 1.0


def _matches(wanted: Acceptable, offer: Offer) -> bool:
    if wanted.media_type not in (
        "*/*",
        offer.media_type,
        f"{offer.media_type.partition('/')[0]}/*",
    ):
        return False
    return wanted.transfer_syntax is None or offer.transfer_syntax in (None, wanted.transfer_syntax)
