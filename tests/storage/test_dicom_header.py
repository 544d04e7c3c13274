"""Headers of real files against pydicom's reading of them, and of files made wrong on purpose."""

import contextlib
import csv
import io
import mmap
import warnings
from dataclasses import replace
from datetime import date, time
from pathlib import Path
from typing import cast

import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import dcmwrite, write_dataset
from pydicom.multival import MultiValue
from pydicom.uid import UID

from storage.dicom_header import (
    HEADER_TAGS,
    DatasetError,
    InstanceHeader,
    InvalidUid,
    MalformedDataset,
    MissingUid,
    TruncatedDataset,
    read_file_meta,
    read_header,
    scan_dataset,
)
from storage.identifiers import Uid

BUNDLED = Path(pydicom.__file__).parent / "data" / "test_files"
CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "open"

EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
BIG_ENDIAN = "1.2.840.10008.1.2.2"

# What cannot be read at all, and why; every other file can.
UNREADABLE = {
    "MR_truncated.dcm": TruncatedDataset,
    "rtplan_truncated.dcm": TruncatedDataset,
    # Its first bytes are those of no dataset: it begins in the middle of one.
    "no_meta.dcm": MalformedDataset,
}
TEXT = {
    "StudyID": "study_id",
    "AccessionNumber": "accession_number",
    "StudyDescription": "study_description",
    "SeriesDescription": "series_description",
    "PatientID": "patient_id",
    "IssuerOfPatientID": "issuer_of_patient_id",
    "PatientSex": "patient_sex",
    "Modality": "modality",
    "BodyPartExamined": "body_part_examined",
    "InstitutionName": "institution_name",
    "Manufacturer": "manufacturer",
    "ProtocolName": "protocol_name",
}
NUMBERS = {
    "Rows": "rows",
    "Columns": "columns",
    "NumberOfFrames": "number_of_frames",
    "SeriesNumber": "series_number",
    "InstanceNumber": "instance_number",
}
UIDS = {
    "SOPClassUID": "sop_class_uid",
    "SOPInstanceUID": "sop_instance_uid",
    "StudyInstanceUID": "study_instance_uid",
    "SeriesInstanceUID": "series_instance_uid",
}


def is_dicom(path: Path) -> bool:
    with path.open("rb") as file:
        beginning = file.read(132)
    return beginning.endswith(b"DICM") or path.suffix == ".dcm"


def as_pydicom_reads(path: Path) -> Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(path, force=True)


def item_of(dataset: Dataset, tag: int) -> DataElement | RawDataElement | None:
    # pydicom does not say that it returns None for an absent element.
    return cast("DataElement | RawDataElement | None", dataset.get_item(tag))


def raw_of(dataset: Dataset, tag: int) -> bytes | None:
    """The bytes of an element as pydicom found them; None when it has decoded them already."""
    element = item_of(dataset, tag)
    if element is None:
        return b""
    if isinstance(element, RawDataElement):
        return element.value or b""
    return None


def assert_as_pydicom(path: Path) -> None:
    """The scan finds the values, and the header the meaning, that pydicom finds."""
    dataset = as_pydicom_reads(path)
    with path.open("rb") as file:
        meta = read_file_meta(file)
        scan = scan_dataset(file, meta.transfer_syntax_uid, wanted=HEADER_TAGS)
    for tag in HEADER_TAGS:
        expected = raw_of(dataset, tag)
        if expected is not None:
            assert scan.values.get(tag, b"") == expected, hex(tag)
    pixels = item_of(dataset, 0x7FE00010)
    if scan.deflated or pixels is None:
        assert (scan.pixel_data is None) == (pixels is None)
    else:
        assert isinstance(pixels, RawDataElement)
        assert scan.pixel_data is not None
        assert scan.pixel_data.value_offset == pixels.value_tell
        if scan.pixel_data.length is None:
            assert pixels.length == 0xFFFFFFFF
        else:
            assert scan.pixel_data.length == len(pixels.value or b"")
    if all(keyword in dataset and dataset[keyword].value for keyword in UIDS):
        assert_header_as_pydicom(path, dataset)


