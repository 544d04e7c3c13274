"""DIMSE command sets on the wire (PS3.7 §6.3, §9.3, Annex E).

Implicit VR Little Endian, group 0000 only. Written out here because every
instance costs one request and one response, and a peer's command must never be
able to do more than be refused.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from pacs_gateway.associations.status import Answer, SubOperations, error_comment

COMMAND_SET_MAXIMUM: Final = 65_536
_NO_DATASET: Final = 0x0101
_DATASET_PRESENT: Final = 0x0001
_PRIORITY_MEDIUM: Final = 0x0000
_RESPONSE_BIT: Final = 0x8000
_ELEMENT: Final = struct.Struct("<HHI")
_UNSIGNED_SHORT: Final = struct.Struct("<H")


class CommandField(IntEnum):
    """Command Field (0000,0100) of the requests (PS3.7 E.1)."""

    C_STORE_RQ = 0x0001
    C_GET_RQ = 0x0010
    C_FIND_RQ = 0x0020
    C_MOVE_RQ = 0x0021
    C_ECHO_RQ = 0x0030
    N_EVENT_REPORT_RQ = 0x0100
    N_GET_RQ = 0x0110
    N_SET_RQ = 0x0120
    N_ACTION_RQ = 0x0130
    N_CREATE_RQ = 0x0140
    N_DELETE_RQ = 0x0150
    C_CANCEL_RQ = 0x0FFF


_C_CANCEL_RQ: Final = int(CommandField.C_CANCEL_RQ)


class _Tag:
    """Element numbers of group 0000 (PS3.7 E.1); an Enum would find each by a call."""

    GROUP_LENGTH: Final = 0x0000
    AFFECTED_SOP_CLASS_UID: Final = 0x0002
    REQUESTED_SOP_CLASS_UID: Final = 0x0003
    COMMAND_FIELD: Final = 0x0100
    MESSAGE_ID: Final = 0x0110
    MESSAGE_ID_BEING_RESPONDED_TO: Final = 0x0120
    MOVE_DESTINATION: Final = 0x0600
    PRIORITY: Final = 0x0700
    COMMAND_DATA_SET_TYPE: Final = 0x0800
    STATUS: Final = 0x0900
    OFFENDING_ELEMENT: Final = 0x0901
    ERROR_COMMENT: Final = 0x0902
    ERROR_ID: Final = 0x0903
    AFFECTED_SOP_INSTANCE_UID: Final = 0x1000
    REQUESTED_SOP_INSTANCE_UID: Final = 0x1001
    EVENT_TYPE_ID: Final = 0x1002
    ACTION_TYPE_ID: Final = 0x1008
    NUMBER_OF_REMAINING_SUBOPERATIONS: Final = 0x1020
    NUMBER_OF_COMPLETED_SUBOPERATIONS: Final = 0x1021
    NUMBER_OF_FAILED_SUBOPERATIONS: Final = 0x1022
    NUMBER_OF_WARNING_SUBOPERATIONS: Final = 0x1023
    MOVE_ORIGINATOR_APPLICATION_ENTITY_TITLE: Final = 0x1030
    MOVE_ORIGINATOR_MESSAGE_ID: Final = 0x1031


class ProtocolViolation(Exception):
    """The peer sent what PS3.7 or PS3.8 does not allow; its association is aborted."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command set as received; UIDs are the raw value, padding included, and may be anything.

    message_id: Message ID (0000,0110); 0 in a response or a C-CANCEL, which have none.
    responded_message_id: Message ID Being Responded To (0000,0120); None in a request.
    affected_sop_class_uid, affected_sop_instance_uid: or the Requested ones of a DIMSE-N request.
    status: Status (0000,0900); None in a request.
    move_destination: AE title as sent, padding removed; empty unless a C-MOVE request has it.
    action_type_id: Action Type ID (0000,1008) of an N-ACTION; None in others.
    """

    field: int
    message_id: int
    has_dataset: bool
    affected_sop_class_uid: bytes
    affected_sop_instance_uid: bytes
    responded_message_id: int | None = None
    status: int | None = None
    move_destination: str = ""
    action_type_id: int | None = None

    @property
    def is_request(self) -> bool:
        """Tell whether this is a request that wants a response."""
        return not self.field & _RESPONSE_BIT and self.field != _C_CANCEL_RQ

    @property
    def sop_class_uid(self) -> str:
        """Affected or Requested SOP Class UID as text without padding; not validated."""
        return uid_text(self.affected_sop_class_uid)

    @property
    def sop_instance_uid(self) -> str:
        """Affected or Requested SOP Instance UID as text without padding; not validated."""
        return uid_text(self.affected_sop_instance_uid)


@dataclass(frozen=True, slots=True)
class MoveOriginator:
    """The C-MOVE request that a C-STORE sub-operation belongs to (PS3.7 §9.1.1.1)."""

    ae_title: str
    message_id: int


def uid_text(value: bytes) -> str:
    """Return the text of a UI value, padding removed (PS3.5 §9.1); odd bytes show as escapes."""
    return value.decode("ascii", "backslashreplace").rstrip("\0 ")


def parse_command(encoded: bytes) -> Command:
    """Read a command set.

    Raises:
        ProtocolViolation: not a command set, or without what every request must have.
    """
    values = _elements(encoded)
    return Command(
        field=_unsigned_short(values, _Tag.COMMAND_FIELD),
        # Neither a response nor a C-CANCEL-RQ has one of its own (PS3.7 §9.3.2.3).
        message_id=_optional_unsigned_short(values, _Tag.MESSAGE_ID) or 0,
        has_dataset=_unsigned_short(values, _Tag.COMMAND_DATA_SET_TYPE) != _NO_DATASET,
        affected_sop_class_uid=values.get(
            _Tag.AFFECTED_SOP_CLASS_UID, values.get(_Tag.REQUESTED_SOP_CLASS_UID, b"")
        ),
        affected_sop_instance_uid=values.get(
            _Tag.AFFECTED_SOP_INSTANCE_UID, values.get(_Tag.REQUESTED_SOP_INSTANCE_UID, b"")
        ),
        responded_message_id=_optional_unsigned_short(values, _Tag.MESSAGE_ID_BEING_RESPONDED_TO),
        status=_optional_unsigned_short(values, _Tag.STATUS),
        move_destination=uid_text(values.get(_Tag.MOVE_DESTINATION, b"")).strip(),
        action_type_id=_optional_unsigned_short(values, _Tag.ACTION_TYPE_ID),
    )


def _elements(encoded: bytes) -> dict[int, bytes]:
    values: dict[int, bytes] = {}
    at = 0
    while at < len(encoded):
        if len(encoded) - at < _ELEMENT.size:
            raise ProtocolViolation("command set ends inside an element header")
        group, element, length = _ELEMENT.unpack_from(encoded, at)
        at += _ELEMENT.size
        if group != 0 or length > len(encoded) - at:
            raise ProtocolViolation(
                f"command set element ({group:04X},{element:04X}) of {length} bytes does not fit"
            )
        values[element] = encoded[at : at + length]
        at += length
    return values


def _optional_unsigned_short(values: dict[int, bytes], tag: int) -> int | None:
    value = values.get(tag, b"")
    if len(value) < _UNSIGNED_SHORT.size:
        return None
    number: int = _UNSIGNED_SHORT.unpack_from(value)[0]
    return number


def _unsigned_short(values: dict[int, bytes], tag: int) -> int:
    number = _optional_unsigned_short(values, tag)
    if number is None:
        raise ProtocolViolation(f"command set lacks (0000,{tag:04X})")
    return number


def encode_response(request: Command, answer: Answer) -> bytes:
    """Return the command set that answers `request` (PS3.7 §9.3, §10.3); UIDs are echoed.

    It announces a dataset when `answer` has one.
    """
    body = b""
    if request.affected_sop_class_uid:
        body += _encoded(_Tag.AFFECTED_SOP_CLASS_UID, request.affected_sop_class_uid)
    body += _short(_Tag.COMMAND_FIELD, request.field | _RESPONSE_BIT)
    body += _short(_Tag.MESSAGE_ID_BEING_RESPONDED_TO, request.message_id)
    body += _dataset_type(present=answer.dataset is not None)
    body += _short(_Tag.STATUS, answer.status)
    if answer.offending_tag is not None:
        body += _encoded(
            _Tag.OFFENDING_ELEMENT,
            struct.pack("<HH", answer.offending_tag >> 16, answer.offending_tag & 0xFFFF),
        )
    if answer.comment:
        body += _encoded(
            _Tag.ERROR_COMMENT, error_comment(answer.comment).encode("ascii"), padding=b" "
        )
    if answer.error_id is not None:
        body += _short(_Tag.ERROR_ID, answer.error_id)
    instance_uid = answer.sop_instance_uid.encode("ascii") or request.affected_sop_instance_uid
    if instance_uid:
        body += _encoded(_Tag.AFFECTED_SOP_INSTANCE_UID, instance_uid)
    if request.action_type_id is not None:
        body += _short(_Tag.ACTION_TYPE_ID, request.action_type_id)
    if answer.sub_operations is not None:
        body += _sub_operations(answer.sub_operations)
    return _command_set(body)


def _sub_operations(counts: SubOperations) -> bytes:
    body = b""
    if counts.remaining is not None:
        body += _short(_Tag.NUMBER_OF_REMAINING_SUBOPERATIONS, _countable(counts.remaining))
    body += _short(_Tag.NUMBER_OF_COMPLETED_SUBOPERATIONS, _countable(counts.completed))
    body += _short(_Tag.NUMBER_OF_FAILED_SUBOPERATIONS, _countable(counts.failed))
    return body + _short(_Tag.NUMBER_OF_WARNING_SUBOPERATIONS, _countable(counts.warning))


def _countable(count: int) -> int:
    # The elements are US: a study of more instances than that is counted as far as they reach.
    return min(count, 0xFFFF)


def encode_store_request(
    message_id: int,
    *,
    sop_class_uid: str,
    sop_instance_uid: str,
    originator: MoveOriginator | None = None,
) -> bytes:
    """Return the command set of a C-STORE request of ours (PS3.7 §9.3.1.1), priority medium.

    originator: the C-MOVE that it is a sub-operation of.
    """
    body = _encoded(_Tag.AFFECTED_SOP_CLASS_UID, sop_class_uid.encode("ascii"))
    body += _short(_Tag.COMMAND_FIELD, CommandField.C_STORE_RQ)
    body += _short(_Tag.MESSAGE_ID, message_id)
    body += _short(_Tag.PRIORITY, _PRIORITY_MEDIUM)
    body += _dataset_type(present=True)
    body += _encoded(_Tag.AFFECTED_SOP_INSTANCE_UID, sop_instance_uid.encode("ascii"))
    if originator is not None:
        body += _encoded(
            _Tag.MOVE_ORIGINATOR_APPLICATION_ENTITY_TITLE,
            originator.ae_title.encode("ascii", "replace"),
            padding=b" ",
        )
        body += _short(_Tag.MOVE_ORIGINATOR_MESSAGE_ID, originator.message_id)
    return _command_set(body)


def encode_event_report_request(
    message_id: int, *, sop_class_uid: str, sop_instance_uid: str, event_type_id: int
) -> bytes:
    """Return the command set of an N-EVENT-REPORT request with a dataset (PS3.7 §10.3.1)."""
    body = _encoded(_Tag.AFFECTED_SOP_CLASS_UID, sop_class_uid.encode("ascii"))
    body += _short(_Tag.COMMAND_FIELD, CommandField.N_EVENT_REPORT_RQ)
    body += _short(_Tag.MESSAGE_ID, message_id)
    body += _dataset_type(present=True)
    body += _encoded(_Tag.AFFECTED_SOP_INSTANCE_UID, sop_instance_uid.encode("ascii"))
    return _command_set(body + _short(_Tag.EVENT_TYPE_ID, event_type_id))


def _command_set(body: bytes) -> bytes:
    return _encoded(_Tag.GROUP_LENGTH, struct.pack("<I", len(body))) + body


def _dataset_type(*, present: bool) -> bytes:
    return _short(_Tag.COMMAND_DATA_SET_TYPE, _DATASET_PRESENT if present else _NO_DATASET)


def _short(tag: int, value: int) -> bytes:
    return _encoded(tag, _UNSIGNED_SHORT.pack(value))


def _encoded(tag: int, value: bytes, *, padding: bytes = b"\0") -> bytes:
    even = value + padding if len(value) % 2 else value
    return _ELEMENT.pack(0, tag, len(even)) + even
