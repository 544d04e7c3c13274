"""Single values out of a DICOM dataset that may be malformed.

pydicom converts an element when it is first read and raises whatever its
converter raises. One bad optional value must not hide an ECG, so these answer
"not there" for what cannot be converted; the callers decide what is required.
"""

import math
import struct
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, cast

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence as DicomSequence
from pydicom.valuerep import DT

from storage.character_sets import decode_text

# What pydicom's value converters raise on malformed bytes; UnicodeDecodeError is a ValueError.
CONVERSION_ERRORS: Final = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    NotImplementedError,
    ArithmeticError,
    BytesLengthException,
    struct.error,
)
_TEXT_LIMIT: Final = 2048


def value(dataset: Dataset, keyword: str) -> Any:  # noqa: ANN401 - the type depends on the element
    """Return the element's value, None when absent, empty or malformed."""
    try:
        return dataset.get(keyword)
    except (*CONVERSION_ERRORS, EOFError, OSError):
        # pydicom says OSError and EOFError for a nested sequence that ends too early; the bytes
        # are in memory by then, so it is never a disk that failed.
        return None


def values(dataset: Dataset, keyword: str) -> Sequence[Any]:
    """Return the element's values, empty when absent, empty or malformed."""
    found = value(dataset, keyword)
    # pydicom gives a plain list for binary numbers, a MultiValue for text.
    if isinstance(found, list | MultiValue):
        return cast("Sequence[Any]", found)
    return () if found is None or found == "" else (found,)


def text(dataset: Dataset, keyword: str) -> str:
    """Return the element as one printable line, empty when absent.

    Several values are joined by a backslash, as they were in the file.
    """
    return _one_line("\\".join(str(part) for part in values(dataset, keyword)))


def free_text(dataset: Dataset, keyword: str, character_set: str) -> str:
    """Return a text that people wrote as one printable line, empty when absent.

    Decoded by evidence where the declared character set does not hold: devices
    write Chinese statements in GB18030 and declare ISO_IR 100 or nothing.
    character_set is that of the object, an item's own comes first.
    """
    try:
        element = dataset.get_item(keyword)
    except CONVERSION_ERRORS:
        return ""
    if not isinstance(element, RawDataElement) or not isinstance(element.value, bytes):
        return text(dataset, keyword)
    declared = text(dataset, "SpecificCharacterSet") or character_set
    return _one_line(decode_text(element.value, declared).text)


def _one_line(found: str) -> str:
    printable = "".join(c if c.isprintable() else " " for c in found[:_TEXT_LIMIT])
    return " ".join(printable.split())


def number(dataset: Dataset, keyword: str) -> float | None:
    """Return the element's first value as a finite number, else None."""
    found = values(dataset, keyword)
    if not found:
        return None
    try:
        result = float(found[0])
    except CONVERSION_ERRORS:
        return None
    return result if math.isfinite(result) else None


def items(dataset: Dataset, keyword: str) -> list[Dataset]:
    """Return the items of a sequence, empty when absent or not a sequence."""
    found = value(dataset, keyword)
    return list(found) if isinstance(found, DicomSequence) else []


def first_item(dataset: Dataset, keyword: str) -> Dataset | None:
    """Return the first item of a sequence, None when there is none."""
    found = items(dataset, keyword)
    return found[0] if found else None


def acquisition_time(dataset: Dataset) -> datetime | None:
    """Return when the waveform was acquired, from the most specific time that the object has.

    Aware only when the object states its offset from UTC, within the value or
    in Timezone Offset From UTC (0008,0201).
    """
    pairs = (
        ("AcquisitionDate", "AcquisitionTime"),
        ("ContentDate", "ContentTime"),
        ("StudyDate", "StudyTime"),
    )
    candidates = [text(dataset, "AcquisitionDateTime")]
    candidates += [
        f"{date}{text(dataset, time)}" for day, time in pairs if (date := text(dataset, day))
    ]
    offset = text(dataset, "TimezoneOffsetFromUTC")
    for candidate in candidates:
        for written in (f"{candidate}{offset}", candidate):
            try:
                parsed = DT(written) if len(candidate) >= len("YYYYMMDD") else None
            except CONVERSION_ERRORS:
                continue
            if isinstance(parsed, datetime):
                # pydicom's DT is a datetime that remembers its text; a plain one is enough.
                return datetime.fromisoformat(parsed.isoformat())
    return None
