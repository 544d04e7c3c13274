"""What a web process's first requests would wait for, done before it takes any."""

import asyncio
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp, Message, Scope

from reading_worklist.services import COOKIE, Services
from storage.database import Database

# A session that nobody has: the database is connected to, and its first queries are compiled.
_COOKIE: Final = f"{COOKIE}=-".encode("ascii")
# The first is answered by the routes of DICOMweb, the second is compared with every route there is.
_PATHS: Final = ("/dicom-web/studies/1.2/metadata", "/api/warm-up")


async def warm_up(app: FastAPI) -> bool:
    """Ask the application for what nobody may see; return whether it could answer.

    FastAPI prepares a route when a request first comes by it: that and the first connection took
    the first reader of each process 0.1 s. A database that is away is nothing to wait for.
    """
    services: Services = app.state.services
    # Whoever is not known yet is asked for as nobody; those of the centre have other connections.
    answered = await asyncio.to_thread(_connects, services.database)
    for path in _PATHS:
        answered = await _status(app, path) < HTTPStatus.INTERNAL_SERVER_ERROR and answered
    return answered


def _connects(database: Database) -> bool:
    try:
        with database.reading() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return False
    return True


async def _status(app: ASGIApp, path: str) -> int:
    status = HTTPStatus.INTERNAL_SERVER_ERROR.value

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = int(message["status"])

    connection: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("ascii"),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"cookie", _COOKIE)],
        "client": ("127.0.0.1", 0),
        "server": None,
    }
    await app(connection, receive, send)
    return status
