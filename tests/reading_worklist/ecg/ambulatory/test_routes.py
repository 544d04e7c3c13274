"""Long ECGs over HTTP: facts, overview, lines, scope; and that memory stays small."""

import gzip
import tracemalloc
import uuid
from pathlib import Path

import pytest
from fastapi import FastAPI

from reading_worklist import tasks
from reading_worklist.ecg import service as ecg_service
from reading_worklist.ecg.ambulatory import service
from reading_worklist.keeping.removal import DERIVED_FROM_SERIES
from storage.clock import utc_now
from storage.database import Database
from storage.index.tables import Instance, Study, StudyState
from storage.objects import ObjectStore
from tests.reading_worklist.ecg.test_routes import Filing, bundled_file
from tests.support.long_ecg import AMBULATORY, Recording, write_long_ecg
from tests.support.seed import Consortium, QueuedStudy
from tests.support.web import Browser, application

SECONDS = 1200.0


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return write_long_ecg(tmp_path_factory.mktemp("long") / "long.dcm", seconds=SECONDS)


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    return application(consortium, objects, tmp_path, signers=False)


@pytest.fixture
def writer(app: FastAPI) -> Browser:
    return Browser(app, "writer")


@pytest.fixture
def filing(database: Database, objects: ObjectStore) -> Filing:
    return Filing(database, objects)


@pytest.fixture
def exam(consortium: Consortium, filing: Filing, recording: Recording) -> QueuedStudy:
    exam = consortium.queued_study(modalities=("ECG",))
    filing.add(exam, recording.path.read_bytes(), sop_class_uid=AMBULATORY)
    return exam


def address(exam: QueuedStudy, more: str = "") -> str:
    return f"/api/workitems/{exam.workitem_id}/ecg/ambulatory{more}"


def test_the_facts_name_the_marks_of_the_file(
    writer: Browser, exam: QueuedStudy, recording: Recording
) -> None:
    answer = writer.get(address(exam))
    assert answer.status_code == 200, answer.text
    facts = answer.json()
    assert facts["duration_seconds"] == SECONDS
    assert facts["started_at"] == "2026-11-20T08:30:00+08:00"
    assert facts["leads"] == ["V1", "V5", "II"]
    pressed, pause = facts["events"]
    assert (pressed["text"], pressed["seconds"]) == ("患者按键", 300)
    assert pause["seconds"] == pytest.approx(recording.pause[0], abs=1e-3)


def test_the_overview_is_made_on_arrival_and_then_only_read(
    writer: Browser,
    exam: QueuedStudy,
    database: Database,
    objects: ObjectStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with database.transaction() as session:
        study = session.get_one(Study, exam.study.id)
        study.state = StudyState.COMPLETE
        study.completed_at = utc_now()
    tasks.prepare_metadata(database, objects, exam.study.id)
    (kept,) = objects.list(f"{service.PREFIX}/")
    assert service.prepare(database, objects, exam.study.id) == 0
    monkeypatch.delattr(service, "overview_of")

    answer = writer.get(address(exam, "/overview"))

    assert answer.status_code == 200, answer.text
    overview = answer.json()
    assert len(overview["heart_rate"]) == SECONDS / overview["bin_seconds"]
    assert overview["longest_rr"][0]["rr_ms"] == pytest.approx(3400, abs=20)
    assert gzip.decompress(objects.read(kept.key)) == answer.content
    # A purge finds it by its series.
    with database.transaction() as session:
        series_id = session.query(Instance.series_id).scalar()
    assert kept.key.startswith(f"{service.PREFIX}/{series_id}/")
    assert service.PREFIX in DERIVED_FROM_SERIES


def test_an_overview_that_is_not_there_is_made_by_who_asks_first(
    writer: Browser, exam: QueuedStudy, objects: ObjectStore
) -> None:
    answer = writer.client.get(address(exam, "/overview"), headers={"Accept-Encoding": "identity"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["beats"] > 900
    assert len(list(objects.list(f"{service.PREFIX}/"))) == 1


def test_lines_are_drawn_of_a_lead_that_is_there(writer: Browser, exam: QueuedStudy) -> None:
    lines = address(exam, "/lines.svg")
    page = writer.get(f"{lines}?lead=V5&start=660&line=30&language=zh-CN")
    assert page.status_code == 200, page.text
    assert 'data-start-seconds="660"' in page.text
    assert "08:41:00" in page.text
    again = writer.client.get(
        f"{lines}?lead=V5&start=660&line=30&language=zh-CN",
        headers={"If-None-Match": page.headers["ETag"]},
    )
    assert again.status_code == 304
    assert writer.get(f"{lines}?lead=V9").status_code == 404
    assert writer.get(f"{lines}?lead=V5&line=7").status_code == 422


def test_a_short_ecg_is_no_long_record(
    writer: Browser, consortium: Consortium, filing: Filing
) -> None:
    exam = consortium.queued_study(modalities=("ECG",))
    filing.add(exam, bundled_file())
    answer = writer.get(address(exam))
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:rdc:problem:not-a-long-ecg"


@pytest.mark.parametrize("more", ["", "/overview", "/lines.svg?lead=II"])
def test_only_who_may_read_the_exam_sees_its_long_record(
    app: FastAPI, exam: QueuedStudy, more: str
) -> None:
    assert Browser(app, "doctor-east").get(address(exam, more)).status_code == 403
    absent = f"/api/workitems/{uuid.uuid4()}/ecg/ambulatory{more}"
    assert Browser(app, "writer").get(absent).status_code == 404


def test_a_page_takes_memory_for_the_page(
    writer: Browser, exam: QueuedStudy, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ecg_service, "IN_MEMORY_BYTES", 100_000)
    page = f"/api/workitems/{exam.workitem_id}/ecg/trace.svg?start=600"
    writer.get(page)  # what is loaded once
    tracemalloc.start()
    try:
        assert writer.get(page.replace("600", "300")).status_code == 200
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < recording.path.stat().st_size
