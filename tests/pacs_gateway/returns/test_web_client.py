"""Web addresses: where we call, what an answer means, and that nothing a peer does holds us up."""

import socket
import ssl
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from pacs_gateway.returns.channels import Outcome
from pacs_gateway.returns.outbound import AddressRefused, OutboundRules, resolve
from pacs_gateway.returns.web_client import ANSWER_BYTES, NotReached, WebAnswer, WebClient
from storage.clock import utc_now
from storage.registry.destination_settings import ClientTls
from tests.pacs_gateway.certificates import Authority
from tests.pacs_gateway.returns.web_peer import Reply, web_peer

HERE = OutboundRules.of(["127.0.0.0/8"])


def client(
    url: str, *, tls: ClientTls | None = None, rules: OutboundRules = HERE, seconds: float = 5.0
) -> WebClient:
    return WebClient(url, tls, rules, connect_seconds=2.0, answer_seconds=seconds)


@pytest.mark.parametrize(
    ("host", "called"),
    [
        ("10.20.30.40", True),
        ("192.168.1.5", True),
        ("172.16.0.9", True),
        ("203.119.1.1", True),
        ("fd12:3456::1", True),
        ("2400:3200::1", True),
        ("127.0.0.1", False),
        ("localhost", False),
        ("2130706433", False),
        ("0x7f.1", False),
        ("0.0.0.0", False),
        ("169.254.169.254", False),
        ("100.100.100.200", False),
        ("168.63.129.16", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fd00:ec2::254", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_we_call_sites_and_not_ourselves_or_the_cloud_below_us(host: str, *, called: bool) -> None:
    if called:
        assert resolve(host, 443, OutboundRules()) == host
        with pytest.raises(AddressRefused, match="RDC_OUTBOUND_DENY"):
            resolve(host, 443, OutboundRules.of(denied=["0.0.0.0/0", "::/0"]))
    else:
        with pytest.raises(AddressRefused, match="RDC_OUTBOUND_ALLOW"):
            resolve(host, 443, OutboundRules())
        assert resolve(host, 443, OutboundRules.of(["0.0.0.0/0", "::/0"]))


def test_a_name_is_resolved_once_and_every_address_of_it_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = [[("10.0.0.1", 80), ("127.0.0.1", 80)]]
    asked: list[str] = []
    real = socket.getaddrinfo

    def answer(host: str, *rest: object, **options: int) -> list[object]:
        if not host.endswith(".example"):
            return list(real(host, *rest, **options))  # pyright: ignore[reportArgumentType]
        asked.append(host)
        return [(2, 1, 6, "", one) for one in answers.pop()]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    with pytest.raises(AddressRefused, match="loopback"):
        resolve("two-faced.example", 80, OutboundRules())
    answers.append([("127.0.0.1", 80)])
    with web_peer(lambda _: Reply()) as peer:
        # A second look-up would find nothing left to answer.
        assert client(f"http://rebinding.example:{peer.port}/").post(b"{}", {}).status == 200
        assert peer.posted[0].headers["host"] == f"rebinding.example:{peer.port}"
    assert asked == ["two-faced.example", "rebinding.example"]


def test_an_address_that_is_not_called_is_for_a_person() -> None:
    with web_peer(lambda _: Reply()) as peer:
        refusing = client(f"http://127.0.0.1:{peer.port}/", rules=OutboundRules())
        with pytest.raises(NotReached) as caught:
            refusing.post(b"{}", {})
        assert caught.value.answer().outcome is Outcome.REFUSED
        assert peer.connections == 0


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Outcome.DELIVERED),
        (204, Outcome.DELIVERED),
        (301, Outcome.REFUSED),
        (307, Outcome.REFUSED),
        (400, Outcome.REFUSED),
        (401, Outcome.REFUSED),
        (404, Outcome.REFUSED),
        (410, Outcome.REFUSED),
        (408, Outcome.TRY_AGAIN),
        (425, Outcome.TRY_AGAIN),
        (429, Outcome.TRY_AGAIN),
        (500, Outcome.TRY_AGAIN),
        (503, Outcome.TRY_AGAIN),
    ],
)
def test_every_status_has_its_meaning(status: int, outcome: Outcome) -> None:
    assert WebAnswer(status, {}, b"").answer().outcome is outcome


def test_a_receiver_may_say_how_long_to_wait() -> None:
    later = format_datetime(utc_now() + timedelta(seconds=90), usegmt=True)
    waits = {
        "120": 120.0,
        later: 90.0,
        "soon": None,
        "": None,
        "-5": None,
        "9" * 12: 86_400.0,
        format_datetime(utc_now() - timedelta(hours=1), usegmt=True): 0.0,
    }
    for value, expected in waits.items():
        answer = WebAnswer(429, {"retry-after": value}, b"").answer()
        if expected is None:
            assert answer.wait_seconds is None
        else:
            assert answer.wait_seconds == pytest.approx(expected, abs=2)


