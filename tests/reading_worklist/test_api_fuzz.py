"""schemathesis over every operation of the API: no failure of the server, no undescribed answer.

The short run asks each a few times; `make fuzz-api` asks as several roles, hundreds of times.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4
from zlib import crc32

import pytest
from anyio.from_thread import start_blocking_portal
from fastapi import FastAPI
from sqlalchemy.orm import Session

from reading_worklist.access.sessions import sign_in
from reading_worklist.problems import Problem
from reading_worklist.services import COOKIE
from storage import registry
from storage.objects import ObjectKey, ObjectStore
from storage.registry import MachineScope, Role, issue_token
from tests.reading_worklist.access_matrix import SITE, row_of
from tests.reading_worklist.dicomweb.archive import Archive
from tests.reading_worklist.dicomweb.conftest import copy_of
from tests.support.fuzzing import Asker, Fuzzing
from tests.support.machines import secret_of
from tests.support.owned import owned
from tests.support.scopes import LIMITS
from tests.support.seed import Consortium, password_hash
from tests.support.soak import soak
from tests.support.web import application
from tests.support.wire import wire_document

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]

TURNS = soak(4, else_=1)
EXAMPLES = soak(40, else_=1)
ROOT_ROLES = {Role.CONSORTIUM_ADMIN, Role.SYSTEM_ADMIN, Role.REGULATOR, Role.AUDITOR}


@dataclass(frozen=True, slots=True)
class World:
    """The application over one of everything, and who may ask it.

    token: of software of the site.
    """

    app: FastAPI
    consortium: Consortium
    names: dict[str, str]
    token: str

    def asker(self, method: str, path: str, turn: int) -> Asker | None:
        """One of those who may ask a route, another one each turn; None for what has no end."""
        row = row_of(method, path) or row_of(method, path.replace("{encoded}", "{encoded:path}"))
        assert row is not None, f"{method} {path} has no row in the table of access"
        if row.streams:
            return None
        if row.machines:
            return Asker("software of the site", {"Authorization": f"Bearer {self.token}"})
        roles = sorted(row.roles)
        role = roles[(crc32(f"{method} {path}".encode()) + turn) % len(roles)]
        # A sign-in for each route: some of them end it, or lock whom an administrator made up.
        with self.consortium.database.transaction() as session:
            try:
                made = sign_in(session, f"our-{role}", "127.0.0.1", LIMITS)
            except Problem:
                login = f"our-{role}-{uuid4().hex[:8]}"
                _add_person(session, self.consortium, role, login)
                made = sign_in(session, login, "127.0.0.1", LIMITS)
        headers = {"Cookie": f"{COOKIE}={made.token}", "X-CSRF-Token": made.scope.csrf_token}
        return Asker(role, headers)


@pytest.fixture
def world(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> World:
    app = application(consortium, objects, tmp_path)
    with consortium.database.transaction() as session:
        token = secret_of(issue_token(session, consortium.east, "HIS", MachineScope.FHIR))
        for role in Role:
            _add_person(session, consortium, role, f"our-{role}")
    names = owned(app, consortium)
    objects.put(ObjectKey.parse("ecg-files/none"), b"<AnnotatedECG/>", content_type="text/xml")
    return World(app, consortium, names | _filed(consortium, objects), token)


def _add_person(session: Session, consortium: Consortium, role: Role, login: str) -> None:
    of_site = consortium.east if role in SITE else consortium.centre
    registry.add_person(
        session,
        login,
        login.replace("-", " "),
        password_hash(),
        organisation=consortium.root if role in ROOT_ROLES else of_site,
        roles=(role,),
    )


def _filed(consortium: Consortium, objects: ObjectStore) -> dict[str, str]:
    """The names of an instance with pixels, by path parameter."""
    archive = Archive(consortium.database, objects)
    filed = archive.file(copy_of("CT_small.dcm"), consortium.east)
    assert filed is not None
    archive.complete()
    return {
        "study": filed.header.study_instance_uid,
        "series": filed.header.series_instance_uid,
        "instance": filed.header.sop_instance_uid,
    }


@pytest.fixture
def fuzzing(world: World) -> Iterator[Fuzzing]:
    with start_blocking_portal() as portal:
        yield Fuzzing(world.app, portal, world.names, EXAMPLES)


def test_every_operation_that_is_described(world: World, fuzzing: Fuzzing) -> None:
    _ask_everything(world, fuzzing, world.app.openapi())


def test_every_operation_of_dicomweb_ups_and_fhir(world: World, fuzzing: Fuzzing) -> None:
    _ask_everything(world, fuzzing, wire_document(world.app))


def _ask_everything(world: World, fuzzing: Fuzzing, document: dict[str, Any]) -> None:
    wrong: list[str] = []
    for turn in range(TURNS):
        wrong += fuzzing.complaints(document, partial(world.asker, turn=turn), turn)
    assert not wrong, "\n\n".join(wrong)
    done = sum(count for status, count in fuzzing.statuses.items() if status < 300)
    # What only ever meets a refusal at the door tests nothing behind it.
    assert done > sum(fuzzing.statuses.values()) / 5, fuzzing.statuses
