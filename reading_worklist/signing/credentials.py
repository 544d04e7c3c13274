"""People's signing keys on record: made here or kept elsewhere, taken into force and out of it.

What opens them is in `unlocking`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from reading_worklist.signing.authority import Authority, issued_by, serial_of
from reading_worklist.signing.errors import CredentialExists, CredentialMissing, CredentialUnfit
from reading_worklist.signing.pins import check_pin
from reading_worklist.signing.providers.port import ProviderKind
from reading_worklist.signing.providers.sealed import FULL_COST, GuessCost, seal
from reading_worklist.signing.tables import SigningCredential


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A new key, sealed under its person's PIN, and the certificate for it; nowhere kept yet."""

    person_id: UUID
    certificate: x509.Certificate
    chain_pem: str
    sealed: bytes
    derivation: str


def issue_credential(
    session: Session,
    authority: Authority,
    *,
    person_id: UUID,
    display_name: str,
    organisation: str,
    pin: str,
    replace: bool = False,
    not_before: datetime | None = None,
    not_after: datetime | None = None,
    cost: GuessCost = FULL_COST,
) -> SigningCredential:
    """Make a key and certificate for a person, in the caller's transaction.

    organisation: the name written into the certificate, of the organisation the person signs for.
    replace: revoke the key in force first, as when the PIN was forgotten.
    cost: what a guess at the PIN costs; less than the default only where nothing is at stake.

    Raises:
        PinTooWeak: the PIN is not acceptable.
        CredentialExists: the person has a key in force and `replace` is false.
    """
    if not replace and (live := live_credential(session, person_id)) is not None:
        raise _exists(live)
    made = make_key(
        authority,
        person_id=person_id,
        display_name=display_name,
        organisation=organisation,
        pin=pin,
        not_before=not_before,
        not_after=not_after,
        cost=cost,
    )
    return keep_credential(session, made, replace=replace)


def make_key(
    authority: Authority,
    *,
    person_id: UUID,
    display_name: str,
    organisation: str,
    pin: str,
    not_before: datetime | None = None,
    not_after: datetime | None = None,
    cost: GuessCost = FULL_COST,
) -> MadeKey:
    """Make a key and certificate for a person, as `issue_credential` does, in no transaction.

    Sealing takes a good part of a second on purpose.

    Raises:
        PinTooWeak: the PIN is not acceptable.
    """
    check_pin(pin)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = authority.issue(
        key.public_key(),
        person_id=person_id,
        display_name=display_name,
        organisation=organisation,
        not_before=not_before,
        not_after=not_after,
    )
    serial = serial_of(certificate)
    secret = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    sealed, derivation = seal(secret, pin, person_id=person_id, serial=serial, cost=cost)
    return MadeKey(
        person_id, certificate, pem_of(certificate) + authority.certificate_pem, sealed, derivation
    )


def keep_credential(session: Session, made: MadeKey, *, replace: bool = False) -> SigningCredential:
    """Take a key that was made into force.

    replace: revoke the key in force first.

    Raises:
        CredentialExists: the person has a key in force and `replace` is false.
    """
    _make_room(session, made.person_id, replace=replace)
    credential = SigningCredential(
        person_id=made.person_id,
        serial=serial_of(made.certificate),
        certificate_chain_pem=made.chain_pem,
        provider=ProviderKind.SEALED,
        sealed_key=made.sealed,
        key_derivation=made.derivation,
        not_before=made.certificate.not_valid_before_utc,
        not_after=made.certificate.not_valid_after_utc,
    )
    session.add(credential)
    session.flush()
    return credential


