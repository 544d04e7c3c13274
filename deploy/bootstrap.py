"""The composition root: settings become the parts that a process runs with.

Rooms are imported inside the functions, so that a process loads what it uses
and `rdc --help` loads none of it.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from deploy import logs, signing
from deploy.connections import PLAIN, WEB_POOL, Share
from deploy.errors import DeployError, SettingsError
from deploy.weaknesses import require_strong
from storage import metering, tracing
from storage.database import Database, check_schema
from storage.objects import ObjectStore, open_object_store

if TYPE_CHECKING:
    from collections.abc import Generator

    from deploy.settings import Settings
    from pacs_gateway.config import (
        EcgIntakeConfig,
        GatewayConfig,
        Hl7Config,
        ReturnsConfig,
        TlsConfig,
    )
    from pacs_gateway.site_test.run import SiteTestConfig
    from reading_worklist.access.outside.providers import Provider
    from reading_worklist.access.policy import AccessPolicy
    from reading_worklist.services import WebConfig
    from storage.audit_export.exporting import Exporter
    from storage.quiet_times import QuietTimes
    from storage.standby import StandbyReads

ROOT: Final = Path(__file__).resolve().parent.parent
WEB_SOURCES: Final = ROOT / "reading_worklist" / "web"
WEB_UI: Final = WEB_SOURCES / "dist"
OHIF: Final = WEB_SOURCES / "node_modules" / "@ohif" / "app" / "dist"
MEGABYTE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Parts:
    """What every process of ours has."""

    settings: Settings
    database: Database
    objects: ObjectStore


@contextmanager
def open_parts(
    settings: Settings, process: str, *, share: Share = PLAIN, patience: float = 0.0
) -> Generator[Parts]:
    """Set logging up and open database and object store for the process of that name.

    share: how many connections to the database it may hold, which the server's list of them tells.
    patience: so many seconds it waits for a statement or a lock of the database; 0: for ever.

    Raises SettingsError when no database is named or a choice is weak, InvalidObjectStoreUrl or
    ObjectStoreUnavailable when the object store cannot be used, SchemaUnfit when this
    software does not work with the database's schema. A database that does not answer
    is connected to at its first use.
    """
    logs.configure(process, level=settings.log_level, directory=settings.log_dir)
    require_strong(settings)
    count_in(settings, process)
    check_schema(database_url(settings))
    database = Database(
        database_url(settings),
        pool_size=share.pool,
        time_zone=settings.time_zone,
        name=share.told(process),
        patience=patience,
    )
    try:
        with _traced(settings, process):
            yield Parts(settings, database, open_object_store(settings.object_store))
    finally:
        database.close()
        metering.disable()


@contextmanager
def reading_at_standby(parts: Parts) -> Generator[StandbyReads | None]:
    """Open what reads at the standby of the database; None where no standby is set."""
    settings = parts.settings
    if settings.database_read_url is None:
        yield None
        return
    from storage.standby import StandbyReads  # noqa: PLC0415

    opened = StandbyReads(
        parts.database,
        settings.database_read_url,
        pool_size=WEB_POOL,
        time_zone=settings.time_zone,
    )
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def _traced(settings: Settings, process: str) -> Generator[None]:
    """Send what this process does for each study to the collector, if one is set."""
    if settings.otlp_url is None:
        yield
        return
    from deploy.otlp import OtlpSender  # noqa: PLC0415

    sender = OtlpSender(settings.otlp_url, process)
    tracing.enable(sender)
    try:
        yield
    finally:
        tracing.enable(None)
        sender.close()


def count_in(settings: Settings, process: str) -> None:
    """Let this process count what it does, beside the others of this machine."""
    os.environ[metering.VARIABLE] = str(settings.metrics_dir)
    metering.enable(settings.metrics_dir, process)


def database_url(settings: Settings) -> str:
    """Return the database's URL. Raises SettingsError when none is set."""
    if settings.database_url is None:
        raise SettingsError(
            "there is no database to work with",
            expected="RDC_DATABASE_URL naming a PostgreSQL server",
            found="nothing",
            remedy="Set it, or use `rdc up`, which starts one itself.",
        )
    return settings.database_url


def broker_url(settings: Settings) -> str:
    """Return the broker's URL. Raises SettingsError when none is set."""
    if settings.broker_url is None:
        raise SettingsError(
            "there is no broker to work with",
            expected="RDC_BROKER_URL naming a Redis, Valkey or RabbitMQ server",
            found="nothing",
            remedy="Set it, or use `rdc up`, which starts one itself.",
        )
    return settings.broker_url


def quiet_times(settings: Settings) -> QuietTimes:
    """Say how long studies must be quiet, for whoever receives them."""
    from deploy.settings import ANY_MODALITY  # noqa: PLC0415
    from storage.quiet_times import QuietTimes  # noqa: PLC0415

    by_modality = dict(settings.quiet_seconds)
    return QuietTimes(by_modality.pop(ANY_MODALITY), by_modality)


