"""What the gateway is told at its start; `deploy` fills it from the settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Final

from storage.quiet_times import QuietTimes

_MEBIBYTE = 1024 * 1024
MOST_PROBES: Final = 8


def _no_modalities() -> Mapping[str, float]:
    return MappingProxyType({})


def _no_folders() -> Mapping[str, Path]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class CommitmentConfig:
    """Settings of storage commitment.

    wait_seconds: how long an instance that is named and not filed yet may still arrive before it
        counts as not there.
    hold_seconds: how long a result waits for the association over which it was asked for, before we
        open one of our own.
    """

    wait_seconds: float = 600.0
    hold_seconds: float = 3.0


@dataclass(frozen=True, slots=True)
class TlsConfig:
    """Settings of secured connections (PS3.15 B.9, B.10).

    port: where to listen for them; port 0 takes a free one.
    certificate, key: ours, PEM.
    authorities: PEM certificates that may issue those of devices; None when devices have none.
    client_certificate_required: whether a device without one is turned away in the handshake.
    revocations: lists of certificates that those authorities took back; None: nobody looks.
    settings: how the names of these settings begin, for whoever has to correct them.
    """

    port: int
    certificate: Path
    key: Path
    authorities: Path | None = None
    client_certificate_required: bool = False
    settings: str = "RDC_DICOM_TLS"
    revocations: Path | None = None


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """Settings of one gateway process.

    ae_title: our application entity title: called by devices, calling when we deliver.
    host, port: where to listen; port 0 takes a free one.
    tls: of secured associations, beside the others; None without.
    balancers: networks in CIDR notation whose connections begin with a PROXY header, see
        `proxy_header`.
    listeners: how many processes receive.
    spool_dir: directory of this gateway alone; on the same filesystem as a `file://` object store,
        files move without a copy.
    spool_reserve_bytes: free space of the spool's filesystem below which an instance is refused
        with status A700H.
    quiet_seconds: how long a study must be quiet to be complete, by Modality (0008,0060);
        `quiet_seconds_default` for the others.
    maximum_associations: most associations of all devices at once; each has a limit of its own too.
    maximum_pdu_length: largest P-DATA-TF we offer to receive (PS3.8 D.1), bytes.
    network_timeout_seconds: silence of a peer after which its association is aborted.
    acse_timeout_seconds: how long an association may take to be requested, answered or released.
    device_cache_seconds: how long an admitted device is admitted again without asking the database.
    device_grace_seconds: the same while the database cannot be asked.
    drain_batch: most instances filed in one transaction.
    stop_grace_seconds: how long running associations may finish when the gateway stops.
    commitment: of storage commitment.
    time_zone: in which devices read and write scheduled times, the name of an IANA zone.
    """

    ae_title: str
    host: str
    port: int
    spool_dir: Path
    spool_reserve_bytes: int = 1024 * _MEBIBYTE
    quiet_seconds_default: float = 30.0
    quiet_seconds: Mapping[str, float] = field(default_factory=_no_modalities)
    maximum_pdu_length: int = 131_072
    maximum_associations: int = 200
    network_timeout_seconds: float = 60.0
    acse_timeout_seconds: float = 30.0
    device_cache_seconds: float = 5.0
    device_grace_seconds: float = 86_400.0
    drain_batch: int = 256
    query_results_max: int = 10_000
    stop_grace_seconds: float = 10.0
    tls: TlsConfig | None = None
    balancers: tuple[str, ...] = ()
    listeners: int = 2
    commitment: CommitmentConfig = field(default_factory=CommitmentConfig)
    time_zone: str = "Asia/Shanghai"

    def quiet(self, modality: str | None) -> timedelta:
        """Return the quiet time of a study to which an instance of `modality` came."""
        return QuietTimes(self.quiet_seconds_default, self.quiet_seconds).of(modality)


@dataclass(frozen=True, slots=True)
class ReturnsConfig:
    """Settings of the way back, for whichever process makes the delivery attempts.

    calling_ae_title: our AE title, as the sites' receivers know it.
    lease_seconds: how long one attempt may take before another process may try.
    first_retry_seconds, longest_retry_seconds: the back-off doubles from the one to the other and
        never ends.
    utc_offset_minutes: of the clock on the wall where reports are read; China has one for all,
        and no summer time.
    turn_deliveries, turn_seconds: after how much a destination's turn ends, so that others have
        theirs. most_probes: how many destinations that could not be reached are tried at once.
    outbound_allowed, outbound_denied: networks in CIDR notation that web addresses of destinations
        may lead to though they would be refused, or may not lead to; see `returns.outbound`.
    web_address: where people reach our pages, without a trailing slash; empty: notices have no
        link.
    """

    calling_ae_title: str
    outbound_allowed: tuple[str, ...] = ()
    outbound_denied: tuple[str, ...] = ()
    web_address: str = ""
    lease_seconds: float = 120.0
    first_retry_seconds: float = 2.0
    longest_retry_seconds: float = 900.0
    utc_offset_minutes: int = 480
    connect_timeout_seconds: float = 10.0
    acse_timeout_seconds: float = 15.0
    dimse_timeout_seconds: float = 60.0
    turn_deliveries: int = 200
    turn_seconds: float = 20.0
    most_probes: int = MOST_PROBES


@dataclass(frozen=True, slots=True)
class Hl7Config:
    """Settings of the HL7 listener.

    application: our name in MSH-3 of answers.
    host, port: where to listen; port 0 takes a free one, None: only with TLS.
    tls: of secured connections, beside the others; None without.
    balancers: as of the gateway.
    time_zone: of times without an offset, the name of an IANA zone.
    maximum_message_bytes: longer messages are refused.
    message_seconds: silence within a message after which its connection is ended.
    idle_seconds: the same between messages.
    """

    application: str
    host: str
    port: int | None
    time_zone: str = "Asia/Shanghai"
    balancers: tuple[str, ...] = ()
    maximum_message_bytes: int = 256 * 1024
    maximum_connections: int = 100
    message_seconds: float = 30.0
    idle_seconds: float = 86_400.0
    tls: TlsConfig | None = None


@dataclass(frozen=True, slots=True)
class EcgIntakeConfig:
    """Settings of the intake of ECG files.

    ae_title: ours, for what is written of a reception.
    scratch_dir: where files lie while they are read; emptied by whoever put something there.
    folders: those that are watched, by the site's code, or for one of its devices `SITE/AE`.
    settle_seconds: how long a file in such a folder must stay as it is before it is taken.
    lease_seconds: how long one attempt at a file may take before another process may try.
    first_retry_seconds, longest_retry_seconds: the back-off doubles from the one to the other.
    """

    ae_title: str
    scratch_dir: Path
    folders: Mapping[str, Path] = field(default_factory=_no_folders)
    settle_seconds: float = 2.0
    lease_seconds: float = 300.0
    first_retry_seconds: float = 1.0
    longest_retry_seconds: float = 300.0
