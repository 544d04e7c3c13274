"""Keys of the centre's own signing services: time-stamping, and the status of certificates.

They work for every report without anybody present, so they are not sealed under a PIN; the files
are readable by their owner alone. Whoever stole one could date documents or vouch for revoked
certificates, but not sign a report. The authority, whose key stays closed, issues their
certificates when it is made, and new ones before these end.
"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from reading_worklist.signing.authority import (
    Authority,
    AuthorityUnreadable,
    issued_by,
    locked,
    write_whole,
)
from storage.clock import utc_now

_LOCK_FILE: Final = "services.lock"
_TIME: Final = "time-stamping"
_STATUS: Final = "certificate-status"
# What they sign must be verifiable for as long as they are: the nearer its end, the less it is
# worth, so that a new one is issued while the old has years left.
_RENEWED_BEFORE: Final = timedelta(days=5 * 365)


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """A key with its certificate, and that of the authority which issued it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    issuer: x509.Certificate


@dataclass(frozen=True, slots=True)
class ServiceKeys:
    """The keys of both services."""

    time_stamping: ServiceKey
    certificate_status: ServiceKey


def make_service_keys(directory: Path, authority: Authority) -> ServiceKeys:
    """Make what is missing in `directory`, or near its end, and return the keys.

    Processes that start together make them once.

    Raises:
        AuthorityUnreadable: files are damaged.
    """
    with locked(directory / _LOCK_FILE):
        for name, title, purpose in (
            (_TIME, "time-stamping", ExtendedKeyUsageOID.TIME_STAMPING),
            (_STATUS, "certificate status", ExtendedKeyUsageOID.OCSP_SIGNING),
        ):
            if not _lasts(directory, name, authority.certificate):
                _make(directory, name, authority, title, purpose)
    return open_service_keys(directory, authority.certificate)


def open_service_keys(directory: Path, issuer: x509.Certificate) -> ServiceKeys:
    """Open the keys that `make_service_keys` left in `directory`.

    Raises:
        AuthorityUnreadable: files are missing or damaged.
    """
    return ServiceKeys(_open(directory, _TIME, issuer), _open(directory, _STATUS, issuer))


def _lasts(directory: Path, name: str, issuer: x509.Certificate) -> bool:
    file = _certificate_file(directory, name)
    if not file.exists():
        return False
    try:
        own = issued_by(x509.load_pem_x509_certificate(file.read_bytes()), issuer)
    except ValueError:
        # Damaged, which `_open` says.
        own = True
    if not own:
        # A former authority's.
        return False
    end = _open(directory, name, issuer).certificate.not_valid_after_utc
    # Beyond the authority's own end none can be issued.
    return end == issuer.not_valid_after_utc or end - utc_now() > _RENEWED_BEFORE


def _make(
    directory: Path,
    name: str,
    authority: Authority,
    title: str,
    purpose: x509.ObjectIdentifier,
) -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    certificate = authority.issue_service(key.public_key(), name=title, purpose=purpose)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    # The certificate comes last and marks the pair as complete.
    write_whole(_key_file(directory, name), secret, mode=0o600)
    write_whole(
        _certificate_file(directory, name),
        certificate.public_bytes(serialization.Encoding.PEM),
        mode=0o644,
    )


def _open(directory: Path, name: str, issuer: x509.Certificate) -> ServiceKey:
    try:
        key = serialization.load_pem_private_key(_key_file(directory, name).read_bytes(), None)
        certificate = x509.load_pem_x509_certificate(
            _certificate_file(directory, name).read_bytes()
        )
    except (OSError, ValueError, TypeError) as error:
        raise AuthorityUnreadable(
            f"the key of the {name} service in {directory} cannot be opened",
            expected=f"{name}.pem and {name}.key.pem",
            found=str(error),
            remedy="Remove both files and run 'rdc migrate', which makes new ones.",
        ) from error
    if (
        not isinstance(key, ec.EllipticCurvePrivateKey)
        or key.public_key() != certificate.public_key()
        or certificate.issuer != issuer.subject
    ):
        raise AuthorityUnreadable(
            f"key and certificate of the {name} service in {directory} do not belong together",
            remedy="Remove both files and run 'rdc migrate', which makes new ones.",
        )
    return ServiceKey(certificate, key, issuer)


def _key_file(directory: Path, name: str) -> Path:
    return directory / f"{name}.key.pem"


def _certificate_file(directory: Path, name: str) -> Path:
    return directory / f"{name}.pem"
