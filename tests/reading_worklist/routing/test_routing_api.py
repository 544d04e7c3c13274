"""Routing, working time, agreements and priors over HTTP: who may, and what is answered."""

from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI

from reading_worklist.routing.service import route
from reading_worklist.workitems.service import WORKER
from reading_worklist.workitems.tables import Workitem
from storage.clock import utc_now
from storage.objects import ObjectStore
from storage.registry import Role, add_person
from tests.support.seed import Consortium, password_hash
from tests.support.web import Browser, application


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    with consortium.database.transaction() as session:
        add_person(
            session,
            "admin",
            "马管理",
            password_hash(),
            organisation=consortium.root,
            roles=(Role.CONSORTIUM_ADMIN, Role.DISPATCHER),
        )
    return application(consortium, objects, tmp_path, signers=False)


def test_an_administrator_sets_up_routing_and_readers_work_by_it(
    app: FastAPI, consortium: Consortium
) -> None:
    admin, writer = Browser(app, "admin"), Browser(app, "writer")
    group = admin.put("/api/reading-groups/chest", name="胸组", name_en="Chest", lane="imaging")
    assert [one["code"] for one in group.json()] == ["chest"]
    now = utc_now()
    duty = {
        "person_id": str(consortium.people["writer"].id),
        "lane": "imaging",
        "group": "chest",
        "starts_at": (now - timedelta(hours=1)).isoformat(),
        "ends_at": (now + timedelta(hours=1)).isoformat(),
    }
    assert admin.post("/api/roster", **duty).status_code == 201
    (entry,) = writer.get("/api/roster").json()
    assert entry["group"]["name"] == "胸组"
    rules = [{"name": "胸部", "when": {"modalities": ["CT"]}, "then": {"group": "chest"}}]
    made = admin.post("/api/routing/rulesets", rules=rules, note="第一版")
    assert (made.status_code, made.json()["state"]) == (201, "DRAFT")
    item = consortium.queued_study()
    tried = admin.post("/api/routing/rulesets/1/trial", days=7).json()
    assert (tried["examined"], tried["moved"]) == (1, 1)
    assert tried["studies"][0]["after"]["group"] == "chest"
    assert admin.post("/api/routing/rulesets/1/switch-on").json()[0]["state"] == "ON"
    path = f"/api/workitems/{item.workitem_id}/assign"
    assigned = admin.post(path, person_id=duty["person_id"])
    assert assigned.json()["assigned_to"]["id"] == duty["person_id"]
    assert writer.post("/api/workitems/next").json()["id"] == str(item.workitem_id)
    assert writer.post("/api/workitems/next").status_code == 404
    assert admin.client.delete(f"/api/roster/{entry['id']}").status_code == 204
    assert admin.post("/api/routing/switch-off").json()[0]["state"] == "OFF"


def test_clocks_calendar_and_agreements_are_the_administrators(
    app: FastAPI, consortium: Consortium
) -> None:
    admin, writer, doctor = (Browser(app, who) for who in ("admin", "writer", "doctor-east"))
    clock = {"due_minutes": 90, "claim_minutes": 20}
    changed = admin.put("/api/clocks/ct_mr/ROUTINE", **clock, site="EAST").json()
    assert {one["set_for"] for one in changed if one["clock"] == "ct_mr"} == {"EAST", None}
    too_long = admin.put("/api/clocks/ct_mr/STAT", **clock | {"due_minutes": 121})
    assert (too_long.status_code, too_long.json()["expected"]) == (
        422,
        "at most 120 minutes, day and night",
    )
    assert admin.client.delete("/api/clocks/ct_mr/ROUTINE?site=WEST").status_code == 404
    day = admin.put("/api/working-time/days/2027-10-01", working=False, reason="国庆节").json()
    assert (day["published"], day["days"][0]["basis"]) == (False, "entry")
    hours = {"periods": [{"opens": "09:00", "closes": "08:00"}]}
    assert admin.put("/api/working-time/hours", **hours).status_code == 422
    body = {
        "service": "priors",
        "provider": "county",
        "client": "county",
        "valid_from": "2026-01-01",
        "document": "协议",
    }
    (agreement,) = admin.post("/api/agreements", **body).json()
    assert agreement["holds"]
    (ended,) = admin.post(f"/api/agreements/{agreement['id']}/end").json()
    assert not ended["holds"]
    item = consortium.queued_study().workitem_id
    assert writer.get(f"/api/workitems/{item}/priors").json()["items"] == []
    silent = writer.post(f"/api/workitems/{item}/priors/reason", purpose="other")
    assert silent.status_code == 422
    for refused in (
        writer.put("/api/clocks/ct_mr/ROUTINE", **clock),
        writer.put("/api/working-time/days/2027-10-01", working=True, reason="x"),
        writer.post("/api/agreements", **body),
        writer.post("/api/routing/rulesets", rules=[]),
        doctor.get("/api/clocks"),
        doctor.get("/api/working-time"),
        doctor.get("/api/roster"),
        doctor.get(f"/api/workitems/{item}/priors"),
    ):
        assert refused.status_code == 403


