"""Datasets for the tests, encoded here or taken from pydicom's own files."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.filebase import DicomIO
from pydicom.filewriter import write_dataset
from pydicom.uid import generate_uid

from storage.dicom_header import read_file_meta

CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"


@dataclass(frozen=True)
class Sample:
    """An instance as it travels: identifiers beside the bytes of its dataset."""

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    encoded: bytes


def ct(*, size: int = 16, **attributes: str | int | bytes | None) -> Dataset:
    """Return a small CT slice; `attributes` by keyword, None to leave one out."""
    dataset = Dataset()
    values: dict[str, object] = {
        "SOPClassUID": CT,
        "SOPInstanceUID": generate_uid(),
        "StudyInstanceUID": "1.2.3.100",
        "SeriesInstanceUID": "1.2.3.100.1",
        "PatientID": "P1",
        "PatientName": "Zhang^San",
        "Modality": "CT",
        "InstanceNumber": 1,
        "StudyDate": "20260304",
        "StudyTime": "091500",
        "AccessionNumber": "A1",
        "Rows": size,
        "Columns": size,
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 0,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "PixelData": np.arange(size * size, dtype=np.uint16).tobytes(),
        **attributes,
    }
    for keyword, value in values.items():
        if value is not None:
            setattr(dataset, keyword, value)
    return dataset


def encode(dataset: Dataset, *, implicit: bool = False, big_endian: bool = False) -> bytes:
    """Return the dataset's bytes, without file meta information."""
    buffer = io.BytesIO()
    writer = DicomIO(buffer)
    writer.is_implicit_VR = implicit
    writer.is_little_endian = not big_endian
    write_dataset(writer, dataset)
    return buffer.getvalue()


def sample(
    dataset: Dataset | None = None, *, size: int = 16, **attributes: str | int | None
) -> Sample:
    """Return a CT slice in Explicit VR Little Endian as it travels."""
    made = dataset if dataset is not None else ct(size=size, **attributes)
    return Sample(
        str(made.get("SOPClassUID", CT)),
        str(made.get("SOPInstanceUID", "1.2.3")),
        EXPLICIT,
        encode(made),
    )


def from_file(path: str | Path) -> Sample:
    """Return the instance in a DICOM file, its dataset's bytes untouched."""
    with Path(path).open("rb") as file:
        meta = read_file_meta(file)
        file.seek(meta.dataset_offset)
        encoded = file.read()
    dataset = dcmread(path, stop_before_pixels=True, force=True)
    return Sample(
        str(dataset.get("SOPClassUID", "")),
        str(dataset.get("SOPInstanceUID", "")),
        meta.transfer_syntax_uid,
        encoded,
    )


def pydicom_file(name: str) -> Sample:
    """Return one of the files that pydicom's wheel brings."""
    path = get_testdata_file(name, download=False)
    assert isinstance(path, str), f"{name} is not in pydicom's wheel"
    return from_file(path)


def renamed(item: Sample, number: int) -> Sample:
    """Return the instance under another SOP Instance UID of the same length, nothing else changed.

    One that is deflated stays as it is.
    """
    old = item.sop_instance_uid.encode()
    new = old[:-3] + f"{number + 1:03d}".encode()
    if old not in item.encoded:
        return item
    encoded = item.encoded.replace(old, new)
    return Sample(item.sop_class_uid, new.decode(), item.transfer_syntax_uid, encoded)
