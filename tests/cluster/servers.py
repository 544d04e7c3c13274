"""The servers of a distributed centre, each on a machine of its own in a `network.Network`.

They are what a county would run: PostgreSQL with a synchronous standby, RabbitMQ or Valkey, three
nodes of SeaweedFS that keep every object twice, and HAProxy before everything that is there twice.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg
from psycopg import sql

from deploy.embedded import valkey
from deploy.embedded.accounts import server_account
from deploy.embedded.postgres import programs_for
from deploy.embedded.processes import Account, spawn, stop_by_steps
from tests.cluster.network import Network
from tests.e2e.system import ROOT, wait_for
from tests.support.peers import require_program

POSTGRES_PORT: Final = 5432
AMQP_PORT: Final = 5672
VALKEY_PORT: Final = 6379
S3_PORT: Final = 8333
START_SECONDS: Final = 180.0
_BALANCER: Final = ROOT / "deploy" / "balancer"
_RABBITMQ: Final = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
_STOP: Final = ((signal.SIGTERM, 20.0), (signal.SIGKILL, 5.0))


class Server:
    """One server program on one machine; what it says is in `<machine>.log`."""

    def __init__(self, network: Network, machine: str, directory: Path) -> None:
        self.network = network
        self.machine = machine
        self.address = network.addresses[machine]
        self.directory = directory / machine
        self.directory.mkdir(parents=True, exist_ok=True)
        self.log = self.directory / f"{machine}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def run(
        self,
        program: Sequence[str | Path],
        *,
        account: Account | None = None,
        environment: Mapping[str, str] | None = None,
        death_signal: signal.Signals = signal.SIGKILL,
    ) -> subprocess.Popen[bytes]:
        """Start a program on this machine."""
        with self.network.inside(self.machine), self.log.open("ab") as log:
            return spawn(
                program,
                log=log,
                account=account,
                environment={**os.environ, **(environment or {})},
                death_signal=death_signal,
                directory=self.directory,
            )

    def wait_for_port(self, port: int) -> None:
        """Wait until somebody listens there."""

        def listening() -> bool | None:
            assert self.process is not None
            assert self.process.poll() is None, self.last_words()
            return True if answers(self.address, port) else None

        wait_for(f"{self.machine} to listen", listening, timeout=START_SECONDS)

    def last_words(self) -> str:
        """The end of what it has said."""
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""

    def kill(self) -> None:
        """End everything on the machine at once, as a power cut does."""
        self.network.end_processes(self.machine)
        if self.process is not None:
            self.process.wait()
            self.process = None

    def stop(self) -> None:
        """Stop it as its service manager would."""
        if self.process is not None:
            stop_by_steps(self.process, _STOP)
            self.process = None


def answers(address: str, port: int) -> bool:
    """Whether a connection is accepted there."""
    try:
        with socket.create_connection((address, port), timeout=1.0):
            return True
    except OSError:
        return False


class Postgres(Server):
    """A PostgreSQL server that others reach by its address, with a password."""

    PASSWORD: Final = secrets.token_urlsafe(16)

    def __init__(self, network: Network, machine: str, directory: Path) -> None:
        super().__init__(network, machine, directory)
        self.data = self.directory / "data"
        self._programs = programs_for(self.data)
        self._account = server_account(self.data, self._programs / "postgres", [self.directory])
        self.directory.chmod(0o700)
        if self._account is not None:
            os.chown(self.directory, self._account.uid, self._account.gid)

    def create(self) -> None:
        """Make an empty cluster whose only superuser comes through the socket of its folder."""
        made = self.run(
            [
                self._programs / "initdb",
                f"--pgdata={self.data}",
                "--username=postgres",
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--locale=C.UTF-8",
                "--auth-local=trust",
                "--auth-host=scram-sha-256",
                "--no-instructions",
            ],
            account=self._account,
        )
        assert made.wait() == 0, self.last_words()
        with (self.data / "pg_hba.conf").open("a") as rules:
            rules.write("host all all samenet scram-sha-256\n")
            rules.write("host replication replicator samenet scram-sha-256\n")

    def start(self) -> None:
        """Start it, with everything durable, and wait until it answers."""
        settings = {
            "listen_addresses": self.address,
            "unix_socket_directories": str(self.directory),
            "max_connections": "300",
            "shared_buffers": "256MB",
            "hot_standby": "on",
            # Replay does not end a search at the standby.
            "hot_standby_feedback": "on",
            "wal_keep_size": "256MB",
            # What it sends into a cable that was pulled.
            "wal_sender_timeout": "5s",
            "wal_receiver_timeout": "5s",
        }
        options = [part for pair in settings.items() for part in ("-c", "=".join(pair))]
        self.process = self.run(
            [self._programs / "postgres", "-D", self.data, *options],
            account=self._account,
            death_signal=signal.SIGINT,
        )
        wait_for(f"{self.machine} to answer", self._answers, timeout=START_SECONDS)

    def _answers(self) -> bool | None:
        assert self.process is not None
        assert self.process.poll() is None, self.last_words()
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return None
        return True

    def execute(self, statement: str) -> list[tuple[object, ...]]:
        """Run a statement as the superuser."""
        with psycopg.connect(
            host=str(self.directory), user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def make_database(self, *names: str) -> None:
        """Make the role `rdc`, the databases it owns, and the role that standbys use."""
        with psycopg.connect(
            host=str(self.directory), user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            for role, rights in (
                ("rdc", sql.SQL("CREATEDB CREATEROLE")),
                ("replicator", sql.SQL("REPLICATION")),
            ):
                connection.execute(
                    sql.SQL("CREATE ROLE {} LOGIN {} PASSWORD {}").format(
                        sql.Identifier(role), rights, sql.Literal(self.PASSWORD)
                    )
                )
            for name in names:
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER rdc").format(sql.Identifier(name))
                )

    def follow(self, primary: "Postgres") -> None:
        """Become a standby of another server, which waits for it with every commit from now on."""
        shutil.rmtree(self.data, ignore_errors=True)
        source = (
            f"host={primary.address} user=replicator password={self.PASSWORD}"
            f" application_name={self.machine}"
        )
        copied = self.run(
            [
                self._programs / "pg_basebackup",
                f"--pgdata={self.data}",
                f"--dbname={source}",
                "--write-recovery-conf",
                "--checkpoint=fast",
                "--wal-method=stream",
            ],
            account=self._account,
        )
        assert copied.wait() == 0, self.last_words()
        self.start()
        primary.commit_at(self)

    def commit_at(self, standby: "Postgres | None") -> None:
        """Let commits wait for a standby from now on; without one, for nobody."""
        name = "" if standby is None else standby.machine
        self.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
        self.execute("SELECT pg_reload_conf()")

    def promote(self) -> None:
        """Become the primary, as a failover manager has it done; alone at first."""
        self.commit_at(None)
        self.execute("SELECT pg_promote(wait => true)")

    @property
    def own_url(self) -> str:
        """RDC_DATABASE_URL of this server alone."""
        return f"postgresql://rdc:{quote(self.PASSWORD)}@{self.address}:{POSTGRES_PORT}/rdc"

    @classmethod
    def url(cls, *servers: "Postgres", attributes: str = "read-write") -> str:
        """RDC_DATABASE_URL that finds the primary among servers; attributes: or which else."""
        hosts = "&".join(f"host={one.address}:{POSTGRES_PORT}" for one in servers)
        return (
            f"postgresql://rdc:{quote(cls.PASSWORD)}@/rdc?{hosts}&target_session_attrs={attributes}"
        )


class Rabbit(Server):
    """RabbitMQ from Debian's package."""

    PASSWORD: Final = secrets.token_urlsafe(16)

    def start(self) -> None:
        """Start it and wait until it listens."""
        require_program("rabbitmq-server", package="rabbitmq-server")
        config = self.directory / "rabbitmq.conf"
        config.write_text(
            f"listeners.tcp.1 = {self.address}:{AMQP_PORT}\n"
            "loopback_users = none\n"
            "default_user = rdc\n"
            f"default_pass = {self.PASSWORD}\n"
            "heartbeat = 10\n"
            "log.file = false\n"
            "log.console = true\n"
            "log.console.level = warning\n"
        )
        plugins = self.directory / "enabled_plugins"
        plugins.write_text("[].\n")
        self.process = self.run(
            [_RABBITMQ],
            environment={
                "HOME": str(self.directory),
                "RABBITMQ_NODENAME": "rabbit@localhost",
                "RABBITMQ_CONFIG_FILE": str(config),
                "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
                "RABBITMQ_MNESIA_BASE": str(self.directory / "mnesia"),
                "RABBITMQ_LOG_BASE": str(self.directory),
                "RABBITMQ_PID_FILE": str(self.directory / "pid"),
                "ERL_EPMD_ADDRESS": "127.0.0.1",
                # Two processors are shared by everything here: it shall not spin while it waits.
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none +sbwtdcpu none"
                " +sbwtdio none",
            },
        )
        self.wait_for_port(AMQP_PORT)

    @property
    def url(self) -> str:
        """RDC_BROKER_URL."""
        return f"amqp://rdc:{self.PASSWORD}@{self.address}:{AMQP_PORT}//"


