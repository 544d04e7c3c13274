"""Reports pushed to a FHIR server: once however often, delivered only when every entry says so."""

import base64
import json
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from pacs_gateway.config import ReturnsConfig
from pacs_gateway.returns.channels import Channel, Outcome, Target
from pacs_gateway.returns.fhir_destination import open_channel
from storage.registry.destination_settings import (
    DestinationKind,
    FhirSettings,
    parse_settings,
)
from storage.registry.refusal import RegistryRefused
from tests.pacs_gateway.returns.fhir_peer import FhirPeer
from tests.pacs_gateway.returns.parcels import GivenParcel
from tests.pacs_gateway.returns.web_peer import Posted, Reply, WebPeer, web_peer
from tests.support.issued import amended, issued_ecg, issued_report, revoked

CONFIG = ReturnsConfig(
    calling_ae_title="RDC", outbound_allowed=("127.0.0.0/8",), connect_timeout_seconds=2
)
PATIENTS = "https://his.east.example/patient-id"


@contextmanager
def server(
    script: Callable[[Posted], Reply], config: ReturnsConfig = CONFIG, **settings: object
) -> Generator[tuple[Channel, WebPeer]]:
    with web_peer(script) as peer:
        told = FhirSettings.model_validate(
            {"url": f"http://127.0.0.1:{peer.port}/fhir", "answer_seconds": 20, **settings}
        )
        channel = open_channel(
            Target(UUID(int=1), UUID(int=2), DestinationKind.FHIR, "", told), config
        )
        try:
            yield channel, peer
        finally:
            channel.close()


@pytest.fixture
def site() -> FhirPeer:
    return FhirPeer()


def test_a_report_arrives_with_all_that_belongs_to_it_once(site: FhirPeer) -> None:
    with server(site) as (channel, peer):
        answers = [channel.send(GivenParcel()) for _ in range(3)]
    assert all(one.is_delivered for one in answers), answers
    (report,) = site.of("DiagnosticReport")
    assert report["status"] == "final"
    assert base64.b64decode(report["presentedForm"][0]["data"]) == GivenParcel().document
    assert site.resources[report["subject"]["reference"]]["name"][0]["text"] == "𠮷㛃䶮"
    assert [len(site.of(kind)) for kind in ("Patient", "ServiceRequest", "ImagingStudy")] == [
        1,
        1,
        1,
    ]
    assert len(site.of("Practitioner")) == 2
    assert len(site.of("Observation")) == 3
    # One connection serves a queue, and what is the receiver's own was written once.
    assert peer.connections == 1
    assert site.versions["Patient/3"] == 1
    headers = peer.posted[0].headers
    assert headers["content-type"].startswith("application/fhir+json")
    assert headers["prefer"] == "return=minimal"
    # The record of the attempt holds no document.
    assert base64.b64encode(GivenParcel().document).decode() not in answers[0].request
    assert "张三" not in answers[0].said


def test_the_receivers_own_patient_is_found_and_left_alone(site: FhirPeer) -> None:
    own = {
        "resourceType": "Patient",
        "identifier": [{"system": PATIENTS, "value": "DH00012345"}],
        "name": [{"text": "As the HIS has it"}],
    }
    site.resources["Patient/his-7"] = own
    with server(site, patient_system=PATIENTS) as (channel, _):
        assert channel.send(GivenParcel()).is_delivered
    assert site.of("Patient") == [own]
    assert site.of("DiagnosticReport")[0]["subject"]["reference"] == "Patient/his-7"


