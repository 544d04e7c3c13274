"""Fixtures every test may use: a real PostgreSQL, a fresh migrated database, an object store."""

import gc
import itertools
import shutil
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from deploy.embedded.postgres import EmbeddedPostgres
from storage.database import Database, migrate
from storage.objects import ObjectStore, open_object_store
from tests.support import memory
from tests.support.seed import Consortium
from tests.support.statements import written_once

_numbers = itertools.count()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Put `tmp_path` into memory where there is room; collect nothing before all is loaded."""
    gc.disable()
    # A worker of xdist is given a folder of its controller's.
    if not hasattr(config, "workerinput"):
        memory.keep_temporary_files()


def pytest_collection_finish() -> None:
    """Spare the collector what stays until the end: modules, routes and the tests themselves.

    Looking at all of it again and again took a tenth of the suite's processor time.
    """
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture
def disk_path() -> Iterator[Path]:
    """An empty folder on a disk, for what a file system in memory would not show."""
    path = Path(tempfile.mkdtemp(prefix="rdc-test-", dir=memory.DISK))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A real PostgreSQL server, without fsync since nothing of a test must outlive the machine."""
    directory = tmp_path_factory.mktemp("postgres")
    with EmbeddedPostgres(directory, durable=False) as server, written_once(server.url):
        yield server
    # Nobody reads it after a failure, and it is the largest by far of what would be kept.
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def superuser(postgres: EmbeddedPostgres) -> Iterator[psycopg.Connection]:
    """The one connection over which databases are made and dropped."""
    url = (
        make_url(postgres.superuser_url)
        .set(drivername="postgresql")
        .render_as_string(hide_password=False)
    )
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def template_database(postgres: EmbeddedPostgres, superuser: psycopg.Connection) -> str:
    """The name of a migrated, empty database from which each test's own is copied."""
    superuser.execute("CREATE DATABASE template_rdc OWNER rdc")
    migrate(
        make_url(postgres.url).set(database="template_rdc").render_as_string(hide_password=False)
    )
    return "template_rdc"


@pytest.fixture(scope="session")
def consortium_database(
    postgres: EmbeddedPostgres, new_database: Callable[..., AbstractContextManager[str]]
) -> Iterator[str]:
    """The name of such a database in which the consortium stands already.

    Making it is as much work as copying the database.
    """
    with new_database() as url:
        database = Database(url)
        Consortium(database)
        database.close()
        name = make_url(url).database
        assert name is not None
        yield name


@pytest.fixture(scope="session")
def new_database(
    postgres: EmbeddedPostgres, superuser: psycopg.Connection, template_database: str
) -> Callable[..., AbstractContextManager[str]]:
    """Makes databases, for fixtures that several tests share; gives the URL of each.

    They are migrated and empty, or copies of the one that is named.
    """

    @contextmanager
    def made(template: str = template_database) -> Generator[str]:
        name = f"test_{next(_numbers)}"
        superuser.execute(
            # Copying the files takes a quarter of the time of copying page by page through the log.
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER rdc STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        yield make_url(postgres.url).set(database=name).render_as_string(hide_password=False)
        _leave(superuser, name)
        superuser.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    return made


def _leave(superuser: psycopg.Connection, name: str) -> None:
    """End all connections to a database.

    Where one is still there, and be it that it is just being closed, dropping waits for 0.1 s.
    """
    ended = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = %s AND backend_type = 'client backend'"
    )
    while superuser.execute(ended, (name,)).fetchone() != (0,):
        time.sleep(0.001)


@pytest.fixture
def database_url(
    request: pytest.FixtureRequest, new_database: Callable[..., AbstractContextManager[str]]
) -> Iterator[str]:
    """The URL of a migrated database of the test's own."""
    wanted = ["consortium_database"] if "consortium" in request.fixturenames else []
    with new_database(*map(request.getfixturevalue, wanted)) as url:
        yield url


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
