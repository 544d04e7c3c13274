"""Tokens of machines: what a device or a site's software shows to be let in over HTTP.

A token is bound to one site, perhaps to one device, and to one thing that it
may do. Only its hash is kept; the token itself is shown once, when it is made.

A machine may also be known by the TLS certificate that it calls with, in place of a secret or
beside it. A device has one certificate for DICOM and for this: `Device.certificate_sha256`.
"""

import hashlib
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.clock import utc_now
from storage.database import Base, Word, one_of
from storage.registry.devices import Device, parse_fingerprint
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


class MachineProof(StrEnum):
    """What a machine shows. BEARER: the token. CERTIFICATE: a TLS client certificate. BOTH."""

    BEARER = "bearer"
    CERTIFICATE = "certificate"
    BOTH = "both"


class MachineToken(Base):
    """One token.

    device_id: the device it stands for; None: any software of the site.
    token_sha256: of the token in UTF-8, hexadecimal; None: a certificate is its proof.
    certificate_sha256: fingerprint, hexadecimal, of the certificate that its machine calls with;
        None: that of its device, or none is wanted.
    expires_at: None: never.
    last_used_at: to the minute; None: never.
    made_by_id: who made it on the page; None: the command line.
    replaces_id: whose successor it is.
    revoked_reason: as whoever revoked it wrote.
    """

    __tablename__ = "machine_token"
    __table_args__ = (
        UniqueConstraint("token_sha256"),
        CheckConstraint("length(token_sha256) = 64", name="hash"),
        CheckConstraint("name <> ''", name="name"),
        CheckConstraint("(token_sha256 IS NULL) = (proof = 'certificate')", name="proof"),
        CheckConstraint(
            "proof = 'bearer' OR certificate_sha256 IS NOT NULL OR device_id IS NOT NULL",
            name="certificate",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    device_id: Mapped[UUID | None] = mapped_column(ForeignKey("device.id"))
    name: Mapped[str]
    scope: Mapped[MachineScope] = mapped_column(Word(MachineScope))
    proof: Mapped[MachineProof] = mapped_column(
        Word(MachineProof), default=MachineProof.BEARER, server_default="bearer"
    )
    token_sha256: Mapped[str | None]
    certificate_sha256: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    made_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    replaces_id: Mapped[UUID | None] = mapped_column(ForeignKey("machine_token.id"))
    revoked_reason: Mapped[str] = mapped_column(default="", server_default="")


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token; `secret` is shown once and not kept; None where a certificate is the proof."""

    row: MachineToken
    secret: str | None


@dataclass(frozen=True, slots=True)
class Proof:
    """What the machine of a token is to show.

    certificate: SHA-256 fingerprint, with or without colons; None: its device's, or none.
    """

    kind: MachineProof = MachineProof.BEARER
    certificate: str | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """Whom a token stands for."""

    token_id: UUID
    site_id: UUID
    site_code: str
    device_id: UUID | None
    name: str


BEARER_ALONE: Final = Proof()


def issue_token(
    session: Session,
    site: Organisation,
    name: str,
    scope: MachineScope = MachineScope.ECG_FILES,
    *,
    device: Device | None = None,
    lifetime: timedelta | None = LIFETIME,
    proof: Proof = BEARER_ALONE,
    made_by: UUID | None = None,
) -> IssuedToken:
    """Make a token of a site, or of one of its devices.

    Raises:
        RegistryRefused: the device belongs to another site, the lifetime is over, the name is
            empty, or the certificate is missing, not wanted or another site's.
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
    secret = None
    if proof.kind is not MachineProof.CERTIFICATE:
        secret = PREFIX + secrets.token_urlsafe(_BYTES)
    row = MachineToken(
        site_id=site.id,
        device_id=None if device is None else device.id,
        name=name.strip(),
        scope=scope,
        proof=proof.kind,
        token_sha256=None if secret is None else _digest(secret),
        certificate_sha256=_bound(session, site, device, proof),
        expires_at=None if lifetime is None else utc_now() + lifetime,
        made_by_id=made_by,
    )
    session.add(row)
    session.flush()
    return IssuedToken(row, secret)


def _bound(session: Session, site: Organisation, device: Device | None, proof: Proof) -> str | None:
    """Return the fingerprint that a new token is bound to by itself.

    One certificate stands for machines of one site: two would be each other's.
    """
    if proof.kind is MachineProof.BEARER:
        if proof.certificate is not None:
            raise RegistryRefused("certificate", expected="none where the token alone is the proof")
        return None
    if device is not None:
        if proof.certificate is not None or device.certificate_sha256 is None:
            raise RegistryRefused(
                f"device {device.ae_title} is known by the one certificate that it calls with",
                expected="a device that is bound to a certificate, and no other certificate",
                remedy="Bind it: rdc device limit AE-TITLE --certificate ….",
            )
        return None
    wanted = parse_fingerprint(proof.certificate)
    if wanted is None:
        raise RegistryRefused(
            "certificate of a token", expected="the SHA-256 fingerprint of its machine's"
        )
    others = (
        select(MachineToken.id)
        .where(
            MachineToken.certificate_sha256 == wanted,
            MachineToken.site_id != site.id,
            MachineToken.revoked_at.is_(None),
        )
        .limit(1),
        select(Device.id)
        .where(Device.certificate_sha256 == wanted, Device.site_id != site.id, Device.active)
        .limit(1),
    )
    if any(session.scalar(one) is not None for one in others):
        raise RegistryRefused(
            "this certificate is of a machine elsewhere", expected="one for each site's machines"
        )
    return wanted


def rotate_token(
    session: Session,
    token_id: UUID,
    *,
    overlap: timedelta = OVERLAP,
    lifetime: timedelta | None = LIFETIME,
    made_by: UUID | None = None,
    certificate: str | None = None,
) -> IssuedToken:
    """Make a successor for a token; the old one is taken for `overlap` longer, if it is now.

    certificate: fingerprint of the machine's next one; None: it keeps the one it has.

    Raises:
        RegistryRefused: there is no such token, it was revoked, or as `issue_token` says.
    """
    old = token_by_id(session, token_id)
    if old.revoked_at is not None:
        raise RegistryRefused(
            "a revoked token cannot be rotated", remedy="Create a new one in its place."
        )
    site = session.get_one(Organisation, old.site_id)
    device = None if old.device_id is None else session.get_one(Device, old.device_id)
    issued = issue_token(
        session,
        site,
        old.name,
        old.scope,
        device=device,
        lifetime=lifetime,
        proof=Proof(old.proof, certificate or old.certificate_sha256),
        made_by=made_by,
    )
    issued.row.replaces_id = old.id
    end = utc_now() + overlap
    old.expires_at = end if old.expires_at is None else min(old.expires_at, end)
    return issued


def revoke_token(session: Session, token_id: UUID, reason: str = "") -> MachineToken:
    """End a token at once; one that is revoked stays so, for the reason that it was.

    Raises:
        RegistryRefused: there is no such token.
    """
    row = token_by_id(session, token_id)
    if row.revoked_at is None:
        row.revoked_at = utc_now()
        row.revoked_reason = reason.strip()
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


def visible_tokens(
    session: Session, site_ids: Collection[UUID] | None = None
) -> Sequence[tuple[MachineToken, Organisation, Device | None]]:
    """Return tokens with their sites and devices: by site, newest first, revoked ones too.

    site_ids: of these sites; None: of every one.
    """
    query = (
        select(MachineToken, Organisation, Device)
        .join(Organisation, Organisation.id == MachineToken.site_id)
        .outerjoin(Device, Device.id == MachineToken.device_id)
        .order_by(Organisation.code, MachineToken.created_at.desc(), MachineToken.id)
    )
    if site_ids is not None:
        query = query.where(one_of(MachineToken.site_id, site_ids))
    return [(row, site, device) for row, site, device in session.execute(query).all()]


def find_machine(
    session: Session,
    secret: str | None,
    *scopes: MachineScope,
    certificate_sha256: str | None = None,
) -> Machine | None:
    """Return whom a token or a certificate stands for; None when it is nobody's.

    It is nobody's when it is unknown, over, revoked, for other things, or one proof of two.

    secret: the token; None: there is none, and the certificate alone counts.
    scopes: what is asked for; a token for one of them will do.
    certificate_sha256: fingerprint of the verified certificate the machine came with, if any.

    A device that is switched off has no tokens. That the token was used is noted, once a minute.
    """
    now = utc_now()
    bound = func.coalesce(MachineToken.certificate_sha256, Device.certificate_sha256)
    if secret is not None:
        shown = (MachineToken.token_sha256 == _digest(secret)) & (
            (MachineToken.proof == MachineProof.BEARER) | (bound == certificate_sha256)
        )
    elif certificate_sha256 is not None:
        shown = (MachineToken.proof == MachineProof.CERTIFICATE) & (bound == certificate_sha256)
    else:
        return None
    found = session.execute(
        select(MachineToken, Organisation.code)
        .join(Organisation, Organisation.id == MachineToken.site_id)
        .outerjoin(Device, Device.id == MachineToken.device_id)
        .where(
            shown,
            MachineToken.scope.in_(scopes),
            MachineToken.revoked_at.is_(None),
            (MachineToken.expires_at.is_(None)) | (MachineToken.expires_at > now),
            (MachineToken.device_id.is_(None)) | Device.active,
        )
        .order_by(MachineToken.created_at.desc(), MachineToken.id)
    ).all()
    # A device's certificate is written on several ways: it must not stand for two sites.
    if len({row.site_id for row, _ in found}) != 1:
        return None
    row, code = found[0]
    if row.last_used_at is None or now - row.last_used_at >= _SEEN_STEP:
        row.last_used_at = now
    return Machine(row.id, row.site_id, code, row.device_id, row.name)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
