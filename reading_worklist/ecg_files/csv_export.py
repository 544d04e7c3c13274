"""The signal of an ECG as text, for whoever has nothing that reads it."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from reading_worklist.ecg.service import load_record
from storage.ecg.errors import EcgUnsupported
from storage.ecg.waveform import EcgGroup
from storage.objects import ObjectKey, ObjectStore

_AT_ONCE: Final = 5000
_LONGEST_SECONDS: Final = 3600.0


def lines(objects: ObjectStore, key: ObjectKey) -> Iterator[str]:
    """Return a heading and one line for each sample: seconds, then the leads in µV.

    Recorded channels of the first rhythm group alone, in the file's order; an empty field is a
    missing sample. Derived leads follow from Einthoven's law.

    Raises:
        EcgError: it cannot be read, or is longer than an hour.
    """
    record = load_record(objects, key)
    group = record.rhythm_groups[0]
    if group.duration_seconds > _LONGEST_SECONDS:
        raise EcgUnsupported(
            "The ECG is too long for a table",
            expected=f"at most {_LONGEST_SECONDS:.0f} s",
            found=f"{group.duration_seconds:.0f} s",
            remedy="Download the original or the DICOM object.",
        )
    return _lines_of(group)


def _lines_of(group: EcgGroup) -> Iterator[str]:
    yield ",".join(["seconds", *(channel.label.replace(",", " ") for channel in group.channels)])
    yield "\n"
    for start in range(0, group.sample_count, _AT_ONCE):
        stop = min(start + _AT_ONCE, group.sample_count)
        columns = [channel.microvolts(start, stop) for channel in group.channels]
        times = np.arange(start, stop) / group.sampling_rate_hz
        yield "".join(
            f"{time:.6g},{','.join('' if value != value else f'{value:.9g}' for value in row)}\n"  # noqa: PLR0124 -- NaN
            for time, row in zip(times.tolist(), np.stack(columns, axis=1).tolist(), strict=True)
        )
