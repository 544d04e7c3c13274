"""The index made again from the objects alone, in the same and in an empty database."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from pydicom.uid import EncapsulatedPDFStorage
from sqlalchemy import delete, select

from pacs_gateway.rebuilding import Rebuilder, Rebuilt
from storage.clock import utc_now
from storage.database import Database
from storage.index.tables import (
    Instance,
    Patient,
    Quarantine,
    QuarantineReason,
    Series,
    Study,
    StudyState,
)
from storage.objects import ObjectKey, ObjectStore
from storage.outbox import OutboxMessage
from storage.receptions import Refusal
from storage.registry import Device, Organisation, change_organisation
from storage.report_objects.names import ReportObjectKind, sop_instance_uid
from storage.report_objects.tables import ReportObject
from tests.pacs_gateway.conftest import Site
from tests.pacs_gateway.datasets import pydicom_file, sample
from tests.support.archive import Archive, lose_rows
from tests.support.report_objects import file_page

# What is made anew whenever a row is, or tells when the study was complete.
VOLATILE = {
    "id",
    "study_id",
    "series_id",
    "patient_id",
    "created_at",
    "quiet_due_at",
    "completed_at",
    "state",
    "generation",
    "instance_id",
}


def rebuild(database: Database, objects: ObjectStore, *, announce: bool = False) -> Rebuilt:
    since = utc_now() - timedelta(days=36500 if announce else 0)
    return Rebuilder(database, objects, announce_since=since).run(lambda _done: None)


def rows(database: Database, table: type) -> list[dict[str, Any]]:
    with database.transaction() as session:
        found = session.execute(select(table.__table__)).mappings().all()  # pyright: ignore[reportAttributeAccessIssue]
    kept = [{k: v for k, v in row.items() if k not in VOLATILE} for row in found]
    return sorted(kept, key=repr)


def index(database: Database) -> dict[str, list[dict[str, Any]]]:
    return {
        table.__name__: rows(database, table)
        for table in (Patient, Study, Series, Instance, Quarantine)
    }


def drop_index(database: Database) -> None:
    with database.transaction() as session:
        lose_rows(session, *(delete(one) for one in (Quarantine, Instance, Series, Study, Patient)))


def fill(archive: Archive, other: Archive) -> None:
    first = sample(PatientName="Zhang^San", InstanceNumber=1)
    for item in (
        first,
        sample(InstanceNumber=2, SeriesInstanceUID="1.2.3.100.2"),
        sample(StudyInstanceUID="1.2.3.200", SeriesInstanceUID="1.2.3.200.1", PatientID=None),
        pydicom_file("JPEG2000.dcm"),
        pydicom_file("waveform_ecg.dcm"),
        pydicom_file("image_dfl.dcm"),
        # Another version of an instance, and an instance of another patient.
        sample(SOPInstanceUID=first.sop_instance_uid, SeriesDescription="other"),
        sample(PatientID="P2"),
    ):
        archive.file(item)
    other.file(sample())
    entry = uuid4()
    key = f"quarantine/{archive.origin.site_id}/{entry}.dcm"
    refusal = Refusal(QuarantineReason.COMMAND_MISMATCH, "another UID", "1.2", "1.2.3.4")
    archive.store(sample(), refusal=refusal, key=key)


@pytest.fixture
def archive(database: Database, objects: ObjectStore, site: Site, other_site: Site) -> Archive:
    made = Archive(database, objects, site.id, site.device_id)
    fill(made, Archive(database, objects, other_site.id, other_site.device_id, ae_title="CT2"))
    # The quarantine as the rebuilding knows it, since it was filled without a drain.
    rebuild(database, objects)
    return made


def test_dropped_rows_come_back_as_they_were(
    archive: Archive, database: Database, objects: ObjectStore
) -> None:
    before = index(database)
    assert len(before["Instance"]) == 7
    assert sorted(row["reason"] for row in before["Quarantine"]) == [
        "command_mismatch",
        "patient_mismatch",
        "uid_conflict",
    ]
    drop_index(database)
    assert index(database)["Instance"] == []
    done = rebuild(database, objects)
    assert (done.filed, done.quarantined, done.placeholders) == (7, 3, [])
    assert index(database) == before
    again = rebuild(database, objects)
    assert (again.filed, again.quarantined, again.known) == (0, 0, 8)
    assert index(database) == before


def test_of_a_reports_versions_the_last_one_comes_back(
    archive: Archive, database: Database, objects: ObjectStore
) -> None:
    with database.transaction() as session:
        study = session.scalars(select(Study).order_by(Study.id)).first()
        assert study is not None
        before = study.instance_count
    reading = uuid4()
    file_page(database, objects, study.id, reading, 1)
    last = sop_instance_uid(
        ReportObjectKind.PDF, file_page(database, objects, study.id, reading, 2)
    )
    with database.transaction() as session:
        lose_rows(session, delete(ReportObject))
    drop_index(database)
    rebuild(database, objects)
    with database.transaction() as session:
        pages = session.scalars(
            select(Instance.sop_instance_uid).where(
                Instance.sop_class_uid == EncapsulatedPDFStorage
            )
        ).all()
        assert pages == [last]
        again = session.scalars(
            select(Study).where(
                Study.site_id == study.site_id,
                Study.study_instance_uid == study.study_instance_uid,
            )
        ).one()
        assert (again.instance_count, again.sent_count) == (before + 1, before)
        known = session.scalars(select(ReportObject).order_by(ReportObject.version_number)).all()
        assert [one.superseded_at is None for one in known] == [False, True]


def test_old_studies_are_complete_and_new_ones_are_queued(
    archive: Archive, database: Database, objects: ObjectStore
) -> None:
    def states() -> set[tuple[str, int]]:
        with database.transaction() as session:
            found = session.execute(select(Study.state, Study.generation)).all()
            return {(state, generation) for state, generation in found}

    drop_index(database)
    rebuild(database, objects)
    assert states() == {(StudyState.COMPLETE, 1)}
    with database.transaction() as session:
        assert session.scalars(select(OutboxMessage.id)).all() == []
    drop_index(database)
    rebuild(database, objects, announce=True)
    assert states() == {(StudyState.RECEIVING, 0)}


def test_an_empty_registry_gets_sites_that_can_be_named(
    database: Database, objects: ObjectStore
) -> None:
    lost = Archive(database, objects, uuid4(), uuid4())
    lost.store(sample())
    lost.store(sample())
    done = rebuild(database, objects)
    assert done.placeholders == [f"recovered-{lost.origin.site_id.hex[:8]}"]
    with database.transaction() as session:
        made = session.get_one(Organisation, lost.origin.site_id)
        device = session.get_one(Device, lost.origin.device_id)
        assert (made.code, device.ae_title, device.active) == (done.placeholders[0], "CT1", False)
        change_organisation(session, made, code="EAST", name="东乡卫生院")
    assert len(rows(database, Instance)) == 2


def test_an_object_without_our_record_is_filed_by_its_name(
    archive: Archive, database: Database, objects: ObjectStore, site: Site
) -> None:
    item = sample(SOPInstanceUID="1.2.3.999")
    key = archive.store(item)
    whole = objects.read(key)
    blank = whole.replace(b'{"site_id"', b'["site_id"', 1)
    objects.delete(key)
    objects.put(key, blank)
    objects.put(ObjectKey(f"instances/{site.id}/aa/{'a' * 64}.dcm"), b"no DICOM at all")
    done = rebuild(database, objects)
    assert (done.without_record, done.filed) == (1, 1)
    assert list(done.refused) == [f"instances/{site.id}/aa/{'a' * 64}.dcm"]
