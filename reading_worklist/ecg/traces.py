"""One lead on the page: its samples placed in millimetres, its name, its gaps."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from reading_worklist.ecg.captions import Captions
from reading_worklist.ecg.display_filter import DisplayFilter, shown_microvolts
from reading_worklist.ecg.layout import Cell, Gain
from reading_worklist.ecg.polyline import (
    UNITS_PER_MM,
    Millimetres,
    extremes_per_step,
    path_data,
    runs_without_gaps,
    significant_points,
)
from reading_worklist.ecg.svg import ALERT, INK, QUIET, TRACE, TRACE_WIDTH, escaped, line, text
from storage.ecg.waveform import NO_SIGNAL, LeadOrigin

_TOLERANCE_MM: Final = 0.008
_RECENTRE_BEYOND_UV: Final = 500.0
_ROOM_FOR_WORDS_MM: Final = 14.0
_ORIGIN_SIGNS: Final = {LeadOrigin.COMPUTED: "*", LeadOrigin.DEVICE_DERIVED: "†"}


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """A cell's samples on the grid.

    x_mm, y_mm: one point per sample, y NaN where the sample is missing.
    zero_mm: the y of 0 µV. lead_off: the device called the channel disconnected
    or invalid; all its samples count as missing. doubts: what a check found wrong
    with it, in words.
    """

    cell: Cell
    x_mm: Millimetres
    y_mm: Millimetres
    zero_mm: float
    lead_off: bool = False
    doubts: tuple[str, ...] = ()

    @property
    def present_mm(self) -> Millimetres:
        """The y of the samples that are not missing."""
        return self.y_mm[~np.isnan(self.y_mm)]


def place(cell: Cell, speed: float, gain: Gain, display_filter: DisplayFilter) -> Trace:
    """Return the cell's samples on the grid; none where the record has nothing to show.

    speed: in mm/s; a page of a long record has others than the paper speeds.
    """
    group, channel = cell.group, cell.channel
    nothing = np.empty(0)
    if group is None or channel is None:
        return Trace(cell, nothing, nothing, cell.baseline_mm)
    rate = group.sampling_rate_hz
    # Record time of sample 0; a sample counts as on the edge within a millionth of a sample.
    origin = group.offset_seconds + channel.skew_seconds
    first = max(math.ceil((cell.start_seconds - origin) * rate - 1e-6), 0)
    end_seconds = cell.start_seconds + cell.seconds
    last = min(math.floor((end_seconds - origin) * rate + 1e-6), group.sample_count - 1)
    if last < first:
        return Trace(cell, nothing, nothing, cell.baseline_mm)
    seconds = origin + np.arange(first, last + 1) / rate - cell.start_seconds
    x_mm = cell.x_mm + seconds * float(speed)
    if channel.status & NO_SIGNAL:
        return Trace(cell, x_mm, np.full(len(x_mm), np.nan), cell.baseline_mm, lead_off=True)
    microvolts = shown_microvolts(group, channel, first, last + 1, display_filter)
    mm_per_microvolt = gain / 1000
    zero_mm = cell.baseline_mm
    present = microvolts[~np.isnan(microvolts)]
    centre = float(np.median(present)) if len(present) else 0.0
    if abs(centre) > _RECENTRE_BEYOND_UV:
        # The constant offset of a DC-coupled recorder is no signal, and would push the lead
        # onto its neighbours.
        zero_mm += centre * mm_per_microvolt
    return Trace(cell, x_mm, zero_mm - microvolts * mm_per_microvolt, zero_mm)


def draw_trace(
    trace: Trace, step_mm: float, speed: float, label_rise_mm: float | None, words: Captions
) -> str:
    """Return the lead's name, trace, gaps and end as one SVG group.

    step_mm: how much of the time axis one drawn step stands for, see `polyline`.
    speed: in mm/s. label_rise_mm: how far the name stands above the baseline; None
    leaves it out, where the page says once what it shows.
    """
    cell = trace.cell
    origin = LeadOrigin.RECORDED if cell.channel is None else cell.channel.origin
    runs = runs_without_gaps(trace.y_mm)
    rate = 0.0 if cell.group is None else cell.group.sampling_rate_hz
    samples_per_step = int(step_mm / speed * rate + 1e-9)
    data = "".join(
        _path(trace.x_mm[start:stop], trace.y_mm[start:stop], samples_per_step)
        for start, stop in runs
    )
    scale = f'transform="scale({1 / UNITS_PER_MM:g})" stroke-linejoin="round"'
    drawn = line(
        data,
        colour=TRACE,
        width=TRACE_WIDTH * UNITS_PER_MM,
        name="trace",
        more=f'{scale} stroke-linecap="round"',
    )
    return "".join(
        (
            f'<g data-lead="{escaped(cell.label)}" data-origin="{origin.value}"',
            f' data-x-mm="{cell.x_mm:g}" data-zero-mm="{trace.zero_mm:.3f}"',
            f' data-start-seconds="{cell.start_seconds:.10g}" data-seconds="{cell.seconds:g}">',
            "" if label_rise_mm is None else _label(trace, label_rise_mm, words),
            drawn if data else "",
            _gaps(trace, runs, words),
            _end(trace),
            "</g>",
        )
    )


def _path(x_mm: Millimetres, y_mm: Millimetres, samples_per_step: int) -> str:
    kept = extremes_per_step(y_mm, samples_per_step)
    x_mm, y_mm = x_mm[kept], y_mm[kept]
    kept = significant_points(x_mm, y_mm, _TOLERANCE_MM)
    return path_data(x_mm[kept], y_mm[kept])


def _label(trace: Trace, rise_mm: float, words: Captions) -> str:
    cell, channel = trace.cell, trace.cell.channel
    x, y = cell.x_mm + 1, cell.baseline_mm - rise_mm
    if channel is None:
        return text(x, y, cell.label, size=3.4, colour=QUIET, bold=True) + text(
            x, cell.baseline_mm + 1, words.not_recorded, size=2.8, colour=QUIET
        )
    sign = _ORIGIN_SIGNS.get(channel.origin, "")
    label = text(x, y, cell.label + sign, size=3.4, colour=INK, bold=True)
    doubts = [words.status[status] for status in sorted(channel.status) if status in words.status]
    doubts += trace.doubts
    return label + (text(x + 9, y, " · ".join(doubts), size=2.6, colour=ALERT) if doubts else "")


def _gaps(trace: Trace, runs: Sequence[tuple[int, int]], words: Captions) -> str:
    """Mark the missing stretches between the first and the last sample."""
    if not len(trace.x_mm):
        return ""
    marks: list[str] = []
    edges = [0, *(index for run in runs for index in run), len(trace.x_mm)]
    y = trace.cell.baseline_mm
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        if stop <= start:
            continue
        left = float(trace.x_mm[max(start - 1, 0)])
        right = float(trace.x_mm[min(stop, len(trace.x_mm) - 1)])
        data = f"M{left:.2f} {y - 1.5:g}v3m0-1.5H{right:.2f}m0-1.5v3"
        dashes = 'stroke-dasharray="1 0.8"'
        marks.append(line(data, colour=ALERT, width=0.2, name="gap", more=dashes))
        if right - left >= _ROOM_FOR_WORDS_MM:
            word = words.lead_off if trace.lead_off else words.no_signal
            marks.append(text(left + 1.5, y - 1.2, word, size=2.6, colour=ALERT))
    return "".join(marks)


def _end(trace: Trace) -> str:
    """Mark where the record ends within the cell, so that the rest is not taken for asystole."""
    cell = trace.cell
    if not len(trace.x_mm):
        return ""
    end = float(trace.x_mm[-1])
    if cell.x_mm + cell.width_mm - end <= 1:
        return ""
    return line(f"M{end:.2f} {cell.baseline_mm - 2:g}v4", colour=QUIET, width=0.25, name="end")
