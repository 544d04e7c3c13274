"""Verification of a report, offline: what the file and the trust anchors prove, and no more.

A signature counts as VALID while its certificate is in force. Afterwards it is
INDETERMINATE, since without a time stamp nothing proves that it was not made
with an expired key; time stamps and long-term data raise that later.
"""

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from typing import Final
from uuid import UUID

from cryptography import x509
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESIndeterminate
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from reading_worklist.signing.authority import serial_of
from reading_worklist.signing.container import carries_only, is_canonical
from reading_worklist.signing.fields import SignatureRole
from reading_worklist.signing.pdf_objects import asn1_of, signer_certificate
from reading_worklist.signing.verdicts import Reason, SignatureVerdict, Verdict, VerificationReport
from storage.clock import utc_now

_LOG: Final = logging.getLogger(__name__)

BOTH: Final = (SignatureRole.WRITER, SignatureRole.REVIEWER)
# How far a signer's clock may be ahead of the verifier's.
_CLOCK_ALLOWANCE: Final = timedelta(minutes=5)

_TRUST_REASONS: Final = {
    AdESIndeterminate.OUT_OF_BOUNDS_NO_POE: Reason.EXPIRED,
    AdESIndeterminate.OUT_OF_BOUNDS_NOT_REVOKED: Reason.EXPIRED,
    AdESIndeterminate.EXPIRED: Reason.EXPIRED,
    AdESIndeterminate.REVOKED_NO_POE: Reason.REVOKED,
    AdESIndeterminate.REVOKED_CA_NO_POE: Reason.REVOKED,
    AdESIndeterminate.CHAIN_CONSTRAINTS_FAILURE: Reason.WRONG_PURPOSE,
    AdESIndeterminate.SIG_CONSTRAINTS_FAILURE: Reason.WRONG_PURPOSE,
    AdESIndeterminate.CRYPTO_CONSTRAINTS_FAILURE: Reason.ALGORITHM,
    AdESIndeterminate.CRYPTO_CONSTRAINTS_FAILURE_NO_POE: Reason.ALGORITHM,
}


def verify(
    pdf: bytes,
    trust_anchors: Sequence[str],
    *,
    expected: Mapping[SignatureRole, UUID] | None = None,
    required: Sequence[SignatureRole] = BOTH,
    revocations: Mapping[str, datetime] | None = None,
    at: datetime | None = None,
) -> VerificationReport:
    """Verify a report's signatures.

    trust_anchors: PEM certificates of the authorities whose signatures count.
    expected: who must have signed in which role, where the records know.
    required: the roles whose signature must be there, in this order.
    revocations: when certificates were revoked, by serial number (upper-case hexadecimal).
    at: the time for which the question is asked; by default now.

    Never raises for what is in the file: a file that cannot be read is INVALID.
    """
    moment = at or utc_now()
    check = _Check(pdf, _load(trust_anchors), expected or {}, revocations or {}, moment)
    try:
        reader = PdfFileReader(BytesIO(pdf))
        found = tuple(check.one(embedded) for embedded in reader.embedded_regular_signatures)
    # The file is hostile until proven otherwise, and a damaged one makes the parser fail in any
    # way it knows: every failure to read means the same.
    except Exception as error:  # noqa: BLE001
        _LOG.info("a document could not be verified: %s", type(error).__name__)
        return _report(pdf, (), [Reason.UNREADABLE], moment)
    return _report(pdf, found, _overall(found, required), moment)


