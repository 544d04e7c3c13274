"""DICOM files to try things on: pydicom's own, and the shared corpus where the machine has it."""

import io
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.data import get_charset_files, get_testdata_files
from pydicom.filebase import DicomBytesIO

from storage.dicom_header import DatasetError, read_file_meta

REPOSITORY = Path(__file__).parents[3]
CORPUS = REPOSITORY.parent / "shared" / "corpus" / "open"


@dataclass(frozen=True, slots=True)
class Sample:
    """A Part 10 file: its bytes, and where its dataset begins."""

    name: str
    data: bytes
    dataset_offset: int
    transfer_syntax_uid: str

    def read(self, *, stop_before_pixels: bool = False) -> Dataset:
        """The file as pydicom reads it."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return dcmread(DicomBytesIO(self.data), stop_before_pixels=stop_before_pixels)


def sample_of(name: str, data: bytes) -> Sample | None:
    """`data` as a sample; None when it is not a Part 10 file with a transfer syntax."""
    if data[128:132] != b"DICM":
        return None
    try:
        meta = read_file_meta(io.BytesIO(data))
    except DatasetError:
        return None
    if meta.syntax_was_guessed:
        return None
    return Sample(name, data, meta.dataset_offset, meta.transfer_syntax_uid)


@cache
def bundled() -> tuple[Sample, ...]:
    """The real files that come with pydicom."""
    names = [*get_testdata_files(), *get_charset_files()]
    paths = sorted({Path(name) for name in names if Path(name).is_file()})
    found = [sample_of(path.name, path.read_bytes()) for path in paths]
    return tuple(sample for sample in found if sample is not None)


@cache
def corpus() -> tuple[Sample, ...]:
    """The shared corpus; the test is skipped where it is absent."""
    if not CORPUS.is_dir():
        pytest.skip(f"the sample corpus is not on this machine: {CORPUS}")
    paths = sorted(path for path in CORPUS.rglob("*") if path.is_file())
    found = [sample_of(str(path.relative_to(CORPUS)), path.read_bytes()) for path in paths]
    return tuple(sample for sample in found if sample is not None)
