"""Every setting of the system, read from environment variables that begin with RDC_.

`rdc settings` prints them. Unset addresses of database, broker and object store
mean "embedded": `rdc up` starts those servers itself below the data directory.
"""

import difflib
import json
import os
import zoneinfo
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Self, cast

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    IPvAnyNetwork,
    ValidationError,
    field_validator,
)
from pydantic_settings import NoDecode, SettingsConfigDict

from deploy.errors import SettingsError
from deploy.settings_access import AccessSettings, SecondFactorFor, Seconds, required_of
from deploy.settings_audit import AuditSettings
from deploy.settings_seeing import SeeingSettings
from deploy.settings_signing import SigningSettings
from deploy.settings_tls import FILES, TlsSettings, believing, listening
from storage.identifiers import AeTitle, InvalidIdentifier

PREFIX: Final = "RDC_"
DEFAULT_QUIET_SECONDS: Final = 30.0
ANY_MODALITY: Final = "*"

# Quiet time by Modality (0008,0060): how long a study must be silent to be complete. Projection
# images come seconds apart, a slow scanner pauses between series; an ECG is one object, which may
# not wait: a second one that comes later completes its study again.
QUIET_SECONDS: Final[Mapping[str, float]] = {
    ANY_MODALITY: DEFAULT_QUIET_SECONDS,
    "CT": 30.0,
    "MR": 30.0,
    "CR": 15.0,
    "DX": 15.0,
    "US": 15.0,
    "ECG": 0.5,
}

SCHEMES: Final[Mapping[str, tuple[str, ...]]] = {
    "database_url": ("postgresql", "postgresql+psycopg"),
    "database_read_url": ("postgresql", "postgresql+psycopg"),
    "broker_url": ("redis", "rediss", "redis+socket", "amqp", "amqps"),
    "object_store_url": ("file", "s3"),
    "public_url": ("http", "https"),
    "time_stamp_url": ("http", "https"),
    "certificate_url": ("http", "https"),
}
SECRET_FIELDS: Final = frozenset(
    {"database_url", "database_read_url", "broker_url", "object_store_url", "time_stamp_url"}
)

# Variables with our prefix that are not settings of the system.
OTHER_VARIABLES: Final = frozenset(
    {
        "RDC_READY_FD",
        "RDC_REQUIRE_PEERS",
        "RDC_SOAK",
        "RDC_SOAK_SECONDS",
        "RDC_FUZZ_MESSAGES",
        "RDC_FUZZ_FILES",
        "RDC_FUZZ_SEED",
    }
)


