"""The machine: disk, files and their owners, certificates, settings."""

import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from cryptography import x509

from deploy.doctor import revocations
from deploy.doctor.findings import Finding, Severity, fault, fine, warning
from deploy.settings import Settings, unknown_variables
from deploy.tls.authority import PrivateAuthority
from reading_worklist.signing.authority import AuthorityUnreadable
from reading_worklist.signing.service_keys import open_service_keys
from storage.clock import utc_now

_MEBIBYTE: Final = 1 << 20
_GIBIBYTE: Final = 1 << 30
# A CT centre fills some gigabytes a day: time to buy a disk, not to find one.
_DISK_WARNING: Final = 0.10
_CERTIFICATE_WARNING: Final = timedelta(days=30)
_MEMORY_FILE_SYSTEMS: Final = frozenset({"tmpfs", "ramfs"})


def look(settings: Settings) -> Iterator[Finding]:
    """Look at this machine; changes nothing."""
    yield from _settings()
    if not settings.data_dir.is_dir():
        yield warning(
            "data directory", f"{settings.data_dir} is not there", "Start the system: `rdc up`."
        )
        return
    yield from _disk(settings)
    yield from _closed_files(settings)
    yield from _authority(settings)
    for name, certificate in (
        ("HTTPS", settings.http_tls_certificate),
        ("DICOM over TLS", settings.dicom_tls_certificate),
        ("MLLP over TLS", settings.mllp_tls_certificate),
    ):
        if certificate is not None:
            yield _ends(name, certificate)
    yield from _private_authority(settings)
    yield from revocations.of_listeners(settings)


def _settings() -> Iterator[Finding]:
    for line in unknown_variables():
        yield warning("settings", line, "Correct the name; `rdc settings` lists them all.")


def _disk(settings: Settings) -> Iterator[Finding]:
    usage = shutil.disk_usage(settings.data_dir)
    free = f"{usage.free / _GIBIBYTE:.1f} of {usage.total / _GIBIBYTE:.1f} GiB free"
    where = f"disk of {settings.data_dir}"
    if usage.free < settings.spool_reserve_mb * _MEBIBYTE:
        yield fault(
            where,
            f"{free}: new instances are refused (A700)",
            "Free space; receiving goes on by itself.",
        )
    elif usage.free < usage.total * _DISK_WARNING:
        yield warning(where, free, "Plan a larger disk, or move objects to an S3 store.")
    else:
        yield fine(where, free)
    if _file_system(settings.data_dir) in _MEMORY_FILE_SYSTEMS:
        yield fault(
            where,
            "it is memory: a power cut takes everything, acknowledged images too",
            "Set RDC_DATA_DIR to a folder on a disk.",
        )
    if not os.access(settings.data_dir, os.W_OK):
        yield fault(
            "data directory",
            f"{settings.data_dir} cannot be written by this user",
            "Run the command as the user that runs the system, or correct the owner.",
        )


def _file_system(path: Path) -> str:
    """Return the kind of file system below `path`; empty where the system does not tell."""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8")
    except OSError:
        return ""
    best, kind = "", ""
    real = str(path.resolve())
    for line in mounts.splitlines():
        _, mount, name, *_ = line.split(" ")
        inside = mount in {"/", real} or real.startswith(f"{mount}/")
        if inside and len(mount) >= len(best):
            best, kind = mount, name
    return kind


def _closed_files(settings: Settings) -> Iterator[Finding]:
    """Name keys and databases that other users of the machine can read."""
    places = [settings.run_dir / "state.json", settings.data_dir / "postgres" / "data"]
    if settings.authority_dir.is_dir():
        places += [
            *settings.authority_dir.glob("*.key.pem"),
            *settings.authority_dir.glob("*.pass*"),
        ]
    places += [
        path
        for path in (settings.http_tls_key, settings.dicom_tls_key, settings.mllp_tls_key)
        if path is not None and path.exists()
    ]
    places += settings.tls_dir.glob("**/*.key.pem")
    open_ones = [
        path
        for path in places
        if path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    ]
    for path in open_ones:
        yield fault(
            "secrets",
            f"{path} is open to other users of this machine",
            f"chmod {'700' if path.is_dir() else '600'} {path}",
        )
    if places and not open_ones:
        yield fine("secrets", "keys and database are closed to other users")


def _authority(settings: Settings) -> Iterator[Finding]:
    file = settings.authority_dir / "authority.pem"
    if not file.exists():
        yield warning(
            "signing authority", f"there is none in {settings.authority_dir}", "Run `rdc migrate`."
        )
        return
    yield _ends("signing authority", file)
    try:
        issuer = x509.load_pem_x509_certificate(file.read_bytes())
        open_service_keys(settings.authority_dir, issuer)
    except (AuthorityUnreadable, ValueError, OSError) as error:
        yield fault(
            "signing services",
            str(error),
            "Without them reports cannot be signed; see the remedy above, or restore the backup.",
        )


def _private_authority(settings: Settings) -> Iterator[Finding]:
    """Name what the private authority issued and will end soon, and its own end."""
    private = PrivateAuthority(settings.tls_dir)
    if not private.exists:
        return
    yield _ends("private authority", private.certificate)
    for one in private.issued():
        finding = _ends(f"certificate of {one.name}", one.certificate)
        if finding.severity is Severity.FINE:
            continue
        yield replace(finding, remedy=f"`rdc tls renew {one.name}`, and put it where it is used.")


def _ends(subject: str, path: Path) -> Finding:
    """Return how long a certificate lasts."""
    try:
        end = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    except (OSError, ValueError) as error:
        return fault(subject, f"{path} is no certificate: {error}", "Put the right file there.")
    left = end - utc_now()
    words = f"the certificate {path.name} ends {end:%Y-%m-%d}"
    if left <= timedelta(0):
        return fault(subject, f"{words}: it is over", "Put a new certificate there and restart.")
    if left < _CERTIFICATE_WARNING:
        return warning(subject, words, "Get a new certificate in time.")
    return fine(subject, words)
