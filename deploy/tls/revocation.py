"""Certificates that the private authority takes back, and the file that says so: tls/crl.pem.

The list (RFC 5280 §5) is the only record of it: a new one has what the last one had, and more. It
is good for as long as a server's certificate. Our own listeners refuse whom it names however old it
is (`storage.revocation_lists`), but HAProxy and OpenSSL let nobody in behind one that is over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from deploy.errors import DeployError
from deploy.tls import REVOKED_FILE, SERVER
from deploy.tls.authority import (
    CLOCK_ALLOWANCE,
    SERVER_DAYS,
    PrivateAuthority,
    TlsFilesUnusable,
    write_file,
)
from storage.clock import utc_now
from storage.revocation_lists import RevocationLists

if TYPE_CHECKING:
    from deploy.settings import Settings

REASONS: Final = {
    "unspecified": x509.ReasonFlags.unspecified,
    "key-compromise": x509.ReasonFlags.key_compromise,
    "superseded": x509.ReasonFlags.superseded,
    "cessation-of-operation": x509.ReasonFlags.cessation_of_operation,
}
"""Why one is taken back, in the words of RFC 5280 §5.3.1, of those that a person would choose."""


@dataclass(frozen=True, slots=True)
class Revoked:
    """A certificate that was taken back. name: whose it was; empty where nobody knows any more."""

    serial: int
    at: datetime
    name: str = ""


def publish(authority: PrivateAuthority) -> Path:
    """Make the list anew, with whom it named before; return its file.

    Raises:
        TlsFilesUnusable: there is no authority, or its list cannot be read.
        AlreadyRunning: another process is at it.
    """
    with authority.alone():
        return _write(authority, ())


def revoke(authority: PrivateAuthority, name: str, reason: str) -> Sequence[int]:
    """Take back all that was ever issued under a name and is not over; return serial numbers.

    The name's certificate and key are put away: the next is issued as for one who had none.

    Raises:
        TlsFilesUnusable: nothing that is valid was issued under the name, or it is that of our own
            listeners, which would be without one.
        AlreadyRunning: another process is at it.
    """
    if name == SERVER:
        raise TlsFilesUnusable(
            "the certificate of this centre's own listeners is not revoked by name",
            remedy="Issue the next with `rdc tls init`, start again, and revoke the former by its"
            " serial number: `openssl x509 -noout -serial -in FILE`.",
        )
    with authority.alone():
        present = [one for one in authority.issued() if one.name == name]
        for one in present:
            authority.set_aside(one.name)
        listed = {one.serial_number for one in _entries(authority)}
        found = [
            one.serial_number
            for whose, one in authority.former()
            if whose == name
            and one.not_valid_after_utc > utc_now()
            and one.serial_number not in listed
        ]
        if not found and not present:
            raise TlsFilesUnusable(
                f"there is no certificate of the name {name[:64]!r} that could be revoked",
                remedy="`rdc tls show` lists them; an old one is revoked with --serial.",
            )
        _write(authority, found, reason)
        # The list first: what it does not name must not be gone.
        for one in present:
            one.certificate.unlink()
            one.key.unlink(missing_ok=True)
        return found


def revoke_serial(authority: PrivateAuthority, serial: int, reason: str) -> None:
    """Take back a certificate of which the serial number is known.

    Raises:
        TlsFilesUnusable: it is not one that could be.
        AlreadyRunning: another process is at it.
    """
    if not 0 < serial < 1 << 160:
        raise TlsFilesUnusable(
            "this is no serial number of a certificate",
            expected="at most 40 hexadecimal digits (RFC 5280 §4.1.2.2)",
            remedy="`openssl x509 -noout -serial -in FILE` tells it.",
        )
    with authority.alone():
        _write(authority, (serial,), reason)


def revoked(authority: PrivateAuthority) -> Iterator[Revoked]:
    """Yield what the list names, in the order in which it was taken back.

    Raises:
        TlsFilesUnusable: it cannot be read.
    """
    names = {one.serial_number: name for name, one in authority.former()}
    for one in _entries(authority):
        number = one.serial_number
        yield Revoked(number, one.revocation_date_utc, names.get(number, ""))


def file_of(settings: Settings, group: str) -> Path | None:
    """Return the file of a listener's lists; None where it has none.

    That of the private authority may come later: an earlier release made none.

    Raises:
        DeployError: a setting names one that is not there.
    """
    from deploy.settings import PREFIX  # noqa: PLC0415 -- it reads `settings_tls`, which names us

    file: Path | None = getattr(settings, f"{group}_crl")
    if file is not None and file != settings.tls_dir / REVOKED_FILE and not file.is_file():
        raise DeployError(
            "the list of revoked certificates is not there",
            expected=f"a file in PEM, as {PREFIX}{group.upper()}_CRL says",
            found=str(file),
            remedy="Put it there, or take the setting away.",
        )
    return file


def of_http(settings: Settings) -> RevocationLists | None:
    """Return the lists for HTTPS, at our own listener and told by a balancer; None: there are none.

    Raises:
        DeployError: a setting names a file that is not there.
        RevocationListUnusable: it is no list, or not of the authorities of `http_tls_ca`.
    """
    file = file_of(settings, "http_tls")
    return None if file is None else RevocationLists(file, settings.http_tls_ca)


def _entries(authority: PrivateAuthority) -> Sequence[x509.RevokedCertificate]:
    found = _last(authority)
    return [] if found is None else sorted(found, key=lambda one: one.revocation_date_utc)


def _last(authority: PrivateAuthority) -> x509.CertificateRevocationList | None:
    path = authority.folder / REVOKED_FILE
    try:
        return x509.load_pem_x509_crl(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise TlsFilesUnusable(
            f"{path} is no list of revoked certificates",
            remedy="Restore it from your backup: whom it named is written nowhere else.",
        ) from error


def _write(authority: PrivateAuthority, added: Sequence[int], reason: str = "unspecified") -> Path:
    issuer, key = authority.open()
    now = utc_now()
    last = _last(authority)
    # Seconds of the clock: a folder that was brought back from a backup does not repeat one.
    number = int(now.timestamp())
    if last is not None:
        before = last.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        number = max(number, before + 1)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(now - CLOCK_ALLOWANCE)
        .next_update(min(now + timedelta(days=SERVER_DAYS), issuer.not_valid_after_utc))
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
        .add_extension(x509.CRLNumber(number), critical=False)
    )
    named = set[int]()
    for one in last or ():
        builder = builder.add_revoked_certificate(one)
        named.add(one.serial_number)
    for serial in added:
        if serial not in named:
            builder = builder.add_revoked_certificate(_entry(serial, now, reason))
    made = builder.sign(key, hashes.SHA256())
    path = authority.folder / REVOKED_FILE
    write_file(path, made.public_bytes(serialization.Encoding.PEM), 0o644)
    return path


def _entry(serial: int, now: datetime, reason: str) -> x509.RevokedCertificate:
    builder = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now)
    if (flag := REASONS[reason]) is not x509.ReasonFlags.unspecified:
        # RFC 5280 §5.3.1: an unspecified reason is not written.
        builder = builder.add_extension(x509.CRLReason(flag), critical=False)
    return builder.build()
