"""A destination is tried without a report: what is found is what a report would meet."""

import json
import ssl
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from pacs_gateway.returns.channels import Target
from pacs_gateway.returns.trials import serve_trial, try_now, try_out
from storage import destination_trials
from storage.database import Database
from storage.destination_trials import DestinationTrial, Finding, Tried
from storage.objects import ObjectStore
from storage.registry import DestinationKind, parse_settings
from tests.pacs_gateway.certificates import Authority
from tests.pacs_gateway.receiver import Receiver
from tests.pacs_gateway.returns.mail_peer import Mailbox, mail_server
from tests.pacs_gateway.returns.mllp_peer import ack, peer
from tests.pacs_gateway.returns.web_peer import Posted, Reply, web_peer
from tests.pacs_gateway.returns.world import CONFIG, Mute, World
from tests.support.ports import dead_port

VERIFICATION = "1.2.840.10008.1.1"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="


def tried(kind: DestinationKind, **settings: Any) -> Tried:  # noqa: ANN401
    told = parse_settings(kind, settings)
    return try_out(Target(UUID(int=1), UUID(int=2), kind, "", told), CONFIG)


def secret_in(directory: Path, text: str = SECRET) -> Path:
    path = directory / "secret"
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_an_ae_echoes_and_says_what_it_takes() -> None:
    def ask(receiver: Receiver, **changes: object) -> Tried:
        at = {"ae_title": receiver.ae_title, "host": "127.0.0.1", "port": receiver.port}
        return tried(DestinationKind.DICOM, **{**at, **changes})

    with Receiver(also=VERIFICATION) as receiver:
        found = ask(receiver)
        assert found.finding is Finding.WORKS
        assert "C-ECHO status 0000H" in found.said
        assert "without what it does not accept: Basic Text SR" in found.said
        assert ask(receiver, structured=False).said == "C-ECHO status 0000H"
        other = ask(receiver, ae_title="ANOTHER")
        assert (other.finding, "Called AE" in other.said) == (Finding.NOT_KNOWN, True)
        assert not receiver.received
    with Receiver(abstract_syntax=VERIFICATION) as receiver:
        assert ask(receiver).finding is Finding.NOT_TAKEN
    assert ask(receiver).finding is Finding.UNREACHABLE


def test_mllp_is_reached_and_asked_only_where_that_is_agreed() -> None:
    def ask(port: int, **changes: object) -> Tried:
        at = {"host": "127.0.0.1", "port": port, "answer_seconds": 0.3}
        return tried(DestinationKind.HL7, **{**at, **changes})

    with peer(lambda message: [ack("AR", message, error="200")]) as receiver:
        assert ask(receiver.port).finding is Finding.REACHED
        assert not receiver.messages
        asked = ask(receiver.port, test_message=True)
        assert asked.finding is Finding.WORKS
        assert "AR, error 200" in asked.said
    (message,) = receiver.messages
    assert (message.header.text(9), message.header.text(9, 2)) == ("NMD", "N02")
    assert [one.name for one in message.segments] == ["MSH", "NCK"]
    with peer(lambda _: [b"noise"]) as receiver:
        assert ask(receiver.port, test_message=True).finding is Finding.NO_ANSWER
    assert ask(receiver.port).finding is Finding.UNREACHABLE


def test_a_secured_receiver_with_another_certificate_is_told_apart(tmp_path: Path) -> None:
    issued = Authority(tmp_path, "theirs").issue("his")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate, issued.key)
    with peer(lambda _: [], secured=context) as receiver:
        found = tried(
            DestinationKind.HL7, host="127.0.0.1", port=receiver.port, tls={"server_name": "his"}
        )
        assert found.finding is Finding.NOT_SECURED
        missing = {"authorities": str(tmp_path / "nothing.pem")}
        found = tried(DestinationKind.HL7, host="127.0.0.1", port=receiver.port, tls=missing)
        assert found.finding is Finding.NOT_SET_UP


class Fhir:
    """A server's statement and its answer to a transaction."""

    def __init__(self, transaction: int = 200, **statement: object) -> None:
        self.statement = {
            "resourceType": "CapabilityStatement",
            "fhirVersion": "4.0.1",
            "rest": [{"mode": "server", "interaction": [{"code": "transaction"}]}],
            **statement,
        }
        self.transaction = transaction

    def __call__(self, posted: Posted) -> Reply:
        if posted.method == "GET":
            return Reply(body=json.dumps(self.statement).encode())
        assert "entry" not in json.loads(posted.body)
        return Reply(self.transaction)