def gateway_config(settings: Settings) -> GatewayConfig:
    """Say how the gateway shall run."""
    from pacs_gateway.config import CommitmentConfig, GatewayConfig  # noqa: PLC0415

    quiet = quiet_times(settings)
    return GatewayConfig(
        ae_title=settings.ae_title,
        host=settings.dicom_host,
        port=settings.dicom_port,
        tls=_tls_config(settings, "dicom_tls"),
        balancers=tuple(str(network) for network in settings.proxy_networks),
        commitment=CommitmentConfig(wait_seconds=settings.commitment_wait_seconds),
        listeners=settings.gateway_listeners,
        maximum_associations=settings.dicom_max_associations,
        spool_dir=settings.data_dir / "spool",
        spool_reserve_bytes=settings.spool_reserve_mb * MEGABYTE,
        quiet_seconds_default=quiet.default,
        quiet_seconds=quiet.by_modality,
        time_zone=settings.time_zone,
    )


def _tls_config(settings: Settings, group: str) -> TlsConfig | None:
    """Return one of the groups of TLS settings, `dicom_tls` or `mllp_tls`; None without one."""
    from deploy.settings import PREFIX  # noqa: PLC0415
    from deploy.tls import revocation  # noqa: PLC0415
    from pacs_gateway.config import TlsConfig  # noqa: PLC0415

    def value(name: str) -> Any:  # noqa: ANN401 -- each setting has its own type
        return getattr(settings, f"{group}_{name}")

    if value("certificate") is None:
        return None
    return TlsConfig(
        port=value("port"),
        certificate=value("certificate"),
        key=value("key") or value("certificate"),
        authorities=value("ca"),
        client_certificate_required=value("client_required"),
        settings=f"{PREFIX}{group.upper()}",
        revocations=revocation.file_of(settings, group),
    )


def hl7_config(settings: Settings) -> Hl7Config:
    """Say how the listener for HL7 v2 orders shall run."""
    from pacs_gateway.config import Hl7Config  # noqa: PLC0415

    return Hl7Config(
        application=settings.ae_title,
        host=settings.mllp_host,
        port=settings.mllp_port or None,
        time_zone=settings.time_zone,
        tls=_tls_config(settings, "mllp_tls"),
        balancers=tuple(str(network) for network in settings.proxy_networks),
    )


def ecg_intake_config(settings: Settings) -> EcgIntakeConfig:
    """Say how ECG files shall be taken in."""
    from pacs_gateway.config import EcgIntakeConfig  # noqa: PLC0415

    return EcgIntakeConfig(
        ae_title=settings.ae_title,
        scratch_dir=settings.data_dir / "scratch" / "ecg",
        folders={code: path.expanduser().absolute() for code, path in settings.ecg_folders.items()},
    )


def returns_config(settings: Settings) -> ReturnsConfig:
    """Say how results shall be delivered."""
    from pacs_gateway.config import ReturnsConfig  # noqa: PLC0415

    offset = datetime.now(ZoneInfo(settings.time_zone)).utcoffset() or timedelta()
    return ReturnsConfig(
        calling_ae_title=settings.ae_title,
        utc_offset_minutes=int(offset.total_seconds()) // 60,
        outbound_allowed=tuple(str(network) for network in settings.outbound_allow),
        outbound_denied=tuple(str(network) for network in settings.outbound_deny),
        web_address=settings.web_address,
    )


def site_test_config(settings: Settings) -> SiteTestConfig:
    """Say how sites' connections are tried."""
    from pacs_gateway.site_test.run import SiteTestConfig  # noqa: PLC0415

    return SiteTestConfig(returns_config(settings), settings.time_zone)


def web_config(settings: Settings) -> WebConfig:
    """Say how the web process shall run.

    Raises DeployError when the web UI has not been built or a trust anchor is missing.
    """
    from deploy.tls import revocation  # noqa: PLC0415
    from reading_worklist.access.proxies import ForwardedHeader, ProxyTrust  # noqa: PLC0415
    from reading_worklist.access.second_factor import open_seal  # noqa: PLC0415
    from reading_worklist.access.sessions import SessionLimits  # noqa: PLC0415
    from reading_worklist.services import WebConfig  # noqa: PLC0415

    for directory, what in ((WEB_UI, "the web UI"), (OHIF, "the image viewer")):
        if not (directory / "index.html").is_file():
            raise DeployError(
                f"{what} is not installed",
                expected=f"{directory / 'index.html'}",
                found="no such file",
                remedy="Run `make setup`.",
            )
    return WebConfig(
        web_ui=WEB_UI,
        ohif=OHIF,
        packed_files=settings.data_dir / "cache" / "viewer",
        fonts=settings.font_dirs,
        trust_anchors=signing.trust_anchors(settings),
        time_anchors=signing.time_anchors(settings),
        long_term=signing.long_term(settings),
        key_providers=signing.key_providers(settings),
        public_url=settings.web_address,
        time_zone=settings.time_zone,
        secure_cookie=settings.web_address.startswith("https://"),
        claim_lease=timedelta(seconds=settings.claim_lease_seconds),
        prior_access=timedelta(seconds=settings.prior_access_seconds),
        quiet_times=quiet_times(settings),
        proxies=ProxyTrust(
            settings.trusted_proxies,
            ForwardedHeader(settings.forwarded_header),
            settings.client_certificate_header,
        ),
        revocations=revocation.of_http(settings),
        access=access_policy(settings),
        seal=open_seal(settings.authority_dir),
        identity_providers=identity_providers(settings),
        signing_authority=partial(signing.present_signing_authority, settings),
        metrics_dir=settings.metrics_dir,
        session_limits=SessionLimits(
            idle=timedelta(seconds=settings.session_idle_seconds),
            absolute=timedelta(seconds=settings.session_absolute_seconds),
        ),
    )


