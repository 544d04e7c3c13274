"""A time-stamp authority over HTTP whose answers `openssl ts` makes, and its moods."""

import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from typing_extensions import override

from storage.clock import utc_now
from tests.support.peers import require_program

_CONFIG = """
[tsa]
default_tsa = service
[service]
serial = {directory}/serial
signer_cert = {directory}/tsa.pem
certs = {directory}/chain.pem
signer_key = {directory}/tsa.key.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""


@dataclass
class TimePeer:
    """The authority. mood: "good", "slow", "down", "garbage", "html", "replay"."""

    directory: Path
    openssl: str
    anchor: str
    url: str = ""
    mood: str = "good"
    asked: int = 0
    first: bytes = b""
    released: threading.Event = field(default_factory=threading.Event)
    one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, query: bytes) -> tuple[int, str, bytes]:
        """Answer a request (RFC 3161 §2.4)."""
        self.asked += 1
        reply = "application/timestamp-reply"
        if self.mood == "slow":
            self.released.wait(30)
        if self.mood == "down":
            return 503, "text/plain", b"later"
        if self.mood == "html":
            return 200, "text/html", b"<html>"
        if self.mood == "garbage":
            return 200, reply, b"\x30\x03\x02\x01\x00" * 20
        if self.mood == "replay" and self.first:
            return 200, reply, self.first
        with self.one_at_a_time:
            (self.directory / "query.tsq").write_bytes(query)
            made = subprocess.run(
                [
                    self.openssl, "ts", "-reply", "-config", str(self.directory / "tsa.cnf"),
                    "-section", "service", "-queryfile", str(self.directory / "query.tsq"),
                ],
                check=True,
                capture_output=True,
                timeout=30,
            ).stdout  # fmt: skip
        self.first = self.first or made
        return 200, reply, made


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: tuple[x509.Name, ec.EllipticCurvePrivateKey] | None,
    *,
    days: float,
    path_length: int | None,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    by, with_key = issuer or (subject, key)
    now = utc_now()
    is_ca = path_length is not None
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=10))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=path_length), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not is_ca,
                content_commitment=not is_ca,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=is_ca,
                crl_sign=is_ca,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    )
    if not is_ca:
        stamping = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        builder = builder.add_extension(stamping, critical=True)
    return builder.sign(with_key, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


@contextmanager
def time_peer(directory: Path, *, days: float = 3650) -> Generator[TimePeer]:
    """An authority with a root, an intermediate and a certificate that ends after so many days."""
    openssl = require_program("openssl", package="openssl")
    root_key, middle_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    root = _certificate("Time Root", root_key, None, days=7300, path_length=1)
    middle = _certificate("Time CA", middle_key, (root.subject, root_key), days=7000, path_length=0)
    leaf = _certificate("Time", key, (middle.subject, middle_key), days=days, path_length=None)
    (directory / "tsa.pem").write_bytes(_pem(leaf))
    (directory / "chain.pem").write_bytes(_pem(leaf) + _pem(middle))
    (directory / "serial").write_text("01\n")
    (directory / "tsa.cnf").write_text(_CONFIG.format(directory=directory))
    (directory / "tsa.key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    peer = TimePeer(directory, openssl, _pem(root).decode("ascii"))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            status, kind, answer = peer.answer(query)
            self.send_response(status)
            self.send_header("Content-Type", kind)
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
    peer.url = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield peer
    finally:
        peer.released.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
