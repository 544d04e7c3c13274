"""Passwords: Argon2id hashes (RFC 9106), never the words themselves."""

from collections.abc import Sequence
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from reading_worklist.access.policy import SHORTEST

_LONGEST_JUDGED: Final = 72
# Of 0 to 4: more than a hundred million guesses.
_STRONG: Final = 3

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
