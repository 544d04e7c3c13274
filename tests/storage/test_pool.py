"""What a connection was told of whose it is: said when another is, and right whatever happened."""

import random
from collections.abc import Generator
from contextlib import contextmanager
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from storage import walls
from storage.database import Database, as_owner
from storage.walls.building import PERSON_SETTING, SETTING
from storage.walls.reach import Reach, Standing

A, B, NOBODY = Reach(frozenset({uuid4()})), Reach(frozenset({uuid4(), uuid4()})), Reach(frozenset())
EXPERT = Reach(frozenset(), Standing.EXPERT, uuid4())
OTHER_EXPERT = Reach(frozenset(), Standing.EXPERT, uuid4())
OPERATOR = Reach(A.sites, Standing.OPERATOR)

HELD = text(
    f"SELECT current_setting('{SETTING}', true), current_setting('{PERSON_SETTING}', true),"
    " current_user"
)
SELF = text("SELECT pg_backend_pid()")


@pytest.fixture
def one_connection(database_url: str) -> Generator[Database]:
    """A database of which each role has one connection, so that everybody gets the last one's."""
    opened = Database(database_url, pool_size=1)
    yield opened
    opened.close()


@contextmanager
def of(whose: Reach | None) -> Generator[None]:
    with walls.no_sites_yet():
        walls.see(whose)
        yield


@contextmanager
def told() -> Generator[list[str]]:
    """The statements meanwhile that tell the wall something."""
    found: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if "set_config" in statement:
            found.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def held(by: Connection | Session) -> tuple[frozenset[UUID], UUID | None, str]:
    sites, person, role = by.execute(HELD).one()
    return (
        frozenset(map(UUID, filter(None, (sites or "").split(",")))),
        UUID(person) if person else None,
        role,
    )


def expected(whose: Reach) -> tuple[frozenset[UUID], UUID | None, str]:
    return whose.sites, whose.person, str(whose.standing)


def read(database: Database, whose: Reach) -> tuple[frozenset[UUID], UUID | None, str]:
    with of(whose), database.reading() as connection:
        return held(connection)


def test_the_same_reader_again_is_not_told_again(one_connection: Database) -> None:
    with told() as said:
        assert read(one_connection, A) == expected(A)
        assert len(said) == 1
        # The same sites, made anew and in whatever order.
        assert read(one_connection, Reach(frozenset(list(A.sites)))) == expected(A)
        assert len(said) == 1
        assert read(one_connection, B) == expected(B)
        assert read(one_connection, NOBODY) == expected(NOBODY)
        assert read(one_connection, A) == expected(A)
        assert len(said) == 4


def test_one_person_is_not_taken_for_another(one_connection: Database) -> None:
    for whose in (EXPERT, OTHER_EXPERT, EXPERT, A, OPERATOR, EXPERT):
        assert read(one_connection, whose) == expected(whose)


@pytest.mark.parametrize("fails", [False, True])
def test_what_a_transaction_says_ends_with_it(one_connection: Database, fails: bool) -> None:  # noqa: FBT001 -- a parameter of the test
    assert read(one_connection, A) == expected(A)
    with of(B):
        try:
            with one_connection.transaction() as session:
                assert held(session) == expected(B)
                if fails:
                    session.execute(text("SELECT 1 / 0"))
        except DBAPIError:
            assert fails
    with told() as said:
        assert read(one_connection, A) == expected(A)
        assert said == []
    with of(NOBODY), one_connection.transaction() as session:
        assert held(session) == expected(NOBODY)


def test_who_took_the_role_off_in_a_transaction_leaves_no_trace(one_connection: Database) -> None:
    assert read(one_connection, A) == expected(A)
    with of(A), one_connection.transaction() as session:
        as_owner(session)
        assert held(session)[2] != Standing.SITES
    assert read(one_connection, A) == expected(A)


def test_an_error_leaves_the_connection_to_nobody_else(one_connection: Database) -> None:
    for whose in (A, B):
        with of(whose), pytest.raises(DBAPIError), one_connection.reading() as connection:
            connection.execute(text("SELECT 1 / 0"))
        assert read(one_connection, NOBODY) == expected(NOBODY)


def test_where_nobody_knows_what_the_server_heard_it_is_said_again(
    one_connection: Database,
) -> None:
    assert read(one_connection, A) == expected(A)

    def fail(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if "set_config" in statement:
            raise RuntimeError("the line broke")

    event.listen(Engine, "after_cursor_execute", fail)
    try:
        with pytest.raises(RuntimeError, match="broke"):
            read(one_connection, B)
    finally:
        event.remove(Engine, "after_cursor_execute", fail)
    for whose in (A, B):
        assert read(one_connection, whose) == expected(whose)


def test_a_connection_in_place_of_a_dead_one_has_been_told_nothing(
    one_connection: Database, database: Database
) -> None:
    with of(A), one_connection.reading() as connection:
        before = connection.scalar(SELF)
    with database.transaction() as other:
        as_owner(other)
        other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": before})
    with of(A), one_connection.reading() as connection:
        assert connection.scalar(SELF) != before
        assert held(connection) == expected(A)


def test_whoever_comes_in_whatever_order_has_his_own_sites(one_connection: Database) -> None:
    chosen = random.Random(20261123)
    for _ in range(300):
        whose = chosen.choice((A, B, NOBODY, EXPERT, OTHER_EXPERT, OPERATOR))
        act = chosen.choice(("read", "read", "read", "write", "fail", "fail in reading"))
        with of(whose):
            try:
                if act in ("read", "fail in reading"):
                    with one_connection.reading() as connection:
                        assert held(connection) == expected(whose)
                        if act != "read":
                            connection.execute(text("SELECT 1 / 0"))
                else:
                    with one_connection.transaction() as session:
                        assert held(session) == expected(whose)
                        if act == "fail":
                            session.execute(text("SELECT 1 / 0"))
            except DBAPIError:
                assert act.startswith("fail")
