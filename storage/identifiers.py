"""Identifiers as value types: what has been parsed here need not be checked again.

Each type is a ``str`` so that it travels through SQL, JSON and DICOM without
conversion; only ``parse`` makes one out of text from outside.
"""

import re
import secrets
import time
import uuid
from typing import Final, Self

from storage.errors import RdcError

_UID_PATTERN: Final = re.compile(r"[0-9]+(\.[0-9]+)*")
_UID_LENGTH: Final = 64
_AE_LENGTH: Final = 16
_SHA256_PATTERN: Final = re.compile(r"[0-9a-f]{64}")
_SHOWN: Final = 80


def time_ordered_uuid() -> uuid.UUID:
    """Return a new UUID of version 7 (RFC 9562 §5.7): random, but later ones sort behind.

    For rows that are many: their index entries come to lie side by side, where those of random
    ones touch a page of the index each.
    """
    milliseconds = time.time_ns() // 1_000_000
    bits = secrets.randbits(74)
    return uuid.UUID(
        int=(milliseconds & (1 << 48) - 1) << 80
        | 0x7 << 76
        | bits >> 62 << 64
        | 0b10 << 62
        | bits & (1 << 62) - 1
    )


class InvalidIdentifier(RdcError):
    """Text from outside is not the identifier it claims to be."""


def _shown(text: str) -> str:
    """Quote untrusted text for an error message, bounded and printable."""
    cut = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return repr(cut)


class Uid(str):
    """A DICOM unique identifier (PS3.5 §9.1)."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str, *, what: str = "UID") -> Self:
        """Return the UID in `text`, without the padding of PS3.5 §6.2.

        Components with leading zeros are let through: they break the letter of
        the standard, but devices in the field send them and the identity of
        the object is its exact text.

        Raises:
            InvalidIdentifier: empty, over 64 characters, or anything but
                digits and single dots between them.
        """
        stripped = text.rstrip("\0 ")
        if len(stripped) > _UID_LENGTH or not _UID_PATTERN.fullmatch(stripped, 0):
            raise InvalidIdentifier(
                f"{what} is not a DICOM UID",
                expected="1 to 64 characters, digits with single dots between",
                found=_shown(text),
                remedy="Correct the identifier at the sending device.",
            )
        return cls(stripped)

    @classmethod
    def from_uuid(cls, value: uuid.UUID) -> Self:
        """Return the UID that PS3.5 B.2 derives from a UUID (root 2.25)."""
        return cls(f"2.25.{value.int}")


class AeTitle(str):
    """A DICOM application entity title (PS3.5 §6.2, VR AE)."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str, *, what: str = "AE title") -> Self:
        """Return the AE title in `text`, surrounding spaces removed as not significant.

        Raises:
            InvalidIdentifier: empty, over 16 characters, a backslash or a
                control character, or not ASCII.
        """
        stripped = text.strip(" ")
        if (
            not 1 <= len(stripped) <= _AE_LENGTH
            or not stripped.isascii()
            or not stripped.isprintable()
            or "\\" in stripped
        ):
            raise InvalidIdentifier(
                f"{what} is not a DICOM application entity title",
                expected="1 to 16 printable ASCII characters without a backslash",
                found=_shown(text),
                remedy="Correct the AE title in the device's or the site's settings.",
            )
        return cls(stripped)


class Sha256(str):
    """A SHA-256 digest in 64 lower-case hexadecimal digits."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str, *, what: str = "SHA-256 digest") -> Self:
        """Return the digest in `text`.

        Raises:
            InvalidIdentifier: not exactly 64 lower-case hexadecimal digits.
        """
        if not _SHA256_PATTERN.fullmatch(text):
            raise InvalidIdentifier(
                f"{what} is not a SHA-256 digest",
                expected="64 hexadecimal digits",
                found=_shown(text),
            )
        return cls(text)
