"""What can keep a person from signing, or a document from being signed."""

from datetime import datetime

from storage.errors import RdcError


class SigningRefused(RdcError):
    """A signature was not made. Every error of this room is one of these."""


class CredentialMissing(SigningRefused):
    """The person has no signing key that is in force."""


class CredentialExists(SigningRefused):
    """The person already has a signing key."""


class CredentialExpired(SigningRefused):
    """The certificate is outside its validity."""


class PinTooWeak(SigningRefused):
    """A new signing PIN is too short or too easy."""


class WrongPin(SigningRefused):
    """The signing PIN does not open the key.

    attempts_left: how many more wrong ones are taken before the key is locked for a while.
    """

    def __init__(self, attempts_left: int) -> None:
        self.attempts_left = attempts_left
        super().__init__(
            "the signing PIN is wrong",
            remedy=f"{attempts_left} more attempts, then the key is locked for a while."
            if attempts_left
            else "The key is now locked for a while.",
        )


class KeyUnavailable(SigningRefused):
    """The key's place (token, service) does not let it be used; the PIN was not at fault."""


class CredentialUnfit(SigningRefused):
    """A certificate from outside is none that reports may be signed with."""


class CredentialLocked(SigningRefused):
    """Too many wrong PINs; `until` is when the next attempt counts."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__(
            "the signing key is locked after too many wrong PINs",
            remedy=f"Try again after {until:%H:%M:%S} UTC, or have an administrator unlock it.",
        )


class DocumentRefused(SigningRefused):
    """The document is not one that may be signed in this role."""


class SamePerson(DocumentRefused):
    """The reviewer is the writer; a report needs two people."""
