"""Notices reach people through real servers, and say nothing of the patient."""

import json
import socket
import ssl
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from pacs_gateway.config import ReturnsConfig
from pacs_gateway.returns.channels import DeliveryAnswer, Outcome, Target
from pacs_gateway.returns.notice_destination import open_channel
from pacs_gateway.returns.notice_texts import Language, notice_text
from storage.issued_reports import IssuedReport
from storage.registry.destination_settings import DestinationKind, NoticeSettings
from storage.report_status import IssuedKind
from tests.pacs_gateway.certificates import Authority
from tests.pacs_gateway.returns.mail_peer import Mailbox, mail_server
from tests.pacs_gateway.returns.parcels import GivenParcel
from tests.pacs_gateway.returns.web_peer import Reply, web_peer
from tests.support.issued import issued_report, revoked

CONFIG = ReturnsConfig(
    calling_ae_title="RDC",
    outbound_allowed=("127.0.0.0/8",),
    web_address="https://rdc.example",
    connect_timeout_seconds=2,
)
OF_PATIENT = ("㛃", "Jieyan", "DH00012345", "1969", "MZ2026", "磨玻璃", "王小明", "DH260314CT0007")
PASSWORD = "correct horse"


def deliver(settings: dict[str, Any], report: IssuedReport | None = None) -> DeliveryAnswer:
    told = NoticeSettings.model_validate({"answer_seconds": 5.0, **settings})
    target = Target(UUID(int=1), UUID(int=2), DestinationKind.NOTICE, "", told)
    channel = open_channel(target, CONFIG)
    try:
        return channel.send(GivenParcel(report or issued_report()))
    finally:
        channel.close()


@pytest.mark.parametrize("kind", IssuedKind)
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_notice_names_site_exam_and_link_and_no_patient(
    kind: IssuedKind, language: Language
) -> None:
    told = notice_text(issued_report(kind=kind), language, "https://rdc.example")
    said = f"{told.subject} {told.text}"
    assert not [word for word in OF_PATIENT if word in said]
    assert told.site in told.text
    assert told.number in told.subject
    assert told.text.rstrip(".").endswith(told.link)
    assert told.link == "https://rdc.example/portal/5f0f6f58-6a0c-4c5e-8f4e-00000000000a"
    assert notice_text(issued_report(), language, "").link == ""


def to(port: int, **changes: object) -> dict[str, Any]:
    return {
        "way": "email",
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "sender": "报告中心 <rdc@centre.example>",
        "recipients": ["doctor@east.example", "nurse@east.example"],
        **changes,
    }


def read(envelope: Envelope) -> EmailMessage:
    assert isinstance(envelope.content, bytes)
    return message_from_bytes(envelope.content, policy=policy.default)


def test_an_e_mail_is_taken_and_a_repeat_is_the_same_message() -> None:
    mailbox = Mailbox()
    with mail_server(mailbox) as port:
        answers = [deliver(to(port)) for _ in range(2)]
        assert deliver(to(port), revoked(issued_report())).is_delivered
    assert all(one.is_delivered and "no proof" in one.said for one in answers)
    first, again, void = (read(one) for one in mailbox.taken)
    assert first["Message-ID"] == again["Message-ID"] != void["Message-ID"]
    assert first["Message-ID"].endswith("@centre.example>")
    text = first.get_content()
    assert "东河镇卫生院" in text
    assert "作废" in void["Subject"]
    for one in mailbox.taken:
        readable = read(one)
        said = readable.get_content() + str(readable.items())
        assert not [word for word in OF_PATIENT if word in said]
    assert mailbox.taken[0].rcpt_tos == ["doctor@east.example", "nurse@east.example"]


def test_what_the_server_refuses_is_told_from_what_it_puts_off() -> None:
    mailbox = Mailbox()
    doctor, nurse = "doctor@east.example", "nurse@east.example"
    with mail_server(mailbox) as port:
        mailbox.refuses = {nurse: "550 gone"}
        partly = deliver(to(port))
        assert partly.is_delivered
        assert "1 of 2" in partly.said
        assert "gone" in partly.response
        mailbox.refuses = {nurse: "550 gone", doctor: "550 gone"}
        assert deliver(to(port)).outcome is Outcome.REFUSED
        mailbox.refuses = {nurse: "550 gone", doctor: "450 later"}
        assert deliver(to(port)).outcome is Outcome.TRY_AGAIN
        mailbox.refuses = {}
        mailbox.data = "451 full"
        assert deliver(to(port)).outcome is Outcome.TRY_AGAIN
        mailbox.data = "554 spam"
        assert deliver(to(port)).outcome is Outcome.REFUSED
    gone = deliver(to(port))
    assert gone.outcome is Outcome.TRY_AGAIN
    assert gone.whole_destination