def assert_header_as_pydicom(path: Path, dataset: Dataset) -> None:
    with path.open("rb") as file:
        header = read_header(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for keyword, field in UIDS.items():
            assert getattr(header, field) == dataset[keyword].value
        assert header.patient_name == str(dataset.get("PatientName", "")).strip().rstrip("^=")
        for keyword, field in TEXT.items():
            assert getattr(header, field) == text_of(dataset.get(keyword)), keyword
        for keyword, field in NUMBERS.items():
            assert getattr(header, field) == number_of(dataset, keyword), keyword
        if str(dataset.get("StudyDate") or "").isdigit():
            assert header.study_date is not None
            assert header.study_date.strftime("%Y%m%d") == dataset.StudyDate


def number_of(dataset: Dataset, keyword: str) -> int | None:
    value = dataset.get(keyword)
    with contextlib.suppress(ValueError):
        return None if value is None or value == "" else int(value)
    return None


def text_of(value: object) -> str | None:
    if isinstance(value, MultiValue):
        value = "\\".join(str(one) for one in value)
    return str(value).strip() or None if value is not None else None


BUNDLED_FILES = sorted(path for path in BUNDLED.rglob("*") if path.is_file() and is_dicom(path))


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
@pytest.mark.parametrize("path", BUNDLED_FILES, ids=lambda path: path.name)
def test_bundled_files_read_as_pydicom_reads_them(path: Path) -> None:
    error = UNREADABLE.get(path.name)
    if error is None:
        assert_as_pydicom(path)
        return
    with path.open("rb") as file, pytest.raises(error):
        read_header(file)


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_corpus_files_read_as_pydicom_reads_them() -> None:
    if not CORPUS.is_dir():
        pytest.skip(f"SAMPLE DATA ABSENT, NOTHING CHECKED: no folder {CORPUS}")
    with (CORPUS / "manifest.tsv").open() as manifest:
        rows = list(csv.DictReader(manifest, delimiter="\t"))
    checked = 0
    for row in rows:
        path = CORPUS / row["path"]
        if not is_dicom(path):
            continue
        checked += 1
        if row["status"] == "broken":
            with contextlib.suppress(DatasetError):
                assert_as_pydicom(path)
        else:
            assert_as_pydicom(path)
    assert checked > 300


class TestBundledExamples:
    def test_every_field_of_an_image(self) -> None:
        with Path(str(get_testdata_file("CT_small.dcm"))).open("rb") as file:
            header = read_header(file)
        assert header.patient_name == "CompressedSamples^CT1"
        assert header.patient_name_original == b"CompressedSamples^CT1 "
        assert header.patient_id == "1CT1"
        assert header.patient_sex == "O"
        assert header.study_date == date(2004, 1, 19)
        assert header.study_time == time(7, 27, 30)
        assert header.modality == "CT"
        assert (header.rows, header.columns, header.number_of_frames) == (128, 128, None)
        assert header.specific_character_set == "ISO_IR 100"
        assert header.text_was_guessed is False
        assert header.transfer_syntax_uid == EXPLICIT
        assert header.pixel_data_offset is not None
        assert header.oddities == ()

    def test_pixel_data_cut_in_the_middle(self) -> None:
        content = Path(str(get_testdata_file("CT_small.dcm"))).read_bytes()[:-10_000]
        with pytest.raises(TruncatedDataset) as refusal:
            read_header(io.BytesIO(content))
        assert "(7FE0,0010) PixelData" in refusal.value.what
        assert refusal.value.expected == "32768 bytes of value"
        assert refusal.value.remedy

    def test_a_bare_dataset_inside_a_larger_file(self) -> None:
        content = Path(str(get_testdata_file("CT_small.dcm"))).read_bytes()
        file = io.BytesIO(content)
        meta = read_file_meta(file)
        assert file.tell() == meta.dataset_offset
        moved = io.BytesIO(bytes(999) + content[meta.dataset_offset :])
        moved.seek(999)
        header = read_header(moved, meta.transfer_syntax_uid)
        assert header.dataset_offset == 999
        assert header.dataset_length == len(content) - meta.dataset_offset
        assert header.pixel_data_offset is not None
        assert moved.getvalue()[header.pixel_data_offset :][:4] == b"\xe0\x7f\x10\x00"

    def test_a_mapped_file(self) -> None:
        path = Path(str(get_testdata_file("CT_small.dcm")))
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            mapped = read_header(view)
            file.seek(0)
            assert mapped == read_header(file)

    def test_a_deflated_dataset_has_no_offset_of_pixel_data(self) -> None:
        with Path(str(get_testdata_file("image_dfl.dcm"))).open("rb") as file:
            header = read_header(file)
        assert header.rows == 512
        assert header.pixel_data_offset is None


def minimal(**elements: object) -> Dataset:
    """A dataset that can be filed; None takes an element away. Values may be wrong."""
    dataset = Dataset()
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    dataset.SOPInstanceUID = "1.2.3.1"
    dataset.StudyInstanceUID = "1.2.3"
    dataset.SeriesInstanceUID = "1.2.3.4"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for keyword, value in elements.items():
            if value is None:
                delattr(dataset, keyword)
            else:
                setattr(dataset, keyword, value)
    return dataset


def encoded(dataset: Dataset, *, implicit: bool = False, big_endian: bool = False) -> bytes:
    file = DicomBytesIO()
    file.is_implicit_VR = implicit
    file.is_little_endian = not big_endian
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write_dataset(file, dataset)
    return file.getvalue()


def raw_element(group: int, element: int, vr: bytes, value: bytes) -> bytes:
    head = group.to_bytes(2, "little") + element.to_bytes(2, "little") + vr
    return head + len(value).to_bytes(2, "little") + value


class TestUids:
    @pytest.mark.parametrize("keyword", UIDS)
    def test_a_missing_one(self, keyword: str) -> None:
        with pytest.raises(MissingUid) as refusal:
            read_header(io.BytesIO(encoded(minimal(**{keyword: None}))), EXPLICIT)
        assert keyword in refusal.value.what
        assert refusal.value.found == "no such element"

    @pytest.mark.parametrize("value", ["", "\0\0", "  "])
    @pytest.mark.parametrize("keyword", UIDS)
    def test_an_empty_one(self, keyword: str, value: str) -> None:
        with pytest.raises(MissingUid) as refusal:
            read_header(io.BytesIO(encoded(minimal(**{keyword: value}))), EXPLICIT)
        assert refusal.value.found == "an empty value"

    @pytest.mark.parametrize(
        "value",
        [
            "../../etc/passwd",
            "/1.2.3",
            "1.2.x",
            "1..2",
            ".1",
            "1.",
            "1 2",
            "1." * 32 + "11",
            "1.2\\1.3",
        ],
    )
    @pytest.mark.parametrize("keyword", UIDS)
    def test_one_that_is_no_uid(self, keyword: str, value: str) -> None:
        with pytest.raises(InvalidUid) as refusal:
            read_header(io.BytesIO(encoded(minimal(**{keyword: value}))), EXPLICIT)
        assert keyword in refusal.value.what
        assert refusal.value.remedy

    def test_padding_and_leading_zeros_are_let_through(self) -> None:
        content = encoded(minimal(SOPInstanceUID="1.02.003"))
        header = read_header(io.BytesIO(content), EXPLICIT)
        assert header.sop_instance_uid == "1.02.003"


class TestValues:
    @pytest.mark.parametrize("number", ["x", "1.5", "99999999999", "1e3", "--1", "0x10"])
    def test_malformed_numbers_are_none(self, number: str) -> None:
        content = encoded(minimal()) + raw_element(0x0020, 0x0013, b"IS", number.encode())
        assert read_header(io.BytesIO(content), EXPLICIT).instance_number is None

    @pytest.mark.parametrize(
        ("number", "expected"), [(b"7", 7), (b" 7 ", 7), (b"-3", -3), (b"+12", 12), (b"3.0", 3)]
    )
    def test_numbers(self, number: bytes, expected: int) -> None:
        content = encoded(minimal()) + raw_element(0x0020, 0x0013, b"IS", number)
        assert read_header(io.BytesIO(content), EXPLICIT).instance_number == expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            (b"20240229", date(2024, 2, 29)),
            (b"2024.02.29", date(2024, 2, 29)),
            (b"2024-02-29", date(2024, 2, 29)),
            (b"20230229", None),
            (b"20241301", None),
            (b"00000000", None),
            (b"2024", None),
            (b"20240101-20240201", None),
            (b"\xd6\xec\xd6\xec", None),
            (b"", None),
        ],
    )
    def test_dates(self, text: bytes, expected: date | None) -> None:
        content = encoded(minimal()) + raw_element(0x0010, 0x0030, b"DA", text)
        assert read_header(io.BytesIO(content), EXPLICIT).patient_birth_date == expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            (b"12", time(12)),
            (b"1230", time(12, 30)),
            (b"123045", time(12, 30, 45)),
            (b"123045.5", time(12, 30, 45, 500_000)),
            (b"123045.123456", time(12, 30, 45, 123_456)),
            (b"12:30:45 ", time(12, 30, 45)),
            (b"235960", time(23, 59, 59)),
            (b"240000", None),
            (b"126000", None),
            (b"1", None),
            (b"noon", None),
        ],
    )
    def test_times(self, text: bytes, expected: time | None) -> None:
        content = encoded(minimal()) + raw_element(0x0008, 0x0030, b"TM", text)
        assert read_header(io.BytesIO(content), EXPLICIT).study_time == expected

    @pytest.mark.parametrize("value", [b"", b"\1"])
    def test_rows_of_the_wrong_size_are_none(self, value: bytes) -> None:
        content = encoded(minimal()) + raw_element(0x0028, 0x0010, b"US", value)
        assert read_header(io.BytesIO(content), EXPLICIT).rows is None

    @pytest.mark.parametrize(
        ("syntax", "implicit", "big_endian"),
        [(EXPLICIT, False, False), (IMPLICIT, True, False), (BIG_ENDIAN, False, True)],
    )
    def test_every_encoding(self, syntax: str, *, implicit: bool, big_endian: bool) -> None:
        dataset = minimal(Rows=512, Columns=768, PatientName="Doe^Jane^^^", InstanceNumber="12")
        content = encoded(dataset, implicit=implicit, big_endian=big_endian)
        header = read_header(io.BytesIO(content), syntax)
        assert (header.rows, header.columns, header.instance_number) == (512, 768, 12)
        assert header.patient_name == "Doe^Jane"
        assert header.oddities == ()

    def test_what_one_instance_says_is_not_taken_for_what_another_does(self) -> None:
        def read(syntax: str = EXPLICIT, **elements: object) -> InstanceHeader:
            content = encoded(minimal(**elements), implicit=False, big_endian=syntax == BIG_ENDIAN)
            return read_header(io.BytesIO(content), syntax)

        first = read(PatientName="Wang^A", InstanceNumber="1", Rows=256)
        next_one = read(
            PatientName="Wang^A", InstanceNumber="2", Rows=256, SOPInstanceUID="1.2.3.2"
        )
        expected = replace(first, sop_instance_uid=Uid("1.2.3.2"), instance_number=2)
        assert next_one == expected
        assert read(PatientName="Wang^B", InstanceNumber="1", Rows=256) == replace(
            first,
            patient_name="Wang^B",
            patient_name_original=b"Wang^B",
        )
        # The same two bytes in another order of bytes.
        assert read(BIG_ENDIAN, PatientName="Wang^A", InstanceNumber="1", Rows=1).rows == 1
        long = "x" * 10_000
        assert read(PatientName="Wang^A", StudyDescription=long).study_description == long
        assert read(PatientName="Wang^A").study_description is None

    def test_mislabelled_chinese_is_read_and_marked(self) -> None:
        content = (
            raw_element(0x0008, 0x0005, b"CS", b"ISO_IR 100")
            + encoded(minimal())
            + raw_element(0x0010, 0x0010, b"PN", "王^小东".encode("gb18030"))
            + raw_element(0x0010, 0x0020, b"LO", b" P-17 ")
        )
        header = read_header(io.BytesIO(content), EXPLICIT)
        assert header.patient_name == "王^小东"
        assert header.patient_name_original == "王^小东".encode("gb18030")
        assert header.text_was_guessed
        assert header.specific_character_set == "ISO_IR 100"
        assert header.patient_id == "P-17"

    def test_empty_text_is_none(self) -> None:
        header = read_header(io.BytesIO(encoded(minimal(PatientID="", StudyID=" "))), EXPLICIT)
        assert (header.patient_id, header.study_id, header.patient_name) == (None, None, "")

    def test_laterality_of_the_image_stands_in_for_that_of_the_series(self) -> None:
        dataset = minimal(ImageLaterality="L")
        assert read_header(io.BytesIO(encoded(dataset)), EXPLICIT).laterality == "L"
        dataset.Laterality = "R"
        assert read_header(io.BytesIO(encoded(dataset)), EXPLICIT).laterality == "R"


