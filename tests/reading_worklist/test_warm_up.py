"""A web process is warm before it takes its first request."""

import asyncio
from pathlib import Path

from fastapi import FastAPI
from sqlalchemy.pool import QueuePool

from reading_worklist.app import create_app
from reading_worklist.services import WebConfig
from reading_worklist.warm_up import warm_up
from storage.database import Database
from storage.objects import ObjectStore


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
