"""The reader of encoded datasets gives what pydicom gives, and never fails on broken bytes."""

import random
import struct
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from pydicom import DataElement
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset as PydicomDataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence as PydicomSequence

from reading_worklist.dicomweb.json_model import Context, to_json_model
from reading_worklist.dicomweb.metadata import encode
from reading_worklist.dicomweb.text import decoder_for
from storage.datasets.encoded import (
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    Dataset,
    encoding_of,
    read_dataset,
)
from storage.datasets.sources import ByteSource, MemorySource, inflate
from storage.dicom_header.encoding import DEFLATED_SYNTAXES
from tests.reading_worklist.dicomweb.samples import Sample, bundled, corpus

CONTEXT = Context("/bulk", decoder_for)
PIXELS = {"7FE00008", "7FE00009", "7FE00010"}


def opened(sample: Sample, data: bytes | None = None) -> tuple[ByteSource, Dataset]:
    source: ByteSource = MemorySource(sample.data if data is None else data)
    offset = sample.dataset_offset
    if sample.transfer_syntax_uid in DEFLATED_SYNTAXES:
        source, offset = inflate(source, offset), 0
    return source, read_dataset(source, offset, encoding_of(sample.transfer_syntax_uid))


def expected_value(element: DataElement) -> list[Any]:
    value = element.value
    values = list(value) if isinstance(value, list | MultiValue) else [value]
    if element.VR == "PN":
        return [str(one).rstrip("=") for one in values]
    if element.VR == "DS":
        return [None if one in ("", None) else float(one) for one in values]
    if element.VR == "AT":
        return [f"{int(one):08X}" for one in values]
    return [one.strip() if isinstance(one, str) else one for one in values]


def found_value(vr: str, values: Sequence[Any]) -> list[Any]:
    if vr == "PN":
        groups = ("Alphabetic", "Ideographic", "Phonetic")
        return [
            "=".join((one or {}).get(name, "") for name in groups).rstrip("=") for one in values
        ]
    if vr == "IS":
        return ["" if one is None else one for one in values]
    if vr in {"DS", "US", "SS", "UL", "SL", "AT", "FL", "FD", "UV", "SV"}:
        return list(values)
    return [(one or "").strip() for one in values]


def assert_same(model: dict[str, Any], dataset: PydicomDataset, where: str) -> None:
    tags = [element.tag for element in dataset]
    expected = {f"{int(tag):08X}" for tag in tags if tag.element != 0} - PIXELS
    assert set(model) - PIXELS == expected, where
    for element in dataset:
        name = f"{int(element.tag):08X}"
        if name not in model or name in PIXELS or name == "00080005":
            continue
        attribute = model[name]
        place = f"{where} {name}"
        assert attribute["vr"] == element.VR, place
        if isinstance(element.value, PydicomSequence):
            items = attribute.get("Value", [])
            assert len(items) == len(element.value), place
            for item, other in zip(items, element.value, strict=True):
                assert_same(item, other, place)
        elif "Value" in attribute and element.VR not in {"LT", "ST", "UT"}:
            assert found_value(element.VR, attribute["Value"]) == expected_value(element), place


@pytest.mark.parametrize("samples", [bundled, corpus])
def test_every_element_of_every_file_is_what_pydicom_reads(
    samples: Callable[[], tuple[Sample, ...]],
) -> None:
    compared = 0
    for sample in samples():
        # The text of these is what pydicom takes it for only where the label is right.
        if "charset" in sample.name or "chr" in sample.name:
            continue
        _, dataset = opened(sample)
        if dataset.cut_at is not None:
            continue
        encode([to_json_model(dataset, CONTEXT)])
        with disable_value_validation():
            theirs = sample.read(stop_before_pixels=True)
            model = to_json_model(dataset, CONTEXT)
            if "1A" in str(model.get("00200013", "")):
                continue
            assert_same(model, theirs, sample.name)
        compared += 1
    assert compared > 70


@pytest.mark.parametrize(
    ("name", "groups"),
    [
        ("chrX1.dcm", ("Wang^XiaoDong", "王^小東")),
        ("chrX2.dcm", ("Wang^XiaoDong", "王^小东")),
        ("chrH31.dcm", ("Yamada^Tarou", "山田^太郎", "やまだ^たろう")),
        ("chrH32.dcm", ("ﾔﾏﾀﾞ^ﾀﾛｳ", "山田^太郎", "やまだ^たろう")),
        ("chrI2.dcm", ("Hong^Gildong", "洪^吉洞", "홍^길동")),
        ("chrGerm.dcm", ("Äneas^Rüdiger",)),
        ("chrArab.dcm", ("قباني^لنزار",)),
        ("chrRuss.dcm", ("Люкceмбypг",)),
    ],
)
def test_declared_character_sets_become_unicode(name: str, groups: tuple[str, ...]) -> None:
    sample = next(sample for sample in bundled() if sample.name == name)
    model = to_json_model(opened(sample)[1], CONTEXT)
    words = ("Alphabetic", "Ideographic", "Phonetic")
    assert model["00100010"]["Value"] == [dict(zip(words, groups, strict=False))]
    assert model["00080005"]["Value"] == ["ISO_IR 192"]


