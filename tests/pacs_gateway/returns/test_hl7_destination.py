"""Receivers of every temper, over real sockets: what counts as delivered, and what does not."""

import logging
import socket
import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest
from hl7apy.mllp import AbstractHandler, MLLPServer
from hypothesis import given, settings
from hypothesis import strategies as st

from pacs_gateway.config import ReturnsConfig
from pacs_gateway.hl7.answers import ANY, VERDICTS, Verdict, read_acknowledgement
from pacs_gateway.hl7.framing import framed
from pacs_gateway.hl7.message import Message
from pacs_gateway.returns.channels import DeliveryAnswer, Outcome, Target
from pacs_gateway.returns.hl7_destination import Hl7Channel, open_channel
from storage.registry.destination_settings import ClientTls, DestinationKind, Hl7Settings
from tests.pacs_gateway.certificates import Authority
from tests.pacs_gateway.returns.mllp_peer import Script, ack, peer
from tests.pacs_gateway.returns.parcels import GivenParcel
from tests.support.issued import amended, issued_report

CONFIG = ReturnsConfig(calling_ae_title="RDC", connect_timeout_seconds=2)
DELIVERED, REFUSED, AGAIN = Outcome.DELIVERED, Outcome.REFUSED, Outcome.TRY_AGAIN


@contextmanager
def channel(port: int, **changes: object) -> Generator[Hl7Channel]:
    told = Hl7Settings.model_validate(
        {"host": "127.0.0.1", "port": port, "answer_seconds": 10.0, **changes}
    )
    target = Target(UUID(int=1), UUID(int=2), DestinationKind.HL7, "HIS", told)
    opened = open_channel(target, CONFIG)
    assert isinstance(opened, Hl7Channel)
    try:
        yield opened
    finally:
        opened.close()


def deliver(script: Script, **changes: object) -> DeliveryAnswer:
    with peer(script) as receiver, channel(receiver.port, **changes) as opened:
        return opened.send(GivenParcel())


SHORT = 1.0
UNTIL_TIME_IS_UP = ("none to this message", "nothing was answered")
NOISE = framed(b"MSH|nonsense") + framed("GET / 你好".encode()) + b"\r\nlogin: "


@pytest.mark.parametrize(
    ("script", "outcome", "word"),
    [
        (lambda m: [ack("AA", m)], DELIVERED, "AA"),
        (lambda m: [ack("AA", m), ack("AA", m)], DELIVERED, "AA"),
        (lambda m: [ack("AA", "EARLIER"), NOISE, ack("AA", m)], DELIVERED, "AA"),
        (lambda m: [ack("AA", m)[:20], ack("AA", m)[20:]], DELIVERED, "AA"),
        (lambda m: [ack("AA", m)[:-1]], DELIVERED, "AA"),
        (lambda m: [ack("AE", m, error="101")], REFUSED, "AE, error 101 at PID-3"),
        (lambda m: [ack("AE", m, text="no bed")], AGAIN, "AE"),
        (lambda m: [ack("AE", m, error="204")], AGAIN, "AE, error 204"),
        (lambda m: [ack("AR", m)], AGAIN, "AR"),
        (lambda m: [ack("AR", m, error="200")], REFUSED, "AR, error 200"),
        (lambda m: [ack("CE", m, error="103")], REFUSED, "CE"),
        (lambda m: [ack("CR", m)], AGAIN, "CR"),
        (lambda m: [ack("CA", m), ack("AA", m)], DELIVERED, "AA"),
        (lambda m: [ack("CA", m), ack("AE", m, error="102")], REFUSED, "AE"),
        (lambda m: [ack("CA", m), None], AGAIN, "commit"),
        (lambda m: [ack("XX", m), None], AGAIN, "closed the connection"),
        (lambda _: [ack("AA", "EARLIER")], AGAIN, "none to this message"),
        (lambda _: [ack("AA", ""), None], AGAIN, "closed the connection"),
        (lambda _: [NOISE, None], AGAIN, "closed the connection"),
        (lambda _: [b"HTTP/1.1 400 Bad Request\r\n\r\n", None], AGAIN, "closed the connection"),
        (lambda _: [b"x" * 70_000], AGAIN, "no MLLP frame"),
        (lambda _: [], AGAIN, "nothing was answered"),
        (lambda _: [None], AGAIN, "closed the connection"),
        (lambda m: [ack("AA", m)[:20], None], AGAIN, "closed the connection"),
    ],
)
def test_only_the_receivers_own_word_makes_it_delivered(
    script: Script, outcome: Outcome, word: str
) -> None:
    answer = deliver(script, answer_seconds=SHORT if word in UNTIL_TIME_IS_UP else 10.0)
    assert (answer.outcome, word in answer.said) == (outcome, True), answer.said


