"""What goes over the wire about machines' tokens."""

from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from pydantic import BaseModel, Field

from storage.registry import MachineProof, MachineScope

LONGEST_DAYS: Final = 3650


class TokenState(StrEnum):
    """Whether a token is taken. REPLACED: still, beside its successor; OFF: its device is off."""

    TAKEN = "taken"
    REPLACED = "replaced"
    OVER = "over"
    REVOKED = "revoked"
    OFF = "off"


class TokenConcern(StrEnum):
    """What somebody should look at. EXPIRING: over within two weeks and no successor in use."""

    EXPIRING = "expiring"
    NEVER_USED = "never-used"


class TokenView(BaseModel):
    """A token; itself it is nowhere kept.

    device: AE title; None: software of the site. certificate_sha256: of the certificate that is
    wanted, where one is. made_by: None: the command line. replaces: whose successor it is.
    last_used_at: to the minute.
    """

    id: UUID
    site_code: str
    site_name: str
    site_name_en: str
    device: str | None
    name: str
    scope: MachineScope
    proof: MachineProof
    certificate_sha256: str | None
    state: TokenState
    concerns: list[TokenConcern]
    made_at: datetime
    made_by: str | None
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None
    revoked_reason: str
    replaces: UUID | None


class TokenDevice(BaseModel):
    """A device that a token can be made for; bound: to a certificate that it must call with."""

    ae_title: str
    name: str
    bound: bool


class TokenSite(BaseModel):
    """A site whose machines can have tokens, with its devices that are on."""

    code: str
    name: str
    name_en: str
    devices: list[TokenDevice]


class TokensView(BaseModel):
    """The tokens of the visible sites: by site, newest first.

    editable: whether the asker makes and rotates them, or revokes alone.
    """

    tokens: list[TokenView]
    sites: list[TokenSite]
    editable: bool


class NewToken(BaseModel):
    """A token to make.

    device: AE title; None: for software of the site. days: until it is over.
    certificate: SHA-256 fingerprint, where a site's software proves itself with a certificate; a
    device has that of DICOM.
    """

    site: str = Field(min_length=1, max_length=64)
    device: str | None = Field(default=None, min_length=1, max_length=16)
    name: str = Field(min_length=1, max_length=100)
    scope: MachineScope
    proof: MachineProof = MachineProof.BEARER
    certificate: str | None = Field(default=None, max_length=120)
    days: int = Field(default=365, ge=1, le=LONGEST_DAYS)


class Rotation(BaseModel):
    """How long a successor lasts, and its predecessor beside it; certificate: its new one."""

    days: int = Field(default=365, ge=1, le=LONGEST_DAYS)
    overlap_days: int = Field(default=7, ge=0, le=90)
    certificate: str | None = Field(default=None, max_length=120)


class Revocation(BaseModel):
    """Why a token is taken no more."""

    reason: str = Field(min_length=1, max_length=1000)


class MadeToken(BaseModel):
    """A new token; secret: shown this once; None where a certificate alone is the proof."""

    token: TokenView
    secret: str | None
