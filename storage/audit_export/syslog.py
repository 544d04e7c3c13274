"""Audit messages over syslog: RFC 5424 over TLS (RFC 5425), as DICOM PS3.15 A.6 and IHE ITI-20 say.

Syslog has no receipt. So each connection carries a batch and is then closed in good order: our end
says that nothing follows, and waits until the other end has read up to there and closes too. What
was sent counts as taken only then. A batch whose end nobody confirmed is sent again, which an audit
repository bears (each message has its id); one that is lost it could not.
"""

import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

from storage.errors import RdcError

PORT: Final = 6514
# Facility 10 (security), severity 5 (notice): RFC 5424 §6.2.1.
_PRIORITY: Final = 10 * 8 + 5
AUDIT_MESSAGE: Final = "DICOM+RFC3881"
"""MSGID of a message of the trail (ITI-20)."""
_BOM: Final = b"\xef\xbb\xbf"
_SECONDS: Final = 20.0


class RepositoryUnavailable(RdcError):
    """The audit record repository did not take a batch; it is sent again."""


@dataclass(frozen=True, slots=True)
class Repository:
    """Where the trail goes.

    authority: PEM certificates that may vouch for it; None: those of the system. certificate, key:
        PEM files that we show; None: none, and a repository that wants one refuses us.
    """

    host: str
    port: int = PORT
    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


def repository(url: str) -> Repository:
    """Read ``tls://host:6514?ca=FILE&certificate=FILE&key=FILE``; port and files may be left out.

    Raises:
        ValueError: it is not of that form.
    """
    parts = urlsplit(url)
    files = {name: Path(values[-1]) for name, values in parse_qs(parts.query).items()}
    strange = files.keys() - {"ca", "certificate", "key"}
    if parts.scheme != "tls" or not parts.hostname or parts.path.strip("/") or strange:
        raise ValueError("tls://HOST:PORT?ca=FILE&certificate=FILE&key=FILE")
    return Repository(
        parts.hostname,
        parts.port or PORT,
        files.get("ca"),
        files.get("certificate"),
        files.get("key"),
    )


def frame(
    message: bytes, *, at: datetime, machine: str, process: str, message_id: str = AUDIT_MESSAGE
) -> bytes:
    """Return a message as syslog sends it: its length, a space, header and text (RFC 5425 §4.3).

    machine, process, message_id: printable ASCII without spaces, of at most 255, 48 and 32
        characters; the last two are APP-NAME and MSGID (RFC 5424 §6.2).
    """
    when = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    header = f"<{_PRIORITY}>1 {when} {machine} {process} - {message_id} - "
    line = header.encode("ascii") + _BOM + message
    return str(len(line)).encode("ascii") + b" " + line


def send(to: Repository, frames: Iterable[bytes]) -> None:
    """Send a batch over a connection of its own, and return when its end has been confirmed.

    Raises:
        RepositoryUnavailable: it cannot be reached, is not who it should be, or did not take all.
    """
    try:
        context = ssl.create_default_context(cafile=to.authority)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if to.certificate is not None:
            context.load_cert_chain(to.certificate, to.key)
        with (
            socket.create_connection((to.host, to.port), _SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=to.host) as line,
        ):
            for one in frames:
                line.sendall(one)
            _close_in_order(line)
    except (OSError, ValueError) as error:
        raise RepositoryUnavailable(
            f"the audit record repository {to.host}:{to.port} did not take the trail",
            expected="a TLS connection that is closed by both ends",
            found=f"{type(error).__name__}: {error}",
            remedy="See that it runs, that its certificate is vouched for by `ca` of"
            " RDC_AUDIT_SYSLOG, and that it takes our `certificate`; nothing is lost meanwhile.",
        ) from error


def _close_in_order(line: ssl.SSLSocket) -> None:
    """Say that nothing follows and wait for the other end; one that resets has not read it all."""
    try:
        line.unwrap()
    except ssl.SSLEOFError:
        # Closed without saying so in TLS, after it had read up to our end: several servers do.
        return
    except OSError as error:
        # The same, as some versions of OpenSSL tell it: an error of the system that is none.
        if error.errno:
            raise
