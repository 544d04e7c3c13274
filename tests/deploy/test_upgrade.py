"""What the release before this one left is brought to this version, and nothing of it is lost.

The data were made by that release's own code, see `tests/data/previous_release/make.py`.
"""

import hashlib
import json
import tarfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url, select

from deploy.embedded.postgres import EmbeddedPostgres
from deploy.keeping import HOLDINGS
from deploy.keeping.restore import choose, restore
from deploy.settings import Settings, load
from storage.audit_seals import seal_due, verify
from storage.clock import utc_now
from storage.database import Database, schema_version
from storage.deliveries import Delivery, DeliveryState
from storage.index.tables import Instance
from storage.keeping.tables import Verification
from storage.keeping.verification import Options, Verifier
from storage.objects import ObjectKey, ObjectStore, open_object_store
from tests.support.desk import Desk
from tests.support.seed import Consortium
from tests.support.web import application

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

MADE = Path(__file__).parent.parent / "data" / "previous_release"


@pytest.fixture
def upgraded(postgres: EmbeddedPostgres, tmp_path: Path) -> Iterator[tuple[Settings, Database]]:
    """The previous release's backup, restored by this release."""
    with tarfile.open(MADE / "backup.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    admin = make_url(postgres.superuser_url).set(drivername="postgresql")
    name = sql.Identifier("upgraded")
    with psycopg.connect(
        admin.render_as_string(hide_password=False), autocommit=True
    ) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER rdc").format(name))
        url = make_url(postgres.url).set(database="upgraded")
        settings = load(
            data_dir=tmp_path / "var", database_url=url.render_as_string(hide_password=False)
        )
        snapshot = choose(tmp_path / "backup", None)
        objects = open_object_store(settings.object_store)
        done = restore(snapshot, settings, objects, lambda _done: None, force=False)
        assert done.problems == {}
        database = Database(url.render_as_string(hide_password=False))
        yield settings, database
        database.close()
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def test_data_of_the_previous_release(
    upgraded: tuple[Settings, Database],
) -> None:
    settings, database = upgraded
    facts: dict[str, Any] = json.loads((MADE / "facts.json").read_text())
    objects = open_object_store(settings.object_store)
    _check_rows(database, facts["tables"])
    _check_instances(database, objects, facts["instances"])
    run = Verifier(database, objects, HOLDINGS, Options()).run(lambda _tally: None)
    with database.transaction() as session:
        assert session.get_one(Verification, run).findings == 0
        assert session.scalars(select(Delivery.state)).all() == [DeliveryState.DELIVERED]
    # What that release wrote down without seals is sealed from now on.
    while seal_due(database, utc_now() + timedelta(hours=1)) is not None:
        pass
    verdict = verify(database)
    assert verdict.whole
    assert verdict.records >= facts["tables"]["audit_record"]
    _check_work_goes_on(settings, database, objects, facts)


def _check_rows(database: Database, tables: dict[str, int]) -> None:
    """No table has fewer rows than it had; the schema is this version's."""
    url = make_url(database.url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url) as connection:
        [version] = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        assert version == (schema_version(),)
        for name, before in tables.items():
            [(now,)] = connection.execute(
                sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name))
            ).fetchall()
            assert now >= before, name


def _check_instances(database: Database, objects: ObjectStore, digests: dict[str, str]) -> None:
    """Every dataset is there, byte for byte."""
    with database.transaction() as session:
        rows = session.scalars(select(Instance)).all()
        assert {row.sop_instance_uid for row in rows} == set(digests)
        for row in rows:
            dataset = objects.read(ObjectKey(row.object_key), row.dataset_offset)
            assert hashlib.sha256(dataset).hexdigest() == digests[row.sop_instance_uid]


def _check_work_goes_on(
    settings: Settings, database: Database, objects: ObjectStore, facts: dict[str, Any]
) -> None:
    """People come in with their passwords and sign with their keys; what was signed counts."""
    consortium = Consortium(database)
    app = application(consortium, objects, settings.data_dir, signers=False)
    waiting = Desk(app, consortium, UUID(facts["workitems"]["1.2.3.200"]))
    waiting.finalise()
    for version, digest in facts["reports"].items():
        answer = waiting("reviewer").get(f"/api/reports/{version}/verification").json()
        assert (answer["verdict"], answer["sha256"]) == ("valid", digest), answer
    ledger = waiting("doctor-east").get("/api/ledger").json()
    assert ledger["items"], "the site still sees the exams that it sent"
