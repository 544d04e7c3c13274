"""A web process is warm before it takes its first request."""

import asyncio
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.pool import QueuePool

from reading_worklist.app import create_app
from reading_worklist.services import WebConfig
from reading_worklist.warm_up import warm_up
from storage import walls
from storage.database import Database
from storage.objects import ObjectStore
from tests.support.seed import PASSWORD, Consortium

# Of this connection alone; a pool gives the one that was used last.
_PLANNED = text(
    "SELECT sum(custom_plans)::int, sum(generic_plans)::int FROM pg_prepared_statements"
    " WHERE statement ~ 'FROM web_session|study_instance_uid'"
)


def application_on(database: Database, objects: ObjectStore) -> FastAPI:
    nowhere = Path("/nonexistent")
    return create_app(
        WebConfig(web_ui=nowhere, ohif=nowhere, fonts=(), trust_anchors=()), database, objects
    )


def test_the_database_is_connected_to(database: Database, objects: ObjectStore) -> None:
    fresh = Database(database.url)
    assert asyncio.run(warm_up(application_on(fresh, objects)))
    pool = fresh.engine.pool
    assert isinstance(pool, QueuePool)
    assert pool.checkedin() == 1
    fresh.close()


def test_a_database_that_is_away_does_no_harm(objects: ObjectStore) -> None:
    away = Database("postgresql://nobody@127.0.0.1:1/none")
    assert not asyncio.run(warm_up(application_on(away, objects)))


def planned(database: Database) -> list[tuple[int, int]]:
    """How often what a viewer asks first was planned anew and was not, in each role."""
    with database.reading() as connection:
        found = [tuple(connection.execute(_PLANNED).one())]
    with walls.no_sites_yet(), database.reading() as connection:
        return [*found, tuple(connection.execute(_PLANNED).one())]


@pytest.mark.parametrize("login", ["writer", "doctor-east"])
def test_the_server_has_its_plans_for_what_viewers_ask_first(
    consortium: Consortium, objects: ObjectStore, login: str
) -> None:
    fresh = Database(consortium.database.url)
    app = application_on(fresh, objects)
    assert asyncio.run(warm_up(app))
    person = TestClient(app)
    credentials = {"login": login, "password": PASSWORD}
    assert person.post("/api/session", json=credentials).status_code == 200
    before = planned(fresh)
    for path in ("1.2/metadata", "1.2/series/1.3/metadata"):
        assert person.get(f"/dicom-web/studies/{path}").status_code == 404
    after = planned(fresh)
    assert [custom for custom, _ in after] == [custom for custom, _ in before]
    assert all(now[1] > then[1] for now, then in zip(after, before, strict=True))
    fresh.close()