def test_a_server_that_says_nothing_is_left_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        answer = deliver(to(mute.getsockname()[1], answer_seconds=0.2))
    assert answer.outcome is Outcome.TRY_AGAIN
    assert answer.whole_destination


def authenticate(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
) -> AuthResult:
    assert isinstance(data, LoginPassword)
    return AuthResult(success=data.password == PASSWORD.encode(), handled=False)


def test_mail_is_secured_and_signed_in_or_not_sent(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "centre")
    issued = authority.issue("mail")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate, issued.key)
    secret = tmp_path / "password"
    secret.write_text(PASSWORD)
    secret.chmod(0o600)
    tls = {"authorities": authority.path, "server_name": "mail"}
    signed_in = {"user": "rdc", "secret_file": secret, "tls": tls}
    mailbox = Mailbox()
    options = {"authenticator": authenticate, "auth_required": True}
    with mail_server(mailbox, tls_context=context, require_starttls=True, **options) as port:
        assert deliver(to(port, security="starttls", **signed_in)).is_delivered
        assert mailbox.secured == [True]
        other = {**signed_in, "tls": {**tls, "server_name": "other"}}
        assert deliver(to(port, security="starttls", **other)).outcome is Outcome.TRY_AGAIN
        secret.write_text("wrong")
        answer = deliver(to(port, security="starttls", **signed_in))
        assert (answer.outcome, "535" in answer.said) == (Outcome.TRY_AGAIN, True)
        secret.write_text(PASSWORD)
    with mail_server(mailbox) as port:
        # It does not offer to be secured: nothing is sent in the clear instead.
        assert deliver(to(port, security="starttls", tls=tls)).outcome is Outcome.TRY_AGAIN
    with mail_server(mailbox, ssl_context=context) as port:
        assert deliver(to(port, security="tls", tls=tls)).is_delivered
    assert len(mailbox.taken) == 2


@pytest.mark.parametrize("form", [False, True])
def test_short_messages_go_out_in_the_services_own_words(*, form: bool, tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("t0ken")
    secret.chmod(0o600)
    answers = [Reply(body=b'{"Code": "OK"}'), Reply(body=b'{"Code": "LIMIT"}')]
    with web_peer(lambda _: answers.pop(0)) as peer:
        settings = {
            "way": "sms",
            "recipients": ["13800000000", "13900000000"],
            "url": f"http://127.0.0.1:{peer.port}/send",
            "fields": {
                "mobile": "{recipients}",
                "content": "【诊断中心】{text}",
                "id": "{other}",
                "key": "{id}",
            },
            "form": form,
            "success": {"Code": "OK"},
            "secret_file": secret,
        }
        assert deliver(settings).is_delivered
        limited = deliver(settings)
    assert limited.outcome is Outcome.REFUSED
    assert "LIMIT" in limited.response
    one = peer.posted[0]
    assert one.headers["authorization"] == "Bearer t0ken"
    told = (
        {name: value[0] for name, value in parse_qs(one.body.decode()).items()}
        if form
        else json.loads(one.body)
    )
    assert told["mobile"] == "13800000000,13900000000"
    assert told["content"].startswith("【诊断中心】东河镇卫生院")
    assert told["id"] == "{other}"
    keys = [one.headers["idempotency-key"] for one in peer.posted]
    assert keys == [f'"{told["key"]}"'] * 2
    assert not [word for word in OF_PATIENT if word in str(told)]


def test_each_number_gets_its_own_message_where_the_service_takes_one() -> None:
    with web_peer(lambda one: Reply(503 if b"139" in one.body else 200)) as peer:
        settings = {
            "way": "sms",
            "recipients": ["13800000000", "13900000000"],
            "url": f"http://127.0.0.1:{peer.port}/send",
        }
        assert deliver(settings).outcome is Outcome.TRY_AGAIN
        assert [json.loads(one.body)["to"] for one in peer.posted] == settings["recipients"]
        assert len({one.headers["idempotency-key"] for one in peer.posted}) == 2