def test_rules_are_tried_before_they_are_a_version_and_published_with_a_reason(
    app: FastAPI, consortium: Consortium
) -> None:
    admin, writer = Browser(app, "admin"), Browser(app, "writer")
    consortium.queued_study()
    rules = [{"name": "CT 加急", "when": {"modalities": ["CT"]}, "then": {"priority": "URGENT"}}]
    tried = admin.post("/api/routing/trial", rules=rules, days=7).json()
    assert (tried["moved"], tried["studies"][0]["after"]["priority"]) == (1, "URGENT")
    assert admin.get("/api/routing/rulesets").json() == []
    published = {"rules": rules, "reason": "卒中中心要求", "based_on": None}
    assert writer.post("/api/routing/publish", **published).status_code == 403
    (version,) = admin.post("/api/routing/publish", **published).json()
    assert (version["state"], version["note"]) == ("ON", "卒中中心要求")
    again = admin.post("/api/routing/publish", **published)
    assert (again.status_code, again.json()["type"]) == (409, "urn:rdc:problem:rules-changed")
    newer = admin.post("/api/routing/publish", **published | {"rules": [], "based_on": 1}).json()
    assert [(one["version"], one["state"]) for one in newer] == [(2, "ON"), (1, "OFF")]


def test_a_week_is_copied_once_at_the_same_local_times(
    app: FastAPI, consortium: Consortium
) -> None:
    admin = Browser(app, "admin")
    monday = utc_now().date() + timedelta(days=7)
    duty = {
        "person_id": str(consortium.people["writer"].id),
        "lane": "ecg",
        "starts_at": f"{monday}T08:00:00+08:00",
        "ends_at": f"{monday + timedelta(days=1)}T08:00:00+08:00",
    }
    assert admin.post("/api/roster", **duty).status_code == 201
    later = monday + timedelta(days=7)
    assert admin.post("/api/roster/copy", first_day=str(later)).json() == {"added": 1}
    assert admin.post("/api/roster/copy", first_day=str(later)).json() == {"added": 0}
    roster = admin.get(f"/api/roster?from={later}T00:00:00Z&to={later}T12:00:00Z").json()
    assert [one["starts_at"] for one in roster] == [f"{later}T00:00:00Z"]
    assert Browser(app, "writer").post("/api/roster/copy", first_day=str(later)).status_code == 403


def test_who_is_at_the_limit_of_a_group_or_does_not_belong_to_it_gets_nothing_by_rule(
    app: FastAPI, consortium: Consortium
) -> None:
    admin = Browser(app, "admin")
    writer, other = (str(consortium.people[one].id) for one in ("writer", "writer2"))
    assert [one["id"] for one in admin.get("/api/readers").json() if one["id"] == writer]
    group = {"name": "胸组", "name_en": "Chest", "lane": "imaging"}
    made = admin.put("/api/reading-groups/chest", **group, members=[writer], open_limit=1).json()
    assert (made[0]["open_limit"], [one["id"] for one in made[0]["members"]]) == (1, [writer])
    now = utc_now()
    hours = {
        "lane": "imaging",
        "starts_at": (now - timedelta(hours=1)).isoformat(),
        "ends_at": (now + timedelta(hours=1)).isoformat(),
    }
    for person in (writer, other):
        assert admin.post("/api/roster", person_id=person, **hours).status_code == 201
    rules = [{"name": "胸部", "then": {"group": "chest", "assign": True}}]
    admin.post("/api/routing/publish", rules=rules, reason="x", based_on=None)
    items = [consortium.queued_study(local_id=f"P{n}").workitem_id for n in range(2)]
    for one in items:
        with consortium.database.transaction() as session:
            route(session, session.get_one(Workitem, one), WORKER)
    dispatcher = Browser(app, "dispatcher")
    given = [dispatcher.get(f"/api/workitems/{one}").json()["assigned_to"] for one in items]
    assert [one and one["id"] for one in given] == [writer, None]
