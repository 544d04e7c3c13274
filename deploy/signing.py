"""What signing needs, made of the settings: our authority, whom we believe, where keys are kept.

Rooms are imported inside the functions, as in `deploy.bootstrap`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy.errors import DeployError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from deploy.settings import Settings
    from reading_worklist.signing.authority import Authority
    from reading_worklist.signing.long_term import LongTerm
    from reading_worklist.signing.providers.csc import SigningServices
    from reading_worklist.signing.providers.port import Providers
    from reading_worklist.signing.providers.tokens import Tokens
    from reading_worklist.signing.service_keys import ServiceKeys


def trust_anchors(settings: Settings, files: Sequence[Path] = ()) -> tuple[str, ...]:
    """Return the certificates (PEM) of the authorities whose signatures count.

    files: these instead of those that are set; without either, our own authority and those that
        it has followed.

    Raises DeployError when one cannot be read.
    """
    from reading_worklist.signing.authority import former_certificates  # noqa: PLC0415

    named = (
        files
        or settings.trust_anchors
        or (
            settings.authority_dir / "authority.pem",
            *former_certificates(settings.authority_dir),
        )
    )
    return tuple(_read_anchor(path) for path in named)


def time_anchors(settings: Settings) -> tuple[str, ...]:
    """Return the certificates (PEM) of the authorities whose time stamps count beside our own.

    Raises DeployError when one cannot be read.
    """
    return tuple(_read_anchor(path) for path in settings.time_stamp_trust)


def long_term(settings: Settings) -> LongTerm:
    """Open what adds lasting proof to reports: our services' keys, and the time-stamp authority.

    Raises DeployError when an authority is set without saying whom it is believed for.
    """
    from reading_worklist.signing.long_term import LongTerm  # noqa: PLC0415
    from reading_worklist.signing.time_authority import TimeAuthority  # noqa: PLC0415

    outside = None
    if settings.time_stamp_url is not None:
        trust = time_anchors(settings)
        if not trust:
            raise DeployError(
                "a time-stamp authority is set, and nobody who vouches for it",
                expected="RDC_TIME_STAMP_TRUST with PEM files",
                remedy="Ask the authority for its root certificate.",
            )
        outside = TimeAuthority(settings.time_stamp_url, trust, settings.time_stamp_seconds)
    return LongTerm(_open_service_keys(settings), outside)


def key_providers(settings: Settings) -> Providers:
    """Return the kinds of places where people's signing keys may be kept, as set."""
    from reading_worklist.signing.providers.port import ProviderKind, Providers  # noqa: PLC0415
    from reading_worklist.signing.unlocking import SEALED_ONLY  # noqa: PLC0415

    found = dict(SEALED_ONLY.by_kind)
    if settings.token_modules:
        found[ProviderKind.TOKEN] = open_tokens(settings)
    if settings.signing_services:
        found[ProviderKind.SERVICE] = open_signing_services(settings)
    return Providers(found)


def open_tokens(settings: Settings) -> Tokens:
    """Return what reaches the tokens of the set libraries."""
    # The library of PKCS#11 is loaded by who uses it.
    from reading_worklist.signing.providers.tokens import Tokens  # noqa: PLC0415

    return Tokens(settings.token_modules)


def open_signing_services(settings: Settings) -> SigningServices:
    """Return what reaches the set signing services."""
    from reading_worklist.signing.providers.csc import (  # noqa: PLC0415
        SigningService,
        SigningServices,
    )

    return SigningServices(
        {name: SigningService(**dict(one)) for name, one in settings.signing_services.items()}
    )


def _read_anchor(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise DeployError(
            "a certificate authority whose signatures shall count cannot be read",
            expected=f"a PEM certificate at {path}",
            found=str(error),
            remedy="Run `rdc migrate`, which makes our own authority, or set RDC_TRUST_ANCHORS.",
        ) from error


def _open_service_keys(settings: Settings) -> ServiceKeys:
    from cryptography import x509  # noqa: PLC0415

    from reading_worklist.signing.service_keys import open_service_keys  # noqa: PLC0415

    own = _read_anchor(settings.authority_dir / "authority.pem")
    certificate = x509.load_pem_x509_certificate(own.encode("ascii"))
    return open_service_keys(settings.authority_dir, certificate)


def open_signing_authority(settings: Settings) -> Authority:
    """Open the signing authority below the data directory, making it at first start."""
    from reading_worklist.signing.authority import open_authority  # noqa: PLC0415

    return open_authority(
        settings.authority_dir,
        organisation=settings.authority_organisation,
        name=settings.authority_name,
        status_url=settings.pki_address,
    )


def present_signing_authority(settings: Settings) -> Authority:
    """Open the signing authority where it is; never make one.

    Raises:
        AuthorityUnreadable: it is not here, or only a part of it.
    """
    from reading_worklist.signing.authority import AuthorityUnreadable  # noqa: PLC0415

    if not (settings.authority_dir / "authority.pem").exists():
        raise AuthorityUnreadable(f"there is no signing authority in {settings.authority_dir}")
    return open_signing_authority(settings)
