"""Requests that a standby answers: the same answers, at once, and none that fails by it."""

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, event
from sqlalchemy.engine import Connection

from deploy.embedded.postgres import EmbeddedPostgres
from reading_worklist.app import create_app
from reading_worklist.services import WebConfig
from reading_worklist.standby_reads import ROUTES, may_be_at_standby
from storage import standby as standby_reads
from storage.database import Database
from storage.objects import ObjectStore
from storage.standby import StandbyReads, StandbyState
from tests.e2e.system import wait_for
from tests.reading_worklist.access_matrix import QUERIES, row_of
from tests.support.seed import Consortium
from tests.support.standby import StreamingStandby, commit_to_disk, following, wait_until
from tests.support.stranger import Door, doors, query_of
from tests.support.web import Browser

_LOGINS = ("reviewer", "dispatcher", "doctor-east", "head")


@dataclass(frozen=True, slots=True)
class Two:
    """An application with a standby, and what its reads were answered by since it was cleared."""

    app: FastAPI
    reads: StandbyReads
    consortium: Consortium
    answered: list[tuple[str, StandbyState]]
    workitem_id: str


@pytest.fixture(scope="module")
def standby(postgres: EmbeddedPostgres) -> Iterator[StreamingStandby]:
    with following(postgres) as made:
        yield made


@pytest.fixture
def two(
    *,
    postgres: EmbeddedPostgres,
    database_url: str,
    consortium_database: str,
    standby: StreamingStandby,
    objects: ObjectStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Two]:
    commit_to_disk(postgres, database_url)
    answered: list[tuple[str, StandbyState]] = []
    monkeypatch.setattr(standby_reads, "_count", lambda *by: answered.append(by))
    config = WebConfig(tmp_path / "web", tmp_path / "ohif", (), ())
    with (
        closing(Database(database_url)) as primary,
        closing(StandbyReads(primary, standby.url(database_url))) as reads,
    ):
        consortium = Consortium(primary)
        item = str(consortium.queued_study().workitem_id)
        wait_until(reads, StandbyState.FIT)
        app = create_app(config, primary, objects, standby=reads)
        yield Two(app, reads, consortium, answered, item)


def listed(app: FastAPI, workitem_id: str = "1") -> Iterator[tuple[Door, str]]:
    """The routes that the table names, each with a path."""
    names = {"site_code": "EAST", "reading_id": workitem_id, "study": "1.2.3", "series": "1.2.3.4"}
    for door in doors(app):
        path = door.filled(dict.fromkeys(door.named, "x") | names)
        if may_be_at_standby(door.method, path):
            yield door, path


def test_rows_name_routes_that_people_ask(database: Database, objects: ObjectStore) -> None:
    app = create_app(WebConfig(Path(), Path(), (), ()), database, objects)
    found = list(listed(app))
    for pattern in ROUTES:
        assert any(re.fullmatch(pattern, path) for _, path in found), pattern
    for door, _ in found:
        row = row_of(door.method, door.path)
        assert row is not None
        # Guests and machines have proofs of their own, which are looked at as they read.
        assert not any((row.public, row.machines, row.streams)), door


@pytest.mark.slow
def test_the_standby_answers_as_the_primary_does(two: Two, objects: ObjectStore) -> None:
    config = two.app.state.services.config
    plain = create_app(config, two.consortium.database, objects)
    there = {login: Browser(two.app, login) for login in _LOGINS}
    here = {login: Browser(plain, login) for login in _LOGINS}
    for door, path in listed(two.app, two.workitem_id):
        row = row_of(door.method, door.path)
        assert row is not None
        login = next(
            one
            for one in _LOGINS
            if there[one].client.get("/api/session").json()["roles"][0] in row.roles
        )
        query = urlencode(QUERIES.get(door.path) or query_of(two.app, door))
        asked = f"{path}?{query}"

        def answered_there(path: str = asked, login: str = login) -> bytes | None:
            two.answered.clear()
            answer = there[login].get(path)
            assert answer.status_code in {200, 204, 404}, (path, answer.text)
            by = {server for server, _ in two.answered}
            return answer.content if by == {"standby"} else None

        found = wait_for(
            f"{asked} at the standby", answered_there, timeout=60.0, saw=lambda: two.answered
        )
        assert timeless(found) == timeless(here[login].get(asked).content), asked


def timeless(content: bytes) -> bytes:
    """What an answer says, without the moment at which it was made."""
    return re.sub(rb"T\d\d:\d\d:\d\d\.\d+", b"", content)


@pytest.mark.slow
def test_somebody_sees_at_once_what_he_did(two: Two) -> None:
    desk = Browser(two.app, "dispatcher")
    for number in range(20):
        made = desk.post("/api/worklist/views", name=f"view {number}", filter={})
        assert made.status_code == 201, made.text
        shown = desk.get("/api/worklist/views").json()
        assert f"view {number}" in [one["name"] for one in shown]


@pytest.mark.slow
def test_no_request_fails_when_the_standby_dies(two: Two, standby: StreamingStandby) -> None:
    desk = Browser(two.app, "dispatcher")
    struck: list[str] = []

    def strike(connection: Connection, _cursor: object, statement: str, *_more: object) -> None:
        host = connection.engine.url.query.get("host")
        if host == str(standby.directory) and "FROM workitem" in statement and not struck:
            struck.append(statement)
            standby.kill()

    event.listen(Engine, "before_cursor_execute", strike)
    try:
        while not struck:
            assert desk.get("/api/workitems").status_code == 200
        answers = [desk.get("/api/workitems").json()["total"] for _ in range(5)]
    finally:
        event.remove(Engine, "before_cursor_execute", strike)
    assert answers == [1] * 5
    standby.start()
    wait_until(two.reads, StandbyState.FIT)

    def is_back() -> bool | None:
        two.answered.clear()
        assert desk.get("/api/workitems").status_code == 200
        return ("standby", StandbyState.FIT) in two.answered or None

    wait_for("the standby to answer again", is_back, timeout=60.0)
