"""What each kind of destination has to be told: typed settings, kept as JSON beside its row.

A secret is never kept here. It lies in a file of its own, mode 0600, on the machines that deliver,
and its path is what is kept and shown.
"""

import stat
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from storage.registry.refusal import RegistryRefused

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class DestinationKind(StrEnum):
    """How reports go to a destination.

    NOTICE: an e-mail or a short message that a report is ready, without patient data.
    """

    DICOM = "dicom"
    HL7 = "hl7"
    FHIR = "fhir"
    WEBHOOK = "webhook"
    NOTICE = "notice"


def _is_web_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.password:
        message = "an address beginning with http:// or https://, without a password in it"
        raise ValueError(message)
    return url


Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=600)]
Host = Annotated[str, Field(min_length=1, max_length=253)]
WebAddress = Annotated[str, AfterValidator(_is_web_address)]
Word = Annotated[str, Field(max_length=180)]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ClientTls(_Settings):
    """A secured connection that we open (PS3.15 B.9, or TLS 1.2+ as such).

    authorities: PEM file of who may have issued the peer's certificate; None: the machine's own.
    revocations: file of lists of certificates that those authorities took back, see
    `storage.revocation_lists`; None: nobody looks.
    certificate, key: ours, PEM, for peers that want one; the key may stand in the certificate's
    file. server_name: whose certificate is expected, where it is not the host's.
    """

    authorities: Path | None = None
    revocations: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    server_name: str | None = None

    @model_validator(mode="after")
    def _lists_are_somebodys(self) -> Self:
        if self.revocations is not None and self.authorities is None:
            message = "revocations beside the authorities whose lists they are"
            raise ValueError(message)
        return self


class DicomSettings(_Settings):
    """An AE that takes C-STORE (PS3.4 B).

    structured: whether it also gets the structured report and the key object selection.
    commitment: whether it is asked, of what it has taken, to commit itself to keeping it (PS3.4 J).
    """

    ae_title: str
    host: Host
    port: Port
    tls: ClientTls | None = None
    structured: bool = True
    commitment: bool = False


class Hl7Settings(_Settings):
    """A receiver of ORU^R01 over MLLP.

    receiving_application, receiving_facility: MSH-5, MSH-6. facility: our MSH-4.
    character_set: of MSH-18 ("UNICODE UTF-8", "GB18030"). content: what OBX carries.
    text_type: of sections: formatted text, or plain text with a repetition for each line.
    acknowledgement: by what a message counts as taken (§2.9.2, §2.9.3): "original", AA; "commit",
        CA already; "application", AA, asked for in enhanced mode.
    answer_seconds: how long to wait for its answer.
    test_message: whether a trial may send a message that tells our clock (NMD^N02); else it only
        connects.
    """

    host: Host
    port: Port
    tls: ClientTls | None = None
    receiving_application: Word = ""
    receiving_facility: Word = ""
    facility: Word = ""
    character_set: Literal["UNICODE UTF-8", "GB18030"] = "UNICODE UTF-8"
    content: Literal["text", "pdf", "both"] = "both"
    text_type: Literal["FT", "TX"] = "FT"
    acknowledgement: Literal["original", "commit", "application"] = "original"
    answer_seconds: Seconds = 30.0
    test_message: bool = False


class FhirSettings(_Settings):
    """A FHIR R4 server that takes transaction Bundles.

    token_file: file with the bearer token. user, password_file: for HTTP Basic in its place. None:
        no credentials are sent. tls: of an https address.
    patient_system, visit_system, accession_system, placer_system, procedure_system: under which the
        receiver knows the site's numbers; "": ours. By the first it finds its own patients.
    """

    url: WebAddress
    token_file: Path | None = None
    user: Word = ""
    password_file: Path | None = None
    tls: ClientTls | None = None
    with_pdf: bool = True
    patient_system: Word = ""
    visit_system: Word = ""
    accession_system: Word = ""
    placer_system: Word = ""
    procedure_system: Word = ""
    answer_seconds: Seconds = 30.0

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if (self.token_file and self.password_file) or bool(self.user) != bool(self.password_file):
            message = "token_file, or user with password_file"
            raise ValueError(message)
        return self


