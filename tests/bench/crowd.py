"""All devices of 250 sites calling at the same moment, and a room of 300 people at the worklist."""

import asyncio
import json
import random
import resource
import statistics
import struct
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

import httpx
from pydicom.uid import generate_uid
from sqlalchemy import select

from reading_worklist.access.sessions import sign_in
from reading_worklist.services import COOKIE
from storage import registry
from storage.database import Database
from storage.registry import Organisation, OrganisationKind, Role
from tests.bench.row import RunFailed
from tests.pacs_gateway.datasets import Sample, sample
from tests.pacs_gateway.peers import CT, EXPLICIT, association_request, p_data, pdv, store_command
from tests.support.scopes import LIMITS
from tests.support.seed import Consortium, password_hash

SITES: Final = 250
ASSOCIATIONS: Final = 4
INSTANCES: Final = 3
PEOPLE: Final = 300

_TRIES: Final = 60
_RETRY_SECONDS: Final = 2.0
_ACCEPTED: Final = 0x02
_REJECTED: Final = 0x03
_TRANSIENT: Final = 2
_ANSWER_SECONDS: Final = 120.0
# How a page behaves, see web/src/app/LiveUpdates.tsx and api/throttle.ts: an event brings the
# line of what changed; the list follows within a second where the row may be new in it, else within
# five, and rests twenty times as long as it took. A person looks elsewhere now and then.
_CHUNK: Final = 100
_LIST_DELAYS: Final = (0.1, 0.6)
_LIST_INTERVAL: Final = 0.6
_SETTLED_PATIENCE: Final = (1.0, 5.0)
_REST: Final = 20
_THINK_SECONDS: Final = 10.0
# Not everybody looks at the same list.
_LISTS: Final = (
    "state=QUEUED",
    "state=QUEUED&state=RETURNED&state=WRITTEN",
    "state=QUEUED&lane=imaging",
    "state=QUEUED&lane=imaging&modality=CT",
    "state=QUEUED&lane=imaging&unclaimed=true",
    "state=QUEUED&priority=STAT&priority=URGENT",
    "lane=imaging",
    "mine=true",
)


def quantile95(values: Sequence[float]) -> float:
    """Return the 95th percentile."""
    return statistics.quantiles(values, n=20)[-1]


def allow_connections() -> None:
    """Let this process open as many files as the kernel lets it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def enter_sites(database: Database) -> list[str]:
    """Enter the sites with a device each, once; return the devices' AE titles."""
    titles = [f"CROWD{number:03d}" for number in range(SITES)]
    with database.transaction() as session:
        known = set(session.scalars(select(registry.Device.ae_title)))
        root = session.scalars(
            select(Organisation).where(Organisation.kind == OrganisationKind.CONSORTIUM)
        ).first()
        for title in titles:
            if title in known:
                continue
            site = registry.add_organisation(
                session,
                kind=OrganisationKind.SITE,
                code=title,
                name=f"{title} 卫生院",
                name_en=title,
                parent=root,
            )
            registry.add_device(
                session, site, title, "CT", addresses=["127.0.0.0/8"], modality="CT"
            )
    return titles


@dataclass
class Senders:
    """What 1,000 associations met.

    answered, done: seconds from the first attempt until an association was accepted, and until its
        last instance was acknowledged. refused: how often with which result, source and reason of
        A-ASSOCIATE-RJ (PS3.8 §9.3.4); "cut" for a connection that ended without a word.
    """

    answered: list[float] = field(default_factory=list[float])
    done: list[float] = field(default_factory=list[float])
    refused: Counter[str] = field(default_factory=Counter[str])
    sent: list[str] = field(default_factory=list[str])


def call_all_at_once(port: int, titles: Sequence[str]) -> Senders:
    """Let every device open its associations in the same moment; each tries until it gets through.

    Raises RunFailed when one is refused for good, or an instance is not acknowledged.
    """
    allow_connections()
    found = Senders()
    calls = [(title, list(_study(title, one))) for title in titles for one in range(ASSOCIATIONS)]

    async def run() -> None:
        await asyncio.gather(*(_call(port, title, items, found) for title, items in calls))

    asyncio.run(run())
    return found


