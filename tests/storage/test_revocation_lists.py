"""Lists of revoked certificates: what they refuse, and when they are read again."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from storage.revocation_lists import RevocationLists, RevocationListUnusable
from tests.pacs_gateway.certificates import Authority, Issued


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


def der(issued: Issued) -> bytes:
    return ssl.PEM_cert_to_DER_cert(issued.certificate.read_text())


def test_a_file_is_read_again_when_it_changes(authority: Authority) -> None:
    first, second = authority.issue("first"), authority.issue("second")
    lists = RevocationLists(authority.revoke(first), authority.path)
    assert (lists.revokes(der(first)), lists.revokes(der(second))) == (True, False)
    authority.revoke(first, second)
    assert lists.revokes(der(second))
    assert lists.revokes(b"no certificate")


def test_a_file_that_comes_later_goes_or_is_spoilt_takes_nothing_back(
    authority: Authority, tmp_path: Path
) -> None:
    one, file = authority.issue("one"), tmp_path / "authority.crl.pem"
    lists = RevocationLists(file, authority.path)
    assert not lists.exists
    assert not lists.revokes(der(one))
    whole = authority.revoke(one).read_bytes()
    assert lists.revokes(der(one))
    file.write_bytes(whole[: len(whole) // 2])
    assert lists.revokes(der(one)), "half a copy"
    file.unlink()
    assert lists.revokes(der(one))
    assert not lists.exists
    authority.revoke()
    assert not lists.revokes(der(one)), "a list of its authority without it"


def test_a_list_counts_for_its_own_authority_alone(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other", "somebody else")
    theirs, ours = other.issue("theirs"), authority.issue("ours")
    both = tmp_path / "both.pem"
    both.write_bytes(other.revoke(theirs).read_bytes() + authority.revoke(ours).read_bytes())
    lists = RevocationLists(both)
    assert lists.revokes(der(theirs))
    assert lists.revokes(der(ours))
    with pytest.raises(RevocationListUnusable, match="nobody who is believed"):
        RevocationLists(both, authority.path)
    # Of the same name, signed with another key.
    (tmp_path / "forged").mkdir()
    forger = Authority(tmp_path / "forged", "authority")
    with pytest.raises(RevocationListUnusable, match="nobody who is believed"):
        RevocationLists(forger.revoke(), authority.path)


def test_der_is_read_too_and_says_when_it_is_over(authority: Authority, tmp_path: Path) -> None:
    one = authority.issue("one")
    found = x509.load_pem_x509_crl(authority.revoke(one, days=-1).read_bytes())
    file = tmp_path / "list.der"
    file.write_bytes(found.public_bytes(Encoding.DER))
    lists = RevocationLists(file, authority.path)
    assert lists.revokes(der(one)), "out of date, and still known"
    now = datetime.now(UTC)
    assert lists.next_update is not None
    assert now - timedelta(days=2) < lists.next_update < now
    file.write_bytes(b"neither of both")
    with pytest.raises(RevocationListUnusable, match="rdc tls crl"):
        RevocationLists(file)
