"""`rdc up`: everything one machine needs, started in order, kept alive, stopped in reverse order.

The supervisor itself imports none of the rooms; it is small so that it is the
last thing to fail. Its children die with it (see `embedded.processes`), and
what survives all the same is ended by the next start.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import psutil

from deploy import state
from deploy.children import Child, ChildSpec
from deploy.embedded.postgres import EmbeddedPostgres
from deploy.embedded.processes import ProcessRecord, exclusive, stop_by_steps
from deploy.embedded.valkey import EmbeddedValkey
from deploy.errors import DeployError, EmbeddedServerError
from deploy.settings import PREFIX, Settings
from deploy.weaknesses import require_strong

ROOT: Final = Path(__file__).resolve().parent.parent
READY_SECONDS: Final = 90.0
STOP_SECONDS: Final = 15.0
LOOK_SECONDS: Final = 0.1

CHILDREN: Final = (
    ChildSpec("gateway", ("gateway",)),
    ChildSpec("ecg-intake", ("ecg-intake",)),
    ChildSpec("relay", ("relay",)),
    ChildSpec("worker-messages", ("worker", "--queue", "messages", "--name", "worker-messages")),
    ChildSpec("worker-returns", ("worker", "--queue", "returns", "--name", "worker-returns")),
    ChildSpec("worker-ecg", ("worker", "--queue", "ecg", "--name", "worker-ecg")),
    ChildSpec("worker-analysis", ("worker", "--queue", "analysis", "--name", "worker-analysis")),
    ChildSpec(
        "worker-preparation", ("worker", "--queue", "preparation", "--name", "worker-preparation")
    ),
    ChildSpec("web", ("web",)),
)


def children_of(settings: Settings) -> tuple[ChildSpec, ...]:
    """Return the processes of a system: `CHILDREN`, web processes beside the first, and HL7's."""
    more = (f"web-{number}" for number in range(2, settings.web_processes + 1))
    listens = settings.mllp_port or settings.mllp_tls_certificate
    hl7 = (ChildSpec("hl7", ("hl7",)),) if listens else ()
    return (*CHILDREN, *(ChildSpec(name, ("web", "--name", name)) for name in more), *hl7)


Say = Callable[[str], None]


class StartInterrupted(DeployError):
    """A signal asked the system to stop before it was up."""


