"""A record of hours at a glance: heart rate, envelope of each lead, the longest RR.

Goes through the record half a minute at a time with the detector of
`ecg.measurement`. An RR counts only when both beats were found and a signal was
there all the time between them: a loose electrode is not a pause.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from reading_worklist.ecg.ambulatory.schemas import EnvelopeView, LongRrView, OverviewView
from reading_worklist.ecg.measurement.beats import find_beats
from reading_worklist.ecg.measurement.filtering import RATE_HZ
from reading_worklist.ecg.measurement.signals import MAX_RATE_HZ, MIN_RATE_HZ, read_stretch
from storage.ecg.waveform import EcgGroup, EcgRecord, GroupKind, Microvolts, RecordedChannel

METHOD: Final = "rdc-beats 1"
BIN_SECONDS: Final = 30.0
LONGEST_RR: Final = 20
_MARGIN_SECONDS: Final = 1.5
# A beat on the border of two stretches is found in either, a few samples apart.
_BORDER_SECONDS: Final = 0.1
_SAME_BEAT_SECONDS: Final = 0.2
_BEATS_MIN: Final = 4
_SIGNAL_MIN: Final = 0.5

Seconds = npt.NDArray[np.float64]


@dataclass(slots=True)
class _Found:
    """What was found so far: beats and stretches without a signal, in record time."""

    beats: list[Seconds] = field(default_factory=list[Seconds])
    gaps: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])


def overview_of(record: EcgRecord) -> OverviewView:
    """Return the overview of a record's longest rhythm group.

    Takes about 9 ms of processor time a minute and memory for one minute.

    Raises:
        ObjectNotFound, ObjectStoreUnavailable: as the record's source says.
    """
    group = max(record.rhythm_groups, key=lambda one: one.duration_seconds)
    low: list[list[int | None]] = [[] for _ in group.channels]
    high: list[list[int | None]] = [[] for _ in group.channels]
    found = _Found()
    for start, values in _stretches(group):
        first = round((min(start, _MARGIN_SECONDS)) * group.sampling_rate_hz)
        core = values[:, first : first + round(BIN_SECONDS * group.sampling_rate_hz)]
        for index, row in enumerate(core):
            lowest, highest = _extremes(row)
            low[index].append(lowest)
            high[index].append(highest)
        _find(group, start, values, found)
    beats = _without_doubles(found.beats)
    origin = group.offset_seconds
    rr = np.diff(beats)
    rr[_interrupted(beats, found.gaps)] = np.nan
    return OverviewView(
        bin_seconds=BIN_SECONDS,
        heart_rate=_rates(beats, rr, found.gaps, group.duration_seconds),
        envelopes=[
            EnvelopeView(lead=channel.label, low=low[index], high=high[index])
            for index, channel in enumerate(group.channels)
        ],
        longest_rr=_longest(beats + origin, rr),
        beats=len(beats),
        without_signal_seconds=round(sum(end - begin for begin, end in found.gaps), 1),
        method=METHOD,
    )


def _stretches(group: EcgGroup) -> Iterator[tuple[float, Microvolts]]:
    """Yield (group time of the bin, samples of it and of the margins around it by channel)."""
    rate = group.sampling_rate_hz
    start = 0.0
    while start < group.duration_seconds - 1 / rate:
        first = max(round((start - _MARGIN_SECONDS) * rate), 0)
        last = min(round((start + BIN_SECONDS + _MARGIN_SECONDS) * rate), group.sample_count)
        yield start, np.array([channel.microvolts(first, last) for channel in group.channels])
        start += BIN_SECONDS


def _find(group: EcgGroup, start: float, values: Microvolts, found: _Found) -> None:
    """Add the beats of the bin, and where there is no signal in it."""
    end = min(start + BIN_SECONDS, group.duration_seconds)
    channels = tuple(
        RecordedChannel(channel.lead, channel.label, row, status=channel.status)
        for channel, row in zip(group.channels, values, strict=True)
    )
    rate = group.sampling_rate_hz
    part = EcgGroup(GroupKind.RHYTHM, "", rate, values.shape[1], channels)
    measurable = MIN_RATE_HZ <= rate <= MAX_RATE_HZ
    stretch = read_stretch(part) if measurable and part.duration_seconds > 1 else None
    if stretch is None:
        _add_gap(found, start, end)
        return
    begins = max(start - _MARGIN_SECONDS, 0.0)
    seconds = begins + find_beats(stretch) / RATE_HZ
    inside = (seconds >= start - _BORDER_SECONDS) & (seconds < end + _BORDER_SECONDS)
    found.beats.append(seconds[inside])
    edges = np.flatnonzero(np.diff(np.concatenate([[False], stretch.gap, [False]]).astype(np.int8)))
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        gap_begins = max(begins + float(first) / RATE_HZ, start)
        gap_ends = min(begins + float(last) / RATE_HZ, end)
        if gap_ends > gap_begins:
            _add_gap(found, gap_begins, gap_ends)


def _add_gap(found: _Found, begins: float, ends: float) -> None:
    if found.gaps and begins - found.gaps[-1][1] < 1e-6:  # noqa: PLR2004 -- rounding
        found.gaps[-1] = (found.gaps[-1][0], ends)
    else:
        found.gaps.append((begins, ends))


def _extremes(row: Microvolts) -> tuple[int | None, int | None]:
    present = row[~np.isnan(row)]
    if not len(present):
        return None, None
    return round(float(present.min())), round(float(present.max()))


def _without_doubles(parts: Sequence[Seconds]) -> Seconds:
    beats = np.sort(np.concatenate([np.empty(0), *parts]))
    if not len(beats):
        return beats
    return beats[np.concatenate([[True], np.diff(beats) > _SAME_BEAT_SECONDS])]


def _interrupted(beats: Seconds, gaps: Sequence[tuple[float, float]]) -> npt.NDArray[np.bool_]:
    """Tell for each RR whether the signal was away within it."""
    if len(beats) < 2 or not gaps:  # noqa: PLR2004 -- an RR has two
        return np.zeros(max(len(beats) - 1, 0), np.bool_)
    begins, ends = np.array(gaps).T
    # Gaps are in order and apart: the first that ends after a beat is the one its RR may hold.
    following = np.searchsorted(ends, beats[:-1], side="right")
    there = following < len(gaps)
    return there & (begins[np.minimum(following, len(gaps) - 1)] < beats[1:])


def _rates(
    beats: Seconds, rr: Seconds, gaps: Sequence[tuple[float, float]], duration: float
) -> list[int | None]:
    count = max(int(np.ceil(duration / BIN_SECONDS - 1e-9)), 1)
    edges = np.searchsorted(beats, np.arange(count + 1) * BIN_SECONDS)
    rates: list[int | None] = []
    for index in range(count):
        begins, ends = index * BIN_SECONDS, min((index + 1) * BIN_SECONDS, duration)
        away = sum(max(min(ends, b) - max(begins, a), 0) for a, b in _near(gaps, begins, ends))
        inside = rr[edges[index] : max(edges[index + 1] - 1, edges[index])]
        known = inside[~np.isnan(inside)]
        enough = len(known) >= _BEATS_MIN - 1 and away <= (1 - _SIGNAL_MIN) * (ends - begins)
        rates.append(round(60 / float(np.median(known))) if enough else None)
    return rates


def _near(
    gaps: Sequence[tuple[float, float]], begins: float, ends: float
) -> Iterator[tuple[float, float]]:
    return (one for one in gaps if one[0] < ends and one[1] > begins)


def _longest(beats: Seconds, rr: Seconds) -> list[LongRrView]:
    known = np.flatnonzero(~np.isnan(rr))
    chosen = known[np.argsort(-rr[known], kind="stable")[:LONGEST_RR]]
    return [
        LongRrView(seconds=round(float(beats[at]), 3), rr_ms=round(float(rr[at]) * 1000))
        for at in chosen
    ]
