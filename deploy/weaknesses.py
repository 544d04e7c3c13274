"""What a system on several machines must not start with: weak or missing secrets and protection.

On one machine nobody else hears what our processes say to each other, and the embedded servers
listen to nobody outside. As soon as a server of ours is elsewhere, everything between the machines
is on a network, and a weak choice is everybody's. Files that hold secrets are looked at everywhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from deploy.errors import SettingsError
from deploy.settings import Settings
from deploy.settings_access import SecondFactorFor

SHORTEST_SECRET: Final = 12
# In lower case: what examples, images and habits have.
_KNOWN: Final = frozenset(
    {
        "changemechangeme",
        "minioadmin",
        "minioadminminioadmin",
        "password",
        "passwordpassword",
        "password1234",
        "123456789012",
        "administrator",
        "postgrespostgres",
    }
)
_SECRET_FILES: Final = (
    "authority.passphrase",
    "authority.key.pem",
    "second-factor.key",
    "time-stamping.key.pem",
    "certificate-status.key.pem",
)
_LONGEST_IDLE: Final = 8 * 3600.0
_LONGEST_SESSION: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Weakness:
    """A choice that makes the system weak.

    name: for RDC_ACCEPT_WEAK. what: what was found, without any secret. remedy: what to do.
    """

    name: str
    what: str
    remedy: str


def is_distributed(settings: Settings) -> bool:
    """Tell whether one of the servers that the settings name is on another machine."""
    addresses = (
        settings.database_url,
        settings.database_read_url,
        settings.broker_url,
        settings.object_store_url,
    )
    return any(not _is_here(host) for url in addresses if url for host in _hosts(url))


def weaknesses(settings: Settings) -> Iterator[Weakness]:
    """Look for weak choices, also those that are accepted."""
    yield from _open_files(settings.authority_dir)
    if any(network.prefixlen == 0 for network in settings.trusted_proxies):
        yield Weakness(
            "proxies-everywhere",
            "RDC_TRUSTED_PROXIES believes everybody about where a request comes from",
            "Name the addresses of your proxies.",
        )
    if not is_distributed(settings):
        return
    for name, field in (
        ("database-password", settings.database_url),
        ("database-read-password", settings.database_read_url),
        ("broker-password", settings.broker_url),
        ("object-store-password", settings.object_store_url),
    ):
        if field is not None and _is_weak(field):
            yield Weakness(
                name,
                f"RDC_{name.replace('-password', '').replace('-', '_').upper()}_URL has no password"
                f" of {SHORTEST_SECRET} characters or more, or one that everybody knows",
                "Set a random one, such as of 'openssl rand -hex 24'.",
            )
    web = urlsplit(settings.web_address)
    if web.scheme != "https" and not _is_here(web.hostname or ""):
        yield Weakness(
            "plain-http",
            f"people's pages and passwords go over {settings.web_address} without TLS",
            "Put a TLS proxy before it or give it a certificate; set RDC_PUBLIC_URL to https://…",
        )
    if not settings.second_factor_for & {SecondFactorFor.ADMIN, SecondFactorFor.EVERYONE}:
        yield Weakness(
            "no-second-factor",
            "administrators sign in with a password alone",
            "Set RDC_SECOND_FACTOR=admin,remote.",
        )
    if (
        settings.session_idle_seconds > _LONGEST_IDLE
        or settings.session_absolute_seconds > _LONGEST_SESSION
    ):
        yield Weakness(
            "long-sessions",
            "sessions last longer than 8 hours without anybody, or than a day",
            "Lower RDC_SESSION_IDLE_SECONDS and RDC_SESSION_ABSOLUTE_SECONDS.",
        )


def require_strong(settings: Settings) -> None:
    """Pass when no weak choice is left that nobody has accepted.

    Raises SettingsError, which names each with its remedy.
    """
    left = [one for one in weaknesses(settings) if one.name not in settings.accept_weak]
    if not left:
        return
    lines = "\n  ".join(f"{one.name}: {one.what}. {one.remedy}" for one in left)
    raise SettingsError(
        f"the system does not start with weak choices:\n  {lines}",
        remedy="\nMend them. What you answer for yourself, accept by name in RDC_ACCEPT_WEAK.",
    )


def _open_files(directory: Path) -> Iterator[Weakness]:
    for name in _SECRET_FILES:
        path = directory / name
        if path.exists() and path.stat().st_mode & 0o077:
            yield Weakness(
                "open-secrets",
                f"{path} can be read by others",
                f"Run 'chmod 600 {path}' and ask who could have copied it.",
            )


def _hosts(url: str) -> list[str]:
    """Return the hosts of an address; of libpq's kind there may be several, also as parameters."""
    parts = urlsplit(url)
    if parts.scheme in {"file", "redis+socket"}:
        return []
    # Not `hostname`: it knows nothing of several with commas between.
    _, _, places = parts.netloc.rpartition("@")
    places = places or ",".join(value for key, value in parse_qsl(parts.query) if key == "host")
    return [_without_port(place) for place in places.split(",") if place]


def _without_port(place: str) -> str:
    if place.startswith("["):
        return place[1:].partition("]")[0]
    return place if place.startswith("/") else place.partition(":")[0]


def _is_here(host: str) -> bool:
    if host.startswith("/") or host in {"", "localhost"}:
        return True
    try:
        return ip_address(unquote(host)).is_loopback
    except ValueError:
        return False


def _is_weak(url: str) -> bool:
    """Tell whether an address of another machine has no good secret; its own is nobody's matter."""
    if all(_is_here(host) for host in _hosts(url)):
        return False
    credentials, _, _ = urlsplit(url).netloc.rpartition("@")
    secret = unquote(credentials.partition(":")[2])
    return len(secret) < SHORTEST_SECRET or secret.lower() in _KNOWN or len(set(secret)) < 5  # noqa: PLR2004 -- a row of one sign
