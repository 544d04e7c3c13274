"""The walk over a dataset: what it passes over, what it refuses, and that nothing makes it fall."""

import io
import struct
import time
import tracemalloc
import zlib
from pathlib import Path

import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_file

from storage.dicom_header import (
    HEADER_TAGS,
    MAX_DEPTH,
    MAX_VALUE_BYTES,
    DatasetError,
    DatasetScan,
    MalformedDataset,
    TruncatedDataset,
    read_file_meta,
    read_header,
    scan_dataset,
    windows,
)

EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
JPEG = "1.2.840.10008.1.2.4.50"
SYNTAXES = (EXPLICIT, IMPLICIT, BIG_ENDIAN, DEFLATED, JPEG, "1.2.3.4.5", "", "no UID")

NAME = 0x00100010
ROWS = 0x00280010
FRAMES = 0x00280008
WANTED = frozenset({NAME, ROWS, FRAMES})

UNDEFINED = 0xFFFFFFFF
ITEM_END = struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
SEQUENCE_END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


class CarefulFile(io.BytesIO):
    """A file that tells when more is asked of it at once than a window holds."""

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert 0 <= size <= windows.WINDOW_BYTES
        return super().read(size)


def short(tag: int, vr: bytes, value: bytes) -> bytes:
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, len(value)) + value


def long(tag: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    size = len(value) if length is None else length
    return struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, vr, 0, size) + value


def implicit(tag: int, value: bytes, length: int | None = None) -> bytes:
    size = len(value) if length is None else length
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, size) + value


def item(value: bytes, length: int | None = None) -> bytes:
    return implicit(0xFFFEE000, value, length)


CLASS = short(0x00080016, b"UI", b"1.2.840.10008.5.1.4.1.1.2\0")
PATIENT = short(NAME, b"PN", b"Doe^Jane")
PIXELS = long(0x7FE00010, b"OW", bytes(64))


def scan(content: bytes, syntax: str = EXPLICIT) -> DatasetScan:
    return scan_dataset(CarefulFile(content), syntax, wanted=WANTED)


