"""Associations against a listener whose service only counts: who is let in, what ends it."""

import hashlib
import itertools
import logging
import struct
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest

from pacs_gateway.associations.admission import Admitted, Rejection
from pacs_gateway.associations.association import Acceptor
from pacs_gateway.associations.commands import Command
from pacs_gateway.associations.exchange import Context, Exchange, FollowUp
from pacs_gateway.associations.status import SUCCESS, Answer
from pacs_gateway.config import GatewayConfig
from pacs_gateway.ports import PortUnavailable
from storage.receptions import Origin
from storage.registry import DeviceLimits
from tests.pacs_gateway.listening import Listening
from tests.pacs_gateway.peers import (
    CT,
    EXPLICIT,
    RawPeer,
    association_request,
    command,
    dcmtk,
    p_data,
    pdv,
    store_command,
)
from tests.pacs_gateway.waiting import until

_ABORT = 0x07


@dataclass
class Recorded:
    command: Command
    transfer_syntax: str
    digest: str = ""
    size: int = 0
    abandoned: bool = False


@dataclass
class Recorder:
    """A service that keeps digests of what it got."""

    seen: list[Recorded] = field(default_factory=list)
    changed: threading.Event = field(default_factory=threading.Event)

    def follow_ups(self, contexts: Iterable[Context]) -> Iterable[tuple[Context, FollowUp]]:
        del contexts
        return ()

    def begin(self, command: Command, context: Context) -> "Recording":
        assert context.abstract_syntax
        record = Recorded(command, context.transfer_syntax)
        self.seen.append(record)
        return Recording(record, self.changed)


class Recording:
    def __init__(self, record: Recorded, changed: threading.Event) -> None:
        self._record = record
        self._changed = changed
        self._digest = hashlib.sha256()

    def write(self, fragment: memoryview) -> None:
        self._digest.update(fragment)
        self._record.size += len(fragment)

    def room(self) -> None:
        """Offer no memory."""

    def filled(self, count: int) -> None:
        """Nothing can be there."""

    def finish(self, exchange: Exchange) -> Answer:
        del exchange
        self._record.digest = self._digest.hexdigest()
        self._changed.set()
        return SUCCESS

    def settle(self) -> None:
        """Nothing is left to do."""

    def abandon(self) -> None:
        self._record.abandoned = True
        self._changed.set()


class Doorkeeper:
    """Admits everybody but those named BAD; raises for BUG."""

    def decide(
        self,
        *,
        called_ae_title: str,
        calling_ae_title: str,
        address: str,
        certificate_sha256: str | None,
    ) -> Admitted | Rejection:
        del certificate_sha256
        if calling_ae_title.strip() == "BAD":
            return Rejection.CALLING_AE_TITLE_NOT_RECOGNIZED
        if calling_ae_title.strip() == "BUG":
            raise RuntimeError("provoked")
        origin = Origin(uuid4(), uuid4(), calling_ae_title, called_ae_title, address)
        return Admitted(origin, DeviceLimits())

    def note_rejection(self, rejection: Rejection, **_facts: str) -> None:
        """Keep no record."""


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def stopping() -> threading.Event:
    return threading.Event()


@pytest.fixture
def listener(recorder: Recorder, stopping: threading.Event, tmp_path: Path) -> Iterator[Listening]:
    config = GatewayConfig(
        "RDC",
        "127.0.0.1",
        0,
        tmp_path,
        network_timeout_seconds=1.0,
        acse_timeout_seconds=2.0,
        maximum_associations=8,
    )
    acceptor = Acceptor(Doorkeeper(), lambda *_: recorder, frozenset(), stopping)  # pyright: ignore[reportArgumentType]
    made = Listening(config, acceptor)
    made.start()
    yield made
    stopping.set()
    made.stop(5)


@pytest.fixture
def peer(listener: Listening) -> Iterator[RawPeer]:
    with RawPeer(listener.bound_port) as made:
        yield made


