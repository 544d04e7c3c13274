"""Scores the measurement against a folder of annotated records.

The bounds are those the centre holds itself to on LUDB: beats within 150 ms
of a marked R found and right to 99.5 %; PR, QRS and QT against the median of
the annotators' leads, by mean error, its standard deviation, and the share of
records near enough. Values are not chosen by what is near: every record that
has a reference counts, and those without a measured value are told beside.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from reading_worklist.ecg.measurement.measure import measure
from reading_worklist.ecg.measurement.results import METHOD, VERSION
from reading_worklist.ecg.scoring.references import Reference, read_reference
from reading_worklist.ecg.scoring.wfdb_files import (
    cut,
    read_record,
    record_headers,
)
from storage.ecg.errors import NotAnEcg
from storage.ecg.waveform import EcgRecord

_TOLERANCE_SECONDS: Final = 0.15
_MARGIN_SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Found:
    """What a method says of a record: R times in seconds, and PR, QRS, QT in ms where measured."""

    beats: Sequence[float]
    intervals: Mapping[str, float]


Method = Callable[[EcgRecord], Found]


@dataclass(frozen=True, slots=True)
class Bound:
    """What an interval has to reach; None where nothing is asked."""

    mean_ms: float
    sd_ms: float | None
    within_ms: float
    within_percent: float = 90.0


BOUNDS: Final = {
    "PR": Bound(5.0, 12.0, 20.0),
    "QRS": Bound(5.0, 15.0, 20.0),
    "QT": Bound(15.0, None, 30.0),
}
BEATS_PERCENT: Final = 99.5


@dataclass(frozen=True, slots=True)
class IntervalScore:
    """Errors of one interval over the records: found less marked, in ms.

    count: records measured that have a reference. not_measured: names of
    those with a reference and no value. without_reference: names of those with a value that
    nobody marked. missed: the bounds that are missed, in words.
    """

    name: str
    count: int
    mean_ms: float
    sd_ms: float
    median_ms: float
    within_ms: float
    within_percent: float
    not_measured: Sequence[str]
    without_reference: Sequence[str]
    missed: Sequence[str]


@dataclass(frozen=True, slots=True)
class Score:
    """The whole of it. cpu_ms: processor time per record, mean and largest, first one left out."""

    method: str
    records: int
    beats_marked: int
    beats_missed: int
    beats_false: int
    sensitivity_percent: float
    precision_percent: float
    intervals: Sequence[IntervalScore]
    cpu_mean_ms: float
    cpu_max_ms: float
    missed: Sequence[str]


def ours(record: EcgRecord) -> Found:
    """Return what our own measurement says."""
    result = measure(record)
    values = {"PR": result.pr.value, "QRS": result.qrs.value, "QT": result.qt.value}
    return Found(
        [beat.r_seconds for beat in result.beats],
        {name: value for name, value in values.items() if value is not None},
    )


def score(folder: Path, method: Method = ours, name: str = f"{METHOD} {VERSION}") -> Score:
    """Return the score of a method on the annotated records of a folder.

    Of a record longer than 60 s the stretch that was annotated is measured.

    Raises:
        NotAnEcg: the folder holds no annotated record.
        EcgError, OSError: a record cannot be read.
    """
    results: list[tuple[str, Reference, Found]] = []
    seconds: list[float] = []
    for header in record_headers(folder):
        record = read_record(header)
        reference = read_reference(header, record.ecg.groups[0].sampling_rate_hz)
        if reference is None:
            continue
        ecg, reference = _annotated(record.ecg, reference)
        started = time.process_time()
        found = method(ecg)
        seconds.append(time.process_time() - started)
        results.append((record.name, reference, found))
    if not results:
        raise NotAnEcg(
            "The folder holds no annotated ECG",
            expected="WFDB records (.hea, .dat) with LUDB's or QTDB's annotations by hand",
            found=f"{len(record_headers(folder))} headers in {folder}",
            remedy="Name the folder that holds the records themselves.",
        )
    return _scored(results, seconds[1:] or seconds, name)


def _annotated(record: EcgRecord, reference: Reference) -> tuple[EcgRecord, Reference]:
    """Cut a record longer than can be measured to where it was annotated, and 3 s around."""
    if record.duration_seconds <= 60.0:  # noqa: PLR2004
        return record, reference
    start = max(0.0, reference.first_seconds - _MARGIN_SECONDS)
    stop = min(record.duration_seconds, reference.last_seconds + _MARGIN_SECONDS, start + 60.0)
    return cut(record, start, stop), reference.within(start, stop)


def _scored(
    results: Sequence[tuple[str, Reference, Found]], seconds: Sequence[float], name: str
) -> Score:
    marked = missed = false = 0
    for _, reference, found in results:
        lost, wrong = _beats(reference, found)
        marked += len(reference.beats)
        missed += lost
        false += wrong
    hits = marked - missed
    sensitivity, precision = 100.0 * hits / marked, 100.0 * hits / max(1, hits + false)
    intervals = [_interval(each, results) for each in BOUNDS]
    words = [
        f"{what} {value:.2f} % < {BEATS_PERCENT} %"
        for what, value in (("beats found", sensitivity), ("beats right", precision))
        if value < BEATS_PERCENT
    ]
    return Score(
        method=name,
        records=len(results),
        beats_marked=marked,
        beats_missed=missed,
        beats_false=false,
        sensitivity_percent=sensitivity,
        precision_percent=precision,
        intervals=intervals,
        cpu_mean_ms=1000.0 * float(np.mean(seconds)),
        cpu_max_ms=1000.0 * float(np.max(seconds)),
        missed=[*words, *(word for interval in intervals for word in interval.missed)],
    )


def _beats(reference: Reference, found: Found) -> tuple[int, int]:
    """Return how many marked beats were missed, and how many were found where none is.

    Only within what was annotated: LUDB leaves the first and the last beats unmarked.
    """
    free = [
        time
        for time in sorted(found.beats)
        if reference.first_seconds - _TOLERANCE_SECONDS
        <= time
        <= reference.last_seconds + _TOLERANCE_SECONDS
    ]
    missed = 0
    for marked in reference.beats:
        nearest = min(free, key=lambda time: abs(time - marked), default=None)
        if nearest is None or abs(nearest - marked) > _TOLERANCE_SECONDS:
            missed += 1
        else:
            free.remove(nearest)
    return missed, len(free)


def _interval(name: str, results: Sequence[tuple[str, Reference, Found]]) -> IntervalScore:
    bound = BOUNDS[name]
    errors = np.array(
        [
            found.intervals[name] - reference.intervals[name]
            for _, reference, found in results
            if name in reference.intervals and name in found.intervals
        ]
    )
    mean, sd, middle, within = (np.nan, np.nan, np.nan, 0.0)
    if len(errors):
        mean, sd, middle = float(np.mean(errors)), float(np.std(errors)), float(np.median(errors))
        within = 100.0 * float(np.mean(np.abs(errors) <= bound.within_ms))
    missed: list[str] = []
    if not abs(mean) <= bound.mean_ms:
        missed.append(f"{name} mean {mean:+.1f} ms, bound ±{bound.mean_ms:g}")
    if bound.sd_ms is not None and not sd <= bound.sd_ms:
        missed.append(f"{name} SD {sd:.1f} ms, bound {bound.sd_ms:g}")
    if within < bound.within_percent:
        missed.append(
            f"{name} within {bound.within_ms:g} ms {within:.1f} %, bound {bound.within_percent:g} %"
        )
    return IntervalScore(
        name=name,
        count=len(errors),
        mean_ms=mean,
        sd_ms=sd,
        median_ms=middle,
        within_ms=bound.within_ms,
        within_percent=within,
        not_measured=[
            record
            for record, reference, found in results
            if name in reference.intervals and name not in found.intervals
        ],
        without_reference=[
            record
            for record, reference, found in results
            if name not in reference.intervals and name in found.intervals
        ],
        missed=missed,
    )
