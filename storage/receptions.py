"""The head of a received file (PS3.10 §7.1): preamble, file meta information, our record.

The dataset follows byte for byte as it was received. What we know of the
reception beside it travels in Private Information (0002,0102), so a spooled
file explains itself after a crash, an object after the loss of the index, and
neither needs a second file. Spaces behind the record make the file as long as
its writer likes.
"""

import json
import struct
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, BinaryIO, Final
from uuid import UUID

from storage.dicom_header.part10 import file_head, meta_element
from storage.errors import RdcError
from storage.implementation import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from storage.index.tables import QuarantineReason

# Names the private information as ours (0002,0100); UUID-derived (PS3.5 B.2).
PRIVATE_INFORMATION_CREATOR_UID: Final = "2.25.112605388253037775211694431965427239302"
# With every text in it as long as it may be.
_RECORD_LENGTH: Final = 1024
_PREAMBLE: Final = bytes(128) + b"DICM"
_GROUP_LENGTH_AT: Final = len(_PREAMBLE)
_GROUP_LENGTH_SIZE: Final = 12
# Of what stands before the record.
_BEFORE_MAXIMUM: Final = 1024
LENGTHENED_MAXIMUM: Final = 4096
"""By how much a head may be lengthened."""
_HEAD_MAXIMUM: Final = _BEFORE_MAXIMUM + _RECORD_LENGTH + LENGTHENED_MAXIMUM
_LENGTH: Final = struct.Struct("<I")
_RECORD_ELEMENT: Final = struct.pack("<HH2sH", 0x0002, 0x0102, b"OB", 0)
_FOUND_LENGTH: Final = 120
_UID_LENGTH: Final = 64
# `json.dumps` makes one for each call that wants no spaces.
_JSON: Final = json.JSONEncoder(separators=(",", ":"))


class NotASpooledFile(RdcError):
    """A file does not begin as our receivers begin their files."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an instance comes from: the association it arrived on.

    device_id: None for what no device of the registry sent, such as an imported file.
    """

    site_id: UUID
    device_id: UUID | None
    calling_ae_title: str
    called_ae_title: str
    peer_address: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why received bytes are kept aside instead of filed.

    found: what is wrong, without patient data.
    command_sop_class_uid, command_sop_instance_uid: as the C-STORE command had them.
    """

    reason: QuarantineReason
    found: str
    command_sop_class_uid: str
    command_sop_instance_uid: str


@dataclass(frozen=True, slots=True)
class Reception:
    """All that is known of one received instance beside its dataset.

    dataset_size, dataset_sha256: of the dataset bytes as received.
    refusal: None when the instance is to be filed.
    """

    origin: Origin
    transfer_syntax_uid: str
    received_at: datetime
    dataset_size: int
    dataset_sha256: str
    refusal: Refusal | None


@dataclass(frozen=True, slots=True)
class Head:
    """An encoded head.

    record_at: where the record, which goes to the end, is patched in once it is known.
    """

    encoded: bytes
    record_at: int

    def lengthened(self, by: int) -> "Head":
        """Return the same with `by` bytes more, an even number up to `LENGTHENED_MAXIMUM`."""
        encoded = bytearray(self.encoded)
        for at in (_GROUP_LENGTH_AT + 8, self.record_at - 4):
            (length,) = _LENGTH.unpack_from(encoded, at)
            _LENGTH.pack_into(encoded, at, length + by)
        return Head(bytes(encoded.ljust(len(encoded) + by)), self.record_at)


def head(
    origin: Origin, sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str
) -> Head:
    """Return the head of a file whose dataset is about to be received; its record is still blank.

    The UIDs are those of the C-STORE command; empty where it has none that is a UID.
    """
    before, after = _around_instance(
        sop_class_uid, transfer_syntax_uid, origin.calling_ae_title, origin.called_ae_title
    )
    instance = meta_element(0x0003, b"UI", sop_instance_uid.encode("ascii"))
    encoded = file_head((before, instance, after))
    return Head(encoded, len(encoded) - _RECORD_LENGTH)


# The same for all that one association sends.
@lru_cache(maxsize=256)
def _around_instance(
    sop_class_uid: str, transfer_syntax_uid: str, calling_ae_title: str, called_ae_title: str
) -> tuple[bytes, bytes]:
    """Return what of a head stands before and behind the SOP Instance UID."""
    calling = calling_ae_title.encode("ascii")
    before = (
        meta_element(0x0001, b"OB", b"\0\1"),
        meta_element(0x0002, b"UI", sop_class_uid.encode("ascii")),
    )
    after = (
        meta_element(0x0010, b"UI", transfer_syntax_uid.encode("ascii")),
        meta_element(0x0012, b"UI", IMPLEMENTATION_CLASS_UID.encode("ascii")),
        meta_element(0x0013, b"SH", IMPLEMENTATION_VERSION_NAME.encode("ascii")),
        meta_element(0x0016, b"AE", calling),
        meta_element(0x0017, b"AE", calling),
        meta_element(0x0018, b"AE", called_ae_title.encode("ascii")),
        meta_element(0x0100, b"UI", PRIVATE_INFORMATION_CREATOR_UID.encode("ascii")),
        meta_element(0x0102, b"OB", b" " * _RECORD_LENGTH),
    )
    return b"".join(before), b"".join(after)


def record(reception: Reception) -> bytes:
    """Return the encoded record, exactly as long as the blank in a head that is not lengthened."""
    # The texts of the rest need no escapes.
    content = (
        f"{_record_begin(reception.origin, reception.transfer_syntax_uid)}"
        f',"received_at":"{reception.received_at.isoformat()}"'
        f',"dataset_size":{reception.dataset_size}'
        f',"dataset_sha256":"{reception.dataset_sha256}"'
    )
    refusal = reception.refusal
    if refusal is not None:
        refused = {
            "reason": refusal.reason.value,
            "found": _plain(refusal.found, _FOUND_LENGTH),
            "command_sop_class_uid": _plain(refusal.command_sop_class_uid, _UID_LENGTH),
            "command_sop_instance_uid": _plain(refusal.command_sop_instance_uid, _UID_LENGTH),
        }
        content = f'{content},"refusal":{_JSON.encode(refused)}'
    return f"{content}}}".encode("ascii").ljust(_RECORD_LENGTH)


# The same for all that one association sends.
@lru_cache(maxsize=256)
def _record_begin(origin: Origin, transfer_syntax_uid: str) -> str:
    """Return what stands in a record before the time of reception; its object is still open."""
    content = {
        "site_id": str(origin.site_id),
        "device_id": None if origin.device_id is None else str(origin.device_id),
        "calling_ae_title": origin.calling_ae_title,
        "called_ae_title": origin.called_ae_title,
        "peer_address": origin.peer_address,
        "transfer_syntax_uid": transfer_syntax_uid,
    }
    return _JSON.encode(content).removesuffix("}")


def _plain(text: str, length: int) -> str:
    """Return untrusted text so that JSON needs no escapes and the record's length stays bounded."""
    return "".join(
        c if c.isascii() and c.isprintable() and c not in '"\\' else "?" for c in text[:length]
    )