@pytest.mark.parametrize("seed", range(4))
def test_cut_and_flipped_bytes_still_give_valid_json(seed: int) -> None:
    chance = random.Random(seed)
    for sample in bundled():
        header = sample.data[: min(len(sample.data), 20_000)]
        for _ in range(3):
            broken = bytearray(header[: chance.randrange(sample.dataset_offset, len(header) + 1)])
            for _ in range(chance.randrange(8)):
                if len(broken) > sample.dataset_offset:
                    broken[chance.randrange(sample.dataset_offset, len(broken))] = chance.randrange(
                        256
                    )
            source = MemorySource(bytes(broken))
            encoding = encoding_of(sample.transfer_syntax_uid)
            dataset = read_dataset(source, sample.dataset_offset, encoding)
            assert encode([to_json_model(dataset, CONTEXT)]).startswith(b"[{")


def sequence_within(depth: int, *, explicit: bool) -> bytes:
    head = b"\x08\x00\x40\x11" + (b"SQ\0\0" if explicit else b"") + b"\xff\xff\xff\xff"
    return (head + b"\xfe\xff\x00\xe0\xff\xff\xff\xff") * depth


@pytest.mark.parametrize("explicit", [True, False])
def test_nesting_is_bounded(*, explicit: bool) -> None:
    data = b"\x08\x00\x18\x00" + (b"UI\x04\0" if explicit else b"\4\0\0\0") + b"1.2\0"
    data += sequence_within(100_000, explicit=explicit)
    encoding = EXPLICIT_LITTLE if explicit else IMPLICIT_LITTLE
    dataset = read_dataset(MemorySource(data), 0, encoding)
    assert dataset.cut_at is not None
    assert to_json_model(dataset, CONTEXT)["00080018"] == {"vr": "UI", "Value": ["1.2"]}


def test_length_beyond_the_end_keeps_what_came_before() -> None:
    data = b"\x08\x00\x60\x00CS\x02\x00CT" + b"\x10\x00\x20\x00LO\xf0\xff123"
    dataset = read_dataset(MemorySource(data), 0, EXPLICIT_LITTLE)
    assert dataset.cut_at is not None
    assert to_json_model(dataset, CONTEXT) == {"00080060": {"vr": "CS", "Value": ["CT"]}}


def test_sequence_sent_as_unknown_is_implicit_within() -> None:
    item = b"\x08\x00\x50\x11" + struct.pack("<L", 4) + b"1.2\0"
    inside = b"\xfe\xff\x00\xe0" + struct.pack("<L", len(item)) + item
    data = b"\x08\x00\x40\x11UN\0\0" + struct.pack("<L", len(inside)) + inside
    model = to_json_model(read_dataset(MemorySource(data), 0, EXPLICIT_LITTLE), CONTEXT)
    assert model == {
        "00081140": {"vr": "SQ", "Value": [{"00081150": {"vr": "UI", "Value": ["1.2"]}}]}
    }


def test_private_elements_take_their_vr_from_the_creator() -> None:
    def implicit(group: int, number: int, value: bytes) -> bytes:
        return struct.pack("<HHL", group, number, len(value)) + value

    data = implicit(0x19, 0x10, b"SIEMENS MR HEADER ") + implicit(0x19, 0x100C, b"1000")
    model = to_json_model(read_dataset(MemorySource(data), 0, IMPLICIT_LITTLE), CONTEXT)
    assert model["00190010"] == {"vr": "LO", "Value": ["SIEMENS MR HEADER"]}
    assert model["0019100C"] == {"vr": "IS", "Value": [1000]}


def test_large_values_are_read_from_a_source_in_windows() -> None:
    class Counting(MemorySource):
        reads = 0

        def read(self, offset: int, length: int) -> bytes:
            type(self).reads += 1
            return super().read(offset, length)

    private = b"\x09\x00\x01\x10OB\0\0" + struct.pack("<L", 1 << 20) + bytes(1 << 20)
    data = private * 4 + b"\x10\x00\x20\x00LO\x02\x00P1"
    dataset = read_dataset(Counting(data), 0, EXPLICIT_LITTLE)
    model = to_json_model(dataset, CONTEXT)
    assert model["00100020"] == {"vr": "LO", "Value": ["P1"]}
    assert model["00091001"] == {"vr": "OB", "BulkDataURI": "/bulk/00091001"}
    assert Counting.reads <= 6
