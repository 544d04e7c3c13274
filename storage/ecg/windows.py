"""A DICOM ECG of any length, of which only the header is read when it is opened.

`read_ecg` takes an object into memory; this leaves the samples where they are
and reads the stretches that are looked at, by byte range. The record is of the
same model, so that whatever draws the one draws the other.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.tag import BaseTag, Tag

from storage.datasets import encoded
from storage.datasets.encoded import encoding_of
from storage.datasets.sources import ByteSource
from storage.dicom_header.encoding import DEFLATED_SYNTAXES, UNDEFINED_LENGTH
from storage.dicom_header.errors import DatasetError
from storage.dicom_header.part10 import read_file_meta
from storage.ecg.dicom_events import EcgEvent, read_events
from storage.ecg.dicom_reader import record_of
from storage.ecg.dicom_samples import EXPORT_AGAIN
from storage.ecg.errors import EcgBroken, EcgUnsupported
from storage.ecg.kept_samples import DataInFile
from storage.ecg.waveform import EcgRecord

_HEAD_BYTES: Final = 64 * 1024
_WAVEFORM_SEQUENCE: Final = 0x54000100
_WAVEFORM_DATA: Final = 0x54001010
# Nothing below these says anything of an ECG: pictures, documents, signatures.
_LEFT_OUT: Final = frozenset({0x7FE00010, 0x00420011, 0xFFFAFFFA, 0x04000561})


@dataclass(frozen=True, slots=True, eq=False)
class LongEcg:
    """A record whose samples stay in its file, and the events that the file marks in it.

    events: by time.
    """

    record: EcgRecord
    events: tuple[EcgEvent, ...]


def open_ecg(source: ByteSource) -> LongEcg:
    """Read the header of a DICOM ECG object and note where its samples are.

    Raises:
        NotAnEcg, EcgBroken, EcgUnsupported, EcgTooLarge: as `read_ecg` does; EcgUnsupported for a
            deflated object too, which has no ranges.
        ObjectNotFound, ObjectStoreUnavailable: as the source says, now and whenever samples are
            read.
    """
    try:
        meta = read_file_meta(io.BytesIO(source.read(0, _HEAD_BYTES)))
    except DatasetError as error:
        raise EcgBroken(
            "The ECG object cannot be parsed",
            expected="a DICOM file",
            found=type(error).__name__,
            remedy=EXPORT_AGAIN,
        ) from error
    if meta.transfer_syntax_uid in DEFLATED_SYNTAXES:
        raise EcgUnsupported(
            "A long ECG is deflated, so that no part of it can be read alone",
            expected="an uncompressed transfer syntax",
            found="Deflated Explicit VR Little Endian",
            remedy="Set up the device to send without deflating; the received object is kept.",
        )
    written = encoded.read_dataset(
        source, meta.dataset_offset, encoding_of(meta.transfer_syntax_uid)
    )
    dataset = _header_of(written)
    groups = _groups_of(written)
    record = record_of(
        dataset,
        big_endian=not written.encoding.little,
        left_in_file=[_data_in(source, item) for item in groups],
    )
    return LongEcg(record, read_events(dataset, record))


def _groups_of(written: encoded.Dataset) -> Sequence[encoded.Dataset]:
    sequence = written.find(_WAVEFORM_SEQUENCE)
    return () if sequence is None or sequence.items is None else sequence.items


def _data_in(source: ByteSource, item: encoded.Dataset) -> DataInFile | None:
    element = item.find(_WAVEFORM_DATA)
    if element is None or element.fragmented:
        return None
    return DataInFile(source, element.offset, element.length)


def _header_of(written: encoded.Dataset) -> Dataset:
    """Return the elements that were read, for the code that reads ECGs; large values are left out.

    Values stay as they are written: whoever asks for one has it converted, or finds it malformed.
    """
    elements: dict[BaseTag, DataElement | RawDataElement] = {}
    for element in written.elements:
        if element.tag in _LEFT_OUT or element.tag == _WAVEFORM_DATA:
            continue
        tag = Tag(element.tag)
        if element.items is not None:
            items = DicomSequence(_header_of(item) for item in element.items)
            elements[tag] = DataElement(tag, "SQ", items)
        elif element.value is not None and element.length != UNDEFINED_LENGTH:
            encoding = written.encoding
            elements[tag] = RawDataElement(
                tag,
                element.vr if encoding.explicit else None,
                element.length,
                element.value,
                0,
                not encoding.explicit,
                encoding.little,
            )
    return Dataset(elements)
