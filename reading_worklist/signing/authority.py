"""The centre's own certificate authority, made at first start; it issues people's certificates.

Keys are elliptic (NIST P-384 for the authority, P-256 for people): ETSI TS 119
312 recommends them beyond 2030, PDF readers and poppler verify them, a signature
is 64 bytes and a key is made in a millisecond, where RSA of equal strength needs
about a second. The signing person's key comes from `credentials`, or later
from a token or a remote service; the authority never sees it.

The command line, the first start, and who signs the list of revoked certificates
need the authority's key. The web process is given `certificate_pem` alone.
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import (
    AuthorityInformationAccessOID,
    ExtendedKeyUsageOID,
    NameOID,
)

from storage.clock import utc_now
from storage.errors import RdcError

_KEY_FILE: Final = "authority.key.pem"
_CERTIFICATE_FILE: Final = "authority.pem"
_PASSPHRASE_FILE: Final = "authority.passphrase"  # noqa: S105 - the name of a file
_LOCK_FILE: Final = "authority.lock"
_FILES: Final = (_PASSPHRASE_FILE, _KEY_FILE, _CERTIFICATE_FILE)
_FORMER: Final = "former"
_NEXT: Final = "next"
_CROSS_FILE: Final = "cross.pem"

CRL_NAME: Final = "authority.crl"
OCSP_NAME: Final = "ocsp"
ISSUER_NAME: Final = "authority.crt"
"""What the addresses in certificates end with."""

AUTHORITY_VALIDITY: Final = timedelta(days=20 * 365)
PERSON_VALIDITY: Final = timedelta(days=3 * 365)
# A certificate is good from a little before it is made, for verifiers whose clock is behind.
_CLOCK_ALLOWANCE: Final = timedelta(minutes=5)
# X.520 allows 64 characters; some verifiers, and our own library, count bytes of UTF-8 instead.
_NAME_BYTES: Final = 64


class AuthorityUnreadable(RdcError):
    """The authority's files are damaged, incomplete, or readable by others."""


