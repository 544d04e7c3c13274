"""Settings of encrypted connections: our listeners' certificates, and whom we believe.

They are read with all others by `deploy.settings`.
"""

from pathlib import Path
from typing import Annotated, Final
from urllib.parse import parse_qs, quote, urlsplit

from pydantic import Field
from pydantic_settings import BaseSettings

from deploy.tls import AUTHORITY_FILE, REVOKED_FILE, SERVER

Port = Annotated[int, Field(ge=0, le=65535)]

LISTENERS: Final = ("http_tls", "dicom_tls", "mllp_tls")
"""Beginnings of the names of the settings of each listener."""

FILES: Final = (
    "ca_bundle",
    *(f"{group}_{part}" for group in LISTENERS for part in ("certificate", "key")),
    *(f"{group}_{part}" for group in LISTENERS for part in ("ca", "crl")),
)
"""Settings that name files."""


class TlsSettings(BaseSettings):
    """The part of the settings that says how connections are encrypted."""

    tls: bool = Field(
        default=False,
        description="listen with the certificate that `rdc tls init` made, for HTTPS, DICOM and"
        " MLLP, wherever no other is set",
    )
    http_tls_certificate: Path | None = Field(
        default=None, description="PEM certificate for HTTPS; unset: HTTP, behind a TLS proxy"
    )
    http_tls_key: Path | None = Field(
        default=None, description="PEM key of it; unset: in the same file"
    )
    http_tls_ca: Path | None = Field(
        default=None, description="PEM certificates that may issue those of machines for HTTPS"
    )
    http_tls_crl: Path | None = Field(
        default=None,
        description="PEM lists of machines' certificates that were revoked, for our own HTTPS and"
        " for what a balancer tells; read again when the file changes",
    )
    machine_https_port: Port | None = Field(
        default=None,
        description="port for HTTPS of machines that show a certificate, and for nobody without;"
        " unset: none",
    )
    ca_bundle: Path | None = Field(
        default=None,
        description="PEM certificates that may issue those of our own database, broker and object"
        " store, where their addresses name no others; unset: those of the system",
    )
    mllp_tls_port: Port = Field(
        default=2576, description="port for MLLP over TLS; listened on with a certificate only"
    )
    mllp_tls_certificate: Path | None = Field(
        default=None, description="PEM certificate for MLLP over TLS; unset: no TLS"
    )
    mllp_tls_key: Path | None = Field(
        default=None, description="PEM key of it; unset: in the same file"
    )
    mllp_tls_ca: Path | None = Field(
        default=None, description="PEM certificates that may issue those of senders"
    )
    mllp_tls_crl: Path | None = Field(
        default=None,
        description="PEM lists of senders' certificates that were revoked; read again when the file"
        " changes",
    )
    mllp_tls_client_required: bool = Field(
        default=False, description="turn away senders that call on the TLS port without certificate"
    )
    dicom_tls_port: Port = Field(
        default=2762, description="port for DICOM over TLS; listened on with a certificate only"
    )
    dicom_tls_certificate: Path | None = Field(
        default=None, description="PEM certificate for DICOM over TLS; unset: no TLS"
    )
    dicom_tls_key: Path | None = Field(
        default=None, description="PEM key of it; unset: in the same file"
    )
    dicom_tls_ca: Path | None = Field(
        default=None, description="PEM certificates that may issue those of devices"
    )
    dicom_tls_crl: Path | None = Field(
        default=None,
        description="PEM lists of devices' certificates that were revoked; read again when the file"
        " changes",
    )
    dicom_tls_client_required: bool = Field(
        default=False, description="turn away devices that call on the TLS port without certificate"
    )


def listening(settings: TlsSettings, folder: Path) -> dict[str, Path]:
    """Return the files of the private authority in `folder` for listeners that name none.

    Empty unless `tls` is set. A listener with a certificate of its own keeps its own authorities,
    too: whom it believes is then somebody's decision.
    """
    if not settings.tls:
        return {}
    found: dict[str, Path] = {}
    for group in LISTENERS:
        if getattr(settings, f"{group}_certificate") is None:
            found[f"{group}_certificate"] = folder / f"{SERVER}.pem"
            found[f"{group}_key"] = folder / f"{SERVER}.key.pem"
            if getattr(settings, f"{group}_ca") is None:
                found[f"{group}_ca"] = folder / AUTHORITY_FILE
                if getattr(settings, f"{group}_crl") is None:
                    found[f"{group}_crl"] = folder / REVOKED_FILE
    return found


def believing(bundle: Path, url: str) -> str:
    """Return the address of a server of ours with the authorities that may vouch for it.

    Where it names some itself, or is not encrypted, it stays as it is: this never turns TLS on.

    >>> believing(Path("/ca.pem"), "rediss://:x@cache:6379/0")
    'rediss://:x@cache:6379/0?ssl_cert_reqs=required&ssl_ca_certs=%2Fca.pem'
    """
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    file = quote(str(bundle), safe="")
    match parts.scheme:
        case "postgresql" | "postgresql+psycopg":
            added = f"sslrootcert={file}"
            wanted = query.get("sslmode", "").startswith("verify-") and "sslrootcert" not in query
        case "rediss":
            added = f"ssl_cert_reqs=required&ssl_ca_certs={file}"
            wanted = "ssl_ca_certs" not in query and "ssl_cert_reqs" not in query
        case "amqps":
            added = f"ssl_cert_reqs=required&ssl_ca_certs={file}"
            wanted = "ssl_ca_certs" not in query and "ssl_cert_reqs" not in query
        case "s3":
            added = f"ca={file}"
            wanted = query.get("secure", "1") != "0" and "ca" not in query
        case _:
            return url
    return f"{url}{'&' if parts.query else '?'}{added}" if wanted else url
