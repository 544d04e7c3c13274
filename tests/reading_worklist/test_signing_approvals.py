"""Somebody new signs without a command: one administrator approves, he makes his own key."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from fastapi import FastAPI
from pyotp.totp import TOTP
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from reading_worklist.access.tables import SecondFactor, WebSession
from reading_worklist.signing.authority import issued_by
from reading_worklist.signing.errors import CredentialMissing
from reading_worklist.signing.tables import RevocationList, SigningCredential
from reading_worklist.signing.unlocking import SEALED_ONLY, unlock
from reading_worklist.signing_approvals.service import PROVED_WITHIN
from reading_worklist.signing_approvals.tables import SigningApproval
from storage.audit import Actor, AuditRecord
from storage.clock import utc_now
from storage.objects import ObjectStore
from tests.support.seed import PASSWORD, Consortium
from tests.support.web import Browser, application

KEY = "/api/account/signing-key"
PIN = "rain-47-lamp"


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    return application(consortium, objects, tmp_path, signers=False)


@pytest.fixture
def head(app: FastAPI) -> Browser:
    return Browser(app, "head")


@pytest.fixture
def writer(app: FastAPI) -> Browser:
    """Who has proved a second factor just now."""
    writer = Browser(app, "writer")
    set_up(writer)
    return writer


def set_up(browser: Browser) -> None:
    begun = browser.post("/api/account/second-factor", password=PASSWORD).json()
    code = TOTP(begun["secret"]).now()
    assert browser.post("/api/account/second-factor/confirm", code=code).is_success


def path_of(head: Browser, consortium: Consortium, login: str = "writer") -> str:
    return f"/api/people/{consortium.people[login].id}"


def problem(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).rpartition(":")[2]


def made(writer: Browser, pin: str = PIN) -> str:
    answer = writer.post(KEY, pin=pin)
    assert answer.status_code == 201, answer.text
    assert answer.json()["approved_until"] is None
    return answer.json()["serial"]


def opens(consortium: Consortium, pin: str) -> str:
    """The serial of the key that the PIN opens."""
    person_id = consortium.people["writer"].id
    actor = Actor(person_id=person_id, organisation_id=None, client="test")
    return unlock(consortium.database, person_id, pin, providers=SEALED_ONLY, actor=actor).serial


def test_approved_he_makes_his_own_key_once(
    head: Browser, writer: Browser, consortium: Consortium
) -> None:
    before = writer.get(KEY).json()
    assert (before["signs"], before["serial"], before["approved_until"]) == (True, None, None)
    assert problem(writer.post(KEY, pin=PIN)) == "forbidden"
    path = path_of(head, consortium)
    assert head.post(f"{path}/signing-approval").json()["approved_until"] is not None
    assert problem(writer.post(KEY, pin="123456")) == "weak-pin"
    serial = made(writer)
    assert opens(consortium, PIN) == serial
    shown = head.get(path).json()
    assert shown["approved_until"] is None
    assert shown["signing_until"] is not None
    assert problem(writer.post(KEY, pin="another-one-8")) == "forbidden"
    with consortium.database.transaction() as session:
        acts = session.scalars(
            select(AuditRecord)
            .where(AuditRecord.action.startswith("signing_key:"))
            .order_by(AuditRecord.id)
        ).all()
        kept = session.scalars(select(SigningCredential)).one()
    assert [(one.action, one.person_id) for one in acts] == [
        ("signing_key:approve", consortium.people["head"].id),
        ("signing_key:issue", consortium.people["writer"].id),
    ]
    assert PIN not in str([one.detail for one in acts])
    own, authority = x509.load_pem_x509_certificates(kept.certificate_chain_pem.encode())
    assert issued_by(own, authority)
    assert consortium.centre.name in own.subject.rfc4514_string()


def test_a_forgotten_pin_makes_way_for_a_new_key(
    head: Browser, writer: Browser, consortium: Consortium
) -> None:
    path = path_of(head, consortium)
    for pin in (PIN, "another-one-8"):
        head.post(f"{path}/signing-approval")
        serial = made(writer, pin)
    assert opens(consortium, "another-one-8") == serial
    with consortium.database.transaction() as session:
        former = session.scalars(
            select(SigningCredential).where(SigningCredential.revoked_at.is_not(None))
        ).one()
        lists = session.scalars(select(RevocationList).order_by(RevocationList.number)).all()
    revoked = x509.load_der_x509_crl(lists[-1].der)
    assert [f"{one.serial_number:X}" for one in revoked] == [former.serial]


def expired(session: Session) -> None:
    session.execute(update(SigningApproval).values(expires_at=utc_now() - timedelta(seconds=1)))


def set_up_since(session: Session) -> None:
    """Another device than the one that he had when he was approved."""
    session.execute(update(SecondFactor).values(confirmed_at=utc_now() + timedelta(seconds=1)))


def long_ago(session: Session) -> None:
    past = utc_now() - PROVED_WITHIN - timedelta(minutes=1)
    session.execute(
        update(WebSession)
        .where(WebSession.second_factor_at.is_not(None))
        .values(second_factor_at=past)
    )


def test_what_an_approval_does_not_cover(
    head: Browser, writer: Browser, consortium: Consortium
) -> None:
    path = path_of(head, consortium)
    assert problem(head.client.delete(f"{path}/signing-approval")) == "not-found"
    for change, why in (
        (expired, "forbidden"),
        (set_up_since, "forbidden"),
        (long_ago, "second-factor-to-sign"),
    ):
        with consortium.database.transaction() as session:
            session.execute(update(SecondFactor).values(confirmed_at=utc_now() - timedelta(1)))
        assert head.post(f"{path}/signing-approval").is_success
        with consortium.database.transaction() as session:
            change(session)
        assert problem(writer.post(KEY, pin=PIN)) == why, change
    assert head.client.delete(f"{path}/signing-approval").json()["approved_until"] is None
    with pytest.raises(CredentialMissing):
        opens(consortium, PIN)


def test_whoever_could_be_put_into_the_account_gets_no_key(
    head: Browser, writer: Browser, consortium: Consortium
) -> None:
    path = path_of(head, consortium)
    for act in ("password", "second-factor/reset"):
        assert head.post(f"{path}/signing-approval").json()["approved_until"] is not None
        assert head.post(f"{path}/{act}").is_success
        assert head.get(path).json()["approved_until"] is None
    # He has none now, so that nobody can be approved who is not known by it.
    assert problem(head.post(f"{path}/signing-approval")) == "no-second-factor"


def test_who_may_approve_whom(
    app: FastAPI, head: Browser, writer: Browser, consortium: Consortium
) -> None:
    path = path_of(head, consortium)
    for login in ("reviewer", "doctor-east", "dispatcher"):
        assert Browser(app, login).post(f"{path}/signing-approval").status_code == 403
    own = path_of(head, consortium, "head")
    assert problem(head.post(f"{own}/signing-approval")) == "forbidden"
    site = path_of(head, consortium, "doctor-east")
    assert problem(head.post(f"{site}/signing-approval")) == "no-signing-role"


def test_without_the_authority_the_command_is_named(
    app: FastAPI, head: Browser, writer: Browser, consortium: Consortium
) -> None:
    services = app.state.services
    app.state.services = replace(services, config=replace(services.config, signing_authority=None))
    head.post(f"{path_of(head, consortium)}/signing-approval")
    answer = writer.post(KEY, pin=PIN)
    assert (answer.status_code, problem(answer)) == (503, "signing-authority-away")
    assert "rdc signer issue" in answer.json()["remedy"]
