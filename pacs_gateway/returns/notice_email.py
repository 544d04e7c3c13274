"""Notices by e-mail, through an SMTP server (RFC 5321, RFC 3207)."""

import smtplib
import socket
import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final
from uuid import UUID, uuid4

from pacs_gateway import tls
from pacs_gateway.config import ReturnsConfig
from pacs_gateway.returns.channels import DeliveryAnswer, Parcel
from pacs_gateway.returns.hl7_report import control_id
from pacs_gateway.returns.notice_texts import NoticeText, notice_text, test_text
from pacs_gateway.tls import TlsUnusable, is_tls_fault
from storage.clock import utc_now
from storage.destination_trials import Finding, Tried
from storage.registry.destination_settings import ClientTls, NoticeSettings, read_secret
from storage.registry.refusal import RegistryRefused

_PERMANENT: Final = range(500, 600)
_READY: Final = 220
_SHARE_OF_LEASE: Final = 0.75


class EmailChannel:
    """An SMTP server; not shared between threads."""

    def __init__(
        self, destination_id: UUID, settings: NoticeSettings, config: ReturnsConfig
    ) -> None:
        """Note where it is; each message has a connection of its own."""
        self._destination_id = destination_id
        self._settings = settings
        self._web_address = config.web_address
        self._connect_seconds = config.connect_timeout_seconds
        self._seconds = config.lease_seconds * _SHARE_OF_LEASE

    def send(self, parcel: Parcel) -> DeliveryAnswer:
        """Hand the notice to the server; delivered when it took it for somebody."""
        settings = self._settings
        report = parcel.report()
        told = notice_text(report, settings.language, self._web_address)
        known = control_id(
            parcel.report_version_id, self._destination_id, transmission=parcel.transmission
        )
        message = _message(told, settings, known)
        message["Date"] = format_datetime(report.times.issued)
        request = f"To: {', '.join(settings.recipients)}\n{told.subject}\n\n{told.text}"
        try:
            with self._session() as session:
                refused = session.send_message(message, settings.sender, settings.recipients)
        except smtplib.SMTPRecipientsRefused as error:
            return _refused(_worst(error.recipients), request)
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            return _refused((error.smtp_code, error.smtp_error), request)
        except (smtplib.SMTPException, OSError, TlsUnusable, RegistryRefused) as error:
            return DeliveryAnswer.try_again(
                f"{settings.host}:{settings.port}: {_reason(error)}",
                whole_destination=True,
                request=request,
            )
        said = "taken by the mail server, which is no proof that it was read"
        if refused:
            left = len(settings.recipients) - len(refused)
            said = f"{said}; {left} of {len(settings.recipients)} recipients were accepted"
        return DeliveryAnswer.delivered(said, request=request, response=_shown(refused))

    def try_out(self) -> Tried:
        """Send the recipients a message that says that it is a test."""
        settings = self._settings
        told = test_text(settings.language, "")
        known = control_id(uuid4(), self._destination_id)
        message = _message(told, settings, known)
        message["Date"] = format_datetime(utc_now())
        try:
            with self._session() as session:
                refused = session.send_message(message, settings.sender, settings.recipients)
        except smtplib.SMTPException as error:
            return Tried(_finding(error), f"{settings.host}:{settings.port}: {_reason(error)}")
        except (TlsUnusable, RegistryRefused) as error:
            return Tried(Finding.NOT_SET_UP, str(error))
        except OSError as error:
            secured = is_tls_fault(error)
            finding = Finding.NO_ANSWER if isinstance(error, TimeoutError) else Finding.UNREACHABLE
            where = f"{settings.host}:{settings.port}: {_reason(error)}"
            return Tried(Finding.NOT_SECURED if secured else finding, where)
        taken = len(settings.recipients) - len(refused)
        said = f"the mail server took a test for {taken} of {len(settings.recipients)} recipients"
        return Tried(Finding.NOT_TAKEN if refused else Finding.WORKS, said)

    def close(self) -> None:
        """Do nothing: no connection outlives its message."""

    @contextmanager
    def _session(self) -> Generator[smtplib.SMTP]:
        """Yield a session that is secured and signed in as the settings say."""
        settings = self._settings
        secured = settings.tls or ClientTls()
        context = None if settings.security == "none" else tls.client_context(secured)
        host = settings.host or ""
        name = secured.server_name or host
        line = socket.create_connection((host, settings.port), timeout=self._connect_seconds)
        session = smtplib.SMTP(timeout=settings.answer_seconds)
        with _cut_off(session, self._seconds):
            try:
                line.settimeout(settings.answer_seconds)
                session.sock = line
                if settings.security == "tls" and context is not None:
                    session.sock = context.wrap_socket(line, server_hostname=name)
                _expect(session.getreply())
                session.ehlo_or_helo_if_needed()
                if settings.security == "starttls" and context is not None:
                    _start_tls(session, context, name)
                if settings.user:
                    password = read_secret(settings.secret_file) if settings.secret_file else ""
                    session.login(settings.user, password)
                yield session
                with suppress(smtplib.SMTPException, OSError):
                    # Taken is taken, whatever becomes of the farewell.
                    session.quit()
            finally:
                session.close()
                line.close()


