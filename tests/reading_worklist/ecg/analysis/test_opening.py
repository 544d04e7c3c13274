"""What the reading page gets in one answer, against what it would be told bit by bit."""

import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from reading_worklist.ecg import view_routes
from tests.reading_worklist.ecg.analysis.conftest import EcgCentre
from tests.support import heart
from tests.support.web import Browser, application


@pytest.fixture
def app(centre: EcgCentre, tmp_path: Path) -> FastAPI:
    return application(centre.consortium, centre.objects, tmp_path, signers=False)


def ok(response: httpx.Response) -> Any:  # noqa: ANN401 -- JSON
    assert response.status_code == 200, response.text
    return response.json()


def test_one_answer_holds_what_each_part_says_by_itself(centre: EcgCentre, app: FastAPI) -> None:
    study_id = centre.arrived(heart.dicom_of(heart.beats_at(heart.regular(70))))
    exam = f"/api/workitems/{centre.workitem(study_id).id}"
    writer = Browser(app, "writer")
    before = ok(writer.get(f"{exam}/ecg/measured"))
    moved = {"t_end_ms": before["points"]["t_end_ms"] + 40}
    for _ in range(2):
        opening = writer.get(f"{exam}/opening?language=zh-CN")
        assert opening.headers["cache-control"] == "private, no-store"
        said = ok(opening)
        assert said["workitem"] == ok(writer.get(exam))
        assert said["ecg"]["record"] == ok(writer.get(f"{exam}/ecg"))
        assert said["ecg"]["page"] == writer.get(f"{exam}/ecg/trace.svg?language=zh-CN").text
        assert said["ecg"]["analysis"] == ok(writer.get(f"{exam}/ecg/analysis"))
        assert said["ecg"]["measured"] == ok(writer.get(f"{exam}/ecg/measured"))
        ok(writer.put(f"{exam}/ecg/measured", **moved))


def test_what_the_analysis_measured_is_what_would_be_measured_now(
    centre: EcgCentre, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    study_id = centre.receive(heart.dicom_of(heart.beats_at(heart.regular(70))))
    address = f"/api/workitems/{centre.workitem(study_id).id}/ecg/measured"
    writer = Browser(app, "writer")
    now = ok(writer.get(address))
    assert centre.analyse(study_id)
    monkeypatch.setattr(view_routes, "_recent", None)
    assert ok(writer.get(address)) == now


def test_only_the_centre_opens_what_it_may_see(centre: EcgCentre, app: FastAPI) -> None:
    study_id = centre.receive(heart.dicom_of(heart.beats_at(heart.regular(70))))
    address = f"/api/workitems/{centre.workitem(study_id).id}/opening"
    assert Browser(app, "doctor-east").get(address).status_code == 403
    assert Browser(app, "writer").get(f"/api/workitems/{uuid.uuid4()}/opening").status_code == 404


def test_an_exam_of_images_and_a_broken_ecg_open_without_a_trace(
    centre: EcgCentre, app: FastAPI
) -> None:
    images = centre.consortium.queued_study()
    broken = centre.consortium.queued_study(modalities=("ECG",))
    writer = Browser(app, "writer")
    for one in (images, broken):
        assert ok(writer.get(f"/api/workitems/{one.workitem_id}/opening"))["ecg"] is None
