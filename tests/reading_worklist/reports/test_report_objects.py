"""The objects of a report in its study: there as soon as it is issued, and while it stands."""

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from pydicom import dcmread
from pydicom.dataset import Dataset
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from deploy.keeping import HOLDINGS
from reading_worklist.workitems.service import queue_study
from reading_worklist.workitems.tables import Workitem
from storage.dicom_header import read_header
from storage.index.ingest import Filing, ingest
from storage.index.putting import put_instance
from storage.index.tables import Instance, QuarantineReason, Study, StudyState
from storage.keeping.verification import Options, Verifier, findings_of
from storage.messages import ReportIssued, ReportRecalled
from storage.objects import ObjectKey, ObjectStore
from storage.receptions import Origin
from storage.report_objects.names import ReportObjectKind, sop_instance_uid
from storage.report_objects.queries import objects_of
from storage.report_objects.tables import ReportObject
from tests.reading_worklist.dicomweb.archive import Archive
from tests.reading_worklist.dicomweb.conftest import series_of
from tests.support.dciodvfy import complaints
from tests.support.desk import TEXT, Desk
from tests.support.seed import Consortium, received
from tests.support.web import PIN, application

_SENT = 3


@pytest.fixture
def desk(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> Desk:
    """The reading of a CT of three slices, claimed by its writer, who has picked the second."""
    archive = Archive(consortium.database, objects)
    files = [
        archive.file(one, consortium.east)
        for one in series_of("CT_small.dcm", _SENT, SeriesNumber=4)
    ]
    archive.complete()
    assert files[1] is not None
    with consortium.database.transaction() as session:
        study = session.scalars(
            select(Study).where(Study.study_instance_uid == files[1].header.study_instance_uid)
        ).one()
        queue_study(session, received(study))
        workitem_id = session.scalars(
            select(Workitem.id).where(Workitem.study_id == study.id)
        ).one()
    app: FastAPI = application(consortium, objects, tmp_path)
    desk = Desk(app, consortium, workitem_id)
    desk.do("writer", "claim", "CLAIMED")
    picked = desk("writer").post(
        f"{desk.path}/key-images", sop_instance_uid=files[1].header.sop_instance_uid
    )
    assert picked.status_code == 201
    return desk


def issue(desk: Desk, **more: object) -> ReportIssued:
    revision = desk.draft("writer", TEXT["impression"])
    desk.do("writer", "submit", "WRITTEN", revision=revision, signing_pin=PIN, **more)
    desk.finalise()
    return desk.messages(ReportIssued)[-1]


def amend(desk: Desk) -> ReportIssued:
    desk.do("reviewer", "amend", "CLAIMED", reason="更正")
    revision = desk.draft("reviewer", "右肺结节。")
    desk.do("reviewer", "submit", "WRITTEN", revision=revision, signing_pin=PIN)
    desk.do("reviewer2", "review", "REVIEWING")
    desk.do("reviewer2", "finalise", "PUBLISHED", signing_pin=PIN)
    return desk.messages(ReportIssued)[-1]


def shown(desk: Desk, login: str) -> dict[str, list[str]]:
    """What QIDO-RS shows of the study, by modality."""
    uid = desk("writer").get(desk.path).json()["study"]["study_instance_uid"]
    answer = desk(login).get(f"/dicom-web/studies/{uid}/instances?includefield=00080060")
    found: dict[str, list[str]] = {}
    for one in answer.json():
        found.setdefault(one["00080060"]["Value"][0], []).append(one["00080018"]["Value"][0])
    return found


def read(desk: Desk, objects: ObjectStore, kind: ReportObjectKind, issued: ReportIssued) -> Dataset:
    with desk.database.transaction() as session:
        (row,) = [one for one in objects_of(session, issued.report_version_id) if one.kind is kind]
    return dcmread(io.BytesIO(objects.read(ObjectKey(row.object_key))))


def test_a_report_is_in_its_study_as_page_words_and_key_images(
    desk: Desk, objects: ObjectStore
) -> None:
    before = desk("writer").get(desk.path).json()
    issued = issue(desk)
    names = {kind: sop_instance_uid(kind, issued.report_version_id) for kind in ReportObjectKind}
    for login in ("writer", "doctor-east"):
        found = shown(desk, login)
        assert len(found.pop("CT")) == _SENT
        assert found == {
            "DOC": [names[ReportObjectKind.PDF]],
            "SR": [names[ReportObjectKind.STRUCTURED]],
            "KO": [names[ReportObjectKind.KEY_OBJECTS]],
        }
    page = read(desk, objects, ReportObjectKind.PDF, issued)
    assert page.EncapsulatedDocument[: page.EncapsulatedDocumentLength] == objects.read(
        ObjectKey(issued.pdf_object_key)
    )
    words = read(desk, objects, ReportObjectKind.STRUCTURED, issued)
    assert [str(one.VerifyingObserverName) for one in words.VerifyingObserverSequence] == [
        "李书写",
        "王审核",
    ]
    (series,) = words.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence
    assert len(series.ReferencedSOPSequence) == _SENT
    picked = read(desk, objects, ReportObjectKind.KEY_OBJECTS, issued)
    assert [complaints(one) for one in (page, words, picked)] == [[], [], []]
    (evidence,) = picked.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence
    assert len(evidence.ReferencedSOPSequence) == 1
    # The site has sent what it had sent, and nothing came late.
    after = desk("writer").get(desk.path).json()
    assert not after["late_instances"]
    for what in ("instance_count", "modalities"):
        assert after["study"][what] == before["study"][what]
    with desk.database.transaction() as session:
        study = session.get_one(Study, issued.study_id)
        assert (study.state, study.instance_count) == (StudyState.COMPLETE, _SENT + 3)
        assert study.last_received_at < issued.issued_at


def test_an_amended_report_takes_the_place_of_the_old_one(desk: Desk, objects: ObjectStore) -> None:
    first = issue(desk)
    second = amend(desk)
    found = shown(desk, "doctor-east")
    assert {kind: len(uids) for kind, uids in found.items()} == {
        "CT": _SENT,
        "DOC": 1,
        "SR": 1,
        "KO": 1,
    }
    assert found["SR"] == [sop_instance_uid(ReportObjectKind.STRUCTURED, second.report_version_id)]
    words = read(desk, objects, ReportObjectKind.STRUCTURED, second)
    replaced = words.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0]
    # What was replaced is kept, and says what it said.
    old = read(desk, objects, ReportObjectKind.STRUCTURED, first)
    assert replaced.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == old.SOPInstanceUID
    with desk.database.transaction() as session:
        rows = objects_of(session, first.report_version_id)
        assert [one.kind for one in rows] == list(ReportObjectKind)
        assert all(one.superseded_at is not None for one in rows)
    verifier = Verifier(desk.database, objects, HOLDINGS, Options(settle=timedelta(0)))
    run = verifier.run(lambda _tally: None)
    with desk.database.transaction() as session:
        assert findings_of(session, run, limit=10) == []


