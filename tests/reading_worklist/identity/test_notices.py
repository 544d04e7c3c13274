"""Whoever reads a study is told when it is doubted or was corrected whose it is."""

from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from reading_worklist.identity import arrival
from storage.objects import ObjectStore
from tests.support.orders import order_request, placed
from tests.support.seed import Consortium, received
from tests.support.web import Browser, application


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    return application(consortium, objects, tmp_path, signers=False)


def arrived(consortium: Consortium, writer: Browser, **order: Any) -> str:  # noqa: ANN401 -- any field
    """The workitem of a study that came for an order."""
    placed(consortium.database, order_request(consortium.east, accession_number="A001", **order))
    study = consortium.complete_study()
    with consortium.database.transaction() as session:
        arrival.study_received(session, received(study))
    return writer.get("/api/workitems").json()["items"][0]["id"]


def notice(browser: Browser, item: str) -> dict[str, Any]:
    answer = browser.get(f"/api/workitems/{item}/identity")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_nothing_is_said_of_a_study_that_agrees(app: FastAPI, consortium: Consortium) -> None:
    writer = Browser(app, "writer")
    item = arrived(consortium, writer)
    said = notice(writer, item)
    assert (said["case_id"], said["corrected"], said["can_open"]) == (None, [], True)
    assert not notice(Browser(app, "dispatcher"), item)["differences"]
    assert Browser(app, "doctor-east").get(f"/api/workitems/{item}/identity").status_code == 403


def test_a_mismatch_is_said_and_then_what_was_decided(app: FastAPI, consortium: Consortium) -> None:
    writer, desk = Browser(app, "writer"), Browser(app, "dispatcher")
    item = arrived(consortium, writer, patient_sex="F")
    said = notice(writer, item)
    assert (said["case_state"], said["can_open"]) == ("OPEN", False)
    assert [one["attribute"] for one in said["differences"]] == ["sex"]

    case = f"/api/identity/cases/{said['case_id']}"
    patient = {"local_id": "P9", "name": "Li^Na=李^娜", "sex": "F", "birth_date": "1960-05-17"}
    assert desk.post(f"{case}/correct", new_patient=patient, reason="x").status_code == 200
    said = notice(writer, item)
    assert (said["case_state"], said["decision"]["kind"]) == ("DECIDED", "correct")
    assert [(one["attribute"], one["header"], one["now"]) for one in said["corrected"]] == [
        ("patient_id", "P001", "P9"),
        ("name", "张伟", "李娜"),
        ("sex", "M", "F"),
    ]
    assert desk.post(f"{case}/undo", reason="x").status_code == 200
    said = notice(writer, item)
    assert (said["case_state"], said["decision"], said["corrected"]) == ("OPEN", None, [])


def test_a_reader_sends_a_study_to_the_desk_but_not_another_readers(
    app: FastAPI, consortium: Consortium
) -> None:
    writer, other = Browser(app, "writer"), Browser(app, "writer2")
    item = arrived(consortium, writer)
    body = {"workitem_id": item, "reason": "the images show a child"}
    assert writer.post(f"/api/workitems/{item}/claim").status_code == 200
    assert not notice(other, item)["can_open"]
    refused = other.post("/api/identity/cases", **body)
    assert (refused.status_code, refused.json()["type"]) == (
        409,
        "urn:rdc:problem:held-by-other",
    )
    assert notice(writer, item)["can_open"]
    opened = writer.post("/api/identity/cases", **body)
    assert opened.status_code == 201, opened.text
    assert writer.get(f"/api/workitems/{item}").json()["state"] == "HELD"
    assert notice(writer, item)["opened_because"] == "the images show a child"
    assert (
        writer.post(f"/api/identity/cases/{opened.json()['id']}/keep", reason="x").status_code
        == 403
    )
