"""DICOM and HL7 over TLS through the balancer's own program and file."""

import re
import socket
import ssl
import subprocess
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from pacs_gateway.config import Hl7Config, TlsConfig
from pacs_gateway.gateway import Gateway
from pacs_gateway.hl7.framing import framed
from pacs_gateway.hl7.listener import MllpListener
from pacs_gateway.hl7.service import Hl7Service
from storage.database import Database
from storage.hl7.senders import add_sender, bind_sender, sender_by_names
from storage.index.tables import Instance
from storage.registry import add_device, bind_certificate, device_by_ae_title, organisation_by_code
from tests.pacs_gateway.certificates import Authority, Issued
from tests.pacs_gateway.conftest import Site
from tests.pacs_gateway.datasets import ct
from tests.pacs_gateway.hl7.samples import orm
from tests.pacs_gateway.peers import dcmtk
from tests.pacs_gateway.test_store import count
from tests.pacs_gateway.waiting import until
from tests.support.peers import REPOSITORY, require_program
from tests.support.ports import dead_port, free_ports

_FILES: Final = REPOSITORY / "deploy" / "balancer"
CALLER: Final = "127.0.0.1"
BALANCER: Final = "127.0.0.9"
"""Where HAProxy calls from, so that its address is another than the caller's."""


@dataclass(frozen=True)
class Balancer:
    """HAProxy, running. ports: by what its file says, where it listens. log: what it says."""

    ports: dict[int, int]
    log: Path

    def says(self, words: str) -> bool:
        return words in self.log.read_text(encoding="utf-8")


