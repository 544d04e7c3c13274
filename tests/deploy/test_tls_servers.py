"""Database, broker and store over TLS, real ones: who is believed, and what is said of the others.

`rdc tls issue` makes the certificates, `RDC_CA_BUNDLE` says who is believed.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sysconfig
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from deploy.celery_app import Wakeups
from deploy.doctor import servers
from deploy.doctor.findings import Severity, to_json
from deploy.embedded.accounts import server_account
from deploy.embedded.processes import Account, spawn, stop_by_steps
from deploy.settings import Settings, load
from deploy.tls.authority import PrivateAuthority
from deploy.tls.refusals import NO_FILE, NO_TLS, OTHER_NAME, UNTRUSTED, TlsRefusal
from storage.objects import ObjectKey, open_object_store
from tests.e2e.system import wait_for
from tests.support.peers import require_program
from tests.support.ports import free_ports
from tests.support.soak import SOAK

pytestmark = pytest.mark.slow

SECRET = secrets.token_urlsafe(18)
_STOP = ((signal.SIGINT, 5.0), (signal.SIGKILL, 5.0))


@dataclass(frozen=True, slots=True)
class Files:
    """What a server is given, where its account reads it; and whom one may believe."""

    folder: Path
    certificate: Path
    key: Path
    ours: Path
    strangers: Path


@dataclass(frozen=True, slots=True)
class Server:
    """A server, and how it is reached.

    subject: the doctor's word for it. setting: its address's field. url: its address, of host and
    port. tls: the port that speaks TLS. plain: gives one that does not. works: uses it.
    """

    subject: str
    setting: str
    url: str
    tls: int
    plain: Callable[[], int]
    works: Callable[[Settings], None]

    def settings(
        self, database_url: str, host: str, port: int, bundle: Path, directory: Path
    ) -> Settings:
        """Settings with this server at that place."""
        addresses = {"database_url": database_url, self.setting: self.url.format(host, port)}
        return load(data_dir=directory, ca_bundle=bundle, accept_weak=["plain-http"], **addresses)


@pytest.fixture(scope="module")
def files() -> Iterator[Files]:
    folder = Path(tempfile.mkdtemp(prefix="rdc-tls-"))
    authority, stranger = PrivateAuthority(folder / "tls"), PrivateAuthority(folder / "other")
    assert authority.make("青山县医共体")
    assert stranger.make("somebody else")
    issued = authority.issue("server", hosts=("127.0.0.1",))
    yield Files(folder, issued.certificate, issued.key, authority.certificate, stranger.certificate)
    shutil.rmtree(folder)


@contextmanager
def running(
    folder: Path,
    program: Sequence[str | Path],
    ports: Sequence[int],
    *,
    account: Account | None = None,
    environment: Mapping[str, str] | None = None,
) -> Generator[None]:
    with (folder / "log").open("ab") as log:
        process = spawn(
            program,
            log=log,
            account=account,
            environment={**os.environ, **(environment or {})},
            death_signal=signal.SIGKILL,
            directory=folder,
        )
    try:

        def listens() -> bool | None:
            assert process.poll() is None, (folder / "log").read_text(errors="replace")[-2000:]
            return all(map(answers, ports)) or None

        wait_for(f"{program[0]} to listen", listens, timeout=90.0)
        yield
    finally:
        stop_by_steps(process, _STOP)


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
    except OSError:
        return False
    return True


@contextmanager
def postgres(files: Files) -> Generator[Server]:
    """Debian's; that of the wheel knows no TLS. One port speaks both."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    program = found[-1] if found else Path(require_program("postgres", package="postgresql"))
    programs = program.parent
    [port] = free_ports(1)
    folder = Path(tempfile.mkdtemp(prefix="rdc-tls-pg-"))
    account = server_account(folder / "data", programs / "postgres", [folder])
    given = [Path(shutil.copy(one, folder)) for one in (files.certificate, files.key)]
    (folder / "password").write_text(SECRET)
    if account is not None:
        for one in (folder, folder / "password", *given):
            os.chown(one, account.uid, account.gid)
    words = ["--username=rdc", "--auth-host=scram-sha-256", "--auth-local=trust", "--no-sync"]
    made = spawn(
        [
            programs / "initdb",
            f"--pgdata={folder / 'data'}",
            f"--pwfile={folder / 'password'}",
            *words,
        ],
        log=subprocess.DEVNULL,
        account=account,
        directory=folder,
    )
    assert made.wait() == 0
    options = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": str(folder),
        "fsync": "off",
        "ssl_cert_file": str(given[0]),
        "ssl_key_file": str(given[1]),
    }
    with (folder / "data" / "postgresql.auto.conf").open("a") as kept:
        kept.write("ssl = on\n")
    words = [word for pair in options.items() for word in ("-c", "=".join(pair))]

    def owner() -> psycopg.Connection:
        return psycopg.connect(
            host=str(folder), port=port, user="rdc", dbname="postgres", autocommit=True
        )

    def is_up() -> bool | None:
        try:
            owner().close()
        except psycopg.OperationalError:
            return None
        return True

    def plain() -> int:
        with owner() as connection:
            connection.execute("ALTER SYSTEM SET ssl = off")
            connection.execute("SELECT pg_reload_conf()")
            wait_for(
                "TLS to be off",
                lambda: connection.execute("SHOW ssl").fetchone() == ("off",) or None,
            )
        return port

    command = [programs / "postgres", "-D", folder / "data", *words]
    with running(folder, command, [port], account=account):
        # It listens a moment before it lets anybody in.
        wait_for("PostgreSQL to answer", is_up, timeout=60.0)
        url = f"postgresql://rdc:{SECRET}@{{}}:{{}}/postgres?sslmode=verify-full"
        yield Server("database", "database_url", url, port, plain, _asks)
    shutil.rmtree(folder)


