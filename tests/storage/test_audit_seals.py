"""Seals over the audit trail: each way of changing it is found, and nothing is held up."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from storage import audit, audit_seals
from storage.audit_seals import EVERY, seal_due, verify
from storage.database import Database, as_owner

START = datetime(2026, 11, 22, 8, tzinfo=UTC)


def act(database: Database, number: int = 1) -> None:
    with database.transaction() as session:
        for one in range(number):
            audit.record(
                session,
                audit.system_actor("test"),
                "workitem:claim",
                subject_kind="workitem",
                subject_id=one,
                detail={"state": "排队", "values": [1, 2.5, None]},
            )


def sealed(database: Database, rounds: int = 3) -> None:
    for minute in range(rounds):
        act(database, 4)
        assert seal_due(database, START + EVERY * minute)


def tamper(database: Database, statement: str) -> None:
    """Change the trail as its owner could."""
    with database.transaction() as session:
        as_owner(session)
        for table in ("audit_record", "audit_seal"):
            session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        session.execute(text(statement))
        for table in ("audit_record", "audit_seal"):
            session.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))


def test_what_was_sealed_is_found_whole_and_the_rest_is_counted(database: Database) -> None:
    assert seal_due(database, START) is None
    sealed(database)
    act(database, 2)
    verdict = verify(database)
    assert verdict.whole
    assert (verdict.seals, verdict.records, verdict.unsealed) == (3, 12, 2)
    assert verify(database, kept=verdict.head).whole
    assert not verify(database, kept="0" * 64).whole


def test_a_seal_is_made_once_a_minute_by_one_of_many(database: Database) -> None:
    act(database)
    made = [seal_due(database, START), seal_due(database, START + timedelta(seconds=59))]
    act(database)
    assert [one is not None for one in made] == [True, False]
    after = START + EVERY
    found: list[object] = []
    threads = [
        threading.Thread(target=lambda: found.append(seal_due(database, after))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([one for one in found if one]) == 1
    assert verify(database).seals == 2


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        (
            "UPDATE audit_record SET client = 'x' WHERE id = (SELECT min(id) FROM audit_record)",
            "a record is not what was sealed",
        ),
        (
            "UPDATE audit_record SET detail = '{}' WHERE id = (SELECT max(id) FROM audit_record)",
            "a record is not what was sealed",
        ),
        (
            "UPDATE audit_record SET at = at + interval '1 microsecond'",
            "a record is not what was sealed",
        ),
        (
            "DELETE FROM audit_record WHERE id = (SELECT min(id) FROM audit_record)",
            "4 records were sealed, 3 are there",
        ),
        ("DELETE FROM audit_record", "4 records were sealed, 0 are there"),
        ("DELETE FROM audit_seal WHERE id = (SELECT min(id) FROM audit_seal)", "was removed"),
        (
            "UPDATE audit_seal SET digest = repeat('a', 64) WHERE after_id = 0",
            "a record is not what was sealed",
        ),
        (
            "UPDATE audit_seal SET sealed_at = sealed_at - interval '1 day' WHERE after_id = 0",
            "the seal itself was changed",
        ),
    ],
)
def test_every_change_is_found(database: Database, statement: str, found: str) -> None:
    sealed(database)
    tamper(database, statement)
    verdict = verify(database)
    assert not verdict.whole
    assert any(found in one.what for one in verdict.breaks)


def test_a_trail_sealed_anew_is_found_by_a_seal_that_was_kept(database: Database) -> None:
    sealed(database)
    kept = verify(database).head
    tamper(database, "DELETE FROM audit_seal")
    tamper(database, "DELETE FROM audit_record WHERE id = (SELECT min(id) FROM audit_record)")
    assert seal_due(database, START)
    assert verify(database).whole
    assert not verify(database, kept=kept).whole


def test_a_record_that_is_being_written_is_waited_for(database: Database) -> None:
    act(database)
    with database.transaction() as session:
        audit.record(session, audit.system_actor("test"), "a:b", subject_kind="c", subject_id="d")
        session.flush()
        assert seal_due(database, START) is None, "an older id may still appear"
    made = seal_due(database, START)
    assert made is not None
    assert made.records == 2


def test_a_long_trail_is_sealed_in_parts(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_seals, "RECORDS_MAX", 5)
    act(database, 12)
    for minute in range(3):
        assert seal_due(database, START + EVERY * minute)
    verdict = verify(database)
    assert (verdict.seals, verdict.records, verdict.unsealed) == (3, 12, 0)
    assert verdict.whole
