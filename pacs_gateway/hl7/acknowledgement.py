"""The answer to a message: ACK with MSA, and ERR when it was refused (HL7 v2.5.1 §2.9, §2.15.5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pacs_gateway.hl7.message import Message, MessageRefused, Segment
from pacs_gateway.hl7.writing import DELIMITERS, escaped

VERSIONS: Final = ("2.3", "2.3.1", "2.4", "2.5", "2.5.1")
_ERROR_WITH_PARTS: Final = frozenset({"2.5", "2.5.1"})
_WORDS: Final = {
    100: "Segment sequence error",
    101: "Required field missing",
    102: "Data type error",
    103: "Table value not found",
    200: "Unsupported message type",
    201: "Unsupported event code",
    202: "Unsupported processing id",
    203: "Unsupported version id",
    204: "Unknown key identifier",
    205: "Duplicate key identifier",
    206: "Application record locked",
    207: "Application internal error",
}
_TEXT_LENGTH: Final = 250


@dataclass(frozen=True, slots=True)
class Heading:
    """What of a message its answer repeats; empty where it could not be read."""

    application: str = ""
    facility: str = ""
    control_id: str = ""
    event: str = ""
    processing_id: str = "P"
    version: str = "2.5.1"
    character_set: str = ""
    codec: str = "utf-8"

    @classmethod
    def of(cls, message: Message) -> "Heading":
        """Return the heading of a message."""
        header: Segment = message.header
        version = header.text(12) or ""
        return cls(
            application=header.text(3) or "",
            facility=header.text(4) or "",
            control_id=header.text(10) or "",
            event=header.text(9, 2) or "",
            processing_id=header.text(11) or "P",
            version=version if version in VERSIONS else "2.5.1",
            character_set=header.text(18) or "",
            codec=message.codec,
        )


def acknowledge(
    heading: Heading,
    *,
    application: str,
    control_id: str,
    at: datetime,
    refused: MessageRefused | None = None,
) -> tuple[str, bytes]:
    """Return the acknowledgement code and the bytes of the answer, without its frame.

    application: our MSH-3. control_id: our MSH-10. at: the time in the zone of the site.
    """
    code = "AA" if refused is None else ("AR" if refused.rejected else "AE")
    kind = f"ACK^{heading.event}" if heading.event else "ACK"
    if heading.event and heading.version not in {"2.3", "2.3.1"}:
        kind += "^ACK"
    header = [
        f"MSH{DELIMITERS}",
        escaped(application),
        "",
        escaped(heading.application),
        escaped(heading.facility),
        f"{at:%Y%m%d%H%M%S%z}",
        "",
        # The event is echoed without its own delimiters.
        "^".join(escaped(part) for part in kind.split("^")),
        escaped(control_id),
        escaped(heading.processing_id),
        heading.version,
        "",
        "",
        "",
        "",
        "",
        escaped(heading.character_set),
    ]
    segments = ["|".join(header).rstrip("|")]
    acknowledgement = ["MSA", code, escaped(heading.control_id)]
    if refused is not None and heading.version not in _ERROR_WITH_PARTS:
        acknowledgement.append(escaped(str(refused)[:_TEXT_LENGTH]))
    segments.append("|".join(acknowledgement))
    if refused is not None:
        segments.append("|".join(_error(heading.version, refused)))
    return code, ("\r".join(segments) + "\r").encode(heading.codec, "replace")


def _error(version: str, refused: MessageRefused) -> Sequence[str]:
    segment, number, field = refused.location
    location = [segment, str(number), *([str(field)] if field else [])]
    word = _WORDS.get(refused.code, "")
    if version not in _ERROR_WITH_PARTS:
        # ERR-1 (v2.3 §2.24.5): segment, sequence, field, code of table 0357.
        place = [*location, ""][:3]
        return ("ERR", "^".join([*place, f"{refused.code}&{word}&HL70357"]))
    told = [f"expected {refused.expected}", f"found {refused.found}", refused.remedy]
    diagnostic = "; ".join(
        text
        for text, given in zip(told, (refused.expected, refused.found, refused.remedy), strict=True)
        if given
    )
    return (
        "ERR",
        "",
        "^".join(location),
        f"{refused.code}^{word}^HL70357",
        "E",
        "",
        "",
        escaped(diagnostic[:_TEXT_LENGTH]),
        escaped(refused.what[:_TEXT_LENGTH]),
    )