def test_an_amended_report_takes_the_place_of_the_old_one(site: FhirPeer) -> None:
    first = issued_report()
    second = amended(first)
    void = revoked(second)
    with server(site) as (channel, _):
        assert channel.send(GivenParcel(first)).is_delivered
        assert channel.send(GivenParcel(second, earlier=[first])).is_delivered
        (report,) = site.of("DiagnosticReport")
        assert (report["status"], report["conclusion"]) == ("amended", "左肺上叶结节。")
        # What it does not advise any more must not stay at the receiver as if it held.
        advice = [o for o in site.of("Observation") if o["code"]["coding"][0]["code"] == "18783-1"]
        assert [one["status"] for one in advice] == ["entered-in-error"]
        assert channel.send(GivenParcel(void, earlier=[first, second])).is_delivered
    (report,) = site.of("DiagnosticReport")
    assert report["status"] == "entered-in-error"
    assert "conclusion" not in report
    assert {one["status"] for one in site.of("Observation")} == {"entered-in-error"}
    assert len(site.of("Observation")) == 3


def test_a_report_that_was_of_the_wrong_patient(site: FhirPeer) -> None:
    first = issued_report()
    other = replace(first.patient, local_id="DH99", name="李四", pinyin="Li Si")
    second = amended(first, patient=other)
    with server(site) as (channel, _):
        assert channel.send(GivenParcel(first)).is_delivered
        assert channel.send(GivenParcel(second, earlier=[first])).is_delivered
    names = {
        name: one["name"][0]["text"]
        for name, one in site.resources.items()
        if name.startswith("Patient/")
    }
    (report,) = site.of("DiagnosticReport")
    (study,) = site.of("ImagingStudy")
    assert names[report["subject"]["reference"]] == names[study["subject"]["reference"]] == "李四"
    standing = [o for o in site.of("Observation") if o["status"] != "entered-in-error"]
    assert {names[one["subject"]["reference"]] for one in standing} == {"李四"}


def test_an_ecg_and_a_server_that_echoes_everything(site: FhirPeer) -> None:
    site.echoes = True
    with server(site) as (channel, _):
        answer = channel.send(GivenParcel(issued_ecg(), document=b"%PDF" + bytes(300_000)))
    assert answer.is_delivered
    assert len(answer.response) <= 8000
    assert len(site.of("Observation")) == 9


def entries(count: int, status: str = "200 OK") -> bytes:
    told = {
        "resourceType": "Bundle",
        "type": "transaction-response",
        "entry": [{"response": {"status": status}}] * count,
    }
    return json.dumps(told).encode()


OUTCOME = json.dumps(
    {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "processing", "diagnostics": "患者𠮷㛃䶮"}],
    }
).encode()
# The report of these tests is eleven resources.
ANSWERS = (
    (Reply(200, body=entries(11)), Outcome.DELIVERED, False),
    (Reply(200, body=entries(11, "201")), Outcome.DELIVERED, False),
    (Reply(200, body=entries(10)), Outcome.TRY_AGAIN, True),
    (Reply(200, body=entries(11, "400 Bad Request")), Outcome.REFUSED, False),
    (Reply(200, body=entries(11, "503 Busy")), Outcome.TRY_AGAIN, False),
    (Reply(200, body=entries(11, "fine")), Outcome.REFUSED, False),
    (Reply(200, body=b"<html>Please sign in</html>"), Outcome.TRY_AGAIN, True),
    (Reply(200, body=b""), Outcome.TRY_AGAIN, True),
    (Reply(200, body=b"[" * 100_000), Outcome.TRY_AGAIN, True),
    (
        Reply(200, body=b'{"resourceType":"Bundle","type":"batch-response","entry":[]}'),
        Outcome.TRY_AGAIN,
        True,
    ),
    (Reply(200, body=OUTCOME), Outcome.TRY_AGAIN, True),
    (Reply(202), Outcome.TRY_AGAIN, True),
    (Reply(302, {"Location": "http://127.0.0.1:1/"}), Outcome.REFUSED, False),
    (Reply(400, body=OUTCOME), Outcome.REFUSED, False),
    (Reply(401), Outcome.TRY_AGAIN, True),
    (Reply(404), Outcome.TRY_AGAIN, True),
    (Reply(409, body=OUTCOME), Outcome.TRY_AGAIN, False),
    (Reply(412, body=OUTCOME), Outcome.REFUSED, False),
    (Reply(413), Outcome.REFUSED, False),
    (Reply(422, body=OUTCOME), Outcome.REFUSED, False),
    (Reply(429, {"Retry-After": "7"}), Outcome.TRY_AGAIN, True),
    (Reply(500, body=OUTCOME), Outcome.TRY_AGAIN, True),
    (Reply(503), Outcome.TRY_AGAIN, True),
)


