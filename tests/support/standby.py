"""A streaming standby of the embedded PostgreSQL, made with the wheel's own programs."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, cast

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from deploy.embedded.accounts import server_account
from deploy.embedded.postgres import EmbeddedPostgres, programs_for
from deploy.embedded.processes import spawn, stop_by_steps
from storage.pool import connection_parameters
from storage.standby import StandbyReads, StandbyState
from tests.e2e.system import wait_for

_STOP: Final = ((signal.SIGINT, 10.0), (signal.SIGKILL, 5.0))


class StreamingStandby:
    """A standby of a running server, in a folder of its own; it listens on a Unix socket."""

    def __init__(self, primary: EmbeddedPostgres) -> None:
        """Copy the primary; `start` begins to follow it."""
        self.directory = Path(tempfile.mkdtemp(prefix="rdc-standby-"))
        self.data = self.directory / "data"
        self._log = self.directory / "postgres.log"
        self._programs = programs_for(primary.data)
        self._account = server_account(self.data, self._programs / "postgres", [self.directory])
        if self._account is not None:
            os.chown(self.directory, self._account.uid, self._account.gid)
        self._process: subprocess.Popen[bytes] | None = None
        host = make_url(primary.superuser_url).query["host"]
        copied = self._run(
            "pg_basebackup",
            f"--pgdata={self.data}",
            f"--dbname=host={host} user=postgres application_name=standby",
            "--write-recovery-conf",
            "--checkpoint=fast",
            "--no-sync",
        )
        assert copied.wait() == 0, self._log.read_text()

    def _run(self, program: str, *arguments: str | Path) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return spawn(
                [self._programs / program, *arguments],
                log=log,
                account=self._account,
                death_signal=signal.SIGINT,
                directory=self.directory,
            )

    def url(self, primary_url: str) -> str:
        """The address of a database of the primary, here."""
        return (
            make_url(primary_url)
            .update_query_dict({"host": str(self.directory)})
            .render_as_string(hide_password=False)
        )

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.directory),
            "max_connections": "200",
            "fsync": "off",
            "hot_standby_feedback": "on",
        }
        options = [part for pair in settings.items() for part in ("-c", "=".join(pair))]
        self._process = self._run("postgres", "-D", self.data, *options)
        wait_for("the standby to answer", self._answers, timeout=30.0)

    def _answers(self) -> bool | None:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()[-2000:]
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return None
        return True

    def execute(self, statement: str) -> Any:  # noqa: ANN401 -- whatever the statement returns
        """Run a statement as the superuser and return the first value."""
        with psycopg.connect(
            host=str(self.directory), user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            row = connection.execute(statement.encode()).fetchone()
        return cast("Any", row)[0] if row else None

    def pause(self) -> None:
        """Receive the log, and replay no more of it."""
        self.execute("SELECT pg_wal_replay_pause()")
        wait_for(
            "replay to be paused",
            lambda: self.execute("SELECT pg_get_wal_replay_pause_state()") == "paused" or None,
        )

    def resume(self) -> None:
        """Replay on."""
        self.execute("SELECT pg_wal_replay_resume()")

    def kill(self) -> None:
        """End it at once, as a power cut does."""
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait()
        self._process = None

    def promote(self) -> None:
        """Make it a primary of its own history."""
        self.execute("SELECT pg_promote(wait => true)")

    def stop(self) -> None:
        """Stop it, if it runs."""
        if self._process is not None:
            stop_by_steps(self._process, _STOP)
            self._process = None


def new_word() -> str:
    """A word that nobody has written before."""
    return secrets.token_hex(8)


@contextmanager
def following(postgres: EmbeddedPostgres) -> Generator[StreamingStandby]:
    """A standby that runs while the block does."""
    made = StreamingStandby(postgres)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(made.directory)


def commit_to_disk(postgres: EmbeddedPostgres, url: str) -> None:
    """Have commits wait as in a centre; servers of tests do not."""
    parameters: dict[str, Any] = {**connection_parameters(postgres.superuser_url)}
    with psycopg.connect(autocommit=True, **parameters) as connection:
        name = make_url(url).database or ""
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET synchronous_commit = on").format(sql.Identifier(name))
        )


def wait_until(reads: StandbyReads, state: StandbyState) -> None:
    """Wait until the watch finds the standby so."""
    wait_for(
        f"the standby to be {state.value}",
        lambda: reads.watch.state is state or None,
        timeout=20.0,
        saw=lambda: reads.watch.state,
    )
