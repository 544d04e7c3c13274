"""TLS towards the machines of sites: the BCP 195 profiles (PS3.15 B.9 and B.10, RFC 9325)."""

import socket
import ssl
from functools import lru_cache
from pathlib import Path
from typing import Final

from pacs_gateway.config import TlsConfig
from storage.errors import RdcError
from storage.registry import certificate_fingerprint
from storage.registry.destination_settings import ClientTls
from storage.revocation_lists import RevocationLists, RevocationListUnusable

# RFC 9325 §4.2: forward secrecy and authenticated encryption only, for TLS 1.2; those of 1.3 all
# are.
_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM"


class TlsUnusable(RdcError):
    """Certificate, key or authorities cannot be used."""


def is_tls_fault(error: BaseException) -> bool:
    """Tell whether an error comes from a handshake that failed, however often it was wrapped."""
    cause: object = error
    while isinstance(cause, BaseException):
        if isinstance(cause, ssl.SSLError):
            return True
        # httpcore's pool takes the cause away (`raise … from None`); it is the argument as well.
        cause = cause.__cause__ or next(iter(cause.args), None)
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


class CertificateRevoked(ssl.SSLError):
    """The peer's certificate is in the list of those that its authority took back."""

    def __init__(self, encoded: bytes) -> None:
        """Tell which one; encoded: the certificate in DER."""
        shown = certificate_fingerprint(encoded)
        super().__init__(ssl.SSL_ERROR_SSL, f"the certificate {shown} was revoked")


class _ClientSocket(ssl.SSLSocket):
    """A connection that ends before anything is said to who shows a revoked certificate."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 -- as the library has it
        context = self.context
        assert isinstance(context, ClientContext)
        try:
            super().do_handshake(block)
            certificate = self.getpeercert(binary_form=True)
            lists = context.revoked
            if lists is not None and certificate is not None and lists.revokes(certificate):
                raise CertificateRevoked(certificate)
        except OSError as error:
            context.fault = error
            raise


class ClientContext(ssl.SSLContext):
    """For connections to receivers, by `wrap_socket`.

    revoked: lists of certificates with which nobody is spoken to; None: nobody looks.
    fault: why the last handshake failed, for a caller whom the library under it does not tell.
    """

    sslsocket_class: type[ssl.SSLSocket] = _ClientSocket
    revoked: RevocationLists | None = None
    fault: OSError | None = None


def context_for(secured: ClientTls | None, host: str) -> tuple[ClientContext, str] | None:
    """Return context and expected name for a connection to `host`; None: it is not secured.

    Raises:
        TlsUnusable: its files cannot be used.
    """
    if secured is None:
        return None
    return client_context(secured), secured.server_name or host


def client_context(secured: ClientTls) -> ClientContext:
    """Return the context for connections to a receiver.

    Its certificate and name are verified, and that its authority did not take the certificate back,
    where a list is named. The list is as it is at each handshake.

    Raises:
        TlsUnusable: a file is missing, or is not what it should be.
    """
    context = ClientContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        if secured.authorities is None:
            context.load_default_certs()
        else:
            context.load_verify_locations(secured.authorities)
        if secured.certificate is not None:
            context.load_cert_chain(secured.certificate, secured.key)
        if secured.revocations is not None:
            context.revoked = _lists(secured.revocations, secured.authorities)
    except (OSError, ssl.SSLError) as error:
        raise TlsUnusable(
            f"TLS cannot be set up with {secured.certificate or secured.authorities}",
            expected="PEM files that the worker may read",
            found=error.strerror or type(error).__name__,
            remedy="Correct the certificate, key and authorities of the destination.",
        ) from error
    except RevocationListUnusable as error:
        raise TlsUnusable(
            error.what, expected=error.expected, found=error.found, remedy=error.remedy
        ) from error
    return context


@lru_cache(maxsize=256)
def _lists(file: Path, authorities: Path | None) -> RevocationLists:
    """Return the lists of a file; kept, so that one that is spoilt later takes nothing back.

    Raises:
        RevocationListUnusable: it is no such file, or not there.
    """
    lists = RevocationLists(file, authorities)
    if not lists.exists:
        raise RevocationListUnusable(
            f"the revocation list {file} is not there",
            expected="a file in PEM, as the settings of the destination say",
            remedy="Put it on every machine that delivers, or take the setting away.",
        )
    return lists


def _unusable(config: TlsConfig, what: str | Path, error: Exception) -> TlsUnusable:
    return TlsUnusable(
        f"TLS cannot be set up with {what}",
        expected="PEM files that the gateway may read",
        found=str(error),
        remedy=f"Correct {config.settings}_CERTIFICATE, _KEY or _CA.",
    )


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
            raise CertificateRevoked(certificate)


def fingerprint(connection: socket.socket) -> str | None:
    """Return the SHA-256 of the peer's verified certificate, hexadecimal; None without one."""
    if not isinstance(connection, ssl.SSLSocket):
        return None
    certificate = connection.getpeercert(binary_form=True)
    return certificate_fingerprint(certificate) if certificate else None