def _start_tls(session: smtplib.SMTP, context: ssl.SSLContext, name: str) -> None:
    """Secure the session (RFC 3207), or fail: nothing is sent in the clear instead."""
    _expect(session.docmd("STARTTLS"))
    line = session.sock
    assert line is not None
    session.sock = context.wrap_socket(line, server_hostname=name)
    # What was said before the handshake counts for nothing any more (§4.2).
    session.file = None
    session.helo_resp = session.ehlo_resp = None
    session.esmtp_features = {}
    session.does_esmtp = False
    session.ehlo_or_helo_if_needed()


def _expect(reply: tuple[int, bytes]) -> None:
    if reply[0] != _READY:
        raise smtplib.SMTPResponseException(*reply)


@contextmanager
def _cut_off(session: smtplib.SMTP, seconds: float) -> Generator[None]:
    """End the session when it has taken too long altogether, however busy the server looks."""

    def end() -> None:
        line = session.sock
        if line is not None:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _message(told: NoticeText, settings: NoticeSettings, known: str) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = told.subject
    message["From"] = settings.sender
    message["To"] = ", ".join(settings.recipients)
    # The same for every attempt, so that mail systems recognise a repeat.
    message["Message-ID"] = f"<{known}@{settings.sender.rpartition('@')[2].strip('> ') or 'rdc'}>"
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = settings.language
    message.set_content(f"{told.text}\n\n{told.centre}\n")
    return message


def _refused(reply: tuple[int, bytes | str], request: str) -> DeliveryAnswer:
    code, text = reply
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    said, response = f"SMTP {code}", f"{code} {words}"
    if code in _PERMANENT:
        return DeliveryAnswer.refused(said, request=request, response=response)
    return DeliveryAnswer.try_again(
        said, whole_destination=True, request=request, response=response
    )


def _finding(error: smtplib.SMTPException) -> Finding:
    """Return what a mail server's refusal means for a trial."""
    match error:
        case smtplib.SMTPAuthenticationError():
            return Finding.NOT_KNOWN
        case smtplib.SMTPServerDisconnected():
            return Finding.NO_ANSWER
        case smtplib.SMTPRecipientsRefused():
            code = _worst(error.recipients)[0]
        case smtplib.SMTPResponseException():
            code = error.smtp_code
        case _:
            return Finding.NOT_TAKEN
    return Finding.NOT_TAKEN if code in _PERMANENT else Finding.THEIR_ERROR


def _worst(recipients: dict[str, tuple[int, bytes]]) -> tuple[int, bytes]:
    """Return the reply that leaves the most hope: one that may change by itself, if there is."""
    return min(recipients.values(), key=lambda reply: reply[0])


def _shown(refused: dict[str, tuple[int, bytes]]) -> str:
    return "\n".join(
        f"{who}: {code} {text.decode('utf-8', 'replace')}" for who, (code, text) in refused.items()
    )


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"SMTP {error.smtp_code}"
    if isinstance(error, OSError):
        return error.strerror or str(error) or type(error).__name__
    return str(error) or type(error).__name__
