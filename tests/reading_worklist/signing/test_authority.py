"""The centre's own certificate authority."""

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from reading_worklist.signing.authority import (
    AuthorityUnreadable,
    open_authority,
    serial_of,
)
from storage.clock import utc_now
from tests.support.reports import authority


def test_it_is_made_once_and_found_again(tmp_path: Path) -> None:
    first = authority(tmp_path / "ca")
    assert authority(tmp_path / "ca").certificate == first.certificate


def test_starting_together_makes_one(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: authority(tmp_path / "ca").certificate_pem, range(8)))
    assert len(set(made)) == 1


def test_a_start_cut_off_before_the_certificate_begins_anew(tmp_path: Path) -> None:
    directory = tmp_path / "ca"
    authority(directory)
    (directory / "authority.pem").unlink()
    reopened = authority(directory)
    assert authority(directory).certificate == reopened.certificate


def test_its_key_is_encrypted_and_only_for_its_owner(tmp_path: Path) -> None:
    directory = tmp_path / "ca"
    authority(directory)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    for name in ("authority.key.pem", "authority.passphrase"):
        assert stat.S_IMODE((directory / name).stat().st_mode) == 0o600
    assert b"ENCRYPTED PRIVATE KEY" in (directory / "authority.key.pem").read_bytes()
    assert not [path for path in directory.iterdir() if path.name.startswith(".")]


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    authority(tmp_path)
    (tmp_path / "authority.key.pem").chmod(0o640)
    with pytest.raises(AuthorityUnreadable, match="0600"):
        authority(tmp_path)


@pytest.mark.parametrize("name", ["authority.key.pem", "authority.passphrase"])
def test_damaged_or_missing_files_are_told_and_nothing_is_made_anew(
    tmp_path: Path, name: str
) -> None:
    anchor = authority(tmp_path).certificate_pem
    (tmp_path / name).write_bytes(b"damaged")
    with pytest.raises(AuthorityUnreadable):
        authority(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(AuthorityUnreadable):
        authority(tmp_path)
    assert (tmp_path / "authority.pem").read_text("ascii") == anchor


def test_a_certificate_of_another_key_is_refused(tmp_path: Path) -> None:
    authority(tmp_path / "one")
    other = authority(tmp_path / "two")
    (tmp_path / "one" / "authority.pem").write_text(other.certificate_pem, encoding="ascii")
    with pytest.raises(AuthorityUnreadable, match="belong together"):
        open_authority(tmp_path / "one", organisation="x", name="x")


def test_a_person_gets_a_certificate_for_signing_documents_and_nothing_else(tmp_path: Path) -> None:
    issuer = authority(tmp_path)
    person = uuid4()
    certificate = issuer.issue(
        ec.generate_private_key(ec.SECP256R1()).public_key(),
        person_id=person,
        display_name="𠮷㛃䶮",
        organisation="县" * 100,
    )
    certificate.verify_directly_issued_by(issuer.certificate)
    names = {attribute.oid: attribute.value for attribute in certificate.subject}
    assert names == {
        NameOID.COMMON_NAME: "𠮷㛃䶮",
        NameOID.ORGANIZATION_NAME: "县" * 21,
        NameOID.SERIAL_NUMBER: str(person),
    }
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert usage.value.content_commitment
    assert not usage.value.key_cert_sign
    basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert not basic.ca
    assert len(serial_of(certificate)) == 16


def test_no_certificate_outlives_the_authority(tmp_path: Path) -> None:
    issuer = authority(tmp_path)
    certificate = issuer.issue(
        ec.generate_private_key(ec.SECP256R1()).public_key(),
        person_id=uuid4(),
        display_name="张三",
        organisation="中心",
        not_after=utc_now() + timedelta(days=40 * 365),
    )
    assert certificate.not_valid_after_utc == issuer.certificate.not_valid_after_utc
