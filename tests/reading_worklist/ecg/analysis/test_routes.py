"""What the centre and the site learn of an analysis, and corrections that stay beside it."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from reading_worklist.ecg.analysis.tables import EcgCorrection
from storage.audit import AuditRecord
from storage.ecg.leads import Lead
from tests.reading_worklist.ecg.analysis.conftest import EcgCentre
from tests.support import heart
from tests.support.web import Browser, application


@pytest.fixture
def app(centre: EcgCentre, tmp_path: Path) -> FastAPI:
    return application(centre.consortium, centre.objects, tmp_path, signers=False)


def ok(response: httpx.Response) -> Any:  # noqa: ANN401 -- JSON
    assert response.status_code < 300, response.text
    return response.json()


def value(measured: dict[str, Any], name: str) -> float:
    return next(one["value"] for one in measured["values"] if one["name"] == name)


def test_the_site_learns_why_to_repeat_and_nothing_of_hints(
    centre: EcgCentre, app: FastAPI
) -> None:
    leads = heart.beats_at(heart.regular(70), st={Lead.II: 300.0})
    leads[Lead.V3] = leads[Lead.V3] * 0.0
    study_id = centre.receive(heart.dicom_of(leads))
    path = f"/api/workitems/{centre.workitem(study_id).id}/ecg"
    technician, writer = Browser(app, "doctor-east"), Browser(app, "writer")
    assert ok(technician.get(f"{path}/quality")) == {"state": "pending", "ecgs": []}
    assert centre.analyse(study_id)
    said = ok(technician.get(f"{path}/quality"))
    assert said["state"] == "checked"
    (found,) = said["ecgs"]
    assert found["repeat"]
    (finding,) = found["findings"]
    assert (finding["code"], finding["severity"], finding["leads"]) == (
        "flat_line",
        "REPEAT",
        ["V3"],
    )
    assert finding["source"]
    assert "V3" not in found["usable_leads"]
    assert technician.get(found["thumbnail"]).headers["content-type"] == "image/svg+xml"
    assert technician.get(f"{path}/analysis").status_code == 403
    assert Browser(app, "doctor-west").get(f"{path}/quality").status_code == 404
    analysed = ok(writer.get(f"{path}/analysis"))["ecgs"][0]
    assert analysed["hints"][0]["text_en"].startswith("meets ST-elevation voltage criteria")
    assert analysed["repeat"]


def test_a_correction_is_kept_beside_what_was_measured(centre: EcgCentre, app: FastAPI) -> None:
    study_id = centre.arrived(heart.dicom_of(heart.beats_at(heart.regular(70))))
    path = f"/api/workitems/{centre.workitem(study_id).id}/ecg"
    writer = Browser(app, "writer")
    before = ok(writer.get(f"{path}/analysis"))["ecgs"][0]
    assert before["original"] is None
    end = before["measured"]["points"]["t_end_ms"]
    moved = {"t_end_ms": end + 40}
    assert Browser(app, "dispatcher").put(f"{path}/measured", **moved).status_code == 403
    after = ok(writer.put(f"{path}/measured", **moved))["ecgs"][0]
    qt = value(before["measured"], "qt")
    assert value(after["measured"], "qt") == pytest.approx(qt + 40, abs=1)
    assert value(after["original"], "qt") == qt
    assert after["measured"]["corrected_by"] == "李书写"
    (kept,) = after["corrections"]
    assert kept["number"] == 1
    changed = {
        one["name"]: (one["before"]["value"], one["after"]["value"]) for one in kept["changed"]
    }
    assert changed["qt"] == (qt, pytest.approx(qt + 40, abs=1))
    assert ok(writer.get(f"{path}/measured"))["corrected_by"] == "李书写"
    again = ok(Browser(app, "reviewer").put(f"{path}/measured", t_end_ms=end + 20))
    assert [one["number"] for one in again["ecgs"][0]["corrections"]] == [1, 2]
    impossible = writer.put(f"{path}/measured", t_end_ms=-500)
    assert impossible.status_code == 422
    with centre.database.transaction() as session:
        assert len(session.scalars(select(EcgCorrection)).all()) == 2
        recorded = session.scalars(
            select(AuditRecord).where(AuditRecord.action == "ecg_analysis:correct")
        ).all()
    assert len(recorded) == 2


def test_what_the_analysis_suspects_takes_two_doctors_as_well(
    centre: EcgCentre, app: FastAPI
) -> None:
    centre.arrived(heart.dicom_of(heart.beats_at(heart.regular(70), st={Lead.II: 300.0})))
    writer, reviewer = Browser(app, "writer"), Browser(app, "reviewer")
    (found,) = ok(writer.get("/api/critical-values"))["items"]
    assert found["found_by"] is None
    assert found["actions"] == ["support", "dismiss"]
    path = f"/api/critical-values/{found['id']}"
    assert writer.post(f"{path}/confirm").json()["type"].endswith(":found-by-nobody")
    assert Browser(app, "doctor-east").get(path).status_code == 404
    supported = ok(writer.post(f"{path}/support"))
    assert supported["found_by"]["display_name"] == "李书写"
    assert "support" not in supported["actions"]
    assert writer.post(f"{path}/support").json()["type"].endswith(":found-by-person")
    assert ok(reviewer.post(f"{path}/confirm"))["state"] == "NOTIFYING"


def test_a_consortium_follows_the_list_of_its_province(centre: EcgCentre, app: FastAPI) -> None:
    head = Browser(app, "head")
    before = ok(head.get("/api/ecg/critical-list"))
    assert before["province"] == "other"
    published = {one["id"]: one for one in ok(head.get("/api/critical-values/rulesets"))}
    for one in before["lists"]:
        codes = {rule["code"] for rule in published[one["cites"]]["rules"]}
        assert {"E01", "E02", "E10"} <= set(one["judged"]) < codes
    after = ok(head.put("/api/ecg/critical-list", province="shanxi-2017"))
    assert after == {**before, "province": "shanxi-2017"}
    fast = heart.regular(190)
    study_id = centre.arrived(heart.dicom_of(heart.beats_at(fast, p_waves=False)))
    (found,) = centre.analyses(study_id)
    assert found.triage is not None
    assert "ecg-critical-shanxi-2017/1" in found.triage["rulesets"]
    assert head.put("/api/ecg/critical-list", province="x").status_code == 422


def test_the_worklist_shows_hints_and_quality_beside_the_reading(
    centre: EcgCentre, app: FastAPI
) -> None:
    leads = heart.beats_at(heart.regular(70), st={Lead.II: 300.0})
    leads[Lead.V3] = leads[Lead.V3] * 0.0
    study_id = centre.receive(heart.dicom_of(leads))
    writer = Browser(app, "writer")
    (line,) = ok(writer.get("/api/workitems"))["items"]
    assert line["ecg"] is None
    assert centre.analyse(study_id)
    (line,) = ok(writer.get("/api/workitems"))["items"]
    assert line["priority"] == "STAT"
    assert line["ecg"]["repeat"]
    assert line["ecg"]["hints_en"][0].startswith("meets ST-elevation voltage criteria (II")
    assert line["critical_value"] == "SUSPECTED"
    assert writer.get(line["ecg"]["thumbnail"]).status_code == 200
