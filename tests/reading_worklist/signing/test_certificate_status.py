"""OCSP and CRL of our own authority, over HTTP, as openssl and others read them."""

import base64
import subprocess
from collections.abc import Generator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select

from reading_worklist.public_rate import Buckets
from reading_worklist.signing.authority import Authority, open_authority
from reading_worklist.signing.credentials import issue_credential, revoke_credential
from reading_worklist.signing.revocation_lists import GOOD_FOR, newest, publish
from reading_worklist.signing.tables import SigningCredential
from storage.clock import utc_now
from storage.database import Database
from storage.objects import ObjectStore
from tests.support.peers import require_program
from tests.support.reports import authority as other_authority
from tests.support.seed import Consortium
from tests.support.serving import served
from tests.support.web import CHEAP, PIN, application

STATUS_URL = "http://pki.example/pki"


@dataclass(frozen=True)
class World:
    app: FastAPI
    client: TestClient
    issuer: Authority
    database: Database
    person_id: UUID
    certificate: x509.Certificate
    directory: Path

    def publish(self) -> x509.CertificateRevocationList:
        with self.database.transaction() as session:
            made = publish(session, self.issuer, now=utc_now())
            assert made is not None
            return x509.load_der_x509_crl(made.der)

    def revoke(self) -> None:
        with self.database.transaction() as session:
            revoke_credential(session, self.person_id, "left")

    def question(self, issuer: x509.Certificate | None = None) -> bytes:
        builder = ocsp.OCSPRequestBuilder().add_certificate(
            self.certificate, issuer or self.issuer.certificate, hashes.SHA256()
        )
        request = builder.add_extension(x509.OCSPNonce(b"n" * 16), critical=False).build()
        return request.public_bytes(serialization.Encoding.DER)


@pytest.fixture
def world(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> World:
    app = application(consortium, objects, tmp_path, signers=False)
    issuer = open_authority(
        tmp_path / "authority", organisation="-", name="-", status_url=STATUS_URL
    )
    person = consortium.people["writer"]
    with consortium.database.transaction() as session:
        row = issue_credential(
            session,
            issuer,
            person_id=person.id,
            display_name=person.display_name,
            organisation=consortium.centre.name,
            pin=PIN,
            cost=CHEAP,
        )
        certificate = x509.load_pem_x509_certificate(row.certificate_chain_pem.encode())
    return World(
        app, TestClient(app), issuer, consortium.database, person.id, certificate, tmp_path
    )


def answered(world: World, question: bytes) -> ocsp.OCSPResponse:
    answer = world.client.post(
        "/pki/ocsp", content=question, headers={"Content-Type": "application/ocsp-request"}
    )
    assert (answer.status_code, answer.headers["Content-Type"]) == (
        200,
        "application/ocsp-response",
    )
    return ocsp.load_der_ocsp_response(answer.content)


def test_a_certificate_says_where_its_state_is_answered_for(world: World) -> None:
    found = world.certificate.extensions
    access = found.get_extension_for_class(x509.AuthorityInformationAccess).value
    assert {(one.access_method, one.access_location.value) for one in access} == {
        (AuthorityInformationAccessOID.OCSP, f"{STATUS_URL}/ocsp"),
        (AuthorityInformationAccessOID.CA_ISSUERS, f"{STATUS_URL}/authority.crt"),
    }
    (point,) = found.get_extension_for_class(x509.CRLDistributionPoints).value
    assert [one.value for one in point.full_name or ()] == [f"{STATUS_URL}/authority.crl"]


def test_the_state_of_a_certificate_is_good_then_revoked(world: World) -> None:
    good = answered(world, world.question())
    assert good.certificate_status is ocsp.OCSPCertStatus.GOOD
    assert good.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == b"n" * 16
    world.revoke()
    bad = answered(world, world.question())
    assert bad.certificate_status is ocsp.OCSPCertStatus.REVOKED
    assert bad.revocation_time_utc is not None
    assert utc_now() - bad.revocation_time_utc < timedelta(minutes=1)


def test_the_same_by_get_which_caches_may_keep(world: World) -> None:
    for encoded in (
        quote(base64.b64encode(world.question()), safe=""),
        base64.b64encode(world.question()).decode(),
    ):
        answer = world.client.get(f"/pki/ocsp/{encoded}")
        found = ocsp.load_der_ocsp_response(answer.content)
        assert found.certificate_status is ocsp.OCSPCertStatus.GOOD
        assert answer.headers["Cache-Control"].startswith("public, max-age=")


def test_what_we_did_not_issue_is_unknown_or_not_ours(world: World, tmp_path: Path) -> None:
    with world.database.transaction() as session:
        serial = session.scalars(select(SigningCredential.serial)).one()
    stranger = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
        *_hashes(world.issuer.certificate), int(serial, 16) + 1, hashes.SHA256()
    )
    unknown = answered(world, stranger.build().public_bytes(serialization.Encoding.DER))
    assert unknown.certificate_status is ocsp.OCSPCertStatus.UNKNOWN
    elsewhere = other_authority(tmp_path / "other").certificate
    refused = answered(world, world.question(elsewhere))
    assert refused.response_status is ocsp.OCSPResponseStatus.UNAUTHORIZED


