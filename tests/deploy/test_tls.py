"""The private authority, and what makes connections of it: settings, broker, HTTPS."""

import asyncio
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx
import pytest
import uvicorn
from anyio.from_thread import start_blocking_portal
from starlette.types import Receive, Scope, Send

from deploy import settings, web_server
from deploy.celery_app import BrokerUnavailable, Wakeups
from deploy.doctor import machine
from deploy.doctor.findings import Severity
from deploy.embedded.valkey import EmbeddedValkey
from deploy.settings_tls import believing
from deploy.tls.authority import Issued, PrivateAuthority, TlsFilesUnusable
from deploy.tls.broker import broker_tls
from deploy.tls.server import ensure
from storage.clock import utc_now
from storage.objects.s3_connection import S3Connection, parse_s3_url


@pytest.fixture
def authority(tmp_path: Path) -> PrivateAuthority:
    made = PrivateAuthority(tmp_path / "tls")
    assert made.make("青山县医共体")
    return made


def test_what_it_issues_is_believed_by_who_has_the_authority(authority: PrivateAuthority) -> None:
    server = authority.issue("server", hosts=("rdc.county", "127.0.0.1"))
    client = authority.issue("EAST_CT", old=True)
    for one, purpose in ((server, "sslserver"), (client, "sslclient")):
        words = ("openssl", "verify", "-x509_strict", "-purpose", purpose)
        asked = [*words, "-CAfile", str(authority.certificate), str(one.certificate)]
        assert subprocess.run(asked, capture_output=True, check=False).returncode == 0
        assert one.key.stat().st_mode & 0o777 == 0o600
    assert authority.key.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in authority.issued()] == ["server", "EAST_CT"]
    assert server.left(utc_now()) < timedelta(days=398)
    assert authority.make("again") is False
    renewed = authority.renew("server")
    assert renewed.hosts == server.hosts
    assert renewed.fingerprint != server.fingerprint


def test_half_an_authority_is_never_overwritten(authority: PrivateAuthority) -> None:
    authority.key.unlink()
    with pytest.raises(TlsFilesUnusable, match="half of a private authority"):
        authority.make("again")
    with pytest.raises(TlsFilesUnusable, match="rdc tls init"):
        authority.issue("EAST_CT")
    with pytest.raises(TlsFilesUnusable, match="cannot have this name"):
        authority.issue("../ca")


def test_one_setting_is_enough_for_all_listeners(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RDC_TLS", "1")
    monkeypatch.setenv("RDC_MLLP_TLS_CERTIFICATE", "/own.pem")
    found = settings.load(data_dir=tmp_path)
    assert found.http_tls_certificate == found.dicom_tls_certificate == tmp_path / "tls/server.pem"
    assert found.dicom_tls_ca == tmp_path / "tls/ca.pem"
    assert (found.mllp_tls_certificate, found.mllp_tls_ca) == (Path("/own.pem"), None)
    assert found.web_address.startswith("https://")
    # As a child of the supervisor reads them.
    assert found.changed() == found


@pytest.mark.parametrize(
    ("url", "becomes"),
    [
        ("postgresql://h/d", "postgresql://h/d"),
        ("postgresql://h/d?sslmode=require", "postgresql://h/d?sslmode=require"),
        (
            "postgresql://h/d?sslmode=verify-full",
            "postgresql://h/d?sslmode=verify-full&sslrootcert=%2Fca.pem",
        ),
        ("redis://h/0", "redis://h/0"),
        ("amqps://h/v", "amqps://h/v?ssl_cert_reqs=required&ssl_ca_certs=%2Fca.pem"),
        ("s3://a:b@h/bucket?secure=0", "s3://a:b@h/bucket?secure=0"),
        ("s3://a:b@h/bucket?ca=/own.pem", "s3://a:b@h/bucket?ca=/own.pem"),
        ("s3://a:b@h/bucket", "s3://a:b@h/bucket?ca=%2Fca.pem"),
    ],
)
def test_who_may_vouch_for_our_servers(url: str, becomes: str) -> None:
    assert believing(Path("/ca.pem"), url) == becomes
    assert believing(Path("/ca.pem"), becomes) == becomes


def test_a_store_is_asked_for_a_certificate_of_the_named_authority(
    authority: PrivateAuthority,
) -> None:
    config = parse_s3_url(f"s3://a:b@h/bucket?ca={authority.certificate}")
    pool = S3Connection(config).client._http  # pyright: ignore[reportPrivateUsage]
    assert pool.connection_pool_kw["ca_certs"] == str(authority.certificate)


def test_the_broker_is_verified_unless_its_address_says_otherwise() -> None:
    plain, found = broker_tls("amqps://u:p@mq.county:5671/v?ssl_ca_certs=/ca.pem&heartbeat=5")
    assert plain == "amqps://u:p@mq.county:5671/v?heartbeat=5"
    assert found is not None
    assert (found["ca_certs"], found["cert_reqs"]) == ("/ca.pem", ssl.CERT_REQUIRED)
    assert found["server_hostname"] == "mq.county"
    assert broker_tls("rediss://h/0")[1] == {
        "ssl_cert_reqs": ssl.CERT_REQUIRED,
        "ssl_check_hostname": True,
    }
    assert broker_tls("redis://h/0") == ("redis://h/0", None)


def test_a_broker_over_tls(authority: PrivateAuthority, tmp_path: Path) -> None:
    server = authority.issue("server", hosts=("127.0.0.1",))
    stranger = PrivateAuthority(tmp_path / "stranger")
    stranger.make("someone else")
    with (
        EmbeddedValkey(tmp_path / "valkey") as broker,
        _over_tls(server, Path(unquote(urlsplit(broker.url).path))) as port,
    ):
        url = f"rediss://127.0.0.1:{port}/0?ssl_ca_certs="
        Wakeups(f"{url}{authority.certificate}").check()
        with pytest.raises(BrokerUnavailable):
            Wakeups(f"{url}{stranger.certificate}").check()


@contextmanager
def _over_tls(issued: Issued, path: Path) -> Generator[int]:
    """A port where the server behind a socket is spoken with over TLS."""
    context = web_server.https_context(issued.certificate, issued.key)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(4096):
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, to_behind = await asyncio.open_unix_connection(path)
        await asyncio.gather(pump(reader, to_behind), pump(behind, writer))

    async def start() -> asyncio.Server:
        return await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)

    with start_blocking_portal() as portal:
        server = portal.call(start)
        yield server.sockets[0].getsockname()[1]
        portal.call(server.close)
        portal.call(portal.stop, True)


