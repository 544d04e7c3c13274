"""Machines that call with a client certificate: at our own listener, and through a balancer."""

import os
import shutil
import socket
import ssl
import subprocess
import threading
from base64 import b64encode
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from ipaddress import ip_network
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fastapi.testclient import TestClient

from deploy import settings, web_server
from deploy.bootstrap import ROOT
from deploy.tls import authority as authorities
from deploy.tls import revocation
from deploy.tls.authority import Issued, PrivateAuthority
from deploy.tls.server import ensure
from reading_worklist.access.proxies import ProxyTrust
from reading_worklist.app import create_app
from reading_worklist.services import WebConfig
from storage import registry
from storage.clock import utc_now
from storage.objects import ObjectStore
from storage.registry import MachineProof, MachineScope, Organisation, Proof
from storage.registry.tokens import IssuedToken
from tests.deploy.servers import eventually
from tests.support.header_scan import faults
from tests.support.peers import require_program
from tests.support.seed import Consortium

ASKED = "/fhir/DiagnosticReport"


@dataclass
class House:
    """A web process with a port for machines, and who issues their certificates."""

    consortium: Consortium
    settings: settings.Settings
    server: web_server.WebServer
    port: int

    @property
    def private(self) -> PrivateAuthority:
        return PrivateAuthority(self.settings.tls_dir)

    def token(
        self, issued: Issued, kind: MachineProof, site: Organisation | None = None
    ) -> IssuedToken:
        with self.consortium.database.transaction() as session:
            return registry.issue_token(
                session,
                site or self.consortium.east,
                "HIS",
                MachineScope.FHIR,
                proof=Proof(kind, issued.fingerprint),
            )

    def ask(self, issued: Issued | None, token: str | None = None, port: int = 0) -> int:
        """The status of the answer to who shows this."""
        context = ssl.create_default_context(cafile=self.private.certificate)
        if issued is not None:
            context.load_cert_chain(issued.certificate, issued.key)
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        with httpx.Client(verify=context, trust_env=False, timeout=10) as client:
            url = f"https://localhost:{port or self.port}{ASKED}"
            return client.get(url, headers=headers).status_code


