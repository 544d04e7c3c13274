"""Frames for volume checks and montages: the pixels that pydicom reads, as SimpleITK's images."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK
from pydicom.pixels.processing import apply_color_lut, apply_rescale
from pydicom.pixels.utils import pixel_array

from reading_worklist.dicomweb.instances import layout_of, open_instance
from reading_worklist.dicomweb.queries import InstanceRecord
from reading_worklist.volume.frames import read_frame
from storage.dicom_header import read_header
from storage.objects import FilesystemObjectStore, ObjectKey
from tests.reading_worklist.dicomweb.conftest import sample


def frame_of(name: str, directory: Path) -> Any:  # noqa: ANN401 -- SimpleITK has no types
    one = sample(name)
    objects = FilesystemObjectStore(directory)
    key = ObjectKey(f"instances/{name}")
    objects.put(key, one.data)
    with objects.open(key) as file:
        header = read_header(file)
    known: dict[str, Any] = {
        "object_key": key,
        "object_size": len(one.data),
        "transfer_syntax_uid": one.transfer_syntax_uid,
        "dataset_offset": header.dataset_offset,
        "pixel_data_offset": header.pixel_data_offset,
    }
    names = [field.name for field in fields(InstanceRecord)]
    record = InstanceRecord(**{each: known.get(each, "") for each in names})
    opened = open_instance(objects, record)
    return read_frame(opened, record, layout_of(opened, record), 1)


@pytest.mark.parametrize(
    "name",
    [
        "CT_small.dcm",  # rescaled
        "MR_small_bigendian.dcm",
        "MR_small_jp2klossless.dcm",
        "SC_rgb_rle_16bit.dcm",
        "SC_rgb_jpeg_dcmtk.dcm",  # YBR
        "examples_palette.dcm",
        "image_dfl.dcm",
    ],
)
def test_a_frame_has_the_pixels_of_its_instance(name: str, tmp_path: Path) -> None:
    dataset = sample(name).read()
    expected = pixel_array(dataset, index=0)
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        expected = apply_color_lut(expected, dataset)
    elif expected.ndim == 2:
        expected = apply_rescale(expected, dataset)
    image = frame_of(name, tmp_path)
    found = SimpleITK.GetArrayFromImage(image)
    assert found.shape == expected.shape
    assert np.abs(found.astype(float) - expected.astype(float)).max() <= 1


def test_a_frame_has_the_spacing_of_its_pixels(tmp_path: Path) -> None:
    rows, columns = sample("CT_small.dcm").read().PixelSpacing
    image = frame_of("CT_small.dcm", tmp_path)
    assert image.GetSpacing() == pytest.approx((float(columns), float(rows)))
