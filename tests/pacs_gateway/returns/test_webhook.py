"""A webhook is signed so that another library verifies it, and tells no more than it should."""

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from pacs_gateway.config import ReturnsConfig
from pacs_gateway.returns.channels import DeliveryAnswer, Outcome, Target
from pacs_gateway.returns.webhook_destination import body, open_channel
from storage.issued_reports import IssuedReport
from storage.registry.destination_settings import DestinationKind, WebhookSettings
from tests.pacs_gateway.returns.parcels import GivenParcel
from tests.pacs_gateway.returns.web_peer import Posted, Reply, web_peer
from tests.support.issued import amended, issued_report, revoked

CONFIG = ReturnsConfig(
    calling_ae_title="RDC", outbound_allowed=("127.0.0.0/8",), connect_timeout_seconds=2
)
NEW = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLD = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
Sender = Callable[[IssuedReport], DeliveryAnswer]


@contextmanager
def hook(
    folder: Path, script: Callable[[Posted], Reply], secret: str = NEW, **settings: object
) -> Generator[tuple[Sender, list[Posted]]]:
    file = folder / "secret"
    file.write_text(secret, "utf-8")
    file.chmod(0o600)
    with web_peer(script) as peer:
        told = WebhookSettings.model_validate(
            {"url": f"http://127.0.0.1:{peer.port}/in", "secret_file": file, **settings}
        )
        target = Target(UUID(int=1), UUID(int=2), DestinationKind.WEBHOOK, "", told)
        channel = open_channel(target, CONFIG)
        try:
            yield lambda report: channel.send(GivenParcel(report)), peer.posted
        finally:
            channel.close()


def test_another_library_verifies_the_signature_and_finds_what_was_changed(tmp_path: Path) -> None:
    with hook(tmp_path, lambda _: Reply()) as (send, posted):
        assert send(issued_report()).is_delivered
        (one,) = posted
    told = Webhook(NEW).verify(one.body, one.headers)
    assert told == json.loads(one.body)
    tampered = one.body.replace(b'"version":1', b'"version":2')
    changes = [
        (NEW, tampered, one.headers),
        (OLD, one.body, one.headers),
        (NEW, one.body, {**one.headers, "webhook-id": "msg_other"}),
        (NEW, one.body, {**one.headers, "webhook-timestamp": "1700000000"}),
    ]
    for secret, content, headers in changes:
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(content, headers)


def test_while_a_secret_is_changed_both_verify(tmp_path: Path) -> None:
    with hook(tmp_path, lambda _: Reply(), f"{NEW}\n{OLD}\n") as (send, posted):
        assert send(issued_report()).is_delivered
    for secret in (NEW, OLD):
        Webhook(secret).verify(posted[0].body, posted[0].headers)


def test_a_repeat_has_the_same_id_and_body_and_another_version_has_not(tmp_path: Path) -> None:
    replies = [Reply(503), Reply(), Reply()]
    with hook(tmp_path, lambda _: replies.pop(0)) as (send, posted):
        assert send(issued_report()).outcome is Outcome.TRY_AGAIN
        assert send(issued_report()).is_delivered
        assert send(amended(issued_report())).is_delivered
    first, again, other = posted
    assert (first.headers["webhook-id"], first.body) == (again.headers["webhook-id"], again.body)
    assert other.headers["webhook-id"] != first.headers["webhook-id"]


def test_nothing_of_the_patient_is_told_unless_that_was_asked_for() -> None:
    report = issued_report()
    of_patient = ("㛃", "Jieyan", "DH00012345", "1969", "MZ2026", "磨玻璃", "王小明", "咳嗽")
    short, whole = (body("x", report, with_report=one).decode() for one in (False, True))
    assert not [word for word in of_patient if word in short]
    assert all(word in whole for word in of_patient)
    assert "reports/5f" not in whole
    told = json.loads(short)
    assert told["type"] == "report.issued"
    assert told["data"]["accession_number"] == "DH260314CT0007"
    void = json.loads(body("x", revoked(report), with_report=False))
    assert (void["type"], void["data"]["replaces"]) == (
        "report.revoked",
        str(report.report_version_id),
    )


def test_a_report_that_is_too_long_is_for_a_person(tmp_path: Path) -> None:
    report = issued_report()
    long = replace(report, sections=(replace(report.sections[0], text="长" * 400_000),))
    with hook(tmp_path, lambda _: Reply(), with_report=True) as (send, posted):
        assert send(long).outcome is Outcome.REFUSED
        assert posted == []


@pytest.mark.parametrize(("content", "mode"), [("", 0o600), ("key", 0o644), ("whsec_*", 0o600)])
def test_without_a_proper_secret_nothing_is_sent(tmp_path: Path, content: str, mode: int) -> None:
    with hook(tmp_path, lambda _: Reply()) as (send, posted):
        (tmp_path / "secret").write_text(content)
        (tmp_path / "secret").chmod(mode)
        answer = send(issued_report())
        assert answer.outcome is Outcome.TRY_AGAIN
        assert posted == []
        assert "key" not in answer.said.split()