def test_only_the_servers_own_word_makes_it_delivered() -> None:
    replies: Iterator[Reply] = iter([reply for reply, _, _ in ANSWERS])
    with server(lambda _: next(replies)) as (channel, _):
        for number, (reply, outcome, whole) in enumerate(ANSWERS):
            answer = channel.send(GivenParcel())
            assert (answer.outcome, answer.whole_destination) == (outcome, whole), (number, answer)
            assert "𠮷㛃䶮" not in answer.said
            assert answer.wait_seconds == (7 if reply.status == 429 else None)


def test_two_patients_of_one_number_are_a_persons_to_sort_out(site: FhirPeer) -> None:
    for name in ("a", "b"):
        site.resources[f"Patient/{name}"] = {
            "resourceType": "Patient",
            "identifier": [{"system": PATIENTS, "value": "DH00012345"}],
        }
    with server(site, patient_system=PATIENTS) as (channel, _):
        answer = channel.send(GivenParcel())
    assert answer.outcome is Outcome.REFUSED
    assert "412 (multiple-matches)" in answer.said
    assert site.of("DiagnosticReport") == []


def test_stored_but_never_answered_and_then_again(site: FhirPeer) -> None:
    """The connection dies after the server has stored it: the repeat changes nothing."""
    first = threading.Event()

    def script(posted: Posted) -> Reply:
        reply = site(posted)
        if first.is_set():
            return reply
        first.set()
        return Reply(raw=lambda _write: None)

    with server(script) as (channel, _):
        lost = channel.send(GivenParcel())
        assert (lost.outcome, lost.whole_destination) == (Outcome.TRY_AGAIN, True)
        assert channel.send(GivenParcel()).is_delivered
    assert len(site.of("DiagnosticReport")) == 1


def test_a_server_that_says_nothing_is_left_in_time() -> None:
    done = threading.Event()
    with server(
        lambda _: Reply(raw=lambda _write: (done.wait(10), None)[1]), answer_seconds=0.3
    ) as (channel, _):
        answer = channel.send(GivenParcel())
        done.set()
    assert (answer.outcome, answer.whole_destination) == (Outcome.TRY_AGAIN, True)


def test_nobody_leads_us_to_ourselves() -> None:
    config = replace(CONFIG, outbound_allowed=())
    with server(lambda _: Reply(200, body=entries(11)), config) as (channel, peer):
        answer = channel.send(GivenParcel())
    assert answer.outcome is Outcome.REFUSED
    assert peer.posted == []


def test_it_shows_what_it_was_given_to_be_let_in(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("t0ken\n", "utf-8")
    secret.chmod(0o600)
    reply = Reply(200, body=entries(11))
    with server(lambda _: reply, token_file=secret) as (channel, peer):
        assert channel.send(GivenParcel()).is_delivered
        secret.chmod(0o644)
        refused = channel.send(GivenParcel())
    assert peer.posted[0].headers["authorization"] == "Bearer t0ken"
    assert (refused.outcome, refused.whole_destination) == (Outcome.TRY_AGAIN, True)
    secret.chmod(0o600)
    with server(lambda _: reply, user="rdc", password_file=secret) as (channel, peer):
        assert channel.send(GivenParcel()).is_delivered
    given = base64.b64encode(b"rdc:t0ken").decode()
    assert peer.posted[0].headers["authorization"] == f"Basic {given}"
    with pytest.raises(RegistryRefused):
        parse_settings(
            DestinationKind.FHIR, {"url": "http://his/", "user": "rdc", "token_file": str(secret)}
        )
