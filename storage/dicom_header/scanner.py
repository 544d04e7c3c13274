"""Walking over a dataset without reading its big values (PS3.5 §7).

One pass visits every element of the top level and, where a length is undefined,
what is inside, since only that tells where it ends. Declared lengths are held
against the end of the data before anything else is done with them, nesting is
bounded, and memory is a window of a few kilobytes.

What devices in the field get wrong without harm is passed over and noted
(`DatasetScan.oddities`); what leaves any doubt about where an element ends, or
whether all of it came, is an error.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from storage.dicom_header.encoding import (
    BIG_ENDIAN_SYNTAX,
    DEFLATED_SYNTAXES,
    IMPLICIT_SYNTAXES,
)
from storage.dicom_header.pixel_data import PixelData
from storage.dicom_header.walker import Walker
from storage.dicom_header.windows import FileWindow, InflatedWindow, SeekableBytes, Window, end_of


@dataclass(frozen=True, slots=True)
class DatasetScan:
    """What one pass over a dataset found.

    values: raw bytes of the wanted elements of the top level that are there;
        of one that stands twice, the last; cut at `MAX_VALUE_BYTES`.
    pixel_data: offsets are those of the scanned file; for a deflated dataset,
        of what it inflates to.
    dataset_offset, dataset_length: the scanned part of the file, in bytes.
    implicit_vr, big_endian: how it is really encoded.
    oddities: what is against the standard and was passed over, without patient data.
    """

    transfer_syntax_uid: str
    values: Mapping[int, bytes]
    pixel_data: PixelData | None
    dataset_offset: int
    dataset_length: int
    implicit_vr: bool
    big_endian: bool
    deflated: bool
    oddities: tuple[str, ...]


def scan_dataset(
    file: SeekableBytes,
    transfer_syntax_uid: str,
    *,
    wanted: frozenset[int],
    end: int | None = None,
) -> DatasetScan:
    """Walk over the dataset that begins where `file` stands and goes to `end`, or the file's end.

    wanted: tags of the top level whose values are to be kept.

    Where `file` stands afterwards is not defined.

    Raises:
        TruncatedDataset: an element goes beyond the end.
        MalformedDataset: the bytes are no dataset in this transfer syntax.
    """
    start = file.tell()
    stop = end_of(file) if end is None else end
    deflated = transfer_syntax_uid in DEFLATED_SYNTAXES
    window: Window = (
        InflatedWindow(file, start, stop) if deflated else FileWindow(file, start, stop)
    )
    walker = Walker(
        window,
        0 if deflated else start,
        wanted,
        implicit=transfer_syntax_uid in IMPLICIT_SYNTAXES,
        big_endian=transfer_syntax_uid == BIG_ENDIAN_SYNTAX,
    )
    walker.walk()
    return DatasetScan(
        transfer_syntax_uid=transfer_syntax_uid,
        values=walker.values,
        pixel_data=walker.pixel_data,
        dataset_offset=start,
        dataset_length=stop - start,
        implicit_vr=walker.top_implicit,
        big_endian=transfer_syntax_uid == BIG_ENDIAN_SYNTAX,
        deflated=deflated,
        oddities=tuple(walker.oddities),
    )
