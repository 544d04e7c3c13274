"""JSON arrays kept in gzip so that several can be joined to one without packing them again.

What is between the brackets of an array is one run of deflate blocks that
begins and ends at a byte and looks back at nothing before it (RFC 1951 §3.2).
Its checksum and lengths are in the extra field of the gzip header (RFC 1952
§2.3.1.1), so that the frame around a joined array can be computed from headers.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reading_worklist.dicomweb.bodies import Piece, Region
from storage.errors import RdcError

_LEVEL: Final = 6
_FIXED: Final = b"\x1f\x8b\x08\x04" + bytes(4) + b"\x00\xff"
_FIXED_PLAIN: Final = b"\x1f\x8b\x08\x00" + bytes(4) + b"\x00\xff"
_EXTRA: Final = struct.Struct("<H2sHLQQ")
_EXTRA_NAME: Final = b"DJ"  # DICOM JSON; the registry of RFC 1952 knows no other owner of it
_TRAILER: Final = struct.Struct("<LL")
HEADER_LENGTH: Final = len(_FIXED) + _EXTRA.size
_WORD: Final = 0xFFFFFFFF
# The generator polynomial of CRC-32 with its bits reversed.
_POLYNOMIAL: Final = 0xEDB88320


class NotJoinable(RdcError):
    """Bytes do not begin as a packed array does."""


@dataclass(frozen=True, slots=True)
class PackedArray:
    """What the header of a packed array tells of it.

    checksum, plain_length: of what is between the brackets.
    packed_length: of its deflate blocks, which begin at `blocks_offset`.
    """

    checksum: int
    plain_length: int
    packed_length: int

    @property
    def blocks_offset(self) -> int:
        """Where the blocks begin: after the header and the block of the opening bracket."""
        return HEADER_LENGTH + len(_stored(b"[", final=False))


def pack(array: bytes) -> bytes:
    """Return a JSON array (its text begins and ends with a bracket) in gzip."""
    inside = memoryview(array)[1:-1]
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    blocks = packer.compress(inside) + packer.flush(zlib.Z_FULL_FLUSH)
    extra = _EXTRA.pack(
        _EXTRA.size - 2, _EXTRA_NAME, _EXTRA.size - 6, zlib.crc32(inside), len(inside), len(blocks)
    )
    return b"".join(
        (
            _FIXED,
            extra,
            _stored(b"[", final=False),
            blocks,
            _stored(b"]", final=True),
            _TRAILER.pack(zlib.crc32(array), len(array) & _WORD),
        )
    )


def read_header(data: bytes) -> PackedArray:
    """Read the first `HEADER_LENGTH` bytes of what `pack` made.

    Raises:
        NotJoinable: they are something else.
    """
    if len(data) >= HEADER_LENGTH and data.startswith(_FIXED):
        _, name, _, checksum, plain, packed = _EXTRA.unpack_from(data, len(_FIXED))
        if name == _EXTRA_NAME:
            return PackedArray(checksum, plain, packed)
    raise NotJoinable("a packed array does not begin as one", found=data[:16].hex())


def join(arrays: Sequence[tuple[str, PackedArray]]) -> list[Piece]:
    """Return the body of all elements of all arrays in one array, in gzip.

    arrays: object keys with what `read_header` told.
    """
    pieces: list[Piece] = [_FIXED_PLAIN, _stored(b"[", final=False)]
    checksum, length = zlib.crc32(b"["), 1
    first = True
    for key, array in arrays:
        if not array.plain_length:
            continue
        if not first:
            pieces.append(_stored(b",", final=False))
            checksum, length = zlib.crc32(b",", checksum), length + 1
        first = False
        pieces.append(Region(key, array.blocks_offset, array.packed_length))
        checksum = combined(checksum, array.checksum, array.plain_length)
        length += array.plain_length
    checksum = zlib.crc32(b"]", checksum)
    pieces.append(_stored(b"]", final=True) + _TRAILER.pack(checksum, (length + 1) & _WORD))
    return pieces


def combined(first: int, second: int, second_length: int) -> int:
    """Return the CRC-32 of two runs of bytes one behind the other, from those of each."""
    return _product(_shift(second_length), first) ^ second


def _shift(length: int) -> int:
    """Return x^(8 length) modulo the polynomial: appending so many zero bytes multiplies by it."""
    result, power = 1 << 31, 1 << 23  # 1, and x^8, with bits reversed
    while length:
        if length & 1:
            result = _product(power, result)
        power = _product(power, power)
        length >>= 1
    return result


def _product(left: int, right: int) -> int:
    """Multiply two polynomials over GF(2) modulo that of CRC-32."""
    result = 0
    for bit in range(31, -1, -1):
        if left >> bit & 1:
            result ^= right
        right = right >> 1 ^ (_POLYNOMIAL if right & 1 else 0)
    return result


def _stored(data: bytes, *, final: bool) -> bytes:
    """Return a deflate block that is not compressed (RFC 1951 §3.2.4)."""
    return struct.pack("<BHH", final, len(data), len(data) ^ 0xFFFF) + data
