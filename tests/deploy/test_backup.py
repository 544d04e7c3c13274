"""Backup and restore: on a real database and store, and as a drill with a whole system."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import delete, make_url, select

from deploy.embedded.postgres import EmbeddedPostgres
from deploy.keeping import HOLDINGS, backup
from deploy.keeping.backup import Copied
from deploy.keeping.manifest import BackupUnusable, Manifest, snapshots_in
from deploy.keeping.restore import RestoreRefused, choose, restore
from deploy.settings import Settings, load
from deploy.tls.authority import PrivateAuthority
from reading_worklist.access.second_factor import make_seal, open_seal
from reading_worklist.signing.authority import open_authority
from storage.audit_seals import seal_due, verify
from storage.clock import utc_now
from storage.database import Database
from storage.index.tables import Instance
from storage.keeping.tables import Verification
from storage.keeping.verification import Options, Verifier
from storage.messages import ReportIssued
from storage.objects import ObjectStore, open_object_store
from storage.registry import Organisation
from tests.pacs_gateway.datasets import sample
from tests.support.archive import Archive, lose_rows
from tests.support.desk import Desk
from tests.support.seed import Consortium
from tests.support.web import application


@pytest.fixture
def archive(database: Database, objects: ObjectStore, consortium: Consortium) -> Archive:
    made = Archive(database, objects, consortium.east.id, consortium.east_device.id)
    for _ in range(5):
        made.file(sample())
    return made


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data directory with a signing authority and an instance in the spool."""
    made = tmp_path / "var"
    made.mkdir()
    open_authority(made / "authority", organisation="青山县医共体", name="测试 CA")
    (made / "spool" / "one").mkdir(parents=True)
    (made / "spool" / "one" / "1.dcm").write_bytes(b"waiting")
    (made / "spool" / "one" / "2.dcm").write_bytes(b"")
    return made


