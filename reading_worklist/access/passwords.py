"""Passwords: Argon2id hashes (RFC 9106), never the words themselves."""

import base64
import secrets
from collections.abc import Sequence
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from reading_worklist.access.policy import SHORTEST

_LONGEST_JUDGED: Final = 72
# Of 0 to 4: more than a hundred million guesses.
_STRONG: Final = 3
# Of Argon2 (RFC 9106 §3.1).
_VERSION: Final = 0x13

# The library's defaults are RFC 9106's low-memory profile: 64 MiB, 3 passes, 4 lanes.
_hasher = PasswordHasher()


def _of_nobody() -> str:
    """Return an encoded hash of no password, at the cost of all others.

    It is written instead of computed: a tenth of a second of every process that may hash one.
    """
    salt, digest = (
        base64.b64encode(secrets.token_bytes(length)).rstrip(b"=").decode("ascii")
        for length in (_hasher.salt_len, _hasher.hash_len)
    )
    cost = f"m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
    return f"$argon2id$v={_VERSION}${cost}${salt}${digest}"


# Verified against when a login does not exist, so that the time of the answer does not tell.
_NOBODY: Final = _of_nobody()


def hash_password(password: str) -> str:
    """Return the encoded hash to be stored."""
    return _hasher.hash(password)


def verify_password(stored_hash: str | None, password: str) -> bool:
    """Tell whether `password` is the one that was hashed.

    None (no such person) takes as long and is False.
    """
    try:
        return _hasher.verify(stored_hash or _NOBODY, password) and stored_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def is_strong(password: str, known: Sequence[str], *, shortest: int = SHORTEST) -> bool:
    """Tell whether a password would not be guessed soon: long enough, and no pattern.

    known: what a guesser knows of the person, such as the login; it must not be part of it.
    """
    if len(password) < shortest:
        return False
    if any(len(word) > 1 and word.casefold() in password.casefold() for word in known):
        return False
    # Its dictionaries are loaded by whoever changes a password, not by every process.
    from zxcvbn import zxcvbn  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]

    judged = zxcvbn(password[:_LONGEST_JUDGED], user_inputs=list(known))
    return int(judged["score"]) >= _STRONG