def _study(title: str, number: int) -> Iterator[Sample]:
    study, series = generate_uid(), generate_uid()
    for instance in range(INSTANCES):
        yield sample(
            size=64,
            StudyInstanceUID=study,
            SeriesInstanceUID=series,
            SOPInstanceUID=generate_uid(),
            InstanceNumber=instance + 1,
            PatientID=f"{title}-{number}-{study[-12:]}",
        )


async def _call(port: int, title: str, items: Sequence[Sample], found: Senders) -> None:
    began = time.perf_counter()
    reader, writer = await _associated(port, title, found)
    found.answered.append(time.perf_counter() - began)
    for item in items:
        command = pdv(1, 3, store_command(item.sop_instance_uid))
        writer.write(p_data(command) + p_data(pdv(1, 2, item.encoded)))
        kind, body = await _pdu(reader)
        at = body.find(struct.pack("<HHI", 0, 0x0900, 2))
        if kind != 0x04 or at < 0 or struct.unpack_from("<H", body, at + 8)[0]:
            raise RunFailed(f"{title}: an instance was answered with PDU {kind:02X}")
        found.sent.append(item.sop_instance_uid)
    found.done.append(time.perf_counter() - began)
    writer.write(struct.pack(">BxI", 0x05, 4) + bytes(4))
    await _pdu(reader)
    writer.close()


