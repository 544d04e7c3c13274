"""Every object against the rows that name it, in both directions, on a real store and database."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, select, update

from deploy.keeping import HOLDINGS
from storage.audit import AuditRecord
from storage.clock import utc_now
from storage.database import Database
from storage.index.tables import Instance, Quarantine, QuarantineReason, Series, Study
from storage.keeping.kept import kept_of
from storage.keeping.tables import Fault, Verification
from storage.keeping.verification import (
    Finding,
    NothingToResume,
    Options,
    Pair,
    Tally,
    Verifier,
    findings_of,
    latest,
)
from storage.objects import ObjectKey, ObjectStore
from storage.report_objects.tables import ReportObject
from tests.pacs_gateway.datasets import sample
from tests.support.archive import Archive, lose_rows
from tests.support.report_objects import file_page
from tests.support.seed import Consortium

AT_ONCE = timedelta(0)


@pytest.fixture
def archive(database: Database, objects: ObjectStore, consortium: Consortium) -> Archive:
    return Archive(database, objects, consortium.east.id, consortium.east_device.id)


def nothing(_tally: Tally) -> None:
    pass


def verify(archive: Archive, *, resume: bool = False, **options: object) -> UUID:
    chosen = Options(**{"settle": AT_ONCE, **options})  # pyright: ignore[reportArgumentType]
    verifier = Verifier(archive.database, archive.objects, HOLDINGS, chosen)
    return verifier.run(nothing, resume=resume)


def found(archive: Archive, run: UUID) -> set[tuple[Fault, str]]:
    with archive.database.transaction() as session:
        return {(one.fault, one.object_key) for one in findings_of(session, run, limit=1000)}


def path_of(tmp_path: Path, key: str) -> Path:
    return tmp_path / "objects" / key


def test_a_whole_archive_has_no_findings(archive: Archive) -> None:
    items = [sample() for _ in range(5)]
    for item in items:
        archive.file(item)
    run = verify(archive)
    assert found(archive, run) == set()
    with archive.database.transaction() as session:
        kept = latest(session)
        assert kept is not None
        assert kept.id == run
        assert kept.objects == 5
        assert kept.bytes_read == sum(len(item.encoded) for item in items)
        assert session.scalars(
            select(AuditRecord.subject_id).where(AuditRecord.action == "archive:verify")
        ).one() == str(run)


def test_all_that_is_kept_is_counted_by_site(archive: Archive) -> None:
    _, filed = archive.file(sample())
    site = archive.origin.site_id
    with archive.database.transaction() as session:
        series = session.scalars(select(Series.id)).one()
        study_id = session.scalars(select(Study.id)).one()
    archive.objects.put(ObjectKey(f"derived/series-metadata/{series}/1-1.json"), b"12345")
    archive.objects.put(ObjectKey("derived/series-metadata/999/1-1.json"), b"of no series")
    reading = uuid4()
    for number in (1, 2):
        file_page(archive.database, archive.objects, study_id, reading, number)
    with archive.database.transaction() as session:
        pages = session.scalars(select(ReportObject.object_size)).all()
    verify(archive)
    with archive.database.transaction() as session:
        counted = {one.kind: (one.objects, one.bytes) for one in kept_of(session, site)}
    # The page that does not stand any more takes its place in the store like the other.
    assert counted == {
        "instances": (3, filed.object_size + sum(pages)),
        "prepared": (1, 5),
    }


def test_each_fault_is_found_and_named(archive: Archive, tmp_path: Path) -> None:
    lost, changed, cut, fine, forgotten = (archive.file(sample())[1].object_key for _ in range(5))
    path_of(tmp_path, lost).unlink()
    with path_of(tmp_path, changed).open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\xff")
    with path_of(tmp_path, cut).open("r+b") as file:
        file.truncate(2000)
    with archive.database.transaction() as session:
        lose_rows(session, delete(Instance).where(Instance.object_key == forgotten))
    archive.objects.put(ObjectKey("elsewhere/a"), b"x")
    archive.objects.put(ObjectKey("derived/a"), b"x")
    run = verify(archive)
    assert found(archive, run) == {
        (Fault.MISSING, lost),
        (Fault.WRONG_DIGEST, changed),
        (Fault.WRONG_SIZE, cut),
        (Fault.NO_ROW, forgotten),
        (Fault.FOREIGN, "elsewhere/a"),
    }
    assert fine not in {key for _, key in found(archive, run)}
    with archive.database.transaction() as session:
        assert session.get_one(Verification, run).derived == 1


def test_what_is_too_young_is_notjudged(archive: Archive) -> None:
    archive.store(sample())
    run = verify(archive, settle=timedelta(minutes=15))
    assert found(archive, run) == set()
    with archive.database.transaction() as session:
        assert session.get_one(Verification, run).recent == 1


def test_a_row_that_comes_while_it_runs_is_no_finding(archive: Archive) -> None:
    item = sample()
    key = archive.store(item)

    class LateRow(Verifier):
        def judge(self, doubtful: Sequence[Pair]) -> list[Finding]:
            archive.index(item, key)
            return super().judge(doubtful)

    run = LateRow(archive.database, archive.objects, HOLDINGS, Options(settle=AT_ONCE)).run(nothing)
    assert found(archive, run) == set()
    assert archive.objects.stat(key) is not None


def test_quarantined_bytes_are_compared_behind_their_head(
    archive: Archive, tmp_path: Path, consortium: Consortium
) -> None:
    name = uuid4()
    item = sample()
    key = archive.store(item, key=f"quarantine/{consortium.east.id}/{name}.dcm")
    _, filed = archive.file(item)
    with archive.database.transaction() as session:
        session.add(
            Quarantine(
                id=name,
                site_id=consortium.east.id,
                calling_ae_title="CT1",
                peer_address="",
                reason=QuarantineReason.COMMAND_MISMATCH,
                object_key=key,
                object_size=filed.object_size,
                dataset_sha256=filed.dataset_sha256,
                received_at=utc_now(),
            )
        )
    assert found(archive, verify(archive)) == set()
    with path_of(tmp_path, key).open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\xff")
    assert found(archive, verify(archive)) == {(Fault.WRONG_DIGEST, key)}


def test_one_site_and_a_time_limit_what_is_looked_at(
    archive: Archive, consortium: Consortium, database: Database, objects: ObjectStore
) -> None:
    west = Archive(database, objects, consortium.west.id, consortium.west_device.id)
    east_key = archive.file(sample())[1].object_key
    west_key = west.file(sample())[1].object_key
    for key in (east_key, west_key):
        objects.delete(ObjectKey(key))
    assert found(archive, verify(archive, site_id=consortium.west.id)) == {
        (Fault.MISSING, west_key)
    }
    assert found(archive, verify(archive, since=utc_now())) == set()


def test_a_sample_reads_less_and_still_misses_nothing_that_is_gone(archive: Archive) -> None:
    keys = [archive.file(sample())[1].object_key for _ in range(30)]
    archive.objects.delete(ObjectKey(keys[0]))
    run = verify(archive, sample=0.2)
    assert found(archive, run) == {(Fault.MISSING, keys[0])}
    with archive.database.transaction() as session:
        assert session.get_one(Verification, run).bytes_read < 25 * len(sample().encoded)


def test_an_interrupted_run_goes_on_where_it_was(archive: Archive, tmp_path: Path) -> None:
    keys = sorted(archive.file(sample())[1].object_key for _ in range(70))
    path_of(tmp_path, keys[0]).unlink()
    with archive.database.transaction() as session:
        session.execute(
            update(Instance).where(Instance.object_key == keys[1]).values(object_size=1)
        )

    class Cut(Exception):
        pass

    def cut(_tally: Tally) -> None:
        raise Cut

    with pytest.raises(Cut):
        Verifier(archive.database, archive.objects, HOLDINGS, Options(settle=AT_ONCE)).run(cut)
    with pytest.raises(NothingToResume):
        verify(archive, resume=True, sample=0.5)
    run = verify(archive, resume=True)
    assert found(archive, run) == {(Fault.MISSING, keys[0]), (Fault.WRONG_SIZE, keys[1])}
    with archive.database.transaction() as session:
        kept = session.get_one(Verification, run)
        assert kept.objects == 70
        assert kept.findings == 2
