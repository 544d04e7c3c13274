"""What every kind of key store does: the PIN opens a key, the key signs.

A contract: a right PIN gives a signer whose signatures match the certificate on record. A wrong one
raises PinRefused and nothing else. Everything that is not the person's fault raises KeyUnavailable,
so that it is not counted against the person.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol
from uuid import UUID

from cryptography import x509
from pyhanko.sign import signers

from reading_worklist.signing.errors import KeyUnavailable


class ProviderKind(StrEnum):
    """SEALED: in our database. TOKEN: behind PKCS#11. SERVICE: with a signing service (CSC API)."""

    SEALED = "sealed"
    TOKEN = "token"  # noqa: S105 - a kind of place
    SERVICE = "service"


class PinRefused(Exception):
    """The PIN does not open the key; what that costs is the caller's matter."""


@dataclass(frozen=True, slots=True)
class StoredKey:
    """What the records hold of a key.

    chain: the person's certificate, then its issuers.
    sealed, derivation: ciphertext and the recipe of its key, of one that is kept here.
    place: where the key is, of one that is kept elsewhere; its members are the provider's.
    """

    person_id: UUID
    serial: str
    chain: tuple[x509.Certificate, ...]
    sealed: bytes = b""
    derivation: str = ""
    place: Mapping[str, str] = field(default_factory=dict[str, str])


class KeyProvider(Protocol):
    """One kind of place for keys."""

    def open(self, key: StoredKey, pin: str) -> signers.Signer:
        """Return pyHanko's signer for the key; it is used within one request.

        Raises:
            PinRefused: the PIN is wrong.
            KeyUnavailable: the key cannot be used now, whoever asks.
        """
        ...


@dataclass(frozen=True, slots=True)
class Providers:
    """The providers that this system is set up with."""

    by_kind: Mapping[ProviderKind, KeyProvider] = field(
        default_factory=lambda: MappingProxyType[ProviderKind, KeyProvider]({})
    )

    def of(self, kind: ProviderKind) -> KeyProvider:
        """Return the provider of a kind.

        Raises:
            KeyUnavailable: there is none.
        """
        found = self.by_kind.get(kind)
        if found is None:
            raise KeyUnavailable(
                "the signing key is kept where this system does not reach",
                found=kind.value,
                remedy="Ask the administrator to set the place up, or to issue another key.",
            )
        return found