async def _associated(
    port: int, title: str, found: Senders
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    for _ in range(_TRIES):
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(association_request({1: (CT, [EXPLICIT])}, calling=title))
            kind, body = await _pdu(reader)
        except OSError:
            found.refused["cut"] += 1
        else:
            if kind == _ACCEPTED:
                return reader, writer
            writer.close()
            found.refused["/".join(map(str, body[1:4])) if kind == _REJECTED else "cut"] += 1
            if kind == _REJECTED and body[1] != _TRANSIENT:
                raise RunFailed(f"{title} was refused for good: {tuple(body[1:4])}")
        # As devices do: soon again, and not all in the same moment.
        await asyncio.sleep(_RETRY_SECONDS * random.uniform(0.5, 1.5))
    raise RunFailed(f"{title} did not get through in {_TRIES} attempts")


async def _pdu(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Return the next PDU; (0, b"") when the connection ended."""
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            head = await reader.readexactly(6)
            kind, length = struct.unpack(">BxI", head)
            return kind, await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
        return 0, b""


@dataclass
class Room:
    """What 300 people at their worklists met, in seconds.

    opening: until the first page of the worklist was there, of all within three seconds. lists:
    until each later one was. lines: from a change until a page had its line.
    """

    opening: list[float] = field(default_factory=list[float])
    lists: list[float] = field(default_factory=list[float])
    lines: list[float] = field(default_factory=list[float])


def enter_people(consortium: Consortium) -> list[dict[str, str]]:
    """Enter the people, once, and sign them in; return the headers of their requests."""
    logins = [f"reader{number:03d}" for number in range(PEOPLE)]
    with consortium.database.transaction() as session:
        known = set(session.scalars(select(registry.Person.login)))
        for login in logins:
            if login not in known:
                registry.add_person(
                    session,
                    login,
                    login,
                    password_hash(),
                    organisation=consortium.centre,
                    roles=(Role.WRITER,),
                )
    headers: list[dict[str, str]] = []
    for login in logins:
        with consortium.database.transaction() as session:
            made = sign_in(session, login, "127.0.0.1", LIMITS)
        cookie = {"Cookie": f"{COOKIE}={made.token}", "X-CSRF-Token": made.scope.csrf_token}
        headers.append(cookie)
    return headers


def sit_at_worklists(
    web: str, people: Sequence[Mapping[str, str]], items: Sequence[UUID], seconds: float
) -> Room:
    """Let all look at the worklist for a while, as one of them claims an exam every second.

    Raises RunFailed when a request is not answered as it should be.
    """
    allow_connections()
    room = Room()
    changed: dict[str, float] = {}

    async def run() -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=PEOPLE)
        async with httpx.AsyncClient(base_url=web, timeout=60, limits=limits) as client:
            ends = time.perf_counter() + seconds
            pages = [asyncio.create_task(_page(client, one, room, changed, ends)) for one in people]
            await _work(client, people[0], items, changed, ends)
            await asyncio.gather(*pages)

    asyncio.run(run())
    return room


async def _work(
    client: httpx.AsyncClient,
    headers: Mapping[str, str],
    items: Sequence[UUID],
    changed: dict[str, float],
    ends: float,
) -> None:
    # Everybody's page is open first.
    await asyncio.sleep(3.0)
    for item in items:
        if time.perf_counter() > ends - 2.0:
            return
        changed[str(item)] = time.perf_counter()
        answer = await client.post(f"/api/workitems/{item}/claim", json={}, headers=headers)
        if answer.status_code != HTTPStatus.OK:
            raise RunFailed(f"a claim was answered with {answer.status_code}")
        await asyncio.sleep(1.0)


async def _page(
    client: httpx.AsyncClient,
    headers: Mapping[str, str],
    room: Room,
    changed: Mapping[str, float],
    ends: float,
) -> None:
    page = _OpenPage(f"/api/workitems?page_size={_CHUNK}&{random.choice(_LISTS)}")
    listening = asyncio.create_task(_listen(client, headers, room, changed, page))
    try:
        await asyncio.sleep(random.uniform(0, 3.0))
        while (now := time.perf_counter()) < ends:
            page.due = now + _THINK_SECONDS * random.uniform(0.5, 1.5)
            answer = await client.get(page.path, headers=headers)
            if answer.status_code != HTTPStatus.OK:
                raise RunFailed(f"a list was answered with {answer.status_code}")
            took = time.perf_counter() - now
            (room.lists if page.is_open else room.opening).append(took)
            page.is_open = True
            page.here = {str(one["id"]) for one in answer.json()["items"]}
            page.rests_until = max(now + _LIST_INTERVAL, now + took + _REST * took)
            await page.until_due()
            if listening.done():
                listening.result()
    finally:
        listening.cancel()


class _OpenPage:
    """One list on a screen: what is in it, and when it is asked for again."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.is_open = False
        self.here = set[str]()
        self.due = 0.0
        self.rests_until = 0.0
        self._sooner = asyncio.Event()

    def renew(self, patience: float) -> None:
        """Have the list asked for within `patience` seconds, unless it rests."""
        soon = time.perf_counter() + max(random.uniform(*_LIST_DELAYS), patience)
        if (soon := max(soon, self.rests_until)) < self.due:
            self.due = soon
            self._sooner.set()

    async def until_due(self) -> None:
        while (left := self.due - time.perf_counter()) > 0:
            self._sooner.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._sooner.wait()


async def _listen(
    client: httpx.AsyncClient,
    headers: Mapping[str, str],
    room: Room,
    changed: Mapping[str, float],
    page: _OpenPage,
) -> None:
    async with client.stream("GET", "/api/events", headers=headers) as answer:
        if answer.status_code != HTTPStatus.OK:
            raise RunFailed(f"a page's events were answered with {answer.status_code}")
        async for line in answer.aiter_lines():
            if not line.startswith("data: "):
                continue
            body: dict[str, Any] = json.loads(line.removeprefix("data: "))
            item = str(body.get("id", ""))
            if item not in changed:
                continue
            if "line" not in body:
                raise RunFailed("a change came without its line")
            room.lines.append(time.perf_counter() - changed[item])
            # It was claimed by somebody else: only a list of every state may have it now.
            new = item not in page.here and "state=" not in page.path and "mine=" not in page.path
            page.renew(0.0 if new else random.uniform(*_SETTLED_PATIENCE))
