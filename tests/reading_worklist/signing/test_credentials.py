"""Personal keys under a PIN, in a real database."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy.exc
from cryptography import x509
from sqlalchemy import func, select, update

from reading_worklist.signing.authority import Authority
from reading_worklist.signing.credentials import issue_credential, revocations, revoke_credential
from reading_worklist.signing.errors import (
    CredentialExists,
    CredentialExpired,
    CredentialLocked,
    CredentialMissing,
    PinTooWeak,
    SigningRefused,
    WrongPin,
)
from reading_worklist.signing.pins import check_pin
from reading_worklist.signing.providers.port import PinRefused, StoredKey
from reading_worklist.signing.providers.sealed import SealedKeys
from reading_worklist.signing.tables import SigningCredential
from reading_worklist.signing.unlocking import ATTEMPTS, LOCK, lock_after, release, unlock
from storage.audit import Actor, AuditRecord
from storage.clock import utc_now
from storage.database import Database
from storage.registry import Person
from tests.support.reports import CENTRE, authority
from tests.support.web import CHEAP

PIN = "pin-2026"


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def person_id(database: Database) -> UUID:
    person = Person(id=uuid4(), login="li", display_name="李建国", password_hash="-")
    with database.transaction() as session:
        session.add(person)
    return person.id


def issue(database: Database, issuer: Authority, person_id: UUID, **more: object) -> str:
    return issue_at_full_cost(database, issuer, person_id, cost=CHEAP, **more)


def issue_at_full_cost(
    database: Database, issuer: Authority, person_id: UUID, **more: object
) -> str:
    with database.transaction() as session:
        credential = issue_credential(
            session,
            issuer,
            person_id=person_id,
            display_name="李建国",
            organisation=CENTRE,
            pin=PIN,
            **more,  # type: ignore[arg-type] - named by the test
        )
        return credential.serial


@pytest.fixture
def serial(database: Database, issuer: Authority, person_id: UUID) -> str:
    return issue(database, issuer, person_id)


def test_the_right_pin_opens_the_key(
    database: Database, issuer: Authority, person_id: UUID, serial: str
) -> None:
    signer = unlock(database, person_id, PIN)
    assert signer.person_id == person_id
    assert (signer.display_name, signer.organisation) == ("李建国", CENTRE)
    assert signer.serial == serial
    assert signer.issuers == (issuer.certificate_pem,)


def test_without_a_key_there_is_nothing_to_open(database: Database, person_id: UUID) -> None:
    with pytest.raises(CredentialMissing):
        unlock(database, person_id, PIN)


def test_the_stored_key_is_sealed(database: Database, issuer: Authority, person_id: UUID) -> None:
    issue_at_full_cost(database, issuer, person_id)
    with database.transaction() as session:
        row = session.scalars(select(SigningCredential)).one()
    assert (row.key_derivation or "").startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    # PKCS#8 of an elliptic key names its algorithm in the clear.
    assert b"\x2a\x86\x48\xce\x3d" not in (row.sealed_key or b"")


def test_a_sealed_key_moved_to_another_person_does_not_open(
    database: Database, issuer: Authority, person_id: UUID, serial: str
) -> None:
    thief = Person(id=uuid4(), login="thief", display_name="贼", password_hash="-")
    with database.transaction() as session:
        session.add(thief)
    issue(database, issuer, thief.id)
    with database.transaction() as session:
        stolen, own = (
            session.scalars(
                select(SigningCredential).where(SigningCredential.person_id == who)
            ).one()
            for who in (person_id, thief.id)
        )
    chain = tuple(x509.load_pem_x509_certificates(own.certificate_chain_pem.encode()))
    moved = StoredKey(
        thief.id, own.serial, chain, stolen.sealed_key or b"", stolen.key_derivation or ""
    )
    with pytest.raises(PinRefused):
        SealedKeys().open(moved, PIN)
    with (
        pytest.raises(sqlalchemy.exc.DBAPIError, match="never changed"),
        database.transaction() as session,
    ):
        session.execute(update(SigningCredential).values(sealed_key=stolen.sealed_key))


def test_wrong_pins_are_counted_and_lock_the_key(
    database: Database, person_id: UUID, serial: str
) -> None:
    for left in reversed(range(ATTEMPTS)):
        with pytest.raises(WrongPin) as refused:
            unlock(database, person_id, "wrong-pin")
        assert refused.value.attempts_left == left
    with pytest.raises(CredentialLocked) as locked:
        unlock(database, person_id, PIN)
    remaining = locked.value.until - utc_now()
    assert timedelta(minutes=14) < remaining <= timedelta(minutes=15)


def test_the_right_pin_clears_the_count(database: Database, person_id: UUID, serial: str) -> None:
    for _ in range(ATTEMPTS - 1):
        with pytest.raises(WrongPin):
            unlock(database, person_id, "wrong-pin")
    unlock(database, person_id, PIN)
    with pytest.raises(WrongPin) as refused:
        unlock(database, person_id, "wrong-pin")
    assert refused.value.attempts_left == ATTEMPTS - 1


def locked_out(database: Database, serial: str) -> None:
    """Five wrong PINs, as the database takes them."""
    for attempt in range(ATTEMPTS):
        with database.transaction() as session:
            now = session.execute(select(func.now())).scalar_one()
            wait = LOCK if attempt == ATTEMPTS - 1 else None
            session.execute(
                update(SigningCredential)
                .where(SigningCredential.serial == serial)
                .values(
                    failed_attempts=SigningCredential.failed_attempts + 1,
                    locked_until=None if wait is None else now + wait,
                )
            )


def over(database: Database) -> None:
    """The lock has run out."""
    with database.transaction() as session:
        session.execute(
            update(SigningCredential).values(locked_until=func.now() - timedelta(seconds=1))
        )


def test_after_the_lock_counting_starts_again(
    database: Database, person_id: UUID, serial: str
) -> None:
    locked_out(database, serial)
    over(database)
    with pytest.raises(WrongPin) as refused:
        unlock(database, person_id, "wrong-pin")
    assert refused.value.attempts_left == ATTEMPTS - 1
    unlock(database, person_id, PIN)


def test_the_waits_grow_up_to_a_day() -> None:
    waits = [lock_after(failed) for failed in range(31)]
    assert [wait for wait in waits if wait is not None] == [
        timedelta(minutes=15),
        timedelta(hours=1),
        timedelta(hours=4),
        timedelta(hours=16),
        timedelta(days=1),
        timedelta(days=1),
    ]
    assert all(
        (wait is None) == (failed % ATTEMPTS != 0 or failed == 0)
        for failed, wait in enumerate(waits)
    )


def test_the_second_lock_is_longer_and_an_administrator_opens_it(
    database: Database, person_id: UUID, serial: str
) -> None:
    locked_out(database, serial)
    over(database)
    for _ in range(ATTEMPTS):
        with pytest.raises(WrongPin):
            unlock(database, person_id, "wrong-pin")
    with pytest.raises(CredentialLocked) as locked:
        unlock(database, person_id, PIN)
    assert timedelta(minutes=59) < locked.value.until - utc_now() <= timedelta(hours=1)
    with database.transaction() as session:
        release(session, person_id)
    assert unlock(database, person_id, PIN).serial == serial


def test_wrong_pins_and_locks_are_in_the_audit_trail(
    database: Database, person_id: UUID, serial: str
) -> None:
    who = Actor(person_id, None, "192.0.2.7")
    for _ in range(ATTEMPTS):
        with pytest.raises(WrongPin):
            unlock(database, person_id, "wrong-pin", actor=who)
    with database.transaction() as session:
        found = session.scalars(select(AuditRecord).order_by(AuditRecord.id)).all()
    acts = [(one.action, one.client, one.detail["attempt"]) for one in found]
    assert acts == [
        *(("signing_key:wrong_pin", "192.0.2.7", number + 1) for number in range(ATTEMPTS)),
        ("signing_key:lock", "192.0.2.7", ATTEMPTS),
    ]
    assert all("wrong-pin" not in str(one.detail) for one in found)


@pytest.mark.parametrize(
    "change",
    [
        {"failed_attempts": 2},
        {"failed_attempts": ATTEMPTS},
    ],
    ids=["two at once", "the fifth without a lock"],
)
def test_the_database_counts_attempts_itself(
    database: Database, person_id: UUID, serial: str, change: dict[str, int]
) -> None:
    if change["failed_attempts"] == ATTEMPTS:
        for _ in range(ATTEMPTS - 1):
            with pytest.raises(WrongPin):
                unlock(database, person_id, "wrong-pin")
    with (
        pytest.raises(sqlalchemy.exc.DBAPIError, match="one by one"),
        database.transaction() as session,
    ):
        session.execute(update(SigningCredential).values(**change))


def test_the_database_takes_no_attempt_while_the_key_is_locked(
    database: Database, person_id: UUID, serial: str
) -> None:
    locked_out(database, serial)
    with (
        pytest.raises(sqlalchemy.exc.DBAPIError, match="one by one"),
        database.transaction() as session,
    ):
        session.execute(
            update(SigningCredential).values(failed_attempts=ATTEMPTS + 1, locked_until=None)
        )


def test_guessing_in_parallel_gives_no_more_guesses(
    database: Database, person_id: UUID, serial: str
) -> None:
    def guess(number: int) -> type[SigningRefused]:
        try:
            unlock(database, person_id, f"guess-{number}")
        except SigningRefused as refused:
            return type(refused)
        raise AssertionError

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(guess, range(12)))
    assert results.count(WrongPin) == ATTEMPTS
    assert results.count(CredentialLocked) == 12 - ATTEMPTS


def test_an_expired_certificate_does_not_sign(
    database: Database, issuer: Authority, person_id: UUID
) -> None:
    now = utc_now()
    issue(
        database,
        issuer,
        person_id,
        not_before=now - timedelta(days=2),
        not_after=now - timedelta(days=1),
    )
    with pytest.raises(CredentialExpired):
        unlock(database, person_id, PIN)


def test_one_key_in_force_per_person(
    database: Database, issuer: Authority, person_id: UUID, serial: str
) -> None:
    with pytest.raises(CredentialExists):
        issue(database, issuer, person_id)
    newer = issue(database, issuer, person_id, replace=True)
    assert unlock(database, person_id, PIN).serial == newer
    with database.transaction() as session:
        assert set(revocations(session, [serial, newer])) == {serial}


def test_a_revoked_key_does_not_sign(database: Database, person_id: UUID, serial: str) -> None:
    with database.transaction() as session:
        revoke_credential(session, person_id, "left the centre")
    with pytest.raises(CredentialMissing):
        unlock(database, person_id, PIN)
    with database.transaction() as session, pytest.raises(CredentialMissing):
        revoke_credential(session, person_id, "again")


@pytest.mark.parametrize(
    "change",
    [
        {"serial": "FF"},
        {"certificate_chain_pem": "-"},
        {"not_after": utc_now() + timedelta(days=9999)},
    ],
    ids=["serial", "certificate", "validity"],
)
def test_the_database_refuses_to_alter_a_certificate(
    database: Database, person_id: UUID, serial: str, change: dict[str, object]
) -> None:
    with (
        pytest.raises(sqlalchemy.exc.DBAPIError, match="never changed"),
        database.transaction() as session,
    ):
        session.execute(update(SigningCredential).values(**change))


def test_the_database_refuses_to_undo_a_revocation_and_to_delete(
    database: Database, person_id: UUID, serial: str
) -> None:
    with database.transaction() as session:
        revoke_credential(session, person_id, "lost")
    with (
        pytest.raises(sqlalchemy.exc.DBAPIError, match="never changed"),
        database.transaction() as session,
    ):
        session.execute(update(SigningCredential).values(revoked_at=None))
    with (
        pytest.raises(sqlalchemy.exc.DBAPIError, match="permission denied"),
        database.transaction() as session,
    ):
        session.query(SigningCredential).delete()


@pytest.mark.parametrize("pin", ["", "12345", "111111", "123456", "654321", "abcdefg", "x" * 65])
def test_weak_pins_are_refused(pin: str) -> None:
    with pytest.raises(PinTooWeak):
        check_pin(pin)


@pytest.mark.parametrize("pin", ["pin-2026", "482915", "签名口令二〇二六"])
def test_good_pins_are_taken(pin: str) -> None:
    check_pin(pin)
