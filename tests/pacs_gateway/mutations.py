"""Mutations for fuzzing: seeded, so that what fails once fails again."""

import random
import struct
from collections.abc import Iterator

# Lengths, counts and tags that break readers: the edges of every width, and the delimiters.
_EDGES = (
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\xfe\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\0\0\0\x80",
    b"\x01\0\0\0",
    b"\xfe\xff\x00\xe0",
    b"\xfe\xff\x0d\xe0",
    b"\xfe\xff\xdd\xe0",
    b"SQ\0\0",
    b"UN\0\0",
    b"OB\0\0",
)
_TEXTS = (
    b"<script>alert(1)</script>",
    b"../../../../etc/passwd",
    b"'; DROP TABLE study; --",
    b"\x1b$)C\x0e\x0e\x0e",
    b"%s%n%x" * 4,
    b"\0" * 16,
    "张^三".encode("gb18030"),
)


def mutated(chance: random.Random, valid: bytes, *, head: int = 400) -> bytes:
    """Return `valid` with one to eight changes, mostly within its first `head` bytes."""
    data = bytearray(valid)
    for _ in range(chance.randint(1, 8)):
        if not data:
            break
        reach = min(len(data), chance.choice((12, 80, head, len(data))))
        at = chance.randrange(reach)
        kind = chance.randrange(7)
        if kind == 0:
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            data[at] = chance.randrange(256)
        elif kind == 2:
            edge = chance.choice(_EDGES)
            data[at : at + len(edge)] = edge
        elif kind == 3:
            text = chance.choice(_TEXTS)
            data[at : at + len(text)] = text
        elif kind == 4:
            del data[at : at + chance.choice((1, 2, 8, 64))]
        elif kind == 5:
            data[at:at] = data[at : at + chance.choice((1, 8, 64))]
        else:
            del data[chance.randrange(len(data) // 2, len(data)) :]
    return bytes(data)


def _explicit(tag: int, vr: bytes, length: int) -> bytes:
    return struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, vr, 0, length)


_SEQUENCE = _explicit(0x00081140, b"SQ", 0xFFFFFFFF)
_ITEM = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
_ITEM_END = struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
_SEQUENCE_END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def hostile(valid: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield datasets, explicit VR little endian, that somebody made to do harm.

    valid: a dataset that can be filed; what can be appended to it is.
    """
    yield "deep sequences", valid + (_SEQUENCE + _ITEM) * 100_000
    yield "deep and closed", (_SEQUENCE + _ITEM) * 5_000 + (_ITEM_END + _SEQUENCE_END) * 5_000
    yield "a million items", valid + _SEQUENCE + (_ITEM + _ITEM_END) * 1_000_000 + _SEQUENCE_END
    yield "many empty sequences", valid + (_SEQUENCE + _SEQUENCE_END) * 600_000
    yield "many empty elements", valid + struct.pack("<HH2sH", 0x7FDF, 1, b"LO", 0) * 2_000_000
    yield "8 GB declared", valid + _explicit(0x7FE00010, b"OW", 0xFFFFFFFE) + bytes(100)
    yield (
        "8 GB in fragments",
        valid
        + _explicit(0x7FE00010, b"OB", 0xFFFFFFFF)
        + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFF0),
    )
    yield "negative length", valid + _explicit(0x00091001, b"UN", 0x80000000)
    yield (
        "fragments without end",
        valid
        + _explicit(0x7FE00010, b"OB", 0xFFFFFFFF)
        + (struct.pack("<HHI", 0xFFFE, 0xE000, 0) * 500_000),
    )
    yield "end without beginning", valid + (_ITEM_END + _SEQUENCE_END) * 100_000
    yield "zeros for ever", valid + bytes(16 << 20)
    yield "nothing but 255", b"\xff" * 1_000_000