@pytest.mark.parametrize(
    ("headers", "surely_off"),
    [
        ({"date": "Sun, 22 Nov 2026 08:00:00 GMT"}, timedelta(0)),
        # Its second had not ended when the answer was there, and began before we asked.
        ({"date": "Sun, 22 Nov 2026 08:00:02 GMT"}, timedelta(0)),
        ({"date": "Sun, 22 Nov 2026 08:10:00 GMT"}, timedelta(minutes=9, seconds=58)),
        ({"date": "Sun, 22 Nov 2026 07:49:59 GMT"}, -timedelta(minutes=10)),
        ({"date": "Sun, 22 Nov 2026 16:00:00 +0800"}, timedelta(0)),
        ({"date": "Sun, 22 Nov 2026 07:00:00 GMT", "age": "3600"}, None),
        ({"date": "yesterday"}, None),
        ({}, None),
    ],
)
def test_an_answer_tells_the_clock_of_who_wrote_it(
    headers: dict[str, str], surely_off: timedelta | None
) -> None:
    asked = datetime(2026, 11, 22, 8, 0, 0, tzinfo=UTC)
    answer = WebAnswer(200, headers, b"", asked, asked + timedelta(seconds=2))
    seen = answer.clock
    assert (None if seen is None else seen.surely_off) == surely_off
    assert WebAnswer(200, headers, b"").clock is None


def test_the_round_trip_of_an_answer_is_measured() -> None:
    with web_peer(lambda _: Reply()) as peer:
        asking = client(f"http://127.0.0.1:{peer.port}/")
        seen = asking.get("", {}).clock
        asking.close()
    assert seen is not None
    assert seen.surely_off == timedelta(0)
    assert seen.most - seen.least < timedelta(seconds=3)


def test_a_redirect_is_not_followed() -> None:
    with web_peer(lambda _: Reply(302, {"Location": "http://127.0.0.1:1/"})) as peer:
        assert client(f"http://127.0.0.1:{peer.port}/").post(b"{}", {}).status == 302
        assert len(peer.posted) == 1


def test_one_connection_serves_several_requests() -> None:
    with web_peer(lambda _: Reply(body=b"ok")) as peer:
        calling = client(f"http://127.0.0.1:{peer.port}/in?x=1")
        assert [calling.post(b"{}", {}).body for _ in range(3)] == [b"ok"] * 3
        assert (peer.connections, peer.posted[0].path) == (1, "/in?x=1")
        calling.close()


def endless(write: Callable[[bytes], None]) -> None:
    write(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(1000):
        write(b"x" * 65_536)


def test_no_more_of_an_answer_is_read_than_it_is_worth() -> None:
    with web_peer(lambda _: Reply(raw=endless)) as peer:
        answer = client(f"http://127.0.0.1:{peer.port}/").post(b"{}", {})
        assert len(answer.body) == ANSWER_BYTES


@pytest.mark.parametrize("first", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_who_answers_a_byte_at_a_time_is_left_in_time(first: bytes) -> None:
    over = threading.Event()

    def drip(write: Callable[[bytes], None]) -> None:
        write(first)
        while not over.wait(0.05):
            write(b"x")

    with web_peer(lambda _: Reply(raw=drip)) as peer:
        started = time.monotonic()
        with pytest.raises(NotReached) as caught:
            client(f"http://127.0.0.1:{peer.port}/", seconds=30.0).post(
                b"{}", {}, until=started + 0.4
            )
        assert time.monotonic() - started < 2.0
        over.set()
    assert caught.value.sent
    assert caught.value.answer().outcome is Outcome.TRY_AGAIN


def test_noise_and_silence_are_tried_again() -> None:
    for raw in (lambda write: write(b"SSH-2.0-x\r\n"), lambda _: None):
        with web_peer(lambda _, raw=raw: Reply(raw=raw)) as peer:
            with pytest.raises(NotReached) as caught:
                client(f"http://127.0.0.1:{peer.port}/?token=secret").post(b"{}", {})
            assert caught.value.answer().outcome is Outcome.TRY_AGAIN
            assert "secret" not in str(caught.value)
    with pytest.raises(NotReached) as caught:
        client(f"http://127.0.0.1:{peer.port}/").post(b"{}", {})
    assert not caught.value.sent


def test_https_verifies_who_answers(tmp_path: Path) -> None:
    authority, stranger = Authority(tmp_path, "centre"), Authority(tmp_path, "stranger")
    server, mine = authority.issue("his"), authority.issue("rdc")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server.certificate, server.key)
    context.load_verify_locations(authority.path)
    context.verify_mode = ssl.CERT_REQUIRED
    right = ClientTls(
        authorities=authority.path, certificate=mine.certificate, key=mine.key, server_name="his"
    )
    with web_peer(lambda _: Reply(), secured=context) as peer:
        url = f"https://127.0.0.1:{peer.port}/"
        assert client(url, tls=right).post(b"{}", {}).status == 200
        for wrong in (
            right.model_copy(update={"authorities": stranger.path}),
            right.model_copy(update={"server_name": "pacs"}),
            right.model_copy(update={"server_name": None}),
        ):
            with pytest.raises(NotReached):
                client(url, tls=wrong).post(b"{}", {})
        assert len(peer.posted) == 1
