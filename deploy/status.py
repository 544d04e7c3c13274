"""What `rdc status` shows: is every part there, and what waits where."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import psutil
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from deploy import state
from deploy.celery_app import BrokerUnavailable, Wakeups
from deploy.embedded.processes import ProcessRecord
from deploy.supervisor import children_of
from deploy.tables import render
from deploy.tls.refusals import refusal_of
from pacs_gateway import inbox
from reading_worklist.workitems.tables import Workitem
from storage import outbox
from storage.database import Database
from storage.deliveries import Delivery
from storage.index.tables import Quarantine, Study
from storage.keeping import verification
from storage.objects import (
    ObjectKey,
    ObjectStoreError,
    open_object_store,
)

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from deploy.settings import Settings

MEBIBYTE: Final = 1 << 20
PROBE: Final = ObjectKey("status/probe")


@dataclass(frozen=True)
class ProcessStatus:
    """One process: `pid` is None when it does not run."""

    name: str
    pid: int | None
    memory_mib: int | None
    running_seconds: int | None


@dataclass(frozen=True)
class ServerStatus:
    """One server: whether it answers, what it said or why not; what to do, where that is known."""

    name: str
    answers: bool
    detail: str
    remedy: str = ""


@dataclass
class Status:
    """All of it. `queues` maps a name to a count; what is empty is left out.

    verified: when `rdc verify` last came to its end and what it found; None before the first time.
    """

    data_dir: str
    running_since: str | None
    web_address: str | None
    processes: list[ProcessStatus] = field(default_factory=list[ProcessStatus])
    servers: list[ServerStatus] = field(default_factory=list[ServerStatus])
    queues: dict[str, int] = field(default_factory=dict[str, int])
    verified: str | None = None

    @property
    def healthy(self) -> bool:
        """Whether the system runs, with all its processes, and every server answers."""
        return (
            self.running_since is not None
            and all(process.pid is not None for process in self.processes)
            and all(server.answers for server in self.servers)
        )

    def to_json(self) -> str:
        """Return it as one JSON object."""
        return json.dumps({"healthy": self.healthy, **asdict(self)}, ensure_ascii=False, indent=2)

    def to_text(self) -> str:
        """Return it as tables."""
        head = f"data directory  {self.data_dir}\nsystem          "
        if self.running_since:
            head += f"running since {self.running_since}, {self.web_address}/"
        else:
            head += "not running; start it with `rdc up`"
        head += f"\nobjects         {self.verified or 'never verified: run `rdc verify`'}"
        processes = [
            (
                row.name,
                "running" if row.pid else "not running",
                row.pid or "",
                f"{row.memory_mib} MiB" if row.memory_mib is not None else "",
                f"{row.running_seconds} s" if row.running_seconds is not None else "",
            )
            for row in self.processes
        ]
        servers = [(row.name, "ok" if row.answers else "FAILS", row.detail) for row in self.servers]
        parts = [
            head,
            render(("process", "state", "pid", "memory", "since"), processes),
            render(("server", "state", ""), servers),
        ]
        if self.queues:
            parts.append(render(("waiting or counted", "number"), list(self.queues.items())))
        return "\n\n".join(parts)


def collect(settings: Settings) -> Status:
    """Look at everything; never raises for a part that is down."""
    running = state.read(settings.run_dir)
    settings = state.with_running(settings)
    found = Status(
        data_dir=str(settings.data_dir),
        running_since=running.started_at if running else None,
        web_address=running.web_address if running else None,
        processes=_processes(settings),
    )
    _look_at_database(settings, found)
    _look_at_broker(settings, found)
    _look_at_objects(settings, found)
    found.queues["spool files"] = inbox.waiting(settings.data_dir / "spool")
    return found


def _processes(settings: Settings) -> list[ProcessStatus]:
    records = {record.name: record for record in ProcessRecord.read_all(settings.run_dir)}
    rows: list[ProcessStatus] = []
    # Those of the gateway are its own children, noted while they run.
    of_gateway = [name for name in records if name.startswith("gateway-")]
    for name in (*(spec.name for spec in children_of(settings)), *of_gateway):
        record = records.get(name)
        process = record.find() if record else None
        if process is None:
            rows.append(ProcessStatus(name, None, None, None))
            continue
        try:
            memory = process.memory_info().rss // MEBIBYTE
            since = int(time.time() - process.create_time())
        except psutil.NoSuchProcess:
            rows.append(ProcessStatus(name, None, None, None))
            continue
        rows.append(ProcessStatus(name, process.pid, memory, since))
    return rows


def _look_at_database(settings: Settings, found: Status) -> None:
    if settings.database_url is None:
        found.servers.append(
            ServerStatus("database", answers=False, detail="embedded, not started")
        )
        return
    database = Database(settings.database_url, pool_size=1)
    try:
        with database.transaction() as session:
            version = session.scalar(text("SHOW server_version"))
            clock = session.scalar(select(func.clock_timestamp()))
            drift = (datetime.now(UTC) - clock).total_seconds() if clock else 0.0
            found.queues.update(_count(session))
            found.verified = _verified(session)
        detail = f"PostgreSQL {version}, clock differs by {abs(drift):.1f} s"
        found.servers.append(ServerStatus("database", answers=True, detail=detail))
    except SQLAlchemyError as error:
        found.servers.append(
            _refused("database", settings.database_url, error, type(error).__name__)
        )
    finally:
        database.close()


def _refused(name: str, url: str, error: Exception, detail: str) -> ServerStatus:
    """Tell of a server that does not answer; an error's own words may hold its address."""
    refusal = refusal_of(error, url)
    if refusal is None:
        return ServerStatus(name, answers=False, detail=detail)
    return ServerStatus(name, answers=False, detail=refusal.what, remedy=refusal.remedy)