def _hashes(issuer: x509.Certificate) -> tuple[bytes, bytes]:
    asked = ocsp.load_der_ocsp_request(
        ocsp.OCSPRequestBuilder()
        .add_certificate(issuer, issuer, hashes.SHA256())
        .build()
        .public_bytes(serialization.Encoding.DER)
    )
    return asked.issuer_name_hash, asked.issuer_key_hash


@pytest.mark.parametrize("garbage", [b"", b"\x30\x00", b"x" * 4000])
def test_a_malformed_question_is_answered_as_such(world: World, garbage: bytes) -> None:
    found = answered(world, garbage)
    assert found.response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


def test_a_long_question_is_not_read(world: World) -> None:
    assert world.client.post("/pki/ocsp", content=b"x" * 5000).status_code == 413
    assert world.client.get("/pki/ocsp/not-base-64!").status_code == 200


def test_a_list_is_made_when_something_was_revoked_and_every_day(world: World) -> None:
    assert world.client.get("/pki/authority.crl").status_code == 404
    assert list(world.publish()) == []
    with world.database.transaction() as session:
        assert publish(session, world.issuer, now=utc_now()) is None
    world.revoke()
    found = world.publish()
    assert found.get_revoked_certificate_by_serial_number(world.certificate.serial_number)
    assert found.next_update_utc is not None
    assert found.next_update_utc - found.last_update_utc == GOOD_FOR
    tomorrow = utc_now() + timedelta(days=1, minutes=1)
    with world.database.transaction() as session:
        first = newest(session)
        made = publish(session, world.issuer, now=tomorrow)
        assert made is not None
        assert first is not None
        assert made.number > first.number


# ---- openssl -----------------------------------------------------------------------------------


@pytest.fixture
def files(world: World) -> Generator[tuple[str, Path, str]]:
    """openssl, a directory with both certificates, and the address of the running application."""
    openssl = require_program("openssl", package="openssl")
    for name, one in (("ca", world.issuer.certificate), ("doctor", world.certificate)):
        pem = one.public_bytes(serialization.Encoding.PEM)
        (world.directory / f"{name}.pem").write_bytes(pem)
    with served(world.app) as address:
        yield openssl, world.directory, address


def run(*words: str | Path) -> str:
    done = subprocess.run([str(one) for one in words], capture_output=True, timeout=30, check=False)
    return (done.stdout + done.stderr).decode()


def test_openssl_believes_our_answers(world: World, files: tuple[str, Path, str]) -> None:
    openssl, folder, address = files
    asking = (
        openssl, "ocsp", "-issuer", folder / "ca.pem", "-cert", folder / "doctor.pem",
        "-CAfile", folder / "ca.pem", "-url", f"{address}/pki/ocsp", "-timeout", "10",
    )  # fmt: skip
    said = run(*asking)
    assert "Response verify OK" in said
    assert f"{folder / 'doctor.pem'}: good" in said
    world.revoke()
    said = run(*asking)
    assert "Response verify OK" in said
    assert f"{folder / 'doctor.pem'}: revoked" in said


def test_openssl_finds_a_revoked_certificate_by_our_list(
    world: World, files: tuple[str, Path, str]
) -> None:
    openssl, folder, address = files
    verifying = (
        openssl, "verify", "-crl_check", "-CAfile", folder / "ca.pem",
        "-CRLfile", folder / "list.pem", folder / "doctor.pem",
    )  # fmt: skip

    def fetch() -> None:
        with world.database.transaction() as session:
            publish(session, world.issuer, now=utc_now())
        answer = world.client.get("/pki/authority.crl")
        assert answer.headers["Content-Type"] == "application/pkix-crl"
        (folder / "list.der").write_bytes(answer.content)
        run(
            openssl,
            "crl",
            "-inform",
            "DER",
            "-in",
            folder / "list.der",
            "-out",
            folder / "list.pem",
        )

    fetch()
    assert "doctor.pem: OK" in run(*verifying)
    world.revoke()
    fetch()
    assert "certificate revoked" in run(*verifying)
    text = run(openssl, "crl", "-in", folder / "list.pem", "-CAfile", folder / "ca.pem", "-noout")
    assert "verify OK" in text
    issuer = world.client.get("/pki/authority.crt").content
    assert x509.load_der_x509_certificate(issuer) == world.issuer.certificate
    assert address.startswith("http://127.0.0.1")


# ---- strangers ---------------------------------------------------------------------------------


def test_a_bucket_empties_and_fills_again() -> None:
    now = 0.0
    buckets = Buckets(3, 0.5, clock=lambda: now)
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 2]
    assert buckets.take("b") == 0
    now = 1.0
    assert buckets.take("a") == 1
    now = 2.0
    assert buckets.take("a") == 0
    now = 1000.0
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 2]


def test_who_asks_too_often_waits(world: World) -> None:
    answers = [world.client.get("/api/verify/AAAAAAAAAAAA") for _ in range(40)]
    assert {one.status_code for one in answers[:30]} == {404}
    last = answers[-1]
    assert (last.status_code, last.headers["Retry-After"]) == (429, "1")
    assert last.json()["type"] == "urn:rdc:problem:too-many-requests"
    # Other questions are counted apart.
    assert world.client.get("/pki/authority.crt").status_code == 200
