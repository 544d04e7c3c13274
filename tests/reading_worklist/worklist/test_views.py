"""Views that people keep and share, how each likes the list, and to whom work is given."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from fastapi import FastAPI

from storage.clock import utc_now
from storage.objects import ObjectStore
from tests.support.seed import Consortium
from tests.support.web import Browser, application

VIEW = {"name": "心电", "filter": {"lane": "ecg", "state": ["QUEUED"]}, "position": 1}
VIEWS = "/api/worklist/views"


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    return application(consortium, objects, tmp_path, signers=False)


def put_on_duty(app: FastAPI, consortium: Consortium, login: str) -> None:
    """Put somebody on the roster for the next hours."""
    now = utc_now()
    added = Browser(app, "head").post(
        "/api/roster",
        person_id=str(consortium.people[login].id),
        lane="imaging",
        starts_at=(now - timedelta(hours=1)).isoformat(),
        ends_at=(now + timedelta(hours=8)).isoformat(),
    )
    assert added.status_code == 201, added.text


def names(browser: Browser) -> list[tuple[str, bool]]:
    return [(one["name"], one["may_change"]) for one in browser.get(VIEWS).json()]


def test_views_are_kept_by_each_for_himself(app: FastAPI, consortium: Consortium) -> None:
    consortium.queued_study(modalities=("ECG",))
    consortium.queued_study()
    writer, other = Browser(app, "writer"), Browser(app, "writer2")
    made = writer.post(VIEWS, **VIEW)
    assert made.status_code == 201
    assert [(one["name"], one["count"], one["count_exact"]) for one in made.json()] == [
        ("心电", 1, True)
    ]
    path = f"{VIEWS}/{made.json()[0]['id']}"
    assert other.get(VIEWS).json() == []
    assert other.put(path, **VIEW).status_code == 404
    assert writer.post(VIEWS, **VIEW).json()["type"].endswith("view-name")
    changed = writer.put(path, name="全部", filter={"state": ["QUEUED"]}).json()
    assert [(one["name"], one["count"]) for one in changed] == [("全部", 2)]
    assert writer.post(VIEWS, name="x", filter={"state": ["NO"]}).status_code == 422
    assert other.client.delete(path).status_code == 404
    assert writer.client.delete(path).status_code == 204
    page = writer.get("/api/workitems?state=QUEUED&lane=ecg&page_size=1&sort=due").json()
    assert (page["total"], len(page["items"])) == (1, 1)
    assert writer.get("/api/workitems?sort=nonsense").status_code == 422
    stranger = Browser(app, "doctor-east")
    for path in (
        "/api/workitems",
        VIEWS,
        "/api/worklist/preferences",
        f"/api/worklist/lines?id={uuid4()}",
        "/api/worklist/board",
    ):
        assert stranger.get(path).status_code == 403, path


def test_what_is_shared_is_seen_by_all_or_by_a_group_and_changed_by_few(
    app: FastAPI, consortium: Consortium
) -> None:
    members = [str(consortium.people["writer"].id)]
    group = {"name": "神经组", "name_en": "Neuro", "lane": "imaging", "members": members}
    assert Browser(app, "head").put("/api/reading-groups/neuro", **group).status_code == 200
    writer, other, reviewer, dispatcher = (
        Browser(app, login) for login in ("writer", "writer2", "reviewer", "dispatcher")
    )
    assert writer.post(VIEWS, **VIEW, shared=True).status_code == 403
    assert reviewer.post(VIEWS, **VIEW, shared=True, group="spine").status_code == 404
    for body in ({"name": "所有人"}, {"name": "神经", "group": "neuro"}):
        assert reviewer.post(VIEWS, **(VIEW | body), shared=True).status_code == 201
    assert names(reviewer) == [("所有人", True), ("神经", True)]
    assert names(writer) == [("所有人", False), ("神经", False)]
    assert names(other) == [("所有人", False)]
    assert names(dispatcher) == [("所有人", True), ("神经", True)]
    everybody, neuro = (f"{VIEWS}/{one['id']}" for one in dispatcher.get(VIEWS).json())
    assert writer.put(everybody, **VIEW).status_code == 404
    renamed = dispatcher.put(neuro, **(VIEW | {"name": "神经组"}), shared=True, group="neuro")
    assert [one["group"] and one["group"]["code"] for one in renamed.json()] == [None, "neuro"]
    # It stays that of who made it.
    assert names(reviewer) == [("所有人", True), ("神经组", True)]
    assert reviewer.put(everybody, **VIEW).status_code == 200
    assert names(other) == []


def test_each_has_a_default_view_and_columns_of_his_own(app: FastAPI) -> None:
    writer, other = Browser(app, "writer"), Browser(app, "writer2")
    path = "/api/worklist/preferences"
    assert writer.get(path).json() == {"default_view": None, "columns": []}
    view = writer.post(VIEWS, **VIEW).json()[0]["id"]
    kept = {"default_view": view, "columns": ["due", "patient"]}
    assert writer.put(path, **kept).json() == kept
    assert other.put(path, default_view=view).status_code == 404
    assert other.put(path, columns=["<script>"]).status_code == 422
    assert other.get(path).json()["columns"] == []
    assert writer.client.delete(f"{VIEWS}/{view}").status_code == 204
    assert writer.get(path).json() == kept | {"default_view": None}


def test_work_is_given_to_people_whose_load_is_known_and_what_cannot_be_given_is_told(
    app: FastAPI, consortium: Consortium
) -> None:
    put_on_duty(app, consortium, "writer2")
    dispatcher, writer = Browser(app, "dispatcher"), Browser(app, "writer")
    items = [str(consortium.queued_study().workitem_id) for _ in range(3)]
    assert writer.post(f"/api/workitems/{items[2]}/claim").status_code == 200
    unknown = str(uuid4())
    given = {
        "workitem_ids": [*items, unknown],
        "person_id": str(consortium.people["writer2"].id),
    }
    assert writer.post("/api/workitems/assign", **given).status_code == 403
    answer = dispatcher.post("/api/workitems/assign", **given).json()
    assert answer["assigned"] == 2
    assert {one["workitem_id"]: one["code"] for one in answer["refused"]} == {
        items[2]: "wrong-state",
        unknown: "not-found",
    }
    readers = dispatcher.get("/api/readers").json()
    assert [(one["display_name"], one["load"], bool(one["duties"])) for one in readers] == [
        ("周书写", 2, True),
        ("王审核", 0, False),
        ("郑审核", 0, False),
        ("李书写", 1, False),
    ]
    lines = writer.get(f"/api/worklist/lines?id={items[0]}&id={unknown}").json()
    assert [one["assigned_to"]["display_name"] for one in lines] == ["周书写"]
    taken_back = dispatcher.post(
        "/api/workitems/assign", workitem_ids=items[:1], person_id=None
    ).json()
    assert (taken_back["assigned"], taken_back["refused"]) == (1, [])


def test_lines_are_marked_with_what_goes_on_beside_them(
    app: FastAPI, consortium: Consortium
) -> None:
    item = str(consortium.queued_study().workitem_id)
    quiet = str(consortium.queued_study().workitem_id)
    writer, reviewer = Browser(app, "writer"), Browser(app, "reviewer")
    assert writer.post(f"/api/workitems/{item}/claim").status_code == 200
    for finding in ("急性硬膜外血肿", "脑疝"):
        found = writer.post(f"/api/workitems/{item}/critical-values", finding=finding)
        assert found.status_code == 201, found.text
    value = f"/api/critical-values/{found.json()['id']}"
    assert reviewer.post(f"{value}/confirm").status_code == 200
    marks = {
        one["id"]: (one["critical_value"], one["retake"], one["consultation"])
        for one in writer.get("/api/workitems").json()["items"]
    }
    assert marks == {item: ("SUSPECTED", None, None), quiet: (None, None, None)}
