"""A worklist with a million finished readings and 100,000 open ones, and who looks at it."""

import gc
import random
import statistics
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.testclient import TestClient
from pypinyin import lazy_pinyin
from sqlalchemy import make_url

from deploy.embedded.postgres import EmbeddedPostgres
from storage.database import Database, migrate
from storage.objects import open_object_store
from tests.bench.index_data import Size, a_name, connected, generate, unlogged_server
from tests.support.screens import WEB
from tests.support.seed import Consortium
from tests.support.web import Browser, application

OPEN_ITEMS: Final = 100_000
SIZE: Final = Size(studies=1_000_000 + OPEN_ITEMS, instances=1_000_000 + OPEN_ITEMS, sites=20)
_OPEN: Final = ("QUEUED", "CLAIMED", "RETURNED", "WRITTEN", "REVIEWING", "HELD")
_DONE: Final = ("FINAL", "PUBLISHED", "DELIVERED", "WITHDRAWN")
_GROUPS: Final = ("chest", "neuro", "abdomen", "bone")

Parameters = list[tuple[str, str]]
Draw = Callable[[random.Random], Parameters]


@dataclass(frozen=True)
class Question:
    """One way to look at the worklist: the parameters of `/api/workitems`, drawn anew each time."""

    name: str
    title: str
    draw: Draw


@dataclass(frozen=True)
class Answered:
    """The times of one kind of question in milliseconds."""

    times: Sequence[float]

    @property
    def p95(self) -> float:
        """The 95th percentile."""
        return statistics.quantiles(self.times, n=20)[-1]

    @property
    def median(self) -> float:
        """The median."""
        return statistics.median(self.times)


@dataclass
class WorklistWorld:
    """A filled worklist, and a writer of the centre who looks at it."""

    database: Database
    app: FastAPI
    client: TestClient

    def ask(self, question: Question, repeats: int, *, seed: int = 1) -> Answered:
        """Ask `repeats` questions of a kind, and time the answers."""
        chance = random.Random(seed)
        times: list[float] = []
        for _ in range(repeats):
            parameters = question.draw(chance)
            began = time.perf_counter()
            answer = self.client.get("/api/workitems", params=parameters)
            times.append((time.perf_counter() - began) * 1000)
            answer.raise_for_status()
        return Answered(times)

    def board(self, repeats: int) -> Answered:
        """Look at the wall board so often."""
        times: list[float] = []
        for _ in range(repeats):
            began = time.perf_counter()
            self.client.get("/api/worklist/board").raise_for_status()
            times.append((time.perf_counter() - began) * 1000)
        return Answered(times)

    def steps(self, repeats: int, *, offset: int = 0) -> Answered:
        """Ask for a page of all workitems by UPS-RS so often."""
        times: list[float] = []
        parameters = {"limit": "50", "offset": str(offset)}
        for _ in range(repeats):
            began = time.perf_counter()
            answer = self.client.get("/dicom-web/workitems", params=parameters)
            times.append((time.perf_counter() - began) * 1000)
            answer.raise_for_status()
        return Answered(times)

    def cursor(self, pages: int) -> str:
        """Return where to go on after so many pages of 200 of the open queue."""
        after: dict[str, str] = {}
        for _ in range(pages):
            parameters = [*_states(_OPEN), ("page_size", "200"), *after.items()]
            after = {"after": self.client.get("/api/workitems", params=parameters).json()["next"]}
        return after["after"]


def _states(states: Sequence[str]) -> Parameters:
    return [("state", one) for one in states]


def _fixed(*parameters: tuple[str, str]) -> Draw:
    return lambda _chance: [*parameters, ("page_size", "50")]


def _drawn(key: str, draw: Callable[[random.Random], str], states: Sequence[str] = _OPEN) -> Draw:
    return lambda chance: [*_states(states), (key, draw(chance)), ("page_size", "50")]