def test_a_commitment_is_enough_where_that_was_agreed() -> None:
    answer = deliver(lambda m: [ack("CA", m)], acknowledgement="commit")
    assert answer.outcome is DELIVERED


def test_every_code_has_its_verdict() -> None:
    codes = {code for code, _ in VERDICTS}
    assert codes == {"AA", "AE", "AR", "CA", "CE", "CR"}
    for code, error in VERDICTS:
        text = f"MSH|^~\\&|A|B|C|D|2026||ACK|1|P|2.5.1\rMSA|{code}|X\rERR|||{error or '999'}|E\r"
        found = read_acknowledgement(text.encode(), "X")
        assert found is not None
        assert found.verdict is VERDICTS[code, error]
    table = {error: verdict for (code, error), verdict in VERDICTS.items() if code == "AE"}
    never = {"0", "100", "101", "102", "103", "200", "201", "202", "203", "205"}
    assert {error for error, verdict in table.items() if verdict is Verdict.NEVER} == never
    assert table[ANY] is Verdict.AGAIN


@pytest.mark.parametrize(
    ("segments", "error", "place"),
    [
        ("ERR|PID^1^5^102", "102", "PID-5"),
        ("ERR||OBX^2^5|102^Data type error^HL70357|E", "102", "OBX-5"),
        ("ERR|||somebody wrote a long sentence here|E", "", ""),
    ],
)
def test_errors_are_read_in_the_shape_of_each_version(
    segments: str, error: str, place: str
) -> None:
    text = f"MSH|^~\\&|A|B|C|D|2026||ACK|1|P|2.3\rMSA|AE|X|bad\r{segments}\r"
    found = read_acknowledgement(text.encode(), "X")
    assert found is not None
    assert (found.error, found.place, "bad" in found.text) == (error, place, True)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=40), st.integers(0, 120), st.integers(0, 40))
def test_no_answer_is_more_than_passed_over(noise: bytes, at: int, cut: int) -> None:
    whole = ack("AE", "X", error="101", text="words")[1:-2]
    assert read_acknowledgement(whole, "X") is not None
    found = read_acknowledgement(whole[:at] + noise + whole[at + cut :], "X")
    assert found is None or found.verdict in Verdict
    assert read_acknowledgement(noise, "X") is None


def test_trouble_of_the_receiver_stops_its_queue_and_of_one_message_does_not() -> None:
    assert deliver(lambda m: [ack("AR", m)]).whole_destination
    assert deliver(lambda m: [ack("AE", m, error="207")]).whole_destination
    assert deliver(lambda _: [None]).whole_destination
    assert not deliver(lambda m: [ack("AE", m, error="204")]).whole_destination
    assert not deliver(lambda m: [ack("AE", m)]).whole_destination


def test_one_connection_serves_a_queue_and_is_opened_anew_when_it_was_closed() -> None:
    with peer(lambda m: [ack("AA", m), ack("AA", m)]) as receiver, channel(receiver.port) as opened:
        for version in range(3):
            parcel = GivenParcel(issued_report(report_version_id=UUID(int=version)))
            assert opened.send(parcel).is_delivered
        assert receiver.connections == 1
    closing: Script = lambda m: [ack("AA", m), None]  # noqa: E731
    with peer(closing) as receiver, channel(receiver.port) as opened:
        assert opened.send(GivenParcel()).is_delivered
        assert opened.send(GivenParcel()).is_delivered
        assert receiver.connections == 2
        first, second = receiver.messages
        assert first.header.text(10) == second.header.text(10)


def test_an_answer_that_comes_too_late_is_not_taken_for_the_next() -> None:
    held: list[Message] = []

    def late(message: Message) -> list[bytes | None]:
        held.append(message)
        return [] if len(held) == 1 else [ack("AA", held[0]), ack("AE", message, error="102")]

    with peer(late) as receiver, channel(receiver.port, answer_seconds=SHORT) as opened:
        assert opened.send(GivenParcel()).outcome is AGAIN
        other = GivenParcel(amended(issued_report()))
        assert opened.send(other).outcome is REFUSED