def test_echo(peer: RawPeer) -> None:
    assert peer.associate({1: ("1.2.840.10008.1.1", ["1.2.840.10008.1.2"])}) == 2
    echo = command(0x0030, t0002=b"1.2.840.10008.1.1", t0800=struct.pack("<H", 0x0101))
    for _ in range(3):
        peer.send(p_data(pdv(1, 3, echo)))
        assert peer.status() == 0
    assert peer.release() == 6


def test_a_dataset_arrives_whole_however_it_is_cut(peer: RawPeer, recorder: Recorder) -> None:
    dataset = bytes(range(256)) * 5000
    assert peer.associate() == 2
    cuts = [0, 1, 2, 1000, 1001, 600_000, len(dataset)]
    pieces = [dataset[a:b] for a, b in itertools.pairwise(cuts)]
    request = store_command("1.2.3")
    # The command in two fragments and two PDUs, an empty fragment, several items in one PDU.
    stream = p_data(pdv(1, 1, request[:10])) + p_data(pdv(1, 3, request[10:]), pdv(1, 0, b""))
    stream += p_data(*(pdv(1, 0, piece) for piece in pieces[:3]))
    stream += b"".join(p_data(pdv(1, 0, piece)) for piece in pieces[3:])
    stream += p_data(pdv(1, 2, b""))
    for start in range(0, len(stream), 70_001):
        peer.send(stream[start : start + 70_001])
    assert peer.status() == 0
    assert recorder.seen[0].digest == hashlib.sha256(dataset).hexdigest()
    assert peer.release() == 6


def test_requests_sent_without_waiting_are_answered_in_order(
    peer: RawPeer, recorder: Recorder
) -> None:
    assert peer.associate() == 2
    one = p_data(pdv(1, 3, store_command("1.2.3")), pdv(1, 2, b"abc"))
    peer.send(one * 20)
    assert [peer.status() for _ in range(20)] == [0] * 20
    assert len(recorder.seen) == 20


def test_unknown_callers_are_rejected_for_the_right_reason(listener: Listening) -> None:
    with RawPeer(listener.bound_port) as peer:
        peer.send(association_request({1: (CT, [EXPLICIT])}, calling="BAD"))
        assert peer.receive() == (3, bytes((0, 1, 1, 3)))
        assert peer.receive() == (0, b"")


def test_an_error_of_ours_at_the_door_is_a_transient_rejection(listener: Listening) -> None:
    with RawPeer(listener.bound_port) as peer:
        peer.send(association_request({1: (CT, [EXPLICIT])}, calling="BUG"))
        assert peer.receive() == (3, bytes((0, 2, 3, 1)))


def test_more_associations_than_allowed_are_rejected_for_now(listener: Listening) -> None:
    peers: list[RawPeer] = []
    try:
        for expected in [2] * 8 + [3]:
            peers.append(RawPeer(listener.bound_port))
            assert peers[-1].associate() == expected
    finally:
        for peer in peers:
            peer.socket.close()


_REQUEST = store_command("1.2.3")


