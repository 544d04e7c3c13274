"""Receivers whose certificate their authority took back: nothing is said to them, by any kind."""

import ssl
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest

from pacs_gateway.returns.channels import DeliveryAnswer, Outcome, Target, opener
from pacs_gateway.returns.trials import try_out
from storage.destination_trials import Finding
from storage.registry import DestinationKind, RegistryRefused, parse_settings
from tests.pacs_gateway.certificates import Authority, Issued
from tests.pacs_gateway.returns.fhir_peer import FhirPeer
from tests.pacs_gateway.returns.mail_peer import Mailbox, mail_server
from tests.pacs_gateway.returns.mllp_peer import ack, peer
from tests.pacs_gateway.returns.test_dicom_destination import pacs, parcel
from tests.pacs_gateway.returns.web_peer import Reply, web_peer
from tests.pacs_gateway.returns.world import CONFIG

SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

Opened = tuple[DestinationKind, dict[str, Any], Callable[[], int]]
"""Kind and settings of a receiver, and how much has arrived there."""
Receiver = Callable[[ssl.SSLContext, Path], AbstractContextManager[Opened]]


@contextmanager
def dicom(secured: ssl.SSLContext, folder: Path) -> Generator[Opened]:
    assert folder
    with pacs(tls=secured) as one:
        at = {"ae_title": "PACS", "host": "127.0.0.1", "port": one.port}
        yield DestinationKind.DICOM, at, lambda: len(one.received)


@contextmanager
def mllp(secured: ssl.SSLContext, folder: Path) -> Generator[Opened]:
    assert folder
    with peer(lambda message: [ack("AA", message)], secured=secured) as one:
        at = {"host": "127.0.0.1", "port": one.port}
        yield DestinationKind.HL7, at, lambda: len(one.messages)


@contextmanager
def fhir(secured: ssl.SSLContext, folder: Path) -> Generator[Opened]:
    assert folder
    with web_peer(FhirPeer(), secured=secured) as one:
        at = {"url": f"https://127.0.0.1:{one.port}/fhir"}
        yield DestinationKind.FHIR, at, lambda: len(one.posted)


@contextmanager
def webhook(secured: ssl.SSLContext, folder: Path) -> Generator[Opened]:
    file = folder / "secret"
    file.write_text(SECRET, "utf-8")
    file.chmod(0o600)
    with web_peer(lambda _: Reply(), secured=secured) as one:
        at = {"url": f"https://127.0.0.1:{one.port}/in", "secret_file": str(file)}
        yield DestinationKind.WEBHOOK, at, lambda: len(one.posted)


@contextmanager
def short_messages(secured: ssl.SSLContext, folder: Path) -> Generator[Opened]:
    assert folder
    with web_peer(lambda _: Reply(), secured=secured) as one:
        url = f"https://127.0.0.1:{one.port}/sms"
        at = {"way": "sms", "url": url, "recipients": ["13800000000"]}
        yield DestinationKind.NOTICE, at, lambda: len(one.posted)


def mail(security: str, option: str) -> Receiver:
    """A mail server. option: by which name it takes the context for `security`."""

    @contextmanager
    def receiver(secured: ssl.SSLContext, folder: Path) -> Generator[Opened]:
        assert folder
        mailbox = Mailbox()
        with mail_server(mailbox, **{option: secured}) as port:
            at = {
                "way": "email",
                "host": "127.0.0.1",
                "port": port,
                "security": security,
                "sender": "rdc@centre.example",
                "recipients": ["doctor@east.example"],
            }
            yield DestinationKind.NOTICE, at, lambda: len(mailbox.taken)

    return receiver


RECEIVERS: Final[dict[str, Receiver]] = {
    "dicom": dicom,
    "mllp": mllp,
    "fhir": fhir,
    "webhook": webhook,
    "short messages": short_messages,
    "mail, STARTTLS": mail("starttls", "tls_context"),
    "mail, TLS": mail("tls", "ssl_context"),
}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "county")


@pytest.fixture
def theirs(authority: Authority) -> Issued:
    return authority.issue("his")


@pytest.fixture
def secured(theirs: Issued) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(theirs.certificate, theirs.key)
    return context


def told(kind: DestinationKind, at: dict[str, Any], authority: Authority, lists: Path) -> Target:
    tls = {
        "authorities": str(authority.path),
        "revocations": str(lists),
        "server_name": "his",
    }
    settings = parse_settings(kind, {**at, "tls": tls})
    return Target(UUID(int=1), UUID(int=2), kind, "", settings)


def deliver(target: Target) -> DeliveryAnswer:
    channel = opener(target.kind)(target, CONFIG)
    try:
        return channel.send(parcel())
    finally:
        channel.close()


@pytest.mark.parametrize("receiver", RECEIVERS.values(), ids=RECEIVERS)
def test_nothing_is_sent_to_it_from_the_moment_the_list_is_there(
    receiver: Receiver,
    authority: Authority,
    theirs: Issued,
    secured: ssl.SSLContext,
    tmp_path: Path,
) -> None:
    with receiver(secured, tmp_path) as (kind, at, arrived):
        target = told(kind, at, authority, authority.revoke())
        assert deliver(target).is_delivered
        before = arrived()
        assert before
        authority.revoke(theirs)
        answer = deliver(target)
        assert (answer.outcome, answer.whole_destination) == (Outcome.TRY_AGAIN, True)
        assert f"{theirs.fingerprint} was revoked" in answer.said
        found = try_out(target, CONFIG)
        assert found.finding is Finding.NOT_SECURED
        assert "was revoked" in found.said
        # A list that is out of date names whom it named, and stops nobody else.
        authority.revoke(theirs, days=-1)
        assert not deliver(target).is_delivered
        assert arrived() == before
        authority.revoke(authority.issue("another"), days=-1)
        assert deliver(target).is_delivered


def test_a_list_must_be_there_and_takes_nothing_back_when_it_is_spoilt(
    authority: Authority, theirs: Issued, secured: ssl.SSLContext, tmp_path: Path
) -> None:
    lists = tmp_path / "county.crl.pem"
    with mllp(secured, tmp_path) as (kind, at, arrived):
        target = told(kind, at, authority, lists)
        found = try_out(target, CONFIG)
        assert (found.finding, "is not there" in found.said) == (Finding.NOT_SET_UP, True)
        assert deliver(target).outcome is Outcome.TRY_AGAIN
        Authority(tmp_path, "stranger").revoke().replace(lists)
        found = try_out(target, CONFIG)
        assert (found.finding, "nobody who is believed" in found.said) == (Finding.NOT_SET_UP, True)
        whole = authority.revoke(theirs).read_bytes()
        assert not deliver(target).is_delivered
        for spoilt in (whole[: len(whole) // 2], None):
            if spoilt is None:
                lists.unlink()
            else:
                lists.write_bytes(spoilt)
            assert "was revoked" in deliver(target).said
        assert not arrived()
        authority.revoke()
        assert deliver(target).is_delivered


def test_a_list_is_of_the_authorities_that_are_named_with_it() -> None:
    at = {"host": "10.1.2.3", "port": 2575, "tls": {"revocations": "/etc/rdc/crl.pem"}}
    with pytest.raises(RegistryRefused) as caught:
        parse_settings(DestinationKind.HL7, at)
    assert "tls: " in caught.value.found
    assert "authorities" in caught.value.found