def test_what_a_person_sends_anew_is_not_passed_over_as_known() -> None:
    known: list[str] = []
    with peer(lambda m: [ack("AA", m)]) as receiver, channel(receiver.port) as opened:
        for parcel in (GivenParcel(), GivenParcel(attempt_number=2), GivenParcel(transmission=1)):
            assert opened.send(parcel).is_delivered
        known += [one.header.text(10) or "" for one in receiver.messages]
    assert known[0] == known[1] != known[2]


def test_a_large_document_goes_out_whole() -> None:
    with peer(lambda m: [ack("AA", m)]) as receiver, channel(receiver.port) as opened:
        assert opened.send(GivenParcel(document=bytes(3_000_000))).is_delivered
        (message,) = receiver.messages
    (document,) = [one for one in message.segments if one.text(2) == "ED"]
    assert len(document.text(5, 5) or "") == 4_000_000


def test_a_withdrawal_that_is_not_taken_holds_back_what_follows_it() -> None:
    first = issued_report()
    moved = GivenParcel(
        amended(first, order=issued_report().order.__class__(accession_number="B2")), (first,)
    )
    with (
        peer(lambda m: [ack("AE", m, error="204")]) as receiver,
        channel(receiver.port) as opened,
    ):
        assert opened.send(moved).outcome is AGAIN
        assert len(receiver.messages) == 1
    with peer(lambda m: [ack("AA", m)]) as receiver, channel(receiver.port) as opened:
        assert opened.send(moved).is_delivered
        assert len(receiver.messages) == 2


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with channel(port) as opened:
        answer = opened.send(GivenParcel())
    assert answer.outcome is AGAIN
    assert answer.whole_destination
    assert "no connection" in answer.said


def test_what_was_said_is_kept_and_nothing_of_it_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = deliver(lambda m: [ack("AE", m, error="101", text="张三 unknown")])
    assert "张三 unknown" in answer.response
    assert "张三" not in answer.said
    assert "右肺上叶" in answer.request
    assert "(document)" in answer.request
    assert "JVBERi" not in answer.request
    assert not any(
        name in record.getMessage() for name in ("张三", "䶮") for record in caplog.records
    )


def secured(authority: Authority, name: str) -> ssl.SSLContext:
    issued = authority.issue(name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate, issued.key)
    context.load_verify_locations(authority.path)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def test_over_tls_both_sides_are_verified(tmp_path: Path) -> None:
    authority, stranger = Authority(tmp_path, "centre"), Authority(tmp_path, "stranger")
    mine = authority.issue("rdc")
    with peer(lambda m: [ack("AA", m)], secured=secured(authority, "his")) as receiver:
        right = ClientTls(
            authorities=authority.path,
            certificate=mine.certificate,
            key=mine.key,
            server_name="his",
        )
        outcomes = {
            "right": right,
            "no certificate of ours": right.model_copy(update={"certificate": None, "key": None}),
            "unknown authority": right.model_copy(update={"authorities": stranger.path}),
            "another name": right.model_copy(update={"server_name": "pacs"}),
            "no such file": right.model_copy(update={"authorities": tmp_path / "absent"}),
            "no tls": None,
        }
        for what, tls in outcomes.items():
            with channel(receiver.port, tls=tls) as opened:
                answer = opened.send(GivenParcel())
            assert answer.is_delivered == (what == "right"), (what, answer.said)
            assert answer.outcome is not REFUSED
    assert len(receiver.messages) == 1


class Handler(AbstractHandler):
    """Answers as hl7apy's own server lets it."""

    def reply(self) -> str:
        message = Message.parse(self.incoming_message.encode())
        return ack("AA", message).decode()


def test_another_librarys_server_takes_the_message() -> None:
    server = MLLPServer("127.0.0.1", 0, {"ORU^R01^ORU_R01": (Handler,)})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        with channel(server.server_address[1], answer_seconds=5.0) as opened:
            assert opened.send(GivenParcel()).is_delivered
            assert opened.send(GivenParcel()).is_delivered
            opened.close()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
