"""The centre's private certificate authority for connections, made by `rdc tls init`.

Keys are elliptic (NIST P-256), which every TLS library since about 2012 takes; for modalities older
than that a certificate with an RSA key is issued. Files are PEM; only their owner reads keys:

    tls/ca.pem  tls/ca.key.pem           the authority; whoever connects to us is given ca.pem
    tls/server.pem  tls/server.key.pem   of this centre's listeners
    tls/issued/NAME.pem  NAME.key.pem    of devices, people's machines, and servers beside us
    tls/former/NAME.SERIAL.pem           what a name had before, as long as it may be revoked
    tls/crl.pem                          those that were revoked: see `tls.revocation`
"""

import ipaddress
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deploy.embedded.processes import exclusive
from deploy.errors import DeployError
from deploy.tls import AUTHORITY_FILE, SERVER
from storage.clock import utc_now

AUTHORITY_DAYS: Final = 10 * 365
# Browsers take no server's certificate that is good for longer than 398 days, private or not.
SERVER_DAYS: Final = 397
CLIENT_DAYS: Final = 2 * 365
# Verifiers whose clock is behind take a new certificate all the same.
CLOCK_ALLOWANCE: Final = timedelta(hours=1)
_FORMER: Final = "former"
_RSA_BITS: Final = 3072
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class TlsFilesUnusable(DeployError):
    """The private authority or one of its certificates is missing, damaged or in the way."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate that the authority issued, and where it and its key are.

    hosts: DNS names and IP addresses that it is good for as a server's; empty for a client's.
    """

    name: str
    certificate: Path
    key: Path
    hosts: tuple[str, ...]
    ends: datetime
    fingerprint: str

    def left(self, now: datetime) -> timedelta:
        """Return how long it lasts; negative when it is over."""
        return self.ends - now