class TestPassedOver:
    def test_big_values_are_not_read(self) -> None:
        class CountingFile(CarefulFile):
            read_bytes = 0

            def read(self, size: int | None = -1, /) -> bytes:
                found = super().read(size)
                self.read_bytes += len(found)
                return found

        content = CLASS + long(0x00091010, b"OB", bytes(9 << 20)) + PATIENT
        file = CountingFile(content + long(0x7FE00010, b"OW", bytes(30 << 20)))
        found = scan_dataset(file, EXPLICIT, wanted=WANTED)
        assert found.values[NAME] == b"Doe^Jane"
        assert found.pixel_data is not None
        assert found.pixel_data.length == 30 << 20
        assert file.read_bytes < 5 * windows.WINDOW_BYTES

    @pytest.mark.parametrize("gap", range(windows.WINDOW_BYTES - 60, windows.WINDOW_BYTES + 4, 3))
    @pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
    def test_elements_across_the_edge_of_a_window(self, syntax: str, gap: int) -> None:
        if syntax == EXPLICIT:
            content = long(0x00091010, b"OB", bytes(gap)) + PATIENT + PIXELS
        else:
            content = implicit(0x00091010, bytes(gap)) + implicit(NAME, b"Doe^Jane")
            content += implicit(0x7FE00010, bytes(64))
        found = scan(content, syntax)
        assert found.values == {NAME: b"Doe^Jane"}
        assert found.pixel_data is not None
        assert content[found.pixel_data.offset :].startswith(b"\xe0\x7f\x10\0")
        assert found.pixel_data.value_offset + 64 == len(content)

    def test_of_an_element_that_stands_twice_the_last_counts(self) -> None:
        assert scan(PATIENT + short(NAME, b"PN", b"Roe")).values[NAME] == b"Roe"

    def test_only_the_top_level_counts(self) -> None:
        nested = long(0x00081140, b"SQ", item(short(NAME, b"PN", b"Other^Name")))
        undefined = long(
            0x00081150,
            b"SQ",
            item(short(NAME, b"PN", b"Third^Name") + ITEM_END, UNDEFINED) + SEQUENCE_END,
            UNDEFINED,
        )
        icon = long(0x00880200, b"SQ", item(PIXELS + ITEM_END, UNDEFINED) + SEQUENCE_END, UNDEFINED)
        found = scan(nested + undefined + PATIENT + icon)
        assert found.values == {NAME: b"Doe^Jane"}
        assert found.pixel_data is None
        assert found.oddities == ()

    def test_unknown_vr_of_undefined_length_holds_implicit_items(self) -> None:
        inner = implicit(0x00100010, b"Other") + implicit(0x00091001, b"x" * 300)
        content = long(
            0x00091010, b"UN", item(inner + ITEM_END, UNDEFINED) + SEQUENCE_END, UNDEFINED
        )
        found = scan(CLASS + content + PATIENT)
        assert found.values == {NAME: b"Doe^Jane"}
        assert found.oddities == ()

    def test_unknown_vr_of_undefined_length_with_explicit_items(self) -> None:
        inner = short(0x00100010, b"PN", b"Other") + ITEM_END
        content = long(0x00091010, b"UN", item(inner, UNDEFINED) + SEQUENCE_END, UNDEFINED)
        assert scan(CLASS + content + PATIENT).values == {NAME: b"Doe^Jane"}

    @pytest.mark.parametrize(
        "element",
        [
            long(0x00091010, b"XX", b"abcd"),
            short(0x00091010, b"XX", b"abcd"),
            short(0x00091010, b"XX", b""),
        ],
    )
    def test_a_vr_that_nobody_knows(self, element: bytes) -> None:
        found = scan(CLASS + element + PATIENT + PIXELS)
        assert found.values == {NAME: b"Doe^Jane"}
        assert found.pixel_data is not None
        assert found.oddities == ("(0009,1010) with unknown VR XX",)

    def test_implicit_elements_among_explicit_ones(self) -> None:
        found = scan(CLASS + implicit(0x00091010, b"abcd") + PATIENT)
        assert found.values == {NAME: b"Doe^Jane"}
        assert len(found.oddities) == 1

    def test_the_other_encoding_than_the_declared_one(self) -> None:
        found = scan(CLASS + PATIENT, IMPLICIT)
        assert (found.values, found.implicit_vr) == ({NAME: b"Doe^Jane"}, False)
        found = scan(implicit(0x00080016, b"1.2") + implicit(NAME, b"Doe^Jane"), EXPLICIT)
        assert (found.values, found.implicit_vr) == ({NAME: b"Doe^Jane"}, True)

    def test_odd_lengths(self) -> None:
        found = scan(short(0x00080060, b"CS", b"CT ") + short(NAME, b"PN", b"Doe"))
        assert found.values == {NAME: b"Doe"}

    @pytest.mark.parametrize("zeros", [1, 7, 8, 12, 100_000])
    @pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
    def test_zeros_after_the_end(self, syntax: str, zeros: int) -> None:
        content = PATIENT if syntax == EXPLICIT else implicit(NAME, b"Doe^Jane")
        found = scan(content + bytes(zeros), syntax)
        assert found.values == {NAME: b"Doe^Jane"}
        assert found.oddities == ("zero bytes after the last element",)

    def test_delimiters_where_nothing_is_open(self) -> None:
        found = scan(CLASS + SEQUENCE_END + ITEM_END + PATIENT)
        assert found.values == {NAME: b"Doe^Jane"}

    def test_a_sequence_without_its_end(self) -> None:
        content = long(0x00081140, b"SQ", item(PATIENT), UNDEFINED)
        found = scan(content + PATIENT)
        assert found.values == {NAME: b"Doe^Jane"}
        assert len(found.oddities) == 1

    def test_an_item_without_its_end(self) -> None:
        content = long(0x00081140, b"SQ", item(CLASS, UNDEFINED) + SEQUENCE_END, UNDEFINED)
        assert scan(content + PATIENT).values == {NAME: b"Doe^Jane"}

    def test_a_value_too_long_for_the_index_is_cut(self) -> None:
        content = long(NAME, b"UT", b"x" * (MAX_VALUE_BYTES + 500)) + PIXELS
        found = scan(content)
        assert len(found.values[NAME]) == MAX_VALUE_BYTES
        assert len(found.oddities) == 1
        assert found.pixel_data is not None

    def test_an_empty_dataset(self) -> None:
        for syntax in (EXPLICIT, IMPLICIT, BIG_ENDIAN):
            assert scan(b"", syntax).values == {}

    def test_a_part_of_a_file(self) -> None:
        file = io.BytesIO(b"xyz" + PATIENT + b"rest")
        file.seek(3)
        found = scan_dataset(file, EXPLICIT, wanted=WANTED, end=3 + len(PATIENT))
        assert found.values == {NAME: b"Doe^Jane"}
        assert (found.dataset_offset, found.dataset_length) == (3, len(PATIENT))


