"""Values become the DICOM JSON model, whatever was written into them."""

import json
import math
import struct

import pytest

from reading_worklist.dicomweb.json_model import attribute
from reading_worklist.dicomweb.text import decoder_for
from storage.datasets.representations import resolve_vr, swapped


def value_of(vr: str, value: bytes, *declared: str, little: bool = True) -> object:
    made = attribute(vr, value, decoder_for(declared), little=little)
    assert made["vr"] in {vr, "UN"}
    json.loads(json.dumps(made, allow_nan=False))
    return made.get("Value", made.get("InlineBinary"))


@pytest.mark.parametrize(
    ("vr", "value", "expected"),
    [
        ("CS", b"ORIGINAL\\PRIMARY\\\\AXIAL ", ["ORIGINAL", "PRIMARY", None, "AXIAL"]),
        ("UI", b"1.2.840\0", ["1.2.840"]),
        ("LO", b" padded \\ twice ", ["padded", "twice"]),
        ("ST", b"one\\value ", ["one\\value"]),
        ("DS", b"1.5\\-2\\ 3e2 ", [1.5, -2, 300.0]),
        ("DS", b"1e400\\nan\\1_0\\0x1", ["1e400", "nan", "1_0", "0x1"]),
        ("IS", b"7 \\+3\\1A\\", [7, 3, "1A", None]),
        ("IS", b"99999999999999999999", [1e20]),
        ("AT", b"\x28\x00\x10\x00", ["00280010"]),
        ("US", b"\xff\xff\x01\x00", [65535, 1]),
        ("SS", b"\xff\xff", [-1]),
        ("SV", b"\xff" * 8, [-1]),
        ("FD", struct.pack("<3d", 0.1, -0.0, 1e308), [0.1, -0.0, 1e308]),
        ("FL", struct.pack("<3f", math.nan, math.inf, -math.inf), ["NaN", "Infinity", "-Infinity"]),
        ("PN", b"Doe^John", [{"Alphabetic": "Doe^John"}]),
        ("PN", b"\\Doe", [None, {"Alphabetic": "Doe"}]),
        ("PN", b"==x", [{"Phonetic": "x"}]),
        ("OB", b"\x00\x01", "AAE="),
        ("LO", b"   ", None),
        ("LO", b"", None),
        ("US", b"\x01", "AQ=="),
        ("AT", b"\x01\x02", "AQI="),
        ("LO", b"a\x00b\x07", ["a\x00b\x07"]),
    ],
)
def test_values(vr: str, value: bytes, expected: object) -> None:
    assert value_of(vr, value) == expected


def test_big_endian_numbers_are_read_and_inline_bytes_are_little_endian() -> None:
    assert value_of("US", b"\x00\x01", little=False) == [1]
    assert value_of("AT", b"\x00\x28\x00\x10", little=False) == ["00280010"]
    assert value_of("OW", b"\x00\x01", little=False) == "AQA="


@pytest.mark.parametrize(
    ("declared", "original"),
    [
        (("GB18030",), "张^三丰".encode("gb18030")),
        (("GBK",), "张^三丰".encode("gbk")),
        (("ISO_IR 100",), "张^三丰".encode("gbk")),
        ((), "张^三丰".encode("gbk")),
        ((), "张^三丰".encode()),
        (("GB18030", "ISO IR 192"), "张^三丰".encode()),
    ],
)
def test_chinese_names_are_decoded_by_evidence(declared: tuple[str, ...], original: bytes) -> None:
    value = b"Zhang^Sanfeng=" + original
    assert value_of("PN", value, *declared) == [
        {"Alphabetic": "Zhang^Sanfeng", "Ideographic": "张^三丰"}
    ]


def test_byte_order_is_reversed_by_unit() -> None:
    assert swapped(b"abcdefgh", 2) == b"badcfehg"
    assert swapped(b"abcdefgh", 4) == b"dcbahgfe"
    assert swapped(b"abcde", 2) == b"badce"
    assert swapped(b"", 8) == b""


def test_choices_of_the_dictionary_are_decided() -> None:
    assert resolve_vr("US or SS", signed=True) == "SS"
    assert resolve_vr("US or SS", signed=False) == "US"
    assert resolve_vr("OB or OW", signed=False) == "OW"
    assert resolve_vr("US or SS or OW", signed=True) == "OW"
