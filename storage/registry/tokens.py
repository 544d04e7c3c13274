"""Tokens of machines: what a device or a site's software shows to be let in over HTTP.

A token is bound to one site, perhaps to one device, and to one thing that it
may do. Only its hash is kept; the token itself is shown once, when it is made.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.clock import utc_now
from storage.database import Base, Word
from storage.registry.devices import Device
from storage.registry.organisations import Organisation
from storage.registry.refusal import RegistryRefused

PREFIX: Final = "rdc_"
"""What every token begins with, so that one in a log or a program is known for what it is."""
LIFETIME: Final = timedelta(days=365)
OVERLAP: Final = timedelta(days=7)
"""How long a token that was rotated is taken beside its successor, unless said otherwise."""
_BYTES: Final = 32
_SEEN_STEP: Final = timedelta(minutes=1)


class MachineScope(StrEnum):
    """What a token is good for.

    ECG_FILES: sending ECG files of the site and asking what became of them.
    FHIR: reading the site's reports as FHIR R4. REPORTS: fetching them as plain JSON and PDF.
    """

    ECG_FILES = "ecg-files"
    FHIR = "fhir"
    REPORTS = "reports"


class MachineToken(Base):
    """One token.

    device_id: the device it stands for; None: any software of the site.
    token_sha256: of the token in UTF-8, hexadecimal.
    expires_at: None: never.
    last_used_at: to the minute; None: never.
    """

    __tablename__ = "machine_token"
    __table_args__ = (
        UniqueConstraint("token_sha256"),
        CheckConstraint("length(token_sha256) = 64", name="hash"),
        CheckConstraint("name <> ''", name="name"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    device_id: Mapped[UUID | None] = mapped_column(ForeignKey("device.id"))
    name: Mapped[str]
    scope: Mapped[MachineScope] = mapped_column(Word(MachineScope))
    token_sha256: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token; `secret` is shown once and not kept."""

    row: MachineToken
    secret: str


@dataclass(frozen=True, slots=True)
class Machine:
    """Whom a token stands for."""

    token_id: UUID
    site_id: UUID
    site_code: str
    device_id: UUID | None
    name: str


def issue_token(
    session: Session,
    site: Organisation,
    name: str,
    scope: MachineScope = MachineScope.ECG_FILES,
    *,
    device: Device | None = None,
    lifetime: timedelta | None = LIFETIME,
) -> IssuedToken:
    """Make a token of a site, or of one of its devices.

    Raises:
        RegistryRefused: the device belongs to another site, the lifetime is over, or the name is
            empty.
    """
    if not name.strip():
        raise RegistryRefused("name of a token", expected="what people call its machine")
    if device is not None and device.site_id != site.id:
        raise RegistryRefused(
            f"device {device.ae_title} belongs to another site",
            expected=f"a device of {site.code}",
            remedy="List them with 'rdc device list'.",
        )
    if lifetime is not None and lifetime <= timedelta(0):
        raise RegistryRefused("lifetime of a token", expected="a day or more")
    secret = PREFIX + secrets.token_urlsafe(_BYTES)
    row = MachineToken(
        site_id=site.id,
        device_id=None if device is None else device.id,
        name=name.strip(),
        scope=scope,
        token_sha256=_digest(secret),
        expires_at=None if lifetime is None else utc_now() + lifetime,
    )
    session.add(row)
    session.flush()
    return IssuedToken(row, secret)


def rotate_token(
    session: Session,
    token_id: UUID,
    *,
    overlap: timedelta = OVERLAP,
    lifetime: timedelta = LIFETIME,
) -> IssuedToken:
    """Make a successor for a token; the old one is taken for `overlap` longer, if it is now.

    Raises:
        RegistryRefused: there is no such token, or it was revoked.
    """
    old = token_by_id(session, token_id)
    if old.revoked_at is not None:
        raise RegistryRefused(
            "a revoked token cannot be rotated", remedy="Create a new one in its place."
        )
    site = session.get_one(Organisation, old.site_id)
    device = None if old.device_id is None else session.get_one(Device, old.device_id)
    issued = issue_token(session, site, old.name, old.scope, device=device, lifetime=lifetime)
    end = utc_now() + overlap
    old.expires_at = end if old.expires_at is None else min(old.expires_at, end)
    return issued


def revoke_token(session: Session, token_id: UUID) -> MachineToken:
    """End a token at once; one that is revoked stays so.

    Raises:
        RegistryRefused: there is no such token.
    """
    row = token_by_id(session, token_id)
    row.revoked_at = row.revoked_at or utc_now()
    return row


def token_by_id(session: Session, token_id: UUID) -> MachineToken:
    """Return a token, locked.

    Raises:
        RegistryRefused: there is none with this id.
    """
    row = session.get(MachineToken, token_id, with_for_update=True)
    if row is None:
        raise RegistryRefused(
            f"there is no token {token_id}", remedy="List them with 'rdc site token list SITE'."
        )
    return row


def tokens_of_site(session: Session, site_id: UUID) -> Sequence[MachineToken]:
    """Return the tokens of a site and its devices, newest first, revoked ones too."""
    return session.scalars(
        select(MachineToken)
        .where(MachineToken.site_id == site_id)
        .order_by(MachineToken.created_at.desc(), MachineToken.id)
    ).all()


def find_machine(session: Session, secret: str, *scopes: MachineScope) -> Machine | None:
    """Return whom a token stands for; None when it is unknown, over, revoked or for other things.

    scopes: what is asked for; a token for one of them will do.

    A device that is switched off has no tokens. That the token was used is noted, once a minute.
    """
    now = utc_now()
    found = session.execute(
        select(MachineToken, Organisation.code)
        .join(Organisation, Organisation.id == MachineToken.site_id)
        .outerjoin(Device, Device.id == MachineToken.device_id)
        .where(
            MachineToken.token_sha256 == _digest(secret),
            MachineToken.scope.in_(scopes),
            MachineToken.revoked_at.is_(None),
            (MachineToken.expires_at.is_(None)) | (MachineToken.expires_at > now),
            (MachineToken.device_id.is_(None)) | Device.active,
        )
    ).one_or_none()
    if found is None:
        return None
    row, code = found
    if row.last_used_at is None or now - row.last_used_at >= _SEEN_STEP:
        row.last_used_at = now
    return Machine(row.id, row.site_id, code, row.device_id, row.name)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