@contextmanager
def balanced(folder: Path, servers: dict[str, str]) -> Generator[Balancer]:
    """HAProxy with the file we ship for TLS, and what haproxy.cfg says for all of them."""
    haproxy = require_program("haproxy", package="haproxy")
    common, _, _ = (_FILES / "haproxy.cfg").read_text("utf-8").partition("\nlisten ")
    shipped = (_FILES / "sites-tls.cfg").read_text("utf-8")
    told = [int(one) for one in re.findall(r"bind :(\d+)", shipped)]
    ports = dict(zip(told, free_ports(len(told)), strict=True))
    for one, taken in ports.items():
        shipped = shipped.replace(f"bind :{one}\n", f"bind {CALLER}:{taken}\n")
    config = folder / "balancer.cfg"
    config.write_text(f"{common}\n    source {BALANCER}\n\n{shipped}", encoding="utf-8")
    log = folder / "balancer.log"
    with log.open("wb") as said:
        running = subprocess.Popen(
            [haproxy, "-db", "-f", str(config)],
            env=servers,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
    try:
        for taken in ports.values():
            until(partial(listens, taken), "HAProxy listens")
        yield Balancer(ports, log)
    finally:
        running.terminate()
        running.wait(timeout=20)


def listens(port: int) -> bool:
    try:
        socket.create_connection((CALLER, port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


@pytest.fixture
def ours(authority: Authority) -> Issued:
    """What all listeners behind the balancer show."""
    return authority.issue("gateway")


@pytest.fixture
def start_secured(
    start_gateway: Callable[..., Gateway], authority: Authority, ours: Issued, tmp_path: Path
) -> Callable[[str], Gateway]:
    def start(name: str) -> Gateway:
        tls = TlsConfig(
            0,
            ours.certificate,
            ours.key,
            authorities=authority.path,
            client_certificate_required=True,
        )
        return start_gateway(
            tls=tls,
            balancers=(f"{BALANCER}/32",),
            spool_dir=tmp_path / name,
            # Its looks are over at once; a handshake would wait for this.
            acse_timeout_seconds=10.0,
        )

    return start


@pytest.fixture
def orders(
    database: Database, site: Site, authority: Authority, ours: Issued
) -> Iterator[MllpListener]:
    """Takes HL7 over TLS from two senders, one at the caller's address and one at HAProxy's."""
    with database.transaction() as session:
        east = organisation_by_code(session, site.code)
        for name, address in (("HIS", CALLER), ("LIS", BALANCER)):
            add_sender(session, east, name, "EAST", addresses=[f"{address}/32"])
    service = Hl7Service(database, application="RDC", time_zone="Asia/Shanghai")
    tls = TlsConfig(
        0,
        ours.certificate,
        ours.key,
        authorities=authority.path,
        client_certificate_required=True,
        settings="RDC_MLLP_TLS",
    )
    config = Hl7Config("RDC", CALLER, None, balancers=(f"{BALANCER}/32",), tls=tls)
    listener = MllpListener(config, service)
    listener.start()
    yield listener
    listener.stop()


def at(port: int | None) -> str:
    assert port is not None
    return f"{CALLER}:{port}"


def store(
    port: int, folder: Path, authority: Authority, credential: Issued, calling: str = "CT1"
) -> int:
    """Send an instance by DCMTK with a client certificate; return its exit code."""
    dataset = ct()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = folder / f"{dataset.SOPInstanceUID}.dcm"
    dataset.save_as(file, enforce_file_format=True)
    return dcmtk(
        "storescu",
        *("+tls", credential.key, credential.certificate, "+cf", authority.path),
        *("-aec", "RDC", "-aet", calling, CALLER, str(port), file),
    ).returncode


def order(port: int, authority: Authority, credential: Issued, sender: str = "HIS") -> str:
    """Order over TLS; return what is acknowledged."""
    context = ssl.create_default_context(cafile=str(authority.path))
    # The certificates of the test name no host.
    context.check_hostname = False
    context.load_cert_chain(credential.certificate, credential.key)
    with (
        socket.create_connection((CALLER, port), timeout=20) as plain,
        context.wrap_socket(plain) as line,
    ):
        line.sendall(framed(orm().replace("|HIS|", f"|{sender}|", 1).encode()))
        return line.recv(4096).decode()


@pytest.mark.usefixtures("site")
def test_the_gateway_sees_who_called_and_which_certificate_he_has(
    start_secured: Callable[[str], Gateway],
    authority: Authority,
    database: Database,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    right, wrong = authority.issue("right"), authority.issue("wrong")
    with database.transaction() as session:
        east = organisation_by_code(session, "east")
        bound = device_by_ae_title(session, "CT1")
        bound.addresses = [f"{CALLER}/32"]
        bind_certificate(bound, right.fingerprint)
        add_device(session, east, "CT9", "at the balancer's", addresses=[f"{BALANCER}/32"])
    gateways = [start_secured(name) for name in ("first", "second")]
    one, two = (at(gateway.bound_tls_port) for gateway in gateways)
    nobody = at(dead_port())
    servers = {"GATEWAY_TLS_1": one, "GATEWAY_TLS_2": two, "HL7_TLS_1": nobody, "HL7_TLS_2": nobody}
    with balanced(tmp_path, servers) as front:
        port = front.ports[2762]
        assert store(port, tmp_path, authority, right) == 0
        assert store(port, tmp_path, authority, wrong) != 0
        assert store(port, tmp_path, authority, right, calling="CT9") != 0
        rejected = [one for one in caplog.records if one.msg == "association rejected"]
        assert [one.__dict__["peer"] for one in rejected] == [CALLER] * 2
        until(lambda: front.says("hl7-tls/hl7-1 is DOWN"), "HAProxy has looked")
        assert not front.says("dicom-tls/gateway1 is DOWN")
        until(lambda: count(database, Instance) == 1, "the first is filed")
        # Who is stopped gets no more; what comes meanwhile goes to the other.
        gateways[0].stop()
        assert store(port, tmp_path, authority, right) == 0
        until(lambda: front.says("dicom-tls/gateway1 is DOWN"), "HAProxy has noticed")
        assert store(port, tmp_path, authority, right) == 0
        assert not front.says("dicom-tls/gateway2 is DOWN")
    # Its looks, once a second, were none to complain of.
    assert not [one for one in caplog.records if BALANCER in str(one.__dict__.get("peer"))]
    until(lambda: count(database, Instance) == 3, "all are filed")


def test_orders_come_from_the_sender_behind_the_balancer(
    orders: MllpListener, authority: Authority, database: Database, tmp_path: Path
) -> None:
    right, wrong = authority.issue("right"), authority.issue("wrong")
    with database.transaction() as session:
        bind_sender(sender_by_names(session, "HIS", "EAST"), right.fingerprint)
    nobody, here = at(dead_port()), at(orders.bound_tls_port)
    servers = {
        "GATEWAY_TLS_1": nobody,
        "GATEWAY_TLS_2": nobody,
        "HL7_TLS_1": nobody,
        "HL7_TLS_2": here,
    }
    with balanced(tmp_path, servers) as front:
        port = front.ports[2576]
        # Also before HAProxy knows that nobody is at the other.
        assert "MSA|AA|" in order(port, authority, right)
        until(lambda: front.says("hl7-tls/hl7-1 is DOWN"), "HAProxy has looked often enough")
        assert not front.says("hl7-tls/hl7-2 is DOWN")
        assert "MSA|AA|" in order(port, authority, right)
        assert "MSA|AR|" in order(port, authority, wrong)
        assert "MSA|AR|" in order(port, authority, right, sender="LIS")
