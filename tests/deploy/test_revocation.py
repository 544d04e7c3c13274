"""`rdc tls revoke` and `rdc tls crl`, held against OpenSSL; what the doctor says of their list."""

import json
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from typer.testing import CliRunner

from deploy import settings
from deploy.bootstrap import hl7_config
from deploy.cli import app
from deploy.doctor import machine
from deploy.doctor.findings import Severity
from deploy.errors import DeployError
from deploy.tls import authority as authorities
from deploy.tls import revocation
from deploy.tls.authority import Issued, PrivateAuthority, TlsFilesUnusable
from deploy.tls.server import ensure
from storage.clock import utc_now


@pytest.fixture
def private(tmp_path: Path) -> PrivateAuthority:
    ensure(settings.load(data_dir=tmp_path, tls=True))
    return PrivateAuthority(tmp_path / "tls")


def rdc(folder: Path, *words: str) -> str:
    done = CliRunner().invoke(
        app, ["tls", *words, "--data-dir", str(folder)], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    return done.output


def openssl(private: PrivateAuthority, certificate: Path) -> str:
    """What OpenSSL says of a client's certificate, with our list."""
    believed = ("-CAfile", str(private.certificate), "-CRLfile", str(private.folder / "crl.pem"))
    asked = ("openssl", "verify", "-x509_strict", "-purpose", "sslclient", "-crl_check")
    done = subprocess.run(
        (*asked, *believed, str(certificate)),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def copied(issued: Issued, folder: Path, name: str) -> Path:
    """The certificate as whoever has it keeps it."""
    kept = folder / name
    kept.write_bytes(issued.certificate.read_bytes())
    return kept


def told(folder: Path) -> dict[Severity, str]:
    """What the doctor says of the list."""
    return {
        one.severity: one.what
        for one in machine.look(settings.load(data_dir=folder, tls=True))
        if one.subject == "revoked certificates"
    }


def test_everything_of_a_name_is_taken_back_and_nothing_else(
    private: PrivateAuthority, tmp_path: Path
) -> None:
    first = copied(private.issue("EAST_CT"), tmp_path, "first.pem")
    second = copied(private.renew("EAST_CT"), tmp_path, "second.pem")
    other = private.issue("EAST_CT.2")
    for one in (first, second, other.certificate):
        assert openssl(private, one).endswith("OK\n")
    said = rdc(tmp_path, "revoke", "EAST_CT", "--reason", "key-compromise")
    assert said.count("revoked ") == 2
    for one in (first, second):
        assert "certificate revoked" in openssl(private, one)
    assert openssl(private, other.certificate).endswith("OK\n")
    assert [one.name for one in private.issued()] == ["server", "EAST_CT.2"]
    assert not (private.folder / "issued" / "EAST_CT.key.pem").exists()

    shown = json.loads(rdc(tmp_path, "show", "--json"))
    assert [one["name"] for one in shown if "revoked" in one] == ["EAST_CT", "EAST_CT"]
    third = private.issue("EAST_CT")
    assert openssl(private, third.certificate).endswith("OK\n")
    with pytest.raises(TlsFilesUnusable, match="no certificate of the name"):
        revocation.revoke(private, "NOBODY", "unspecified")
    with pytest.raises(TlsFilesUnusable, match="own listeners"):
        revocation.revoke(private, "server", "unspecified")


def test_by_serial_number_twice_and_the_list_only_grows(
    private: PrivateAuthority, tmp_path: Path
) -> None:
    one, two = private.issue("ONE"), private.issue("TWO")
    numbers = list[int]()
    for issued in (one, two, one):
        serial = subprocess.run(
            ("openssl", "x509", "-noout", "-serial", "-in", str(issued.certificate)),
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        rdc(tmp_path, "revoke", "--serial", serial)
        found = x509.load_pem_x509_crl((private.folder / "crl.pem").read_bytes())
        number = found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        assert number > max(numbers, default=0)
        numbers.append(number)
    assert len(list(revocation.revoked(private))) == 2
    assert "until" in rdc(tmp_path, "crl")
    for issued in (one, two):
        assert "certificate revoked" in openssl(private, issued.certificate)
    for words in ((), ("ONE", "--serial", "1"), ("ONE", "--reason", "tired"), ("--serial", "xy")):
        done = CliRunner().invoke(app, ["tls", "revoke", *words, "--data-dir", str(tmp_path)])
        assert done.exit_code == 2


def test_the_doctor_tells_a_list_that_is_old_spoilt_or_not_there(
    private: PrivateAuthority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(told(tmp_path)) == [Severity.FINE]
    for age, severity in ((380, Severity.WARNING), (400, Severity.FAULT)):
        with monkeypatch.context() as patched:
            patched.setattr(revocation, "utc_now", lambda age=age: utc_now() - timedelta(days=age))
            revocation.publish(private)
        assert list(told(tmp_path)) == [severity]
    # OpenSSL lets nobody in behind one that is over: so the doctor's word is a fault.
    assert "CRL has expired" in openssl(private, private.issue("EAST_CT").certificate)
    rdc(tmp_path, "crl")
    assert list(told(tmp_path)) == [Severity.FINE]
    before = (private.folder / "crl.pem").read_bytes()
    # Renewed together with the certificates, so that one date is kept in mind.
    assert "crl.pem" in rdc(tmp_path, "renew", "server")
    assert (private.folder / "crl.pem").read_bytes() != before
    file = private.folder / "crl.pem"
    file.write_text("spoilt")
    assert "cannot be used" in told(tmp_path)[Severity.FAULT]
    with pytest.raises(TlsFilesUnusable, match="from your backup"):
        revocation.publish(private)
    file.unlink()
    assert "not there" in told(tmp_path)[Severity.WARNING]


def test_whoever_names_a_list_must_have_it(tmp_path: Path) -> None:
    named = tmp_path / "theirs.pem"
    found = settings.load(data_dir=tmp_path, http_tls_crl=named)
    with pytest.raises(DeployError, match="RDC_HTTP_TLS_CRL"):
        revocation.of_http(found)
    found = settings.load(data_dir=tmp_path, mllp_tls_certificate=named, mllp_tls_crl=named)
    with pytest.raises(DeployError, match="RDC_MLLP_TLS_CRL"):
        hl7_config(found)
    # That of an authority made by an earlier release, which has none yet.
    own = settings.load(data_dir=tmp_path, tls=True)
    lists = revocation.of_http(own)
    assert lists is not None
    assert not lists.exists


def test_a_certificate_that_is_over_needs_no_place_in_the_list(
    private: PrivateAuthority, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(authorities, "utc_now", lambda: utc_now() - timedelta(days=10))
        private.issue("EAST_CT", days=2)
    private.issue("EAST_CT")
    assert len(revocation.revoke(private, "EAST_CT", "superseded")) == 1
