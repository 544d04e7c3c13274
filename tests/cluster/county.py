"""A distributed centre in a network of its own: every process on its own machine."""

import os
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
from sqlalchemy import update

from deploy import bootstrap, signing
from deploy.children import Child, ChildSpec
from deploy.demo.consortium import SITES, DemoPerson, seed
from deploy.demo.walk import Road
from deploy.settings import Settings, load
from deploy.tls.authority import PrivateAuthority
from pacs_gateway.site_machines import SitePacs
from storage import registry
from storage.database import Database
from storage.objects import ObjectStore, open_object_store
from storage.registry import Device
from tests.cluster.network import Network
from tests.cluster.servers import (
    S3_PORT,
    Balancer,
    Postgres,
    Rabbit,
)
from tests.cluster.store import StoreKeys, StoreNode
from tests.e2e.system import ROOT, wait_for

ADDRESSES: Final[Mapping[str, str]] = {
    "db1": "10.77.0.11",
    "db2": "10.77.0.12",
    "broker": "10.77.0.13",
    "store1": "10.77.0.21",
    "store2": "10.77.0.22",
    "store3": "10.77.0.23",
    "front": "10.77.0.30",
    "gateway1": "10.77.0.41",
    "gateway2": "10.77.0.42",
    "web1": "10.77.0.51",
    "web2": "10.77.0.52",
    "worker1": "10.77.0.61",
    "worker2": "10.77.0.62",
    "worker3": "10.77.0.63",
    "relay1": "10.77.0.71",
    "relay2": "10.77.0.72",
    "site": "10.77.0.100",
}
DICOM_PORT: Final = 11112
HTTP_PORT: Final = 8080
MLLP_PORT: Final = 2575
QUIET_SECONDS: Final = 1.0
PROCESSES: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "gateway1": {"gateway1": ("gateway",), "hl7-1": ("hl7",)},
    "gateway2": {"gateway2": ("gateway",), "hl7-2": ("hl7",)},
    "web1": {"web1": ("web",)},
    "web2": {"web2": ("web",)},
    "worker1": {"worker1": ("worker", "--name", "worker1")},
    "worker2": {"worker2": ("worker", "--name", "worker2")},
    "worker3": {"worker3": ("worker", "--name", "worker3"), "ecg-intake": ("ecg-intake",)},
    "relay1": {"relay1": ("relay",)},
    "relay2": {"relay2": ("relay",)},
}
"""What of ours runs on which machine."""
_READY_SECONDS: Final = 120.0
_STOP_SECONDS: Final = 60.0


