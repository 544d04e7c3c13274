"""The head of a DICOM file: preamble and file meta information (PS3.10 §7.1)."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from storage.dicom_header.encoding import (
    BIG_ENDIAN_SYNTAX,
    EXPLICIT_SYNTAX,
    IMPLICIT_SYNTAX,
    LONG_HEADER,
    LONG_VRS,
    SHORT_HEADER,
    SHORT_VRS,
    is_vr,
)
from storage.dicom_header.errors import malformed, truncated
from storage.dicom_header.windows import SeekableBytes, end_of

_PREAMBLE_BYTES: Final = 128
_MAGIC: Final = b"DICM"
_META_GROUP: Final = 0x0002
_CLASS_TAG: Final = 0x00020002
_INSTANCE_TAG: Final = 0x00020003
_SYNTAX_TAG: Final = 0x00020010
_UID_BYTES: Final = 128
_GROUP_LENGTH: Final = 0x0000
_VERSION: Final = 0x0001
_SYNTAX: Final = 0x0010
_PRIVATE_INFORMATION: Final = (0x0100, 0x0102)
# The first group of a dataset is a small even number in its own byte order.
_FIRST_GROUP_MAX: Final = 0x00FF
_HEAD: Final = struct.Struct("<HH2sH")
_LONG: Final = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class FileMeta:
    """What stands before the dataset of a file.

    transfer_syntax_uid: as stated, or told from the dataset's first bytes when
        `syntax_was_guessed`.
    dataset_offset: where the dataset begins in the file.
    """

    transfer_syntax_uid: str
    media_storage_sop_class_uid: str | None
    media_storage_sop_instance_uid: str | None
    dataset_offset: int
    syntax_was_guessed: bool


def read_file_meta(file: SeekableBytes) -> FileMeta:
    """Read the head of the DICOM file that begins where `file` stands; leave it at the dataset.

    Files without preamble, or without file meta information, are read too when
    their first bytes look like a dataset.

    Raises:
        TruncatedDataset: the file ends within its head.
        MalformedDataset: it is no DICOM file.
    """
    start = file.tell()
    end = end_of(file)
    file.seek(start)
    beginning = file.read(_PREAMBLE_BYTES + len(_MAGIC))
    at = start + len(beginning) if beginning.endswith(_MAGIC) else start
    values: dict[int, str] = {}
    while True:
        file.seek(at)
        head = file.read(LONG_HEADER)
        if len(head) < SHORT_HEADER or _HEAD.unpack_from(head)[0] != _META_GROUP:
            break
        at = _read_element(file, at, head, end, values)
    file.seek(at)
    stated = values.get(_SYNTAX_TAG, "")
    if len(head) < SHORT_HEADER and (head or at > start) and not stated:
        raise truncated(None, at, "the rest of the file meta information", f"{len(head)} bytes")
    return FileMeta(
        transfer_syntax_uid=stated or _syntax_of(head, at),
        media_storage_sop_class_uid=values.get(_CLASS_TAG) or None,
        media_storage_sop_instance_uid=values.get(_INSTANCE_TAG) or None,
        dataset_offset=at,
        syntax_was_guessed=not stated,
    )


def head_with_syntax(head: bytes, transfer_syntax_uid: str) -> bytes:
    """Return the head of a file for its dataset in another transfer syntax, or changed.

    head: all that stands before the dataset. Private information (0002,0100) and (0002,0102),
    which is about the dataset as it was, is left out.
    """
    elements: dict[int, bytes] = {}
    at = _PREAMBLE_BYTES + len(_MAGIC) if head[_PREAMBLE_BYTES:].startswith(_MAGIC) else 0
    while len(head) - at >= SHORT_HEADER:
        group, element, vr, length = _HEAD.unpack_from(head, at)
        size = SHORT_HEADER
        if vr in LONG_VRS:
            length, size = _LONG.unpack_from(head, at + SHORT_HEADER)[0], LONG_HEADER
        if group != _META_GROUP:
            break
        elements[element] = head[at : at + size + length]
        at += size + length
    for left_out in (_GROUP_LENGTH, *_PRIVATE_INFORMATION):
        elements.pop(left_out, None)
    elements.setdefault(_VERSION, meta_element(_VERSION, b"OB", b"\0\1"))
    elements[_SYNTAX] = meta_element(_SYNTAX, b"UI", transfer_syntax_uid.encode("ascii"))
    return file_head(elements[number] for number in sorted(elements))


def file_head(elements: Iterable[bytes]) -> bytes:
    """Return preamble and file meta information of encoded elements, their length before them."""
    body = b"".join(elements)
    group_length = meta_element(_GROUP_LENGTH, b"UL", _LONG.pack(len(body)))
    return bytes(_PREAMBLE_BYTES) + _MAGIC + group_length + body


def meta_element(element: int, vr: bytes, value: bytes) -> bytes:
    """Return an element of group 0002 in explicit VR little endian, padded to even length."""
    if len(value) % 2:
        value += b"\0" if vr in {b"UI", b"OB"} else b" "
    if vr in LONG_VRS:
        return _HEAD.pack(_META_GROUP, element, vr, 0) + _LONG.pack(len(value)) + value
    return _HEAD.pack(_META_GROUP, element, vr, len(value)) + value


def _read_element(
    file: SeekableBytes, at: int, head: bytes, end: int, values: dict[int, str]
) -> int:
    """Note the element of group 2 at `at` and return where the next one is."""
    group, element, vr, length = _HEAD.unpack_from(head)
    tag = group << 16 | element
    value = at + SHORT_HEADER
    if vr in LONG_VRS and len(head) == LONG_HEADER:
        length, value = _LONG.unpack_from(head, SHORT_HEADER)[0], at + LONG_HEADER
    elif vr not in SHORT_VRS:
        raise malformed("file meta information", at, "an explicit VR", repr(vr))
    if value + length > end:
        raise truncated(tag, at, f"{length} bytes of value", f"{end - value} bytes before the end")
    if tag in {_CLASS_TAG, _INSTANCE_TAG, _SYNTAX_TAG}:
        file.seek(value)
        values[tag] = file.read(min(length, _UID_BYTES)).decode("ascii", "replace").strip("\0 ")
    return value + length


def _syntax_of(head: bytes, at: int) -> str:
    """Tell the transfer syntax from the first bytes of a dataset.

    Raises:
        MalformedDataset: they are none.
    """
    little, big = int.from_bytes(head[:2], "little"), int.from_bytes(head[:2], "big")
    explicit = is_vr(head[4:6])
    if len(head) >= SHORT_HEADER:
        if 0 < little <= _FIRST_GROUP_MAX:
            return EXPLICIT_SYNTAX if explicit else IMPLICIT_SYNTAX
        if explicit and 0 < big <= _FIRST_GROUP_MAX:
            return BIG_ENDIAN_SYNTAX
    raise malformed("no DICOM file", at, "DICM after 128 bytes, or a dataset", repr(head[:6]))
