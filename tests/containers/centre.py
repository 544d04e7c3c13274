"""The centre that deploy/compose describes, running, and the way in from this machine."""

import json
import subprocess
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from deploy import signing
from deploy.demo.walk import Road
from deploy.settings import load
from reading_worklist.signing.authority import Authority
from storage.database import Database
from storage.objects import ObjectStore, open_object_store
from tests.containers.engine import Engine, copy_checkout, with_compose
from tests.containers.roads import QUIET_SECONDS, road_to
from tests.e2e.system import wait_for

HOST: Final = "10.89.77.1"
"""This machine in the network of the services: callers of published ports come from there."""
ONCE: Final = frozenset({"migrate"})
_STORE_PORT: Final = 8333
_READY_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True)
class Centre:
    """A project of Compose. folder: where compose.yaml, .env and our changes lie."""

    engine: Engine
    folder: Path

    def compose(self, *words: str, check: bool = True) -> str:
        """Run Docker Compose as the documents say, and return what it printed."""
        done = subprocess.run(
            ["docker", "compose", *words],
            cwd=self.folder,
            env={k: v for k, v in self.engine.environment.items() if not k.startswith("RDC_")},
            check=False,
            capture_output=True,
            text=True,
        )
        said = done.stdout + done.stderr
        assert not check or done.returncode == 0, f"docker compose {' '.join(words)}: {said}"
        return done.stdout if done.returncode == 0 else said

    def up(self) -> float:
        """Start everything and wait until all of it says that it works; return the seconds."""
        began = time.monotonic()
        self.compose("up", "--detach")
        wait_for(
            "every service to be healthy", self._all_well, timeout=_READY_SECONDS, saw=self.states
        )
        return time.monotonic() - began

    def states(self) -> dict[str, dict[str, Any]]:
        """What Docker says of each service's container."""
        listed = self.compose("ps", "--all", "--format", "json").splitlines()
        return {one["Service"]: one for one in map(json.loads, listed)}

    def _all_well(self) -> bool | None:
        states = self.states()
        well = all(
            (one["State"], one["ExitCode"]) == ("exited", 0)
            if service in ONCE
            else one["State"] == "running" and one["Health"] in ("", "healthy")
            for service, one in states.items()
        )
        return True if well else None

    def inspect(self, service: str) -> dict[str, Any]:
        """Everything that Docker knows about a service's container."""
        return json.loads(self.engine.run("inspect", f"rdc-{service}-1"))[0]

    def address(self, service: str) -> str:
        """The address of a service in its network."""
        return self.inspect(service)["NetworkSettings"]["Networks"]["rdc_default"]["IPAddress"]

    def inside(self, service: str, *words: str, check: bool = True) -> str:
        """Run a command in a service's container and return what it printed."""
        return self.compose("exec", "--no-TTY", service, *words, check=check)

    @property
    def secrets(self) -> Mapping[str, str]:
        """What make-secrets.sh has made."""
        lines = (self.folder / ".env").read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)

    def database(self) -> Database:
        """The centre's database."""
        password = quote(self.secrets["DATABASE_PASSWORD"])
        address = self.address("database")
        return Database(f"postgresql://rdc:{password}@{address}:5432/rdc", pool_size=4)

    def objects(self) -> ObjectStore:
        """The centre's object store, through the balancer."""
        key = self.secrets["STORE_PASSWORD"]
        return open_object_store(
            f"s3://rdc:{key}@{self.address('front')}:{_STORE_PORT}/rdc?secure=0"
        )

    def authority(self, directory: Path) -> Authority:
        """The signing authority, copied out of its volume."""
        self.engine.run("cp", "rdc-web-1-1:/var/lib/rdc-authority", str(directory))
        return signing.open_signing_authority(load(authority_dir=directory / "rdc-authority"))


@contextmanager
def running_centre(engine: Engine, directory: Path) -> Generator[Centre]:
    """Build and start the centre of this checkout, and remove it and its volumes afterwards.

    It differs from what is shipped in that people sign in without a second factor, and in that a
    study is complete sooner.
    """
    engine = with_compose(engine, directory)
    folder = copy_checkout(directory / "checkout") / "deploy" / "compose"
    centre = Centre(engine, folder)
    made = subprocess.run(["./make-secrets.sh"], cwd=folder, check=True, capture_output=True)
    (folder / ".env").write_bytes(made.stdout)
    changes = {
        "RDC_QUIET_SECONDS": str(QUIET_SECONDS),
        "RDC_SECOND_FACTOR": "[]",
        "RDC_ACCEPT_WEAK": '["no-second-factor"]',
    }
    config = json.loads(centre.compose("config", "--format", "json"))
    ours = [name for name, one in config["services"].items() if one["image"] == "rdc"]
    (folder / "compose.override.yaml").write_text(
        json.dumps({"services": {name: {"environment": changes} for name in ours}}),
        encoding="utf-8",
    )
    centre.compose("build")
    try:
        yield centre
    finally:
        centre.compose("down", "--volumes", "--timeout", "5", check=False)


@contextmanager
def road(centre: Centre, directory: Path) -> Generator[Road]:
    """The demonstration's consortium, its devices and PACS on this machine."""
    made = road_to(
        "127.0.0.1",
        here=HOST,
        database=centre.database(),
        authority=centre.authority(directory),
        directory=directory,
    )
    with made as way:
        yield way
