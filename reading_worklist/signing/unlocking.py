"""The guard before the signing PIN, and what it opens.

Attempts are counted before they are made and in a transaction of their own: neither parallel
requests nor a request that rolls back gives a guess for free. Five wrong PINs in a row lock the
key for a quarter of an hour, five more for an hour, and so on up to a day; the database refuses to
count otherwise. An administrator unlocks it at once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final
from uuid import UUID

from cryptography import x509
from cryptography.x509.oid import NameOID
from pyhanko.sign import signers
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from reading_worklist.signing.credentials import live_credential, missing_credential, pem_of
from reading_worklist.signing.errors import (
    CredentialExpired,
    CredentialLocked,
    KeyUnavailable,
    WrongPin,
)
from reading_worklist.signing.providers.port import (
    PinRefused,
    ProviderKind,
    Providers,
    StoredKey,
)
from reading_worklist.signing.providers.sealed import SealedKeys
from reading_worklist.signing.tables import SigningCredential
from storage import audit, metering
from storage.audit import Actor
from storage.database import Database

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
    live = live_credential(session, person_id, lock=True)
    if live is None:
        raise missing_credential()
    live.failed_attempts = 0
    live.locked_until = None
    return live


def _reserve_attempt(database: Database, person_id: UUID) -> SigningCredential:
    """Count an attempt as failed before it is made, and return the key it is for."""
    with database.transaction() as session:
        now = session.execute(select(func.now())).scalar_one()
        live = live_credential(session, person_id, lock=True)
        if live is None:
            raise missing_credential()
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
        issuers=tuple(pem_of(issuer) for issuer in chain[1:]),
        cms=cms,
    )


def _named(certificate: x509.Certificate, attribute: x509.ObjectIdentifier) -> str:
    """Return what the subject says; certificates of other authorities may say nothing."""
    found = certificate.subject.get_attributes_for_oid(attribute)
    return str(found[0].value) if found else ""
