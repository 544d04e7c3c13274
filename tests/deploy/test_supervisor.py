"""`rdc up` as a whole: started, watched, stopped, killed, started again."""

import contextlib
import os
import re
import signal
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from deploy.state import RunningState
from tests.deploy.servers import eventually, gone
from tests.deploy.system import System, rdc

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PROCESSES = {
    "gateway",
    "ecg-intake",
    "relay",
    "worker-messages",
    "worker-returns",
    "worker-ecg",
    "worker-analysis",
    "worker-preparation",
    "web",
    "web-2",
}

Start = Callable[[], System]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[System] = []

    def one() -> System:
        started.append(System(tmp_path / "var"))
        return started[-1]

    yield one
    for system in started:
        system.end()


def pid_of(system: System, name: str) -> int | None:
    return {row["name"]: row["pid"] for row in system.status()["processes"]}[name]


def scraped(running: RunningState) -> str:
    with urllib.request.urlopen(f"{running.web_address}/metrics", timeout=10) as answer:
        return answer.read().decode()


def test_a_day_in_the_life(start: Start) -> None:
    system = start()
    running = system.wait_ready()

    found = system.status()
    assert found["healthy"], found
    names = {row["name"] for row in found["processes"]}
    assert {name for name in names if not name.startswith("gateway-")} == PROCESSES
    # The gateway has children of its own: at least two that receive, and one that files.
    assert {"gateway-filing", "gateway-receiving-1", "gateway-receiving-2"} <= names
    with urllib.request.urlopen(f"{running.web_address}/readyz", timeout=10) as answer:
        assert answer.status == 200
    # Whichever web process answers shows what all have counted: itself, and the relay.
    gathered = re.compile(r"^rdc_gathered_\S+ [1-9]", re.MULTILINE)
    assert eventually(lambda: bool(gathered.search(scraped(running))))
    asked = 'rdc_http_request_seconds_count{method="GET",route="/readyz"'
    assert eventually(lambda: asked in scraped(running))

    second = rdc(system.data_dir, "up")
    assert second.returncode == 3
    assert f"process {system.process.pid}" in second.stderr
    assert "Traceback" not in second.stderr

    # Any process may be killed, and comes back.
    for name in ("worker-messages", "web"):
        before = pid_of(system, name)
        assert before is not None
        os.kill(before, signal.SIGKILL)
        assert eventually(lambda n=name, b=before: pid_of(system, n) not in {None, b}), (
            system.status()
        )
    postmaster = next(
        process
        for process in system.processes()
        if process.name() == "postgres" and process.ppid() == system.process.pid
    )
    postmaster.kill()
    assert eventually(lambda: bool(system.status()["healthy"])), system.status()

    started = system.processes()
    assert system.send(signal.SIGINT) == 0, system.said.read_text()
    assert [process for process in started if not gone(process)] == []
    assert not system.status()["healthy"]
    assert rdc(system.data_dir, "status").returncode == 1


def test_killed_it_recovers_by_itself(start: Start) -> None:
    first = start()
    first.wait_ready()
    started = first.processes()
    first.send(signal.SIGKILL)
    assert eventually(lambda: all(gone(process) for process in started)), (
        "the children end with their supervisor"
    )

    second = start()
    second.wait_ready()
    for process in [psutil.Process(second.process.pid), *second.processes()]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    second.process.wait()

    third = start()
    third.wait_ready()
    assert third.status()["healthy"]
    assert third.send(signal.SIGTERM) == 0


def test_an_interrupted_start_leaves_nothing(start: Start) -> None:
    system = start()
    assert eventually(lambda: len(system.processes()) > 0), system.said.read_text()
    started = system.processes()
    assert system.send(signal.SIGTERM) == 0, system.said.read_text()
    assert [process for process in started if not gone(process)] == []


def test_a_child_that_outlived_a_killed_supervisor_is_ended(start: Start) -> None:
    first = start()
    first.wait_ready()
    relay = psutil.Process(pid_of(first, "relay"))
    # Stopped, it cannot act on the signal of its supervisor's death.
    relay.suspend()
    first.send(signal.SIGKILL)
    second = start()
    second.wait_ready()
    assert gone(relay)
    told = next(line for line in second.said.read_text().splitlines() if "earlier run" in line)
    assert "relay" in told
    assert second.send(signal.SIGTERM) == 0


def test_a_port_in_use_is_told_before_anything_starts(start: Start, tmp_path: Path) -> None:
    running = start()
    found = running.wait_ready()
    other = rdc(tmp_path / "other", "up", "--http-port", str(found.http_port))
    assert other.returncode == 1
    assert f"port {found.http_port} of 127.0.0.1" in other.stderr
    assert "--http-port" in other.stderr
    assert running.send(signal.SIGTERM) == 0
