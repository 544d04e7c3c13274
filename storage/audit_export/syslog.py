"""Audit messages over syslog: RFC 5424 over TLS (RFC 5425), as DICOM PS3.15 A.6 and IHE ITI-20 say.

Syslog has no receipt. So each connection carries a batch and is then closed in good order: our end
says that nothing follows, and waits until the other end has read up to there and closes too. What
was sent counts as taken only then. A batch whose end nobody confirmed is sent again, which an audit
repository bears (each message has its id); one that is lost it could not.
"""

import fcntl
import socket
import ssl
import termios
import time
from collections.abc import Iterable
from contextlib import suppress
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
_LOOK_SECONDS: Final = 0.005
_PIECE: Final = 16_384
# Linux' number of the state after a reset (tcp(7), TCP_INFO).
_TCP_CLOSE: Final = 7


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
        with socket.create_connection((to.host, to.port), _SECONDS) as plain:
            line = _Line(plain, context, to.host)
            for one in frames:
                line.send(one)
            line.close_in_order()
    except (OSError, ValueError) as error:
        raise RepositoryUnavailable(
            f"the audit record repository {to.host}:{to.port} did not take the trail",
            expected="a TLS connection that is closed by both ends",
            found=f"{type(error).__name__}: {error}",
            remedy="See that it runs, that its certificate is vouched for by `ca` of"
            " RDC_AUDIT_SYSLOG, and that it takes our `certificate`; nothing is lost meanwhile.",
        ) from error


class _Line:
    """A TLS connection that tells the other end's refusal from its receipt.

    Python's own `SSLSocket.unwrap` does not: to OpenSSL a fatal alert is an end as well. In TLS 1.3
    a server refuses a certificate, or the lack of one, only after we believe to be connected and
    have sent; of 300 batches that a server refused so, 85 counted as taken.
    """

    def __init__(self, plain: socket.socket, context: ssl.SSLContext, host: str) -> None:
        self._plain = plain
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        while True:
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._flush()
                if not self._receive():
                    raise
        self._flush()

    def send(self, content: bytes) -> None:
        """Send all of `content`."""
        self._tls.write(content)
        self._flush()

    def close_in_order(self) -> None:
        """Say that nothing follows and wait for the other end's word, or for its orderly end.

        Raises OSError when the other end refused, was reset, or ended before it had all.
        """
        # What came with the handshake is read first: an alert would end `unwrap` as a receipt does.
        ended = self._has_ended()
        if not ended:
            with suppress(ssl.SSLWantReadError):
                self._tls.unwrap()
            self._flush()
            while not self._has_ended():
                if not self._receive():
                    ended = True
                    break
        if ended:
            # Before our end, or without saying so in TLS: several do, when they have read all.
            self._await_acknowledgement()

    def _has_ended(self) -> bool:
        """Read what was received; tell whether the other end has said that nothing follows."""
        try:
            while self._tls.read(_PIECE):
                pass
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLZeroReturnError:
            pass
        return True

    def _receive(self) -> bool:
        content = self._plain.recv(_PIECE)
        self._incoming.write(content)
        return bool(content)

    def _flush(self) -> None:
        self._plain.sendall(self._outgoing.read())

    def _await_acknowledgement(self) -> None:
        """Return when the other machine has taken all that we sent before it ended.

        What comes to a connection whose program has gone, or is left unread by it, is answered
        with a reset (RFC 1122 §4.2.2.13).
        """
        deadline = time.monotonic() + _SECONDS
        while fcntl.ioctl(self._plain.fileno(), termios.TIOCOUTQ, bytes(4)) != bytes(4):
            if time.monotonic() > deadline:
                raise TimeoutError("what was sent has not been acknowledged")
            time.sleep(_LOOK_SECONDS)
        info = self._plain.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)
        if info[0] == _TCP_CLOSE:
            raise ConnectionResetError("ended before all was read")
