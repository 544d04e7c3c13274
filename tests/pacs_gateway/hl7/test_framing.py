"""MLLP frames out of any stream, however it is cut, and never more memory than allowed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pacs_gateway.hl7.framing import HEAD_LENGTH, Frame, FrameReader, FramingLost, framed

LIMIT = HEAD_LENGTH
MESSAGE = st.binary(max_size=200).map(lambda b: b.replace(b"\x0b", b"").replace(b"\x1c", b""))
NOISE = st.sampled_from([b"", b"\r", b"\n", b"noise\r\n", b"\x1c\r"])


@given(st.lists(st.tuples(NOISE, MESSAGE), max_size=6), st.integers(1, 50))
def test_frames_come_out_as_they_went_in_however_they_are_cut(
    sent: list[tuple[bytes, bytes]], piece: int
) -> None:
    stream = b"".join(noise + framed(message) for noise, message in sent)
    reader = FrameReader(LIMIT)
    found = [
        frame
        for at in range(0, len(stream), piece)
        for frame in reader.feed(stream[at : at + piece])
    ]
    assert found == [Frame(message, len(message)) for _, message in sent]
    assert not reader.inside


@given(st.lists(st.binary(max_size=400), max_size=20))
def test_nothing_a_peer_sends_is_more_than_refused(pieces: list[bytes]) -> None:
    reader = FrameReader(LIMIT)
    try:
        for piece in pieces:
            for frame in reader.feed(piece):
                assert b"\x0b" not in frame.content
                assert len(frame.content) <= LIMIT
    except FramingLost:
        pass


def test_a_frame_begun_anew_replaces_the_lost_one() -> None:
    reader = FrameReader(LIMIT)
    assert list(reader.feed(b"\x0bMSH|lost")) == []
    assert [one.content for one in reader.feed(b"\x0bMSH|again\x1c\r")] == [b"MSH|again"]


def test_the_end_is_enough_without_its_carriage_return() -> None:
    reader = FrameReader(LIMIT)
    assert [one.content for one in reader.feed(b"\x0bone\x1c\x0btwo\x1c")] == [b"one", b"two"]


def test_of_an_oversized_message_the_head_is_kept() -> None:
    reader = FrameReader(LIMIT)
    found = []
    for piece in (b"\x0bMSH|", b"x" * 10_000, b"y" * 1_000_000, b"\x1c\r\x0bnext\x1c\r"):
        found += list(reader.feed(piece))
        assert len(reader._content) <= LIMIT
    long, following = found
    assert (len(long.content), long.length, long.oversized) == (HEAD_LENGTH, 1_010_004, True)
    assert following == Frame(b"next", 4)


def test_endless_garbage_ends_the_connection() -> None:
    reader = FrameReader(LIMIT)
    assert list(reader.feed(b"x" * LIMIT)) == []
    with pytest.raises(FramingLost):
        list(reader.feed(b"x"))