def access_policy(settings: Settings) -> AccessPolicy:
    """Say what is demanded of who signs in."""
    from reading_worklist.access.policy import (  # noqa: PLC0415
        AccessPolicy,
        PasswordPolicy,
        SecondFactorFor,
    )

    return AccessPolicy(
        second_factor_for=frozenset(SecondFactorFor(one) for one in settings.second_factor_for),
        second_factor_stands=timedelta(hours=settings.second_factor_hours),
        home_networks=settings.home_networks,
        password=PasswordPolicy(
            shortest=settings.password_length,
            history=settings.password_history,
            longest_use=timedelta(days=settings.password_max_days)
            if settings.password_max_days
            else None,
        ),
    )


def identity_providers(settings: Settings) -> dict[str, Provider]:
    """Return the set identity providers, by name.

    Raises RegistryRefused when the file of a secret cannot be read or is open to others.
    """
    from reading_worklist.access.outside.providers import (  # noqa: PLC0415
        Provider,
        ProviderConfig,
        RoleRule,
    )
    from storage.registry.destination_settings import read_secret  # noqa: PLC0415

    return {
        name: Provider(
            ProviderConfig(
                name=name,
                issuer=one.issuer,
                client_id=one.client_id,
                label=one.label,
                label_en=one.label_en,
                client_secret=read_secret(one.client_secret_file)
                if one.client_secret_file
                else None,
                scopes=one.scopes,
                email_claim=one.email_claim,
                email_verified_claim=one.email_verified_claim,
                second_factor_amr=frozenset(one.second_factor_amr),
                roles=tuple(RoleRule(**dict(rule)) for rule in one.roles),
                trust=one.trust,
                timeout=one.timeout,
            )
        )
        for name, one in settings.identity_providers.items()
    }


def prepare(settings: Settings) -> None:
    """Bring the database to the newest version and make this installation's own secrets.

    They are the signing authority, the keys of our services, and what seals second factors. Safe to
    run from several processes at once.
    """
    from reading_worklist.access.second_factor import make_seal  # noqa: PLC0415
    from reading_worklist.signing.service_keys import make_service_keys  # noqa: PLC0415
    from storage.database import migrate  # noqa: PLC0415

    migrate(database_url(settings))
    _see_that_no_authority_is_elsewhere(settings)
    make_service_keys(settings.authority_dir, signing.open_signing_authority(settings))
    make_seal(settings.authority_dir)


def _see_that_no_authority_is_elsewhere(settings: Settings) -> None:
    """Refuse to make a second signing authority where another has issued certificates.

    What people sign under it would be trusted on this machine alone. Raises DeployError.
    """
    from sqlalchemy import select  # noqa: PLC0415

    from reading_worklist.signing.tables import SigningCredential  # noqa: PLC0415

    if (settings.authority_dir / "authority.pem").exists():
        return
    database = Database(database_url(settings), pool_size=1)
    try:
        with database.transaction() as session:
            issued = session.scalar(select(SigningCredential.id).limit(1)) is not None
    finally:
        database.close()
    if issued:
        raise DeployError(
            "the signing authority of this centre is on another machine",
            expected=f"its files in {settings.authority_dir}",
            found="none, and doctors with certificates in the database",
            remedy="Copy the folder from the machine where it was made, or from the backup, and"
            " name it with RDC_AUTHORITY_DIR.",
        )


def audit_exporters(parts: Parts) -> list[Exporter]:
    """Return what sends the audit trail, or events of it, to the repositories that are set."""
    from storage.audit_export import exporting, sole  # noqa: PLC0415
    from storage.audit_export.syslog import repository  # noqa: PLC0415

    settings = parts.settings
    feeds = (
        (settings.audit_syslog, exporting.TRAIL),
        (settings.sole_syslog, sole.FEED),
    )
    return [
        exporting.Exporter(
            parts.database, repository(address), source=settings.audit_source, feed=feed
        )
        for address, feed in feeds
        if address is not None
    ]
