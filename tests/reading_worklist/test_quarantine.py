"""Quarantined instances: compared, decided, and taken back; both versions are always kept."""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from sqlalchemy import delete, select
from sqlalchemy.exc import DBAPIError

from deploy.keeping import HOLDINGS
from reading_worklist.quarantine.tables import QuarantineDecision
from storage.audit import AuditRecord
from storage.database import Database
from storage.index.ingest import Filing
from storage.index.tables import Instance, Quarantine, QuarantineReason, Series, Study, StudyState
from storage.keeping.tables import Verification
from storage.keeping.verification import Options, Verifier
from storage.objects import ObjectKey, ObjectStore
from tests.pacs_gateway.datasets import Sample, sample
from tests.support.archive import Archive
from tests.support.seed import Consortium
from tests.support.web import Browser, application


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    return application(consortium, objects, tmp_path, signers=False)


@pytest.fixture
def archive(database: Database, objects: ObjectStore, consortium: Consortium) -> Archive:
    return Archive(database, objects, consortium.east.id, consortium.east_device.id)


def set_aside(archive: Archive, item: Sample, reason: QuarantineReason, **detail: str) -> str:
    """File an instance that is not filed, and make its entry as the drain does."""
    outcome, received = archive.file(item)
    assert (outcome.filing, outcome.reason) == (Filing.CONFLICT, reason)
    entry_id = uuid4()
    with archive.database.transaction() as session:
        session.add(
            Quarantine(
                id=entry_id,
                site_id=received.site_id,
                device_id=received.device_id,
                calling_ae_title="EAST_CT",
                peer_address="127.0.0.1",
                reason=reason,
                sop_instance_uid=item.sop_instance_uid,
                instance_id=outcome.instance_id,
                object_key=received.object_key,
                object_size=received.object_size,
                dataset_sha256=received.dataset_sha256,
                detail={"study_instance_uid": "1.2.3.100", **detail},
                received_at=received.received_at,
            )
        )
    return str(entry_id)


@pytest.fixture
def first() -> Sample:
    return sample(SeriesDescription="first", InstanceNumber=1)


@pytest.fixture
def conflicting(archive: Archive, first: Sample) -> str:
    archive.file(first)
    other = sample(
        SOPInstanceUID=first.sop_instance_uid, SeriesDescription="second", InstanceNumber=2
    )
    return set_aside(archive, other, QuarantineReason.UID_CONFLICT)


