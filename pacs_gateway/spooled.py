"""A complete file of the spool, as it is handed from receiving to filing."""

from dataclasses import dataclass
from pathlib import Path

from storage.dicom_header import InstanceHeader
from storage.receptions import Reception


@dataclass(frozen=True, slots=True)
class SpooledInstance:
    """What filing needs to know of a file without reading it.

    size: of the file; the dataset is what follows `dataset_offset`.
    dataset_sha256: of the dataset bytes as they were received.
    header: None when the bytes were refused, or nobody has looked into them yet.
    """

    path: Path
    size: int
    dataset_offset: int
    dataset_sha256: str
    reception: Reception
    header: InstanceHeader | None
