"""One supervised process of our own: started, watched until ready, restarted, stopped."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from deploy import readiness
from deploy.embedded.processes import ProcessRecord, spawn

FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 30.0
# A process that lived this long was well; the next crash starts from the short pause again.
WELL_AFTER_SECONDS: Final = 60.0
LOG_KEPT_BYTES: Final = 8 << 20


@dataclass(frozen=True)
class ChildSpec:
    """What to start: `name` in logs and records, `command` the words after `rdc`."""

    name: str
    command: tuple[str, ...]


class Child:
    """A process that is started again, with growing pauses, as often as it ends by itself."""

    def __init__(
        self, spec: ChildSpec, *, environment: Mapping[str, str], log_dir: Path, run_dir: Path
    ) -> None:
        self.spec = spec
        self._environment = environment
        self._log = log_dir / f"{spec.name}.out"
        self._run_dir = run_dir
        self._process: subprocess.Popen[bytes] | None = None
        self._ready_pipe: int | None = None
        self._ready = False
        self._started_at = 0.0
        self._pause = 0.0
        self._next_start = 0.0
        self.restarts = 0

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process else None

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def ready(self) -> bool:
        """Whether the running process has said that it can work."""
        if not self._ready and self._ready_pipe is not None:
            with suppress(BlockingIOError):
                # An empty read means it ended without a word.
                self._ready = os.read(self._ready_pipe, 1) == b"1"
                self._close_pipe()
        return self._ready

    def start(self) -> None:
        """Start the process; must be called from the main thread (see `spawn`)."""
        if self._log.exists() and self._log.stat().st_size > LOG_KEPT_BYTES:
            self._log.replace(self._log.with_suffix(".out.1"))
        self._close_pipe()
        read, write = os.pipe()
        os.set_blocking(read, False)
        try:
            with self._log.open("ab") as log:
                self._process = spawn(
                    [sys.executable, "-P", "-m", "deploy.cli", *self.spec.command],
                    log=log,
                    environment={**self._environment, readiness.VARIABLE: str(write)},
                    inherited=[write],
                )
        finally:
            os.close(write)
        self._ready_pipe = read
        self._ready = False
        self._started_at = time.monotonic()
        with suppress(psutil.NoSuchProcess):
            ProcessRecord.of(self.spec.name, self._process.pid).write(self._run_dir)

    def ended(self) -> int | None:
        """Return the exit code once, when the process has ended by itself since the last call.

        The next start is then due after a pause that grows with every crash in a row.
        """
        if self._process is None or (code := self._process.poll()) is None:
            return None
        self._process = None
        self._ready = False
        self._close_pipe()
        lived = time.monotonic() - self._started_at
        again = FIRST_PAUSE_SECONDS if lived > WELL_AFTER_SECONDS else self._pause * 2
        self._pause = min(max(again, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
        self._next_start = time.monotonic() + self._pause
        return code

    @property
    def pause(self) -> float:
        """Seconds the last crash put the next start off by."""
        return self._pause

    def restart_if_due(self) -> bool:
        """Start it again when it has ended and its pause is over; return whether it was started."""
        if self._process is not None or time.monotonic() < self._next_start:
            return False
        self.restarts += 1
        self.start()
        return True

    def ask_to_stop(self) -> None:
        """Send SIGTERM; the process ends what it is doing."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)

    def wait(self, deadline: float) -> bool:
        """Wait for its end until the monotonic time `deadline`, then kill it; True if it ended."""
        if self._process is None:
            return True
        ended = True
        try:
            self._process.wait(timeout=max(deadline - time.monotonic(), 0.0))
        except subprocess.TimeoutExpired:
            ended = False
            self.kill()
        self._process = None
        self._close_pipe()
        ProcessRecord.forget(self._run_dir, self.spec.name)
        return ended

    def kill(self) -> None:
        """End the process and whatever it started in its session, at once."""
        if self._process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def last_words(self, lines: int = 8) -> Sequence[str]:
        """Return the end of what it wrote to standard error."""
        if not self._log.exists():
            return []
        return self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]

    def _close_pipe(self) -> None:
        if self._ready_pipe is not None:
            os.close(self._ready_pipe)
            self._ready_pipe = None