@contextmanager
def served(
    consortium: Consortium, objects: ObjectStore, directory: Path, **changes: object
) -> Generator[tuple[web_server.WebServer, settings.Settings, int]]:
    found = settings.load(data_dir=directory, http_port=0, http_host="127.0.0.1", **changes)
    if found.tls:
        ensure(found)
    config = WebConfig(
        web_ui=directory,
        ohif=directory,
        fonts=(),
        trust_anchors=(),
        proxies=ProxyTrust(
            found.trusted_proxies, client_certificates=found.client_certificate_header
        ),
        revocations=revocation.of_http(found),
    )
    app = create_app(config, consortium.database, objects)
    server = web_server.WebServer(app, found)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            # The listener of machines comes after uvicorn's own, which counts as started by itself.
            listeners = 1 if found.machine_https_port is None else 2
            while not server.started or len(server.servers) < listeners:
                thread.join(0.02)
                assert thread.is_alive()
            yield server, found, listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def house(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> Generator[House]:
    with served(consortium, objects, tmp_path, tls=True, machine_https_port=0) as (
        server,
        found,
        _,
    ):
        port = server.servers[-1].sockets[0].getsockname()[1]
        yield House(consortium, found, server, port)


def ended(private: PrivateAuthority, monkeypatch: pytest.MonkeyPatch, name: str) -> Issued:
    """A certificate that was over yesterday."""
    with monkeypatch.context() as patched:
        patched.setattr(authorities, "utc_now", lambda: utc_now() - timedelta(days=3))
        return private.issue(name, days=2)


def test_a_certificate_in_place_of_a_token_or_beside_it(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    his, second, foreign = (house.private.issue(name) for name in ("HIS", "SECOND", "WEST"))
    alone = house.token(his, MachineProof.CERTIFICATE)
    assert alone.secret is None
    assert house.ask(his) == HTTPStatus.OK
    assert house.ask(second) == HTTPStatus.UNAUTHORIZED
    both = house.token(second, MachineProof.BOTH)
    assert house.ask(second, both.secret) == HTTPStatus.OK
    assert house.ask(second) == HTTPStatus.UNAUTHORIZED
    # Another site's machine, with a token that it found.
    house.token(foreign, MachineProof.CERTIFICATE, house.consortium.west)
    assert house.ask(foreign) == HTTPStatus.OK
    assert house.ask(foreign, both.secret) == HTTPStatus.UNAUTHORIZED
    # No certificate, one of somebody else's authority, and one that is over.
    stranger = PrivateAuthority(tmp_path / "stranger")
    stranger.make("somebody else")
    over = ended(house.private, monkeypatch, "OVER")
    house.token(over, MachineProof.CERTIFICATE)
    for refused in (None, stranger.issue("HIS"), over):
        with pytest.raises(httpx.TransportError):
            house.ask(refused, both.secret)
    with house.consortium.database.transaction() as session:
        registry.revoke_token(session, alone.row.id)
    assert house.ask(his) == HTTPStatus.UNAUTHORIZED


def test_a_revoked_certificate_opens_nothing_from_the_moment_the_list_is_there(
    house: House, objects: ObjectStore, tmp_path: Path
) -> None:
    his, other = house.private.issue("HIS"), house.private.issue("OTHER")
    for one in (his, other):
        house.token(one, MachineProof.CERTIFICATE)
    with house.consortium.database.transaction() as session:
        plain = registry.issue_token(session, house.consortium.east, "RIS", MachineScope.FHIR)
    context = ssl.create_default_context(cafile=house.private.certificate)
    context.load_cert_chain(his.certificate, his.key)
    url = f"https://localhost:{house.port}{ASKED}"
    lists = revocation.of_http(house.settings)
    config = WebConfig(
        web_ui=tmp_path,
        ohif=tmp_path,
        fonts=(),
        trust_anchors=(),
        proxies=ProxyTrust((ip_network("10.9.0.0/16"),), client_certificates=True),
        revocations=lists,
    )
    app = create_app(config, house.consortium.database, objects)
    behind = TestClient(app, client=("10.9.0.1", 1))
    told = {"Client-Cert": header_of(his)}
    with httpx.Client(verify=context, trust_env=False) as kept:
        assert kept.get(url).status_code == HTTPStatus.OK
        assert behind.get(ASKED, headers=told).status_code == HTTPStatus.OK
        revocation.revoke(house.private, "HIS", "key-compromise")
        # On a connection that is older than the list, with a token beside it, and by a balancer.
        for answer in (
            kept.get(url),
            kept.get(url, headers={"Authorization": f"Bearer {plain.secret}"}),
            kept.get(url.replace(ASKED, "/healthz")),
            behind.get(ASKED, headers=told),
        ):
            assert answer.status_code == HTTPStatus.FORBIDDEN
            assert answer.json()["type"] == "urn:rdc:problem:certificate-revoked"
            assert faults(answer.headers.multi_items(), tls=answer.url.scheme == "https") == []
            assert answer.headers["x-request-id"]
    assert house.ask(other) == HTTPStatus.OK
    assert behind.get(ASKED, headers={"Client-Cert": header_of(other)}).is_success
    anew = house.private.issue("HIS")
    house.token(anew, MachineProof.CERTIFICATE)
    assert house.ask(anew) == HTTPStatus.OK


def header_of(issued: Issued) -> str:
    found = x509.load_pem_x509_certificate(issued.certificate.read_bytes())
    return f":{b64encode(found.public_bytes(Encoding.DER)).decode()}:"


def test_a_header_counts_from_a_proxy_that_is_said_to_write_it(
    house: House, objects: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    his = house.private.issue("HIS")
    over = ended(house.private, monkeypatch, "OVER")
    for one in (his, over):
        house.token(one, MachineProof.CERTIFICATE)
    proxies = settings.load(data_dir=tmp_path, trusted_proxies=["10.9.0.0/16"]).trusted_proxies

    def status(
        peer: str, *headers: str, believed: bool = True, more: tuple[tuple[str, str], ...] = ()
    ) -> int:
        config = WebConfig(
            web_ui=tmp_path,
            ohif=tmp_path,
            fonts=(),
            trust_anchors=(),
            proxies=ProxyTrust(proxies, client_certificates=believed),
        )
        app = create_app(config, house.consortium.database, objects)
        sent = [("Client-Cert", one) for one in headers] + list(more)
        return TestClient(app, client=(peer, 1)).get(ASKED, headers=sent).status_code

    told = header_of(his)
    assert status("10.9.0.1", told) == HTTPStatus.OK
    for answer in (
        status("10.8.0.1", told),
        status("10.8.0.1", told, more=(("X-Forwarded-For", "10.9.0.1"),)),
        status("10.9.0.1", told, believed=False),
        status("10.9.0.1"),
        status("10.9.0.1", told, told),
        status("10.9.0.1", told[:-9] + ":"),
        status("10.9.0.1", told.strip(":")),
        status("10.9.0.1", header_of(over)),
        # A page of anybody's, in a browser that has the certificate.
        status("10.9.0.1", told, more=(("Origin", "https://elsewhere.example"),)),
    ):
        assert answer == HTTPStatus.UNAUTHORIZED
    # Neither does it count at the listener of ours.
    context = ssl.create_default_context(cafile=house.private.certificate)
    other = house.private.issue("OTHER")
    context.load_cert_chain(other.certificate, other.key)
    with httpx.Client(verify=context, trust_env=False) as client:
        url = f"https://localhost:{house.port}{ASKED}"
        forged = client.get(url, headers={"Client-Cert": told})
    assert forged.status_code == HTTPStatus.UNAUTHORIZED


@pytest.mark.slow
def test_through_our_balancer(house: House, objects: ObjectStore, tmp_path: Path) -> None:
    haproxy = require_program("haproxy", package="haproxy")
    his, stolen = house.private.issue("HIS"), house.private.issue("STOLEN")
    for one in (his, stolen):
        house.token(one, MachineProof.CERTIFICATE)
    kept = tmp_path / "kept"
    kept.mkdir()
    stolen = replace(
        stolen,
        certificate=shutil.copy(stolen.certificate, kept / "stolen.pem"),
        key=shutil.copy(stolen.key, kept / "stolen.key.pem"),
    )
    revocation.revoke(house.private, "STOLEN", "key-compromise")
    own = house.private.issue("balancer", hosts=("localhost",))
    pem = tmp_path / "balancer.pem"
    pem.write_bytes(own.certificate.read_bytes() + own.key.read_bytes())
    behind = {"trusted_proxies": ["127.0.0.1/32"], "client_certificate_header": True}
    with (
        served(house.consortium, objects, tmp_path / "behind", **behind) as (_, _, web),
        socket.create_server(("127.0.0.1", 0)) as free,
    ):
        port = free.getsockname()[1]
        free.close()
        place = f"127.0.0.1:{web}"
        environment = {
            **os.environ,
            "WEB_1": place,
            "WEB_2": place,
            "MACHINES_PORT": str(port),
            "MACHINES_PEM": str(pem),
            "MACHINES_CA": str(house.private.certificate),
            "MACHINES_CRL": str(house.private.folder / "crl.pem"),
        }
        base = tmp_path / "base.cfg"
        base.write_text(
            "defaults\n  timeout connect 3s\n  timeout client 9s\n  timeout server 9s\n"
        )
        config = ROOT / "deploy" / "balancer" / "machines.cfg"
        running = subprocess.Popen(
            [haproxy, "-db", "-f", str(base), "-f", str(config)], env=environment
        )
        try:
            assert eventually(partial(_reachable, port), 10)
            assert house.ask(his, port=port) == HTTPStatus.OK
            other = house.private.issue("OTHER")
            assert house.ask(other, port=port) == HTTPStatus.UNAUTHORIZED
            assert _forging(house, other, port, header_of(his)) == HTTPStatus.UNAUTHORIZED
            for refused in (None, stolen):
                with pytest.raises(httpx.TransportError):
                    house.ask(refused, port=port)
        finally:
            running.terminate()
            running.wait(timeout=10)


def _forging(house: House, issued: Issued, port: int, header: str) -> int:
    context = ssl.create_default_context(cafile=house.private.certificate)
    context.load_cert_chain(issued.certificate, issued.key)
    with httpx.Client(verify=context, trust_env=False) as client:
        url = f"https://localhost:{port}{ASKED}"
        return client.get(url, headers={"Client-Cert": header}).status_code


def _reachable(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
