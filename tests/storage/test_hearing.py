"""What a connection is notified of is heard at once, and so is that nobody listens any more."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from storage.database import Database, as_owner, notify
from storage.hearing import Hearing

CHANNEL = "test_hearing"
# Nobody waits so long for a test.
FOR_EVER = 3600.0


@pytest.fixture
def hearing() -> Iterator[Hearing]:
    with closing(Hearing()) as made:
        yield made


@pytest.fixture
def connection(database: Database) -> Iterator[psycopg.Connection[Any]]:
    with database.listen(CHANNEL) as listening:
        yield listening


def tell(database: Database, word: str) -> None:
    with database.transaction() as session:
        notify(session, CHANNEL, word)


def test_what_is_told_while_somebody_waits_is_heard(
    database: Database, hearing: Hearing, connection: psycopg.Connection[Any]
) -> None:
    assert hearing.news(connection, 0.0) == []
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(hearing.news, connection, FOR_EVER)
        tell(database, "one")
        assert [one.payload for one in waiting.result(30)] == ["one"]


def test_what_came_with_an_answer_is_heard_too(
    database: Database, hearing: Hearing, connection: psycopg.Connection[Any]
) -> None:
    tell(database, "one")
    connection.execute("SELECT 1")
    assert [one.payload for one in hearing.news(connection, FOR_EVER)] == ["one"]


def test_the_end_is_not_waited_for(
    database: Database, hearing: Hearing, connection: psycopg.Connection[Any]
) -> None:
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(hearing.news, connection, FOR_EVER)
        hearing.end()
        assert waiting.result(30) == []
    assert hearing.news(connection, FOR_EVER) == []
    tell(database, "what has come by then is heard")
    connection.execute("SELECT 1")
    assert len(hearing.news(connection, FOR_EVER)) == 1
    hearing.close()
    hearing.end()


def test_a_lost_connection_is_told_of(
    database: Database, hearing: Hearing, connection: psycopg.Connection[Any]
) -> None:
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(hearing.news, connection, FOR_EVER)
        with database.transaction() as session:
            as_owner(session)
            ended = text("SELECT pg_terminate_backend(:id)")
            session.execute(ended, {"id": connection.info.backend_pid})
        with pytest.raises(psycopg.OperationalError):
            waiting.result(30)