@pytest.fixture
def empty(postgres: EmbeddedPostgres, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a machine on which there is nothing yet."""
    admin = make_url(postgres.superuser_url).set(drivername="postgresql")
    name = "restored"
    with psycopg.connect(
        admin.render_as_string(hide_password=False), autocommit=True
    ) as connection:
        create = sql.SQL("CREATE DATABASE {} OWNER rdc").format(sql.Identifier(name))
        connection.execute(create)
        url = make_url(postgres.url).set(database=name).render_as_string(hide_password=False)
        yield load(data_dir=tmp_path / "new", database_url=url)
        drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
        connection.execute(drop)


def quiet(_done: Copied) -> None:
    pass


def make(archive: Archive, data_dir: Path, folder: Path) -> tuple[Path, Manifest]:
    return backup.make(folder, archive.database.url, archive.objects, data_dir, quiet)


def rows(database: Database) -> list[Any]:
    with database.transaction() as session:
        found = session.execute(select(Instance.__table__).order_by(Instance.id)).all()  # pyright: ignore[reportArgumentType]
        return [tuple(row) for row in found]


def test_a_restored_system_is_the_one_that_was_backed_up(
    archive: Archive, data_dir: Path, tmp_path: Path, empty: Settings
) -> None:
    snapshot, manifest = make(archive, data_dir, tmp_path / "backup")
    assert (manifest.objects, manifest.problems) == (5, {})
    objects = open_object_store(empty.object_store)
    done = restore(snapshot, empty, objects, quiet, force=False)
    assert (done.copied, done.problems) == (5, {})
    assert empty.database_url is not None
    restored = Database(empty.database_url)
    try:
        assert rows(restored) == rows(archive.database)
        run = Verifier(restored, objects, HOLDINGS, Options()).run(lambda _tally: None)
        with restored.transaction() as session:
            assert session.get_one(Verification, run).findings == 0
            codes = select(Organisation.code).order_by(Organisation.code)
            assert set(session.scalars(codes)) >= {"county", "centre", "EAST", "WEST"}
    finally:
        restored.close()
    for path in (data_dir / "authority").iterdir():
        assert (empty.data_dir / "authority" / path.name).read_bytes() == path.read_bytes()
    spooled = [path for path in (empty.data_dir / "spool").rglob("*") if path.is_file()]
    assert [path.name for path in spooled] == ["1.dcm"]


def test_what_was_signed_still_counts_and_keys_still_sign(
    archive: Archive, consortium: Consortium, tmp_path: Path, empty: Settings
) -> None:
    data = tmp_path / "var"
    app = application(consortium, archive.objects, data)
    seal = make_seal(data / "authority")
    writer = consortium.people["writer"].id
    sealed = seal.close("JBSWY3DPEHPK3PXP", writer)
    private = PrivateAuthority(data / "tls")
    private.make("青山县医共体")
    issued = private.issue("EAST_CT")
    before = Desk(app, consortium, consortium.queued_study().workitem_id)
    before.write()
    before.finalise()
    assert seal_due(archive.database, utc_now() + timedelta(hours=1)) is not None
    snapshot, _ = make(archive, data, tmp_path / "backup")
    objects = open_object_store(empty.object_store)
    assert restore(snapshot, empty, objects, quiet, force=False).problems == {}
    assert empty.database_url is not None
    restored = Database(empty.database_url)
    try:
        assert verify(restored).whole
        assert open_seal(empty.authority_dir).open(sealed, writer) == "JBSWY3DPEHPK3PXP"
        assert PrivateAuthority(empty.tls_dir).find("EAST_CT").fingerprint == issued.fingerprint
        again = Consortium(restored)
        app = application(again, objects, empty.data_dir, signers=False)
        found = Desk(app, again, before.id)
        version = before.messages(ReportIssued)[-1].report_version_id
        answer = found("reviewer").get(f"/api/reports/{version}/verification")
        assert answer.json()["verdict"] == "valid"
        after = Desk(app, again, again.queued_study(local_id="P2").workitem_id)
        after.write()
        after.finalise()
    finally:
        restored.close()


def test_a_system_is_not_replaced_by_mistake(
    archive: Archive, data_dir: Path, tmp_path: Path, empty: Settings
) -> None:
    folder = tmp_path / "backup"
    snapshot, _ = make(archive, data_dir, folder)
    objects = open_object_store(empty.object_store)
    restore(snapshot, empty, objects, quiet, force=False)
    with pytest.raises(RestoreRefused, match="holds a system already"):
        restore(snapshot, empty, objects, quiet, force=False)
    assert empty.database_url is not None
    database = Database(empty.database_url)
    with database.transaction() as session:
        session.execute(select(1))
        with pytest.raises(RestoreRefused, match="being used"):
            restore(snapshot, empty, objects, quiet, force=True)
    database.close()
    again = restore(snapshot, empty, objects, quiet, force=True)
    assert (again.copied, again.present) == (0, 5)


def test_only_new_objects_are_copied_and_old_snapshots_can_go(
    archive: Archive, data_dir: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    first, _ = make(archive, data_dir, folder)
    _, received = archive.file(sample())
    seen: list[int] = []
    backup.make(
        folder,
        archive.database.url,
        archive.objects,
        data_dir,
        lambda done: seen.append(done.copied),
    )
    assert seen == [1]
    with archive.database.transaction() as session:
        lose_rows(session, delete(Instance).where(Instance.object_key == received.object_key))
    third, _ = make(archive, data_dir, folder)
    assert backup.keep_newest(folder, 1) == (2, 1)
    assert snapshots_in(folder) == [third]
    assert backup.check(folder, third, quiet).problems == {}
    with pytest.raises(BackupUnusable, match="no backup"):
        choose(folder, first.name)


def test_what_is_damaged_is_named_and_the_rest_is_kept(
    archive: Archive, data_dir: Path, tmp_path: Path
) -> None:
    lost, changed = sorted(row.key for row in archive.objects.list("instances/"))[:2]
    archive.objects.delete(lost)
    with (tmp_path / "objects" / changed).open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\xff")
    folder = tmp_path / "backup"
    snapshot, manifest = make(archive, data_dir, folder)
    assert set(manifest.problems) == {lost, changed}
    assert not (folder / "objects" / changed).exists()
    assert len(list((folder / "objects").rglob("*.dcm"))) == 3
    found = backup.check(folder, snapshot, quiet)
    assert (found.present, set(found.problems)) == (3, {lost, changed})


def test_a_changed_backup_is_found_and_not_restored(
    archive: Archive, data_dir: Path, tmp_path: Path, empty: Settings
) -> None:
    folder = tmp_path / "backup"
    snapshot, _ = make(archive, data_dir, folder)
    copy = next((folder / "objects").rglob("*.dcm"))
    with copy.open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\xff")
    assert len(backup.check(folder, snapshot, quiet).problems) == 1
    objects = open_object_store(empty.object_store)
    done = restore(snapshot, empty, objects, quiet, force=False)
    assert list(done.problems) == [str(copy.relative_to(folder / "objects"))]
    with (snapshot / "database.dump").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(BackupUnusable, match="not as it was written"):
        restore(snapshot, empty, objects, quiet, force=True)
