"""The index at full size, what is asked of it, and how fast it takes more."""

import gc
import json
import random
import statistics
import time
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Final
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from psycopg import sql
from pypinyin import lazy_pinyin
from sqlalchemy import make_url, select

from deploy.embedded.postgres import EmbeddedPostgres
from storage.clock import utc_now
from storage.database import Database, migrate
from storage.dicom_header import InstanceHeader
from storage.identifiers import Uid
from storage.index.ingest import ReceivedInstance, ingest
from storage.objects import open_object_store
from storage.registry import Organisation, OrganisationKind
from tests.bench.index_data import Size, a_name, connected, generate, unlogged_server
from tests.support.seed import PASSWORD, Consortium
from tests.support.serving import served
from tests.support.web import application

_FIRST_DAY: Final = date(2011, 12, 1)
_LAST_DAY: Final = date(2026, 11, 1)
Say = Callable[[str], None]
Query = Callable[[random.Random], tuple[str, dict[str, str]]]


@dataclass(frozen=True)
class Workload:
    """One kind of question: path and parameters of QIDO-RS, drawn anew each time."""

    name: str
    title: str
    goal_ms: float
    query: Query


@dataclass(frozen=True)
class Answered:
    """The times of one workload in milliseconds, in the order asked, and results on average."""

    times: list[float]
    results: float

    @property
    def p95(self) -> float:
        """The 95th percentile."""
        return statistics.quantiles(self.times, n=20)[-1]

    @property
    def median(self) -> float:
        """The median."""
        return statistics.median(self.times)


class Client:
    """Somebody signed in who keeps his connection and takes no time himself."""

    def __init__(self, address: str, login: str) -> None:
        """Connect and sign in."""
        parts = urlsplit(address)
        self._connection = HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        body = json.dumps({"login": login, "password": PASSWORD})
        headers = {"Content-Type": "application/json"}
        self._connection.request("POST", "/api/session", body, headers)
        answer = self._connection.getresponse()
        answer.read()
        cookies: SimpleCookie = SimpleCookie()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                cookies.load(value)
        self._headers = {"Cookie": "; ".join(f"{k}={v.value}" for k, v in cookies.items())}

    def get(self, path: str) -> bytes:
        """Return the body of an answer, which must be a success."""
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status not in {200, 204}:
            raise RuntimeError(f"{path}: {answer.status} {body[:300]!r}")
        return body

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


@dataclass
class World:
    """A filled index and an empty one on one server, and people who ask."""

    size: Size
    full: Database
    empty: Database
    sites: Mapping[str, list[UUID]]
    clients: Mapping[str, Client]

    def ask(self, workload: Workload, who: str, repeats: int, *, seed: int = 1) -> Answered:
        """Ask `repeats` questions of a kind as "centre" or "site", and time the answers."""
        chance = random.Random(seed)
        times: list[float] = []
        results = 0
        # Meanwhile the server has given up the connection; the next question makes another.
        self.clients[who].close()
        for _ in range(repeats):
            path, parameters = workload.query(chance)
            url = f"/dicom-web{path}?{urlencode(parameters)}"
            began = time.perf_counter()
            body = self.clients[who].get(url)
            times.append((time.perf_counter() - began) * 1000)
            results += len(json.loads(body)) if body else 0
        return Answered(times, results / repeats)

    def insert_rates(self, batches: int, *, seed: int = 1) -> dict[str, float]:
        """File `batches` batches in each of the two, alternately; return instances per second."""
        chance = {name: random.Random(seed) for name in ("full", "empty")}
        taken: dict[str, list[float]] = {"full": [], "empty": []}
        for _ in range(batches):
            for name, database in (("empty", self.empty), ("full", self.full)):
                batch = list(_batch(chance[name], self.sites[name]))
                began = time.perf_counter()
                with database.transaction() as session:
                    ingest(session, batch)
                taken[name].append((time.perf_counter() - began) / len(batch))
        return {name: 1 / statistics.fmean(sorted(times)) for name, times in taken.items()}


