"""Messages on the wire: whole, in order, within what the peer takes."""

import struct
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from pacs_gateway.associations.pdu_writer import MessageWriter


def _fragments(sent: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Yield (PDV list length, context, control, fragment) of PDUs with one fragment each."""
    at = 0
    while at < len(sent):
        kind, length, item, context, control = struct.unpack_from(">BxIIBB", sent, at)
        assert (kind, item) == (4, length - 4)
        yield length, context, control, sent[at + 12 : at + 6 + length]
        at += 6 + length


@given(
    command=st.binary(min_size=1, max_size=300),
    pieces=st.one_of(st.none(), st.lists(st.binary(max_size=300), max_size=6)),
    maximum=st.sampled_from([0, 1, 64, 100, 131_072]),
)
def test_a_message_arrives_whole_within_the_peers_limit(
    command: bytes, pieces: list[bytes] | None, maximum: int
) -> None:
    sent: list[bytes] = []
    writer = MessageWriter(lambda piece: sent.append(bytes(piece)), maximum)
    writer.send(3, command, pieces)
    carried = {1: b"", 0: b""}
    lasts: list[int] = []
    for length, context, control, fragment in _fragments(b"".join(sent)):
        assert context == 3
        assert length <= max(maximum, 64) or not maximum
        kind = control & 1
        assert kind not in lasts, "nothing follows the last fragment of its kind"
        carried[kind] += fragment
        if control & 2:
            lasts.append(kind)
    assert lasts == ([1] if pieces is None else [1, 0])
    assert carried[1] == command
    assert carried[0] == b"".join(pieces or [])


def test_a_small_message_leaves_in_one_piece() -> None:
    sent: list[bytes] = []
    MessageWriter(lambda piece: sent.append(bytes(piece)), 16_384).send(1, b"command", [b"data"])
    assert len(sent) == 1


def test_no_more_than_a_pdu_of_a_large_dataset_is_taken_before_it_is_sent() -> None:
    taken = 0
    outstanding: list[int] = []
    sent = 0

    def pieces() -> Iterator[bytes]:
        nonlocal taken
        for _ in range(64):
            taken += 65_536
            outstanding.append(taken - sent)
            yield bytes(65_536)

    def send(piece: bytes | bytearray | memoryview) -> None:
        nonlocal sent
        sent += len(piece)

    MessageWriter(send, 0).send(1, b"command", pieces())
    assert max(outstanding) <= 3 * 131_072
