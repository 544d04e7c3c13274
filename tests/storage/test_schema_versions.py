"""An older and a newer version of the software on one database."""

import pytest
from psycopg.conninfo import make_conninfo
from sqlalchemy import text

from storage import schema_versions
from storage.database import Database, check_schema, migrate, schema_version
from storage.pool import connection_parameters
from storage.schema_versions import SchemaUnfit, check_fit, own_version


def test_the_names_of_the_files_tell_the_version() -> None:
    assert own_version() == schema_version()


@pytest.mark.parametrize(
    ("found", "oldest", "remedy"),
    [
        ("0070", "0050", None),
        ("0071", "0050", None),
        ("0071", "0070", None),
        ("0071", "0071", "Install"),
        ("0071", None, "Install"),
        ("0069", "0050", "rdc migrate"),
        (None, None, "rdc migrate"),
    ],
)
def test_what_software_of_0070_works_with(
    found: str | None, oldest: str | None, remedy: str | None
) -> None:
    if remedy is None:
        check_fit(found, oldest, "0070")
        return
    with pytest.raises(SchemaUnfit, match=remedy):
        check_fit(found, oldest, "0070")


def test_a_later_schema_is_worked_with_and_left_alone_as_long_as_it_allows(
    database: Database, database_url: str
) -> None:
    check_schema(database_url)
    with database.transaction() as session:
        session.execute(text("SET LOCAL ROLE NONE"))
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    check_schema(database_url)
    migrate(database_url)
    with database.transaction() as session:
        session.execute(text("SET LOCAL ROLE NONE"))
        assert session.scalar(text("SELECT version_num FROM alembic_version")) == "9999"
        session.execute(text("COMMENT ON TABLE alembic_version IS '9998'"))
    for refuse in (check_schema, migrate):
        with pytest.raises(SchemaUnfit, match="later version"):
            refuse(database_url)


def test_an_empty_database_is_no_schema(database: Database, database_url: str) -> None:
    with database.transaction() as session:
        session.execute(text("SET LOCAL ROLE NONE"))
        session.execute(text("DROP TABLE alembic_version"))
    with pytest.raises(SchemaUnfit, match="rdc migrate"):
        check_schema(database_url)


def test_a_database_that_does_not_answer_is_not_waited_for() -> None:
    check_schema("postgresql://rdc@127.0.0.1:1/rdc")


def test_several_servers_are_told_to_libpq() -> None:
    url = "postgresql://rdc:p%40w@/rdc?host=a:1&host=b:2&target_session_attrs=read-write"
    assert connection_parameters(url) == {
        "user": "rdc",
        "password": "p@w",
        "dbname": "rdc",
        "host": "a,b",
        "port": "1,2",
        "target_session_attrs": "read-write",
    }
    assert make_conninfo("", **connection_parameters(url))
    assert own_version() >= schema_versions.OLDEST
