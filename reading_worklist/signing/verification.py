"""Verification of a report, offline: what the file and the trust anchors prove, and no more.

A signature counts as VALID while its certificate is in force. Afterwards it is
INDETERMINATE unless a time stamp proves that it is older: then the certificate
is judged as of that time, and so is its revocation.
"""

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Final
from uuid import UUID

from cryptography import x509
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from reading_worklist.signing.authority import serial_of
from reading_worklist.signing.certificate_status import CertificateStatus, statuses
from reading_worklist.signing.container import carries_only, is_canonical
from reading_worklist.signing.existence import (
    CLOCK_ALLOWANCE,
    TimeStamp,
    proven_at,
    time_stamps,
)
from reading_worklist.signing.fields import SignatureRole
from reading_worklist.signing.pdf_objects import (
    asn1_of,
    certificate_answers,
    end_of,
    known_certificates,
    signature_fields,
    signer_certificate,
)
from reading_worklist.signing.trust import trust_problem
from reading_worklist.signing.verdicts import Reason, SignatureVerdict, Verdict, VerificationReport
from storage.clock import utc_now

_LOG: Final = logging.getLogger(__name__)
# pyHanko logs a traceback for each certificate that nobody vouches for. That is a verdict, not a
# failure, and anybody may send us such files.
logging.getLogger("pyhanko.sign.validation").setLevel(logging.CRITICAL)

BOTH: Final = (SignatureRole.WRITER, SignatureRole.REVIEWER)


def verify(
    pdf: bytes,
    trust_anchors: Sequence[str],
    *,
    expected: Mapping[SignatureRole, UUID] | None = None,
    required: Sequence[SignatureRole] = BOTH,
    revocations: Mapping[str, datetime] | None = None,
    holders: Mapping[str, UUID] | None = None,
    time_anchors: Sequence[str] = (),
    at: datetime | None = None,
) -> VerificationReport:
    """Verify a report's signatures.

    trust_anchors: PEM certificates of the authorities whose signatures count.
    expected: who must have signed in which role, where the records know.
    required: the roles whose signature must be there, in this order.
    revocations: when certificates were revoked, by serial number (upper-case hexadecimal).
    holders: whose certificates are, by serial number, where they do not say so themselves: those
        of other authorities do not name our people.
    time_anchors: PEM certificates of further authorities, whose time stamps count and nothing else.
    at: the time for which the question is asked; by default now.

    Never raises for what is in the file: a file that cannot be read is INVALID.
    """
    moment = at or utc_now()
    records = _Records(expected or {}, revocations or {}, holders or {})
    anchors = _load(trust_anchors)
    try:
        reader = PdfFileReader(BytesIO(pdf))
        known = known_certificates(reader)
        stamps = time_stamps(
            pdf,
            reader.embedded_timestamp_signatures,
            [*anchors, *_load(time_anchors)],
            moment,
            known,
        )
        said = statuses(certificate_answers(reader), anchors)
        check = _Check(pdf, anchors, known, records, moment)
        found = tuple(
            check.one(embedded, stamps, said) for embedded in reader.embedded_regular_signatures
        )
    # The file is hostile until proven otherwise, and a damaged one makes the parser fail in any
    # way it knows: every failure to read means the same.
    except Exception as error:  # noqa: BLE001
        _LOG.info("a document could not be verified: %s", type(error).__name__)
        return _report(pdf, (), [Reason.UNREADABLE], moment)
    return _report(pdf, found, _overall(found, required, stamps), moment)


def signer_serials(pdf: bytes) -> list[str]:
    """Return the serial numbers of the certificates that signed; none of a file without sense."""
    try:
        found = PdfFileReader(BytesIO(pdf)).embedded_regular_signatures
        return [serial_of(signer_certificate(one)) for one in found]
    # As in `verify`: a hostile file makes the parser fail in any way it knows.
    except Exception as error:  # noqa: BLE001
        _LOG.info("a document could not be read: %s", type(error).__name__)
        return []


def required_roles(pdf: bytes) -> tuple[SignatureRole, ...]:
    """Return whose signatures a file must bear, by the places it has for them; both when unknown.

    A report that one doctor may issue alone has a place for one. A place stands in what the writer
    signed, so that none can be taken out afterwards.
    """
    try:
        places = {field.name for field in signature_fields(pdf)}
    except (PdfError, KeyError, ValueError):
        return BOTH
    return tuple(role for role in BOTH if role.value in places) or BOTH


@dataclass(frozen=True, slots=True)
class _Records:
    expected: Mapping[SignatureRole, UUID]
    revocations: Mapping[str, datetime]
    holders: Mapping[str, UUID]