def _count(session: Session) -> dict[str, int]:
    counts = outbox.counts(session)
    found = {"messages pending": counts.pending, "messages parked": counts.parked}
    for name, column in (
        ("studies", Study.state),
        ("exams", Workitem.state),
        ("deliveries", Delivery.state),
    ):
        rows = session.execute(select(column, func.count()).group_by(column).order_by(column))
        found.update({f"{name} {value}": number for value, number in rows})
    quarantined = select(func.count()).select_from(Quarantine)
    found["quarantined instances"] = (
        session.scalar(quarantined.where(Quarantine.resolved_at.is_(None))) or 0
    )
    return found


def _verified(session: Session) -> str | None:
    run = verification.latest(session)
    if run is None or run.ended_at is None:
        return None
    return f"verified {run.ended_at:%Y-%m-%d %H:%M} UTC, {run.findings} findings"


def _look_at_broker(settings: Settings, found: Status) -> None:
    if settings.broker_url is None:
        found.servers.append(ServerStatus("broker", answers=False, detail="embedded, not started"))
        return
    try:
        waiting = Wakeups(settings.broker_url).waiting()
    except BrokerUnavailable as error:
        found.servers.append(_refused("broker", settings.broker_url, error, error.found))
        return
    detail = ", ".join(f"{number} in {queue}" for queue, number in waiting.items())
    found.servers.append(ServerStatus("broker", answers=True, detail=detail))


def _look_at_objects(settings: Settings, found: Status) -> None:
    # The URL may hold a secret; its kind says enough.
    kind = settings.object_store.partition(":")[0]
    if settings.object_store_url is None and not (settings.data_dir / "objects").exists():
        found.servers.append(ServerStatus("object store", answers=False, detail="not made yet"))
        return
    try:
        open_object_store(settings.object_store).stat(PROBE)
    except (ObjectStoreError, OSError) as error:
        found.servers.append(
            _refused(
                "object store", settings.object_store, error, f"{kind}: {type(error).__name__}"
            )
        )
        return
    found.servers.append(ServerStatus("object store", answers=True, detail=kind))
