"""A chest-pain ECG from its order to the report that the site opens: alerts, times, figures."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from reading_worklist.workitems.tables import Workitem
from storage.clock import utc_now
from storage.index.tables import Study
from storage.objects import ObjectStore
from storage.orders.words import Priority
from tests.support.desk import Desk
from tests.support.emergency import chest_pain_ecg
from tests.support.seed import Consortium
from tests.support.web import PIN, application


@pytest.fixture
def desk(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> Desk:
    """A STAT order with its first contact seven minutes ago, and the ECG that answers it."""
    app = application(consortium, objects, tmp_path)
    return chest_pain_ecg(app, consortium, minutes_since_contact=7)


def times(desk: Desk, login: str) -> dict[str, Any]:
    answer = desk(login).get(f"{desk.path}/ecg/emergency")
    assert answer.status_code == 200, answer.text
    return answer.json()


def moment(found: dict[str, Any], step: str) -> dict[str, Any]:
    return next(one for one in found["moments"] if one["step"] == step)


def listed(desk: Desk, login: str, name: str) -> list[dict[str, Any]]:
    answer = desk(login).get(f"/api/ecg/emergency/{name}")
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def test_from_the_order_to_the_opened_report(desk: Desk) -> None:
    with desk.database.transaction() as session:
        device_clock = utc_now() + timedelta(hours=16)
        session.execute(
            update(Study).values(study_date=device_clock.date(), study_time=device_clock.time())
        )
    (waiting,) = listed(desk, "reviewer", "waiting")
    assert (waiting["workitem_id"], waiting["chest_pain"]) == (str(desk.id), True)
    assert waiting["site"]["code"] == "EAST"

    before = times(desk, "writer")
    assert before["chest_pain"]
    assert before["contact_to_ecg_seconds"] == pytest.approx(7 * 60, abs=30)
    assert (before["ecg_to_diagnosis_seconds"], before["diagnosis_in_time"]) == (None, None)
    assert moment(before, "contact")["clock"] == "site"
    assert moment(before, "acquired")["clock"] == "device"
    assert moment(before, "acquired")["doubt"] == "after_receipt"
    assert moment(before, "opened")["at"] is None

    desk.do("writer", "claim")
    assert listed(desk, "reviewer", "waiting") == []
    first_opened = moment(times(desk, "writer"), "opened")["at"]
    assert first_opened is not None
    desk.do("writer", "release")
    assert len(listed(desk, "reviewer", "waiting")) == 1
    desk.do("writer", "claim")

    assert listed(desk, "doctor-east", "answered") == []
    revision = desk.draft("writer", "窦性心律。", ecg_class="normal")
    desk.do("writer", "preliminary", "PRELIM_ISSUED", revision=revision, signing_pin=PIN)
    (answered,) = listed(desk, "doctor-east", "answered")
    assert (answered["workitem_id"], answered["preliminary"]) == (str(desk.id), True)
    assert listed(desk, "doctor-west", "answered") == []

    assert desk("doctor-east").get(f"/api/portal/exams/{desk.id}/report").status_code == 200
    assert listed(desk, "doctor-east", "answered") == []
    after = times(desk, "doctor-east")
    assert moment(after, "opened")["at"] == first_opened
    assert after["diagnosis_in_time"] is True
    assert after["ecg_to_diagnosis_seconds"] < 600
    steps = [one["at"] for one in after["moments"] if one["clock"] == "server"]
    assert None not in steps
    assert steps == sorted(steps)


def test_the_figures_are_scoped_and_drill_down(desk: Desk) -> None:
    now = utc_now()
    span = {
        "since": (now - timedelta(hours=1)).isoformat(),
        "until": (now + timedelta(hours=1)).isoformat(),
    }

    def figures(login: str) -> dict[str, Any]:
        answer = desk(login).client.get("/api/ecg/emergency/indicators", params=span)
        assert answer.status_code == 200, answer.text
        return answer.json()

    rate = figures("head")["contact_to_ecg"]["rate"]
    assert rate == {"numerator": 1, "denominator": 1, "value": 1}
    assert figures("doctor-west")["ecgs"] == 0
    assert figures("doctor-west")["contact_to_ecg"]["rate"]["value"] is None
    (exam,) = (
        desk("reviewer")
        .client.get(
            "/api/ecg/emergency/indicators/exams", params={**span, "measure": "contact_in_time"}
        )
        .json()["items"]
    )
    assert exam["workitem_id"] == str(desk.id)
    backwards = {"since": span["until"], "until": span["since"]}
    refused = desk("head").client.get("/api/ecg/emergency/indicators", params=backwards)
    assert refused.status_code == 422


def test_only_who_is_concerned_sees_the_times(desk: Desk) -> None:
    stranger = desk("doctor-west").get(f"{desk.path}/ecg/emergency")
    assert stranger.status_code == 404
    assert desk("doctor-east").get("/api/ecg/emergency/waiting").status_code == 403
    assert desk("writer").get("/api/ecg/emergency/answered").status_code == 403


def test_a_routine_ecg_has_no_emergency_times(consortium: Consortium, desk: Desk) -> None:
    routine = consortium.queued_study(
        modalities=("ECG",), local_id="P901", accession_number="R901"
    ).workitem_id
    with desk.database.transaction() as session:
        session.execute(
            update(Workitem).where(Workitem.id == routine).values(priority=Priority.ROUTINE)
        )
    answer = desk("writer").get(f"/api/workitems/{routine}/ecg/emergency")
    assert answer.status_code == 404
