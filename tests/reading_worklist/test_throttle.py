"""Who guesses passwords waits, longer each time; nobody else does."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from reading_worklist.access import throttle
from reading_worklist.access.tables import SignInThrottle
from reading_worklist.problems import Problem
from storage.audit import AuditRecord
from storage.database import Database
from storage.objects import ObjectStore
from tests.support.seed import PASSWORD, Consortium
from tests.support.web import application

START = datetime(2026, 11, 22, 8, tzinfo=UTC)


def tries(database: Database, login: str, client: str, at: datetime) -> bool:
    """Try once at a moment; whether it was let through to the password."""
    try:
        with database.transaction() as session:
            throttle.count_try(session, login, client, now=at)
    except Problem:
        return False
    return True


def test_the_wait_doubles_up_to_its_limit() -> None:
    rule = throttle.LOGIN_AT_ADDRESS
    waits = [rule.wait(n) for n in range(1, 200)]
    assert waits[: rule.free - 1] == [None] * (rule.free - 1)
    assert waits[rule.free - 1 : rule.free + 2] == [
        timedelta(seconds=30),
        timedelta(seconds=60),
        timedelta(seconds=120),
    ]
    assert waits[-1] == timedelta(minutes=15)


def test_five_wrong_ones_make_one_wait_and_a_wait_is_not_prolonged(database: Database) -> None:
    assert all(tries(database, "writer", "10.1.1.1", START) for _ in range(5))
    for second in (0, 10, 29):
        assert not tries(database, "writer", "10.1.1.1", START + timedelta(seconds=second))
    after = START + timedelta(seconds=30)
    assert tries(database, "writer", "10.1.1.1", after)
    assert not tries(database, "writer", "10.1.1.1", after + timedelta(seconds=59))
    # The doctor at her own desk, and everybody else at the guesser's address, are not held up.
    assert tries(database, "writer", "10.1.1.2", START)
    assert tries(database, "reviewer", "10.1.1.1", START)


def test_many_addresses_do_not_help_against_one_login(database: Database) -> None:
    made = [tries(database, "writer", f"10.1.{n}.1", START) for n in range(60)]
    assert made == [True] * throttle.LOGIN.free + [False] * (60 - throttle.LOGIN.free)


def test_many_logins_do_not_help_at_one_address(database: Database) -> None:
    free = throttle.ADDRESS.free
    made = [tries(database, f"person{n}", "10.1.1.1", START) for n in range(free + 5)]
    assert made == [True] * free + [False] * 5
    assert tries(database, "person0", "10.1.1.1", START + timedelta(hours=1))


def test_who_signs_in_is_forgiven_and_the_address_keeps_the_guesses(database: Database) -> None:
    for _ in range(4):
        assert tries(database, "writer", "10.1.1.1", START)
    with database.transaction() as session:
        throttle.forgive(session, "writer", "10.1.1.1", now=START)
    with database.transaction() as session:
        assert session.scalars(select(SignInThrottle.tries)).all() == [3]
    assert all(tries(database, "writer", "10.1.1.1", START) for _ in range(5))


def test_guesses_at_once_are_all_counted(database: Database) -> None:
    with ThreadPoolExecutor(8) as many:
        made = list(many.map(lambda _: tries(database, "writer", "10.1.1.1", START), range(24)))
    assert sum(made) == throttle.LOGIN_AT_ADDRESS.free


@pytest.mark.parametrize("login", ["writer", "nobody"])
def test_the_answer_says_how_long_and_not_who_exists(
    consortium: Consortium, objects: ObjectStore, tmp_path: Path, login: str
) -> None:
    app: FastAPI = application(consortium, objects, tmp_path, signers=False)
    client = TestClient(app)
    wrong = {"login": login, "password": "wrong"}
    assert [client.post("/api/session", json=wrong).status_code for _ in range(5)] == [401] * 5
    answer = client.post("/api/session", json={"login": login, "password": PASSWORD})
    assert answer.status_code == 429
    assert answer.json()["type"] == "urn:rdc:problem:too-many-attempts"
    assert 25 <= int(answer.headers["retry-after"]) <= 30
    with consortium.database.transaction() as session:
        refusals = session.scalar(
            select(func.count()).where(AuditRecord.action == "session:refused")
        )
    assert refusals == 5