class LogLevel(StrEnum):
    """How much is logged."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


def _ae_title(text: str) -> str:
    try:
        return str(AeTitle.parse(text))
    except InvalidIdentifier as error:
        raise ValueError(error.expected) from error


def _time_zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
        message = "a time zone such as Asia/Shanghai"
        raise ValueError(message) from error
    return name


def _quiet_seconds(value: object) -> object:
    """Read one number for every modality, or a mapping that changes some of the defaults."""
    if isinstance(value, str):
        try:
            value = cast("object", json.loads(value))
        except ValueError as error:
            message = 'a number, or JSON such as {"CT": 60, "*": 30}'
            raise ValueError(message) from error
    if isinstance(value, int | float):
        # Every key is named, so that children who read the mapping add no default to it.
        return dict.fromkeys(QUIET_SECONDS, value)
    if isinstance(value, Mapping):
        return {**QUIET_SECONDS, **cast("Mapping[str, float]", value)}
    return value


Port = Annotated[int, Field(ge=0, le=65535)]
QuietSeconds = Annotated[
    dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]],
    # The variable holds JSON or a bare number; we read it, not pydantic-settings.
    NoDecode,
    BeforeValidator(_quiet_seconds),
]


class Settings(AccessSettings, AuditSettings, SeeingSettings, SigningSettings, TlsSettings):
    """The settings of one process. Make them with `load`, which explains what is wrong."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    database_url: str | None = Field(
        default=None,
        repr=False,
        description="PostgreSQL 15 or newer, postgresql://…; unset: embedded",
    )
    database_read_url: str | None = Field(
        default=None,
        repr=False,
        description="a streaming standby of it, which answers searches and lists while it knows all"
        " that the primary does; unset: the primary answers them",
    )
    broker_url: str | None = Field(
        default=None,
        repr=False,
        description="redis://, redis+socket:// or amqp://; unset: embedded",
    )
    object_store_url: str | None = Field(
        default=None,
        repr=False,
        description="s3://KEY:SECRET@host:port/bucket or file:///path; unset: in data_dir",
    )
    data_dir: Path = Field(
        default=Path("var"), description="where everything of this machine is kept"
    )
    authority_dir: Path = Field(
        default_factory=lambda known: known["data_dir"] / "authority",
        description="where the signing authority's and our services' keys are kept; the same files"
        " on every machine; unset: in data_dir",
    )
    dicom_host: str = Field(
        default="0.0.0.0",  # noqa: S104 - devices call from their own network; strangers are refused
        description="address the DICOM listener binds to",
    )
    dicom_port: Port = Field(default=11112, description="port of the DICOM listener")
    ae_title: Annotated[str, AfterValidator(_ae_title)] = Field(
        default="RDC", description="our application entity title"
    )
    mllp_host: str = Field(
        default="0.0.0.0",  # noqa: S104 - as the DICOM listener
        description="address the listener for HL7 v2 orders binds to",
    )
    mllp_port: Port = Field(
        default=2575,
        description="port of the listener for HL7 v2 orders (MLLP); 0: none without TLS",
    )
    gateway_listeners: Annotated[int, Field(ge=0, le=64)] = Field(
        default_factory=lambda: min(max(os.cpu_count() or 1, 2), 8),
        description="processes that receive DICOM; 0: the whole gateway in one process",
    )
    dicom_max_associations: Annotated[int, Field(ge=1)] = Field(
        default=200, description="associations of all devices at once; each has its own limit too"
    )
    proxy_networks: tuple[IPvAnyNetwork, ...] = Field(
        default=(),
        description="JSON list of networks (CIDR) of balancers: their connections to the DICOM and"
        " MLLP ports begin with a PROXY header that says who calls",
    )
    http_host: str = Field(
        default="127.0.0.1",
        description="address the web server binds to; put a TLS proxy before it to open it wider",
    )
    http_port: Port = Field(default=8080, description="port of the web server")
    public_url: str | None = Field(
        default=None, description="address people use, for links on paper; unset: http://host:port"
    )
    outbound_allow: tuple[IPvAnyNetwork, ...] = Field(
        default=(),
        description="JSON list of networks (CIDR) that web addresses of destinations may lead to"
        " though they are this machine, link-local or a metadata service",
    )
    outbound_deny: tuple[IPvAnyNetwork, ...] = Field(
        default=(),
        description="JSON list of networks (CIDR) that they may never lead to",
    )
    quiet_seconds: QuietSeconds = Field(
        default_factory=lambda: dict(QUIET_SECONDS),
        description="quiet time that completes a study: one number, or JSON by modality",
    )
    time_zone: Annotated[str, AfterValidator(_time_zone)] = Field(
        default="Asia/Shanghai", description="zone in which times are shown and printed"
    )
    claim_lease_seconds: Seconds = Field(
        default=900.0, description="a claimed exam goes back to the queue after this long"
    )
    prior_access_seconds: Seconds = Field(
        default=43200.0,
        description="a reason for seeing other sites' studies of a patient stands this long",
    )
    font_dirs: tuple[Path, ...] = Field(
        default=(), description="JSON list of folders with the report's fonts; unset: those we ship"
    )
    worker_threads: Annotated[int, Field(ge=1, le=64)] = Field(
        default=4, description="tasks that one worker process handles at once"
    )
    delivery_slots: Annotated[int, Field(ge=1, le=256)] = Field(
        default=32, description="destinations that one worker process delivers to at once"
    )
    web_processes: Annotated[int, Field(ge=1, le=32)] = Field(
        default=2, description="web processes that `rdc up` runs on the one HTTP port"
    )
    spool_reserve_mb: Annotated[int, Field(ge=0)] = Field(
        default=1024, description="free space, MB, below which new instances are refused (A700)"
    )
    ecg_folders: dict[str, Path] = Field(
        default={},
        description='watched folders for ECG files: JSON such as {"EAST": "/srv/ecg/east",'
        ' "EAST/EAST_ECG": "/srv/ecg/cart"}, by site code or site code and AE title of a device',
    )
    commitment_wait_seconds: Seconds = Field(
        default=600.0,
        description="storage commitment: how long a named instance may still be on its way",
    )
    log_level: LogLevel = Field(default=LogLevel.INFO, description="DEBUG, INFO, WARNING or ERROR")
    log_dir: Path | None = Field(
        default=None, description="write rotating log files here; unset: standard error"
    )

    @field_validator(
        "database_url",
        "database_read_url",
        "broker_url",
        "object_store_url",
        "public_url",
        "time_stamp_url",
        "certificate_url",
    )
    @classmethod
    def _known_scheme(cls, value: str | None, info: Any) -> str | None:  # noqa: ANN401 - pydantic's
        if not value:
            return None
        schemes = SCHEMES[info.field_name]
        if value.partition("://")[0] not in schemes or "://" not in value:
            message = "an address beginning with " + " or ".join(f"{name}://" for name in schemes)
            raise ValueError(message)
        return value.rstrip("/") if info.field_name in {"public_url", "certificate_url"} else value

    @field_validator(
        "data_dir",
        "authority_dir",
        "log_dir",
        *FILES,
    )
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        # Child processes and later commands may run in another directory.
        return None if value is None else value.expanduser().absolute()

    @property
    def web_address(self) -> str:
        """Where people reach the web UI, without a trailing slash."""
        if self.public_url:
            return self.public_url
        host = self.http_host if self.http_host not in {"", "0.0.0.0", "::"} else "127.0.0.1"  # noqa: S104 - compared
        scheme = "http" if self.http_tls_certificate is None else "https"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.http_port}"

    @property
    def pki_address(self) -> str | None:
        """Where CRL and OCSP are, as certificates name it; None where nobody could reach it."""
        return self.certificate_url or (f"{self.public_url}/pki" if self.public_url else None)

    @property
    def object_store(self) -> str:
        """The object store's URL, the embedded one when none is set."""
        return self.object_store_url or (self.data_dir / "objects").as_uri()

    @property
    def second_factor_for(self) -> frozenset[SecondFactorFor]:
        """For whom a second factor is required, as set or by default."""
        return required_of(self.second_factor, embedded=self.database_url is None)

    @property
    def tls_dir(self) -> Path:
        """Where the private authority for connections and what it issued are kept."""
        return self.data_dir / "tls"

    @property
    def run_dir(self) -> Path:
        """Where the running system notes its processes and addresses."""
        return self.data_dir / "run"

    @property
    def metrics_dir(self) -> Path:
        """Where the processes of this machine count, for `/metrics`."""
        return self.run_dir / "metrics"

    def changed(self, **changes: object) -> Self:
        """Return a copy with some fields changed and everything checked again.

        Raises SettingsError.
        """
        known = {name: getattr(self, name) for name in type(self).model_fields}
        return load(**{**known, **changes})  # pyright: ignore[reportReturnType] - Self is Settings

    def to_environment(self) -> dict[str, str]:
        """Return these settings as the environment variables that `load` reads them from."""
        found = self.model_dump(mode="json", exclude_none=True)
        return {
            f"{PREFIX}{name.upper()}": json.dumps(value)
            if isinstance(value, dict | list)
            else str(value)
            for name, value in found.items()
        }


