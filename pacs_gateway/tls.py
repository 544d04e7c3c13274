"""TLS towards the machines of sites: the BCP 195 profiles (PS3.15 B.9 and B.10, RFC 9325)."""

import socket
import ssl
from pathlib import Path
from typing import Final

from pacs_gateway.config import TlsConfig
from storage.errors import RdcError
from storage.registry import certificate_fingerprint
from storage.registry.destination_settings import ClientTls
from storage.revocation_lists import RevocationLists

# RFC 9325 §4.2: forward secrecy and authenticated encryption only, for TLS 1.2; those of 1.3 all
# are.
_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM"


class TlsUnusable(RdcError):
    """Certificate, key or authorities cannot be used."""


def is_tls_fault(error: BaseException) -> bool:
    """Tell whether an error comes from a handshake that failed, however often it was wrapped."""
    while (cause := error.__cause__) is not None:
        if isinstance(cause, ssl.SSLError):
            return True
        error = cause
    return False


def server_context(config: TlsConfig) -> ssl.SSLContext:
    """Return the context for connections from devices.

    Raises:
        TlsUnusable: a file is missing, or is not what it should be.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    try:
        context.load_cert_chain(config.certificate, config.key)
    except (OSError, ssl.SSLError) as error:
        raise _unusable(config, f"{config.certificate} with {config.key}", error) from error
    if config.authorities is None:
        if config.client_certificate_required:
            raise TlsUnusable(
                "client certificates are required, but nobody is named who may issue them",
                remedy=f"Set {config.settings}_CA to a file of PEM certificates.",
            )
        return context
    try:
        context.load_verify_locations(config.authorities)
    except (OSError, ssl.SSLError) as error:
        raise _unusable(config, config.authorities, error) from error
    # A certificate issued directly by a named one, or a named one itself, is enough.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    required = config.client_certificate_required
    context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
    return context


def context_for(secured: ClientTls | None, host: str) -> tuple[ssl.SSLContext, str] | None:
    """Return context and expected name for a connection to `host`; None: it is not secured.

    Raises:
        TlsUnusable: its files cannot be used.
    """
    if secured is None:
        return None
    context = client_context(secured.authorities, secured.certificate, secured.key)
    return context, secured.server_name or host


def client_context(
    authorities: Path | None, certificate: Path | None = None, key: Path | None = None
) -> ssl.SSLContext:
    """Return the context for connections to a receiver, whose certificate and name are verified.

    authorities: PEM certificates that may have issued it; None: those of the system.
    certificate, key: ours, PEM, for receivers that ask for one; the key may be in the first file.

    Raises:
        TlsUnusable: a file is missing, or is not what it should be.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        if authorities is None:
            context.load_default_certs()
        else:
            context.load_verify_locations(authorities)
        if certificate is not None:
            context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise TlsUnusable(
            f"TLS cannot be set up with {certificate or authorities}",
            expected="PEM files that the worker may read",
            found=error.strerror or type(error).__name__,
            remedy="Correct the certificate, key and authorities of the destination.",
        ) from error
    return context


def _unusable(config: TlsConfig, what: str | Path, error: Exception) -> TlsUnusable:
    return TlsUnusable(
        f"TLS cannot be set up with {what}",
        expected="PEM files that the gateway may read",
        found=str(error),
        remedy=f"Correct {config.settings}_CERTIFICATE, _KEY or _CA.",
    )


class CertificateRevoked(OSError):
    """The peer's certificate is in the list of those that its authority took back."""


class Doorkeeper:
    """Secures the connections of a listener and turns away whose certificate was revoked."""

    def __init__(self, config: TlsConfig) -> None:
        """Read the files.

        Raises:
            TlsUnusable: a file is missing, or is not what it should be.
            RevocationListUnusable: the same of the list of revoked certificates.
        """
        self._context = server_context(config)
        self._lists = (
            None
            if config.revocations is None
            else RevocationLists(config.revocations, config.authorities)
        )

    def accept(self, connection: socket.socket, *, timeout: float) -> ssl.SSLSocket:
        """Return the secured connection after a handshake of at most `timeout` seconds.

        Raises:
            CertificateRevoked: who calls shows one that is in the list now.
            OSError: the handshake failed or took too long.
        """
        secured = self._context.wrap_socket(
            connection, server_side=True, do_handshake_on_connect=False
        )
        secured.settimeout(timeout)
        secured.do_handshake()
        try:
            self.look_again(secured)
        except CertificateRevoked:
            secured.close()
            raise
        return secured

    def look_again(self, secured: socket.socket) -> None:
        """Ask whether a connection may go on, where one lasts for days.

        Raises:
            CertificateRevoked: its certificate is in the list now.
        """
        if self._lists is None or not isinstance(secured, ssl.SSLSocket):
            return
        certificate = secured.getpeercert(binary_form=True)
        if certificate is not None and self._lists.revokes(certificate):
            shown = certificate_fingerprint(certificate)
            raise CertificateRevoked(f"the certificate {shown} was revoked")


def fingerprint(connection: socket.socket) -> str | None:
    """Return the SHA-256 of the peer's verified certificate, hexadecimal; None without one."""
    if not isinstance(connection, ssl.SSLSocket):
        return None
    certificate = connection.getpeercert(binary_form=True)
    return certificate_fingerprint(certificate) if certificate else None
