"""Passwords: Argon2id hashes (RFC 9106), never the words themselves."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# The library's defaults are RFC 9106's low-memory profile: 64 MiB, 3 passes, 4 lanes.
_hasher = PasswordHasher()
# Verified against when a login does not exist, so that the time of the answer does not tell.
_nobody = _hasher.hash("nobody signs in with this")


def hash_password(password: str) -> str:
    """Return the encoded hash to be stored."""
    return _hasher.hash(password)


def verify_password(stored_hash: str | None, password: str) -> bool:
    """Tell whether `password` is the one that was hashed.

    None (no such person) takes as long and is False.
    """
    try:
        return _hasher.verify(stored_hash or _nobody, password) and stored_hash is not None
    except (VerificationError, InvalidHashError):
        return False
