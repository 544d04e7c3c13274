"""DIMSE command sets on the wire (PS3.7 §6.3, §9.3, Annex E).

Implicit VR Little Endian, group 0000 only. Written out here because every
instance costs one request and one response, and a peer's command must never be
able to do more than be refused.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from pacs_gateway.associations.status import Answer, error_comment

COMMAND_SET_MAXIMUM: Final = 65_536
_NO_DATASET: Final = 0x0101
_RESPONSE_BIT: Final = 0x8000
_ELEMENT: Final = struct.Struct("<HHI")
_UNSIGNED_SHORT: Final = struct.Struct("<H")
_PDV_HEADER_LENGTH: Final = 6
_SMALLEST_PDU: Final = 64


class CommandField(IntEnum):
    """Command Field (0000,0100) of the requests this module knows by name (PS3.7 E.1)."""

    C_STORE_RQ = 0x0001
    C_ECHO_RQ = 0x0030
    C_CANCEL_RQ = 0x0FFF


class _Tag(IntEnum):
    """Element numbers of group 0000 (PS3.7 E.1)."""

    GROUP_LENGTH = 0x0000
    AFFECTED_SOP_CLASS_UID = 0x0002
    REQUESTED_SOP_CLASS_UID = 0x0003
    COMMAND_FIELD = 0x0100
    MESSAGE_ID = 0x0110
    MESSAGE_ID_BEING_RESPONDED_TO = 0x0120
    COMMAND_DATA_SET_TYPE = 0x0800
    STATUS = 0x0900
    OFFENDING_ELEMENT = 0x0901
    ERROR_COMMENT = 0x0902
    AFFECTED_SOP_INSTANCE_UID = 0x1000


class ProtocolViolation(Exception):
    """The peer sent what PS3.7 or PS3.8 does not allow; its association is aborted."""


@dataclass(frozen=True, slots=True)
class Command:
    """A request as received; UIDs are the raw value, padding included, and may be anything."""

    field: int
    message_id: int
    has_dataset: bool
    affected_sop_class_uid: bytes
    affected_sop_instance_uid: bytes

    @property
    def is_request(self) -> bool:
        """Tell whether this is a request that wants a response."""
        return not self.field & _RESPONSE_BIT and self.field != CommandField.C_CANCEL_RQ

    @property
    def sop_class_uid(self) -> str:
        """Affected SOP Class UID (0000,0002) as text without padding; not validated."""
        return uid_text(self.affected_sop_class_uid)

    @property
    def sop_instance_uid(self) -> str:
        """Affected SOP Instance UID (0000,1000) as text without padding; not validated."""
        return uid_text(self.affected_sop_instance_uid)


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
        # A C-CANCEL-RQ has no Message ID of its own (PS3.7 §9.3.2.3).
        message_id=_unsigned_short(values, _Tag.MESSAGE_ID, default=0),
        has_dataset=_unsigned_short(values, _Tag.COMMAND_DATA_SET_TYPE) != _NO_DATASET,
        affected_sop_class_uid=values.get(
            _Tag.AFFECTED_SOP_CLASS_UID, values.get(_Tag.REQUESTED_SOP_CLASS_UID, b"")
        ),
        affected_sop_instance_uid=values.get(_Tag.AFFECTED_SOP_INSTANCE_UID, b""),
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


def _unsigned_short(values: dict[int, bytes], tag: _Tag, *, default: int | None = None) -> int:
    value = values.get(tag, b"")
    if len(value) < _UNSIGNED_SHORT.size:
        if default is None:
            raise ProtocolViolation(f"command set lacks (0000,{tag:04X})")
        return default
    number: int = _UNSIGNED_SHORT.unpack_from(value)[0]
    return number


def encode_response(request: Command, answer: Answer) -> bytes:
    """Return the command set that answers `request` (PS3.7 §9.3.1.2); UIDs are echoed."""
    body = b""
    if request.affected_sop_class_uid:
        body += _encoded(_Tag.AFFECTED_SOP_CLASS_UID, request.affected_sop_class_uid)
    body += _encoded(_Tag.COMMAND_FIELD, _UNSIGNED_SHORT.pack(request.field | _RESPONSE_BIT))
    body += _encoded(_Tag.MESSAGE_ID_BEING_RESPONDED_TO, _UNSIGNED_SHORT.pack(request.message_id))
    body += _encoded(_Tag.COMMAND_DATA_SET_TYPE, _UNSIGNED_SHORT.pack(_NO_DATASET))
    body += _encoded(_Tag.STATUS, _UNSIGNED_SHORT.pack(answer.status))
    if answer.offending_tag is not None:
        body += _encoded(
            _Tag.OFFENDING_ELEMENT,
            struct.pack("<HH", answer.offending_tag >> 16, answer.offending_tag & 0xFFFF),
        )
    if answer.comment:
        body += _encoded(
            _Tag.ERROR_COMMENT, error_comment(answer.comment).encode("ascii"), padding=b" "
        )
    if request.affected_sop_instance_uid:
        body += _encoded(_Tag.AFFECTED_SOP_INSTANCE_UID, request.affected_sop_instance_uid)
    return _encoded(_Tag.GROUP_LENGTH, struct.pack("<I", len(body))) + body


def _encoded(tag: _Tag, value: bytes, *, padding: bytes = b"\0") -> bytes:
    even = value + padding if len(value) % 2 else value
    return _ELEMENT.pack(0, tag, len(even)) + even


def command_pdus(context_id: int, command: bytes, peer_maximum: int) -> Iterator[bytes]:
    """Yield the P-DATA-TF PDUs (PS3.8 §9.3.5) that carry `command`.

    peer_maximum: the peer's maximum length of the PDV list, 0 for none (PS3.8 D.1).
    """
    # A peer that offers to take almost nothing would otherwise make us send byte by byte.
    room = max(peer_maximum, _SMALLEST_PDU) - _PDV_HEADER_LENGTH if peer_maximum else len(command)
    for start in range(0, len(command), room):
        fragment = command[start : start + room]
        last = start + room >= len(command)
        control = 0x03 if last else 0x01
        yield (
            struct.pack(
                ">BBIIBB",
                0x04,
                0,
                len(fragment) + _PDV_HEADER_LENGTH,
                len(fragment) + 2,
                context_id,
                control,
            )
            + fragment
        )