class TestEncapsulated:
    FRAGMENTS = item(b"") + item(b"\xff\xd8first\0") + item(b"\xff\xd8second")

    def pixels(self, fragments: bytes) -> bytes:
        return long(0x7FE00010, b"OB", fragments, UNDEFINED)

    def test_with_its_end(self) -> None:
        after = long(0xFFFCFFFC, b"OB", bytes(10))
        found = scan(PATIENT + self.pixels(self.FRAGMENTS + SEQUENCE_END) + after, JPEG)
        assert found.pixel_data is not None
        assert found.pixel_data.length is None
        assert found.pixel_data.offset == len(PATIENT)
        assert found.pixel_data.value_offset == len(PATIENT) + 12
        assert found.pixel_data.fragments == 2
        assert found.oddities == ()

    def test_a_delimiter_inside_a_fragment_is_no_delimiter(self) -> None:
        content = self.pixels(item(b"") + item(SEQUENCE_END + b"more") + SEQUENCE_END)
        found = scan(content, JPEG)
        assert found.pixel_data is not None
        assert found.pixel_data.fragments == 1

    def test_without_its_end_but_with_all_frames(self) -> None:
        frames = short(FRAMES, b"IS", b"2 ")
        found = scan(frames + self.pixels(self.FRAGMENTS), JPEG)
        assert len(found.oddities) == 1

    @pytest.mark.parametrize("frames", [b"3 ", b"40"])
    def test_without_its_end_and_with_frames_missing(self, frames: bytes) -> None:
        with pytest.raises(TruncatedDataset):
            scan(short(FRAMES, b"IS", frames) + self.pixels(self.FRAGMENTS), JPEG)

    def test_without_any_fragment(self) -> None:
        with pytest.raises(TruncatedDataset):
            scan(self.pixels(b""), JPEG)
        with pytest.raises(TruncatedDataset):
            scan(self.pixels(item(b"")), JPEG)

    def test_a_fragment_that_is_cut(self) -> None:
        for cut in range(1, len(self.FRAGMENTS) - 22):
            with pytest.raises(TruncatedDataset):
                scan(self.pixels(self.FRAGMENTS[: -cut - 22]), JPEG)

    def test_a_fragment_without_length(self) -> None:
        with pytest.raises(MalformedDataset):
            scan(self.pixels(item(b"", UNDEFINED)), JPEG)

    def test_something_else_between_the_fragments(self) -> None:
        with pytest.raises(MalformedDataset):
            scan(self.pixels(item(b"") + PATIENT), JPEG)


