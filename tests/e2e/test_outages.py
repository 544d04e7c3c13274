"""Servers stop, the disk fills, the clock jumps: nothing is lost or doubled, all drains by itself.

The ordinary suite stops a server for a few seconds, `make soak` for a minute.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from pydicom.dataset import Dataset
from sqlalchemy import select

from deploy.embedded.postgres import EmbeddedPostgres
from deploy.embedded.valkey import EmbeddedValkey
from storage.database import Database
from storage.index.tables import Study
from storage.objects import ObjectStore, open_object_store
from tests.e2e.modality import Modality, check_everything, studies
from tests.e2e.system import ROOT, RunningSystem, wait_for
from tests.support.seed import Consortium
from tests.support.soak import soak
from tests.support.weed import Weed, running_weed

OUTAGE_SECONDS: Final = soak(60.0, else_=4.0)
STUDIES, PER_STUDY = 3, 20
SHIFTED_CLOCK: Final = Path(__file__).parent / "shifted_clock"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(soak(1200, else_=600))]


@dataclass
class Running:
    """The system on servers of its own, which a test may stop; and all that was sent to it."""

    system: RunningSystem
    database: Database
    objects: ObjectStore
    postgres: EmbeddedPostgres
    valkey: EmbeddedValkey
    weed: Weed
    sent: list[Dataset] = field(default_factory=list[Dataset])
    acknowledged: list[str] = field(default_factory=list[str])

    def send(self) -> None:
        """Send some studies; every instance is acknowledged."""
        datasets = studies(STUDIES, PER_STUDY)
        modality = Modality(self.system.dicom_port)
        modality.send_all(datasets)
        self.sent.extend(datasets)
        self.acknowledged.extend(modality.acknowledged)

    def check(self) -> None:
        """See that all that was ever sent is kept once and read once."""
        check_everything(self.database, self.objects, self.sent, self.acknowledged)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[Running]:
    directory = tmp_path_factory.mktemp("outages")
    with (
        EmbeddedPostgres(directory / "postgres") as postgres,
        EmbeddedValkey(directory / "valkey") as valkey,
        running_weed(directory / "weed") as weed,
    ):
        url = weed.url("images")
        system = RunningSystem(
            directory,
            ("up",),
            RDC_QUIET_SECONDS="1",
            RDC_DATABASE_URL=postgres.url,
            RDC_BROKER_URL=valkey.url,
            RDC_OBJECT_STORE_URL=url,
        ).start()
        database = Database(postgres.url)
        try:
            Consortium(database)
            yield Running(system, database, open_object_store(url), postgres, valkey, weed)
        finally:
            database.close()
            system.stop()


def through(running: Running, stop: Callable[[], object], start: Callable[[], object]) -> None:
    """Send before, all the while, and after an outage."""
    running.send()
    stop()
    ends = time.monotonic() + OUTAGE_SECONDS
    try:
        running.send()
        while (left := ends - time.monotonic()) > 0:
            running.send()
            # The outage has a length; nothing is waited for here.
            time.sleep(min(left, 1.0))
    finally:
        start()
    running.send()
    running.check()


def test_the_database_stops(running: Running) -> None:
    through(running, running.postgres.stop, running.postgres.start)


def test_the_object_store_stops(running: Running) -> None:
    through(running, running.weed.kill, running.weed.start_again)


def test_the_broker_stops(running: Running) -> None:
    through(running, running.valkey.stop, running.valkey.start)


@contextmanager
def small_disk(at: Path, *, mebibytes: int) -> Generator[None]:
    """A file system of its own at `at`; skips where we may not mount one."""
    at.mkdir(parents=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(at)],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        message = f"a full disk: a file system cannot be mounted ({done.stderr.strip()})"
        sys.stderr.write(f"\nNOT TESTED: {message}\n")
        pytest.skip(message)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(at)], check=True)


def test_the_disk_of_the_spool_is_full(tmp_path: Path) -> None:
    spool = tmp_path / "data" / "spool"
    with small_disk(spool, mebibytes=24):
        # No reserve: the very last byte is refused by the file system itself.
        system = RunningSystem(
            tmp_path, ("up",), RDC_QUIET_SECONDS="1", RDC_SPOOL_RESERVE_MB="0"
        ).start()
        database = Database(system.state()["database_url"])
        try:
            Consortium(database)
            modality = Modality(system.dicom_port)
            first, second = studies(2, 20), studies(2, 20)
            modality.send_all(first)
            # What is filed leaves the spool, and its space would be free again.
            wait_for("an empty spool", lambda: None if bytes_in(spool) else True)
            ballast = spool / "ballast"
            fill(ballast)
            sender = modality.sending(second)
            wait_for("a refusal", lambda: True if modality.refused else None)
            assert set(modality.refused) == {0xA700}
            ballast.unlink()
            sender.join(120)
            assert not sender.is_alive(), "it does not accept again by itself"
            check_everything(
                database,
                open_object_store((system.data_dir / "objects").as_uri()),
                [*first, *second],
                modality.acknowledged,
            )
        finally:
            database.close()
            system.stop()


def bytes_in(spool: Path) -> int:
    """How much of instances lies in the spool; a file that leaves it meanwhile counts nothing."""
    total = 0
    for path in spool.rglob("*.dcm"):
        with suppress(FileNotFoundError):
            total += path.stat().st_size
    return total


def fill(path: Path) -> None:
    """Write until there is no space left."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(64 * 1024))
        except OSError:
            return


def test_the_clock_jumps(tmp_path: Path) -> None:
    offset = tmp_path / "offset"
    shift(offset, 0)
    system = RunningSystem(
        tmp_path,
        ("up",),
        RDC_QUIET_SECONDS="1",
        PYTHONPATH=f"{SHIFTED_CLOCK}{os.pathsep}{ROOT}",
        SHIFTED_CLOCK=str(offset),
    ).start()
    database = Database(system.state()["database_url"])
    try:
        Consortium(database)
        modality = Modality(system.dicom_port)
        sent: list[Dataset] = []
        # An hour ahead, back again, a day ahead: what was put off while the clock was ahead is
        # due again by then.
        for seconds in (3600, 0, 86_400):
            before, after = studies(2, 10), studies(2, 10)
            modality.send_all(before)
            shift(offset, seconds)
            modality.send_all(after)
            sent.extend((*before, *after))
        check_everything(
            database,
            open_object_store((system.data_dir / "objects").as_uri()),
            sent,
            modality.acknowledged,
        )
        with database.transaction() as session:
            received = session.scalars(select(Study.first_received_at)).all()
        assert max(received) - min(received) > timedelta(hours=20), "the clock did not jump"
    finally:
        database.close()
        system.stop()


def shift(offset: Path, seconds: float) -> None:
    """Move the clock of every process of the system."""
    fresh = offset.with_suffix(".new")
    fresh.write_text(str(seconds), encoding="ascii")
    fresh.replace(offset)
