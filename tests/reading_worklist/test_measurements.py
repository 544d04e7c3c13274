"""Measurements stored by a viewer: who may store them, what they do to the study, what is read."""

from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from pydicom import Dataset
from pydicom.uid import generate_uid
from sqlalchemy import select, update

from reading_worklist.measurements.content import measurement_groups
from storage.audit import AuditRecord
from storage.database import Database
from storage.index.completion import complete_quiet_studies
from storage.index.tables import Study, StudyState
from storage.objects import ObjectStore
from tests.reading_worklist.dicomweb.archive import Archive, Filed
from tests.reading_worklist.dicomweb.conftest import copy_of, series_of
from tests.reading_worklist.dicomweb.test_store import KIND, body_of
from tests.reading_worklist.test_key_images import desk_of, filed
from tests.support.desk import Desk
from tests.support.measurements import node, report
from tests.support.seed import Consortium
from tests.support.web import Browser, application


@pytest.fixture
def archive(database: Database, objects: ObjectStore) -> Archive:
    return Archive(database, objects)


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    return application(consortium, objects, tmp_path)


def report_of(one: Filed, **more: Any) -> bytes:  # noqa: ANN401 -- attributes and words
    header = one.header
    return report(
        {
            "StudyInstanceUID": header.study_instance_uid,
            "PatientID": header.patient_id,
            "SOPClassUID": header.sop_class_uid,
            "SOPInstanceUID": header.sop_instance_uid,
        },
        **more,
    )


def store(browser: Browser, root: str, *files: bytes) -> tuple[int, list[int]]:
    """Send files over STOW-RS; returns the status and the failure reasons."""
    answer = browser.client.post(
        f"/dicom-web/{root}/studies", content=body_of(files), headers={"Content-Type": KIND}
    )
    failed = answer.json().get("00081198", {"Value": []})["Value"]
    return answer.status_code, [one["00081197"]["Value"][0] for one in failed]


@pytest.fixture
def exam(app: FastAPI, consortium: Consortium, archive: Archive) -> tuple[Desk, Filed]:
    slices = filed(archive, consortium, series_of("CT_small.dcm", 2, SeriesNumber=3))
    desk = desk_of(app, consortium, slices[1])
    desk.do("writer", "claim", "CLAIMED")
    return desk, slices[1]


def test_a_readers_report_joins_the_study_and_no_image_is_late(
    exam: tuple[Desk, Filed], consortium: Consortium
) -> None:
    desk, one = exam
    before = desk.item()
    for root in ("sites/EAST", f"readings/{desk.id}"):
        assert store(desk("writer"), root, report_of(one, tracking_uid="")) == (200, [])
    with consortium.database.transaction() as session:
        study = session.scalars(select(Study)).one()
        acts = session.scalars(
            select(AuditRecord).where(AuditRecord.action == "study:add_evidence")
        ).all()
        # Were it waited for, its quiet time would be over by now.
        session.execute(update(Study).values(quiet_due_at=study.first_received_at))
    assert (study.state, study.generation, study.instance_count) == (StudyState.COMPLETE, 1, 4)
    assert [one.person_id for one in acts] == [consortium.people["writer"].id] * 2
    with consortium.database.transaction() as session:
        assert complete_quiet_studies(session) == 0
    item = desk.item()
    assert not item.late_instances
    assert item.study_generation == before.study_generation
    assert len(desk("reviewer").get(f"{desk.path}/measurements").json()) == 2


def test_measurements_are_offered_once_and_latest_first(exam: tuple[Desk, Filed]) -> None:
    desk, one = exam
    for value in ("12.3456", "15"):
        assert store(desk("writer"), "sites/EAST", report_of(one, value=value)) == (200, [])
    (shown,) = desk("writer").get(f"{desk.path}/measurements").json()
    assert shown["finding"] == {"scheme": "", "value": "", "meaning": "右肺上叶结节"}
    values = [(v["concept"]["meaning"], v["value"], v["unit"]) for v in shown["values"]]
    assert values == [("Long Axis", "15", "mm"), ("Short Axis", "8", "mm")]
    image = shown["image"]
    assert (image["series_number"], image["instance_number"]) == (3, 2)
    assert desk("writer").get(image["picture_url"]).headers["content-type"] == "image/jpeg"


def test_readers_store_nothing_else(
    exam: tuple[Desk, Filed], app: FastAPI, consortium: Consortium, archive: Archive
) -> None:
    desk, one = exam
    writer = desk("writer")
    assert store(writer, "sites/EAST", copy_of("MR_small.dcm")) == (409, [0x0124])
    unknown = report_of(one, StudyInstanceUID=generate_uid())
    assert store(writer, "sites/EAST", unknown) == (409, [0xA900])
    assert store(writer, "sites/EAST", report_of(one, PatientID="another")) == (409, [0xA900])
    other = filed(archive, consortium, [copy_of("MR_small.dcm")])[0]
    assert store(writer, f"readings/{desk.id}", report_of(other)) == (409, [0xA900])
    assert store(writer, "sites/WEST", report_of(one)) == (409, [0xA900])
    for login in ("doctor-east", "doctor-west"):
        answer = Browser(app, login).client.post(
            "/dicom-web/sites/EAST/studies",
            content=body_of([report_of(one)]),
            headers={"Content-Type": KIND},
        )
        assert answer.status_code in {403, 404}
    assert desk("doctor-west").get(f"{desk.path}/measurements").status_code == 403
    assert writer.get(f"{desk.path}/measurements").json() == []


def test_what_is_no_measurement_report_offers_nothing() -> None:
    assert measurement_groups(Dataset()) == []
    group = node("CONTAINER", ("DCM", "125007", "Measurement Group"))
    tree = node("CONTAINER", ("DCM", "126010", "Imaging Measurements"), group)
    assert measurement_groups(tree) == []