@dataclass(frozen=True, slots=True)
class _Check:
    """known: certificates that stand in the document itself, covered by its time stamp."""

    pdf: bytes
    anchors: list[x509.Certificate]
    known: list[x509.Certificate]
    records: _Records
    moment: datetime

    def one(
        self,
        embedded: EmbeddedPdfSignature,
        stamps: Sequence[TimeStamp],
        said: Mapping[str, CertificateStatus],
    ) -> SignatureVerdict:
        """Judge one signature. said: what the document holds on its signers' certificates."""
        certificate = signer_certificate(embedded)
        role = _role(embedded.field_name)
        proven = proven_at(end_of(embedded), stamps)
        # What is proven to be older than the question is judged as of then.
        moment = self.moment if proven is None else min(proven, self.moment)
        status = self._status(embedded, certificate, moment)
        claimed = embedded.self_reported_timestamp
        serial = serial_of(certificate)
        answered = said.get(serial)
        revoked = (self.records.revocations.get(serial), answered and answered.revoked_at)
        is_revoked = any(one is not None and one <= moment for one in revoked)
        reason = self._reason(embedded, status, certificate, claimed, moment, is_revoked=is_revoked)
        person = _person(certificate) or self.records.holders.get(serial)
        if reason.verdict is not Verdict.INVALID and role is not None:
            wanted = self.records.expected.get(role)
            reason = Reason.WRONG_PERSON if wanted is not None and wanted != person else reason
        return SignatureVerdict(
            role=role,
            field_name=embedded.field_name,
            verdict=reason.verdict,
            reason=reason,
            signer_name=_subject(certificate, NameOID.COMMON_NAME),
            person_id=person,
            organisation=_subject(certificate, NameOID.ORGANIZATION_NAME),
            certificate_serial=serial,
            certificate_not_after=certificate.not_valid_after_utc,
            signed_at=claimed,
            proven_at=proven,
            covers_file=status.coverage is SignatureCoverageLevel.ENTIRE_FILE,
        )

    def _status(
        self, embedded: EmbeddedPdfSignature, certificate: x509.Certificate, moment: datetime
    ) -> PdfSignatureStatus:
        # An expired certificate is judged as of its last day, so that whatever else is wrong with
        # it is still found; that it has expired is judged by `_reason`.
        moment = min(max(moment, certificate.not_valid_before_utc), certificate.not_valid_after_utc)
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
        moment: datetime,
        *,
        is_revoked: bool,
    ) -> Reason:
        """Return the gravest thing that is wrong: what is proven bad before what is unproven."""
        start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        latest = min(end, moment + CLOCK_ALLOWANCE)
        checks = (
            (Reason.CONTENT_CHANGED, lambda: not status.intact),
            (Reason.SIGNATURE_BROKEN, lambda: not status.valid),
            (Reason.CHANGED_AFTERWARDS, lambda: not _extended_lawfully(status)),
            (Reason.UNREADABLE, lambda: not is_canonical(self.pdf, embedded)),
            (Reason.TIME_IMPOSSIBLE, lambda: claimed is None or not start <= claimed <= latest),
            (trust_problem(status), lambda: trust_problem(status) is not Reason.NONE),
            (Reason.UNREADABLE, lambda: not carries_only(embedded, [*self.anchors, *self.known])),
            (Reason.REVOKED, lambda: is_revoked),
            (Reason.EXPIRED, lambda: not start <= moment <= end),
        )
        return next((reason for reason, fails in checks if fails()), Reason.NONE)


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


def _overall(
    found: Sequence[SignatureVerdict],
    required: Sequence[SignatureRole],
    stamps: Sequence[TimeStamp],
) -> list[Reason]:
    """Return everything that is wrong with the document as a whole."""
    reasons = [signature.reason for signature in found]
    # A time stamp that proves nothing takes nothing away; an altered one does.
    reasons += [one.reason for one in stamps if one.reason.verdict is Verdict.INVALID]
    roles = [signature.role for signature in found]
    if any(role not in roles for role in required):
        reasons.append(Reason.SIGNATURE_MISSING)
    if None in roles or len(set(roles)) != len(roles):
        reasons.append(Reason.SIGNATURE_UNEXPECTED)
    people = [signature.person_id or signature.certificate_serial for signature in found]
    if len(set(people)) != len(people):
        reasons.append(Reason.SAME_PERSON)
    # Behind the last signature nothing may stand: whatever it is, no one has signed it.
    if found and not (stamps or found)[-1].covers_file:
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
