"""A system over TLS under steady work: it keeps its secrets, its memory, its files and its queue.

The ordinary suite looks at it for half a minute, `make soak` for ten; RDC_SOAK_SECONDS=28800 makes
it a working day. What may grow is the same for each: 12 MB and four files in the second half of the
run. So ten minutes find what leaks 144 MB an hour, and a day what leaks 3 MB.
"""

import ssl
import stat
import time
from collections import defaultdict
from collections.abc import Generator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
import psutil
import pytest
from pydicom.uid import generate_uid
from sqlalchemy import func, make_url, select

from deploy.embedded.processes import ProcessRecord
from deploy.tls.authority import PrivateAuthority
from pacs_gateway.inbox import waiting
from pacs_gateway.spool import FILE_SUFFIX
from storage.database import Database
from storage.index.tables import Instance
from storage.outbox import OutboxMessage
from tests.e2e.system import RunningSystem, wait_for
from tests.pacs_gateway.datasets import sample
from tests.pacs_gateway.peers import RawPeer, dcmtk
from tests.pacs_gateway.test_store import request
from tests.support.ports import free_port
from tests.support.seed import PASSWORD, Consortium
from tests.support.slope import theil_sen
from tests.support.soak import SOAK_SECONDS

SECONDS: Final = SOAK_SECONDS or 24.0
GROWTH_MB: Final = 12.0
GROWTH_FILES: Final = 4.0
# Files that the spool makes before they are needed, by the batch: their number goes up and down
# like a saw, and in half a minute one tooth looks like growth. So they are counted apart.
SPOOL_STOCK_MAX: Final = 256
MEGABYTE: Final = 1 << 20

pytestmark = [pytest.mark.slow, pytest.mark.timeout(int(SECONDS) + 600)]


