"""What the doctor asks of a database's administrator, done word for word, makes the wall whole."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from deploy.doctor import servers
from deploy.embedded.postgres import EmbeddedPostgres
from deploy.settings import Settings, load
from storage.database import Database, migrate
from storage.pool import connection_parameters
from storage.registry import Organisation, OrganisationKind
from storage.walls.building import APP_ROLE, ROLES, leakproof_statements
from tests.deploy.test_doctor import of

OWNER = "the centre"


class Administrator:
    """The superuser of a server that somebody else installed, and a database made by the book."""

    def __init__(self, postgres: EmbeddedPostgres) -> None:
        self._own = postgres.superuser_url
        self._run("postgres", *(f"DROP OWNED BY {role}" for role in ROLES))
        self._run("postgres", *(f"DROP ROLE {role}" for role in ROLES))
        self._run(
            "postgres",
            f'CREATE ROLE "{OWNER}" LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB',
            f'CREATE DATABASE centre OWNER "{OWNER}"',
        )
        self._run("centre", *(f"{one.removesuffix('LEAKPROOF')} NOT LEAKPROOF"
                              for one in leakproof_statements()))  # fmt: skip
        self.url = self._own.replace("postgres@", "the%20centre@", 1).replace(
            "/postgres?", "/centre?", 1
        )

    def does(self, remedy: str) -> None:
        """Run what a remedy says, as psql would."""
        words = re.search(r"administrator[^:]*: (.*?)\.(?: |$)", remedy)
        assert words is not None, remedy
        self._run("centre", *words[1].split("; "))

    def _run(self, database: str, *statements: str) -> None:
        parameters: dict[str, Any] = {**connection_parameters(self._own), "dbname": database}
        with psycopg.connect(autocommit=True, **parameters) as connection:
            for one in statements:
                connection.execute(sql.SQL(one))  # pyright: ignore[reportArgumentType] -- as somebody typed it


@pytest.fixture
def administrator(tmp_path: Path) -> Iterator[Administrator]:
    with EmbeddedPostgres(tmp_path / "postgres") as postgres:
        yield Administrator(postgres)


def told(settings: Settings) -> str:
    return of(list(servers.look(settings)), "database")


def test_what_an_owner_without_rights_is_told_to_ask_for_is_enough(
    administrator: Administrator, tmp_path: Path
) -> None:
    settings = load(data_dir=tmp_path, database_url=administrator.url)
    migrate(administrator.url)
    first = told(settings)
    assert "by our own conditions alone" in first
    assert f'TO "{OWNER}"' in first
    administrator.does(first)
    migrate(administrator.url)
    assert told(settings) == ""

    with closing(Database(administrator.url)) as database:
        with database.engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT current_user").scalar() == APP_ROLE
        with database.transaction() as session:
            for code in ("A", "B"):
                kind = OrganisationKind.CONSORTIUM
                session.add(Organisation(code=code, name=code, name_en=code, kind=kind))
    second = told(settings)
    assert "several consortia" in second
    assert "in the database centre" in second
    administrator.does(second)
    assert told(settings) == ""
