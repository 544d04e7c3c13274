"""People's signing keys: certificate, owner, place, and the guard before the PIN.

Attempts are counted before they are made and in a transaction of their own: neither parallel
requests nor a request that rolls back gives a guess for free. Five wrong PINs in a row lock the
key for a quarter of an hour, five more for an hour, and so on up to a day; the database refuses to
count otherwise. An administrator unlocks it at once.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pyhanko.sign import signers
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from reading_worklist.signing.authority import Authority, issued_by, serial_of
from reading_worklist.signing.errors import (
    CredentialExists,
    CredentialExpired,
    CredentialLocked,
    CredentialMissing,
    CredentialUnfit,
    KeyUnavailable,
    PinTooWeak,
    WrongPin,
)
from reading_worklist.signing.providers.port import (
    PinRefused,
    ProviderKind,
    Providers,
    StoredKey,
)
from reading_worklist.signing.providers.sealed import FULL_COST, GuessCost, SealedKeys, seal
from reading_worklist.signing.tables import SigningCredential
from storage import audit, metering
from storage.audit import Actor
from storage.database import Database

PIN_LENGTH: Final = range(6, 65)
ATTEMPTS: Final = 5
LOCK: Final = timedelta(minutes=15)
LONGEST_LOCK: Final = timedelta(days=1)
_LOCK_GROWS: Final = 4

SEALED_ONLY: Final = Providers(MappingProxyType({ProviderKind.SEALED: SealedKeys()}))


@dataclass(frozen=True, slots=True)
class Signer:
    """A person ready to sign: the certificate, and an engine that can use its key.

    Keep it no longer than the request in which the PIN was given.
    issuers: PEM certificates of those who vouch for the signer's.
    cms: pyHanko's signer, from whichever provider keeps the key.
    """

    person_id: UUID
    display_name: str
    organisation: str
    serial: str
    not_before: datetime
    not_after: datetime
    issuers: tuple[str, ...]
    cms: signers.Signer


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
    if not replace and (live := _live(session, person_id)) is not None:
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
        person_id, certificate, _pem(certificate) + authority.certificate_pem, sealed, derivation
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
        certificate_chain_pem="".join(_pem(one) for one in chain),
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
    live = _live(session, person_id)
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
    live = _live(session, person_id)
    if live is None:
        raise _missing()
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


def check_pin(pin: str) -> None:
    """Refuse a new PIN that is short or among the first that anyone would try.

    Raises:
        PinTooWeak: with the rule that it breaks.
    """
    remedy = f"Choose {PIN_LENGTH.start} or more characters that are no simple row."
    if len(pin) not in PIN_LENGTH:
        raise PinTooWeak(
            "the signing PIN",
            expected=f"{PIN_LENGTH.start} to {PIN_LENGTH.stop - 1} characters",
            found=f"{len(pin)}",
            remedy=remedy,
        )
    steps = {ord(after) - ord(before) for before, after in itertools.pairwise(pin)}
    if steps in ({0}, {1}, {-1}):
        raise PinTooWeak("the signing PIN", found="a row such as 111111 or 123456", remedy=remedy)


def lock_after(failed: int) -> timedelta | None:
    """Return how long the key is locked after so many wrong PINs in a row; None: not at all."""
    if failed == 0 or failed % ATTEMPTS:
        return None
    # Ten rounds are far beyond the longest.
    return min(LONGEST_LOCK, LOCK * _LOCK_GROWS ** min(failed // ATTEMPTS - 1, 10))


def unlock(
    database: Database,
    person_id: UUID,
    pin: str,
    *,
    providers: Providers = SEALED_ONLY,
    actor: Actor | None = None,
) -> Signer:
    """Open the person's key with the signing PIN.

    Runs short transactions of its own, so call it outside of one: a failed attempt stays counted
    whatever the caller does, and the slow derivation holds no connection. Wrong PINs and locks are
    in the audit trail, with `actor` as who tried.

    Raises:
        CredentialMissing: the person has no key in force.
        CredentialExpired: its certificate is outside its validity.
        CredentialLocked: too many wrong PINs; the given one was not tried.
        WrongPin: the PIN does not open the key.
        KeyUnavailable: the place of the key does not let it be used; this is not counted.
    """
    credential = _reserve_attempt(database, person_id)
    key = _stored(credential)
    try:
        cms = providers.of(ProviderKind(credential.provider)).open(key, pin)
    except PinRefused:
        _note_refusal(database, credential, actor)
        raise WrongPin(-credential.failed_attempts % ATTEMPTS) from None
    except KeyUnavailable:
        _give_back(database, credential)
        raise
    with database.transaction() as session:
        session.execute(
            update(SigningCredential)
            .where(SigningCredential.id == credential.id)
            .values(failed_attempts=0, locked_until=None)
        )
    return _signer(credential, key.chain, cms)


def release(session: Session, person_id: UUID) -> SigningCredential:
    """Unlock the person's key and forget the wrong PINs, in the caller's transaction.

    Raises:
        CredentialMissing: no key is in force.
    """
    live = _live(session, person_id, lock=True)
    if live is None:
        raise _missing()
    live.failed_attempts = 0
    live.locked_until = None
    return live


def _reserve_attempt(database: Database, person_id: UUID) -> SigningCredential:
    """Count an attempt as failed before it is made, and return the key it is for."""
    with database.transaction() as session:
        now = session.execute(select(func.now())).scalar_one()
        live = _live(session, person_id, lock=True)
        if live is None:
            raise _missing()
        if not live.not_before <= now <= live.not_after:
            raise CredentialExpired(
                "the certificate of the signing key is not valid now",
                expected=f"a time from {live.not_before:%Y-%m-%d %H:%M} to"
                f" {live.not_after:%Y-%m-%d %H:%M} UTC",
                remedy="Have a new signing key issued.",
            )
        if live.locked_until is not None and live.locked_until > now:
            raise CredentialLocked(live.locked_until)
        live.failed_attempts += 1
        wait = lock_after(live.failed_attempts)
        live.locked_until = None if wait is None else now + wait
        return live


def _note_refusal(database: Database, credential: SigningCredential, actor: Actor | None) -> None:
    who = actor or Actor(credential.person_id, None, "unknown")
    acts = ["signing_key:wrong_pin"]
    if credential.locked_until is not None:
        acts.append("signing_key:lock")
    metering.count("rdc_signatures_total", "refused")
    with database.transaction() as session:
        for act in acts:
            audit.record(
                session,
                who,
                act,
                subject_kind="signing_credential",
                subject_id=credential.id,
                detail={"serial": credential.serial, "attempt": credential.failed_attempts},
            )


def _give_back(database: Database, credential: SigningCredential) -> None:
    """Take back an attempt that was not made, and the lock that it alone brought."""
    with database.transaction() as session:
        live = session.get_one(SigningCredential, credential.id, with_for_update=True)
        if live.failed_attempts > 0:
            live.failed_attempts -= 1
        if live.locked_until == credential.locked_until:
            live.locked_until = None


def _stored(credential: SigningCredential) -> StoredKey:
    return StoredKey(
        person_id=credential.person_id,
        serial=credential.serial,
        chain=tuple(
            x509.load_pem_x509_certificates(credential.certificate_chain_pem.encode("ascii"))
        ),
        sealed=credential.sealed_key or b"",
        derivation=credential.key_derivation or "",
        place=credential.key_place or {},
    )


def _live(session: Session, person_id: UUID, *, lock: bool = False) -> SigningCredential | None:
    query = select(SigningCredential).where(
        SigningCredential.person_id == person_id, SigningCredential.revoked_at.is_(None)
    )
    return session.scalar(query.with_for_update() if lock else query)


def _signer(
    credential: SigningCredential, chain: tuple[x509.Certificate, ...], cms: signers.Signer
) -> Signer:
    return Signer(
        person_id=credential.person_id,
        display_name=_named(chain[0], NameOID.COMMON_NAME),
        organisation=_named(chain[0], NameOID.ORGANIZATION_NAME),
        serial=credential.serial,
        not_before=credential.not_before,
        not_after=credential.not_after,
        issuers=tuple(_pem(issuer) for issuer in chain[1:]),
        cms=cms,
    )


def _named(certificate: x509.Certificate, attribute: x509.ObjectIdentifier) -> str:
    """Return what the subject says; certificates of other authorities may say nothing."""
    found = certificate.subject.get_attributes_for_oid(attribute)
    return str(found[0].value) if found else ""


def _missing() -> CredentialMissing:
    return CredentialMissing(
        "the person has no signing key",
        remedy="Ask the administrator to approve you, then make one in your account.",
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")