def _site(chance: random.Random) -> str:
    return f"SITE{chance.randrange(3, SIZE.sites + 1)}"


def _pinyin(chance: random.Random) -> str:
    return "".join(lazy_pinyin(a_name(chance).replace("^", "")))


QUESTIONS: Final = (
    Question("queue", "everything open, page 1", _fixed(*_states(_OPEN))),
    Question("deep", "everything open, page 1000", _fixed(*_states(_OPEN), ("page", "1000"))),
    Question("due", "everything open by due time", _fixed(*_states(_OPEN), ("sort", "due"))),
    Question("oldest", "everything open, oldest", _fixed(*_states(_OPEN), ("sort", "queued"))),
    Question("site", "open of one site", _drawn("site", _site)),
    Question("ecg", "open ECGs", _fixed(*_states(_OPEN), ("lane", "ecg"))),
    Question(
        "group",
        "waiting for one group",
        _drawn("group", partial(random.Random.choice, seq=_GROUPS), ("QUEUED",)),
    ),
    Question("modality", "open MG", _fixed(*_states(_OPEN), ("modality", "MG"))),
    Question("mine", "mine", _fixed(*_states(_OPEN), ("mine", "true"))),
    Question("overdue", "overdue", _fixed(*_states(_OPEN), ("overdue", "true"))),
    Question("hanzi", "open, name in Hanzi", _drawn("q", lambda c: a_name(c).replace("^", ""))),
    Question("surname", "open, family name", _drawn("q", lambda c: a_name(c)[0])),
    Question("pinyin", "open, name in pinyin", _drawn("q", _pinyin)),
    Question(
        "initials",
        "open, initials",
        _drawn("q", lambda c: "".join(one[0] for one in lazy_pinyin(a_name(c).replace("^", "")))),
    ),
    Question(
        "accession",
        "open, accession number",
        _drawn("q", lambda c: f"A{c.randrange(SIZE.studies):09d}"),
    ),
    Question("done", "finished, newest", _fixed(*_states(_DONE))),
    Question("done-site", "finished of one site", _drawn("site", _site, _DONE)),
    Question(
        "done-name",
        "finished, name in Hanzi",
        _drawn("q", lambda c: a_name(c).replace("^", ""), _DONE),
    ),
)


@contextmanager
def open_world(directory: Path, say: Callable[[str], None]) -> Generator[WorklistWorld]:
    """Make, or find made before in `directory`, the worklist, and open it."""
    directory.mkdir(parents=True, exist_ok=True)
    postgres = directory / "postgres"
    marker = directory / f"made-{SIZE.studies}-{OPEN_ITEMS}"
    if not marker.exists():
        with ExitStack() as stack:
            server = stack.enter_context(unlogged_server(postgres))
            database = _database(stack, server)
            seeded = Consortium(database)
            generate(database, seeded, SIZE, say)
            _fill(database, seeded)
            say("workitems made")
        marker.touch()
    with ExitStack() as stack:
        database = _database(stack, stack.enter_context(EmbeddedPostgres(postgres)))
        objects = open_object_store(f"file://{directory / 'objects'}")
        app = application(
            _Known(database),  # pyright: ignore[reportArgumentType] -- its database is what counts
            objects,
            directory / "web",
            signers=False,
            web_ui=WEB / "dist",
        )
        # As the web process does at its start.
        gc.collect()
        gc.freeze()
        yield WorklistWorld(database, app, Browser(app, "writer").client)


@dataclass
class _Known:
    """A consortium that was seeded by an earlier run."""

    database: Database


def _database(stack: ExitStack, server: EmbeddedPostgres) -> Database:
    with connected(server.url) as connection:
        if not connection.execute(
            "SELECT 1 FROM pg_database WHERE datname = 'worklist'"
        ).fetchone():
            connection.execute("CREATE DATABASE worklist")
    url = make_url(server.url).set(database="worklist").render_as_string(hide_password=False)
    migrate(url)
    database = Database(url)
    stack.callback(database.close)
    return database