class PrivateAuthority:
    """The authority of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.certificate = folder / AUTHORITY_FILE
        self.key = folder / "ca.key.pem"

    @property
    def exists(self) -> bool:
        """Whether it has been made."""
        return self.certificate.exists() and self.key.exists()

    def make(self, organisation: str) -> bool:
        """Make the authority where there is none; True when it was made now.

        Raises:
            TlsFilesUnusable: a part of one is there, which must not be overwritten.
            AlreadyRunning: another process is at it.
        """
        # As `rdc up` makes it: others may pass through to what is theirs.
        self.folder.parent.mkdir(parents=True, exist_ok=True, mode=0o711)
        self.folder.mkdir(exist_ok=True, mode=0o700)
        with self.alone():
            if self.exists:
                return False
            for path in (self.certificate, self.key):
                if path.exists():
                    raise TlsFilesUnusable(
                        f"half of a private authority is in {self.folder}",
                        expected="ca.pem and ca.key.pem, or neither",
                        found=path.name,
                        remedy="Restore the other file from your backup, or move this one away.",
                    )
            key = ec.generate_private_key(ec.SECP256R1())
            name = x509.Name(
                [
                    x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
                    x509.NameAttribute(
                        NameOID.COMMON_NAME, f"RDC connections {secrets.token_hex(4)}"
                    ),
                ]
            )
            made = (
                _builder(name, name, key, AUTHORITY_DAYS)
                .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
                .add_extension(_usage(authority=True), critical=True)
                .sign(key, hashes.SHA256())
            )
            write_file(self.key, _pem(key), 0o600)
            write_file(self.certificate, made.public_bytes(serialization.Encoding.PEM), 0o644)
            return True

    def issue(
        self, name: str, *, hosts: Sequence[str] = (), days: int | None = None, old: bool = False
    ) -> Issued:
        """Issue a certificate with a new key, in place of an earlier one of the name.

        hosts: DNS names and IP addresses of a server; without any it is a client's. A server's is
            good for calling others, too, which gateways and brokers do.
        old: an RSA key, for machines that know no other.

        Raises:
            TlsFilesUnusable: there is no authority, or the name cannot be a file's.
        """
        if not _NAME.fullmatch(name) or name in {"ca", "."}:
            raise TlsFilesUnusable(
                "a certificate cannot have this name",
                expected="letters, digits, dot, hyphen and underscore, such as an AE title",
                found=repr(name[:64]),
            )
        issuer, issuer_key = self.open()
        key: Key = (
            rsa.generate_private_key(65537, _RSA_BITS)
            if old
            else ec.generate_private_key(ec.SECP256R1())
        )
        common = (hosts[0] if hosts else name)[:64]
        organisation = issuer.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        subject = x509.Name([*organisation, x509.NameAttribute(NameOID.COMMON_NAME, common)])
        wanted = days or (SERVER_DAYS if hosts else CLIENT_DAYS)
        builder = (
            _builder(subject, issuer.subject, key, wanted, issuer.not_valid_after_utc)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(authority=False), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
                critical=False,
            )
        )
        purposes = [ExtendedKeyUsageOID.CLIENT_AUTH]
        if hosts:
            purposes.insert(0, ExtendedKeyUsageOID.SERVER_AUTH)
            names = x509.SubjectAlternativeName([_host(one) for one in hosts])
            builder = builder.add_extension(names, critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        made = builder.sign(issuer_key, hashes.SHA256())
        certificate, key_path = self._paths(name)
        certificate.parent.mkdir(exist_ok=True, mode=0o700)
        with self.alone():
            # One that is damaged is replaced as one that is not there.
            with suppress(TlsFilesUnusable):
                self.set_aside(name)
            # A listener that starts between the two finds a pair that does not fit and says so.
            write_file(key_path, _pem(key), 0o600)
            write_file(certificate, made.public_bytes(serialization.Encoding.PEM), 0o644)
        return _described(name, certificate, key_path)

    def renew(self, name: str) -> Issued:
        """Issue a certificate anew, for the same hosts and with a key of the same kind.

        Raises:
            TlsFilesUnusable: there is none of the name.
        """
        before = self.find(name)
        key = x509.load_pem_x509_certificate(before.certificate.read_bytes()).public_key()
        return self.issue(name, hosts=before.hosts, old=isinstance(key, rsa.RSAPublicKey))

    def find(self, name: str) -> Issued:
        """Return a certificate that was issued.

        Raises:
            TlsFilesUnusable: there is none of the name, or it cannot be read.
        """
        certificate, key = self._paths(name)
        if not certificate.exists():
            raise TlsFilesUnusable(
                f"there is no certificate of the name {name[:64]!r}",
                found=", ".join(one.name for one in self.issued()) or "none at all",
                remedy="`rdc tls show` lists them.",
            )
        return _described(name, certificate, key)

    def issued(self) -> Iterator[Issued]:
        """Yield what was issued: the server's own, then the others by name."""
        if self._paths(SERVER)[0].exists():
            yield self.find(SERVER)
        for path in sorted((self.folder / "issued").glob("*.pem")):
            if not path.name.endswith(".key.pem"):
                yield self.find(path.name.removesuffix(".pem"))

    def _paths(self, name: str) -> tuple[Path, Path]:
        folder = self.folder if name == SERVER else self.folder / "issued"
        return folder / f"{name}.pem", folder / f"{name}.key.pem"

    def former(self) -> Iterator[tuple[str, x509.Certificate]]:
        """Yield the certificates that names had before, whether they are over or not."""
        for path in sorted((self.folder / _FORMER).glob("*.pem")):
            name, _, _serial = path.name.removesuffix(".pem").rpartition(".")
            yield name, _loaded(path, name)

    def set_aside(self, name: str) -> None:
        """Note what a name has among what names had before; whoever calls is `alone`.

        Raises:
            TlsFilesUnusable: it cannot be read.
        """
        certificate, _ = self._paths(name)
        serial = _loaded(certificate, name).serial_number
        kept = self.folder / _FORMER
        kept.mkdir(exist_ok=True, mode=0o700)
        write_file(kept / f"{name}.{serial:X}.pem", certificate.read_bytes(), 0o644)

    def alone(self) -> AbstractContextManager[None]:
        """Let nobody else change the folder in the block.

        Raises:
            AlreadyRunning: another process is at it.
        """
        return exclusive(self.folder / "lock", f"the private authority in {self.folder}")

    def open(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        """Return the authority's certificate and key.

        Raises:
            TlsFilesUnusable: there is none, or it cannot be read.
        """
        if not self.exists:
            raise TlsFilesUnusable(
                f"there is no private authority in {self.folder}",
                remedy="Make it with `rdc tls init`.",
            )
        try:
            certificate = x509.load_pem_x509_certificate(self.certificate.read_bytes())
            key = serialization.load_pem_private_key(self.key.read_bytes(), None)
        except (OSError, ValueError, TypeError) as error:
            raise TlsFilesUnusable(
                f"the private authority in {self.folder} cannot be read",
                found=type(error).__name__,
                remedy="Restore ca.pem and ca.key.pem from your backup.",
            ) from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or (
            key.public_key() != certificate.public_key()
        ):
            raise TlsFilesUnusable(
                f"ca.key.pem in {self.folder} is not the key of ca.pem",
                remedy="Restore both from the same backup.",
            )
        return certificate, key


def _described(name: str, path: Path, key: Path) -> Issued:
    found = _loaded(path, name)
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        hosts = tuple(str(one.value) for one in names)
    except x509.ExtensionNotFound:
        hosts = ()
    fingerprint = found.fingerprint(hashes.SHA256()).hex()
    return Issued(name, path, key, hosts, found.not_valid_after_utc, fingerprint)


def _loaded(path: Path, name: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise TlsFilesUnusable(
            f"{path} is no certificate", remedy=f"Issue it anew: `rdc tls issue {name}`."
        ) from error


def _builder(
    subject: x509.Name, issuer: x509.Name, key: Key, days: int, latest: datetime | None = None
) -> x509.CertificateBuilder:
    now = utc_now()
    end = now + timedelta(days=days)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_ALLOWANCE)
        .not_valid_after(end if latest is None else min(end, latest))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _host(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        return x509.DNSName(name.encode("idna").decode("ascii"))
    except UnicodeError as error:
        raise TlsFilesUnusable(
            "a host has a name that cannot be in a certificate",
            expected="a DNS name or an IP address",
            found=repr(name[:100]),
        ) from error


def _pem(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def write_file(path: Path, data: bytes, mode: int) -> None:
    """Put a file in place at once, never open to others for a moment."""
    made = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    made.replace(path)
