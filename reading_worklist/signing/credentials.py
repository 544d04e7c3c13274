"""Personal signing keys, each sealed under its owner's signing PIN.

The key is encrypted with AES-256-GCM under a key that Argon2id (RFC 9106)
derives from the PIN, so that a stolen database costs the thief 64 MiB and a
tenth of a second for every guess. Attempts are counted before they are made
and in a transaction of their own: neither parallel requests nor a request that
rolls back gives a guess for free.
"""

import base64
import itertools
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from argon2.low_level import Type, hash_secret_raw
from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509.oid import NameOID
from pyhanko.sign import signers
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from reading_worklist.signing.authority import Authority, serial_of
from reading_worklist.signing.errors import (
    CredentialExists,
    CredentialExpired,
    CredentialLocked,
    CredentialMissing,
    PinTooWeak,
    WrongPin,
)
from reading_worklist.signing.pdf_objects import software_signer
from reading_worklist.signing.tables import SigningCredential
from storage.database import Database

PIN_LENGTH: Final = range(6, 65)
ATTEMPTS: Final = 5
LOCK: Final = timedelta(minutes=15)

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class GuessCost:
    """What every guess at a PIN costs a thief, and every use of the key its owner.

    passes, memory_kib, lanes: the parameters of Argon2id; the key keeps the ones it was sealed
    with. The defaults are for people's keys.
    """

    passes: int = 3
    memory_kib: int = 65536
    lanes: int = 1


FULL_COST: Final = GuessCost()


@dataclass(frozen=True, slots=True)
class Signer:
    """A person ready to sign: the certificate, and an engine that can use its key.

    Keep it no longer than the request in which the PIN was given.
    issuers: PEM certificates of those who vouch for the signer's.
    cms: pyHanko's signer; a token or a remote service puts another one here.
    """

    person_id: UUID
    display_name: str
    organisation: str
    serial: str
    not_before: datetime
    not_after: datetime
    issuers: tuple[str, ...]
    cms: signers.Signer


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
    check_pin(pin)
    now = session.execute(select(func.now())).scalar_one()
    live = _live(session, person_id)
    if live is not None:
        if not replace:
            raise CredentialExists(
                "the person already has a signing key",
                found=f"certificate {live.serial}, valid until {live.not_after:%Y-%m-%d}",
                remedy="Ask for replacement if the PIN was forgotten.",
            )
        live.revoked_at = now
        live.revocation_reason = "superseded"
        session.flush()
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
    derivation = _new_derivation(cost)
    nonce = secrets.token_bytes(_NONCE_BYTES)
    secret = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    sealed = AESGCM(_derive(derivation, pin)).encrypt(nonce, secret, _context(person_id, serial))
    credential = SigningCredential(
        person_id=person_id,
        serial=serial,
        certificate_chain_pem=_pem(certificate) + authority.certificate_pem,
        sealed_key=nonce + sealed,
        key_derivation=derivation,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
    )
    session.add(credential)
    session.flush()
    return credential


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


def unlock(database: Database, person_id: UUID, pin: str) -> Signer:
    """Open the person's key with the signing PIN.

    Runs short transactions of its own, so call it outside of one: a failed attempt stays counted
    whatever the caller does, and the slow derivation holds no connection.
    Five wrong PINs in a row lock the key for fifteen minutes.

    Raises:
        CredentialMissing: the person has no key in force.
        CredentialExpired: its certificate is outside its validity.
        CredentialLocked: too many wrong PINs; the given one was not tried.
        WrongPin: the PIN does not open the key.
    """
    credential = _reserve_attempt(database, person_id)
    nonce, sealed = credential.sealed_key[:_NONCE_BYTES], credential.sealed_key[_NONCE_BYTES:]
    try:
        secret = AESGCM(_derive(credential.key_derivation, pin)).decrypt(
            nonce, sealed, _context(person_id, credential.serial)
        )
    except InvalidTag:
        raise WrongPin(max(ATTEMPTS - credential.failed_attempts, 0)) from None
    with database.transaction() as session:
        session.execute(
            update(SigningCredential)
            .where(SigningCredential.id == credential.id)
            .values(failed_attempts=0, locked_until=None)
        )
    return _signer(credential, secret)


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
        # After a lock has run out, counting starts again.
        attempts = 1 if live.locked_until is not None else live.failed_attempts + 1
        live.failed_attempts = attempts
        live.locked_until = now + LOCK if attempts >= ATTEMPTS else None
        return live


def _live(session: Session, person_id: UUID, *, lock: bool = False) -> SigningCredential | None:
    query = select(SigningCredential).where(
        SigningCredential.person_id == person_id, SigningCredential.revoked_at.is_(None)
    )
    return session.scalar(query.with_for_update() if lock else query)


def _signer(credential: SigningCredential, secret: bytes) -> Signer:
    chain = x509.load_pem_x509_certificates(credential.certificate_chain_pem.encode("ascii"))
    subject = chain[0].subject
    return Signer(
        person_id=credential.person_id,
        display_name=str(subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value),
        organisation=str(subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value),
        serial=credential.serial,
        not_before=credential.not_before,
        not_after=credential.not_after,
        issuers=tuple(_pem(issuer) for issuer in chain[1:]),
        cms=software_signer(chain, secret),
    )


def _missing() -> CredentialMissing:
    return CredentialMissing(
        "the person has no signing key",
        remedy="Ask the administrator to issue one.",
    )


def _context(person_id: UUID, serial: str) -> bytes:
    """Bind a sealed key to its row: one copied into another person's row does not open."""
    return f"{person_id}/{serial}".encode("ascii")


def _new_derivation(cost: GuessCost) -> str:
    salt = base64.b64encode(secrets.token_bytes(16)).decode("ascii")
    return f"$argon2id$v=19$m={cost.memory_kib},t={cost.passes},p={cost.lanes}${salt}"


def _derive(derivation: str, pin: str) -> bytes:
    """Turn a PIN into an AES key with the algorithm, cost and salt that were stored."""
    _, algorithm, version, costs, salt = derivation.split("$")
    if algorithm != "argon2id":
        raise CredentialMissing(
            "the signing key is sealed in a way this version does not know",
            found=algorithm,
            remedy="Have a new signing key issued.",
        )
    cost = {name: int(value) for name, value in (part.split("=") for part in costs.split(","))}
    return hash_secret_raw(
        pin.encode("utf-8"),
        base64.b64decode(salt),
        time_cost=cost["t"],
        memory_cost=cost["m"],
        parallelism=cost["p"],
        hash_len=_KEY_BYTES,
        type=Type.ID,
        version=int(version.removeprefix("v=")),
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")
