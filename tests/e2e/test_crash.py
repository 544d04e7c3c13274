"""kill -9 in the middle of receiving: what was acknowledged is kept once, and read once."""

import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil
import pytest

from storage.database import Database
from storage.objects import open_object_store
from tests.e2e.modality import Modality, check_everything, studies
from tests.e2e.system import RunningSystem, wait_for
from tests.support.seed import Consortium
from tests.support.soak import soak

KILLS: Final = soak(200, else_=15)
STUDIES, PER_STUDY = 2, 20


@pytest.fixture
def system(disk_path: Path) -> Iterator[RunningSystem]:
    """A system on a disk, whose slow synchronisation is where most kills fall."""
    running = RunningSystem(disk_path, ("up",), RDC_QUIET_SECONDS="1")
    running.start()
    yield running
    running.stop()


def parts(system: RunningSystem) -> dict[str, list[psutil.Process]]:
    """Every process of the system by the part it belongs to."""
    assert system.process is not None
    found: dict[str, list[psutil.Process]] = {}
    for process in (*system.children(), psutil.Process(system.process.pid)):
        try:
            words = process.cmdline()
            part = words[words.index("deploy.cli") + 1] if "deploy.cli" in words else process.name()
        except psutil.Error:
            continue
        found.setdefault(part, []).append(process)
    return found


def kill_one(system: RunningSystem, chance: random.Random) -> str:
    """Kill a process by chance; returns the part it belonged to."""
    while True:
        alive = parts(system)
        part = chance.choice(sorted(alive))
        # Some of PostgreSQL's live for a moment: such a one may have ended by itself.
        with suppress(psutil.NoSuchProcess):
            chance.choice(alive[part]).kill()
            return part


@pytest.mark.slow
@pytest.mark.timeout(soak(7200, else_=900))
def test_kill_9_of_anything_loses_nothing_and_doubles_nothing(system: RunningSystem) -> None:
    database = Database(system.state()["database_url"])
    Consortium(database)
    # Another sequence each time; a failure names it.
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    sent = []
    acknowledged: list[str] = []
    killed: dict[str, int] = {}
    for _ in range(KILLS):
        datasets = studies(STUDIES, PER_STUDY)
        sent.extend(datasets)
        modality = Modality(system.dicom_port)
        sender = modality.sending(datasets)
        wait_for(
            "the moment to kill",
            modality.has_sent(chance.randrange(len(datasets))),
            timeout=120,
        )
        part = kill_one(system, chance)
        killed[part] = killed.get(part, 0) + 1
        if part == "up":
            assert system.process is not None
            system.process.wait(20)
            system.start()
            modality.port = system.dicom_port
        sender.join(260)
        assert not sender.is_alive(), f"seed {seed}: stuck after the kill of {part}"
        acknowledged.extend(modality.acknowledged)
    print(f"seed {seed}, killed {killed}")  # noqa: T201 -- shown when the test fails
    check_everything(
        database, open_object_store((system.data_dir / "objects").as_uri()), sent, acknowledged
    )
    database.close()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_power_cut_of_everything_loses_nothing(system: RunningSystem) -> None:
    database = Database(system.state()["database_url"])
    Consortium(database)
    database.close()
    datasets = studies(10, 50)
    modality = Modality(system.dicom_port)
    sender = modality.sending(datasets)
    # Early: a machine that is slow to kill leaves it time to send the rest.
    wait_for("a tenth of it", modality.has_sent(len(datasets) // 10), timeout=120)
    system.kill_everything()
    before = list(modality.acknowledged)
    system.start()
    modality.port = system.dicom_port
    sender.join(260)
    assert not sender.is_alive()
    assert len(before) < len(datasets)
    database = Database(system.state()["database_url"])
    check_everything(
        database,
        open_object_store((system.data_dir / "objects").as_uri()),
        datasets,
        modality.acknowledged,
    )
    database.close()
