"""A Debian machine with systemd as its first process, and the centre installed on it by its units.

PostgreSQL and RabbitMQ are Debian's, with Debian's own units; one node of SeaweedFS keeps objects.
"""

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sysconfig
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import psutil

from deploy import signing
from deploy.celery_app import QUEUES
from deploy.settings import load
from deploy.tls.authority import PrivateAuthority
from reading_worklist.signing.authority import Authority
from storage.database import Database
from storage.objects import ObjectStore, open_object_store
from tests.containers.engine import copy_checkout
from tests.containers.roads import DICOM_PORT, HTTP_PORT, QUIET_SECONDS
from tests.e2e.system import ROOT, wait_for
from tests.support.peers import require_program

HERE: Final = "10.89.79.1"
ADDRESS: Final = "10.89.79.2"
BALANCER: Final = "10.89.79.9"
"""Nobody; the example of settings wants one."""
UNITS: Final = (
    *("rdc-gateway", "rdc-hl7", "rdc-web", "rdc-relay", "rdc-ecg-intake"),
    *(f"rdc-worker@{queue}" for queue in QUEUES),
)
_PACKAGES: Final = (
    *("ca-certificates", "tzdata", "netbase", "systemd", "systemd-sysv", "dbus", "iproute2"),
    *("python3", "python3-venv", "make", "postgresql", "rabbitmq-server", "haproxy"),
)
_NAME: Final = "rdc-county"
_START_SECONDS: Final = 120.0
_READY_SECONDS: Final = 600.0
MLLP_PORT: Final = 2575
_ENVIRONMENT: Final = (
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG=C.UTF-8",
    "HOME=/root",
)


