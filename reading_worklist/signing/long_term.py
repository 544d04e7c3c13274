"""What keeps a finished report verifiable for decades: PAdES-B-LTA (ETSI EN 319 142-1 §5.5).

Behind the last signature comes one more incremental update. It holds the certificates, what the
centre says of each at that moment (OCSP), and a time stamp over the whole file. From then on a
certificate that ends or is revoked takes nothing from the report: it was good when it signed, and
the time is proven.

An outside authority stamps the time where one is set up. Where it does not answer, or answers what
does not verify, the centre's own clock stamps instead, and the result says so: a report is not kept
from its patient by somebody else's clock, and the outside stamp is added later.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any, Final, cast

from asn1crypto import ocsp as asn1_ocsp
from cryptography import x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.signers.pdf_signer import PdfTimeStamper
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.validation.dss import DocumentSecurityStore

from reading_worklist.signing import time_authority
from reading_worklist.signing.authority import issued_by, serial_of
from reading_worklist.signing.certificate_status import answer
from reading_worklist.signing.existence import CLOCK_ALLOWANCE, time_stamps
from reading_worklist.signing.pdf_objects import (
    asn1_of,
    generated_at,
    known_certificates,
    signer_certificate,
)
from reading_worklist.signing.service_keys import ServiceKeys
from reading_worklist.signing.time_authority import HttpTimeStamper, TimeAuthority
from reading_worklist.signing.time_stamps import DIGEST, CentreTimeStamper
from reading_worklist.signing.verdicts import Reason

CENTRE: Final = "centre"
_FIELD: Final = "time-stamp"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LastStamp:
    """The newest time stamp of a file: when, and until when it proves anything by itself."""

    at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Stamped:
    """A finished report with one more time stamp.

    by: "centre", or the name of the outside authority. ends_at: see `LastStamp`.
    shortfall: why the outside authority did not stamp; empty when it did, or none is set up.
    """

    pdf: bytes
    by: str
    at: datetime
    ends_at: datetime
    shortfall: str = ""


@dataclass(frozen=True, slots=True)
class _Clock:
    """Who stamps, over which digest.

    certificates: the stamper's and those who vouch for it. room: for a token, see `room_for`;
        None where the first answer tells it.
    """

    stamper: TimeStamper
    digest: str
    certificates: Sequence[x509.Certificate]
    room: int | None = None


@dataclass(frozen=True, slots=True)
class LongTerm:
    """Adds to finished reports what proves them later.

    keys: those of the centre's services. outside: the authority that stamps the time, where not
        the centre does.
    """

    keys: ServiceKeys
    outside: TimeAuthority | None = None

    def conclude(
        self, pdf: bytes, *, at: datetime, revocations: Mapping[str, datetime] | None = None
    ) -> bytes:
        """Return a report that nobody will sign any more with its evidence and time stamp.

        See `stamp`.
        """
        return self.stamp(pdf, at=at, revocations=revocations).pdf

    def stamp(
        self, pdf: bytes, *, at: datetime, revocations: Mapping[str, datetime] | None = None
    ) -> Stamped:
        """Add evidence and a time stamp, and say whose.

        at: the time, aware; the centre's clock stamps it to the second.
        revocations: when signers' certificates were revoked, by serial number (upper-case
            hexadecimal); those not in it are vouched for. For certificates that others issued the
            centre vouches nothing.

        Call it from a worker thread, outside of a database transaction: pyHanko runs an event loop.
        """
        known = revocations or {}
        if self.outside is None:
            return self._by_centre(pdf, at, known, shortfall="")
        # Anything may come from a stranger's server, and the parser fails in any way it knows; in
        # each case the centre stamps instead.
        try:
            return self._by_outside(self.outside, pdf, at, known)
        except Exception as error:  # noqa: BLE001
            why = str(error)[:200] or type(error).__name__
            _log.warning(
                "the outside authority stamped no time: the centre's clock does",
                extra={"authority": self.outside.name, "error": type(error).__name__},
            )
            return self._by_centre(pdf, at, known, shortfall=why)

    def _by_centre(
        self, pdf: bytes, at: datetime, known: Mapping[str, datetime], *, shortfall: str
    ) -> Stamped:
        time = self.keys.time_stamping
        certificates = (time.certificate, time.issuer)
        stamper = CentreTimeStamper(time, at)
        clock = _Clock(stamper, DIGEST, certificates, stamper.room)
        stamped = self._with_stamp(pdf, at, known, clock)
        return Stamped(stamped, CENTRE, at, time.certificate.not_valid_after_utc, shortfall)

    def _by_outside(
        self, authority: TimeAuthority, pdf: bytes, at: datetime, known: Mapping[str, datetime]
    ) -> Stamped:
        stamper = HttpTimeStamper(authority)
        clock = _Clock(stamper, time_authority.DIGEST, stamper.certificates())
        stamped = self._with_stamp(pdf, at, known, clock)
        reader = PdfFileReader(BytesIO(stamped))
        anchors = authority.anchors()
        *_, last = time_stamps(
            stamped,
            reader.embedded_timestamp_signatures[-1:],
            anchors,
            at + CLOCK_ALLOWANCE,
            known_certificates(reader),
        )
        if last.reason is not Reason.NONE:
            raise ValueError(last.reason.value)
        if abs(last.at - at) > CLOCK_ALLOWANCE:
            message = f"its clock says {last.at:%Y-%m-%d %H:%M:%S} UTC"
            raise ValueError(message)
        return Stamped(stamped, authority.name, last.at, last.ends_at)

    def _with_stamp(
        self, pdf: bytes, at: datetime, known: Mapping[str, datetime], clock: _Clock
    ) -> bytes:
        reader = PdfFileReader(BytesIO(pdf))
        signed_by = _signers(reader)
        field = f"{_FIELD}-{len(reader.embedded_timestamp_signatures) + 1}"
        status = self.keys.certificate_status
        answers = [
            answer(status, one, at=at, revoked_at=known.get(serial_of(one)))
            for one in (*signed_by, *clock.certificates)
            if one != status.issuer and issued_by(one, status.issuer)
        ]
        update = IncrementalPdfFileWriter(BytesIO(pdf))
        cast("Any", DocumentSecurityStore).supply_dss_in_writer(
            update,
            None,
            certs=[asn1_of(one) for one in (*signed_by, *clock.certificates)],
            ocsps=[cast("Any", asn1_ocsp.OCSPResponse).load(der) for der in answers],
        )
        output = BytesIO()
        cast("Any", PdfTimeStamper(clock.stamper, field_name=field)).timestamp_pdf(
            update, clock.digest, bytes_reserved=clock.room, output=output
        )
        return output.getvalue()


def last_stamp(pdf: bytes) -> LastStamp | None:
    """Return the newest time stamp of a file of ours, None when it has none."""
    found = PdfFileReader(BytesIO(pdf)).embedded_timestamp_signatures
    if not found:
        return None
    return LastStamp(generated_at(found[-1]), signer_certificate(found[-1]).not_valid_after_utc)


def _signers(reader: PdfFileReader) -> Sequence[x509.Certificate]:
    found = [signer_certificate(one) for one in reader.embedded_regular_signatures]
    return list({serial_of(one): one for one in found}.values())