@contextmanager
def open_world(directory: Path, size: Size, say: Say) -> Generator[World]:
    """Make, or find made before in `directory`, the index of `size`, and open it."""
    directory.mkdir(parents=True, exist_ok=True)
    postgres, full_name = directory / "postgres", f"full_{size.studies}_{size.instances}"
    marker = directory / f"made-{size.studies}-{size.instances}-{size.sites}"
    if not marker.exists():
        say(f"making {size.studies} studies with {size.instances} instances")
        with ExitStack() as stack:
            server = stack.enter_context(unlogged_server(postgres))
            full = _database(stack, server, full_name, fresh=True)
            generate(full, Consortium(full), size, say)
        marker.touch()
    with ExitStack() as stack:
        server = stack.enter_context(EmbeddedPostgres(postgres))
        full = _database(stack, server, full_name)
        empty = _database(stack, server, "empty", fresh=True)
        beginning = Consortium(empty)
        sites = {
            "full": _site_ids(full),
            "empty": [beginning.east.id, beginning.west.id],
        }
        objects = open_object_store(f"file://{directory / 'objects'}")
        app = application(_Known(full), objects, directory / "web", signers=False)  # pyright: ignore[reportArgumentType] -- its database is what counts
        address = stack.enter_context(served(app))
        clients = {
            who: stack.enter_context(closing(Client(address, login)))
            for who, login in (("centre", "writer"), ("site", "doctor-east"))
        }
        # As the web process does at its start.
        gc.collect()
        gc.freeze()
        yield World(size, full, empty, sites, clients)


@dataclass
class _Known:
    """A consortium that was seeded by an earlier run."""

    database: Database


def workloads(size: Size, page: int) -> Sequence[Workload]:
    """Return what is asked, with pages of `page` results."""
    draw = _Draw(size)

    def one(
        name: str, title: str, drawn: _Parameters, goal_ms: float = 20, pages: int = 0
    ) -> Workload:
        paging = {"limit": str(page)} | ({"offset": str(pages * page)} if pages else {})
        return Workload(name, title, goal_ms, lambda chance: ("/studies", drawn(chance) | paging))

    return (
        one("patient-id", "patient id", draw.patient),
        one("patient-id-begins", "patient id P000012*", draw.patients),
        one("accession", "accession number", draw.accession),
        one("date-modality", "date range + modality, page 1", draw.month),
        one("date-modality-rare", "15 years of MG, page 1", draw.rare),
        one("date-modality-1000", "date range + modality, page 1000", draw.years, pages=1000),
        one("all", "every study, page 1", draw.everything),
        one("all-1000", "every study, page 1000", draw.everything, pages=1000),
        one("name-hanzi", "name in Hanzi", draw.hanzi, 50),
        one("name-hanzi-begins", "family name in Hanzi, 王*", draw.surname, 50),
        one("name-hanzi-ends", "given name in Hanzi, *小明", draw.given, 50),
        one("name-pinyin", "name in pinyin", draw.pinyin, 50),
        one("name-pinyin-begins", "beginning in pinyin, wangx*", draw.begun, 50),
        one("name-initials", "initials of a name", draw.initials, 50),
        one("name-nobody", "a name nobody has, *qqq*", draw.nobody, 50),
        one("name-modality", "name in Hanzi + modality", draw.name_and_modality, 50),
    )


_Parameters = Callable[[random.Random], dict[str, str]]