@dataclass(frozen=True, slots=True)
class Machine:
    """A running machine. root: its files. leader: the process that is its first."""

    root: Path
    leader: int
    password: str

    def run(self, *words: str, check: bool = True, of: int | None = None) -> str:
        """Run a command as root in the machine, or where a process of it is; return its words.

        of: that process, by its number on this machine: with its view of files and users.
        """
        spaces = "--all" if of is None else "--mount"
        enter = ("nsenter", f"--target={of or self.leader}", spaces)
        done = subprocess.run(
            [*enter, "env", "-i", *_ENVIRONMENT, *words],
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert not check or done.returncode == 0, f"{' '.join(words)}: {done.stdout}"
        return done.stdout

    def main_process(self, unit: str) -> psutil.Process:
        """The first process of a unit, as this machine sees it."""
        inside = int(self.run("systemctl", "show", "--property=MainPID", "--value", unit))
        for one in psutil.Process(self.leader).children(recursive=True):
            status = Path(f"/proc/{one.pid}/status").read_text(encoding="utf-8")
            [numbers] = [line for line in status.splitlines() if line.startswith("NSpid:")]
            # The last one is that of the machine; a unit has no further process numbers of its own.
            if int(numbers.split()[-1]) == inside:
                return one
        raise AssertionError(f"{unit} has no process {inside}")

    def database(self) -> Database:
        """The machine's database."""
        return Database(f"postgresql://rdc:{self.password}@{ADDRESS}:5432/rdc", pool_size=4)

    def objects(self) -> ObjectStore:
        """The machine's object store."""
        return open_object_store(f"s3://rdc:{self.password}@{ADDRESS}:8333/rdc?secure=0")

    def authority(self, directory: Path) -> Authority:
        """The signing authority, copied out of the machine."""
        shutil.copytree(self.root / "etc/rdc/authority", directory / "authority")
        return signing.open_signing_authority(load(authority_dir=directory / "authority"))


def install(root: Path, password: str) -> None:
    """Make a machine's files and install the centre on it, as deploy/docs/distributed.md says."""
    for program, package in (("mmdebstrap", "mmdebstrap"), ("systemd-nspawn", "systemd-container")):
        require_program(program, package=package)
    subprocess.run(
        [
            *("mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(_PACKAGES)}"),
            *("bookworm", root),
        ],
        check=True,
    )
    (root / "etc/hostname").write_text("county\n", encoding="ascii")
    (root / "etc/hosts").write_text(f"127.0.0.1 localhost\n{ADDRESS} county\n", encoding="ascii")
    # The package registries may be behind a proxy whose certificate this machine knows.
    authorities = Path("/etc/ssl/certs/ca-certificates.crt")
    shutil.copy(authorities, root / authorities.relative_to("/"))
    copy_checkout(root / "opt/rdc")
    known = f"PIP_CERT={authorities} SSL_CERT_FILE={authorities} NODE_EXTRA_CA_CERTS={authorities}"
    subprocess.run(
        ["chroot", root, "env", *known.split(), "make", "--directory=/opt/rdc", "setup"],
        check=True,
    )
    units = ROOT / "deploy/systemd"
    shutil.copytree(units, root / "etc/systemd/system", dirs_exist_ok=True)
    shutil.copy(units / "rdc", root / "usr/local/bin/rdc")
    _write_settings(root, password)
    _prepare_servers(root, password)
    _prepare_balancer(root)


def _prepare_balancer(root: Path) -> None:
    """Have Debian's HAProxy run by our files.

    It has a network of its own, since its ports are those of our processes on this machine.
    """
    folder = root / "etc/rdc/balancer"
    folder.mkdir()
    for name in ("haproxy.cfg", "people.cfg"):
        shutil.copy(ROOT / "deploy/balancer" / name, folder)
    shutil.copy(ROOT / "deploy/balancer/balancer.env.example", root / "etc/rdc/balancer.env")
    private = PrivateAuthority(root.parent / "tls")
    private.make("county")
    issued = private.issue("front", hosts=("reading.county.example",))
    pem = root / "etc/rdc/balancer.pem"
    pem.touch(mode=0o400)
    pem.write_bytes(issued.certificate.read_bytes() + issued.key.read_bytes())
    subprocess.run(["chroot", root, "chown", "haproxy", "/etc/rdc/balancer.pem"], check=True)
    alone = root / "etc/systemd/system/haproxy.service.d/alone.conf"
    alone.write_text("[Service]\nPrivateNetwork=yes\n", encoding="ascii")


def _write_settings(root: Path, password: str) -> None:
    settings = (root / "etc/systemd/system/rdc.env.example").read_text(encoding="utf-8")
    for pattern, meaning in (
        (r"rdc:PASSWORD@/rdc\S*", f"rdc:{password}@{ADDRESS}:5432/rdc"),
        (r"PASSWORD@BROKER", f"{password}@{ADDRESS}"),
        (r"KEY:SECRET@BALANCER", f"rdc:{password}@{ADDRESS}"),
        (r"BALANCER", BALANCER),
        (r"https://READING\.EXAMPLE", f"http://{ADDRESS}:8080"),
    ):
        settings, replaced = re.subn(pattern, meaning, settings)
        assert replaced, pattern
    settings += (
        'RDC_SECOND_FACTOR=[]\nRDC_ACCEPT_WEAK=["no-second-factor","plain-http"]\n'
        f"RDC_QUIET_SECONDS={QUIET_SECONDS}\n"
    )
    file = root / "etc/rdc/rdc.env"
    file.parent.mkdir()
    file.touch(mode=0o600)
    file.write_text(settings, encoding="utf-8")


def _prepare_servers(root: Path, password: str) -> None:
    cluster = root / "etc/postgresql/15/main"
    with (cluster / "postgresql.conf").open("a") as file:
        file.write("listen_addresses = '*'\n")
    with (cluster / "pg_hba.conf").open("a") as file:
        file.write("host all all 10.89.79.0/24 scram-sha-256\n")
    (root / "etc/rabbitmq/rabbitmq.conf").write_text(
        f"default_user = rdc\ndefault_pass = {password}\n", encoding="ascii"
    )
    shutil.copy(Path(sysconfig.get_path("scripts")) / "weed", root / "usr/local/bin/weed")
    (root / "srv/weed").mkdir()
    (root / "srv/s3.json").write_text(
        '{"identities": [{"name": "rdc", "credentials": [{"accessKey": "rdc", "secretKey": "'
        f'{password}"}}], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}}]}}',
        encoding="ascii",
    )


@contextmanager
def running_machine(directory: Path) -> Generator[Machine]:
    """Install a machine, start it and its servers, and switch it off afterwards."""
    root = directory / "machine"
    password = secrets.token_hex(16)
    install(root, password)
    with (directory / "console.log").open("wb") as console:
        nspawn = subprocess.Popen(
            [
                *("systemd-nspawn", "--quiet", f"--directory={root}", "--boot", "--network-veth"),
                *(f"--machine={_NAME}", "--register=no", "--keep-unit", "--link-journal=no"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            env={"PATH": os.environ["PATH"]},
        )
    try:
        leader = wait_for("the first process", lambda: _leader(nspawn), timeout=_START_SECONDS)
        machine = Machine(root, leader, password)
        wait_for("systemd", lambda: _booted(machine), timeout=_START_SECONDS)
        link = f"ve-{_NAME}"
        for words in (f"addr add {HERE}/24 dev {link}", f"link set {link} up"):
            subprocess.run(["ip", *words.split()], check=True)
        for words in (f"addr add {ADDRESS}/24 dev host0", "link set host0 up"):
            machine.run("ip", *words.split())
        _start_servers(machine)
        yield machine
    finally:
        # It asks the machine to power itself off.
        nspawn.send_signal(signal.SIGTERM)
        try:
            nspawn.wait(_START_SECONDS)
        except subprocess.TimeoutExpired:
            nspawn.kill()
            raise


def _leader(nspawn: subprocess.Popen[bytes]) -> int | None:
    assert nspawn.poll() is None, "systemd-nspawn ended"
    return next(
        (one.pid for one in psutil.Process(nspawn.pid).children() if one.name() == "systemd"), None
    )


def _booted(machine: Machine) -> bool | None:
    state = machine.run("systemctl", "is-system-running", check=False).strip()
    return True if state in ("running", "degraded") else None


def _start_servers(machine: Machine) -> None:
    machine.run("systemctl", "restart", "postgresql", "rabbitmq-server")
    machine.run(
        *("systemd-run", "--unit=weed", "weed", "server", "-dir=/srv/weed", f"-ip={ADDRESS}"),
        *("-ip.bind=0.0.0.0", "-volume.port=18079", "-master.volumeSizeLimitMB=256"),
        *("-filer", "-s3", "-s3.config=/srv/s3.json"),
    )
    machine.run(
        *("runuser", "--user=postgres", "--", "psql", "--set=ON_ERROR_STOP=1"),
        f"--command=CREATE ROLE rdc LOGIN CREATEROLE PASSWORD '{machine.password}'",
        "--command=CREATE DATABASE rdc OWNER rdc",
    )
    machine.run(
        *("useradd", "--system", "--home-dir=/var/lib/rdc", "--no-create-home"),
        *("--shell=/usr/sbin/nologin", "rdc"),
    )
    machine.run("systemctl", "daemon-reload")


def restarts_of(machine: Machine, unit: str) -> int:
    """How often systemd had to start a unit again that had ended by itself."""
    return int(machine.run("systemctl", "show", "--property=NRestarts", "--value", unit))


def start(machine: Machine) -> float:
    """Migrate and start everything as the documents say; return the seconds until it works."""
    began = time.monotonic()
    machine.run("systemctl", "start", "rdc-migrate")
    machine.run("systemctl", "enable", "--now", "rdc.target", *UNITS)
    wait_until_ready(machine)
    return time.monotonic() - began


def wait_until_ready(machine: Machine) -> None:
    """Wait until devices, the HIS and people are answered, and every unit runs."""

    def ready() -> bool | None:
        active = machine.run("systemctl", "is-active", *UNITS, check=False).split()
        if active != ["active"] * len(UNITS):
            return None
        try:
            for port in (DICOM_PORT, MLLP_PORT):
                socket.create_connection((ADDRESS, port), timeout=5).close()
            answer = httpx.get(f"http://{ADDRESS}:{HTTP_PORT}/readyz", timeout=5)
        except (OSError, httpx.HTTPError):
            return None
        return True if answer.is_success else None

    wait_for("every unit to work", ready, timeout=_READY_SECONDS)