def test_the_doctor_names_certificates_that_end(tmp_path: Path) -> None:
    found = settings.load(data_dir=tmp_path, tls=True)
    ensure(found)
    private = PrivateAuthority(found.tls_dir)
    private.issue("EAST_CT", days=3)
    findings = list(machine.look(found))
    told = {one.subject: one for one in findings if one.severity is not Severity.FINE}
    assert "rdc tls renew EAST_CT" in told["certificate of EAST_CT"].remedy
    assert {"HTTPS", "private authority"} <= {one.subject for one in findings}
    private.key.chmod(0o644)
    assert any("ca.key.pem is open" in one.what for one in machine.look(found))


class Impatient(web_server.PatientHttp):
    """What waits for minutes, in a moment."""

    head_seconds = 0.3
    body_seconds = 0.3


async def _reads_all(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        return
    while (await receive()).get("more_body"):
        pass
    if scope["path"] == "/slow":
        await asyncio.sleep(1.0)
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def https(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """The port of a web server that is soon tired of waiting, and whom to believe."""
    found = settings.load(data_dir=tmp_path, tls=True, http_port=0)
    ensure(found)
    config = web_server.config(_reads_all, found)
    config.http_protocol_class = config.http = Impatient
    config.lifespan = "off"
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()[1], found.tls_dir / "ca.pem"
        finally:
            server.should_exit = True
            thread.join()


def test_https_after_bcp_195(https: tuple[int, Path]) -> None:
    port, believed = https
    context = ssl.create_default_context(cafile=believed)
    with httpx.Client(verify=context, base_url=f"https://localhost:{port}") as client:
        assert client.get("/").status_code == 204
        # An answer may take longer than a request may.
        assert client.post("/slow", content=b"x" * 10_000).status_code == 204
    weak = ssl.create_default_context(cafile=believed)
    weak.maximum_version = ssl.TLSVersion.TLSv1_2
    weak.set_ciphers("AES128-SHA:AES256-SHA")
    with (
        socket.create_connection(("127.0.0.1", port)) as connection,
        pytest.raises(ssl.SSLError),
    ):
        weak.wrap_socket(connection, server_hostname="localhost")


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nfew",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nX-A: ",
    ],
)
def test_who_never_ends_a_request_is_cut_off(https: tuple[int, Path], said: bytes) -> None:
    port, believed = https
    context = ssl.create_default_context(cafile=believed)
    raw = socket.create_connection(("127.0.0.1", port))
    with closing(context.wrap_socket(raw, server_hostname="localhost")) as connection:
        connection.sendall(said)
        connection.settimeout(20)
        began = time.monotonic()
        while _more(connection):
            pass
        assert time.monotonic() - began < 10


def _more(connection: ssl.SSLSocket) -> bool:
    try:
        return bool(connection.recv(4096))
    except (ssl.SSLError, ConnectionError):
        return False
