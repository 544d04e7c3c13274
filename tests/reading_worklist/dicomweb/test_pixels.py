"""Frames are found where pydicom finds them, in every way they can be stored."""

import struct
import warnings
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended, generate_frames
from pydicom.filebase import DicomBytesIO
from pydicom.pixels.utils import pixel_array
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    RLELossless,
)

from storage.datasets.encoded import encoding_of, read_dataset
from storage.datasets.pixels import (
    BadPixelData,
    FrameLayout,
    NoPixelData,
    NoSuchFrame,
    locate_frames,
)
from storage.datasets.sources import ByteSource, MemorySource
from tests.reading_worklist.dicomweb.samples import Sample, bundled, corpus, sample_of
from tests.reading_worklist.dicomweb.test_encoded import opened


def part10(dataset: Dataset, transfer_syntax_uid: str) -> Sample:
    """`dataset` written as a file of this transfer syntax, its pixel data bytes as they are."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(transfer_syntax_uid)
    dataset.file_meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.1.1.7")
    dataset.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    stream = DicomBytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dcmwrite(stream, dataset, enforce_file_format=True)
    made = sample_of("made", stream.getvalue())
    assert made is not None
    return made


def image(rows: int, columns: int, bits: int, data: bytes, **attributes: object) -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    dataset.SOPInstanceUID = "1.2.3"
    dataset.Rows, dataset.Columns = rows, columns
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit = bits - 1
    dataset.SamplesPerPixel = 1
    dataset.PixelRepresentation = 0
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelData = data
    dataset["PixelData"].VR = "OW" if bits != 8 else "OB"
    for name, value in attributes.items():
        setattr(dataset, name, value)
    return dataset


def located(sample: Sample) -> tuple[ByteSource, FrameLayout]:
    source, dataset = opened(sample)
    return source, locate_frames(source, dataset)


def frame_bytes(source: ByteSource, layout: FrameLayout, number: int) -> bytes:
    frame = layout.frame(source, number)
    data = b"".join(frame.stream(source))
    assert len(data) == frame.length
    return data


def expected_native(dataset: Dataset) -> list[bytes]:
    """The frames of uncompressed pixel data as little endian bytes, by pydicom's decoder."""
    frames = int(dataset.get("NumberOfFrames", 1) or 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        arrays = [pixel_array(dataset, index=number, raw=True) for number in range(frames)]
    if dataset.BitsAllocated == 1:
        return [np.packbits(array.ravel(), bitorder="little").tobytes() for array in arrays]
    if dataset.get("PlanarConfiguration", 0) == 1 and dataset.SamplesPerPixel > 1:
        arrays = [array.transpose(2, 0, 1) for array in arrays]
    return [
        np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes()
        for array in arrays
    ]


@pytest.mark.parametrize("samples", [bundled, corpus])
def test_frames_of_every_image_are_those_of_pydicom(
    samples: Callable[[], Sequence[Sample]],
) -> None:
    native = encapsulated = 0
    for sample in samples():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = sample.read()
        if "PixelData" not in dataset or not {"Rows", "BitsAllocated"} <= set(dataset.dir()):
            continue
        if sample.name.endswith("badVR.dcm"):
            with pytest.raises(BadPixelData):
                located(sample)
            continue
        source, layout = located(sample)
        frames = int(dataset.get("NumberOfFrames", 1) or 1)
        assert layout.frame_count == frames, sample.name
        if layout.encapsulated:
            expected = list(generate_frames(dataset.PixelData, number_of_frames=frames))
            encapsulated += 1
            if len(expected) != frames:
                # An offset table of five entries for four frames, which we do not believe.
                assert sample.name.endswith("00191113.dcm")
                continue
        else:
            if dataset.PhotometricInterpretation.startswith("YBR_FULL_422"):
                continue
            if sample.name.endswith("MR_truncated.dcm"):
                with pytest.raises(NoSuchFrame):
                    layout.frame(source, 1)
                continue
            expected = expected_native(dataset)
            native += 1
        for number, frame in enumerate(expected, start=1):
            assert frame_bytes(source, layout, number) == frame, (sample.name, number)
        with pytest.raises(NoSuchFrame):
            layout.frame(source, frames + 1)
    assert native > 20
    assert encapsulated > 20


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("columns", [5, 7, 8])
def test_single_bit_frames_begin_within_bytes(syntax: str, columns: int) -> None:
    chance = np.random.default_rng(columns)
    pixels = chance.integers(0, 2, size=(5, 3, columns), dtype=np.uint8)
    packed = np.packbits(pixels.ravel(), bitorder="little").tobytes()
    packed += b"\0" * (len(packed) % 2)
    source, layout = located(part10(image(3, columns, 1, packed, NumberOfFrames=5), syntax))
    for number in range(5):
        expected = np.packbits(pixels[number].ravel(), bitorder="little").tobytes()
        assert frame_bytes(source, layout, number + 1) == expected


@pytest.mark.parametrize("bits", [8, 16, 32])
def test_big_endian_frames_leave_in_little_endian(bits: int) -> None:
    kind = {8: "u1", 16: "u2", 32: "u4"}[bits]
    pixels = np.arange(3 * 3 * 5).reshape(3, 3, 5).astype(f"<{kind}") * 3
    data = pixels.astype(f">{kind}").tobytes()
    if bits == 8:
        # Eight-bit samples as OW: pairs change places in big endian (PS3.5 §8.1.1).
        data += b"\0" * (len(data) % 2)
        data = b"".join(data[at : at + 2][::-1] for at in range(0, len(data), 2))
    dataset = image(3, 5, bits, data, NumberOfFrames=3)
    dataset["PixelData"].VR = "OW"
    source, layout = located(part10(dataset, ExplicitVRBigEndian))
    for number in range(3):
        assert frame_bytes(source, layout, number + 1) == pixels[number].tobytes()


def test_subsampled_native_chrominance_takes_two_bytes_a_pixel() -> None:
    data = bytes(range(32)) * 2
    dataset = image(
        4,
        4,
        8,
        data,
        SamplesPerPixel=3,
        PhotometricInterpretation="YBR_FULL_422",
        PlanarConfiguration=0,
        NumberOfFrames=2,
    )
    source, layout = located(part10(dataset, ExplicitVRLittleEndian))
    assert frame_bytes(source, layout, 2) == data[32:]


JPEGS = [b"\xff\xd8" + bytes([number]) * (7 + number) + b"\xff\xd9" for number in range(1, 4)]


@pytest.mark.parametrize(
    ("table", "fragments"),
    [
        ("basic", 1),
        ("basic", 2),
        ("none", 1),
        ("none", 2),
        ("wrong", 1),
        ("wrong", 2),
        # This one allows one fragment for each frame (PS3.3 §C.7.6.3.1.8).
        ("extended", 1),
    ],
)
def test_encapsulated_frames_are_found_with_and_without_tables(fragments: int, table: str) -> None:
    attributes: dict[str, object] = {"NumberOfFrames": 3}
    if table == "extended":
        data, attributes["ExtendedOffsetTable"], attributes["ExtendedOffsetTableLengths"] = (
            encapsulate_extended(JPEGS)
        )
    else:
        data = encapsulate(JPEGS, fragments_per_frame=fragments, has_bot=table != "none")
    if table == "wrong":
        data = data[:8] + struct.pack("<3L", 0, 5, 1000) + data[20:]
    dataset = image(4, 4, 8, data, **attributes)
    dataset["PixelData"].is_undefined_length = True
    source, layout = located(part10(dataset, JPEGBaseline8Bit))
    for number, code in enumerate(JPEGS, start=1):
        assert frame_bytes(source, layout, number).rstrip(b"\0") == code


def test_fragments_that_make_no_frames_are_refused() -> None:
    data = encapsulate([b"\1\2" * 8] * 3, has_bot=False)
    dataset = image(4, 4, 8, data, NumberOfFrames=2)
    dataset["PixelData"].is_undefined_length = True
    with pytest.raises(BadPixelData, match="2 frames"):
        located(part10(dataset, RLELossless))


def test_single_frame_in_several_fragments_is_joined() -> None:
    data = encapsulate([b"\1\2" * 16], fragments_per_frame=4)
    dataset = image(4, 4, 8, data)
    dataset["PixelData"].is_undefined_length = True
    source, layout = located(part10(dataset, RLELossless))
    assert frame_bytes(source, layout, 1) == b"\1\2" * 16


def test_missing_pixel_data_and_descriptions_say_what_is_wrong() -> None:
    report = next(sample for sample in bundled() if sample.name == "reportsi.dcm")
    with pytest.raises(NoPixelData):
        located(report)
    dataset = image(2, 2, 8, b"\1\2\3\4")
    del dataset.Rows
    with pytest.raises(BadPixelData, match="0028,0010"):
        located(part10(dataset, ExplicitVRLittleEndian))
    dataset = image(0, 2, 8, b"\1\2\3\4")
    with pytest.raises(BadPixelData, match="positive"):
        located(part10(dataset, ExplicitVRLittleEndian))


def test_cut_off_encapsulated_frame_is_missing_not_short() -> None:
    data = encapsulate(JPEGS, has_bot=True)
    dataset = image(4, 4, 8, data, NumberOfFrames=3)
    dataset["PixelData"].is_undefined_length = True
    whole = part10(dataset, JPEGBaseline8Bit)
    cut = Sample("cut", whole.data[:-16], whole.dataset_offset, whole.transfer_syntax_uid)
    source, layout = located(cut)
    assert frame_bytes(source, layout, 1).rstrip(b"\0") == JPEGS[0]
    with pytest.raises(NoSuchFrame):
        layout.frame(source, 3)


def test_broken_fragments_end_in_an_error_not_in_a_loop() -> None:
    header = b"\x28\x00\x10\x00US\2\0\1\0\x28\x00\x11\x00US\2\0\1\0\x28\x00\x00\x01US\2\0\x08\0"
    pixel = b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\0\0\0\0"
    source = MemorySource(header + pixel + b"\x01\x02\x03\x04\x05\x06\x07\x08")
    dataset = read_dataset(source, 0, encoding_of(JPEGBaseline8Bit))
    with pytest.raises(BadPixelData):
        locate_frames(source, dataset)