class Authority:
    """The certificate authority with its private key."""

    def __init__(
        self,
        certificate: x509.Certificate,
        key: ec.EllipticCurvePrivateKey,
        status_url: str | None = None,
    ) -> None:
        """Wrap certificate and key.

        status_url: below which the state of its certificates is answered for, see `status_routes`;
            it is written into them. None: they say nothing of it.
        """
        self.certificate = certificate
        self._key = key
        self._status_url = status_url

    @property
    def certificate_pem(self) -> str:
        """The authority's certificate: the trust anchor that verifiers need."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")

    def issue(
        self,
        public_key: ec.EllipticCurvePublicKey,
        *,
        person_id: UUID,
        display_name: str,
        organisation: str,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
    ) -> x509.Certificate:
        """Issue a person's certificate for signing documents (RFC 5280).

        The subject is the displayed name, the organisation, and the person's id as serialNumber;
        the key usage is digitalSignature and nonRepudiation, and nothing else. Names are cut to 64
        bytes of UTF-8 (21 Chinese characters).

        not_before, not_after: aware times; by default from now for three years. The end is cut to
        the authority's own, since a certificate that outlives its issuer verifies nowhere.
        """
        start = not_before or utc_now() - _CLOCK_ALLOWANCE
        end = min(not_after or start + PERSON_VALIDITY, self.certificate.not_valid_after_utc)
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, _shortened(organisation)),
                x509.NameAttribute(NameOID.COMMON_NAME, _shortened(display_name)),
                x509.NameAttribute(NameOID.SERIAL_NUMBER, str(person_id)),
            ]
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.certificate.subject)
            .public_key(public_key)
            .serial_number(_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_documents=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
        )
        return self._saying_where(builder).sign(self._key, hashes.SHA384())

    def issue_service(
        self,
        public_key: ec.EllipticCurvePublicKey,
        *,
        name: str,
        purpose: x509.ObjectIdentifier,
        not_after: datetime | None = None,
    ) -> x509.Certificate:
        """Issue a certificate for one of the centre's own services, good for that purpose alone.

        purpose: an extended key usage of RFC 5280 §4.2.1.12, marked critical as RFC 3161 §2.3
            demands. One that answers for the status of certificates is not asked for its own
            (RFC 6960 §4.2.2.2.1).
        not_after: an aware time; by default, and at most, the authority's own end.
        """
        own_end = self.certificate.not_valid_after_utc
        organisation = self.certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        common = x509.NameAttribute(NameOID.COMMON_NAME, _shortened(name))
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([*organisation, common]))
            .issuer_name(self.certificate.subject)
            .public_key(public_key)
            .serial_number(_serial_number())
            .not_valid_before(utc_now() - _CLOCK_ALLOWANCE)
            .not_valid_after(min(not_after or own_end, own_end))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_documents=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
        )
        if purpose == ExtendedKeyUsageOID.OCSP_SIGNING:
            builder = builder.add_extension(x509.OCSPNoCheck(), critical=False)
        else:
            builder = self._saying_where(builder)
        return builder.sign(self._key, hashes.SHA384())

    def _saying_where(self, builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
        """Write where the state of a certificate is answered for (RFC 5280 §4.2.1.13, §4.2.2.1)."""
        if self._status_url is None:
            return builder
        crl, ocsp, issuer = (
            x509.UniformResourceIdentifier(f"{self._status_url}/{name}")
            for name in (CRL_NAME, OCSP_NAME, ISSUER_NAME)
        )
        access = x509.AuthorityInformationAccess(
            [
                x509.AccessDescription(AuthorityInformationAccessOID.OCSP, ocsp),
                x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, issuer),
            ]
        )
        points = x509.CRLDistributionPoints([x509.DistributionPoint([crl], None, None, None)])
        return builder.add_extension(access, critical=False).add_extension(points, critical=False)

    def revocation_list(
        self,
        revoked: Mapping[str, datetime],
        *,
        number: int,
        this_update: datetime,
        next_update: datetime,
    ) -> bytes:
        """Sign a list of revoked certificates (RFC 5280 §5), DER.

        revoked: when, by serial number (upper-case hexadecimal). number: greater than of any
            earlier list.
        """
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(this_update)
            .next_update(next_update)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
            .add_extension(x509.CRLNumber(number), critical=False)
        )
        for serial, at in sorted(revoked.items(), key=lambda one: one[1]):
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(int(serial, 16))
                .revocation_date(at)
                .build()
            )
        signed = builder.sign(self._key, hashes.SHA384())
        return signed.public_bytes(serialization.Encoding.DER)

    def cross_certify(self, successor: x509.Certificate) -> x509.Certificate:
        """Vouch for another authority's key, for verifiers who trust this one alone.

        It lasts as long as both. Where this authority was made by a release that allowed nobody
        below it (path length 0), strict verifiers do not follow it and have to be given the
        successor's own certificate.
        """
        key = successor.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        ends = (successor.not_valid_after_utc, self.certificate.not_valid_after_utc)
        return (
            x509.CertificateBuilder()
            .subject_name(successor.subject)
            .issuer_name(self.certificate.subject)
            .public_key(key)
            .serial_number(_serial_number())
            .not_valid_before(successor.not_valid_before_utc)
            .not_valid_after(min(ends))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_documents=False), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
            .sign(self._key, hashes.SHA384())
        )


def serial_of(certificate: x509.Certificate) -> str:
    """Return a certificate's serial number as stored and printed: upper-case hexadecimal."""
    return f"{certificate.serial_number:X}"


def issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Tell whether `issuer` signed the certificate itself, without one in between."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def open_authority(
    directory: Path, *, organisation: str, name: str, status_url: str | None = None
) -> Authority:
    """Open the authority kept in `directory`; make it when the directory holds none.

    organisation, name: who the authority is, written into its certificate when it is made.
    status_url: see `Authority`.
    The directory is made with mode 0700. The key is encrypted under a random passphrase in a file
    beside it (`authority.passphrase`, 0600), which an operator may keep on another medium.
    Processes that start together get the same authority.

    Raises:
        AuthorityUnreadable: the files are damaged or incomplete.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    with locked(directory / _LOCK_FILE):
        _move_in(directory)
        if not (directory / _CERTIFICATE_FILE).exists():
            _create(directory, organisation, name)
        return _load(directory, status_url)


def succeed(
    directory: Path, *, organisation: str, name: str, status_url: str | None = None
) -> Authority:
    """Put a new authority in the place of the one in `directory`, and return it.

    The former one moves to `former/` with all its files: what it signed stays provable as long as
    its certificate is among the trust anchors, see `former_certificates`. It also vouches for the
    new one, in `cross.pem` beside it. Wherever this is broken off, there is one whole authority.

    Raises:
        AuthorityUnreadable: the present one cannot be opened.
    """
    with locked(directory / _LOCK_FILE):
        _move_in(directory)
        former = _load(directory, status_url)
        kept = directory / _FORMER / serial_of(former.certificate)
        kept.mkdir(parents=True, exist_ok=True, mode=0o700)
        for file in _FILES:
            write_whole(kept / file, (directory / file).read_bytes(), mode=0o600)
        generation = len(former_certificates(directory)) + 1
        coming = directory / f".{_NEXT}"
        if coming.exists():
            shutil.rmtree(coming)
        coming.mkdir(mode=0o700)
        _create(coming, organisation, f"{name} G{generation}")
        cross = former.cross_certify(_load(coming, status_url).certificate)
        write_whole(kept / _CROSS_FILE, cross.public_bytes(serialization.Encoding.PEM), mode=0o644)
        # From here on it is the authority, whoever finishes the move.
        coming.rename(directory / _NEXT)
        _move_in(directory)
        return _load(directory, status_url)


def former_certificates(directory: Path) -> list[Path]:
    """Return the certificates of the authorities that were here before, as files, by their path."""
    return sorted((directory / _FORMER).glob(f"*/{_CERTIFICATE_FILE}"))


def _move_in(directory: Path) -> None:
    """Finish what `succeed` began: the certificate comes last, as when an authority is made."""
    coming = directory / _NEXT
    if not coming.exists():
        return
    for file in _FILES:
        if (coming / file).exists():
            (coming / file).replace(directory / file)
    coming.rmdir()


def _create(directory: Path, organisation: str, name: str) -> None:
    """Make key and certificate; the certificate comes last and marks the authority as complete."""
    key = ec.generate_private_key(ec.SECP384R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _shortened(organisation)),
            x509.NameAttribute(NameOID.COMMON_NAME, _shortened(name)),
        ]
    )
    start = utc_now() - _CLOCK_ALLOWANCE
    public_key = key.public_key()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public_key)
        .serial_number(_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + AUTHORITY_VALIDITY)
        # One below it: its successor, for which it vouches.
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(_key_usage(signs_documents=False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .sign(key, hashes.SHA384())
    )
    passphrase = secrets.token_urlsafe(32).encode("ascii")
    sealed = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase),
    )
    write_whole(directory / _PASSPHRASE_FILE, passphrase + b"\n", mode=0o600)
    write_whole(directory / _KEY_FILE, sealed, mode=0o600)
    write_whole(
        directory / _CERTIFICATE_FILE,
        certificate.public_bytes(serialization.Encoding.PEM),
        mode=0o644,
    )


def _load(directory: Path, status_url: str | None) -> Authority:
    key_file = directory / _KEY_FILE
    try:
        if key_file.stat().st_mode & 0o077:
            raise AuthorityUnreadable(
                f"the authority's key {key_file} can be read by others",
                expected="mode 0600",
                remedy=f"Run 'chmod 600 {key_file}' and ask who could have copied it.",
            )
        passphrase = (directory / _PASSPHRASE_FILE).read_bytes().strip()
        key = serialization.load_pem_private_key(key_file.read_bytes(), passphrase)
        certificate = x509.load_pem_x509_certificate((directory / _CERTIFICATE_FILE).read_bytes())
    except (OSError, ValueError, TypeError) as error:
        raise AuthorityUnreadable(
            f"the certificate authority in {directory} cannot be opened",
            expected=f"{_CERTIFICATE_FILE}, {_KEY_FILE} and the {_PASSPHRASE_FILE} that opens it",
            found=str(error),
            remedy="Restore the directory from the backup. A new authority would not be trusted"
            " by anyone who holds older reports.",
        ) from error
    if (
        not isinstance(key, ec.EllipticCurvePrivateKey)
        or key.public_key() != certificate.public_key()
    ):
        raise AuthorityUnreadable(
            f"key and certificate in {directory} do not belong together",
            remedy="Restore the directory from the backup.",
        )
    return Authority(certificate, key, status_url)


def _serial_number() -> int:
    """Return 62 random bits behind a one: unguessable, and 16 digits on paper."""
    return secrets.randbits(62) | 1 << 62


def _shortened(name: str) -> str:
    return name.encode("utf-8")[:_NAME_BYTES].decode("utf-8", errors="ignore")


def _key_usage(*, signs_documents: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs_documents,
        content_commitment=signs_documents,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=not signs_documents,
        crl_sign=not signs_documents,
        encipher_only=False,
        decipher_only=False,
    )


def write_whole(path: Path, content: bytes, *, mode: int) -> None:
    """Write a file so that after a crash it is there whole or not at all."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Hold an exclusive lock between processes of this machine."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
