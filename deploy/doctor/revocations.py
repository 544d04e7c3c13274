"""Lists of certificates that were revoked: are they there, whole, and of today."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from deploy.doctor.findings import Finding, Severity, fault, fine, warning
from deploy.settings import Settings
from deploy.settings_tls import LISTENERS
from deploy.tls import REVOKED_FILE
from deploy.tls.authority import PrivateAuthority
from storage.clock import utc_now
from storage.registry import Destination, RegistryRefused
from storage.revocation_lists import RevocationLists, RevocationListUnusable

_SOON: Final = timedelta(days=30)


def of_listeners(settings: Settings) -> Iterator[Finding]:
    """Look at the lists by which our own listeners go, and at that of the private authority."""
    private = PrivateAuthority(settings.tls_dir)
    own = private.folder / REVOKED_FILE
    wanted = {own: private.certificate} if private.exists else {}
    for group in LISTENERS:
        file, believed = getattr(settings, f"{group}_crl"), getattr(settings, f"{group}_ca")
        if file is not None:
            wanted[file] = believed
    for file, believed in wanted.items():
        remedy = (
            "`rdc tls crl`, and copy the file to where it is used."
            if file == own
            else "Fetch it again from its authority."
        )
        # An earlier release made none with the authority; whoever names one expects it.
        absent = Severity.WARNING if file.name == REVOKED_FILE else Severity.FAULT
        yield _current(
            "revoked certificates",
            file,
            believed,
            remedy,
            absent=(absent, f"the list {file} is not there: none is refused"),
            over=(Severity.FAULT, "HAProxy or OpenSSL lets nobody in behind it"),
        )


def of_receivers(session: Session) -> Iterator[Finding]:
    """Look at the lists that destinations name, each once, as they are on this machine."""
    named: dict[tuple[Path, Path | None], str] = {}
    rows = select(Destination).where(Destination.active).order_by(Destination.created_at)
    for one in session.scalars(rows):
        try:
            tls = one.typed_settings.tls
        except RegistryRefused:
            continue
        if tls is not None and tls.revocations is not None:
            named.setdefault((tls.revocations, tls.authorities), one.label)
    for (file, believed), label in named.items():
        yield _current(
            f"revoked certificates of {label}",
            file,
            believed,
            "Fetch it from its authority, of ours `rdc tls crl`, to every machine that delivers.",
            absent=(
                Severity.WARNING,
                f"the list {file} is not on this machine, from which nothing could be delivered",
            ),
            over=(Severity.WARNING, "who was revoked since is believed"),
        )


def _current(
    subject: str,
    file: Path,
    believed: Path | None,
    remedy: str,
    *,
    absent: tuple[Severity, str],
    over: tuple[Severity, str],
) -> Finding:
    """Return how a list is. absent: what it means when it is not there. over: out of date."""
    try:
        lists = RevocationLists(file, believed)
    except RevocationListUnusable as error:
        return fault(subject, f"{error.what}: {error.found or error.expected}", remedy)
    if not lists.exists:
        return Finding(absent[0], subject, absent[1], remedy)
    until = lists.next_update
    if until is None:
        return fine(subject, f"the list {file.name} says no end")
    words = f"the list {file.name} is good until {until:%Y-%m-%d}"
    if until <= utc_now():
        return Finding(over[0], subject, f"{words}: it is over, and {over[1]}", remedy)
    if until - utc_now() < _SOON:
        return warning(subject, words, remedy)
    return fine(subject, words)
