"""Full disclosure: minutes of one lead, line under line, drawn by the one renderer.

A line of 10 s is 25 mm/s, as on paper; 30 s and 60 s are slower and say so. The
page is in true millimetres, the scale of voltage is drawn on it, and nothing is
left out: what the renderer thins keeps every peak. Data attributes on the root
say where time lies: ``data-trace-x-mm``, ``data-first-line-mm``,
``data-line-pitch-mm``, ``data-line-seconds``, ``data-lines``,
``data-start-seconds``, ``data-next-start-seconds`` (empty on the last page).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final

from reading_worklist.ecg.captions import CAPTIONS, Captions, Language, display_filter_text
from reading_worklist.ecg.display_filter import DisplayFilter
from reading_worklist.ecg.layout import TRACE_WIDTH_MM, Cell, Gain
from reading_worklist.ecg.svg import (
    ALERT,
    FONTS,
    INK,
    MARK,
    QUIET,
    TRACE,
    TRACE_WIDTH,
    grid,
    line,
    text,
    title,
)
from reading_worklist.ecg.traces import draw_trace, place
from storage.ecg.dicom_events import EcgEvent
from storage.ecg.waveform import Channel, EcgGroup, EcgRecord

LINES_MAX: Final = 30
_MARGIN_MM: Final = 2.0
_TIMES_MM: Final = 20.0
_PITCH_MM: Final = 15.0
_FOOTER_MM: Final = 5.0
_SCALE_MM: Final = 6.0
_SECOND: Final = "#e9edf0"
_FIFTH_SECOND: Final = "#d3dadf"
# Half of the stroke's width: finer steps would draw ink over ink.
_STEP_MM: Final = 0.12
_WORDS_MAX: Final = 24
_SECONDS_A_DAY: Final = 86_400


class LineSeconds(IntEnum):
    """How long a line is."""

    S_10 = 10
    S_30 = 30
    S_60 = 60

    @property
    def mm_per_second(self) -> float:
        """The speed that it amounts to."""
        return TRACE_WIDTH_MM / self


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What to draw: `lines` lines of a lead, by its label, from a record time on.

    started_at: the clock time of record time 0, for the times beside the lines; without it they
    count from the record's start. events: those of the page are marked.
    """

    lead: str
    line_seconds: LineSeconds = LineSeconds.S_60
    lines: int = 10
    start_seconds: float = 0.0
    gain: Gain = Gain.MM_10
    display_filter: DisplayFilter = DisplayFilter.NONE
    language: Language = Language.EN
    started_at: datetime | None = None
    events: Sequence[EcgEvent] = ()


def find_channel(record: EcgRecord, label: str) -> tuple[EcgGroup, Channel] | None:
    """Return the recorded channel or the computed limb lead of a name."""
    for group in record.rhythm_groups:
        for channel in group.channels:
            if channel.label == label:
                return group, channel
    return next(
        (hit for lead in record.leads() if lead == label and (hit := record.find(lead))), None
    )