class Supervisor:
    """The system of one data directory.

    Use it from the main thread: `start`, `watch` and `stop`, or as a context
    manager around `watch`. `say` receives lines of progress, `stop` ends `start`
    and `watch`.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        say: Say,
        stop: threading.Event,
        children: Sequence[ChildSpec] | None = None,
    ) -> None:
        self.settings = settings
        self._say = say
        self._stop = stop
        self._specs = children_of(settings) if children is None else tuple(children)
        self._hurry = False
        self._held = ExitStack()
        self._postgres: EmbeddedPostgres | None = None
        self._valkey: EmbeddedValkey | None = None
        self._children: list[Child] = []

    def __enter__(self) -> Self:
        """Start everything."""
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop everything."""
        self.stop()

    def start(self) -> Settings:
        """Start servers and processes and wait until all are ready.

        Returns the settings with the addresses filled in. Raises AlreadyRunning
        when another system uses the data directory, StartInterrupted when the
        stop event is set meanwhile, DeployError when a part does not start; call
        `stop` in any case.
        """
        began = time.monotonic()
        settings = self.settings
        require_strong(settings)
        data = settings.data_dir
        # Others may pass through to what is theirs (the database's account) but list nothing.
        data.mkdir(parents=True, exist_ok=True, mode=0o711)
        self._held.enter_context(exclusive(data / "lock", f"the data directory {data}"))
        # Only who holds the lock may remove the note: a refused second start leaves it alone.
        self._held.callback(state.forget, settings.run_dir)
        settings.run_dir.mkdir(exist_ok=True, mode=0o700)
        logs = settings.log_dir or data / "log"
        logs.mkdir(exist_ok=True, mode=0o700)
        self._end_leftovers()
        if settings.tls:
            self._step("certificates", self._prepare_tls)
        self.settings = settings = settings.changed(
            log_dir=logs,
            dicom_port=_free_port(settings.dicom_host, settings.dicom_port, "dicom"),
            http_port=_free_port(settings.http_host, settings.http_port, "http"),
            # Decided before the embedded servers have addresses, which look like any other.
            second_factor=tuple(sorted(settings.second_factor_for)),
        )
        self._start_servers()
        self._step("schema", self._migrate)
        self._start_children()
        self._note_state()
        self._say(f"ready after {time.monotonic() - began:.1f} s")
        return self.settings

    def watch(self) -> None:
        """Keep everything running until the stop event is set."""
        while not self._stop.wait(LOOK_SECONDS):
            self._watch_servers()
            for child in self._children:
                code = child.ended()
                if code is not None:
                    self._say(
                        f"{child.spec.name} ended with {_exit_words(code)}; "
                        f"starting it again in {child.pause:.1f} s"
                    )
                elif child.restart_if_due():
                    self._say(f"{child.spec.name} started again")

    def stop(self) -> None:
        """Stop everything in reverse order and release the data directory. Idempotent."""
        running = [child for child in reversed(self._children) if child.pid]
        if running:
            self._say("stopping " + ", ".join(child.spec.name for child in running))
        for child in running:
            child.ask_to_stop()
        deadline = time.monotonic() + STOP_SECONDS
        for child in running:
            while child.alive and time.monotonic() < deadline and not self._hurry:
                time.sleep(LOOK_SECONDS / 5)
            if not child.wait(time.monotonic()):
                self._say(f"{child.spec.name} did not stop by itself and was ended")
        self._children.clear()
        if self._valkey is not None:
            self._valkey.stop()
            self._valkey = None
        if self._postgres is not None:
            self._say("stopping the database")
            self._postgres.stop()
            self._postgres = None
        if running:
            self._say("stopped")
        self._held.close()

    def hurry(self) -> None:
        """Let `stop` wait no longer for processes to end by themselves."""
        self._hurry = True

    def _check_stop(self) -> None:
        if self._stop.is_set():
            raise StartInterrupted("the start was interrupted")

    def _step(self, name: str, action: Callable[[], str]) -> None:
        self._check_stop()
        began = time.monotonic()
        detail = action()
        self._say(f"{name:<16} {time.monotonic() - began:5.1f} s   {detail}")

    def _end_leftovers(self) -> None:
        """End our processes that a killed supervisor left; the servers see to their own."""
        run_dir = self.settings.run_dir
        records = ProcessRecord.read_all(run_dir)
        found = [(record, process) for record in records if (process := record.find())]
        if found:
            self._say(
                "ending what an earlier run left: " + ", ".join(record.name for record, _ in found)
            )
        for _, process in found:
            _signal(process, signal.SIGTERM)
        for _, process in found:
            stop_by_steps(process, ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, 5.0)))
        for record in records:
            ProcessRecord.forget(run_dir, record.name)
        state.forget(run_dir)

    def _prepare_tls(self) -> str:
        from deploy.tls.server import ensure  # noqa: PLC0415 -- cryptography, where it is used

        ensure(self.settings)
        return f"of the private authority in {self.settings.tls_dir}"

    def _start_servers(self) -> None:
        data = self.settings.data_dir
        if self.settings.database_url is None:
            from deploy.connections import of_system  # noqa: PLC0415 -- SQLAlchemy, as above

            wanted = of_system((spec.name for spec in self._specs), self.settings)
            self._postgres = EmbeddedPostgres(data / "postgres", connections=wanted)
            self._step("database", self._start_postgres)
        if self.settings.broker_url is None:
            self._valkey = EmbeddedValkey(data / "valkey")
            self._step("broker", self._start_valkey)

    def _start_postgres(self) -> str:
        assert self._postgres is not None
        self.settings = self.settings.changed(database_url=self._postgres.start())
        return f"PostgreSQL {self._postgres.version}, data in {self._postgres.data}"

    def _start_valkey(self) -> str:
        assert self._valkey is not None
        self.settings = self.settings.changed(broker_url=self._valkey.start())
        return "Valkey on a socket of its own"

    def _environment(self) -> dict[str, str]:
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(PREFIX)
        }
        path = os.pathsep.join(
            part for part in (str(ROOT), inherited.get("PYTHONPATH", "")) if part
        )
        return {**inherited, **self.settings.to_environment(), "PYTHONPATH": path}

    def _migrate(self) -> str:
        """Run `rdc migrate` as a child: this process stays small."""
        done = subprocess.run(
            [sys.executable, "-P", "-m", "deploy.cli", "migrate"],
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise DeployError(
                "the database cannot be brought to this version",
                found="\n  " + "\n  ".join((done.stderr or done.stdout).splitlines()[-8:]),
            )
        return "up to date"

    def _start_children(self) -> None:
        self._check_stop()
        environment = self._environment()
        logs = self.settings.log_dir
        assert logs is not None
        began = time.monotonic()
        for spec in self._specs:
            child = Child(
                spec, environment=environment, log_dir=logs, run_dir=self.settings.run_dir
            )
            self._children.append(child)
            child.start()
        waiting = list(self._children)
        while waiting:
            self._check_stop()
            for child in list(waiting):
                seconds = time.monotonic() - began
                if child.ready:
                    self._say(f"{child.spec.name:<16} {seconds:5.1f} s   process {child.pid}")
                    waiting.remove(child)
                elif (code := child.ended()) is not None:
                    raise _not_started(child, _exit_words(code), logs)
                elif seconds > READY_SECONDS:
                    raise _not_started(child, f"no word within {READY_SECONDS:.0f} s", logs)
            time.sleep(LOOK_SECONDS / 5)

    def _watch_servers(self) -> None:
        for server, name in ((self._postgres, "the database"), (self._valkey, "the broker")):
            if server is None or not server.crashed:
                continue
            self._say(f"{name} ended by itself; starting it again")
            try:
                server.start()
            except EmbeddedServerError as error:
                self._say(str(error))
                self._stop.wait(1.0)

    def _note_state(self) -> None:
        settings = self.settings
        state.RunningState(
            supervisor=ProcessRecord.of(state.SUPERVISOR, os.getpid()),
            database_url=settings.database_url or "",
            broker_url=settings.broker_url or "",
            dicom_port=settings.dicom_port,
            http_port=settings.http_port,
            web_address=settings.web_address,
            started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        ).write(settings.run_dir)


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return


def _exit_words(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def _not_started(child: Child, found: str, logs: Path) -> DeployError:
    words = "\n  ".join(child.last_words())
    return DeployError(
        f"{child.spec.name} does not start",
        found=found + (f", with these last words:\n  {words}\n" if words else ""),
        remedy=f"See {logs / child.spec.name}.log.",
    )


def _free_port(host: str, port: int, which: str) -> int:
    """Make sure that the port can be bound, and choose one when it is 0.

    Raises DeployError naming the flag to change.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise DeployError(
                f"the {which.upper()} port cannot be opened",
                expected=f"port {port} of {host} to be free",
                found=error.strerror or str(error),
                remedy=f"Stop what uses it, or choose another with --{which}-port.",
            ) from error
        return int(probe.getsockname()[1])
