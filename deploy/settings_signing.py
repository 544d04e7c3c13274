"""Settings of signing: our authority, whom we believe, where keys are kept, who stamps.

They are read with all others by `deploy.settings`.
"""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings

from deploy.settings_access import Seconds


class SigningServiceSettings(BaseModel):
    """One service that keeps signing keys; see `reading_worklist.signing.providers.csc`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[str, Field(pattern="^https?://")]
    trust: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    token_file: Path | None = None
    timeout: Seconds = 10.0


class SigningSettings(BaseSettings):
    """The part of the settings that says how reports are signed."""

    authority_name: str = Field(
        default="RDC Signing Authority",
        min_length=1,
        max_length=64,
        description="name in the certificate of the signing authority, made at first start",
    )
    authority_organisation: str = Field(
        default="Regional Diagnostic Centre",
        min_length=1,
        max_length=64,
        description="organisation in the same certificate",
    )
    trust_anchors: tuple[Path, ...] = Field(
        default=(),
        description="JSON list of PEM files whose signatures count; unset: our own authority's",
    )
    token_modules: dict[str, Path] = Field(
        default={},
        description="PKCS#11 libraries of tokens with signing keys: JSON such as"
        ' {"card": "/usr/lib/softhsm/libsofthsm2.so"}',
    )
    signing_services: dict[str, SigningServiceSettings] = Field(
        default={},
        description="services that keep signing keys (CSC API): JSON such as"
        ' {"ca": {"url": "https://…/csc/v1", "token_file": "/…"}}; also trust, certificate, key'
        " (PEM files), timeout (s)",
    )
    time_stamp_url: str | None = Field(
        default=None,
        repr=False,
        description="time-stamp authority (RFC 3161) that stamps reports; unset: our own clock",
    )
    time_stamp_trust: tuple[Path, ...] = Field(
        default=(),
        description="JSON list of PEM files of who may issue that authority's certificate",
    )
    time_stamp_seconds: Seconds = Field(
        default=5.0, description="after so long our own clock stamps, and the other's stamp follows"
    )
    certificate_url: str | None = Field(
        default=None,
        description="address of CRL and OCSP written into certificates; unset: public_url + /pki",
    )