@dataclass(frozen=True)
class _Draw:
    """Draws the matching keys of one question."""

    size: Size

    def patient(self, chance: random.Random) -> dict[str, str]:
        return {"PatientID": f"P{chance.randrange(self.size.patients):08d}"}

    def patients(self, chance: random.Random) -> dict[str, str]:
        return {"PatientID": f"P{chance.randrange(self.size.patients):08d}"[:-2] + "*"}

    def accession(self, chance: random.Random) -> dict[str, str]:
        return {"AccessionNumber": f"A{chance.randrange(self.size.studies):09d}"}

    def month(self, chance: random.Random) -> dict[str, str]:
        first = _FIRST_DAY + timedelta(days=chance.randrange((_LAST_DAY - _FIRST_DAY).days))
        return {
            "StudyDate": f"{first:%Y%m%d}-{first + timedelta(days=30):%Y%m%d}",
            "ModalitiesInStudy": chance.choice(("CT", "DX", "MR", "MG")),
        }

    def years(self, chance: random.Random) -> dict[str, str]:
        first = _FIRST_DAY + timedelta(days=chance.randrange(365))
        return {"StudyDate": f"{first:%Y%m%d}-", "ModalitiesInStudy": "CT"}

    def rare(self, chance: random.Random) -> dict[str, str]:
        return self.years(chance) | {"ModalitiesInStudy": "MG"}

    def everything(self, chance: random.Random) -> dict[str, str]:
        del chance
        return {}

    def hanzi(self, chance: random.Random) -> dict[str, str]:
        return {"PatientName": a_name(chance).replace("^", "")}

    def surname(self, chance: random.Random) -> dict[str, str]:
        return {"PatientName": a_name(chance)[0] + "*"}

    def given(self, chance: random.Random) -> dict[str, str]:
        return {"PatientName": "*" + a_name(chance).partition("^")[2]}

    def pinyin(self, chance: random.Random) -> dict[str, str]:
        return _fuzzy("".join(_syllables(chance)))

    def begun(self, chance: random.Random) -> dict[str, str]:
        return _fuzzy("".join(_syllables(chance))[:5] + "*")

    def initials(self, chance: random.Random) -> dict[str, str]:
        return _fuzzy("".join(one[0] for one in _syllables(chance)))

    def nobody(self, chance: random.Random) -> dict[str, str]:
        del chance
        return _fuzzy("*qqq*")

    def name_and_modality(self, chance: random.Random) -> dict[str, str]:
        return self.hanzi(chance) | {"ModalitiesInStudy": "MR"}


def _fuzzy(name: str) -> dict[str, str]:
    return {"PatientName": name, "fuzzymatching": "true"}


def _syllables(chance: random.Random) -> list[str]:
    return lazy_pinyin(a_name(chance).replace("^", ""))


def _batch(chance: random.Random, sites: Sequence[UUID]) -> Iterator[ReceivedInstance]:
    """Yield five new studies of twenty instances, as five devices send them at once."""
    for _ in range(5):
        now = utc_now()
        number = chance.getrandbits(60)
        uid = f"1.2.840.113619.2.{chance.randrange(len(sites))}.{now:%Y%m%d%H%M%S}.{number}"
        if number % 5 == 0:
            uid = f"2.25.{chance.getrandbits(110)}"
        site = chance.choice(sites)
        name = "=" + a_name(chance)
        for instance in range(20):
            digest = uuid.UUID(int=chance.getrandbits(128)).hex * 2
            yield ReceivedInstance(
                header=InstanceHeader(
                    sop_class_uid=Uid("1.2.840.10008.5.1.4.1.1.2"),
                    sop_instance_uid=Uid(f"{uid}.1.{instance + 1}"),
                    study_instance_uid=Uid(uid),
                    series_instance_uid=Uid(f"{uid}.1"),
                    transfer_syntax_uid="1.2.840.10008.1.2.4.70",
                    patient_name=name,
                    patient_name_original=name.encode("gb18030"),
                    patient_id=f"Q{number}",
                    patient_sex="F",
                    study_date=now.date(),
                    study_time=now.time().replace(tzinfo=None),
                    accession_number=f"B{number}",
                    study_description="胸部平扫",
                    modality="CT",
                    series_number=1,
                    instance_number=instance + 1,
                    rows=512,
                    columns=512,
                ),
                site_id=site,
                device_id=None,
                transfer_syntax_uid="1.2.840.10008.1.2.4.70",
                object_key=f"instances/{site}/{digest}",
                object_size=300_000,
                dataset_sha256=digest,
                dataset_offset=1200,
                pixel_data_offset=3400,
                received_at=now,
                quiet=timedelta(seconds=30),
            )


def _site_ids(database: Database) -> list[UUID]:
    with database.transaction() as session:
        query = select(Organisation.id).where(Organisation.kind == OrganisationKind.SITE)
        return list(session.scalars(query.order_by(Organisation.code)))


def _database(
    stack: ExitStack, server: EmbeddedPostgres, name: str, *, fresh: bool = False
) -> Database:
    with connected(server.url) as connection:
        if fresh:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if known.fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = make_url(server.url).set(database=name).render_as_string(hide_password=False)
    migrate(url)
    database = Database(url)
    stack.callback(database.close)
    return database
