"""What a web process's first requests would wait for, done before it takes any."""

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from http import HTTPStatus
from typing import Final
from uuid import uuid4

from fastapi import FastAPI
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp, Message
from starlette.types import Scope as Asked

from reading_worklist.access import sessions
from reading_worklist.access.scope import Scope
from reading_worklist.dicomweb import queries
from reading_worklist.problems import Problem
from reading_worklist.services import COOKIE, Services, WebConfig
from storage import walls
from storage.database import Database
from storage.identifiers import Uid
from storage.registry import OrganisationKind, Role

# A session that nobody has, and a study that there is not.
_NO_SESSION: Final = "-"
_CLIENT: Final = "127.0.0.1"
_UID: Final = Uid.parse("1.2", what="Study Instance UID")
# psycopg has the server prepare a statement after five executions, and the server plans it anew for
# five more before it takes one plan for all. Until then the search for a session takes the server
# three times as long, that for a study four times.
_UNTIL_PLANNED: Final = 11
_COOKIE: Final = f"{COOKIE}={_NO_SESSION}".encode("ascii")
# The first is answered by the routes of DICOMweb, the second is compared with every route there is.
_PATHS: Final = ("/dicom-web/studies/1.2/metadata", "/api/warm-up")


async def warm_up(app: FastAPI) -> bool:
    """Ask the application for what nobody may see; return whether it could answer.

    FastAPI prepares a route when a request first comes by it: that and the first connection took
    the first reader of each process 0.1 s. A database that is away is nothing to wait for.
    """
    services: Services = app.state.services
    answered = await asyncio.to_thread(_rehearsed, services.database, services.config)
    for path in _PATHS:
        answered = await _status(app, path) < HTTPStatus.INTERNAL_SERVER_ERROR and answered
    return answered


def _rehearsed(database: Database, config: WebConfig) -> bool:
    """Ask what every viewer asks first until the server has a plan for it; False: it is away."""
    # By one's only site, and by one of several; of a centre, and behind the wall.
    roots = [queries.Root(_nobody(count)) for count in (1, 2)]
    studies = [partial(queries.find_study_with_series, root=one, study=_UID) for one in roots]
    series = [partial(queries.find_series, root=one, study=_UID, series=_UID) for one in roots]
    try:
        with database.reading() as connection:
            _ask(partial(_resume, connection, config))
        for whose in (nullcontext(), walls.no_sites_yet()):
            with whose, database.reading() as connection:
                for question in (*studies, *series):
                    _ask(partial(question, connection))
    except SQLAlchemyError:
        return False
    return True


def _ask(question: Callable[[], object]) -> None:
    for _ in range(_UNTIL_PLANNED):
        try:
            question()
        except Problem:
            # There is no such thing, as was meant.
            continue


def _resume(connection: Connection, config: WebConfig) -> None:
    sessions.resume(connection, _NO_SESSION, _CLIENT, config.session_limits, config.access)


def _nobody(site_count: int) -> Scope:
    """Return the scope of somebody who does not exist, of as many sites that do not either."""
    return Scope(
        person_id=uuid4(),
        login="",
        display_name="",
        organisation_id=uuid4(),
        organisation_code="",
        organisation_name="",
        organisation_name_en="",
        organisation_kind=OrganisationKind.SITE,
        roles=frozenset({Role.SITE_DOCTOR}),
        site_ids=frozenset(uuid4() for _ in range(site_count)),
        csrf_token="",
        client=_CLIENT,
    )


async def _status(app: ASGIApp, path: str) -> int:
    status = HTTPStatus.INTERNAL_SERVER_ERROR.value

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = int(message["status"])

    connection: Asked = {
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
        "client": (_CLIENT, 0),
        "server": None,
    }
    await app(connection, receive, send)
    return status