def load(**overrides: object) -> Settings:
    """Read the settings from the environment; `overrides` (from flags) win, None does not count.

    Raises SettingsError naming each wrong setting, what was expected and what was found.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        read = Settings(**given)  # pyright: ignore[reportArgumentType] - checked by pydantic
        return Settings(**{**given, **_completed(read)})  # pyright: ignore[reportArgumentType]
    except ValidationError as error:
        raise _explain(error) from None


def _completed(settings: Settings) -> dict[str, object]:
    """Return what the settings of encrypted connections make of others."""
    found: dict[str, object] = dict(listening(settings, settings.tls_dir))
    if settings.ca_bundle is not None:
        for name in ("database_url", "database_read_url", "broker_url", "object_store_url"):
            if (url := getattr(settings, name)) is not None:
                found[name] = believing(settings.ca_bundle, url)
    return found


def _explain(error: ValidationError) -> SettingsError:
    lines: list[str] = []
    for problem in error.errors(include_url=False):
        field = str(problem["loc"][0]) if problem["loc"] else "?"
        message = problem["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
        found = "a value not shown here, it may hold a password"
        if field not in SECRET_FIELDS:
            found = repr(problem["input"])
        where = ".".join(str(part) for part in problem["loc"][1:])
        place = f"{PREFIX}{field.upper()}{f' ({where})' if where else ''}"
        lines.append(f"{place}: expected {message}; found {found}")
    return SettingsError(
        "the settings cannot be used:\n  " + "\n  ".join(lines),
        remedy="\nCorrect the environment variable or the flag; `rdc settings` explains each.",
    )


def unknown_variables(environment: Mapping[str, str] | None = None) -> list[str]:
    """Return a line for each RDC_ variable that is no setting: a misspelt one does nothing."""
    names = os.environ if environment is None else environment
    known = {f"{PREFIX}{field.upper()}" for field in Settings.model_fields}
    advice: list[str] = []
    for name in sorted(names):
        if not name.startswith(PREFIX) or name in known or name in OTHER_VARIABLES:
            continue
        near = difflib.get_close_matches(name, known, n=1)
        advice.append(f"{name} is no setting" + (f"; {near[0]} was meant?" if near else ""))
    return advice