class TestRefused:
    @pytest.mark.parametrize("length", [65, 1 << 20, UNDEFINED - 1])
    def test_a_length_beyond_the_end(self, length: int) -> None:
        tracemalloc.start()
        with pytest.raises(TruncatedDataset) as refusal:
            scan(PATIENT + long(0x7FE00010, b"OW", bytes(64), length))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert refusal.value.what == (
            f"dataset ends within element (7FE0,0010) PixelData at byte {len(PATIENT)}"
        )
        assert refusal.value.expected == f"{length} bytes of value"
        assert refusal.value.found == "64 bytes before the end"
        assert peak < 1 << 20

    @pytest.mark.parametrize("cut", range(1, 8))
    def test_a_cut_within_tag_or_length(self, cut: int) -> None:
        with pytest.raises(TruncatedDataset):
            scan(PATIENT + CLASS[:cut])

    @pytest.mark.parametrize("cut", range(1, 27))
    def test_a_cut_within_an_open_sequence(self, cut: int) -> None:
        content = long(
            0x00081140, b"SQ", item(CLASS + ITEM_END, UNDEFINED) + SEQUENCE_END, UNDEFINED
        )
        with pytest.raises(TruncatedDataset):
            scan(PATIENT + content[:-cut])

    def test_text_is_no_dataset(self) -> None:
        for syntax in (EXPLICIT, IMPLICIT, BIG_ENDIAN):
            with pytest.raises(DatasetError):
                scan(b"<html><body>Bad gateway</body></html>", syntax)

    def test_an_item_outside_a_sequence(self) -> None:
        with pytest.raises(MalformedDataset):
            scan(PATIENT + item(b"abcd"))

    def test_a_delimiter_that_does_not_exist(self) -> None:
        with pytest.raises(MalformedDataset):
            scan(PATIENT + implicit(0xFFFE0001, b""))

    def nested(self, depth: int) -> bytes:
        head = long(0x00081140, b"SQ", b"", UNDEFINED) + item(b"", UNDEFINED)
        return head * depth + (ITEM_END + SEQUENCE_END) * depth

    def test_nesting_is_bounded(self) -> None:
        assert scan(self.nested(MAX_DEPTH) + PATIENT).values == {NAME: b"Doe^Jane"}
        with pytest.raises(MalformedDataset) as refusal:
            scan(self.nested(MAX_DEPTH + 1))
        assert str(MAX_DEPTH) in refusal.value.expected

    def test_nesting_beyond_measure_ends_at_once(self) -> None:
        content = self.nested(100_000)
        # The time of the processor alone: others may use the machine.
        started = time.thread_time()
        with pytest.raises(MalformedDataset):
            scan(content)
        assert time.thread_time() - started < 1

    def test_oddities_do_not_grow_with_the_dataset(self) -> None:
        content = b"".join(short(0x00090000 + number, b"XX", b"ab") for number in range(5000))
        assert len(scan(CLASS + content).oddities) <= 20


