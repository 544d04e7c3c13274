"""The second factor: codes that a person's own device shows (TOTP, RFC 6238), and codes on paper.

A code is taken once: the database keeps the time step of the last one, and takes only later ones,
so that who looks over a shoulder gains nothing. Recovery codes serve once each, for a lost device.
"""

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pyotp import random_base32
from pyotp.totp import TOTP
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from reading_worklist.access.tables import RecoveryCode, SecondFactor
from reading_worklist.problems import Problem, conflict
from storage.errors import RdcError

KEY_FILE: Final = "second-factor.key"
RECOVERY_CODES: Final = 10
STEP_SECONDS: Final = 30
# Telephones' clocks are right to seconds; the code just gone is being typed (RFC 6238 §5.2).
_STEPS_AROUND: Final = 1
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_RECOVERY_BYTES: Final = 10
_GROUP: Final = 4
_RECOVERY_LENGTH: Final = _RECOVERY_BYTES * 8 // 5
_CODE_LENGTH: Final = 6


class SealBroken(RdcError):
    """What seals second factors is missing, open to others, or another than sealed them."""


@dataclass(frozen=True, slots=True)
class Seal:
    """Seals people's secrets with AES-256-GCM under a key that is not in the database."""

    key: bytes

    @classmethod
    def random(cls) -> "Seal":
        """Return a seal that lasts as long as the process."""
        return cls(secrets.token_bytes(_KEY_BYTES))

    def close(self, secret: str, person_id: UUID) -> bytes:
        """Seal a person's secret; copied into another person's row it does not open."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(self.key).encrypt(nonce, secret.encode("ascii"), person_id.bytes)

    def open(self, sealed: bytes, person_id: UUID) -> str:
        """Open what `close` sealed.

        Raises:
            SealBroken: it was sealed under another key or for somebody else.
        """
        try:
            return (
                AESGCM(self.key)
                .decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], person_id.bytes)
                .decode("ascii")
            )
        except InvalidTag:
            raise SealBroken(
                "a person's second factor was sealed under another key",
                expected=f"the same {KEY_FILE} on every machine",
                remedy="Restore the file from the backup, or reset second factors with"
                " 'rdc user reset-totp'.",
            ) from None

    def digest(self, code: str, person_id: UUID) -> str:
        """Return what the database knows of a recovery code."""
        return hmac.new(self.key, person_id.bytes + code.encode(), hashlib.sha256).hexdigest()


def make_seal(directory: Path) -> Seal:
    """Open the seal kept in a directory; make it where there is none, readable by its owner alone.

    Raises:
        SealBroken: see `open_seal`.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = directory / KEY_FILE
    made = directory / f".{KEY_FILE}.{secrets.token_hex(4)}"
    if not path.exists():
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(descriptor, secrets.token_bytes(_KEY_BYTES))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        try:
            # Whoever comes second at the same moment keeps the first one's.
            os.link(made, path)
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return open_seal(directory)


def open_seal(directory: Path) -> Seal:
    """Open the seal that `make_seal` left in a directory.

    Raises:
        SealBroken: it is missing, damaged, or readable by others.
    """
    path = directory / KEY_FILE
    try:
        key, mode = path.read_bytes(), path.stat().st_mode
    except OSError as error:
        raise SealBroken(
            "what seals people's second factors cannot be read",
            expected=str(path),
            found=str(error),
            remedy="Run 'rdc migrate', which makes it once, and give every machine the same file.",
        ) from error
    if mode & 0o077 or len(key) != _KEY_BYTES:
        raise SealBroken(
            "what seals people's second factors is not used",
            expected=f"{_KEY_BYTES} bytes, mode 0600: {path}",
            found=f"{len(key)} bytes, mode {mode & 0o777:04o}",
            remedy=f"Run 'chmod 600 {path}' and ask who could have copied it.",
        )
    return Seal(key)


@dataclass(frozen=True, slots=True)
class Begun:
    """A second factor that is being set up; uri: what the device reads from the QR code."""

    secret: str
    uri: str


def wrong_code() -> Problem:
    """Return the one answer for a wrong code, one that was used, and one that is over."""
    return Problem(
        HTTPStatus.FORBIDDEN,
        "wrong-second-factor",
        "The code is wrong or was used before",
        remedy="Wait for the next code of your device, or use a recovery code.",
    )


def is_set_up(session: Session, person_id: UUID) -> bool:
    """Tell whether a person has a second factor."""
    return bool(
        session.scalar(
            select(SecondFactor.person_id).where(
                SecondFactor.person_id == person_id, SecondFactor.confirmed_at.is_not(None)
            )
        )
    )


