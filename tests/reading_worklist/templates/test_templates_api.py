"""Templates, snippets, checks and codes over HTTP: who may do what, and what is kept."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from reading_worklist.reports.tables import ReportOverride
from reading_worklist.templates.starter import take_over
from storage.index.tables import Study
from storage.objects import ObjectStore
from tests.support.desk import TEXT, Desk
from tests.support.seed import Consortium
from tests.support.web import PIN, application

BODY = {
    "title": "胸部结节",
    "modalities": ["CT"],
    "regions": ["chest"],
    "fields": [{"name": "大小", "kind": "number", "unit": "mm", "minimum": 1, "maximum": 30}],
    "findings": "右肺结节，约 {大小}。",
    "impression": "右肺结节。",
    "required_codes": ["result"],
}


@pytest.fixture
def desk(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> Desk:
    item = consortium.queued_study().workitem_id
    with consortium.database.transaction() as session:
        assert take_over(session, consortium.root.id) > 0
        assert take_over(session, consortium.root.id) == 0
        session.execute(update(Study).values(study_description="胸部CT平扫", modalities=["CT"]))
    return Desk(application(consortium, objects, tmp_path), consortium, item)


def saved(desk: Desk, revision: int, **body: object) -> int:
    answer = desk("writer").put(f"{desk.path}/draft", revision=revision, **{**TEXT, **body})
    assert answer.status_code == 200, answer.text
    return answer.json()["revision"]


def findings(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["code"], one["severity"]) for one in answer["findings"]]


def test_templates_are_made_by_reviewers_changed_in_versions_and_offered_where_they_fit(
    desk: Desk,
) -> None:
    refused = desk("writer").post("/api/templates", **BODY)
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:rdc:problem:forbidden")
    made = desk("reviewer").post("/api/templates", **BODY).json()
    flawed = {**BODY, "findings": "{大小} {侧}"}
    change = {"version": 1, "body": flawed}
    answer = desk("reviewer").put(f"/api/templates/{made['id']}", **change)
    assert (answer.status_code, answer.json()["flaw"], answer.json()["field"]) == (
        422,
        "missing-field",
        "侧",
    )
    change = {"version": 1, "body": {**BODY, "title": "肺结节"}}
    changed = desk("reviewer").put(f"/api/templates/{made['id']}", **change).json()
    assert (changed["version"], changed["body"]["title"]) == (2, "肺结节")
    stale = desk("reviewer").put(f"/api/templates/{made['id']}", **change)
    assert (stale.status_code, stale.json()["type"]) == (409, "urn:rdc:problem:stale-template")
    old = desk("writer").get(f"/api/templates/{made['id']}/versions").json()
    assert [(one["version"], one["body"]["title"]) for one in old] == [
        (2, "肺结节"),
        (1, "胸部结节"),
    ]

    aids = desk("writer").get(f"{desk.path}/writing-aids").json()
    fitting = [one["body"]["title"] for one in aids["templates"]]
    assert "肺结节" in fitting
    assert "胸部CT平扫" in fitting
    assert "头颅CT平扫" not in fitting
    assert "头颅CT平扫" in [one["body"]["title"] for one in aids["more_templates"]]
    filled = desk("writer").post(f"/api/templates/{made['id']}/fill", values={"大小": "14"})
    assert filled.json()["findings"] == "右肺结节，约 14 mm。"
    missing = desk("writer").post(f"/api/templates/{made['id']}/fill", values={})
    assert (missing.status_code, missing.json()["field"]) == (422, "大小")

    desk("reviewer").post(f"/api/templates/{made['id']}/retire")
    shown = desk("writer").get("/api/templates").json()
    assert made["id"] not in [one["id"] for one in shown]
    assert desk("doctor-east").get("/api/templates").status_code == 403


def test_a_template_asks_for_codes_and_no_report_is_signed_without_them(desk: Desk) -> None:
    made = desk("reviewer").post("/api/templates", **BODY).json()
    desk.do("writer", "claim")
    revision = saved(desk, 0, template_id=made["id"])
    missing = desk("writer").get(f"{desk.path}/checks").json()
    assert (missing["revision"], findings(missing)) == (revision, [("missing-code", "block")])
    desk.refused("writer", "submit", 422, "report-checks", revision=revision, signing_pin=PIN)
    revision = saved(desk, revision, codes={"result": "negative", "image_grade": "A"})
    written = desk.do("writer", "submit", revision=revision, signing_pin=PIN)
    assert written["submissions"][0]["codes"]["result"] == "negative"
    wrong = desk("writer").put(f"{desk.path}/draft", revision=9, codes={"result": "maybe"})
    assert wrong.status_code == 422


def test_what_blocks_stops_every_signature_and_what_warns_needs_a_reason_that_is_kept(
    desk: Desk,
) -> None:
    desk.do("writer", "claim")
    revision = saved(desk, 0, findings="右肺见结节，约 {大小 mm}。", impression="左肺结节。")
    answer = desk("writer").post(f"{desk.path}/submit", revision=revision, signing_pin=PIN)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:rdc:problem:report-checks")
    assert set(findings(answer.json())) == {
        ("side-contradicts", "block"),
        ("placeholder", "block"),
    }
    over = {one["key"]: "知道" for one in answer.json()["findings"]}
    signing = {"revision": revision, "signing_pin": PIN, "reasons": over}
    desk.refused("writer", "submit", 422, "report-checks", **signing)

    # U+20BB7 counts two code units: pages mark the words where browsers count them.
    revision = saved(
        desk, revision, findings="𠮷 右肺见结节，直径约 35 cm。", impression="右肺结节。"
    )
    told = desk("writer").get(f"{desk.path}/checks").json()
    (one,) = told["findings"]
    assert (one["code"], one["severity"], one["start"]) == ("unit", "warn", 13)
    signing = {"revision": revision, "signing_pin": PIN, "reasons": {one["key"]: " "}}
    desk.refused("writer", "submit", 422, "report-checks", **signing)
    signing["reasons"] = {one["key"]: "巨大肿块，已复核"}
    written = desk.do("writer", "submit", "WRITTEN", **signing)
    (kept,) = written["submissions"][0]["overridden"]
    assert (kept["reason"], kept["person"]["display_name"]) == ("巨大肿块，已复核", "李书写")
    desk.do("reviewer", "review")
    review = desk("reviewer").get(f"{desk.path}/checks").json()
    assert (review["revision"], review["answered"]) == (None, [one["key"]])
    desk.do("reviewer", "finalise", "PUBLISHED", signing_pin=PIN)


def test_the_reviewer_is_stopped_by_what_became_known_since(desk: Desk) -> None:
    desk.do("writer", "claim")
    revision = saved(desk, 0, findings="双肺清晰。", impression="未见异常。")
    desk.do("writer", "submit", revision=revision, signing_pin=PIN)
    desk.do("reviewer", "review")
    with desk.database.transaction() as session:
        session.execute(update(Study).values(study_description="膝关节CT"))
    review = desk("reviewer").get(f"{desk.path}/checks").json()
    assert ("wrong-organ", "warn") in findings(review)
    desk.refused("reviewer", "finalise", 422, "report-checks", signing_pin=PIN)
    reasons = {one["key"]: "扫描范围包括胸部" for one in review["findings"]}
    desk.do("reviewer", "finalise", "PUBLISHED", signing_pin=PIN, reasons=reasons)
    with desk.database.transaction() as session:
        kept = session.scalars(select(ReportOverride)).all()
    assert {one.person_id for one in kept} == {desk.consortium.people["reviewer"].id}


def test_snippets_are_ones_own_or_shared(desk: Desk) -> None:
    own = desk("writer").post("/api/snippets", shortcut="kn", text="膝关节").json()
    assert [(one["shortcut"], one["mine"]) for one in own if one["mine"]] == [("kn", True)]
    assert "chest" in [one["shortcut"] for one in own]
    taken = desk("writer").post("/api/snippets", shortcut="kn", text="另一个")
    assert (taken.status_code, taken.json()["type"]) == (409, "urn:rdc:problem:shortcut-taken")
    refused = desk("writer").post("/api/snippets", shortcut="x", text="x", shared=True)
    assert refused.status_code == 403
    others = desk("writer2").get("/api/snippets").json()
    assert "kn" not in [one["shortcut"] for one in others]
    key = next(one["id"] for one in own if one["mine"])
    assert desk("writer2").client.delete(f"/api/snippets/{key}").status_code == 404
    assert desk("writer").client.delete(f"/api/snippets/{key}").status_code == 200


def test_the_last_normal_report_is_ones_own_of_the_same_kind(
    desk: Desk, consortium: Consortium
) -> None:
    assert desk("writer").get(f"{desk.path}/last-normal").status_code == 404
    desk.write()
    other = consortium.queued_study(accession_number="A9", local_id="P9")
    with desk.database.transaction() as session:
        session.execute(update(Study).values(study_description="胸部CT平扫", modalities=["CT"]))
    path = f"/api/workitems/{other.workitem_id}/last-normal"
    assert desk("writer").get(path).json()["impression"] == TEXT["impression"]
    assert desk("writer2").get(path).status_code == 404