def _fill(database: Database, consortium: Consortium) -> None:
    """Make a workitem of each study: the newest ones are open, in all states and of all urgency."""
    parameters: Mapping[str, object] = {
        "centre": consortium.root.id,
        "open": OPEN_ITEMS,
        "writer": consortium.people["writer"].id,
        "other": consortium.people["writer2"].id,
        "groups": list(_GROUPS),
    }
    with connected(database.url) as connection:
        connection.execute("SET maintenance_work_mem = '256MB'")
        connection.execute(
            """
            INSERT INTO reading_group (id, organisation_id, code, name, name_en, lane, active)
            SELECT gen_random_uuid(), %(centre)s, code, code, code, 'imaging', true
            FROM unnest(%(groups)s::text[]) AS code
            """,
            parameters,
        )
        connection.execute("ALTER TABLE workitem DISABLE TRIGGER USER")
        connection.execute(
            """
            WITH groups AS (SELECT array_agg(id ORDER BY code) AS ids FROM reading_group),
            numbered AS (
                SELECT id, site_id, patient_id, modalities,
                    row_number() OVER (ORDER BY id DESC) AS n
                FROM study
            ), placed AS (
                SELECT *, n <= %(open)s AS open, (n * 7919) %% 1000 AS lot,
                    now() - n * interval '6 seconds' AS queued
                FROM numbered
            ), stated AS (
                SELECT *, CASE
                    WHEN NOT open THEN CASE
                        WHEN lot < 960 THEN 'DELIVERED' WHEN lot < 990 THEN 'PUBLISHED'
                        WHEN lot < 998 THEN 'FINAL' ELSE 'WITHDRAWN' END
                    WHEN lot < 700 THEN 'QUEUED' WHEN lot < 702 THEN 'CLAIMED'
                    WHEN lot < 950 THEN 'WRITTEN' WHEN lot < 953 THEN 'REVIEWING'
                    WHEN lot < 980 THEN 'RETURNED' ELSE 'HELD' END AS state
                FROM placed
            )
            INSERT INTO workitem (
                id, study_id, site_id, lane, priority, state, study_generation, late_instances,
                queued_at, due_at, warn_at, claim_due_at, group_id, writer_id, holder_id,
                lease_until, modalities, patient_id, revision
            )
            SELECT gen_random_uuid(), id, site_id,
                CASE WHEN 'ECG' = ANY (modalities) THEN 'ecg' ELSE 'imaging' END,
                CASE WHEN lot %% 50 = 0 THEN 'STAT' WHEN lot %% 10 = 0 THEN 'URGENT'
                    ELSE 'ROUTINE' END,
                state, 1, lot %% 100 = 0, queued, queued + (1 + lot %% 96) * interval '2 hours',
                queued + (lot %% 96) * interval '2 hours', queued + interval '1 hour',
                CASE WHEN 'ECG' = ANY (modalities) THEN NULL
                    ELSE ids[1 + lot %% cardinality(ids)] END,
                CASE WHEN state NOT IN ('QUEUED', 'HELD') THEN
                    CASE WHEN n %% 100 = 0 THEN %(writer)s::uuid ELSE %(other)s END END,
                CASE WHEN state IN ('CLAIMED', 'REVIEWING') THEN
                    CASE WHEN n %% 100 = 0 THEN %(writer)s::uuid ELSE %(other)s END END,
                CASE WHEN state IN ('CLAIMED', 'REVIEWING') THEN now() + interval '1 hour' END,
                modalities, patient_id, 1
            FROM stated, groups
            """,
            parameters,
        )
        connection.execute("ALTER TABLE workitem ENABLE TRIGGER USER")
        connection.execute("SELECT recount_workitems()")
        connection.execute("VACUUM (ANALYZE) workitem, workitem_tally, queue_name")