@dataclass(frozen=True, slots=True)
class _Check:
    pdf: bytes
    anchors: list[x509.Certificate]
    expected: Mapping[SignatureRole, UUID]
    revocations: Mapping[str, datetime]
    moment: datetime

    def one(self, embedded: EmbeddedPdfSignature) -> SignatureVerdict:
        """Judge one signature."""
        certificate = signer_certificate(embedded)
        role = _role(embedded.field_name)
        status = self._status(embedded, certificate)
        claimed = embedded.self_reported_timestamp
        reason = self._reason(embedded, status, certificate, claimed)
        person = _person(certificate)
        if reason.verdict is not Verdict.INVALID and role is not None:
            wanted = self.expected.get(role)
            reason = Reason.WRONG_PERSON if wanted is not None and wanted != person else reason
        return SignatureVerdict(
            role=role,
            field_name=embedded.field_name,
            verdict=reason.verdict,
            reason=reason,
            signer_name=_subject(certificate, NameOID.COMMON_NAME),
            person_id=person,
            organisation=_subject(certificate, NameOID.ORGANIZATION_NAME),
            certificate_serial=serial_of(certificate),
            certificate_not_after=certificate.not_valid_after_utc,
            signed_at=claimed,
            covers_file=status.coverage is SignatureCoverageLevel.ENTIRE_FILE,
        )

    def _status(
        self, embedded: EmbeddedPdfSignature, certificate: x509.Certificate
    ) -> PdfSignatureStatus:
        # An expired certificate is judged as of its last day, so that whatever else is wrong with
        # it is still found; that it has expired is judged by `_reason`.
        moment = min(
            max(self.moment, certificate.not_valid_before_utc), certificate.not_valid_after_utc
        )
        context = ValidationContext(
            trust_roots=[asn1_of(anchor) for anchor in self.anchors],
            allow_fetching=False,
            moment=moment,
        )
        return validate_pdf_signature(embedded, signer_validation_context=context)

    def _reason(
        self,
        embedded: EmbeddedPdfSignature,
        status: PdfSignatureStatus,
        certificate: x509.Certificate,
        claimed: datetime | None,
    ) -> Reason:
        """Return the gravest thing that is wrong: what is proven bad before what is unproven."""
        start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        latest = min(end, self.moment + _CLOCK_ALLOWANCE)
        revoked_at = self.revocations.get(serial_of(certificate))
        checks = (
            (Reason.CONTENT_CHANGED, lambda: not status.intact),
            (Reason.SIGNATURE_BROKEN, lambda: not status.valid),
            (Reason.CHANGED_AFTERWARDS, lambda: not _extended_lawfully(status)),
            (Reason.UNREADABLE, lambda: not is_canonical(self.pdf, embedded)),
            (Reason.TIME_IMPOSSIBLE, lambda: claimed is None or not start <= claimed <= latest),
            (_trust_problem(status), lambda: _trust_problem(status) is not Reason.NONE),
            (Reason.UNREADABLE, lambda: not carries_only(embedded, self.anchors)),
            (Reason.REVOKED, lambda: revoked_at is not None and revoked_at <= self.moment),
            (Reason.EXPIRED, lambda: not start <= self.moment <= end),
        )
        return next((reason for reason, fails in checks if fails()), Reason.NONE)


def _trust_problem(status: PdfSignatureStatus) -> Reason:
    """Return why the certificate is not trusted, or NONE when it is."""
    problem = status.trust_problem_indic
    if problem is None:
        return Reason.NONE if status.validation_path is not None else Reason.UNTRUSTED
    if isinstance(problem, AdESIndeterminate):
        return _TRUST_REASONS.get(problem, Reason.UNTRUSTED)
    return Reason.UNTRUSTED


def _extended_lawfully(status: PdfSignatureStatus) -> bool:
    """Tell whether all that was added after a signature is further signatures and their data."""
    if status.coverage is SignatureCoverageLevel.ENTIRE_FILE:
        return True
    level = status.modification_level
    return (
        status.coverage is SignatureCoverageLevel.ENTIRE_REVISION
        and status.docmdp_ok is True
        and level is not None
        and level.value <= ModificationLevel.FORM_FILLING.value
    )


def _overall(found: Sequence[SignatureVerdict], required: Sequence[SignatureRole]) -> list[Reason]:
    """Return everything that is wrong with the document as a whole."""
    reasons = [signature.reason for signature in found]
    roles = [signature.role for signature in found]
    if any(role not in roles for role in required):
        reasons.append(Reason.SIGNATURE_MISSING)
    if None in roles or len(set(roles)) != len(roles):
        reasons.append(Reason.SIGNATURE_UNEXPECTED)
    people = [signature.person_id or signature.certificate_serial for signature in found]
    if len(set(people)) != len(people):
        reasons.append(Reason.SAME_PERSON)
    # Behind the last signature nothing may stand: whatever it is, no one has signed it.
    if found and not found[-1].covers_file:
        reasons.append(Reason.CHANGED_AFTERWARDS)
    return reasons


def _report(
    pdf: bytes, found: tuple[SignatureVerdict, ...], reasons: Iterable[Reason], moment: datetime
) -> VerificationReport:
    order = (Verdict.INVALID, Verdict.INDETERMINATE, Verdict.VALID)
    worst = min(reasons, key=lambda reason: order.index(reason.verdict), default=Reason.NONE)
    return VerificationReport(
        verdict=worst.verdict,
        reason=worst,
        signatures=found,
        sha256=hashlib.sha256(pdf).hexdigest(),
        verified_at=moment,
    )


def _load(anchors: Iterable[str]) -> list[x509.Certificate]:
    return [
        certificate
        for anchor in anchors
        for certificate in x509.load_pem_x509_certificates(anchor.encode("ascii"))
    ]


def _role(field_name: str) -> SignatureRole | None:
    return next((role for role in SignatureRole if role.value == field_name), None)


def _subject(certificate: x509.Certificate, attribute: x509.ObjectIdentifier) -> str | None:
    values = certificate.subject.get_attributes_for_oid(attribute)
    return str(values[0].value) if values else None


def _person(certificate: x509.Certificate) -> UUID | None:
    """Return the person a certificate names by serialNumber, or None for one of another scheme."""
    try:
        return UUID(_subject(certificate, NameOID.SERIAL_NUMBER) or "")
    except ValueError:
        return None