class WebhookSettings(_Settings):
    """An address that is told by POST, signed with the secret in `secret_file`.

    with_report: whether the report itself is in what is posted; else only which one is ready.
    """

    url: WebAddress
    secret_file: Path
    tls: ClientTls | None = None
    with_report: bool = False
    answer_seconds: Seconds = 15.0


class NoticeSettings(_Settings):
    """People who are told that a report is ready, without patient data.

    way: e-mail through an SMTP server, or short messages through an HTTP service.
    host, port, sender: of the SMTP server. url: of the service. secret_file: its password or token.
    fields: what is posted to the service, by name; in the values {recipient}, {recipients}, {text},
        {site}, {centre}, {number}, {link}, {id} and {token} are filled in; the id is the same for
        every attempt, for services that recognise a repeat by it. form: as a form, not as JSON.
    success: what a JSON answer has to hold beside a status of success, by name.
    """

    way: Literal["email", "sms"]
    recipients: Annotated[tuple[Word, ...], Field(min_length=1, max_length=50)]
    host: Host | None = None
    port: Port = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: Word = ""
    user: Word = ""
    url: WebAddress | None = None
    secret_file: Path | None = None
    tls: ClientTls | None = None
    language: Literal["zh-CN", "en"] = "zh-CN"
    fields: Mapping[str, str] = Field(
        default={"to": "{recipient}", "text": "{text}"}, min_length=1, max_length=30
    )
    form: bool = False
    success: Mapping[str, str] = Field(default={}, max_length=5)
    answer_seconds: Seconds = 15.0

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.way == "email" and not (self.host and "@" in self.sender):
            message = "an e-mail goes through a host and has a sender"
            raise ValueError(message)
        if self.way == "sms" and self.url is None:
            message = "short messages go to a url"
            raise ValueError(message)
        return self


Settings = DicomSettings | Hl7Settings | FhirSettings | WebhookSettings | NoticeSettings

SETTINGS: Final[Mapping[DestinationKind, type[Settings]]] = MappingProxyType(
    {
        DestinationKind.DICOM: DicomSettings,
        DestinationKind.HL7: Hl7Settings,
        DestinationKind.FHIR: FhirSettings,
        DestinationKind.WEBHOOK: WebhookSettings,
        DestinationKind.NOTICE: NoticeSettings,
    }
)
"""Every kind has its settings."""


def parse_settings(kind: DestinationKind, values: Mapping[str, Any]) -> Settings:
    """Return the settings of a destination of a kind.

    Raises:
        RegistryRefused: something is missing, unknown or cannot be; a value is never told.
    """
    try:
        return SETTINGS[kind].model_validate(dict(values))
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}"
            for one in error.errors(include_url=False, include_input=False)
        )
        raise RegistryRefused(
            f"the settings of a destination of kind {kind.value!r} cannot be used",
            expected=", ".join(SETTINGS[kind].model_fields),
            found=wrong,
            remedy="Correct what is named.",
        ) from None


def carries_report(settings: Settings) -> bool:
    """Tell whether who is reached there gets the report itself, and not only word of it."""
    match settings:
        case WebhookSettings():
            return settings.with_report
        case NoticeSettings():
            return False
        case _:
            return True


def where_to(settings: Settings) -> str:
    """Return in words for a person where a destination is."""
    match settings:
        case DicomSettings():
            return f"{settings.ae_title} ({settings.host}:{settings.port})"
        case Hl7Settings():
            return f"{settings.host}:{settings.port}"
        case FhirSettings() | WebhookSettings():
            return settings.url
        case NoticeSettings():
            return ", ".join(settings.recipients)


def read_secret(path: Path) -> str:
    """Return the secret in a file of its own, without the line break at its end.

    Raises:
        RegistryRefused: the file cannot be read, is empty, or others may read it.
    """
    try:
        mode = path.stat().st_mode
        text = path.read_text("utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise RegistryRefused(
            f"the secret file {path} cannot be read",
            found=type(error).__name__,
            remedy="Put the secret there, readable for the account that delivers alone.",
        ) from None
    if mode & _OTHERS or not text:
        raise RegistryRefused(
            f"the secret file {path} is not used",
            expected="a secret, mode 0600",
            found="nothing in it" if not text else f"mode {stat.S_IMODE(mode):04o}",
            remedy=f"chmod 600 {path}",
        )
    return text
