"""Places where signing keys are kept outside: a SoftHSM token, and a signing service over HTTP."""

import base64
import json
import os
import secrets
import ssl
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from typing_extensions import override

from storage.clock import utc_now
from tests.support.peers import require_program

MODULE_PATHS = (
    Path("/usr/lib/softhsm/libsofthsm2.so"),
    Path("/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"),
)


@dataclass(frozen=True)
class SoftToken:
    """A token of the test's own with one key, made by SoftHSM's own tool."""

    module: Path
    label: str
    key_id: str
    pin: str


def soft_token(directory: Path, pin: str, secret: bytes) -> SoftToken:
    """A new token that holds the private key (PKCS#8, DER)."""
    util = require_program("softhsm2-util", package="softhsm2")
    module = next((path for path in MODULE_PATHS if path.exists()), MODULE_PATHS[0])
    tokens = directory / "tokens"
    tokens.mkdir(parents=True, exist_ok=True)
    config = directory / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\n")
    # The library reads it in this process too, once, when it is loaded.
    os.environ["SOFTHSM2_CONF"] = str(config)
    label = f"doctor-{secrets.token_hex(4)}"
    key_file = directory / "key.pem"
    key_file.write_bytes(
        serialization.load_der_private_key(secret, None).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    shared = ["--token", label, "--pin", pin]
    for words in (
        ["--init-token", "--free", "--label", label, "--so-pin", "security", "--pin", pin],
        ["--import", str(key_file), *shared, "--label", "signing", "--id", "A1"],
    ):
        subprocess.run([util, *words], check=True, capture_output=True, timeout=30)
    key_file.unlink()
    return SoftToken(module, label, "A1", pin)


@dataclass
class Credential:
    """What the service knows of one person."""

    chain: list[bytes]
    key: ec.EllipticCurvePrivateKey
    pin: str
    status: str = "enabled"
    wrong: int = 0


@dataclass
class SigningPeer:
    """The service: credentials, and how it behaves.

    mood: "good", or what it does wrong: "slow", "garbage", "down", "other key", "long".
    calls: what it was asked, without the PIN.
    """

    url: str = ""
    token: str = ""
    credentials: dict[str, Credential] = field(default_factory=dict[str, Credential])
    mood: str = "good"
    calls: list[str] = field(default_factory=list[str])
    activated: dict[str, list[Any]] = field(default_factory=dict[str, list[Any]])
    released: threading.Event = field(default_factory=threading.Event)

    def answer(self, call: str, authorization: str, asked: dict[str, Any]) -> tuple[int, bytes]:
        """Answer one call of the CSC API as its text says."""
        self.calls.append(call)
        if self.mood == "slow":
            self.released.wait(30)
        if self.mood == "garbage":
            return 200, b"<html>"
        if self.mood == "long":
            return 200, b'{"x": "' + b"x" * (1 << 20) + b'"}'
        if self.mood == "down":
            return 503, b'{"error": "temporarily_unavailable"}'
        if self.token and authorization != f"Bearer {self.token}":
            return 401, b'{"error": "invalid_token"}'
        credential = self.credentials.get(asked["credentialID"])
        if credential is None:
            return 400, b'{"error": "invalid_request"}'
        return self._known(call, credential, asked)

    def _known(self, call: str, credential: Credential, asked: dict[str, Any]) -> tuple[int, bytes]:
        if call == "credentials/info":
            found: dict[str, Any] = {
                "key": {"status": credential.status},
                "cert": {"certificates": [_text(one) for one in credential.chain]},
            }
        elif call == "credentials/authorize":
            if not secrets.compare_digest(asked["PIN"].encode(), credential.pin.encode()):
                credential.wrong += 1
                return 400, b'{"error": "invalid_pin"}'
            activation = secrets.token_urlsafe(16)
            self.activated[activation] = [credential, asked["numSignatures"]]
            found = {"SAD": activation, "expiresIn": 60}
        else:
            activated = self.activated.get(asked["SAD"])
            if activated is None or activated[0] is not credential or activated[1] < 1:
                return 400, b'{"error": "invalid_request"}'
            activated[1] -= 1
            key = ec.generate_private_key(ec.SECP256R1())
            used = key if self.mood == "other key" else credential.key
            (digest,) = (base64.b64decode(one) for one in asked["hash"])
            assert asked["hashAlgo"] == "2.16.840.1.101.3.4.2.1"
            assert asked["signAlgo"] == "1.2.840.10045.4.3.2"
            value = used.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256())))
            found = {"signatures": [_text(value)]}
        return 200, json.dumps(found).encode()


@contextmanager
def signing_peer(token: str = "", tls: ssl.SSLContext | None = None) -> Generator[SigningPeer]:
    """A signing service on a port of its own."""
    peer = SigningPeer(token=token)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            call = self.path.removeprefix("/csc/v1/")
            status, answer = peer.answer(
                call, self.headers.get("Authorization", ""), json.loads(body)
            )
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        @override
        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that gave up is part of the test."""

    server = Quiet(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    scheme = "http" if tls is None else "https"
    peer.url = f"{scheme}://127.0.0.1:{server.server_port}/csc/v1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield peer
    finally:
        peer.released.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


def tls_pair(directory: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and its key, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = utc_now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = directory / f"{name}.pem", directory / f"{name}.key.pem"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


def mutual_tls(server: tuple[Path, Path], client: tuple[Path, Path]) -> ssl.SSLContext:
    """The service's side of mutual TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*server)
    context.load_verify_locations(client[0])
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
