"""Whether a certificate was good at a time: OCSP (RFC 6960), kept in the report for later.

Who verifies a report in twenty years can ask nobody any more. The answer that the centre gave
when the report was signed travels in it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from reading_worklist.signing.service_keys import ServiceKey

# Those who cache the answer ask again after a day; what is in a report is never asked again.
ANSWER_GOOD_FOR: Final = timedelta(days=1)


class Unknown:
    """A certificate that is not on record."""


UNKNOWN: Final = Unknown()


@dataclass(frozen=True, slots=True)
class CertificateStatus:
    """What was said of one certificate: revoked_at is None when it was good at `said_at`."""

    said_at: datetime
    revoked_at: datetime | None


def answer(
    service: ServiceKey,
    certificate: x509.Certificate,
    *,
    at: datetime,
    revoked_at: datetime | None,
) -> bytes:
    """Return a signed answer on a certificate that the service's authority issued, DER.

    at: when it is given; a later `revoked_at` is not known then.
    """
    is_revoked = revoked_at is not None and revoked_at <= at
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=certificate,
        issuer=service.issuer,
        # Names the certificate, protects nothing; the one that every verifier knows (RFC 5019).
        algorithm=hashes.SHA1(),  # noqa: S303 -- see above
        cert_status=ocsp.OCSPCertStatus.REVOKED if is_revoked else ocsp.OCSPCertStatus.GOOD,
        this_update=at,
        next_update=at + ANSWER_GOOD_FOR,
        revocation_time=revoked_at if is_revoked else None,
        revocation_reason=None,
    )
    return (
        builder.responder_id(ocsp.OCSPResponderEncoding.HASH, service.certificate)
        .certificates([service.certificate])
        .sign(service.key, hashes.SHA384())
        .public_bytes(serialization.Encoding.DER)
    )


def respond(
    service: ServiceKey,
    request: bytes,
    revocations: Callable[[str], datetime | Unknown | None],
    *,
    at: datetime,
) -> bytes:
    """Answer a request for the status of one certificate (RFC 6960 §4), DER.

    revocations: tells by the serial number (upper-case hexadecimal) when a certificate was revoked,
        None for one in force, UNKNOWN for one that is not on record.

    What cannot be read is "malformed", what is asked of another authority "unauthorized".
    """
    try:
        asked = ocsp.load_der_ocsp_request(request)
        algorithm = asked.hash_algorithm
    except (ValueError, NotImplementedError, UnsupportedAlgorithm):
        return _refused(ocsp.OCSPResponseStatus.MALFORMED_REQUEST)
    if not _asked_of(asked, algorithm, service.issuer):
        return _refused(ocsp.OCSPResponseStatus.UNAUTHORIZED)
    revoked_at = revocations(f"{asked.serial_number:X}")
    status = ocsp.OCSPCertStatus.GOOD
    if isinstance(revoked_at, Unknown):
        status, revoked_at = ocsp.OCSPCertStatus.UNKNOWN, None
    elif revoked_at is not None:
        status = ocsp.OCSPCertStatus.REVOKED
    builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
        issuer_name_hash=asked.issuer_name_hash,
        issuer_key_hash=asked.issuer_key_hash,
        serial_number=asked.serial_number,
        algorithm=algorithm,
        cert_status=status,
        this_update=at,
        next_update=at + ANSWER_GOOD_FOR,
        revocation_time=revoked_at,
        revocation_reason=None,
    )
    for extension in asked.extensions:
        if isinstance(extension.value, x509.OCSPNonce):
            builder = builder.add_extension(extension.value, critical=False)
    return (
        builder.responder_id(ocsp.OCSPResponderEncoding.HASH, service.certificate)
        .certificates([service.certificate])
        .sign(service.key, hashes.SHA384())
        .public_bytes(serialization.Encoding.DER)
    )


def _asked_of(
    asked: ocsp.OCSPRequest, algorithm: hashes.HashAlgorithm, issuer: x509.Certificate
) -> bool:
    """Tell whether the certificate asked for is one of this issuer's (RFC 6960 §4.1.1)."""
    names, key = hashes.Hash(algorithm), hashes.Hash(algorithm)
    names.update(issuer.subject.public_bytes())
    identifier = issuer.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    key.update(identifier)
    return (names.finalize(), key.finalize()) == (asked.issuer_name_hash, asked.issuer_key_hash)


def _refused(status: ocsp.OCSPResponseStatus) -> bytes:
    answered = ocsp.OCSPResponseBuilder.build_unsuccessful(status)
    return answered.public_bytes(serialization.Encoding.DER)


def statuses(
    answers: Iterable[bytes], anchors: Iterable[x509.Certificate]
) -> dict[str, CertificateStatus]:
    """Return what trustworthy answers say, by the certificate's serial number; of several the last.

    An answer that is no OCSP, or not from a service that one of the anchors appointed, says
    nothing.
    """
    found: dict[str, CertificateStatus] = {}
    trusted = tuple(anchors)
    for der in answers:
        try:
            response = ocsp.load_der_ocsp_response(der)
            if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
                continue
            said_at = response.this_update_utc
            if not _appointed(response, trusted, said_at):
                continue
            revoked_at = response.revocation_time_utc
            is_known = response.certificate_status is not ocsp.OCSPCertStatus.UNKNOWN
        except (ValueError, UnsupportedAlgorithm):
            continue
        serial = f"{response.serial_number:X}"
        if is_known and (serial not in found or found[serial].said_at < said_at):
            found[serial] = CertificateStatus(said_at, revoked_at)
    return found


def _appointed(
    response: ocsp.OCSPResponse, anchors: Iterable[x509.Certificate], said_at: datetime
) -> bool:
    """Tell whether an authority's responder, in force then, signed this on a certificate of it."""
    if len(response.certificates) != 1 or response.signature_hash_algorithm is None:
        return False
    responder = response.certificates[0]
    key = responder.public_key()
    try:
        purposes = responder.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        if not isinstance(key, ec.EllipticCurvePublicKey):
            return False
        key.verify(
            response.signature,
            response.tbs_response_bytes,
            ec.ECDSA(response.signature_hash_algorithm),
        )
    except (InvalidSignature, x509.ExtensionNotFound):
        return False
    in_force = responder.not_valid_before_utc <= said_at <= responder.not_valid_after_utc
    return (
        in_force
        and ExtendedKeyUsageOID.OCSP_SIGNING in purposes
        and any(_speaks_for(response, responder, anchor) for anchor in anchors)
    )


def _speaks_for(
    response: ocsp.OCSPResponse, responder: x509.Certificate, anchor: x509.Certificate
) -> bool:
    try:
        responder.verify_directly_issued_by(anchor)
    except (InvalidSignature, ValueError, TypeError):
        return False
    named = x509.SubjectKeyIdentifier.from_public_key(anchor.public_key()).digest  # pyright: ignore[reportArgumentType] -- a certificate's key is one that can be in a certificate
    return isinstance(response.hash_algorithm, hashes.SHA1) and response.issuer_key_hash == named
