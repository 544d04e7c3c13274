"""Certificates that their authority took back: a file of revocation lists (RFC 5280 §5).

Whoever listens asks at every connection or request. The file is looked at each time and read again
when it is another one, so that a certificate is refused from the moment the list is put in place.

A list that is out of date still refuses whom it names and lets the others in: that somebody forgot
to renew it must not stop the images of a county. `rdc doctor` tells it.
"""

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509

from storage.errors import RdcError

_BEGIN: Final = b"-----BEGIN X509 CRL-----"

_log = logging.getLogger(__name__)


class RevocationListUnusable(RdcError):
    """A file of revocation lists cannot be read, or is not of an authority that is believed."""


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read of a file that was as `state` says."""

    state: tuple[int, ...] | None
    lists: tuple[x509.CertificateRevocationList, ...] = ()


class RevocationLists:
    """The lists of one file, as they are now; for any number of threads."""

    def __init__(self, file: Path, authorities: Path | None = None) -> None:
        """Read the file; one that is not there names nobody until it is.

        file: PEM with one list or more, of one authority each, or DER with one.
        authorities: PEM certificates of those whose lists are believed; None: nobody's signature is
            looked at, and whoever can write the file is believed.

        Raises:
            RevocationListUnusable: it is no such file, or nobody who is believed signed it.
        """
        self._file = file
        self._authorities = authorities
        self._read = self._now(_state(file))

    @property
    def exists(self) -> bool:
        """Whether the file was there when it was read last."""
        return self._read.state is not None

    @property
    def next_update(self) -> datetime | None:
        """When the first of the lists is out of date, in UTC; None where none says it."""
        ends = [one.next_update_utc for one in self._read.lists]
        return min((end for end in ends if end is not None), default=None)

    def revokes(self, encoded: bytes) -> bool:
        """Tell whether the list of its issuer names a certificate, in DER.

        What is no certificate is as good as revoked: nothing can be said for it.
        """
        self._look()
        try:
            shown = x509.load_der_x509_certificate(encoded)
        except ValueError:
            return True
        return any(
            one.issuer == shown.issuer
            and one.get_revoked_certificate_by_serial_number(shown.serial_number) is not None
            for one in self._read.lists
        )

    def _look(self) -> None:
        state = _state(self._file)
        before = self._read
        if state == before.state:
            return
        try:
            self._read = self._now(state)
        except RevocationListUnusable as error:
            # Half a copy, or somebody's mistake: what was known of it still holds.
            self._read = _Read(state, before.lists)
            _log.error("revocation list not read", extra={"why": error.what, "found": error.found})
            return
        if state is None:
            self._read = _Read(None, before.lists)
            _log.error("revocation list is gone", extra={"why": f"{self._file} is not there"})
            return
        entries = sum(len(one) for one in self._read.lists)
        _log.info("revocation list read", extra={"entries": entries})

    def _now(self, state: tuple[int, ...] | None) -> _Read:
        if state is None:
            return _Read(None)
        try:
            lists = _parsed(self._file.read_bytes())
            believed = self._authorities and x509.load_pem_x509_certificates(
                self._authorities.read_bytes()
            )
        except (OSError, ValueError) as error:
            raise RevocationListUnusable(
                f"the revocation list {self._file} cannot be used",
                expected="certificate revocation lists in PEM, or one in DER",
                found=str(error)[:200],
                remedy="Make it anew with `rdc tls crl`, or fetch it again from its authority.",
            ) from error
        for one in lists:
            _check(one, believed, self._file)
        return _Read(state, lists)


def _state(file: Path) -> tuple[int, ...] | None:
    """Return what tells one content of a file from the next; None where there is no file."""
    try:
        found = os.stat(file)  # noqa: PTH116 -- at every request
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def _parsed(data: bytes) -> tuple[x509.CertificateRevocationList, ...]:
    if _BEGIN not in data:
        return (x509.load_der_x509_crl(data),)
    blocks = data.split(_BEGIN)[1:]
    return tuple(x509.load_pem_x509_crl(_BEGIN + block) for block in blocks)


def _check(
    one: x509.CertificateRevocationList, believed: Sequence[x509.Certificate] | None, file: Path
) -> None:
    """Refuse a list that says less or other than whom its issuer took back, or is nobody's."""
    partial = False
    for extension in one.extensions:
        value = extension.value
        indirect = isinstance(value, x509.IssuingDistributionPoint) and value.indirect_crl
        partial |= indirect or isinstance(value, x509.DeltaCRLIndicator)
    if partial:
        raise RevocationListUnusable(
            f"the revocation list {file} is no whole one",
            expected="the full list of one authority, neither delta nor indirect (RFC 5280 §5.2)",
            remedy="Fetch the authority's base list.",
        )
    if believed is not None and not any(
        authority.subject == one.issuer and _signed(one, authority) for authority in believed
    ):
        raise RevocationListUnusable(
            f"the revocation list {file} is of nobody who is believed here",
            expected="a signature of one of the authorities that may issue certificates",
            found=one.issuer.rfc4514_string()[:100],
            remedy="Put the list of that authority there, whole.",
        )


def _signed(one: x509.CertificateRevocationList, authority: x509.Certificate) -> bool:
    try:
        return one.is_signature_valid(authority.public_key())  # pyright: ignore[reportArgumentType] -- others are refused
    except (TypeError, ValueError):
        return False
