"""Identifiers and attribute lists, between bytes of a context and pydicom (PS3.5 §7)."""

from io import BytesIO
from typing import Any, Final, cast

from pydicom.charset import convert_encodings
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset

from pacs_gateway.associations.contexts import EXPLICIT_VR_BIG_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN

_DEFAULT_CHARACTER_SET: Final = "ISO_IR 6"


class UnreadableDataset(Exception):
    """A dataset is not encoded as its transfer syntax says."""


def decode(encoded: bytes, transfer_syntax: str) -> Dataset:
    """Read a dataset that came under an uncompressed transfer syntax, every element of it.

    Raises:
        UnreadableDataset: it cannot be read; the message names no value.
    """
    try:
        dataset = read_dataset(
            BytesIO(encoded),
            transfer_syntax == IMPLICIT_VR_LITTLE_ENDIAN,
            transfer_syntax != EXPLICIT_VR_BIG_ENDIAN,
        )
        _read_all(dataset)
    # pydicom raises nearly anything for what is malformed; depth ends in RecursionError.
    except Exception as error:
        raise UnreadableDataset(type(error).__name__) from error
    return dataset


def _read_all(dataset: Dataset) -> None:
    """Convert every raw element now, so that no later access can fail."""
    for element in dataset:
        if element.VR == "SQ":
            for item in cast("list[Dataset]", element.value):
                _read_all(item)


def encode(dataset: Dataset, transfer_syntax: str) -> bytes:
    """Write a dataset under an uncompressed transfer syntax, text in its Specific Character Set.

    Raises:
        UnicodeEncodeError: a text does not fit the character set that the dataset names.
    """
    buffer = DicomBytesIO()
    buffer.is_implicit_VR = transfer_syntax == IMPLICIT_VR_LITTLE_ENDIAN
    buffer.is_little_endian = transfer_syntax != EXPLICIT_VR_BIG_ENDIAN
    untyped: Any = dataset
    named = untyped.get("SpecificCharacterSet") or _DEFAULT_CHARACTER_SET
    write_dataset(buffer, dataset, convert_encodings(named))
    return buffer.getvalue()