@pytest.mark.parametrize(
    "violation",
    [
        pytest.param(p_data(pdv(1, 0, b"abc")), id="dataset without command"),
        pytest.param(p_data(pdv(3, 3, _REQUEST)), id="context not accepted"),
        pytest.param(p_data(pdv(1, 3, b"\0\0")), id="command cut off"),
        pytest.param(p_data(pdv(1, 3, b"")), id="empty command"),
        pytest.param(
            p_data(pdv(1, 3, _REQUEST)) + p_data(pdv(1, 3, _REQUEST)),
            id="command instead of dataset",
        ),
        pytest.param(
            p_data(pdv(1, 3, _REQUEST)) + p_data(pdv(3, 0, b"x")),
            id="dataset under another context",
        ),
        pytest.param(p_data(pdv(1, 1, bytes(60_000))) * 2, id="endless command"),
        pytest.param(struct.pack(">BxI", 4, 3) + b"abc", id="stray bytes"),
        pytest.param(
            struct.pack(">BxI", 4, 6) + struct.pack(">IBB", 1, 1, 3),
            id="item shorter than its header",
        ),
        pytest.param(
            struct.pack(">BxI", 4, 6) + struct.pack(">IBB", 4_000_000_000, 1, 0),
            id="item longer than its PDU",
        ),
        pytest.param(b"\x99" + bytes(5), id="unknown PDU"),
        pytest.param(association_request({1: (CT, [EXPLICIT])}), id="second association request"),
        pytest.param(struct.pack(">BxI", 2, 4) + bytes(4), id="acceptance from a requestor"),
    ],
)
def test_a_violation_of_the_protocol_ends_the_association(
    listener: Listening, violation: bytes
) -> None:
    with RawPeer(listener.bound_port) as peer:
        assert peer.associate() == 2
        peer.send(violation)
        assert peer.receive()[0] == _ABORT
        assert peer.receive() == (0, b"")


@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", id="http"),
        pytest.param(struct.pack(">BxI", 1, 0xFFFFFFFF) + bytes(100), id="huge request"),
        pytest.param(struct.pack(">BxI", 1, 4) + bytes(4), id="short request"),
        pytest.param(struct.pack(">BxI", 4, 4) + bytes(4), id="data before association"),
        pytest.param(association_request({1: (CT, [])}), id="context without transfer syntax"),
        pytest.param(association_request({}), id="no context"),
        pytest.param(association_request({1: ("", [""])}), id="empty syntaxes"),
        pytest.param(
            association_request({1: (CT, [EXPLICIT])}).replace(b"CT1", b"\xff\xfe\x00"),
            id="title that is no text",
        ),
    ],
)
def test_garbage_at_the_door_is_answered_and_harms_nobody(
    listener: Listening, garbage: bytes
) -> None:
    with RawPeer(listener.bound_port) as peer:
        peer.send(garbage)
        while peer.receive()[0] not in {0, 2, 3, _ABORT}:
            pass
    with RawPeer(listener.bound_port) as peer:
        assert peer.associate() == 2
        assert peer.release() == 6


def test_a_peer_that_falls_silent_is_aborted(peer: RawPeer, recorder: Recorder) -> None:
    assert peer.associate() == 2
    peer.send(p_data(pdv(1, 3, _REQUEST)) + p_data(pdv(1, 0, b"abc")))
    assert peer.receive()[0] == _ABORT
    assert recorder.changed.wait(30)
    assert recorder.seen[0].abandoned


def test_a_peer_that_never_asks_is_let_go(listener: Listening) -> None:
    with RawPeer(listener.bound_port) as peer:
        peer.send(b"\x01")
        assert peer.receive() == (0, b"")


def test_a_connection_lost_in_a_dataset_abandons_it(peer: RawPeer, recorder: Recorder) -> None:
    assert peer.associate() == 2
    peer.send(p_data(pdv(1, 3, _REQUEST)) + p_data(pdv(1, 0, b"abc")))
    peer.socket.close()
    assert recorder.changed.wait(30)
    assert recorder.seen[0].abandoned