def _asks(settings: Settings) -> None:
    with psycopg.connect(settings.database_url or "", autocommit=True) as connection:
        found = connection.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        assert found.fetchone() == (True,)


@contextmanager
def redis(files: Files) -> Generator[Server]:
    """Debian's Redis; the wheel's Valkey knows no TLS."""
    program = require_program("redis-server", package="redis-server")
    folder = files.folder / "redis"
    folder.mkdir()
    tls, plain = free_ports(2)
    options = {
        "bind": "127.0.0.1",
        "port": str(plain),
        "tls-port": str(tls),
        "tls-cert-file": str(files.certificate),
        "tls-key-file": str(files.key),
        "tls-auth-clients": "no",
        "requirepass": SECRET,
        "save": "",
        "dir": str(folder),
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    with running(folder, [program, *words], [tls, plain]):
        yield Server(
            "broker", "broker_url", f"rediss://:{SECRET}@{{}}:{{}}/0", tls, lambda: plain, _wakes
        )


@contextmanager
def rabbit(files: Files) -> Generator[Server]:
    """Debian's RabbitMQ."""
    require_program("rabbitmq-server", package="rabbitmq-server")
    folder = files.folder / "rabbit"
    folder.mkdir()
    tls, plain, distribution, mapper = free_ports(4)
    config = folder / "rabbitmq.conf"
    config.write_text(
        f"listeners.tcp.1 = 127.0.0.1:{plain}\n"
        f"listeners.ssl.1 = 127.0.0.1:{tls}\n"
        f"ssl_options.certfile = {files.certificate}\n"
        f"ssl_options.keyfile = {files.key}\n"
        "ssl_options.verify = verify_none\n"
        "ssl_options.fail_if_no_peer_cert = false\n"
        "default_user = rdc\n"
        f"default_pass = {SECRET}\n"
        "log.file = false\nlog.console = true\nlog.console.level = warning\n"
    )
    plugins = folder / "enabled_plugins"
    plugins.write_text("[].\n")
    environment = {
        "HOME": str(folder),
        "RABBITMQ_NODENAME": f"rdc{tls}@localhost",
        "RABBITMQ_DIST_PORT": str(distribution),
        "ERL_EPMD_PORT": str(mapper),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_CONFIG_FILE": str(config),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none",
    }
    program = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
    with running(folder, [program], [tls, plain], environment=environment):
        url = f"amqps://rdc:{SECRET}@{{}}:{{}}//"
        yield Server("broker", "broker_url", url, tls, lambda: plain, _wakes)


def _wakes(settings: Settings) -> None:
    Wakeups(settings.broker_url or "").check()


@contextmanager
def store(files: Files) -> Generator[Server]:
    """SeaweedFS."""
    folder = files.folder / "store"
    folder.mkdir()
    names = ("s3.port.https", "s3.port", "master.port", "volume.port", "filer.port", "admin.port")
    ports = dict(zip((*names, *(f"{one}.grpc" for one in names[1:])), free_ports(11), strict=True))
    program = Path(sysconfig.get_path("scripts")) / "weed"
    words = [
        f"-dir={folder}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-webdav=false",
        "-admin.ui=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        f"-s3.localSocket={folder / 's3.sock'}",
        f"-filer.localSocket={folder / 'filer.sock'}",
        "-master.telemetry=false",
        f"-s3.cert.file={files.certificate}",
        f"-s3.key.file={files.key}",
        *(f"-{name}={port}" for name, port in ports.items()),
    ]
    keys = {"AWS_ACCESS_KEY_ID": "rdc", "AWS_SECRET_ACCESS_KEY": SECRET}
    both = [ports["s3.port.https"], ports["s3.port"]]
    with running(folder, [program, "mini", *words], both, environment=keys):
        url = f"s3://rdc:{SECRET}@{{}}:{{}}/rdc"
        yield Server("object store", "object_store_url", url, both[0], lambda: both[1], _keeps)


def _keeps(settings: Settings) -> None:
    objects = open_object_store(settings.object_store)
    key = ObjectKey(f"derived/{secrets.token_hex(4)}")
    objects.put(key, b"x" * 1000)
    assert objects.read(key) == b"x" * 1000


KINDS = {"postgresql": postgres, "redis": redis, "s3": store}
if SOAK:
    # Its start is half a minute of a processor.
    KINDS["rabbitmq"] = rabbit


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_is_believed_by_its_certificate_alone(
    kind: str, files: Files, database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "objects").mkdir()
    missing = tmp_path / "nowhere.pem"
    with KINDS[kind](files) as server:

        def told(host: str, port: int, bundle: Path) -> str:
            settings = server.settings(database_url, host, port, bundle, tmp_path)
            found = list(servers.look(settings))
            assert SECRET not in to_json(found)
            return "".join(
                f"{one.what} → {one.remedy}"
                for one in found
                if one.subject == server.subject and one.severity is Severity.FAULT
            )

        def words(refusal: TlsRefusal) -> str:
            return f"does not answer: {refusal.what} → {refusal.remedy}"

        server.works(server.settings(database_url, "127.0.0.1", server.tls, files.ours, tmp_path))
        assert words(UNTRUSTED) in told("127.0.0.1", server.tls, files.strangers)
        assert words(OTHER_NAME) in told("localhost", server.tls, files.ours)
        assert words(NO_FILE) in told("127.0.0.1", server.tls, missing)
        assert words(NO_TLS) in told("127.0.0.1", server.plain(), files.ours)
