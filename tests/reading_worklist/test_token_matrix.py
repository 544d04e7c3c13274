"""What each kind of machine's token opens: every route, against a written table.

A route that takes tokens and has no row here, and a scope that no row names, fail the test.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest
from fastapi import FastAPI
from sqlalchemy import update

from storage.clock import utc_now
from storage.objects import ObjectStore
from storage.registry import MachineScope, MachineToken, issue_token
from tests.reading_worklist.access_matrix import BODIES, QUERIES, row_of
from tests.support.asgi import ask
from tests.support.machines import Desk
from tests.support.seed import Consortium
from tests.support.stranger import Door, body_of, doors, query_of
from tests.support.web import application

OPENS: Final[Mapping[str, frozenset[MachineScope]]] = {
    "/fhir/(?!metadata).*": frozenset({MachineScope.FHIR}),
    # Whoever may read all of a report as FHIR may fetch its document as well.
    "/api/machine/.*": frozenset({MachineScope.FHIR, MachineScope.REPORTS}),
    r"POST /api/ecg-files|GET /api/ecg-files/\{file_id\}": frozenset({MachineScope.ECG_FILES}),
}
"""Routes, as "METHOD /path" or "/path" for any method → which tokens they take; others take none.

A token of a device is one of these scopes as well.
"""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Secrets by scope; of a device; and such as are not taken any more, each of every scope."""

    live: Mapping[MachineScope, str]
    device: str
    dead: Mapping[str, str]


def opens(door: Door) -> frozenset[MachineScope]:
    """The scopes of the tokens that a route takes."""
    named = f"{door.method} {door.path}"
    return next(
        (
            scopes
            for pattern, scopes in OPENS.items()
            if re.fullmatch(pattern, named) or re.fullmatch(pattern, door.path)
        ),
        frozenset(),
    )


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    return application(consortium, objects, tmp_path, signers=False)


@pytest.fixture
def tokens(consortium: Consortium) -> Tokens:
    live, dead = dict[MachineScope, str](), dict[str, str]()
    now = utc_now()
    with consortium.database.transaction() as session:
        for scope in MachineScope:
            live[scope] = str(issue_token(session, consortium.east, f"{scope}", scope).secret)
            for why, ended in (
                ("revoked", {"revoked_at": now}),
                ("over", {"expires_at": now - timedelta(seconds=1)}),
            ):
                issued = issue_token(session, consortium.east, f"{scope} {why}", scope)
                dead[f"{scope} {why}"] = str(issued.secret)
                session.execute(
                    update(MachineToken).where(MachineToken.id == issued.row.id).values(ended)
                )
        device = issue_token(
            session, consortium.east, "cart", MachineScope.ECG_FILES, device=consortium.east_device
        )
    return Tokens(live, str(device.secret), dead)


async def _status(app: FastAPI, door: Door, secret: str) -> int:
    body = None
    if door.method != "GET":
        body = BODIES.get(f"{door.method} {door.path}", BODIES.get(door.path))
        body = body or body_of(app, door)
    names = dict.fromkeys(door.named, "00000000-0000-4000-8000-000000000000")
    answer = await ask(
        app,
        door.method,
        door.filled(names),
        body=body,
        params=QUERIES.get(door.path) or query_of(app, door),
        headers={"Authorization": f"Bearer {secret}"},
    )
    return answer.status_code


def test_every_route_takes_the_tokens_of_the_table(app: FastAPI, tokens: Tokens) -> None:
    every = [
        door
        for door in doors(app)
        if (row := row_of(door.method, door.path)) is not None and not row.public
    ]
    used = {scope for door in every for scope in opens(door)}
    assert used == set(MachineScope), "a scope without a route, or a row without one"
    wrong = asyncio.run(_walked(app, every, tokens))
    assert not wrong, "\n".join(wrong)


async def _walked(app: FastAPI, every: list[Door], tokens: Tokens) -> list[str]:
    wrong = list[str]()
    for door in every:
        taken = opens(door)
        shown = {f"{scope}": (secret, scope in taken) for scope, secret in tokens.live.items()}
        if taken:
            shown |= {why: (secret, False) for why, secret in tokens.dead.items()}
            shown["device"] = (tokens.device, MachineScope.ECG_FILES in taken)
            shown["unknown"] = (f"rdc_{uuid4().hex}", False)
        for name, (secret, lets_in) in shown.items():
            status = await _status(app, door, secret)
            if (status not in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}) is not lets_in:
                wrong.append(f"{door.method} {door.path} with a token '{name}': {status}")
    return wrong


def test_a_token_of_another_site_finds_what_an_unknown_name_finds(
    app: FastAPI, consortium: Consortium, objects: ObjectStore
) -> None:
    desk = Desk(consortium, objects, app)
    report = desk.another()
    for path, scope in (
        ("/fhir/DiagnosticReport/{}", MachineScope.FHIR),
        ("/fhir/DocumentReference/{}", MachineScope.FHIR),
        ("/fhir/Binary/{}", MachineScope.FHIR),
        ("/api/machine/reports/{}/pdf", MachineScope.REPORTS),
    ):
        theirs = desk.machine(consortium.west, scope)
        foreign, unknown = str(report.report_version_id), str(uuid4())
        found, missing = theirs.get(path.format(foreign)), theirs.get(path.format(unknown))
        assert found.status_code == missing.status_code == HTTPStatus.NOT_FOUND, path
        assert found.text.replace(foreign, "") == missing.text.replace(unknown, ""), path
        headers = [dict(answer.headers) for answer in (found, missing)]
        for said in headers:
            assert said.pop("x-request-id")
        assert headers[0] == headers[1], path