class TestDeflated:
    def deflated(self, content: bytes) -> bytes:
        compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        return compressor.compress(content) + compressor.flush()

    CONTENT = CLASS + long(0x00091010, b"OB", bytes(range(256)) * 2000) + PATIENT + PIXELS

    def test_values_and_offsets_are_those_of_the_inflated_dataset(self) -> None:
        packed = self.deflated(self.CONTENT)
        found = scan(packed, DEFLATED)
        assert found.values == {NAME: b"Doe^Jane"}
        assert found.deflated
        assert found.dataset_length == len(packed)
        assert found.pixel_data is not None
        assert self.CONTENT[found.pixel_data.offset :] == PIXELS

    def test_padded_to_an_even_length(self) -> None:
        assert scan(self.deflated(self.CONTENT) + b"\0", DEFLATED).values[NAME] == b"Doe^Jane"

    @pytest.mark.parametrize("cut", [1, 2, 10, 200])
    def test_cut(self, cut: int) -> None:
        with pytest.raises(TruncatedDataset):
            scan(self.deflated(self.CONTENT)[:-cut], DEFLATED)

    def test_not_deflated_at_all(self) -> None:
        with pytest.raises(DatasetError):
            scan(self.CONTENT, DEFLATED)

    def test_a_cut_before_deflating(self) -> None:
        with pytest.raises(TruncatedDataset):
            scan(self.deflated(self.CONTENT[:-10]), DEFLATED)

    def test_zeros_after_the_end(self) -> None:
        found = scan(self.deflated(self.CONTENT + bytes(50_000)), DEFLATED)
        assert found.values[NAME] == b"Doe^Jane"
        assert found.oddities == ("zero bytes after the last element",)

    def test_a_bomb(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(windows, "_INFLATED_MAX", 8 << 20)
        packed = self.deflated(bytes(64 << 20))
        tracemalloc.start()
        with pytest.raises(MalformedDataset, match="too long"):
            scan(packed, DEFLATED)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 1 << 20


def bare(name: str) -> tuple[bytes, str]:
    """The dataset of a bundled file, and its transfer syntax."""
    content = Path(str(get_testdata_file(name))).read_bytes()
    meta = read_file_meta(io.BytesIO(content))
    return content[meta.dataset_offset :], meta.transfer_syntax_uid


SAMPLES = (
    "CT_small.dcm",
    "MR_small_implicit.dcm",
    "MR_small_expb.dcm",
    "waveform_ecg.dcm",
    "JPEG2000.dcm",
    "SC_rgb_rle_2frame.dcm",
    "image_dfl.dcm",
    "rtplan.dcm",
    "test-SR.dcm",
)
DATASETS = {name: bare(name) for name in SAMPLES}


def top_level_ends(name: str) -> set[int]:
    """Where elements of the top level begin, as pydicom sees it: a cut there leaves no trace."""
    content, syntax = DATASETS[name]
    ends = {len(content)}
    dataset = pydicom.dcmread(str(get_testdata_file(name)), defer_size=64)
    offset = Path(str(get_testdata_file(name))).stat().st_size - len(content)
    short_header = 8
    for tag in dataset:
        position = getattr(dataset.get_item(tag.tag), "value_tell", None) or tag.file_tell
        if position is None:
            continue
        long_vr = syntax != IMPLICIT and tag.VR in {"OB", "OW", "SQ", "UN", "UT", "OF", "UC", "UR"}
        ends.add(position - offset - (12 if long_vr else short_header))
    return ends


@pytest.mark.parametrize("name", [name for name in SAMPLES if name != "image_dfl.dcm"])
def test_every_cut_is_found_out_or_lies_between_elements(name: str) -> None:
    content, syntax = DATASETS[name]
    whole = scan_dataset(io.BytesIO(content), syntax, wanted=HEADER_TAGS)
    allowed = top_level_ends(name)
    step = max(1, len(content) // 1000)
    cuts = {*range(0, len(content), step), *(end + move for end in allowed for move in (-1, 0, 1))}
    for cut in sorted(cut for cut in cuts if 0 <= cut < len(content)):
        try:
            found = scan_dataset(CarefulFile(content[:cut]), syntax, wanted=HEADER_TAGS)
        except TruncatedDataset:
            continue
        # Or, with all frames there, right before the end of the encapsulated pixel data.
        rest = content[max(end for end in allowed if end <= cut) : cut]
        assert cut in allowed or not any(rest) or (found.oddities and cut == len(content) - 8)
        assert found.values.items() <= whole.values.items()


def test_every_cut_of_a_deflated_dataset_is_found_out() -> None:
    content, syntax = DATASETS["image_dfl.dcm"]
    # The stream is followed by the eight bytes with which gzip ends.
    for cut in range(0, len(content) - 8, 7):
        with pytest.raises(DatasetError):
            read_header(CarefulFile(content[:cut]), syntax)


def assert_read_or_refused(content: bytes, syntax: str) -> None:
    """The file is asked for no more than a window at once, and errors are complete."""
    refusal: DatasetError | None = None
    try:
        read_header(CarefulFile(content), syntax)
    except DatasetError as error:
        refusal = error
    assert refusal is None or (refusal.what and refusal.expected and refusal.remedy)


@given(st.sampled_from(SAMPLES), st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_damaged_datasets_are_read_or_refused(name: str, data: st.DataObject) -> None:
    content, syntax = DATASETS[name]
    damaged = bytearray(content[:20_000])
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=8))
    used = data.draw(st.sampled_from((syntax, *SYNTAXES)))
    assert_read_or_refused(bytes(damaged), used)


@given(st.binary(max_size=600), st.sampled_from(SYNTAXES))
@settings(max_examples=500, deadline=None)
def test_any_bytes_are_read_or_refused(content: bytes, syntax: str) -> None:
    assert_read_or_refused(content, syntax)


PIECES = st.sampled_from(
    [
        CLASS,
        PATIENT,
        PIXELS,
        ITEM_END,
        SEQUENCE_END,
        item(b""),
        item(b"", UNDEFINED),
        item(PATIENT),
        long(0x00081140, b"SQ", b"", UNDEFINED),
        long(0x7FE00010, b"OB", b"", UNDEFINED),
        long(0x00091010, b"UN", b"", UNDEFINED),
        implicit(0x00091010, b"ab"),
        implicit(0x00081140, b"", UNDEFINED),
        bytes(8),
        bytes(3),
        short(0x00091010, b"XX", b""),
        b"\xfe\xff",
    ]
)


@given(st.lists(PIECES, max_size=30), st.sampled_from((EXPLICIT, IMPLICIT, BIG_ENDIAN)))
@settings(max_examples=500, deadline=None)
def test_any_order_of_the_pieces_of_a_dataset_is_read_or_refused(
    pieces: list[bytes], syntax: str
) -> None:
    assert_read_or_refused(b"".join(pieces), syntax)
