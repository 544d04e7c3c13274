"""Keys in our database, each sealed under its owner's signing PIN.

The key is encrypted with AES-256-GCM under a key that Argon2id (RFC 9106)
derives from the PIN, so that a stolen database costs the thief 64 MiB and a
tenth of a second for every guess.
"""

import base64
import secrets
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pyhanko.sign import signers

from reading_worklist.signing.errors import KeyUnavailable
from reading_worklist.signing.pdf_objects import software_signer
from reading_worklist.signing.providers.port import PinRefused, StoredKey

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class GuessCost:
    """What every guess at a PIN costs a thief, and every use of the key its owner.

    passes, memory_kib, lanes: the parameters of Argon2id; the key keeps the ones it was sealed
    with. The defaults are for people's keys.
    """

    passes: int = 3
    memory_kib: int = 65536
    lanes: int = 1


FULL_COST: Final = GuessCost()


class SealedKeys:
    """Opens keys that `seal` closed."""

    def open(self, key: StoredKey, pin: str) -> signers.Signer:
        """Open a key; see `KeyProvider`."""
        nonce, sealed = key.sealed[:_NONCE_BYTES], key.sealed[_NONCE_BYTES:]
        try:
            secret = AESGCM(_derive(key.derivation, pin)).decrypt(
                nonce, sealed, _context(key.person_id, key.serial)
            )
        except InvalidTag:
            raise PinRefused from None
        return software_signer(list(key.chain), secret)


def seal(
    secret: bytes, pin: str, *, person_id: UUID, serial: str, cost: GuessCost
) -> tuple[bytes, str]:
    """Return a private key (PKCS#8) sealed under a PIN, and the recipe that opens it."""
    derivation = _new_derivation(cost)
    nonce = secrets.token_bytes(_NONCE_BYTES)
    sealed = AESGCM(_derive(derivation, pin)).encrypt(nonce, secret, _context(person_id, serial))
    return nonce + sealed, derivation


def _context(person_id: UUID, serial: str) -> bytes:
    """Bind a sealed key to its row: one copied into another person's row does not open."""
    return f"{person_id}/{serial}".encode("ascii")


def _new_derivation(cost: GuessCost) -> str:
    salt = base64.b64encode(secrets.token_bytes(16)).decode("ascii")
    return f"$argon2id$v=19$m={cost.memory_kib},t={cost.passes},p={cost.lanes}${salt}"


def _derive(derivation: str, pin: str) -> bytes:
    """Turn a PIN into an AES key with the algorithm, cost and salt that were stored."""
    _, algorithm, version, costs, salt = derivation.split("$")
    if algorithm != "argon2id":
        raise KeyUnavailable(
            "the signing key is sealed in a way this version does not know",
            found=algorithm,
            remedy="Have a new signing key issued.",
        )
    cost = {name: int(value) for name, value in (part.split("=") for part in costs.split(","))}
    return hash_secret_raw(
        pin.encode("utf-8"),
        base64.b64decode(salt),
        time_cost=cost["t"],
        memory_cost=cost["m"],
        parallelism=cost["p"],
        hash_len=_KEY_BYTES,
        type=Type.ID,
        version=int(version.removeprefix("v=")),
    )