@dataclass
class County:
    """The centre's machines, all of them running, and the way in from the site's machine."""

    network: Network
    directory: Path
    databases: tuple[Postgres, Postgres]
    broker: Rabbit
    store: Sequence[StoreNode]
    front: Balancer
    keys: StoreKeys = field(default_factory=StoreKeys)
    children: dict[str, Child] = field(default_factory=dict[str, Child])

    @property
    def private(self) -> PrivateAuthority:
        """The county's authority of certificates."""
        return PrivateAuthority(self.directory / "tls")

    @property
    def object_store_url(self) -> str:
        """RDC_OBJECT_STORE_URL, by the shared address; without a store a folder all share."""
        if not self.store:
            return (self.directory / "objects").as_uri()
        return (
            f"s3://{self.keys.access}:{self.keys.secret}"
            f"@{self.front.address}:{S3_PORT}/rdc?secure=0"
        )

    def settings(self, machine: str) -> Settings:
        """The settings of a machine; files of its own, but for the authority's."""
        data = self.directory / machine / "data"
        data.mkdir(parents=True, exist_ok=True)
        return load(
            database_url=Postgres.url(*self.databases),
            database_read_url=Postgres.url(*self.databases, attributes="standby"),
            broker_url=self.broker.url,
            object_store_url=self.object_store_url,
            data_dir=data,
            authority_dir=self.directory / "authority",
            http_host=self.network.addresses[machine],
            http_port=HTTP_PORT,
            public_url=f"http://{self.front.address}:{HTTP_PORT}",
            # The balancer speaks HTTP here, and people sign in with their password alone.
            second_factor=(),
            accept_weak=("plain-http", "no-second-factor"),
            dicom_port=DICOM_PORT,
            proxy_networks=[f"{self.front.address}/32"],
            trusted_proxies=[f"{self.front.address}/32"],
            gateway_listeners=1,
            quiet_seconds=QUIET_SECONDS,
            worker_threads=2,
        )

    def environment(self, machine: str) -> dict[str, str]:
        """The environment of a process on a machine."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("RDC_")}
        return {
            **inherited,
            **self.settings(machine).to_environment(),
        }

    def start(
        self, *machines: str, root: Path = ROOT, changes: Mapping[str, str] | None = None
    ) -> None:
        """Start our processes of each machine and wait until all can work.

        root: the checkout whose code they run. changes: of their environment; empty: without it.
        """
        started: dict[str, Child] = {}
        for machine in machines:
            directory = self.directory / machine
            environment = {**self.environment(machine), **(changes or {}), "PYTHONPATH": str(root)}
            for name, words in PROCESSES[machine].items():
                child = Child(
                    ChildSpec(name, words),
                    environment={name: value for name, value in environment.items() if value},
                    log_dir=directory,
                    run_dir=directory / "data" / "run",
                )
                with self.network.inside(machine):
                    child.start()
                started[name] = child
        self.children.update(started)

        def ready() -> bool | None:
            ended = [name for name, child in started.items() if not child.alive]
            assert not ended, "\n".join(self.words(one) for one in ended)
            return True if all(child.ready for child in started.values()) else None

        wait_for(f"{', '.join(machines)} to be ready", ready, timeout=_READY_SECONDS)

    def words(self, name: str) -> str:
        """The end of what a process has said."""
        return "\n".join([f"{name}:", *self.children[name].last_words(30)])

    def kill(self, machine: str) -> None:
        """End what runs on a machine at once."""
        self.network.end_processes(machine)
        for name in PROCESSES[machine]:
            self.children[name].kill()

    def end(self, machine: str) -> float:
        """Ask a machine's processes to end, as their service manager does.

        They have to by themselves. Return after how many seconds they had.
        """
        began = time.monotonic()
        ending = [self.children[name] for name in PROCESSES[machine]]
        for child in ending:
            child.ask_to_stop()
        for child in ending:
            assert child.wait(began + _STOP_SECONDS), f"{child.spec.name} did not stop by itself"
        return time.monotonic() - began

    def processor_seconds(self, *machines: str) -> float:
        """Seconds of a processor that the processes running on machines have used so far."""
        used = 0.0
        for machine in machines:
            for process in self.network.processes(machine):
                times = process.cpu_times()
                used += times.user + times.system
        return used

    def start_store(self, number: int) -> None:
        """Start a node of the store and wait until it takes objects."""
        self.store[number].start(self.store, self.databases, self.keys)
        self.store[number].wait_until_ready()

    def primary(self) -> Postgres:
        """The server that takes writes now."""
        return next(
            one
            for one in self.databases
            if one.process is not None and one.execute("SELECT pg_is_in_recovery()") == [(False,)]
        )

    def other(self, database: Postgres) -> Postgres:
        """The server that is not this one."""
        [found] = [one for one in self.databases if one is not database]
        return found

    def web(self, machine: str = "front") -> str:
        """The address of the web, shared or of one machine."""
        return f"http://{self.network.addresses[machine]}:{HTTP_PORT}"

    def is_ready(self, machine: str = "front") -> bool:
        """Whether a web process says that it is."""
        try:
            return httpx.get(f"{self.web(machine)}/readyz", timeout=5).is_success
        except httpx.HTTPError:
            return False

    def database(self) -> Database:
        """The database, as from any other machine."""
        return Database(Postgres.url(*self.databases), pool_size=4)

    def objects(self) -> ObjectStore:
        """The object store, as from any other machine."""
        return open_object_store(self.object_store_url)


def _behind_the_balancer(addresses: Mapping[str, str]) -> dict[str, str]:
    """Where the servers are, in the words of HAProxy's file."""
    kinds = (("gateway", DICOM_PORT), ("web", HTTP_PORT), ("hl7", MLLP_PORT), ("store", S3_PORT))
    # Orders are taken on the machines that take images.
    machines = {"hl7": "gateway"}
    return {
        f"{kind.upper()}_{number}": f"{addresses[f'{machines.get(kind, kind)}{number}']}:{port}"
        for kind, port in kinds
        for number in (1, 2, 3)
        if kind == "store" or number < 3
    }


