"""Nobody learns of what is not his: every route is asked by strangers, against a written table."""

import asyncio
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from uuid import uuid4

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from reading_worklist.access.masking import WITHOUT_IDENTITY
from reading_worklist.access.sessions import sign_in
from reading_worklist.services import COOKIE
from storage import registry
from storage.objects import ObjectStore
from storage.registry import Organisation, OrganisationKind, Role
from tests.reading_worklist.access_matrix import BODIES, MATRIX, QUERIES, SITE, Row, row_of
from tests.support.asgi import Answer, ask
from tests.support.header_scan import faults
from tests.support.owned import owned
from tests.support.scopes import LIMITS
from tests.support.seed import Consortium, password_hash
from tests.support.stranger import Door, body_of, doors, query_of
from tests.support.web import application

PATIENTS_OF_OURS = ("张伟", "Zhang^Wei", "P-EAST")
NAMES_OF_OURS = (*PATIENTS_OF_OURS, "A-EAST", "东河镇卫生院")
OF_EACH = {"x-request-id", "content-length"}
"""Headers that differ from answer to answer; the length is that of the text, which is compared."""
OF_THE_ASKER = ("web_session", "SELECT set_config(")
REFUSED = (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
ROOT_ROLES = {Role.CONSORTIUM_ADMIN, Role.SYSTEM_ADMIN, Role.REGULATOR, Role.AUDITOR}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody signed in; nobody with no headers."""

    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Walk:
    """The application, who walks it, and what belongs to the site that they are strangers to.

    ours: people of that site and its centre. theirs: people of another consortium, and of another
        site of the same one. unknown: names of things like `foreign` that are not there.
    """

    app: FastAPI
    ours: dict[Role, Person]
    theirs: list[tuple[Role, Person]]
    foreign: dict[str, str]
    unknown: dict[str, str]


_statements: ContextVar[list[str] | None] = ContextVar("statements", default=None)
"""What the database was asked for the request of this context, in whatever thread."""


class Asking:
    """Asks everything in one event loop; one for each question was most of the time."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        # What a scanner of headers would say, by answer; see `header_scan`.
        self.faults: set[str] = set()
        self._at_once = asyncio.Semaphore(4)

    async def ask_noting(
        self, who: Person, door: Door, names: dict[str, str]
    ) -> tuple[Answer, list[str]]:
        """The answer, and of which statements it was made."""
        asked = list[str]()
        _statements.set(asked)
        answer = await self.ask(who, door, names)
        _statements.set(None)
        return answer, asked

    async def ask(self, who: Person, door: Door, names: dict[str, str]) -> Answer:
        body = None
        if door.method != "GET":
            written = BODIES.get(f"{door.method} {door.path}", BODIES.get(door.path))
            body = written or body_of(self.walk.app, door)
        async with self._at_once:
            answer = await ask(
                self.walk.app,
                door.method,
                door.filled(names),
                body=body,
                params=QUERIES.get(door.path) or query_of(self.walk.app, door),
                headers=who.headers,
            )
        self.faults |= {
            f"{door.method} {door.path} answered {answer.status_code}: {fault}"
            for fault in faults(answer.headers, tls=False)
        }
        return answer


@pytest.fixture
def walk(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> Walk:
    app = application(consortium, objects, tmp_path)
    with consortium.database.transaction() as session:
        places = {"root": consortium.root, "centre": consortium.centre, "site": consortium.east}
        _people(session, "our", places, frozenset(Role))
        _people(session, "west", {"site": consortium.west}, SITE)
        _people(session, "their", _another(session), frozenset(Role))
    foreign = owned(app, consortium)
    unknown = {name: _unlike(value) for name, value in foreign.items()}
    with consortium.database.transaction() as session:
        theirs = [(role, _person(session, f"their-{role}")) for role in Role]
        theirs += [(role, _person(session, f"west-{role}")) for role in SITE]
        ours = {role: _person(session, f"our-{role}") for role in Role}
    return Walk(app, ours, theirs, foreign, unknown)


@pytest.fixture
def counted() -> Iterator[None]:
    """Notes the statements of each request; how long an answer takes tells no less than its words.

    Noted instead of timed: a clock in a test measures the machine.
    """

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        asked = _statements.get()
        # Whose session a token is, is remembered for a second, and a connection of the pool knows
        # for whom it worked last, whatever is asked: a busy machine changes that between the two.
        if asked is not None and not any(one in statement for one in OF_THE_ASKER):
            asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield
    event.remove(Engine, "before_cursor_execute", note)


def test_every_route_has_its_row_and_every_row_its_route(
    consortium: Consortium, objects: ObjectStore, tmp_path: Path
) -> None:
    every = doors(application(consortium, objects, tmp_path))
    rows = [(f"{door.method} {door.path}", row_of(door.method, door.path)) for door in every]
    missing = [name for name, row in rows if row is None]
    assert not missing, "add these to tests/reading_worklist/access_matrix.py"
    used = {id(row) for _, row in rows}
    assert [row.path for row in MATRIX if id(row) not in used] == [], "rows that name no route"


# Thousands of questions: a quarter of a minute on a quiet machine.
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_route_against_the_table(walk: Walk, counted: None) -> None:
    del counted
    every = doors(walk.app)
    named = {name for door in every for name in door.named}
    assert named - set(walk.foreign) == set(), "say in tests/support/owned.py what these name"
    wrong = asyncio.run(_asked(walk, every))
    assert not wrong, "\n".join(wrong)


async def _asked(walk: Walk, every: Sequence[Door]) -> list[str]:
    """What every door answers and should not."""
    asking = Asking(walk)
    found = await asyncio.gather(
        *(
            check(asking, door, row)
            for door in every
            if (row := row_of(door.method, door.path)) is not None
            for check in (_without_sign_in, _in_other_roles, _of_others, _without_identity)
        )
    )
    return [one for wrong in found for one in wrong] + sorted(asking.faults)


async def _without_sign_in(asking: Asking, door: Door, row: Row) -> list[str]:
    status = (await asking.ask(Person({}), door, asking.walk.foreign)).status_code
    if (status == HTTPStatus.UNAUTHORIZED) is not row.public:
        return []
    return [f"{door.method} {door.path} without sign-in: {status}"]


async def _in_other_roles(asking: Asking, door: Door, row: Row) -> list[str]:
    wrong: list[str] = []
    # Of DICOMweb, and of what machines ask, that is decided in one place for all routes.
    others = [] if row.public else sorted(set(Role) - row.roles)
    at_one_place = row.machines or door.path.startswith("/dicom-web")
    expected = (HTTPStatus.UNAUTHORIZED,) if row.machines else REFUSED
    for role in others[:1] if at_one_place else others:
        answer = await asking.ask(asking.walk.ours[role], door, asking.walk.foreign)
        if answer.status_code not in expected:
            wrong.append(f"{door.method} {door.path} as {role}: {_short(answer)}, not 403")
    return wrong


async def _of_others(asking: Asking, door: Door, row: Row) -> list[str]:
    """What is foreign answers as what is unknown does; what has no name shows nothing of ours."""
    walk, wrong = asking.walk, list[str]()
    mine = [name for name in door.named if walk.foreign[name] != walk.unknown[name]]
    for role, who in walk.theirs:
        if role not in row.roles or row.streams or row.public:
            continue
        if mine:
            foreign, asked = await asking.ask_noting(who, door, walk.foreign)
            unknown, asked_then = await asking.ask_noting(who, door, walk.unknown)
            if asked != asked_then:
                wrong.append(
                    f"{door.method} {door.path} as another's {role}: for what is foreign {asked},"
                    f" for what is not there {asked_then}"
                )
            if foreign.status_code == HTTPStatus.UNPROCESSABLE_ENTITY:
                wrong.append(f"{door.method} {door.path}: BODIES has to say more: {foreign.text}")
            if _told(walk, foreign) != _told(walk, unknown):
                wrong.append(
                    f"{door.method} {door.path} as another's {role}: foreign {_short(foreign)},"
                    f" unknown {_short(unknown)}; {foreign.headers}, {unknown.headers}"
                )
        elif door.method == "GET":
            answer = await asking.ask(who, door, walk.foreign)
            if any(name in answer.text for name in NAMES_OF_OURS):
                wrong.append(f"{door.method} {door.path} shows {role} what is not his")
    return wrong


async def _without_identity(asking: Asking, door: Door, row: Row) -> list[str]:
    """Who needs no identity is shown none, of the patients of his own sites either."""
    wrong: list[str] = []
    if door.method != "GET" or row.streams or row.public or row.machines:
        return wrong
    for role in sorted(WITHOUT_IDENTITY & row.roles):
        answer = await asking.ask(asking.walk.ours[role], door, asking.walk.foreign)
        if any(name in answer.text for name in PATIENTS_OF_OURS):
            wrong.append(f"{door.method} {door.path} shows {role} who a patient is")
    return wrong


def _told(walk: Walk, answer: Answer) -> tuple[int, list[tuple[str, str]], str]:
    """What an answer says, in its headers as well, beside the names that were asked for."""
    headers = [
        (name, _unnamed(walk, value)) for name, value in answer.headers if name not in OF_EACH
    ]
    return answer.status_code, headers, _unnamed(walk, answer.text)


def _unnamed(walk: Walk, text: str) -> str:
    for known in (walk.foreign, walk.unknown):
        for name, value in known.items():
            text = text.replace(value, name) if len(value) > 3 else text
    return text


def _short(answer: Answer) -> str:
    return f"{answer.status_code} {answer.text[:120]}"


def _unlike(value: str) -> str:
    """Something of the same form that is not there; what is no name of anything stays."""
    if value.count("-") == 4:
        return str(uuid4())
    if value.startswith(("1.2.", "2.25.")):
        return f"{value.rpartition('.')[0]}.9999"
    return "NOWHERE" if value == "EAST" else value


def _people(
    session: Session, prefix: str, places: dict[str, Organisation], roles: frozenset[Role]
) -> None:
    for role in roles:
        where = "site" if role in SITE else "root" if role in ROOT_ROLES else "centre"
        registry.add_person(
            session,
            f"{prefix}-{role}",
            f"{prefix} {role}",
            password_hash(),
            organisation=places[where],
            roles=(role,),
        )


def _another(session: Session) -> dict[str, Organisation]:
    """Another consortium of the same installation."""
    root = registry.add_organisation(
        session,
        kind=OrganisationKind.CONSORTIUM,
        code="other",
        name="绿水县医共体",
        name_en="Other county",
        parent=None,
    )
    made = {"root": root}
    for key, kind in (("centre", OrganisationKind.CENTRE), ("site", OrganisationKind.SITE)):
        made[key] = registry.add_organisation(
            session,
            kind=kind,
            code=f"other-{key}",
            name=f"绿水 {key}",
            name_en=f"Other {key}",
            parent=root,
        )
    return made


def _person(session: Session, login: str) -> Person:
    made = sign_in(session, login, "127.0.0.1", LIMITS)
    return Person({"Cookie": f"{COOKIE}={made.token}", "X-CSRF-Token": made.scope.csrf_token})