def read_reception(file: BinaryIO, name: str) -> tuple[Reception, int] | None:
    """Return the record of a spooled file and the offset of its dataset.

    None when the file has no record yet: it was being received when its
    process died, and nobody was told that it had been.

    name: of the file, for the error.

    Raises:
        NotASpooledFile: it is not one of this gateway's, or damaged.
    """
    encoded = file.read(_HEAD_MAXIMUM)
    if not any(encoded) or _PREAMBLE.startswith(encoded):
        return None
    offset = dataset_offset(encoded)
    record_at = None if offset is None else _record_at(encoded, offset)
    if offset is None or record_at is None:
        raise NotASpooledFile(
            f"spooled file {name}",
            expected="file meta information with our private record",
            found="something else",
        )
    content = encoded[record_at:offset]
    if not content.strip(b" \0"):
        return None
    try:
        return _reception(json.loads(content)), offset
    except (ValueError, KeyError, TypeError) as error:
        raise NotASpooledFile(
            f"record of spooled file {name}", found=f"{type(error).__name__}: {error}"
        ) from error


def _record_at(encoded: bytes, end: int) -> int | None:
    """Return where the record that goes to `end` begins; None when there is none."""
    # A record is plain text and contains no such bytes.
    element_at = encoded.rfind(_RECORD_ELEMENT, 0, end)
    length_at = element_at + len(_RECORD_ELEMENT)
    record_at = length_at + _LENGTH.size
    if element_at < 0 or record_at > len(encoded):
        return None
    (length,) = _LENGTH.unpack_from(encoded, length_at)
    return record_at if record_at + length == end else None


def dataset_offset(encoded: bytes) -> int | None:
    """Return where the dataset begins in a Part 10 file; None when `encoded` begins none."""
    start = _GROUP_LENGTH_AT
    if encoded[128:start] != b"DICM":
        return None
    if len(encoded) < start + _GROUP_LENGTH_SIZE or encoded[start : start + 8] != struct.pack(
        "<HH2sH", 0x0002, 0x0000, b"UL", 4
    ):
        return None
    length: int = struct.unpack_from("<I", encoded, start + 8)[0]
    return start + _GROUP_LENGTH_SIZE + length


def _reception(content: dict[str, Any]) -> Reception:
    refusal: dict[str, str] | None = content.get("refusal")
    return Reception(
        origin=Origin(
            site_id=UUID(content["site_id"]),
            device_id=None if content["device_id"] is None else UUID(content["device_id"]),
            calling_ae_title=content["calling_ae_title"],
            called_ae_title=content["called_ae_title"],
            peer_address=content["peer_address"],
        ),
        transfer_syntax_uid=content["transfer_syntax_uid"],
        received_at=datetime.fromisoformat(content["received_at"]),
        dataset_size=int(content["dataset_size"]),
        dataset_sha256=content["dataset_sha256"],
        refusal=None if refusal is None else _refusal(refusal),
    )


def _refusal(content: dict[str, str]) -> Refusal:
    return Refusal(
        reason=QuarantineReason(content["reason"]),
        found=content["found"],
        command_sop_class_uid=content["command_sop_class_uid"],
        command_sop_instance_uid=content["command_sop_instance_uid"],
    )
