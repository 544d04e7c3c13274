"""Connections of the pool: dead ones are replaced, and reading begins no transaction."""

from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url, text

from deploy.embedded.postgres import EmbeddedPostgres
from storage.database import Database, as_owner
from storage.pool import EncodingUnfit, connection_parameters

_SELF = text("SELECT pg_backend_pid()")


def test_connections_that_the_server_ended_are_replaced_before_their_next_use(
    database: Database,
) -> None:
    with database.reading() as one, database.reading() as other:
        ended = {one.scalar(_SELF), other.scalar(_SELF)}
        with database.transaction() as third:
            as_owner(third)
            for number in ended:
                third.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": number})
    with database.transaction() as session:
        assert session.scalar(_SELF) not in ended
    with database.reading() as one, database.reading() as other, database.reading() as third:
        assert not ended & {one.scalar(_SELF), other.scalar(_SELF), third.scalar(_SELF)}


def test_reading_sees_what_is_committed_meanwhile(database: Database) -> None:
    state = text("SELECT pg_current_xact_id_if_assigned() IS NULL, now() = statement_timestamp()")
    with database.transaction() as session:
        as_owner(session)
        session.execute(text("CREATE TABLE seen (n int)"))
        session.execute(text("GRANT ALL ON seen TO PUBLIC"))
    with database.reading() as connection:
        assert tuple(connection.execute(state).one()) == (True, True)
        with database.transaction() as session:
            session.execute(text("INSERT INTO seen VALUES (1)"))
        assert connection.scalar(text("SELECT n FROM seen")) == 1
        # Each statement is by itself.
        assert tuple(connection.execute(state).one()) == (True, True)
    with database.transaction() as session:
        as_owner(session)
        session.execute(text("DROP TABLE seen"))


def test_a_database_that_cannot_keep_every_name_is_refused(
    postgres: EmbeddedPostgres, database_url: str
) -> None:
    parameters: dict[str, Any] = {**connection_parameters(postgres.superuser_url)}
    with psycopg.connect(autocommit=True, **parameters) as server:
        # What Debian makes on a machine without a language.
        server.execute(
            "CREATE DATABASE ascii ENCODING SQL_ASCII LOCALE_PROVIDER libc LOCALE 'C'"
            " TEMPLATE template0"
        )
        try:
            url = make_url(database_url).set(database="ascii").render_as_string(hide_password=False)
            with pytest.raises(EncodingUnfit, match="found SQL_ASCII"), Database(url).reading():
                pass
        finally:
            server.execute("DROP DATABASE ascii WITH (FORCE)")
