"""The migrations make exactly the tables the code declares.

And the database keeps what may not change.
"""

import importlib
import pkgutil
from pathlib import Path
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import delete, text, update
from sqlalchemy.exc import IntegrityError

import pacs_gateway
import reading_worklist
import storage
from storage.audit import AuditRecord, record, system_actor
from storage.database import Base, Database, as_owner, migrate
from storage.migrations.versions import __path__ as versions_path


def load_every_table() -> None:
    """Import whatever declares a table."""
    for room in (storage, pacs_gateway, reading_worklist):
        (folder,) = room.__path__
        for path in sorted(Path(folder).rglob("*.py")):
            if "__tablename__" in path.read_text("utf-8"):
                parts = path.relative_to(folder).with_suffix("").parts
                importlib.import_module(".".join((room.__name__, *parts)))


def test_schema_equals_migrations(database: Database) -> None:
    load_every_table()
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_migrating_again_changes_nothing(database_url: str) -> None:
    migrate(database_url)


def test_there_is_one_line_of_migrations(database: Database) -> None:
    files = sorted(module.name for module in pkgutil.iter_modules(versions_path))
    with database.transaction() as session:
        head = session.scalar(text("SELECT version_num FROM alembic_version"))
    assert files[-1].startswith(str(head))


@pytest.mark.parametrize(
    "change",
    [update(AuditRecord).values(action="x"), delete(AuditRecord), text("TRUNCATE audit_record")],
)
def test_an_audit_record_stays_as_it_is(database: Database, change: object) -> None:
    with database.transaction() as session:
        record(session, system_actor("test"), "test:act", subject_kind="test", subject_id=uuid4())
    with pytest.raises(IntegrityError, match="only added"), database.transaction() as session:  # noqa: PT012 -- not even by the owner
        as_owner(session)
        session.execute(change)  # pyright: ignore[reportArgumentType, reportCallIssue]
