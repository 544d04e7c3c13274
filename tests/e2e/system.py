"""A whole running system in its own directory and on its own ports, as a county would start it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

import psutil

from deploy.embedded.processes import tied
from tests.support.ending import left_of

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]


def wait_for(
    what: str,
    look: Callable[[], T | None],
    *,
    timeout: float = 120.0,
    saw: Callable[[], object] | None = None,
) -> T:
    """Look again and again until there is something, or fail and tell what `saw` returns."""
    deadline = time.monotonic() + timeout
    while (found := look()) is None:
        if time.monotonic() > deadline:
            there = "" if saw is None else f"; there was {saw()}"
            raise AssertionError(f"waited {timeout:.0f} s in vain: {what}{there}")
        time.sleep(0.1)
    return found


class RunningSystem:
    """`rdc COMMAND` in a process of its own; the state file tells where its parts are."""

    running: ClassVar[list["RunningSystem"]] = []
    """Those started last and not stopped, whose logs are shown when a test fails."""

    def __init__(self, directory: Path, command: tuple[str, ...], **environment: str) -> None:
        self.data_dir = directory / "data"
        self.log = directory / "rdc.log"
        self._command = command
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("RDC_")},
            "RDC_DICOM_PORT": "0",
            "RDC_HTTP_PORT": "0",
            "RDC_MLLP_PORT": "0",
            "RDC_DATA_DIR": str(self.data_dir),
            "PYTHONPATH": str(ROOT),
            **environment,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, ready: Callable[[], bool] | None = None, timeout: float = 120.0) -> Self:
        """Start it and wait until its state file is there and `ready` says so."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                tied([sys.executable, "-P", "-m", "deploy.cli", *self._command]),
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        if self not in self.running:
            self.running.append(self)

        def up() -> bool | None:
            assert self.process is not None
            assert self.process.poll() is None, self.last_words()
            return True if self.has_state() and (ready is None or ready()) else None

        try:
            wait_for("the system to start", up, timeout=timeout)
        except BaseException:
            self.kill_everything()
            raise
        return self

    def last_words(self) -> str:
        """The end of what it has said."""
        return self.log.read_text(errors="replace")[-6000:]

    def has_state(self) -> bool:
        """Whether this start, not one that was killed before, has noted where its parts are."""
        assert self.process is not None
        try:
            return bool(self.state()["supervisor"]["pid"] == self.process.pid)
        except FileNotFoundError:
            return False

    def state(self) -> dict[str, Any]:
        return json.loads((self.data_dir / "run" / "state.json").read_text())

    @property
    def web(self) -> str:
        return str(self.state()["web_address"])

    @property
    def dicom_port(self) -> int:
        return int(self.state()["dicom_port"])

    def children(self) -> list[psutil.Process]:
        """Every process below `rdc`, the servers included."""
        assert self.process is not None
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self) -> None:
        """Ask it to stop, as Ctrl-C does, and see that nothing stays behind."""
        if self in self.running:
            self.running.remove(self)
        if self.process is None or self.process.poll() is not None:
            return
        children = self.children()
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(90)
        except subprocess.TimeoutExpired:
            self.kill_everything()
            raise
        alive = left_of(children, 10)
        assert not alive, [p.cmdline() for p in alive]

    def kill_everything(self) -> None:
        """`kill -9` of the whole tree, as a power cut would."""
        assert self.process is not None
        if self.process.poll() is not None:
            return
        everything = [*self.children(), psutil.Process(self.process.pid)]
        for process in everything:
            with suppress(psutil.NoSuchProcess):  # one of them may have ended with another
                process.kill()
        left_of(everything, 20)
        self.process.wait(20)
