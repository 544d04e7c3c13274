"""Measures an ECG record: pure functions of the record, the same answer every time."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from reading_worklist.ecg.measurement.beats import find_beats
from reading_worklist.ecg.measurement.classes import classify
from reading_worklist.ecg.measurement.corrections import (
    check_order,
    corrected_beats,
    corrected_classes,
)
from reading_worklist.ecg.measurement.filtering import RATE_HZ
from reading_worklist.ecg.measurement.pacing import MIN_RATE_HZ as MIN_SPIKE_RATE_HZ
from reading_worklist.ecg.measurement.results import (
    METHOD,
    NO_CORRECTIONS,
    VERSION,
    Beat,
    BeatClass,
    Corrections,
    EcgMeasurement,
    Limit,
    Note,
    NotMeasured,
    Quantity,
    Unit,
)
from reading_worklist.ecg.measurement.rhythm import rhythm_features
from reading_worklist.ecg.measurement.shapes import Aligned, align
from reading_worklist.ecg.measurement.signals import (
    MAX_RATE_HZ,
    MAX_SECONDS,
    MIN_RATE_HZ,
    MIN_SECONDS,
    Indices,
    Mask,
    Stretch,
    best_group,
    read_stretch,
)
from reading_worklist.ecg.measurement.values import corrected_qt, missing
from reading_worklist.ecg.measurement.waves import Waves, measure_waves, no_waves
from storage.ecg.leads import STANDARD_LEADS
from storage.ecg.waveform import EcgGroup, EcgRecord

_MIN_MEDIAN_BEATS: Final = 2


def measure(record: EcgRecord) -> EcgMeasurement:
    """Measure the record; what cannot be measured says why.

    Of several groups the one with most leads is measured, of a long record its
    first 60 s; the notes say so. About 30 ms of one processor for 10 s of 12 leads.
    """
    return remeasure(record, NO_CORRECTIONS)


def remeasure(record: EcgRecord, corrections: Corrections) -> EcgMeasurement:
    """Measure the record with what a reader set by hand; everything follows from it.

    Raises:
        MarkersImpossible: the points are out of order or outside of the median beat.
    """
    check_order(corrections)
    group = best_group(record)
    end = group.offset_seconds + min(group.duration_seconds, MAX_SECONDS)
    if not MIN_RATE_HZ <= group.sampling_rate_hz <= MAX_RATE_HZ:
        return _nothing(NotMeasured.SAMPLING_RATE, group.offset_seconds, end, corrections)
    if group.duration_seconds < MIN_SECONDS:
        return _nothing(NotMeasured.TOO_SHORT, group.offset_seconds, end, corrections)
    stretch = read_stretch(group)
    if stretch is None:
        return _nothing(NotMeasured.NO_SIGNAL, group.offset_seconds, end, corrections)
    return _measured(stretch, corrections, end, _notes(record, group))


def _measured(
    stretch: Stretch, corrections: Corrections, end: float, notes: Sequence[Note]
) -> EcgMeasurement:
    found, by_hand = corrected_beats(stretch, find_beats(stretch), corrections)
    aligned = align(stretch, found, by_hand)
    classes = corrected_classes(
        aligned.r, classify(aligned, stretch.spikes, stretch.start_seconds), stretch, corrections
    )
    # An early beat has the T wave and the P wave of an early beat.
    chosen = np.array(
        [
            bool(dominant) and kind is not BeatClass.ECTOPIC
            for dominant, kind in zip(aligned.dominant, classes, strict=True)
        ],
        np.bool_,
    )
    rr_ms = _intervals(stretch, aligned.r)
    known = [interval for interval in rr_ms if interval is not None]
    reason = NotMeasured.NO_BEATS if len(aligned.r) == 0 else NotMeasured.TOO_FEW_BEATS
    waves = no_waves(reason)
    if chosen.sum() >= _MIN_MEDIAN_BEATS:
        usual = float(np.median(known)) * RATE_HZ / 1000.0 if known else RATE_HZ
        waves = measure_waves(stretch, aligned.r, chosen, usual, corrections)
    beats = _beats(stretch, aligned, classes=classes, chosen=chosen, waves=waves)
    return _assembled(
        waves, beats, rr_ms, stretch, reason=reason, corrections=corrections, end=end, notes=notes
    )


def _intervals(stretch: Stretch, r: Indices) -> Sequence[float | None]:
    """Return the interval after each beat but the last in ms, None across a gap in the signal."""
    gap = stretch.gap
    return [
        None if gap[first:second].any() else float(second - first) * 1000.0 / RATE_HZ
        for first, second in pairwise(r.tolist())
    ]


def _beats(
    stretch: Stretch,
    aligned: Aligned,
    *,
    classes: Sequence[BeatClass],
    chosen: Mask,
    waves: Waves,
) -> Sequence[Beat]:
    points = waves.median_beat.fiducials if waves.median_beat else None
    onset, end = (points.qrs_onset_ms, points.qrs_offset_ms) if points else (None, None)
    beats: list[Beat] = []
    for index, at in enumerate(aligned.r.tolist()):
        time = stretch.start_seconds + at / RATE_HZ
        alike = bool(aligned.dominant[index])
        beats.append(
            Beat(
                r_seconds=time,
                kind=classes[index],
                onset_seconds=time + onset / 1000.0 if alike and onset is not None else None,
                offset_seconds=time + end / 1000.0 if alike and end is not None else None,
                in_median=bool(chosen[index]) and points is not None,
                by_hand=bool(aligned.by_hand[index]),
            )
        )
    return tuple(beats)


def _assembled(
    waves: Waves,
    beats: Sequence[Beat],
    rr_ms: Sequence[float | None],
    stretch: Stretch | None,
    *,
    reason: NotMeasured,
    corrections: Corrections,
    end: float,
    notes: Sequence[Note],
    start: float = 0.0,
) -> EcgMeasurement:
    known = [interval for interval in rr_ms if interval is not None]
    rate = (
        Quantity(60_000.0 / (sum(known) / len(known)), Unit.PER_MINUTE)
        if known
        else missing(Unit.PER_MINUTE, reason)
    )
    return EcgMeasurement(
        method=METHOD,
        version=VERSION,
        corrections=corrections,
        start_seconds=stretch.start_seconds if stretch else start,
        end_seconds=end,
        leads=tuple(lead for lead in STANDARD_LEADS if stretch and lead in stretch.names),
        beats=beats,
        median_beat=waves.median_beat,
        rr_ms=tuple(known),
        heart_rate=rate,
        p_duration=waves.p_duration,
        pr=waves.pr,
        qrs=waves.qrs,
        qt=waves.qt,
        qtc=corrected_qt(waves.qt, rate),
        p_axis=waves.p_axis,
        qrs_axis=waves.qrs_axis,
        t_axis=waves.t_axis,
        rv5=waves.rv5,
        sv1=waves.sv1,
        sokolow_lyon=waves.sokolow_lyon,
        by_lead=waves.by_lead,
        rhythm=rhythm_features(
            beats,
            rr_ms,
            p_present=waves.p_present,
            spikes=stretch.spikes if stretch else (),
            reason=reason,
        ),
        notes=tuple(notes),
    )


def _nothing(
    reason: NotMeasured, start: float, end: float, corrections: Corrections
) -> EcgMeasurement:
    return _assembled(
        no_waves(reason),
        (),
        (),
        None,
        reason=reason,
        corrections=corrections,
        start=start,
        end=end,
        notes=(),
    )


def _notes(record: EcgRecord, group: EcgGroup) -> Sequence[Note]:
    notes: list[Note] = []
    if group.duration_seconds > MAX_SECONDS:
        notes.append(
            Note(
                Limit.FIRST_SECONDS,
                {"measured_seconds": MAX_SECONDS, "record_seconds": group.duration_seconds},
            )
        )
    if len(record.rhythm_groups) > 1:
        notes.append(Note(Limit.ONE_GROUP, {"groups": len(record.rhythm_groups)}))
    if group.sampling_rate_hz < MIN_SPIKE_RATE_HZ:
        notes.append(
            Note(
                Limit.NO_SPIKES,
                {"rate_hz": group.sampling_rate_hz, "needed_hz": MIN_SPIKE_RATE_HZ},
            )
        )
    return notes
