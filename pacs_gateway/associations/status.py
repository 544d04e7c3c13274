"""The DIMSE statuses we answer with: one table (PS3.4 B.2.3, C.4, PS3.7 Annex C).

A code means to the sender: success, keep nothing; A7xx, keep it and send again
later; A9xx and Cxxx, sending the same bytes again will not help.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

_COMMENT_LENGTH: Final = 64


class Status(IntEnum):
    """Status (0000,0900) codes; the comment names the standard's word for each."""

    SUCCESS = 0x0000
    # PS3.7 C.3: more responses follow.
    PENDING = 0xFF00
    # PS3.4 C.4.1.1.4: the same, and one or more optional keys were not matched on.
    PENDING_WITHOUT_OPTIONAL_KEYS = 0xFF01
    # PS3.7 C.2: the peer asked to stop.
    CANCEL = 0xFE00
    # PS3.7 C.5.9 Processing failure: our fault, nothing is said about the dataset.
    PROCESSING_FAILURE = 0x0110
    # PS3.7 C.5.x, of DIMSE-N requests.
    INVALID_ATTRIBUTE_VALUE = 0x0106
    DUPLICATE_SOP_INSTANCE = 0x0111
    NO_SUCH_SOP_INSTANCE = 0x0112
    INVALID_ARGUMENT_VALUE = 0x0115
    MISSING_ATTRIBUTE = 0x0120
    NO_SUCH_ACTION = 0x0123
    NOT_AUTHORIZED = 0x0124
    RESOURCE_LIMITATION = 0x0213
    # PS3.3 C.14.1.1, where it is a reason for the whole request.
    DUPLICATE_TRANSACTION_UID = 0x0131
    # PS3.7 C.5.16 Unrecognized operation.
    UNRECOGNIZED_OPERATION = 0x0211
    # PS3.4 B.2.3 Refused: out of resources.
    OUT_OF_RESOURCES = 0xA700
    # PS3.4 C.4.2.1.5 and C.4.3.1.4, of retrievals.
    UNABLE_TO_CALCULATE_MATCHES = 0xA701
    UNABLE_TO_PERFORM_SUB_OPERATIONS = 0xA702
    MOVE_DESTINATION_UNKNOWN = 0xA801
    SUB_OPERATIONS_WITH_FAILURES = 0xB000
    # PS3.4 B.2.3 Error: data set does not match SOP class.
    DATA_SET_DOES_NOT_MATCH_SOP_CLASS = 0xA900
    # PS3.4 B.2.3 Error: cannot understand, the range Cxxx by cause.
    CANNOT_UNDERSTAND = 0xC000
    CANNOT_UNDERSTAND_MISSING_UID = 0xC101
    CANNOT_UNDERSTAND_INVALID_UID = 0xC102
    CANNOT_UNDERSTAND_UID_DIFFERS_FROM_COMMAND = 0xC103
    CANNOT_UNDERSTAND_TRUNCATED = 0xC104
    CANNOT_UNDERSTAND_TOO_LARGE = 0xC105


NOT_REFUSALS: Final = frozenset(
    {Status.SUCCESS, Status.PENDING, Status.PENDING_WITHOUT_OPTIONAL_KEYS, Status.CANCEL}
)
"""What is answered when all went as the peer wanted it."""


@dataclass(frozen=True, slots=True)
class SubOperations:
    """How far a retrieval has come (PS3.7 §9.1.3.1, §9.1.4.1).

    remaining: None in a final answer of success or failure, which has no such count.
    """

    remaining: int | None
    completed: int
    failed: int
    warning: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered to one request.

    comment: Error Comment (0000,0902), for a technician at the sending device: ASCII, at most
        64 characters, no patient data.
    offending_tag: Offending Element (0000,0901), where one element is to blame.
    error_id: Error ID (0000,0903), where a service defines one.
    dataset: identifier or attribute list, encoded in the transfer syntax of the request's context.
    sub_operations: the counts of a C-GET or C-MOVE response.
    sop_instance_uid: Affected SOP Instance UID (0000,1000) when it is not the request's.
    """

    status: Status
    comment: str = ""
    offending_tag: int | None = None
    error_id: int | None = None
    dataset: bytes | None = None
    sub_operations: SubOperations | None = None
    sop_instance_uid: str = ""


SUCCESS: Final = Answer(Status.SUCCESS)


def error_comment(text: str) -> str:
    """Return `text` as Error Comment (PS3.7 Annex C, VR LO): ASCII, no backslash, 64 characters."""
    plain = "".join(c if c.isascii() and c.isprintable() and c != "\\" else "?" for c in text)
    return plain if len(plain) <= _COMMENT_LENGTH else f"{plain[: _COMMENT_LENGTH - 3]}..."