class Valkey(Server):
    """Valkey, of the wheel that one machine alone uses too, but with a port and a password."""

    PASSWORD: Final = secrets.token_urlsafe(16)

    def start(self) -> None:
        """Start it, empty, and wait until it listens."""
        options = {
            "bind": self.address,
            "port": str(VALKEY_PORT),
            "requirepass": self.PASSWORD,
            "save": "",
            "maxmemory": "64mb",
            "maxmemory-policy": "allkeys-lru",
        }
        words = [part for name, value in options.items() for part in (f"--{name}", value)]
        self.process = self.run([valkey.program(), *words])
        self.wait_for_port(VALKEY_PORT)

    @property
    def url(self) -> str:
        """RDC_BROKER_URL."""
        return f"redis://:{self.PASSWORD}@{self.address}:{VALKEY_PORT}/0"


class Balancer(Server):
    """HAProxy: one address each for DICOM, the web and the object store."""

    def start(self, servers: Mapping[str, str]) -> None:
        """Start it with the files we ship, told where the servers are; wait until it listens."""
        haproxy = require_program("haproxy", package="haproxy")
        files = [
            part for name in ("haproxy", "people") for part in ("-f", _BALANCER / f"{name}.cfg")
        ]
        self.process = self.run([haproxy, "-db", *files], environment=servers)
        self.wait_for_port(S3_PORT)
