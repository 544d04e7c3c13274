"""The centre by systemd's units, as shipped: hardening in force, the road, and restarts."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from deploy.demo.exams import prepare_exams
from deploy.demo.walk import Road, walk
from tests.cluster.load import Load
from tests.cluster.network import require_namespaces
from tests.containers.machine import (
    ADDRESS,
    HERE,
    UNITS,
    Machine,
    restarts_of,
    running_machine,
    start,
    wait_until_ready,
)
from tests.containers.roads import road_to
from tests.support.memory import DISK
from tests.support.soak import SOAK

MOST_EXPOSED: Final = 20
"""Of systemd's 100 points, the fewer the better."""
BETWEEN_SECONDS: Final = 5.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3000),
    pytest.mark.skipif(not SOAK, reason="`make containers` runs it"),
]


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder that outlives other runs of pytest: they remove their third last one's."""
    with tempfile.TemporaryDirectory(prefix="rdc-systemd-", dir=DISK) as directory:
        yield Path(directory)


@pytest.fixture(scope="module")
def machine(place: Path) -> Iterator[Machine]:
    require_namespaces()
    with running_machine(place) as running:
        say(f"every unit works after {start(running):.0f} s")
        yield running


@pytest.fixture(scope="module")
def walked(machine: Machine, place: Path) -> Iterator[Road]:
    way = road_to(
        ADDRESS,
        here=HERE,
        database=machine.database(),
        authority=machine.authority(place),
        directory=place,
    )
    with way as made:
        yield made


def test_nothing_had_to_be_started_twice(machine: Machine) -> None:
    assert {unit: restarts_of(machine, unit) for unit in UNITS} == dict.fromkeys(UNITS, 0)


def test_what_the_units_forbid_is_forbidden(machine: Machine) -> None:
    account = machine.run("id", "--user", "rdc").strip()
    for unit in UNITS:
        process = machine.main_process(unit)
        status = dict(
            line.split(":\t", 1)
            for line in Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8").splitlines()
            if ":\t" in line
        )
        assert status["Uid"].split() == [account] * 4, unit
        assert int(status["CapBnd"], 16) == int(status["CapEff"], 16) == 0
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
        # Even root would find these closed where the process is.
        for folder in ("/opt/rdc", "/etc", "/usr", "/srv"):
            refused = machine.run("touch", f"{folder}/x", check=False, of=process.pid)
            assert "Read-only file system" in refused, (unit, folder)
        assert machine.run("ls", "/dev/kmsg", check=False, of=process.pid).startswith("ls: cannot")


def test_systemd_finds_the_running_units_closed(machine: Machine) -> None:
    for unit in UNITS:
        seen = machine.run(
            *("systemd-analyze", "security", f"--threshold={MOST_EXPOSED}", "--no-pager"),
            f"{unit}.service",
            check=False,
        )
        say(seen.strip().splitlines()[-1])
        assert "OK" in seen.strip().splitlines()[-1], seen


def test_the_whole_road(machine: Machine, walked: Road, tmp_path: Path) -> None:
    outcome = walk(walked, prepare_exams(tmp_path / "exams"), say)
    assert outcome["ok"], outcome
    say(json.dumps([one["seconds"] for one in outcome["exams"]]))


def test_a_command_has_the_settings_and_the_account_of_the_units(machine: Machine) -> None:
    told = machine.run("rdc", "doctor", check=False)
    say(told)
    assert "\n0 faults" in told
    machine.run("rdc", "backup", "/var/lib/rdc/backup")
    assert "rdc" in machine.run("stat", "--format=%U", "/var/lib/rdc/backup")
    # What a command says to its caller by its end.
    machine.run("sh", "-c", "! rdc site test NOBODY")


def test_the_balancer_runs_by_our_files_without_root(machine: Machine) -> None:
    process = machine.main_process("haproxy").pid
    account = machine.run("id", "--user", "haproxy").strip()
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    assert f"\nUid:\t{account}\t{account}\t" in status
    listening = subprocess.run(
        [
            "nsenter",
            f"--target={process}",
            "--net",
            *["ss", "--listening", "--tcp", "--no-header", "-n"],
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    ports = {line.split()[3].rpartition(":")[2] for line in listening.splitlines()}
    assert ports == {"80", "443", "8080", "8333", "11112", "2575"}
    machine.run("systemctl", "reload", "haproxy")
    assert restarts_of(machine, "haproxy") == 0


def test_a_restart_under_load_loses_nothing(machine: Machine, walked: Road) -> None:
    seconds: dict[str, float] = {}
    with Load(walked) as load:
        for unit in ("rdc-gateway", "rdc-worker@preparation", "rdc-web", "rdc-gateway"):
            time.sleep(BETWEEN_SECONDS)
            began = time.monotonic()
            machine.run("systemctl", "restart", unit)
            seconds[unit] = round(time.monotonic() - began, 1)
            wait_until_ready(machine)
        time.sleep(BETWEEN_SECONDS)
    database = machine.database()
    try:
        filed = load.check(database, machine.objects())
    finally:
        database.close()
    say(
        f"{len(load.acknowledged)} instances, longest pause of sending"
        f" {load.sending.longest():.1f} s, caught up after {filed:.1f} s;"
        f" restarts took {seconds}"
    )


def test_the_target_stops_and_starts_everything(machine: Machine) -> None:
    began = time.monotonic()
    # The target alone would be gone at once, and its units ending still.
    machine.run("systemctl", "stop", "rdc.target", "rdc-*")
    say(f"everything was stopped after {time.monotonic() - began:.1f} s")
    states = machine.run("systemctl", "is-active", *UNITS, check=False).split()
    assert states == ["inactive"] * len(UNITS)
    machine.run("systemctl", "start", "rdc.target")
    wait_until_ready(machine)
