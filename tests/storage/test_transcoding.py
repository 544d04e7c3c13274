"""Every real file that can be converted keeps its pixels to the bit, and its text to the byte."""

import io
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels import utils

from storage.datasets.encoded import encoding_of, read_dataset
from storage.datasets.sources import MemorySource
from storage.dicom_header import DatasetError, read_header
from storage.transcoding import (
    COMPRESSED_TARGETS,
    JPEG_2000_LOSSLESS,
    TARGETS,
    CannotTranscode,
    Original,
    can_transcode,
    transcode,
)
from tests.reading_worklist.dicomweb.samples import Sample, bundled, corpus

EXPLICIT = "1.2.840.10008.1.2.1"
BASELINE = "1.2.840.10008.1.2.4.50"


def pixels_of(dataset: Dataset) -> np.ndarray[Any, Any] | None:
    untyped: Any = utils
    try:
        found: np.ndarray[Any, Any] = untyped.pixel_array(dataset, raw=True)
    except (ValueError, RuntimeError, AttributeError, NotImplementedError, StopIteration):
        return None
    return found


def written(sample: Sample, target: str) -> bytes:
    """The dataset of a sample in another transfer syntax."""
    out = io.BytesIO()
    source = MemorySource(sample.data)
    transcode(Original(source, sample.dataset_offset, sample.transfer_syntax_uid), target, out)
    return out.getvalue()


def read_back(dataset: bytes, target: str) -> Dataset:
    meta = (
        b"\x02\x00\x10\x00UI"
        + (len(target) + len(target) % 2).to_bytes(2, "little")
        + target.encode()
        + b"\0" * (len(target) % 2)
    )
    return dcmread(io.BytesIO(bytes(128) + b"DICM" + meta + dataset), force=True)


def convertible() -> Iterator[Sample]:
    for sample in (*bundled(), *corpus()):
        try:
            read_header(io.BytesIO(sample.data))
        except DatasetError:
            continue
        if can_transcode(sample.transfer_syntax_uid, EXPLICIT):
            yield sample


def texts_of(data: bytes, offset: int, syntax: str) -> dict[int, bytes]:
    """The values on the first level whose bytes no encoding changes."""
    if syntax == "1.2.840.10008.1.2.1.99":
        return {}
    dataset = read_dataset(MemorySource(data), offset, encoding_of(syntax))
    return {
        one.tag: one.value
        for one in dataset.elements
        if one.value and one.vr in {"PN", "LO", "SH", "UI", "DA", "DS", "IS", "ST", "LT", "CS"}
    }


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_pixels_are_kept_to_the_bit_and_text_to_the_byte() -> None:
    compared = refused = 0
    # A second copy of the same file proves nothing more.
    for sample in {one.data: one for one in convertible()}.values():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = pixels_of(sample.read())
            texts = texts_of(sample.data, sample.dataset_offset, sample.transfer_syntax_uid)
            for target in sorted(TARGETS):
                try:
                    made = written(sample, target)
                except CannotTranscode:
                    assert expected is None or target in COMPRESSED_TARGETS, (sample.name, target)
                    refused += 1
                    continue
                if expected is not None:
                    found = pixels_of(read_back(made, target))
                    assert found is not None, (sample.name, target)
                    assert np.array_equal(found, expected), (sample.name, target)
                    compared += 1
                kept = texts_of(made, 0, target)
                for tag in kept.keys() & texts.keys() - {0x00280004, 0x00282110, 0x00282114}:
                    assert kept[tag].rstrip(b" \0") == texts[tag].rstrip(b" \0"), (sample.name, tag)
    assert compared > 500
    assert refused < 200


def of(name: str) -> Sample:
    return next(one for one in bundled() if one.name == name)


def test_what_describes_the_pixels_changes_with_them() -> None:
    colours = read_back(written(of("examples_jpeg2k.dcm"), EXPLICIT), EXPLICIT)
    assert colours.PhotometricInterpretation == "RGB"
    assert colours.PlanarConfiguration == 0
    assert colours["PixelData"].VR == "OB"
    lossy = read_back(written(of("SC_rgb_dcmtk_+eb+cy+np.dcm"), EXPLICIT), EXPLICIT)
    assert lossy.PhotometricInterpretation == "YBR_FULL"
    assert lossy.LossyImageCompression == "01"
    frames = read_back(written(of("SC_rgb_rle_2frame.dcm"), JPEG_2000_LOSSLESS), JPEG_2000_LOSSLESS)
    assert frames["PixelData"].is_undefined_length


def test_nothing_is_compressed_with_loss() -> None:
    sample = of("CT_small.dcm")
    for target in (BASELINE, "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.102", "1.2.3"):
        assert not can_transcode(sample.transfer_syntax_uid, target)
        with pytest.raises(CannotTranscode, match="loses nothing"):
            written(sample, target)


def test_byte_order_is_reversed_everywhere() -> None:
    big, little = of("MR_small_bigendian.dcm"), of("MR_small.dcm")
    there = read_back(written(big, EXPLICIT), EXPLICIT)
    assert there.PixelData == little.read().PixelData
    assert read_back(written(little, "1.2.840.10008.1.2.2"), "1.2.840.10008.1.2.2").Rows == 64
