"""Reading what must be known of a received dataset: fast, bounded, tolerant where need be.

`read_header` is what most callers want; `scan_dataset` walks over a dataset for
any elements of its top level.
"""

from storage.dicom_header.errors import (
    DatasetError,
    InvalidUid,
    MalformedDataset,
    MissingUid,
    TruncatedDataset,
)
from storage.dicom_header.header import HEADER_TAGS, InstanceHeader, header_of, read_header
from storage.dicom_header.limits import MAX_DEPTH, MAX_VALUE_BYTES
from storage.dicom_header.part10 import FileMeta, read_file_meta
from storage.dicom_header.pixel_data import PixelData
from storage.dicom_header.scanner import DatasetScan, scan_dataset

__all__ = [
    "HEADER_TAGS",
    "MAX_DEPTH",
    "MAX_VALUE_BYTES",
    "DatasetError",
    "DatasetScan",
    "FileMeta",
    "InstanceHeader",
    "InvalidUid",
    "MalformedDataset",
    "MissingUid",
    "PixelData",
    "TruncatedDataset",
    "header_of",
    "read_file_meta",
    "read_header",
    "scan_dataset",
]
