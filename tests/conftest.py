"""Fixtures every test may use: a real PostgreSQL, a fresh migrated database, an object store."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from deploy.embedded.postgres import EmbeddedPostgres
from storage.database import Database, migrate
from storage.objects import ObjectStore, open_object_store
from tests.support.seed import Consortium

_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A real PostgreSQL server, without fsync since nothing of a test must outlive the machine."""
    with EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), durable=False) as server:
        yield server


def _connect(server: EmbeddedPostgres) -> psycopg.Connection:
    url = (
        make_url(server.superuser_url)
        .set(drivername="postgresql")
        .render_as_string(hide_password=False)
    )
    return psycopg.connect(url, autocommit=True)


@pytest.fixture(scope="session")
def template_database(postgres: EmbeddedPostgres) -> str:
    """The name of a migrated.

    Empty database from which each test's own is copied in milliseconds.
    """
    with _connect(postgres) as connection:
        connection.execute("CREATE DATABASE template_rdc OWNER rdc")
    migrate(
        make_url(postgres.url).set(database="template_rdc").render_as_string(hide_password=False)
    )
    return "template_rdc"


@pytest.fixture
def database_url(postgres: EmbeddedPostgres, template_database: str) -> Iterator[str]:
    """The URL of a migrated database of the test's own."""
    name = f"test_{next(_numbers)}"
    with _connect(postgres) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER rdc").format(
                sql.Identifier(name), sql.Identifier(template_database)
            )
        )
    yield make_url(postgres.url).set(database=name).render_as_string(hide_password=False)
    with _connect(postgres) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated database of the test's own, opened."""
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    """An empty object store on the filesystem."""
    return open_object_store(f"file://{tmp_path / 'objects'}")


@pytest.fixture
def consortium(database: Database) -> Consortium:
    """A centre, two sites with a device each, and a person of every role needed."""
    return Consortium(database)