def test_what_is_left_of_a_revoked_report_says_that_it_is_void(
    desk: Desk, objects: ObjectStore
) -> None:
    issued = issue(desk)
    desk.deliver(issued)
    desk.do("reviewer", "revocation", reason="患者错误")
    desk.do("head", "revocation/confirm", "REVOKED")
    (recalled,) = desk.messages(ReportRecalled)
    found = shown(desk, "doctor-east")
    assert "KO" not in found
    assert found["DOC"] == [sop_instance_uid(ReportObjectKind.PDF, recalled.notice_id)]
    assert found["SR"] == [sop_instance_uid(ReportObjectKind.STRUCTURED, recalled.notice_id)]
    with desk.database.transaction() as session:
        page, words = (
            dcmread(io.BytesIO(objects.read(ObjectKey(one.object_key))))
            for one in objects_of(session, recalled.notice_id)
        )
    assert "作废" in page.DocumentTitle
    assert [complaints(page), complaints(words)] == [[], []]
    assert (words.CompletionFlag, words.VerificationFlag) == ("COMPLETE", "VERIFIED")
    assert len(words.VerifyingObserverSequence) == 2
    said = [one.ConceptNameCodeSequence[0].CodeMeaning for one in words.ContentSequence]
    assert "Findings" not in said
    assert words.PredecessorDocumentsSequence


def test_a_preliminary_report_is_partial_and_unverified(desk: Desk, objects: ObjectStore) -> None:
    with desk.database.transaction() as session:
        session.get_one(Workitem, desk.id).priority = "STAT"  # pyright: ignore[reportAttributeAccessIssue]
    revision = desk.draft("writer", TEXT["impression"])
    desk.do("writer", "preliminary", revision=revision, signing_pin=PIN)
    issued = desk.messages(ReportIssued)[-1]
    words = read(desk, objects, ReportObjectKind.STRUCTURED, issued)
    assert (words.CompletionFlag, words.VerificationFlag, words.PreliminaryFlag) == (
        "PARTIAL",
        "UNVERIFIED",
        "PRELIMINARY",
    )
    assert "VerifyingObserverSequence" not in words
    assert read(desk, objects, ReportObjectKind.PDF, issued).VerificationFlag == "UNVERIFIED"


def test_a_recalled_object_that_comes_back_does_not_come_to_life(
    desk: Desk, objects: ObjectStore
) -> None:
    first = issue(desk)
    old = read(desk, objects, ReportObjectKind.STRUCTURED, first)
    amend(desk)
    assert come_back(desk, objects, old, first) == (Filing.DUPLICATE, None)
    old.SeriesDescription = "changed on its way"
    assert come_back(desk, objects, old, first) == (
        Filing.CONFLICT,
        QuarantineReason.UID_CONFLICT,
    )
    assert len(shown(desk, "doctor-east")["SR"]) == 1


def come_back(
    desk: Desk, objects: ObjectStore, instance: Dataset, issued: ReportIssued
) -> tuple[Any, Any]:
    file = io.BytesIO()
    instance.save_as(file, enforce_file_format=True)
    file.seek(0)
    origin = Origin(issued.site_id, None, "EASTPACS", "RDC", "")
    received = put_instance(objects, origin, read_header(file), file, quiet=timedelta())
    with desk.database.transaction() as session:
        (outcome,) = ingest(session, [received])
    return outcome.filing, outcome.reason


def test_the_database_keeps_what_stands(desk: Desk) -> None:
    issued = issue(desk)
    uid = sop_instance_uid(ReportObjectKind.PDF, issued.report_version_id)
    instance = select(Instance).where(Instance.sop_instance_uid == uid)
    named = select(ReportObject).where(ReportObject.sop_instance_uid == uid)
    with (
        pytest.raises(DBAPIError, match="removed with its purged study"),
        desk.database.transaction() as session,
    ):
        session.delete(session.scalars(instance).one())
    with (
        pytest.raises(DBAPIError, match="superseded once"),
        desk.database.transaction() as session,
    ):
        session.scalars(named).one().object_key = "elsewhere"
