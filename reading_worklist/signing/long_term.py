"""What keeps a finished report verifiable for decades: PAdES-B-LTA (ETSI EN 319 142-1 §5.5).

Behind the last signature comes one more incremental update. It holds the certificates, what the
centre says of each at that moment (OCSP), and a time stamp over the whole file. From then on a
certificate that ends or is revoked takes nothing from the report: it was good when it signed, and
the time is proven.
"""

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
from pyhanko.sign.validation.dss import DocumentSecurityStore

from reading_worklist.signing.authority import serial_of
from reading_worklist.signing.certificate_status import answer
from reading_worklist.signing.pdf_objects import asn1_of, signer_certificate
from reading_worklist.signing.service_keys import ServiceKeys
from reading_worklist.signing.time_stamps import DIGEST, CentreTimeStamper

_FIELD: Final = "time-stamp"


@dataclass(frozen=True, slots=True)
class LongTerm:
    """Adds to finished reports what proves them later. keys: those of the centre's services."""

    keys: ServiceKeys

    def conclude(
        self, pdf: bytes, *, at: datetime, revocations: Mapping[str, datetime] | None = None
    ) -> bytes:
        """Return a report that nobody will sign any more with its evidence and time stamp.

        at: the time, aware; it is stamped to the second.
        revocations: when signers' certificates were revoked, by serial number (upper-case
            hexadecimal); those not in it are vouched for.

        Call it from a worker thread, outside of a database transaction: pyHanko runs an event loop.
        """
        reader = PdfFileReader(BytesIO(pdf))
        signed_by = _signers(reader)
        field = f"{_FIELD}-{len(reader.embedded_timestamp_signatures) + 1}"
        status, time = self.keys.certificate_status, self.keys.time_stamping
        known = revocations or {}
        answers = [
            answer(status, one, at=at, revoked_at=known.get(serial_of(one)))
            for one in (*signed_by, time.certificate)
        ]
        certificates = (*signed_by, time.certificate, time.issuer)
        update = IncrementalPdfFileWriter(BytesIO(pdf))
        cast("Any", DocumentSecurityStore).supply_dss_in_writer(
            update,
            None,
            certs=[asn1_of(one) for one in certificates],
            ocsps=[cast("Any", asn1_ocsp.OCSPResponse).load(der) for der in answers],
        )
        output = BytesIO()
        cast("Any", PdfTimeStamper(CentreTimeStamper(time, at), field_name=field)).timestamp_pdf(
            update, DIGEST, output=output
        )
        return output.getvalue()


def signer_serials(pdf: bytes) -> list[str]:
    """Return the serial numbers (upper-case hexadecimal) of the certificates that signed."""
    return [serial_of(one) for one in _signers(PdfFileReader(BytesIO(pdf)))]


def _signers(reader: PdfFileReader) -> Sequence[x509.Certificate]:
    found = [signer_certificate(one) for one in reader.embedded_regular_signatures]
    return list({serial_of(one): one for one in found}.values())