def _by_https(front: Balancer, private: PrivateAuthority) -> dict[str, str]:
    """Where people find TLS, and the certificate that they are shown."""
    private.make("county")
    issued = private.issue("front", hosts=(front.address,))
    pem = front.directory / "people.pem"
    pem.write_bytes(issued.certificate.read_bytes() + issued.key.read_bytes())
    return {"PEOPLE_PORT": "443", "PLAIN_PORT": "80", "PEOPLE_PEM": str(pem)}


@contextmanager
def running_county(directory: Path, *, shared_folder: bool = False) -> Generator[County]:
    """Run the whole centre; the calling thread is on the site's machine inside the block.

    shared_folder: keep objects in one, as on a network file system, and run no store.
    """
    nodes = () if shared_folder else ("store1", "store2", "store3")
    with ExitStack() as running:
        network = running.enter_context(Network(ADDRESSES))
        running.enter_context(network.inside("site"))
        county = County(
            network,
            directory,
            (Postgres(network, "db1", directory), Postgres(network, "db2", directory)),
            Rabbit(network, "broker", directory),
            [StoreNode(network, node, directory) for node in nodes],
            Balancer(network, "front", directory),
        )
        primary, standby = county.databases
        primary.create()
        primary.start()
        primary.make_database("rdc", "weed")
        StoreNode.prepare(primary)
        for node in county.store:
            node.start(county.store, county.databases, county.keys)
        standby.follow(primary)
        county.broker.start()
        county.front.start(
            {**_behind_the_balancer(network.addresses), **_by_https(county.front, county.private)}
        )
        for node in county.store:
            node.wait_until_ready()
        bootstrap.prepare(county.settings("web1"))
        county.start(*PROCESSES)
        wait_for("the web at the shared address", lambda: county.is_ready() or None)
        yield county


@contextmanager
def road(county: County) -> Generator[Road]:
    """The demonstration's consortium, its devices and PACS on the site's machine."""
    database = county.database()
    authority = signing.open_signing_authority(county.settings("web1"))
    people: Mapping[str, DemoPerson] = seed(
        database, authority, county.directory / "demo-sign-ins.json"
    )
    site = county.network.addresses["site"]
    with ExitStack() as running:
        running.callback(database.close)
        pacs = {
            one.code: running.enter_context(
                SitePacs(one.pacs_ae, county.directory / "pacs" / one.code, host=site)
            )
            for one in SITES
        }
        with database.transaction() as session:
            session.execute(update(Device).values(addresses=[f"{site}/32"]))
            for one in SITES:
                organisation = registry.organisation_by_code(session, one.code)
                registry.add_dicom_destination(
                    session, organisation, one.pacs_ae, site, pacs[one.code].port
                )
        yield Road(
            web=county.web(),
            dicom_host=county.front.address,
            dicom_port=DICOM_PORT,
            ae_title="RDC",
            quiet_seconds=QUIET_SECONDS,
            anchors=(authority.certificate_pem,),
            pacs=pacs,
            people=people,
        )
