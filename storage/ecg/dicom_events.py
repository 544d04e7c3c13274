"""What a file marks in its time: Waveform Annotation Sequence items with a place (PS3.3 C.10.10).

The patient pressed the button, the recorder saw a pause, somebody wrote a
remark: said in the file's words, at its time, and never checked by us.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pydicom.dataset import Dataset
from pydicom.valuerep import DT

from storage.ecg.dicom_values import (
    CONVERSION_ERRORS,
    first_item,
    free_text,
    items,
    number,
    text,
    values,
)
from storage.ecg.waveform import EcgRecord

EVENTS_MAX: Final = 2000
"""More marks than these are beats, not events; the first are kept."""
_WITH_END: Final = frozenset({"SEGMENT", "MULTISEGMENT"})


@dataclass(frozen=True, slots=True)
class EcgEvent:
    """A mark of the file.

    seconds: record time. until_seconds: its end, None for a point. code: ``SCHEME:value``, empty
    for free text.
    """

    seconds: float
    until_seconds: float | None
    text: str
    code: str


@dataclass(frozen=True, slots=True)
class _Group:
    starts_seconds: float
    rate_hz: float


def read_events(dataset: Dataset, record: EcgRecord) -> tuple[EcgEvent, ...]:
    """Return the marks that lie within the record, by time; the first `EVENTS_MAX` of the file.

    Marks without words and measured values are none.
    """
    groups = _groups(dataset)
    character_set = text(dataset, "SpecificCharacterSet")
    found: list[EcgEvent] = []
    for item in items(dataset, "WaveformAnnotationSequence"):
        if len(found) >= EVENTS_MAX:
            break
        if text(item, "NumericValue"):
            continue
        said, code = _words(item, character_set)
        times = _times(item, groups, record.acquired_at)
        if not said or not times:
            continue
        has_end = text(item, "TemporalRangeType").upper() in _WITH_END
        step = 2 if has_end else 1
        for index in range(0, len(times), step):
            pair = times[index : index + step]
            if 0 <= pair[0] <= record.duration_seconds:
                end = pair[1] if len(pair) > 1 and pair[1] > pair[0] else None
                found.append(EcgEvent(pair[0], end, said, code))
    return tuple(sorted(found[:EVENTS_MAX], key=lambda event: event.seconds))


def _groups(dataset: Dataset) -> Sequence[_Group]:
    multiplex = items(dataset, "WaveformSequence")
    offsets = [(number(one, "MultiplexGroupTimeOffset") or 0.0) / 1000 for one in multiplex]
    origin = min(offsets, default=0.0)
    return [
        _Group(offset - origin, number(one, "SamplingFrequency") or 0.0)
        for one, offset in zip(multiplex, offsets, strict=True)
    ]


def _words(item: Dataset, character_set: str) -> tuple[str, str]:
    """Return what a mark says, free text before a code's meaning, and the code."""
    coded = first_item(item, "ConceptCodeSequence") or first_item(item, "ConceptNameCodeSequence")
    said = free_text(item, "UnformattedTextValue", character_set)
    if coded is None:
        return said, ""
    value = text(coded, "CodeValue")
    code = f"{text(coded, 'CodingSchemeDesignator')}:{value}" if value else ""
    return said or free_text(coded, "CodeMeaning", character_set), code


def _times(
    item: Dataset, groups: Sequence[_Group], acquired_at: datetime | None
) -> Sequence[float]:
    """Return the record times of a mark: by sample, by seconds, or by date and time."""
    try:
        samples = [int(one) for one in values(item, "ReferencedSamplePositions")]
        seconds = [float(one) for one in values(item, "ReferencedTimeOffsets")]
        moments = [_moment(str(one)) for one in values(item, "ReferencedDateTime")]
        channels = [int(one) for one in values(item, "ReferencedWaveformChannels")]
    except CONVERSION_ERRORS:
        return ()
    number_of_group = channels[0] if channels else 1
    if samples and 1 <= number_of_group <= len(groups):
        group = groups[number_of_group - 1]
        # The first sample is number 1 (C.10.10).
        return (
            [group.starts_seconds + (one - 1) / group.rate_hz for one in samples]
            if group.rate_hz > 0
            else ()
        )
    if seconds:
        return seconds
    if acquired_at is None:
        return ()
    return [
        (moment - acquired_at) / timedelta(seconds=1)
        for moment in moments
        if (moment.tzinfo is None) == (acquired_at.tzinfo is None)
    ]


def _moment(written: str) -> datetime:
    """Return a DT as a plain datetime; raises ValueError for anything else."""
    parsed = DT(written)
    if not isinstance(parsed, datetime):
        raise ValueError(f"no date and time of {len(written)} characters")  # noqa: TRY004 -- as pydicom raises for bad text
    return datetime.fromisoformat(parsed.isoformat())
