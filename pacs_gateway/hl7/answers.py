"""What an acknowledgement says of the message it answers (HL7 v2.5.1 §2.9, §2.15.5, §2.15.8)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal

from pacs_gateway.hl7.message import Message, MessageRefused

ANY: Final = ""
"""In the place of an error code: of none, or of one that the table does not name."""
_TEXT_LENGTH: Final = 300
_CODE_LENGTH: Final = 20


class Verdict(StrEnum):
    """What follows from an acknowledgement.

    KEPT: the receiver has the message. COMMITTED: it has put it into safe storage, and has not
    said yet whether it can use it. AGAIN: it may take the same message later. NEVER: it will not,
    so that a person must look.
    """

    KEPT = "kept"
    COMMITTED = "committed"
    AGAIN = "again"
    NEVER = "never"


_CONTENT: Final = ("100", "101", "102", "103", "200", "201", "202", "203")
"""Of table 0357: segment order, missing field, data type, table value; type, event, processing id,
version that are not supported. The same message meets the same refusal."""


def _refusal(code: str) -> dict[tuple[str, str], Verdict]:
    return {
        # Without a code, or with 207, the receiver had a trouble of its own (§2.9.2.2): most
        # interface engines answer so while a system behind them is down.
        (code, ANY): Verdict.AGAIN,
        (code, "207"): Verdict.AGAIN,
        # Locked now; and a patient or an order that the receiver does not know yet may come to it
        # a minute later by another interface.
        (code, "206"): Verdict.AGAIN,
        (code, "204"): Verdict.AGAIN,
        # It has something under this number: perhaps this very result, perhaps another's.
        (code, "205"): Verdict.NEVER,
        # It contradicts itself: refused, "message accepted".
        (code, "0"): Verdict.NEVER,
        **{(code, one): Verdict.NEVER for one in _CONTENT},
    }


VERDICTS: Final[Mapping[tuple[str, str], Verdict]] = MappingProxyType(
    {
        ("AA", ANY): Verdict.KEPT,
        ("CA", ANY): Verdict.COMMITTED,
        **_refusal("AE"),
        **_refusal("AR"),
        **_refusal("CE"),
        **_refusal("CR"),
    }
)
"""By acknowledgement code (table 0008) and error code (table 0357), `ANY` for every other."""

Wanted = Literal["original", "commit", "application"]


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What a receiver answered to a message.

    code: MSA-1. error: ERR-3, or what stands in its place in older versions; "" for none.
    text: what it says in words (MSA-3, ERR-7, ERR-8), bounded; it may hold patient data.
    place: ERR-2, where in the message, such as "PID-3".
    """

    code: str
    error: str = ""
    text: str = ""
    place: str = ""

    @property
    def verdict(self) -> Verdict:
        """What follows from it."""
        return VERDICTS.get((self.code, self.error)) or VERDICTS[self.code, ANY]

    @property
    def summary(self) -> str:
        """Code, error and place for a person, nothing that the receiver wrote freely."""
        error = f", error {self.error}" if self.error else ""
        place = f" at {self.place}" if self.place else ""
        return f"{self.code}{error}{place}"


def read_acknowledgement(content: bytes, control_id: str) -> Acknowledgement | None:
    """Return what a frame says of the message with this control id.

    None when it is no acknowledgement of this message: an answer to an earlier one that comes late
    or twice, one that names no message, a message of another kind, noise.
    """
    try:
        message = Message.parse(content)
    except MessageRefused:
        return None
    answer = message.first("MSA")
    if answer is None or answer.text(2) != control_id:
        return None
    code = (answer.text(1) or "").upper()
    if (code, ANY) not in VERDICTS:
        return None
    error, place, said = "", "", [answer.text(3)]
    detail = message.first("ERR")
    if detail is not None:
        # Before v2.5 ERR-1 has segment, sequence, field and code in one (v2.4 §2.16.5).
        old = detail.text(1, 4)
        error = detail.text(3) or old or ""
        segment = detail.text(2) or detail.text(1) or ""
        field = detail.text(2, 3) or detail.text(1, 3) or ""
        place = "-".join(part for part in (segment, field) if part)
        said += [detail.text(3, 2), detail.text(7), detail.text(8)]
    error = error or answer.text(6) or ""
    text = "; ".join(dict.fromkeys(part for part in said if part))
    return Acknowledgement(code, _word(error), text[:_TEXT_LENGTH], _word(place))


def _word(text: str) -> str:
    """Return a code as such; anything longer was written freely and is no code."""
    plain = text.strip()
    fits = len(plain) <= _CODE_LENGTH and all(
        one.isascii() and (one.isalnum() or one in "-._") for one in plain
    )
    return plain if fits else ""
