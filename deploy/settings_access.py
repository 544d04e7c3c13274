"""Settings of how people come in: behind which proxies, with what proof, for how long.

They are read with all others by `deploy.settings`.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, IPvAnyNetwork
from pydantic_settings import BaseSettings, NoDecode

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]

# RFC 1918, RFC 6598 (an operator's own network behind its NAT), loopback, link-local, RFC 4193.
HOME_NETWORKS: Final = (
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "::1/128",
    "fe80::/10",
    "fc00::/7",
)


class SecondFactorFor(StrEnum):
    """For whom or what a second factor is required."""

    ADMIN = "admin"
    SIGNING = "signing"
    REMOTE = "remote"
    EVERYONE = "everyone"


def _words(value: object) -> object:
    """Read words with commas between, or a JSON-like sequence; "off" is none."""
    if isinstance(value, str):
        words = [word.strip() for word in value.strip("[] ").replace('"', "").split(",")]
        return [word for word in words if word not in {"", "off"}]
    return value


Words = Annotated[tuple[SecondFactorFor, ...], NoDecode, BeforeValidator(_words)]


class ProviderRoleSettings(BaseModel):
    """A role that people have who come with a claim's value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    claim: str = Field(min_length=1)
    value: str = Field(min_length=1)
    organisation: str = Field(min_length=1)
    role: str = Field(min_length=1)


class IdentityProviderSettings(BaseModel):
    """An OpenID Connect provider; see `reading_worklist.access.outside.providers`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # Without TLS only on this machine, as for a trial.
    issuer: Annotated[
        str, Field(pattern=r"^(https://|http://(localhost|127\.0\.0\.1)(:\d+)?(/|$))")
    ]
    client_id: str = Field(min_length=1)
    client_secret_file: Path | None = None
    label: str = Field(min_length=1)
    label_en: str = ""
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    email_claim: str = "email"
    email_verified_claim: str | None = "email_verified"
    second_factor_amr: tuple[str, ...] = ()
    roles: tuple[ProviderRoleSettings, ...] = ()
    trust: Path | None = None
    timeout: Seconds = 10.0


class AccessSettings(BaseSettings):
    """The part of the settings that says how people come in."""

    trusted_proxies: tuple[IPvAnyNetwork, ...] = Field(
        default=(),
        description="JSON list of networks (CIDR) of our own proxies, whose word about a client's"
        " address and scheme counts; unset: nobody's",
    )
    forwarded_header: Annotated[str, Field(pattern="^(x-forwarded-for|forwarded)$")] = Field(
        default="x-forwarded-for",
        description="where those proxies say whom they speak for: x-forwarded-for or forwarded",
    )
    client_certificate_header: bool = Field(
        default=False,
        description="those proxies tell verified certificates of machines in Client-Cert (RFC 9440)"
        " and take that header away from everybody else: deploy/balancer/machines.cfg",
    )
    session_idle_seconds: Seconds = Field(
        default=3600.0, description="a sign-in ends after this long without its person"
    )
    session_absolute_seconds: Seconds = Field(
        default=43200.0, description="a sign-in ends after this long in any case"
    )
    second_factor: Words | None = Field(
        default=None,
        description="who must prove a second factor (TOTP), with commas between: admin, signing,"
        " remote, everyone; or off. Unset: off with the embedded database, else admin,remote",
    )
    second_factor_hours: Annotated[float, Field(gt=0, le=168)] = Field(
        default=12.0,
        description="where signing requires a second factor: how long one proof of it stands",
    )
    home_networks: tuple[IPvAnyNetwork, ...] = Field(
        default=HOME_NETWORKS,  # pyright: ignore[reportArgumentType] -- pydantic reads the texts
        validate_default=True,
        description="JSON list of networks (CIDR) from which a sign-in is not remote;"
        " unset: the private ones",
    )
    password_length: Annotated[int, Field(ge=8, le=64)] = Field(
        default=10, description="characters that a password has at least"
    )
    password_history: Annotated[int, Field(ge=0, le=24)] = Field(
        default=5, description="so many earlier passwords are not taken again"
    )
    password_max_days: Annotated[int, Field(ge=0, le=3650)] = Field(
        default=0, description="a password must be changed after so many days; 0: never"
    )
    identity_providers: dict[str, IdentityProviderSettings] = Field(
        default={},
        description="OpenID Connect providers that people may sign in with: JSON such as"
        ' {"county": {"issuer": "https://…", "client_id": "rdc", "client_secret_file": "/…",'
        ' "label": "县统一认证"}}; see the runbook',
    )
    accept_weak: tuple[str, ...] = Field(
        default=(),
        description="JSON list of weaknesses, by the names that a refused start tells, with which a"
        " distributed system starts all the same",
    )


def required_of(
    second_factor: tuple[SecondFactorFor, ...] | None, *, embedded: bool
) -> frozenset[SecondFactorFor]:
    """Return for whom a second factor is required, with the default filled in."""
    if second_factor is not None:
        return frozenset(second_factor)
    return frozenset() if embedded else frozenset({SecondFactorFor.ADMIN, SecondFactorFor.REMOTE})
