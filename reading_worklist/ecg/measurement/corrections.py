"""Applies what a reader set by hand to the beats that were found."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from reading_worklist.ecg.measurement.beats import samples
from reading_worklist.ecg.measurement.errors import MarkersImpossible
from reading_worklist.ecg.measurement.filtering import RATE_HZ
from reading_worklist.ecg.measurement.median import AFTER, BEFORE
from reading_worklist.ecg.measurement.results import BeatClass, Corrections, Fiducials
from reading_worklist.ecg.measurement.signals import Indices, Stretch

_REACH: Final = samples(0.1)


def corrected_beats(
    stretch: Stretch, found: Indices, corrections: Corrections
) -> tuple[Indices, npt.NDArray[np.bool_]]:
    """Return the beats with those removed and added, and which were added by hand.

    An added beat takes the place of a found one within 100 ms. Times outside
    of the stretch are left out.
    """
    removed = _at(stretch, corrections.removed_beats)
    added = _at(stretch, corrections.added_beats)
    kept = [int(at) for at in found if not _near(int(at), removed) and not _near(int(at), added)]
    times = sorted({*kept, *added})
    by_hand = np.array([at in added for at in times], np.bool_)
    return np.array(times, np.intp), by_hand


def corrected_classes(
    r: Indices, classes: Sequence[BeatClass], stretch: Stretch, corrections: Corrections
) -> Sequence[BeatClass]:
    """Return the classes with those that a reader set."""
    result = list(classes)
    for seconds, kind in corrections.reclassified:
        for at in _at(stretch, (seconds,)):
            nearest = int(np.argmin(np.abs(r - at))) if len(r) else -1
            if nearest >= 0 and _near(int(r[nearest]), [at]):
                result[nearest] = kind
    return result


def _at(stretch: Stretch, seconds: Sequence[float]) -> Sequence[int]:
    at = [round((time - stretch.start_seconds) * RATE_HZ) for time in seconds]
    return [index for index in at if 0 <= index < stretch.sample_count]


def _near(at: int, others: Sequence[int]) -> bool:
    return any(abs(at - other) <= _REACH for other in others)


def check_order(points: Fiducials | Corrections) -> None:
    """Accept points that lie in the median beat, in the order of the waves.

    Raises:
        MarkersImpossible: they do not.
    """
    named = {
        "P onset": points.p_onset_ms,
        "P end": points.p_offset_ms,
        "QRS onset": points.qrs_onset_ms,
        "QRS end": points.qrs_offset_ms,
        "T end": points.t_end_ms,
    }
    placed = [(name, ms) for name, ms in named.items() if ms is not None]
    for name, ms in placed:
        if not -BEFORE * 1000.0 / RATE_HZ <= ms < AFTER * 1000.0 / RATE_HZ:
            raise _impossible(f"{name} at {ms:.0f} ms")
    for (first, first_ms), (second, second_ms) in pairwise(placed):
        touches = first == "P end" and first_ms == second_ms
        if first_ms >= second_ms and not touches:
            raise _impossible(f"{first} at {first_ms:.0f} ms, {second} at {second_ms:.0f} ms")


def _impossible(found: str) -> MarkersImpossible:
    return MarkersImpossible(
        "The markers cannot be those of a heartbeat",
        expected="P onset, P end, QRS onset, QRS end, T end in this order, "
        f"{BEFORE * 1000.0 / RATE_HZ:.0f} ms before R to {AFTER * 1000.0 / RATE_HZ:.0f} ms after",
        found=found,
        remedy="Move the marker, or remove the correction so that the point is found again.",
    )