def facts(browser: Browser, entry: str) -> dict[str, Any]:
    answer = browser.get(f"/api/quarantine/{entry}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def whole(archive: Archive) -> bool:
    run = Verifier(archive.database, archive.objects, HOLDINGS, Options()).run(lambda _tally: None)
    with archive.database.transaction() as session:
        return session.get_one(Verification, run).findings == 0


def test_both_versions_are_compared(app: FastAPI, conflicting: str) -> None:
    found = facts(Browser(app, "dispatcher"), conflicting)
    differing = {one["keyword"]: (one["filed"], one["newcomer"]) for one in found["differences"]}
    assert differing == {"SeriesDescription": ("first", "second"), "InstanceNumber": ("1", "2")}
    assert found["same_pixels"] is True
    assert found["filed"]["series_description"] == "first"
    assert found["newcomer"]["patient_name"] == "Zhang San"
    assert found["rendered_path"].startswith("/dicom-web/sites/EAST/studies/1.2.3.100/")
    assert found["actions"] == ["discard", "replace"]


def test_a_replacement_changes_places_and_can_be_taken_back(
    app: FastAPI, archive: Archive, conflicting: str, first: Sample
) -> None:
    database, dispatcher = archive.database, Browser(app, "dispatcher")

    def filed() -> tuple[bytes, int | None, int, int]:
        with database.transaction() as session:
            one = session.scalars(select(Instance)).one()
            series = session.scalars(select(Series)).one()
            study = session.scalars(select(Study)).one()
            assert series.byte_count == study.byte_count == one.object_size
            key = ObjectKey(one.object_key)
            encoded = archive.objects.read(key, one.dataset_offset)
            return encoded, one.instance_number, series.revision, one.pixel_data_offset or 0

    before = filed()
    assert before[0] == first.encoded
    path = f"/api/quarantine/{conflicting}"
    replaced = dispatcher.post(f"{path}/replace", reason="the site sent the right one")
    assert replaced.status_code == 200, replaced.text
    assert (replaced.json()["resolution"], replaced.json()["actions"]) == ("replace", ["undo"])
    after = filed()
    assert after[0] != before[0]
    assert (after[1], after[2]) == (2, before[2] + 1)
    assert whole(archive)
    with database.transaction() as session:
        # It becomes complete once more, and its readers are told.
        assert session.scalars(select(Study.state)).one() == StudyState.RECEIVING
    undone = dispatcher.post(f"{path}/undo", reason="it was not")
    assert (undone.json()["resolution"], undone.json()["actions"]) == (None, ["discard", "replace"])
    again = filed()
    assert (again[0], again[1], again[3]) == (before[0], before[1], before[3])
    assert whole(archive)
    assert [one["action"] for one in undone.json()["decisions"]] == ["replace", "undo"]
    with database.transaction() as session:
        acts = session.scalars(
            select(AuditRecord.action).where(
                AuditRecord.subject_kind == "quarantine", ~AuditRecord.action.endswith(":see")
            )
        ).all()
        assert acts == ["quarantine:replace", "quarantine:undo"]
    with pytest.raises(DBAPIError), database.transaction() as session:
        session.delete(session.scalars(select(QuarantineDecision).limit(1)).one())


def test_discarding_keeps_the_bytes_and_can_be_taken_back(
    app: FastAPI, archive: Archive, conflicting: str
) -> None:
    dispatcher = Browser(app, "dispatcher")
    path = f"/api/quarantine/{conflicting}"
    assert dispatcher.post(f"{path}/discard", reason="a copy").json()["actions"] == ["undo"]
    twice = dispatcher.post(f"{path}/discard", reason="a copy")
    assert (twice.status_code, twice.json()["type"]) == (409, "urn:rdc:problem:wrong-state")
    with archive.database.transaction() as session:
        entry = session.get_one(Quarantine, UUID(conflicting))
        assert archive.objects.stat(ObjectKey(entry.object_key)) is not None
    assert dispatcher.post(f"{path}/undo", reason="no copy").json()["resolution"] is None


def test_an_instance_with_another_patients_header_is_filed_when_a_person_says_so(
    app: FastAPI, archive: Archive, first: Sample
) -> None:
    archive.file(first)
    stray = sample(PatientID="P2", PatientName="Li^Si")
    entry = set_aside(archive, stray, QuarantineReason.PATIENT_MISMATCH)
    dispatcher = Browser(app, "dispatcher")
    found = facts(dispatcher, entry)
    assert {one["keyword"] for one in found["differences"]} == {"PatientID", "PatientName"}
    assert found["actions"] == ["discard", "file"]
    filed = dispatcher.post(f"/api/quarantine/{entry}/file", reason="asked at the site")
    assert (filed.json()["resolution"], filed.json()["actions"]) == ("file", ["undo"])
    with archive.database.transaction() as session:
        rows = session.scalars(select(Instance).order_by(Instance.id)).all()
        assert len(rows) == 2
        assert len({row.study_id for row in rows}) == 1
        kept = archive.objects.read(ObjectKey(rows[1].object_key), rows[1].dataset_offset)
        assert kept == stray.encoded, "the header stays as it was sent"
    assert whole(archive)
    undone = dispatcher.post(f"/api/quarantine/{entry}/undo", reason="asked again")
    assert (undone.json()["resolution"], undone.json()["actions"]) == (None, ["discard", "file"])
    with archive.database.transaction() as session:
        (left,) = session.scalars(select(Instance)).all()
        series, study = (
            session.get_one(Series, left.series_id),
            session.scalars(select(Study)).one(),
        )
        assert (series.instance_count, study.instance_count, study.series_count) == (1, 1, 1)
        assert series.byte_count == study.byte_count == left.object_size
        assert study.state == StudyState.RECEIVING
    assert whole(archive)
    # Filed once more, and undone where it was all of its series.
    assert dispatcher.post(f"/api/quarantine/{entry}/file", reason="yes").status_code == 200
    with pytest.raises(DBAPIError), archive.database.transaction() as session:
        # Nobody removes an instance whose bytes are not kept by an entry.
        session.execute(delete(Instance).where(Instance.id == left.id))


def test_what_was_filed_by_a_person_takes_its_series_along_when_that_is_undone(
    app: FastAPI, archive: Archive, first: Sample
) -> None:
    archive.file(first)
    stray = sample(PatientID="P2", SeriesInstanceUID="1.2.3.100.9", Modality="MR")
    entry = set_aside(archive, stray, QuarantineReason.PATIENT_MISMATCH)
    dispatcher = Browser(app, "dispatcher")
    for _ in range(2):
        assert dispatcher.post(f"/api/quarantine/{entry}/file", reason="yes").status_code == 200
        with archive.database.transaction() as session:
            assert session.scalars(select(Study.modalities)).one() == ["CT", "MR"]
        undone = dispatcher.post(f"/api/quarantine/{entry}/undo", reason="it is not")
        assert undone.status_code == 200
        with archive.database.transaction() as session:
            study = session.scalars(select(Study)).one()
            assert (study.modalities, study.series_count) == (["CT"], 1)
            assert len(session.scalars(select(Series)).all()) == 1


def test_filing_is_not_undone_while_other_versions_of_it_wait(
    app: FastAPI, archive: Archive, first: Sample
) -> None:
    archive.file(first)
    stray = sample(PatientID="P2")
    entry = set_aside(archive, stray, QuarantineReason.PATIENT_MISMATCH)
    dispatcher = Browser(app, "dispatcher")
    assert dispatcher.post(f"/api/quarantine/{entry}/file", reason="yes").status_code == 200
    other = sample(SOPInstanceUID=stray.sop_instance_uid, InstanceNumber=9)
    set_aside(archive, other, QuarantineReason.UID_CONFLICT)
    refused = dispatcher.post(f"/api/quarantine/{entry}/undo", reason="it is not")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:rdc:problem:other-versions")
    with archive.database.transaction() as session:
        assert session.get_one(Quarantine, UUID(entry)).instance_id is not None


def test_versions_of_different_series_do_not_change_places(
    app: FastAPI, archive: Archive, first: Sample
) -> None:
    archive.file(first)
    other = sample(SOPInstanceUID=first.sop_instance_uid, SeriesInstanceUID="1.2.3.100.9")
    entry = set_aside(archive, other, QuarantineReason.UID_CONFLICT)
    answer = Browser(app, "dispatcher").post(f"/api/quarantine/{entry}/replace", reason="newer")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:rdc:problem:other-series")


def test_others_neither_see_nor_decide(app: FastAPI, conflicting: str) -> None:
    for login in ("doctor-east", "doctor-west", "writer"):
        browser = Browser(app, login)
        path = f"/api/quarantine/{conflicting}"
        assert browser.get(path).status_code == 403
        assert browser.post(f"{path}/discard", reason="mine").status_code == 403
    assert Browser(app, "dispatcher").get(f"/api/quarantine/{uuid4()}").status_code == 404
