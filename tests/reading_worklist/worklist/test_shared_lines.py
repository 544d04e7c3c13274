"""Lines of the worklist that are made once for many: each person is shown his own."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import select, text

from reading_worklist import live
from reading_worklist.events import EventHub
from reading_worklist.live import LINES_TOLD_MAX
from reading_worklist.workitems.queries import beside, line_for, rows
from reading_worklist.workitems.rules import allowed_actions
from reading_worklist.workitems.service import tell
from reading_worklist.workitems.states import State
from reading_worklist.workitems.tables import Workitem
from reading_worklist.worklist import queries
from reading_worklist.worklist.schemas import WorkitemPage, WorklistLine, WorklistRequest
from reading_worklist.worklist.shared_lines import shared
from storage.audit import AuditRecord
from storage.database import Database, as_owner
from storage.objects import ObjectStore
from storage.registry import Organisation
from tests.e2e.system import wait_for
from tests.support.asgi import listen
from tests.support.scopes import scope_of
from tests.support.seed import Consortium
from tests.support.web import Browser, application

_HEARING = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND query LIKE 'LISTEN%'"
)
PEOPLE = ("writer", "writer2", "reviewer", "reviewer2", "dispatcher", "head")


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    return application(consortium, objects, tmp_path, signers=False)


@pytest.mark.parametrize("state", list(State))
def test_each_may_do_what_the_rules_say_whoever_the_line_was_made_for(
    database: Database, consortium: Consortium, state: State
) -> None:
    """Pair by pair: every state, every role, who holds it, who wrote it, and who does neither."""
    scopes = {login: scope_of(database, login) for login in PEOPLE}
    made = consortium.queued_study()
    with database.transaction() as session:
        [line] = queries.lines_of(session, scopes["writer"], [made.workitem_id])
    writers = [None, *(scopes[login].person_id for login in PEOPLE[:4])]
    for holder in writers:
        for writer in writers:
            line.item.state, line.item.holder_id, line.item.writer_id = state, holder, writer
            fresh = shared(line.view, line.item)
            for login in (*PEOPLE, *reversed(PEOPLE)):
                expected = [one.value for one in allowed_actions(line.item, scopes[login])]
                assert json.loads(fresh.json(scopes[login]))["actions"] == expected


def test_a_shared_page_is_what_its_schema_says(database: Database, consortium: Consortium) -> None:
    consortium.queued_study()
    consortium.queued_study(modalities=("ECG",))
    scope = scope_of(database, "reviewer")
    with database.transaction() as session:
        page = queries.page(session, scope, WorklistRequest())
        alone = {
            row[0].id: line_for(scope, row, beside(session, scope, [row]))
            for row in session.execute(rows()).all()
        }
    document = json.loads(page.json(scope))
    assert document == json.loads(WorkitemPage.model_validate(document).model_dump_json())
    assert set(document) == set(WorkitemPage.model_fields)
    for line in document["items"]:
        assert set(line) == set(WorklistLine.model_fields)
        expected = json.loads(alone[UUID(line["id"])].model_dump_json())
        assert {name: line[name] for name in expected} == expected


def test_people_share_a_page_when_they_are_shown_the_same(
    database: Database, consortium: Consortium
) -> None:
    writer, other, reviewer = (scope_of(database, one) for one in ("writer", "writer2", "reviewer"))
    wanted = WorklistRequest(state=[State.QUEUED])
    assert queries.audience(writer, wanted) == queries.audience(other, wanted)
    assert queries.audience(writer, wanted) == queries.audience(reviewer, wanted)
    assert queries.audience(writer, wanted) != queries.audience(writer, WorklistRequest())
    fewer = replace(writer, site_ids=frozenset({consortium.east.id}))
    assert queries.audience(fewer, wanted) != queries.audience(writer, wanted)
    for own in (WorklistRequest(mine=True), WorklistRequest.model_validate({"assigned": "me"})):
        assert queries.audience(writer, own) != queries.audience(other, own)
        assert queries.audience(writer, own) == queries.audience(writer, own)


class Page:
    """Somebody's open page, that hears of changes."""

    def __init__(self, app: FastAPI, consortium: Consortium, login: str) -> None:
        self.app = app
        self.person_id = consortium.people[login].id
        cookies = Browser(app, login).client.cookies
        self.headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in cookies.items())}

    async def hear(self, *, until: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        """Hear of workitems until it is enough."""
        said = await listen(
            self.app, "/api/events", self.headers, until=lambda sent: until(_workitems(sent))
        )
        return _workitems(said)


def _workitems(sent: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for frame in sent.split(b"\n\n")[:-1]:
        fields: Mapping[bytes, bytes] = dict(
            line.split(b": ", 1) for line in frame.split(b"\n") if not line.startswith(b":")
        )
        if fields.get(b"event") == b"workitem":
            found.append(json.loads(fields[b"data"]))
    return found


def _hear(
    app: FastAPI,
    logins: Sequence[str],
    consortium: Consortium,
    change: Callable[[], object],
    last: UUID,
) -> list[list[dict[str, Any]]]:
    """Let pages listen, change something, and return what each has heard up to `last`."""
    hub: EventHub = app.state.services.events
    pages = [Page(app, consortium, login) for login in logins]

    def all_listen() -> bool | None:
        with consortium.database.transaction() as session:
            as_owner(session)
            hears = session.scalar(_HEARING)
        return (hears and all(hub.pages_of(one.person_id) for one in pages)) or None

    async def scene() -> list[list[dict[str, Any]]]:
        def enough(heard: list[dict[str, Any]]) -> bool:
            return any(one["id"] == str(last) for one in heard)

        hub.start()
        try:
            listening = [asyncio.create_task(page.hear(until=enough)) for page in pages]
            await asyncio.to_thread(wait_for, "every page to listen", all_listen)
            async with asyncio.timeout(60):
                await asyncio.to_thread(change)
                return await asyncio.gather(*listening)
        finally:
            await asyncio.to_thread(hub.stop)

    return asyncio.run(scene())


def test_a_change_comes_with_the_line_to_people_of_the_centre_alone(
    app: FastAPI, consortium: Consortium
) -> None:
    item = consortium.queued_study().workitem_id
    writer = Browser(app, "writer")
    logins = ("writer", "writer2", "reviewer", "doctor-east")
    heard = _hear(
        app, logins, consortium, lambda: writer.post(f"/api/workitems/{item}/claim"), item
    )
    site = heard.pop()
    assert set(site[-1]) == {"id", "state", "lane"}, "a site has no worklist"
    for browser, told in zip(
        (writer, Browser(app, "writer2"), Browser(app, "reviewer")), heard, strict=True
    ):
        line = told[-1]["line"]
        assert line["claimed_by"]["display_name"] == consortium.people["writer"].display_name
        assert [line] == browser.get(f"/api/worklist/lines?id={item}").json()
    assert heard[0][-1]["line"]["actions"] != heard[1][-1]["line"]["actions"]


def test_nobody_is_told_of_another_consortium(app: FastAPI, consortium: Consortium) -> None:
    with consortium.database.transaction() as session:
        far = session.scalars(select(Organisation).where(Organisation.code == "NEXT")).one()
    elsewhere = consortium.queued_study(site=far).workitem_id
    here = consortium.queued_study().workitem_id

    def change() -> None:
        for item in (elsewhere, here):
            with consortium.database.transaction() as session:
                tell(session, session.get_one(Workitem, item))

    [heard] = _hear(app, ["writer"], consortium, change, here)
    assert {one["id"] for one in heard} == {str(here)}


def test_of_many_changes_at_once_the_lines_are_left_to_the_list(
    app: FastAPI, consortium: Consortium
) -> None:
    items = [consortium.queued_study().workitem_id for _ in range(LINES_TOLD_MAX + 1)]
    alone = consortium.queued_study().workitem_id

    def change() -> None:
        with consortium.database.transaction() as session:
            for item in session.scalars(select(Workitem).where(Workitem.id.in_(items))):
                tell(session, item)
        with consortium.database.transaction() as session:
            tell(session, session.get_one(Workitem, alone))

    [heard] = _hear(app, ["writer"], consortium, change, alone)
    assert {one["id"] for one in heard} == {*map(str, items), str(alone)}
    assert not any("line" in one for one in heard if one["id"] != str(alone))


def test_who_is_shown_lines_as_they_change_is_in_the_trail(
    app: FastAPI, consortium: Consortium
) -> None:
    item = consortium.queued_study().workitem_id

    def change() -> None:
        with consortium.database.transaction() as session:
            tell(session, session.get_one(Workitem, item))

    _hear(app, ["writer", "doctor-east"], consortium, change, item)
    with consortium.database.transaction() as session:
        seen = session.scalars(
            select(AuditRecord.person_id).where(AuditRecord.subject_id == "worklist/changes")
        ).all()
    assert seen == [consortium.people["writer"].id]


def test_a_page_is_told_nothing_more_of_a_site_that_left_the_consortium(
    app: FastAPI, consortium: Consortium, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_LOOK_SECONDS", 0.0)
    item = consortium.queued_study().workitem_id

    def change() -> None:
        with consortium.database.transaction() as session:
            elsewhere = session.scalars(
                select(Organisation).where(Organisation.code == "next")
            ).one()
            session.get_one(Organisation, consortium.east.id).parent_id = elsewhere.id
        with consortium.database.transaction() as session:
            tell(session, session.get_one(Workitem, item))

    # The stream ends without a word of it.
    assert _hear(app, ["writer"], consortium, change, item) == [[]]
