"""What keeps signatures verifiable is done by itself."""

from pathlib import Path

import pytest
from cryptography import x509
from sqlalchemy import select

from deploy import bootstrap, signing
from deploy.bootstrap import Parts
from deploy.errors import DeployError
from deploy.relay import Regularly
from deploy.settings import load
from deploy.signature_keeping import keep
from reading_worklist.signing.credentials import issue_credential, revoke_credential
from reading_worklist.signing.tables import RevocationList
from storage.objects import ObjectStore
from tests.support.seed import Consortium
from tests.support.web import CHEAP, PIN


@pytest.fixture
def parts(
    consortium: Consortium,
    objects: ObjectStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Parts:
    monkeypatch.setenv("RDC_DATABASE_URL", consortium.database.url)
    monkeypatch.setenv("RDC_DATA_DIR", str(tmp_path / "var"))
    return Parts(load(), consortium.database, objects)


def lists(parts: Parts) -> list[x509.CertificateRevocationList]:
    with parts.database.transaction() as session:
        rows = session.scalars(select(RevocationList).order_by(RevocationList.number)).all()
    return [x509.load_der_x509_crl(one.der) for one in rows]


def test_a_list_follows_a_revocation_and_a_round_without_news_makes_none(
    parts: Parts, consortium: Consortium
) -> None:
    person = consortium.people["writer"]
    authority = signing.open_signing_authority(parts.settings)
    with parts.database.transaction() as session:
        serial = issue_credential(
            session,
            authority,
            person_id=person.id,
            display_name=person.display_name,
            organisation="-",
            pin=PIN,
            cost=CHEAP,
        ).serial
    keep(parts)
    keep(parts)
    assert [len(list(one)) for one in lists(parts)] == [0]
    with parts.database.transaction() as session:
        revoke_credential(session, person.id, "left")
    keep(parts)
    *_, last = lists(parts)
    assert [f"{one.serial_number:X}" for one in last] == [serial]


def test_without_the_passphrase_the_rest_goes_on(
    parts: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    keep(parts)
    (parts.settings.authority_dir / "authority.passphrase").unlink()
    keep(parts)
    assert "no list of revoked certificates was made" in caplog.text
    assert len(lists(parts)) == 1


def test_a_round_is_due_so_often(parts: Parts) -> None:
    now = 100.0
    regularly = Regularly(600, clock=lambda: now)
    with parts.database.transaction() as session:
        assert [len(regularly(session, 100)) for _ in range(3)] == [1, 0, 0]
        now = 699.0
        assert len(regularly(session, 100)) == 0
        now = 700.0
        assert len(regularly(session, 100)) == 1


def test_no_second_authority_is_made_where_one_has_issued_certificates(
    parts: Parts, consortium: Consortium, tmp_path: Path
) -> None:
    bootstrap.prepare(parts.settings)
    authority = signing.open_signing_authority(parts.settings)
    # Nobody has a certificate yet: whoever is first makes it.
    bootstrap.prepare(parts.settings.changed(authority_dir=tmp_path / "first"))
    person = consortium.people["writer"]
    with parts.database.transaction() as session:
        issue_credential(
            session,
            authority,
            person_id=person.id,
            display_name=person.display_name,
            organisation="-",
            pin=PIN,
            cost=CHEAP,
        )
    bootstrap.prepare(parts.settings)
    elsewhere = parts.settings.changed(authority_dir=tmp_path / "elsewhere")
    with pytest.raises(DeployError, match="RDC_AUTHORITY_DIR"):
        bootstrap.prepare(elsewhere)
    assert not elsewhere.authority_dir.exists()
