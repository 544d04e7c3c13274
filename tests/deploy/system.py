"""A whole system started with `rdc up`, as a person would."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil

from deploy import state
from deploy.embedded.processes import tied
from deploy.state import RunningState
from tests.deploy.servers import eventually, gone

ROOT = Path(__file__).resolve().parents[2]
RDC = (sys.executable, "-P", "-m", "deploy.cli")
ANY_PORTS = ("--dicom-port", "0", "--http-port", "0")
START_SECONDS = 90.0
STOP_SECONDS = 40.0


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RDC_")}
    return {**kept, "PYTHONPATH": str(ROOT), "RDC_MLLP_PORT": "0"}


def rdc(data_dir: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run an `rdc` command on the data directory and wait for its end."""
    return subprocess.run(
        [*RDC, *words, "--data-dir", str(data_dir)],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=START_SECONDS,
    )


class System:
    """One `rdc up`; its output is in the file `said`."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.said = data_dir.with_suffix(".said")
        with self.said.open("ab") as output:
            self.process = subprocess.Popen(
                tied([*RDC, "up", "--data-dir", data_dir, *ANY_PORTS]),
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # As a shell would: Ctrl-C goes to a group of its own.
                start_new_session=True,
            )

    def wait_ready(self) -> RunningState:
        assert eventually(
            lambda: self.state() is not None or self.process.poll() is not None, START_SECONDS
        ), self.said.read_text()
        found = self.state()
        assert found is not None, self.said.read_text()
        return found

    def state(self) -> RunningState | None:
        found = state.read(self.data_dir / "run")
        return found if found and found.supervisor.pid == self.process.pid else None

    def processes(self) -> list[psutil.Process]:
        """Everything that it started."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def status(self) -> dict[str, Any]:
        return json.loads(rdc(self.data_dir, "status", "--json").stdout)

    def send(self, number: signal.Signals) -> int:
        """Send a signal and return the exit code that follows."""
        self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS)

    def end(self) -> None:
        """Whatever a failed test left."""
        if self.process.poll() is None:
            started = self.processes()
            self.process.kill()
            self.process.wait()
            for process in started:
                if not gone(process):
                    process.kill()