def draw_disclosure(record: EcgRecord, group: EcgGroup, channel: Channel, page: Disclosure) -> str:
    """Return the page as SVG; its start is kept inside the record, on a whole line.

    Raises:
        ObjectNotFound, ObjectStoreUnavailable: as the record's source says.
    """
    words = CAPTIONS[page.language]
    seconds = int(page.line_seconds)
    last_line = max(int((record.duration_seconds - 1e-6) // seconds), 0)
    first_line = min(max(int(page.start_seconds // seconds), 0), last_line)
    lines = min(page.lines, last_line - first_line + 1)
    start = float(first_line * seconds)
    end = start + lines * seconds
    speed = page.line_seconds.mm_per_second
    height = _PITCH_MM * (lines + 1)
    _read_ahead(group, channel, start, end)
    drawn: list[str] = []
    for row in range(lines):
        cell = Cell(
            label=channel.label,
            group=group,
            channel=channel,
            x_mm=0,
            width_mm=TRACE_WIDTH_MM,
            baseline_mm=_PITCH_MM * (row + 1),
            start_seconds=start + row * seconds,
            seconds=seconds,
        )
        trace = place(cell, speed, page.gain, page.display_filter)
        drawn.extend(
            (
                text(
                    -_TIMES_MM + 1,
                    cell.baseline_mm + 1,
                    _time(cell.start_seconds, page.started_at),
                    size=3,
                    colour=INK,
                ),
                draw_trace(trace, _STEP_MM, speed, None, words),
                *_marks(page.events, cell, speed),
            )
        )
    width = _TIMES_MM + TRACE_WIDTH_MM + _SCALE_MM
    total_width = width + 2 * _MARGIN_MM
    total_height = height + 2 * _MARGIN_MM + _FOOTER_MM
    following = f"{end:.10g}" if end < record.duration_seconds - 1e-6 else ""
    numbers = {
        "start-seconds": f"{start:.10g}",
        "next-start-seconds": following,
        "duration-seconds": f"{record.duration_seconds:.10g}",
        "page-seconds": f"{lines * seconds}",
        "line-seconds": f"{seconds}",
        "lines": f"{lines}",
        "trace-x-mm": f"{_MARGIN_MM + _TIMES_MM:g}",
        "trace-width-mm": f"{TRACE_WIDTH_MM:g}",
        "first-line-mm": f"{_MARGIN_MM + _PITCH_MM:g}",
        "line-pitch-mm": f"{_PITCH_MM:g}",
        "mm-per-second": f"{speed:.6g}",
        "mm-per-mv": f"{page.gain:d}",
    }
    attributes = " ".join(f'data-{name}="{number}"' for name, number in numbers.items())
    return "".join(
        (
            '<svg xmlns="http://www.w3.org/2000/svg" ',
            f'width="{total_width:g}mm" height="{total_height:g}mm" ',
            f'viewBox="0 0 {total_width:g} {total_height:g}" ',
            f'font-family="{FONTS}" {attributes}>',
            title(words.title),
            f'<rect width="{total_width:g}" height="{total_height:g}" fill="#ffffff"/>',
            f'<g transform="translate({_MARGIN_MM + _TIMES_MM:g} {_MARGIN_MM:g})">',
            _paper(page.line_seconds, height),
            *drawn,
            _scale(page.gain),
            _footer(page, group, height, words),
            "</g></svg>",
        )
    )


def _read_ahead(group: EcgGroup, channel: Channel, start: float, end: float) -> None:
    """Have the page's samples read at once: a store far away answers one question faster."""
    rate, offset = group.sampling_rate_hz, group.offset_seconds
    first = max(int((start - offset) * rate), 0)
    channel.microvolts(first, max(int((end - offset) * rate) + 1, first))


def _paper(line_seconds: LineSeconds, height: float) -> str:
    """Draw the millimetre grid where it is true to time too, else a line for each second."""
    if line_seconds is LineSeconds.S_10:
        return grid(TRACE_WIDTH_MM, height)
    speed = line_seconds.mm_per_second
    seconds = range(line_seconds + 1)
    thin = "".join(f"M{at * speed:.3f} 0V{height:g}" for at in seconds if at % 5)
    thick = "".join(f"M{at * speed:.3f} 0V{height:g}" for at in seconds if not at % 5)
    return line(thin, colour=_SECOND, width=0.12, name="seconds") + line(
        thick, colour=_FIFTH_SECOND, width=0.2, name="five-seconds"
    )


def _scale(gain: Gain) -> str:
    """Draw 1 mV to the right of the first line."""
    x, baseline = TRACE_WIDTH_MM + 1.5, _PITCH_MM
    data = f"M{x:g} {baseline:g}h1.5v-{gain:d}h-1.5"
    return line(data, colour=TRACE, width=TRACE_WIDTH, name="calibration") + text(
        x, baseline + 3, "1 mV", size=2.2, colour=QUIET
    )


def _footer(page: Disclosure, group: EcgGroup, height: float, words: Captions) -> str:
    parts = (
        page.lead,
        f"{page.line_seconds.mm_per_second:.3g} mm/s",
        f"{page.gain:d} mm/mV",
        f"{group.sampling_rate_hz:g} Hz",
        display_filter_text(page.display_filter, group.sampling_rate_hz, words),
    )
    colour = INK if page.display_filter.diagnostic else ALERT
    return text(0, height + 3.6, " · ".join(parts), size=2.8, colour=colour)


def _marks(events: Sequence[EcgEvent], cell: Cell, speed: float) -> list[str]:
    """Mark the events that begin on the line, each with its words."""
    marks: list[str] = []
    for event in events:
        if cell.start_seconds <= event.seconds < cell.start_seconds + cell.seconds:
            x = (event.seconds - cell.start_seconds) * speed
            top = cell.baseline_mm - _PITCH_MM / 2
            data = f"M{x:.2f} {top:g}v{_PITCH_MM - 3:g}"
            dashes = 'stroke-dasharray="0.8 0.8"'
            marks.append(line(data, colour=MARK, width=0.3, name="event", more=dashes))
            said = event.text if len(event.text) <= _WORDS_MAX else f"{event.text[:_WORDS_MAX]}…"
            marks.append(text(x + 0.8, top + 1.8, said, size=2.4, colour=MARK))
    return marks


def _time(seconds: float, started_at: datetime | None) -> str:
    """Return a moment by the record's clock, with the day it is, else since its start."""
    if started_at is None:
        whole = int(seconds)
        return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
    moment = started_at + timedelta(seconds=seconds)
    days = (moment.date() - started_at.date()).days
    return f"{moment:%H:%M:%S}" + (f" +{days}" if days else "")