@dataclass
class Running:
    """The system, and the ports that only TLS is spoken on."""

    system: RunningSystem
    database: Database
    dicom_tls: int
    mllp_tls: int

    @property
    def authority(self) -> PrivateAuthority:
        """Its private authority."""
        return PrivateAuthority(self.system.data_dir / "tls")

    def browser(self) -> httpx.Client:
        """Somebody who believes the private authority, and is signed in."""
        context = ssl.create_default_context(cafile=self.authority.certificate)
        client = httpx.Client(base_url=self.system.web, verify=context, timeout=60)
        answer = client.post("/api/session", json={"login": "writer", "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
        return client


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[Running]:
    dicom_tls, mllp_tls = free_port(), free_port()
    system = RunningSystem(
        tmp_path_factory.mktemp("long"),
        ("up", "--tls"),
        RDC_QUIET_SECONDS="1",
        RDC_DICOM_TLS_PORT=str(dicom_tls),
        RDC_MLLP_TLS_PORT=str(mllp_tls),
    ).start()
    database = Database(system.state()["database_url"])
    try:
        Consortium(database)
        yield Running(system, database, dicom_tls, mllp_tls)
    finally:
        database.close()
        system.stop()


def test_one_flag_encrypts_everything(running: Running) -> None:
    assert running.system.web.startswith("https://")
    with closing(running.browser()) as client:
        answer = client.get("/healthz")
        assert answer.status_code == 200
        assert answer.headers["strict-transport-security"].startswith("max-age=")
        cookies = [cookie for cookie in client.cookies.jar if cookie.value]
        assert cookies
        assert all(cookie.secure for cookie in cookies)
    device = running.authority.issue("EAST_CT")
    believed = running.authority.certificate
    echoed = dcmtk(
        "echoscu",
        *("+tls", device.key, device.certificate, "+cf", believed),
        *("-aet", "EAST_CT", "-aec", "RDC", "127.0.0.1", str(running.dicom_tls)),
    )
    assert echoed.returncode == 0, echoed.stderr
    context = ssl.create_default_context(cafile=believed)
    with (
        RawPeer(running.mllp_tls) as peer,
        context.wrap_socket(peer.socket, server_hostname="localhost") as secured,
    ):
        assert secured.version() in {"TLSv1.2", "TLSv1.3"}


def test_secrets_are_in_no_list_of_processes_and_no_log(running: Running) -> None:
    state = running.system.state()
    data = running.system.data_dir
    urls = [make_url(state[name]) for name in ("database_url", "broker_url")]
    passphrases = [path.read_text().strip() for path in (data / "authority").glob("*.passphrase")]
    secrets = [PASSWORD, *passphrases, *(url.password for url in urls if url.password)]
    assert len(secrets) > 1
    for process in running.system.children():
        with suppress(psutil.NoSuchProcess):
            words = " ".join(process.cmdline())
            assert not [one for one in secrets if one in words], process.name()
            assert "://" not in words, f"{process.name()} is started with an address: {words}"
            mode = Path(f"/proc/{process.pid}/environ").stat().st_mode
            assert not mode & (stat.S_IRWXG | stat.S_IRWXO)
    for log in [running.system.log, *(data / "log").glob("*.log")]:
        text = log.read_text(errors="replace")
        assert not [one for one in secrets if one in text], log.name


@dataclass
class Readings:
    """Memory in MB and open files of each process, over the seconds of the run.

    files: without those of the spool, of which `stock` has the most that a process had open.
    """

    memory: dict[str, list[tuple[float, float]]] = field(
        default_factory=lambda: defaultdict[str, list[tuple[float, float]]](list)
    )
    files: dict[str, list[tuple[float, float]]] = field(
        default_factory=lambda: defaultdict[str, list[tuple[float, float]]](list)
    )
    stock: int = 0

    def take(self, system: RunningSystem, seconds: float) -> None:
        """Read what every named process of ours has now."""
        for record in ProcessRecord.read_all(system.data_dir / "run"):
            if (process := record.find()) is None:
                continue
            with suppress(psutil.NoSuchProcess):
                self.memory[record.name].append(
                    (seconds, process.memory_full_info().uss / MEGABYTE)
                )
                spooled = _spool_files(process, system.data_dir / "spool")
                self.files[record.name].append((seconds, float(process.num_fds() - spooled)))
                self.stock = max(self.stock, spooled)

    def grown(
        self, readings: dict[str, list[tuple[float, float]]], began: float
    ) -> dict[str, float]:
        """How much each grows from `began` to the end, by its trend."""
        late = {
            name: [point for point in points if point[0] >= began]
            for name, points in readings.items()
        }
        return {
            name: theil_sen(points) * (points[-1][0] - points[0][0])
            for name, points in late.items()
            if len(points) > 2
        }


def _spool_files(process: psutil.Process, spool: Path) -> int:
    """Return how many files of the spool a process has open."""
    found = 0
    for descriptor in Path(f"/proc/{process.pid}/fd").iterdir():
        with suppress(OSError):
            target = descriptor.readlink()
            found += target.is_relative_to(spool) and target.suffix == FILE_SUFFIX
    return found


def test_memory_files_and_queue_over_a_long_run(running: Running) -> None:
    system, database = running.system, running.database
    readings, sent = Readings(), 0
    with closing(running.browser()) as client:
        began = time.monotonic()
        while (now := time.monotonic() - began) < SECONDS:
            sent += _work(running, client)
            readings.take(system, now)
    half = SECONDS / 2
    memory, files = readings.grown(readings.memory, half), readings.grown(readings.files, half)
    told = {
        name: f"{readings.memory[name][-1][1]:.0f} MB, {memory[name]:+.1f} MB, {files[name]:+.1f}"
        for name in memory
    }
    print(f"{sent} instances in {SECONDS:.0f} s; grown in the second half: {told}")  # noqa: T201 -- shown by -s and on failure
    assert {"gateway", "relay", "web"} <= {name.partition("-")[0] for name in memory}
    assert not {name: value for name, value in memory.items() if value > GROWTH_MB}, told
    assert not {name: value for name, value in files.items() if value > GROWTH_FILES}, told
    assert 0 < readings.stock <= SPOOL_STOCK_MAX

    def quiet() -> bool | None:
        with database.transaction() as session:
            open_ones = session.scalar(
                select(func.count()).where(OutboxMessage.handled_at.is_(None))
            )
            filed = session.scalar(select(func.count()).select_from(Instance))
        spooled = waiting(system.data_dir / "spool")
        return True if (open_ones, spooled, filed) == (0, 0, sent) else None

    wait_for("the queue and the spool to be empty, and everything filed", quiet)


def _work(running: Running, client: httpx.Client) -> int:
    """Send a small study and look around as a reader does; return how many instances were sent."""
    study, series = generate_uid(), generate_uid()
    items = [
        sample(
            StudyInstanceUID=study,
            SeriesInstanceUID=series,
            SOPInstanceUID=generate_uid(),
            InstanceNumber=number,
            PatientID=study[-16:],
        )
        for number in range(1, 4)
    ]
    contexts = {1: (items[0].sop_class_uid, [items[0].transfer_syntax_uid])}
    with RawPeer(running.system.dicom_port) as peer:
        assert peer.associate(contexts, calling="EAST_CT") == 2
        for item in items:
            peer.send(request(1, item))
            assert peer.status() == 0
        peer.release()
    for path in ("/api/workitems", "/dicom-web/studies?limit=5", "/api/worklist/board"):
        assert client.get(path).status_code == 200
    with client.stream("GET", "/api/events") as events:
        assert next(events.iter_lines()) == ": connected"
    return len(items)