def register_credential(
    session: Session,
    *,
    person_id: UUID,
    provider: ProviderKind,
    chain: Sequence[x509.Certificate],
    place: Mapping[str, str],
    replace: bool = False,
) -> SigningCredential:
    """Record a key that is kept elsewhere, in the caller's transaction.

    chain: the person's certificate, then its issuers. place: see the provider.
    replace: revoke the key in force first.

    Raises:
        CredentialExists: the person has a key in force and `replace` is false.
    """
    _make_room(session, person_id, replace=replace)
    credential = SigningCredential(
        person_id=person_id,
        serial=serial_of(chain[0]),
        certificate_chain_pem="".join(pem_of(one) for one in chain),
        provider=provider,
        key_place=dict(place),
        not_before=chain[0].not_valid_before_utc,
        not_after=chain[0].not_valid_after_utc,
    )
    session.add(credential)
    session.flush()
    return credential


def require_fit(chain: Sequence[x509.Certificate], trust_anchors: Sequence[str]) -> None:
    """Pass when reports may be signed with a certificate that somebody else issued.

    trust_anchors: PEM certificates of the authorities whose signatures count.

    Raises:
        CredentialUnfit: what it lacks. Its signatures would verify for nobody.
    """
    anchors = [
        one for pem in trust_anchors for one in x509.load_pem_x509_certificates(pem.encode("ascii"))
    ]
    certificate = chain[0]
    if not any(issued_by(certificate, anchor) for anchor in anchors):
        raise CredentialUnfit(
            "the certificate's issuer is none whose signatures count",
            found=certificate.issuer.rfc4514_string(),
            remedy="Add the issuing authority's certificate to RDC_TRUST_ANCHORS, with our own.",
        )
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        usage = None
    if usage is None or not usage.content_commitment:
        raise CredentialUnfit(
            "the certificate is not meant for signing documents",
            expected="key usage nonRepudiation (RFC 5280 §4.2.1.3)",
            remedy="Ask its issuer for one for signatures.",
        )


def _make_room(session: Session, person_id: UUID, *, replace: bool) -> None:
    live = live_credential(session, person_id)
    if live is None:
        return
    if not replace:
        raise _exists(live)
    live.revoked_at = session.execute(select(func.now())).scalar_one()
    live.revocation_reason = "superseded"
    session.flush()


def _exists(live: SigningCredential) -> CredentialExists:
    return CredentialExists(
        "the person already has a signing key",
        found=f"certificate {live.serial}, valid until {live.not_after:%Y-%m-%d}",
        remedy="Ask for replacement if the PIN was forgotten.",
    )


def revoke_credential(session: Session, person_id: UUID, reason: str) -> None:
    """Take the person's key out of force from now on; what it signed before keeps its date.

    Raises:
        CredentialMissing: no key is in force.
    """
    live = live_credential(session, person_id)
    if live is None:
        raise missing_credential()
    live.revoked_at = session.execute(select(func.now())).scalar_one()
    live.revocation_reason = reason


def revocations(session: Session, serials: Sequence[str]) -> dict[str, datetime]:
    """Return when each of these certificates was revoked, of those that were."""
    rows = session.execute(
        select(SigningCredential.serial, SigningCredential.revoked_at).where(
            SigningCredential.serial.in_(serials), SigningCredential.revoked_at.is_not(None)
        )
    )
    return {serial: revoked_at for serial, revoked_at in rows if revoked_at is not None}


def holders(session: Session, serials: Sequence[str]) -> dict[str, UUID]:
    """Return whose each of these certificates is, of those on record."""
    rows = session.execute(
        select(SigningCredential.serial, SigningCredential.person_id).where(
            SigningCredential.serial.in_(serials)
        )
    )
    return dict(rows.all())


def live_credential(
    session: Session, person_id: UUID, *, lock: bool = False
) -> SigningCredential | None:
    """Return a person's key that is in force. lock: nobody else changes it meanwhile."""
    query = select(SigningCredential).where(
        SigningCredential.person_id == person_id, SigningCredential.revoked_at.is_(None)
    )
    return session.scalar(query.with_for_update() if lock else query)


def missing_credential() -> CredentialMissing:
    """Return what is said where there is none."""
    return CredentialMissing(
        "the person has no signing key",
        remedy="Ask the administrator to approve you, then make one in your account.",
    )


def pem_of(certificate: x509.Certificate) -> str:
    """Return a certificate as it is kept."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")