def begin(session: Session, seal: Seal, person_id: UUID, *, login: str, issuer: str) -> Begun:
    """Make a secret for a person's device; it counts when `confirm` has had a code of it.

    login, issuer: how the device shows it.

    Raises:
        Problem: 409, the person has a second factor.
    """
    row = session.get(SecondFactor, person_id, with_for_update=True)
    if row is not None and row.confirmed_at is not None:
        raise conflict(
            "second-factor-set",
            "You have a second factor already",
            remedy="Remove it first; or have it reset by an administrator.",
        )
    secret = random_base32()
    if row is None:
        row = SecondFactor(person_id=person_id, last_step=0)
        session.add(row)
    row.sealed = seal.close(secret, person_id)
    session.flush()
    return Begun(secret, TOTP(secret).provisioning_uri(name=login, issuer_name=issuer))


def confirm(
    session: Session, seal: Seal, person_id: UUID, code: str, now: datetime
) -> Sequence[str] | None:
    """Take a second factor into force by a code of it; return the recovery codes, shown once.

    None: the code is wrong.

    Raises:
        Problem: 409, none is being set up.
    """
    row = session.get(SecondFactor, person_id, with_for_update=True)
    if row is None or row.confirmed_at is not None:
        raise conflict(
            "no-second-factor-begun", "No second factor is being set up", remedy="Begin anew."
        )
    if not _take(session, seal, row, code, now):
        return None
    row.confirmed_at = now
    return new_recovery_codes(session, seal, person_id)


def new_recovery_codes(session: Session, seal: Seal, person_id: UUID) -> Sequence[str]:
    """Replace a person's recovery codes; they are shown once and not kept."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    codes = [
        base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode("ascii").lower()
        for _ in range(RECOVERY_CODES)
    ]
    session.add_all(
        RecoveryCode(person_id=person_id, digest=seal.digest(code, person_id)) for code in codes
    )
    return [
        "-".join(code[at : at + _GROUP] for at in range(0, len(code), _GROUP)) for code in codes
    ]


def recovery_codes_left(session: Session, person_id: UUID) -> int:
    """Count the recovery codes that were not used."""
    return (
        session.scalar(
            select(func.count()).where(
                RecoveryCode.person_id == person_id, RecoveryCode.used_at.is_(None)
            )
        )
        or 0
    )


def prove(session: Session, seal: Seal, person_id: UUID, code: str, now: datetime) -> bool:
    """Tell whether a code is one of the person's device or paper, and use it up.

    Without a second factor in force no code is right.

    Raises:
        SealBroken: what sealed it is not there.
    """
    row = session.get(SecondFactor, person_id, with_for_update=True)
    if row is None or row.confirmed_at is None:
        return False
    typed = "".join(code.split()).replace("-", "").lower()
    if len(typed) == _RECOVERY_LENGTH:
        return _take_recovery_code(session, seal, person_id, typed, now)
    return _take(session, seal, row, typed, now)


def remove(session: Session, person_id: UUID) -> bool:
    """Take a person's second factor and recovery codes away; tells whether there was one."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    removed = session.execute(
        delete(SecondFactor)
        .where(SecondFactor.person_id == person_id)
        .returning(SecondFactor.confirmed_at)
    ).scalar_one_or_none()
    return removed is not None


def _take(session: Session, seal: Seal, row: SecondFactor, code: str, now: datetime) -> bool:
    typed = "".join(code.split())
    if len(typed) != _CODE_LENGTH or not (typed.isascii() and typed.isdecimal()):
        return False
    shown = TOTP(seal.open(row.sealed, row.person_id), interval=STEP_SECONDS)
    step_now = int(now.timestamp()) // STEP_SECONDS
    # All are compared, so that the time of the answer tells nothing.
    matching = [
        step
        for step in range(step_now - _STEPS_AROUND, step_now + _STEPS_AROUND + 1)
        if hmac.compare_digest(shown.generate_otp(step), typed)
    ]
    later = [step for step in matching if step > row.last_step]
    if not later:
        return False
    row.last_step = later[0]
    session.flush()
    return True


def _take_recovery_code(
    session: Session, seal: Seal, person_id: UUID, code: str, now: datetime
) -> bool:
    used = session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.person_id == person_id,
            RecoveryCode.digest == seal.digest(code, person_id),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.digest)
    ).scalar_one_or_none()
    return used is not None
