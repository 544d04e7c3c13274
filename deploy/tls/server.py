"""The certificate of this centre's own listeners, by its settings."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from deploy.tls import REVOKED_FILE, SERVER
from deploy.tls.authority import Issued, PrivateAuthority, TlsFilesUnusable
from deploy.tls.revocation import publish

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deploy.settings import Settings

_EVERYWHERE: Final = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 -- compared
_THIS_MACHINE: Final = ("localhost", "127.0.0.1", "::1")


def prepare(settings: Settings) -> tuple[PrivateAuthority, bool]:
    """Return the private authority, and whether it was made just now."""
    authority = PrivateAuthority(settings.tls_dir)
    return authority, authority.make(settings.authority_organisation)


def issue_server(
    settings: Settings, authority: PrivateAuthority, hosts: Sequence[str] = (), *, old: bool = False
) -> Issued:
    """Issue the listeners' certificate for `hosts` and every name that this machine is known by."""
    return authority.issue(SERVER, hosts=_names(settings, hosts), old=old)


def ensure(settings: Settings) -> None:
    """Make what `tls` needs, where none is there: authority, listeners' certificate, empty list."""
    authority, _ = prepare(settings)
    try:
        authority.find(SERVER)
    except TlsFilesUnusable:
        issue_server(settings, authority)
    if not (authority.folder / REVOKED_FILE).exists():
        publish(authority)


def _names(settings: Settings, hosts: Sequence[str]) -> tuple[str, ...]:
    public = urlsplit(settings.public_url or "").hostname
    bound = [settings.http_host, settings.dicom_host, settings.mllp_host]
    own = [socket.gethostname(), socket.getfqdn()]
    wanted = [*hosts, *([public] if public else ()), *own, *bound, *_THIS_MACHINE]
    return tuple(dict.fromkeys(name for name in wanted if name not in _EVERYWHERE))
