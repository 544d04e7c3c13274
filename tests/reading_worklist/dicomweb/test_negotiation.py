"""Accept headers as viewers and libraries write them, and the bodies that answer."""

from email import message_from_bytes
from email.policy import HTTP

import pytest

from reading_worklist.dicomweb.media_types import (
    Acceptable,
    Offer,
    choose,
    frame_media_type,
    parse_accept,
)
from reading_worklist.dicomweb.multipart import Multipart, Part

JPEG = "1.2.840.10008.1.2.4.50"
OFFERS = (Offer("image/jpeg", JPEG), Offer("application/octet-stream", JPEG))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("multipart/related; type=application/octet-stream; transfer-syntax=*", OFFERS[1]),
        ('multipart/related; type="application/octet-stream"; transfer-syntax="*"', OFFERS[1]),
        ('multipart/related; type="image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.50"', OFFERS[0]),
        ('multipart/related; type="image/jls"; q=1, multipart/related; type="image/*"', OFFERS[0]),
        ('multipart/related;type="application/octet-stream";q=0.1, image/jpeg', OFFERS[0]),
        ("multipart/related", OFFERS[0]),
        ("*/*", OFFERS[0]),
        (None, OFFERS[0]),
        ("", OFFERS[0]),
        ("multipart/related; type=image/jp2", None),
        ("multipart/related; type=image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.70", None),
        ("image/jpeg;q=0", None),
        ("text/html", None),
    ],
)
def test_choice_among_the_media_types_of_a_frame(
    header: str | None, expected: Offer | None
) -> None:
    accepted = parse_accept(header)
    choice = choose(accepted, OFFERS, default_multipart=True) if accepted or not header else None
    assert (choice.offer if choice else None) == expected


def test_single_part_is_given_only_where_it_fits() -> None:
    accepted = parse_accept("application/dicom")
    offers = (Offer("application/dicom", JPEG),)
    assert choose(accepted, offers, default_multipart=True, single_possible=False) is None
    single = choose(accepted, offers, default_multipart=True)
    assert single is not None
    assert not single.multipart


def test_query_parameter_comes_before_the_header() -> None:
    assert parse_accept("image/jpeg", "text/html") == [Acceptable("image/jpeg", False, None, 1.0)]


@pytest.mark.parametrize(
    "header", ['"', ';;;"', "a/b;q=x", ",,,", 'multipart/related; type="', "\\"]
)
def test_nonsense_is_survived(header: str) -> None:
    choose(parse_accept(header), OFFERS, default_multipart=True)


def test_media_types_of_the_standard() -> None:
    assert frame_media_type("1.2.840.10008.1.2.4.80") == "image/jls"
    assert frame_media_type("1.2.840.10008.1.2.5") == "image/dicom-rle"
    assert frame_media_type("1.2.3") == "application/octet-stream"


def test_multipart_body_is_read_by_the_standard_library() -> None:
    contents = [b"first\r\n--not a boundary", b"", bytes(range(256))]
    parts = [Part("image/jpeg", (data,), location="/x") for data in contents]
    body = Multipart(parts, "image/jpeg")
    sent = b"".join(piece for piece in body.pieces() if isinstance(piece, bytes))
    head = f"Content-Type: {body.content_type}\r\n\r\n".encode()
    message = message_from_bytes(head + sent, policy=HTTP)
    read = [part.get_payload(decode=True) for part in message.iter_parts()]
    assert read[0] == contents[0]
    assert len(read) == 3
    assert message.get_param("type") == "image/jpeg"