_MIDDLE = "receiving the dataset of 0001H, 3 bytes so far"


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        pytest.param(
            p_data(pdv(1, 3, _REQUEST)) + p_data(pdv(1, 0, b"abc")),
            ("connection ended without a release", logging.WARNING, _MIDDLE),
            id="lost in a dataset",
        ),
        pytest.param(
            p_data(pdv(1, 1, _REQUEST[:10])),
            (
                "connection ended without a release",
                logging.WARNING,
                "receiving a command, 10 bytes so far",
            ),
            id="lost in a command",
        ),
        pytest.param(
            b"",
            ("connection ended without a release", logging.INFO, ""),
            id="lost between messages",
        ),
        pytest.param(
            struct.pack(">BxIxxxx", _ABORT, 4),
            ("association aborted by its peer", logging.WARNING, ""),
            id="aborted between messages",
        ),
    ],
)
def test_an_end_that_is_no_release_is_in_the_log(
    listener: Listening,
    caplog: pytest.LogCaptureFixture,
    last: bytes,
    expected: tuple[str, int, str],
) -> None:
    text, level, unfinished = expected
    caplog.set_level(logging.INFO, "pacs_gateway.associations")
    with RawPeer(listener.bound_port) as peer:
        assert peer.associate() == 2
        peer.send(p_data(pdv(1, 3, _REQUEST), pdv(1, 2, b"abc")))
        assert peer.status() == 0
        peer.send(last)
    found: list[logging.LogRecord] = []

    def told() -> bool:
        found[:] = [one for one in caplog.records if one.msg == text]
        return bool(found)

    until(told, text)
    record = found[0]
    assert record.levelno == level
    assert vars(record)["unfinished"] == unfinished
    assert vars(record)["answered"] == 1
    assert vars(record)["calling_ae_title"] == "CT1"
    assert vars(record)["quiet_seconds"] < 60


def test_a_connection_works_on_for_longer_than_the_timeout(peer: RawPeer) -> None:
    assert peer.associate() == 2
    end = time.monotonic() + 2.5
    while time.monotonic() < end:
        peer.send(p_data(pdv(1, 3, _REQUEST), pdv(1, 2, b"abc")))
        assert peer.status() == 0
        time.sleep(0.2)
    assert peer.release() == 6


def test_stopping_ends_idle_associations_and_frees_the_port(
    listener: Listening, stopping: threading.Event
) -> None:
    with RawPeer(listener.bound_port) as peer:
        assert peer.associate() == 2
        port = listener.bound_port
        stopping.set()
        listener.stop(10)
        assert peer.receive()[0] == _ABORT
    with pytest.raises(OSError, match="refused"):
        RawPeer(port)


def test_stopping_cuts_what_does_not_end_by_itself(
    listener: Listening, stopping: threading.Event, recorder: Recorder
) -> None:
    peers = [RawPeer(listener.bound_port) for _ in range(3)]
    try:
        # One has only connected, one is half way through its request, one sends without end.
        peers[1].send(association_request({1: (CT, [EXPLICIT])})[:20])
        assert peers[2].associate() == 2
        peers[2].send(p_data(pdv(1, 3, _REQUEST)))
        ended = threading.Event()

        def send_on() -> None:
            try:
                while not ended.is_set():
                    peers[2].send(p_data(pdv(1, 0, bytes(10_000))))
            except OSError:
                ended.set()

        sender = threading.Thread(target=send_on)
        sender.start()
        stopping.set()
        begun = time.monotonic()
        listener.stop(0.5)
        assert time.monotonic() - begun < 60
        assert ended.wait(30)
        sender.join()
        assert recorder.seen[0].abandoned
    finally:
        for peer in peers:
            peer.socket.close()


def test_a_port_in_use_is_told(listener: Listening, tmp_path: Path, recorder: Recorder) -> None:
    config = GatewayConfig("RDC", "127.0.0.1", listener.bound_port, tmp_path)
    acceptor = Acceptor(Doorkeeper(), lambda *_: recorder, frozenset(), threading.Event())  # pyright: ignore[reportArgumentType]
    # SO_REUSEADDR lets nobody share a port that is listened on.
    with pytest.raises(PortUnavailable, match="Stop the program"):
        Listening(config, acceptor).start()


def test_dcmtk_echo(listener: Listening) -> None:
    done = dcmtk(
        "echoscu",
        "--repeat",
        "5",
        "-aec",
        "RDC",
        "-aet",
        "CT1",
        "127.0.0.1",
        str(listener.bound_port),
    )
    assert done.returncode == 0, done.stderr
