"""Signing keys by command: issued, kept elsewhere, locked and unlocked, revoked."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select
from typer.testing import CliRunner, Result

from deploy import signing
from deploy.cli import app
from deploy.settings import load
from reading_worklist.signing.errors import CredentialLocked, CredentialMissing
from reading_worklist.signing.revocation_lists import newest
from reading_worklist.signing.unlocking import unlock
from storage.audit import AuditRecord
from storage.database import Database
from storage.errors import RdcError
from tests.reading_worklist.signing.test_credentials import locked_out
from tests.support.key_places import Credential, signing_peer, soft_token
from tests.support.reports import authority
from tests.support.seed import Consortium

Rdc = Callable[..., Result]


@pytest.fixture
def rdc(consortium: Consortium, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rdc:
    monkeypatch.setenv("RDC_DATABASE_URL", consortium.database.url)
    monkeypatch.setenv("RDC_DATA_DIR", str(tmp_path / "var"))

    def run(*words: str, typed: str = "") -> Result:
        return CliRunner().invoke(app, ["signer", *words], input=typed)

    return run


def pin_of(result: Result) -> str:
    assert result.exit_code == 0, result.output
    line = next(one for one in result.stdout.splitlines() if one.startswith("PIN"))
    return line.split()[1]


def acts(database: Database) -> list[str]:
    with database.transaction() as session:
        query = select(AuditRecord.action).where(AuditRecord.action.startswith("signing_key:"))
        return list(session.scalars(query.order_by(AuditRecord.id)))


def test_a_key_is_issued_renewed_unlocked_and_revoked(rdc: Rdc, consortium: Consortium) -> None:
    database, person = consortium.database, consortium.people["writer"].id
    first = unlock(database, person, pin_of(rdc("issue", "writer")))
    pin = pin_of(rdc("issue", "writer"))
    second = unlock(database, person, pin)
    assert first.serial != second.serial
    locked_out(database, second.serial)
    assert "locked until" in rdc("list").stdout
    with pytest.raises(CredentialLocked):
        unlock(database, person, pin)
    assert rdc("unlock", "writer").exit_code == 0
    assert unlock(database, person, pin).serial == second.serial
    assert rdc("revoke", "writer", "--reason", "left").exit_code == 0
    with pytest.raises(CredentialMissing):
        unlock(database, person, pin)
    states = {one["certificate"]: one["state"] for one in json.loads(rdc("list", "--json").stdout)}
    assert "superseded" in states[first.serial]
    assert "left" in states[second.serial]
    with database.transaction() as session:
        row = newest(session)
        assert row is not None
        listed = {f"{one.serial_number:X}" for one in x509.load_der_x509_crl(row.der)}
    assert listed == {first.serial, second.serial}
    assert "fresh" in rdc("crl").stdout
    assert acts(database) == [
        "signing_key:issue",
        "signing_key:issue",
        "signing_key:unlock",
        "signing_key:revoke",
    ]


def test_a_person_without_a_role_that_signs_gets_no_key(rdc: Rdc) -> None:
    assert isinstance(rdc("issue", "doctor-east").exception, RdcError)
    assert isinstance(rdc("issue", "nobody").exception, RdcError)
    assert isinstance(rdc("revoke", "writer", "--reason", "x").exception, RdcError)


def test_a_key_on_a_token_is_certified(
    rdc: Rdc, consortium: Consortium, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    secret = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    token = soft_token(tmp_path, "735512", secret)
    # A copy of the library, so that it looks for tokens anew: it does so once when it is loaded.
    module = tmp_path / "library.so"
    module.write_bytes(token.module.read_bytes())
    monkeypatch.setenv("RDC_TOKEN_MODULES", json.dumps({"soft": str(module)}))
    words = ("token", "writer", "--module", "soft", "--token", token.label, "--key", token.key_id)
    refused = rdc(*words, typed="000000\n")
    assert (refused.exit_code, "refuses" in refused.output) == (1, True)
    done = rdc(*words, typed="735512\n")
    assert done.exit_code == 0, done.output
    providers = signing.key_providers(load())
    person = consortium.people["writer"].id
    signer = unlock(consortium.database, person, "735512", providers=providers)
    assert signer.serial in done.stdout
    assert isinstance(rdc(*words, typed="735512\n").exception, RdcError)
    assert rdc(*words, "--replace", typed="735512\n").exit_code == 0


def test_a_key_with_a_service_is_recorded_when_its_issuer_counts(
    rdc: Rdc, consortium: Consortium, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = authority(tmp_path / "outside")
    person = consortium.people["reviewer"]
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = outside.issue(
        key.public_key(), person_id=person.id, display_name="王芳", organisation="CA"
    )
    chain = [one.public_bytes(serialization.Encoding.DER)
             for one in (certificate, outside.certificate)]  # fmt: skip
    with signing_peer() as peer:
        peer.credentials["wang"] = Credential(chain, key, "918273")
        services = {"ca": {"url": peer.url, "timeout": 5}}
        monkeypatch.setenv("RDC_SIGNING_SERVICES", json.dumps(services))
        words = ("service", "reviewer", "--service", "ca", "--credential", "wang")
        rdc("crl")
        assert "signatures count" in str(rdc(*words).exception)
        anchor = tmp_path / "outside.pem"
        anchor.write_text(outside.certificate_pem)
        own = tmp_path / "var" / "authority" / "authority.pem"
        monkeypatch.setenv("RDC_TRUST_ANCHORS", json.dumps([str(own), str(anchor)]))
        done = rdc(*words)
        assert done.exit_code == 0, done.output
        providers = signing.key_providers(load())
        signer = unlock(consortium.database, person.id, "918273", providers=providers)
        assert signer.display_name == "王芳"