class TestFileMeta:
    def file_of(self, dataset: Dataset, syntax: str) -> bytes:
        file = io.BytesIO()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = UID(syntax)
        dcmwrite(file, dataset, enforce_file_format=True)
        return file.getvalue()

    def test_with_preamble(self) -> None:
        file = io.BytesIO(self.file_of(minimal(), EXPLICIT))
        meta = read_file_meta(file)
        assert meta.transfer_syntax_uid == EXPLICIT
        assert meta.media_storage_sop_instance_uid == "1.2.3.1"
        assert meta.media_storage_sop_class_uid == "1.2.840.10008.5.1.4.1.1.2"
        assert not meta.syntax_was_guessed
        assert file.tell() == meta.dataset_offset

    def test_without_preamble(self) -> None:
        content = self.file_of(minimal(), EXPLICIT)[132:]
        assert read_header(io.BytesIO(content)).sop_instance_uid == "1.2.3.1"

    @pytest.mark.parametrize(
        ("syntax", "implicit", "big_endian"),
        [(EXPLICIT, False, False), (IMPLICIT, True, False), (BIG_ENDIAN, False, True)],
    )
    def test_without_meta(self, syntax: str, *, implicit: bool, big_endian: bool) -> None:
        file = io.BytesIO(encoded(minimal(Rows=3), implicit=implicit, big_endian=big_endian))
        meta = read_file_meta(file)
        assert (meta.transfer_syntax_uid, meta.syntax_was_guessed) == (syntax, True)
        assert read_header(file, meta.transfer_syntax_uid).rows == 3

    def test_cut_within_the_meta(self) -> None:
        content = self.file_of(minimal(), EXPLICIT)
        with pytest.raises(TruncatedDataset):
            read_file_meta(io.BytesIO(content[:150]))

    @pytest.mark.parametrize("content", [b"", b"%PDF-1.7\n", b"PK\3\4" + bytes(500), bytes(1000)])
    def test_what_is_no_dicom_file(self, content: bytes) -> None:
        with pytest.raises(MalformedDataset):
            read_file_meta(io.BytesIO(content))