def test_a_fhir_server_says_what_it_can_and_whether_we_may(tmp_path: Path) -> None:
    def ask(server: Fhir) -> tuple[Finding, list[Posted]]:
        with web_peer(server) as receiver:
            url = f"http://127.0.0.1:{receiver.port}/fhir"
            token = secret_in(tmp_path, "t0ken")
            found = tried(DestinationKind.FHIR, url=url, token_file=token)
        return found.finding, receiver.posted

    finding, (asked, posted) = ask(Fhir())
    assert finding is Finding.WORKS
    assert (asked.path, posted.path) == ("/fhir/metadata", "/fhir")
    assert asked.headers["authorization"] == posted.headers["authorization"] == "Bearer t0ken"
    assert ask(Fhir(400))[0] is Finding.REACHED
    assert ask(Fhir(403))[0] is Finding.NOT_KNOWN
    assert ask(Fhir(fhirVersion="3.0.2"))[0] is Finding.NOT_TAKEN
    only_reads = [{"mode": "server", "interaction": [{"code": "search-system"}]}]
    assert ask(Fhir(rest=only_reads))[0] is Finding.NOT_TAKEN
    assert ask(Fhir(resourceType="Patient"))[0] is Finding.NOT_TAKEN


def test_a_webhook_gets_a_signed_ping(tmp_path: Path) -> None:
    secret = secret_in(tmp_path)
    for status, finding in (
        (204, Finding.WORKS),
        (401, Finding.NOT_KNOWN),
        (404, Finding.NOT_TAKEN),
    ):
        with web_peer(lambda _, status=status: Reply(status)) as receiver:
            url = f"http://127.0.0.1:{receiver.port}/"
            assert tried(DestinationKind.WEBHOOK, url=url, secret_file=secret).finding is finding
        (posted,) = receiver.posted
        assert json.loads(posted.body)["type"] == "ping"
        assert posted.headers["webhook-signature"].startswith("v1,")
    secret.chmod(0o644)
    assert tried(DestinationKind.WEBHOOK, url=url, secret_file=secret).finding is Finding.NOT_SET_UP
    secret.chmod(0o600)
    link_local = tried(DestinationKind.WEBHOOK, url="http://169.254.169.254/", secret_file=secret)
    assert link_local.finding is Finding.NOT_ALLOWED
    mute = Mute()
    try:
        at = {"url": f"http://127.0.0.1:{mute.port}/", "answer_seconds": 0.2}
        assert tried(DestinationKind.WEBHOOK, **at, secret_file=secret).finding is Finding.NO_ANSWER
    finally:
        mute.close()


@pytest.mark.parametrize(
    ("refuses", "finding"),
    [({}, Finding.WORKS), ({"nurse@east.example": "550 gone"}, Finding.NOT_TAKEN)],
)
def test_people_get_a_mail_that_says_that_it_is_a_test(
    refuses: dict[str, str], finding: Finding
) -> None:
    mailbox = Mailbox()
    mailbox.refuses = refuses
    with mail_server(mailbox) as port:
        settings = {
            "way": "email",
            "host": "127.0.0.1",
            "port": port,
            "security": "none",
            "sender": "rdc@centre.example",
            "recipients": ["doctor@east.example", "nurse@east.example"],
        }
        assert tried(DestinationKind.NOTICE, **settings).finding is finding
    assert len(mailbox.taken) == 1
    assert tried(DestinationKind.NOTICE, **settings).finding is Finding.UNREACHABLE


def test_a_short_message_counts_when_the_service_says_so() -> None:
    answers = [b'{"Code": "OK"}', b'{"Code": "LIMIT"}']
    with web_peer(lambda _: Reply(body=answers.pop(0))) as receiver:
        settings = {
            "way": "sms",
            "url": f"http://127.0.0.1:{receiver.port}/",
            "recipients": ["13800000000"],
            "success": {"Code": "OK"},
        }
        assert tried(DestinationKind.NOTICE, **settings).finding is Finding.WORKS
        assert tried(DestinationKind.NOTICE, **settings).finding is Finding.NOT_TAKEN
    assert "测试" in json.loads(receiver.posted[0].body)["text"]


def test_who_asks_by_a_row_gets_the_answer_in_it(database: Database, objects: ObjectStore) -> None:
    world = World(database, objects)

    def last(destination_id: UUID) -> DestinationTrial:
        with database.transaction() as session:
            return session.get_one(DestinationTrial, destination_id)

    def wanted() -> list[UUID]:
        with database.transaction() as session:
            return list(destination_trials.due(session))

    with peer(lambda _: []) as receiver:
        there = world.mllp(receiver.port)
        gone = world.mllp(dead_port())
        with database.transaction() as session:
            first = destination_trials.ask(session, there, None)
            assert destination_trials.ask(session, there, None) == first
        assert wanted() == [there]
        assert wanted() == []
        serve_trial(there, database, CONFIG)
        assert last(there).finding is Finding.REACHED
        # A result that comes when another trial was asked for is none of its own.
        with database.transaction() as session:
            assert destination_trials.ask(session, there, None) != first
            destination_trials.note(session, there, first, Tried(Finding.NO_ANSWER, "late"))
        assert last(there).ended_at is None
        told = try_now(database, CONFIG, site_id=world.site_id)
    findings = {one.id: one.tried.finding for one in told}
    assert findings == {there: Finding.REACHED, gone: Finding.UNREACHABLE}
    assert last(gone).finding is Finding.UNREACHABLE
    assert wanted() == []
