"""The median beat of every lead as a page: what was measured, where, and how high ST stands.

The same paper as the trace: millimetres, `svg` shapes, data attributes for the calipers. A lead's
group names in ``data-r-mm`` where R stands (0 ms of the fiducial points), in ``data-left-mm`` and
``data-right-mm`` how far its cell reaches, in ``data-top-mm``, ``data-bottom-mm`` how high, and in
``data-zero-mm`` where 0 µV lies, all on the paper, whose place in the viewBox the root names.
Another ECG of the patient can lie over it in a second colour, R on R or J on J.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from reading_worklist.ecg.captions import CAPTIONS, Captions, Language
from reading_worklist.ecg.layout import CALIBRATION_SECONDS, LIMB_ORDER, Gain, LeadOrder, PaperSpeed
from reading_worklist.ecg.measurement.results import EcgMeasurement, MedianBeat, Quantity
from reading_worklist.ecg.polyline import UNITS_PER_MM, path_data, runs_without_gaps
from reading_worklist.ecg.svg import (
    BIG_SQUARE_MM,
    FONTS,
    INK,
    MARK,
    QUIET,
    SECOND,
    TRACE,
    TRACE_WIDTH,
    escaped,
    grid,
    line,
    text,
    title,
)
from storage.ecg.leads import CHEST_LEADS, Lead
from storage.ecg.waveform import Microvolts

_MARGIN_MM: Final = 2.0
_PULSE_MM: Final = 15.0
_FOOTER_LINE_MM: Final = 4.0
_ROWS: Final = 3
_COLUMNS: Final = 4
# Above the highest wave stand the lead's name, its ST levels and the signs of the points.
_HEAD_MM: Final = 11.0
_FOOT_MM: Final = 4.0
_SMALLEST_ROW_MM: Final = 25.0
_TALLEST_MM: Final = 50.0

POINTS: Final = (
    ("p_onset_ms", "P"),
    ("p_offset_ms", "P′"),
    ("qrs_onset_ms", "Q"),
    ("qrs_offset_ms", "J"),
    ("t_end_ms", "T′"),
)
"""The fiducial points by their field in `Fiducials`, and the sign that stands above each."""


class Alignment(StrEnum):
    """Which points of two median beats lie on each other."""

    R = "r"
    J = "j"


@dataclass(frozen=True, slots=True)
class MedianOptions:
    """How to draw the page; each beat is shown over its whole length."""

    speed: PaperSpeed = PaperSpeed.MM_25
    gain: Gain = Gain.MM_10
    order: LeadOrder = LeadOrder.STANDARD
    alignment: Alignment = Alignment.R
    language: Language = Language.EN


@dataclass(frozen=True, slots=True)
class DrawnMedian:
    """The page and its true size.

    superimposed: whether the earlier beat is on it.
    """

    svg: str
    width_mm: float
    height_mm: float
    superimposed: bool


@dataclass(frozen=True, slots=True)
class _Frame:
    """The paper's measures: cells of one width, R at the same place in each.

    before_mm, after_mm: how much of the beat stands left and right of R. rises_mm, falls_mm:
    the room of each row above and below its baseline.
    """

    before_mm: float
    after_mm: float
    rises_mm: Sequence[float]
    falls_mm: Sequence[float]

    @property
    def cell_mm(self) -> float:
        return _whole_squares(self.before_mm + self.after_mm + 2)

    @property
    def width_mm(self) -> float:
        return _PULSE_MM + _COLUMNS * self.cell_mm

    @property
    def height_mm(self) -> float:
        return sum(self.rises_mm) + sum(self.falls_mm)


@dataclass(frozen=True, slots=True)
class _Place:
    """A lead's cell on the paper."""

    left_mm: float
    right_mm: float
    top_mm: float
    bottom_mm: float
    r_mm: float
    zero_mm: float


def draw_median(
    measured: EcgMeasurement,
    options: MedianOptions | None = None,
    against: EcgMeasurement | None = None,
) -> DrawnMedian | None:
    """Draw the median beats; None when there is none, and the measurement's values say why.

    against: an earlier ECG's, drawn over it in the leads that both have. Without a median beat,
    or without the J that it is to be aligned by, it is left out, and the page says so.
    """
    options = options or MedianOptions()
    beat = measured.median_beat
    if beat is None:
        return None
    words = CAPTIONS[options.language]
    shift = _shift_ms(beat, None if against is None else against.median_beat, options.alignment)
    other = None if against is None or shift is None else against.median_beat
    leads = (*LIMB_ORDER[options.order], *CHEST_LEADS)
    frame = _frame(beat, other, leads, options)
    cells = [
        _cell(measured, lead, _place(frame, index), options, (other, shift or 0.0))
        for index, lead in enumerate(leads)
    ]
    footer = _footer(measured, options, words)
    if against is not None:
        said = words.superimposed[options.alignment.value] if other else words.not_superimposed
        footer.append((said, SECOND if other else INK))
    width = frame.width_mm + 2 * _MARGIN_MM
    height = frame.height_mm + 2 * _MARGIN_MM + len(footer) * _FOOTER_LINE_MM
    length = _length_seconds(beat)
    svg = "".join(
        (
            '<svg xmlns="http://www.w3.org/2000/svg" ',
            f'width="{width:g}mm" height="{height:g}mm" viewBox="0 0 {width:g} {height:g}" ',
            f'font-family="{FONTS}" data-layout="median" data-order="{options.order.value}" ',
            f'data-paper-x-mm="{_MARGIN_MM:g}" data-paper-y-mm="{_MARGIN_MM:g}" ',
            f'data-mm-per-mv="{options.gain:d}" data-mm-per-second="{options.speed:d}" ',
            f'data-start-seconds="0" data-page-seconds="{length:g}" ',
            f'data-duration-seconds="{length:g}" data-next-start-seconds="">',
            title(words.median_beat),
            f'<rect width="{width:g}" height="{height:g}" fill="#ffffff"/>',
            f'<g transform="translate({_MARGIN_MM:g} {_MARGIN_MM:g})">',
            grid(frame.width_mm, frame.height_mm),
            '<g data-part="paper">',
            *(_pulse(_place(frame, row).zero_mm, options) for row in range(_ROWS)),
            *cells,
            "</g>",
            *(
                text(0, frame.height_mm + 3.4 + at * _FOOTER_LINE_MM, said, size=2.6, colour=colour)
                for at, (said, colour) in enumerate(footer)
            ),
            "</g></svg>",
        )
    )
    return DrawnMedian(svg, width, height, superimposed=other is not None)


def samples(beat: MedianBeat, lead: Lead) -> Microvolts | None:
    """Return a lead of the beat in µV, None when it has none; −aVR is aVR upside down."""
    if lead is Lead.MINUS_AVR and lead not in beat.microvolts:
        turned = beat.microvolts.get(Lead.AVR)
        return None if turned is None else -turned
    return beat.microvolts.get(lead)


def _length_seconds(beat: MedianBeat) -> float:
    return max(len(values) for values in beat.microvolts.values()) / beat.sampling_rate_hz


def _shift_ms(beat: MedianBeat, other: MedianBeat | None, alignment: Alignment) -> float | None:
    """Return how far the other beat is moved to the right; None when it cannot be aligned."""
    if other is None or alignment is Alignment.R:
        return None if other is None else 0.0
    ours, theirs = beat.fiducials.qrs_offset_ms, other.fiducials.qrs_offset_ms
    return None if ours is None or theirs is None else ours - theirs


def _frame(
    beat: MedianBeat, other: MedianBeat | None, leads: Sequence[Lead], options: MedianOptions
) -> _Frame:
    """Return paper on which both beats have room, up to a bound above and below each baseline."""
    per_microvolt = options.gain / 1000
    rises: list[float] = []
    falls: list[float] = []
    for row in range(_ROWS):
        shown = [
            values[~np.isnan(values)] * per_microvolt
            for lead in leads[row::_ROWS]
            for one in (beat, other)
            if one is not None and (values := samples(one, lead)) is not None
        ]
        highest = max((float(one.max(initial=0)) for one in shown), default=0.0)
        lowest = min((float(one.min(initial=0)) for one in shown), default=0.0)
        fall = min(_FOOT_MM - lowest, _TALLEST_MM)
        rise = max(min(_HEAD_MM + highest, _TALLEST_MM), _SMALLEST_ROW_MM - fall)
        rises.append(_whole_squares(rise))
        falls.append(_whole_squares(fall))
    before = beat.r_index / beat.sampling_rate_hz
    after = _length_seconds(beat) - before
    return _Frame(before * options.speed, after * options.speed, rises, falls)


def _whole_squares(length_mm: float) -> float:
    return math.ceil(length_mm / BIG_SQUARE_MM - 1e-9) * float(BIG_SQUARE_MM)


def _place(frame: _Frame, index: int) -> _Place:
    column, row = divmod(index, _ROWS)
    top = sum(frame.rises_mm[:row]) + sum(frame.falls_mm[:row])
    left = _PULSE_MM + column * frame.cell_mm
    return _Place(
        left_mm=left,
        right_mm=left + frame.cell_mm,
        top_mm=top,
        bottom_mm=top + frame.rises_mm[row] + frame.falls_mm[row],
        r_mm=left + 1 + frame.before_mm,
        zero_mm=top + frame.rises_mm[row],
    )


def _cell(
    measured: EcgMeasurement,
    lead: Lead,
    place: _Place,
    options: MedianOptions,
    over: tuple[MedianBeat | None, float],
) -> str:
    """Draw one lead: its name, ST levels, points, the earlier beat if there is one, and its own."""
    beat = measured.median_beat
    values = None if beat is None else samples(beat, lead)
    left, name_y = place.left_mm + 1, place.top_mm + 4.4
    parts = [
        f'<g data-lead="{escaped(lead.value)}" data-r-mm="{place.r_mm:g}"',
        f' data-left-mm="{place.left_mm:g}" data-right-mm="{place.right_mm:g}"',
        f' data-top-mm="{place.top_mm:g}" data-bottom-mm="{place.bottom_mm:g}"',
        f' data-zero-mm="{place.zero_mm:g}">',
        text(left, name_y, lead.value, size=3.4, colour=INK, bold=True),
    ]
    if beat is None or values is None:
        missing = CAPTIONS[options.language].not_recorded
        parts.append(text(left, place.zero_mm + 1, missing, size=2.8, colour=QUIET))
    else:
        parts.append(text(left + 10, name_y, _st_levels(measured, lead), size=2.6, colour=INK))
        parts.append(_points(beat, place, options))
        other, shift = over
        theirs = None if other is None else samples(other, lead)
        if other is not None and theirs is not None:
            parts.append(_line(theirs, other, place, options, (shift, SECOND, "prior")))
        parts.append(_line(values, beat, place, options, (0.0, TRACE, "trace")))
    parts.append("</g>")
    return "".join(parts)


def _st_levels(measured: EcgMeasurement, lead: Lead) -> str:
    """Return ST at J and 60 ms after it in mV; a dash for what was not measured."""
    turned = lead is Lead.MINUS_AVR and lead not in measured.by_lead
    found = measured.by_lead.get(Lead.AVR if turned else lead)
    if found is None:
        return ""
    sign = -1 if turned else 1
    return f"J {_millivolts(found.st_j, sign)}  J60 {_millivolts(found.st_j60, sign)} mV"


def _millivolts(quantity: Quantity, sign: int) -> str:
    if quantity.value is None:
        return "–"
    # Rounded first, so that no level is written as minus zero.
    return f"{round(sign * quantity.value / 1000, 2) + 0.0:+.2f}".replace("-", "−")


def _points(beat: MedianBeat, place: _Place, options: MedianOptions) -> str:
    marks: list[str] = []
    for field, sign in POINTS:
        milliseconds: float | None = getattr(beat.fiducials, field)
        if milliseconds is None:
            continue
        x_mm = place.r_mm + milliseconds * options.speed / 1000
        marks.append(
            line(
                f"M{x_mm:.2f} {place.top_mm + 9:g}V{place.bottom_mm - 1:g}",
                colour=MARK,
                width=0.2,
                name="point",
                more=f'stroke-dasharray="0.8 0.8" data-point="{field}"',
            )
        )
        marks.append(text(x_mm - 0.8, place.top_mm + 8.2, sign, size=2.3, colour=MARK))
    return "".join(marks)


def _line(
    values: Microvolts,
    beat: MedianBeat,
    place: _Place,
    options: MedianOptions,
    look: tuple[float, str, str],
) -> str:
    """Draw a beat with its R at the place, moved right by some ms, in a colour, under a name.

    What lies beside the cell or above and below its row is left out: it would be a neighbour's.
    """
    shift_ms, colour, name = look
    beside = ((np.arange(len(values)) - beat.r_index) / beat.sampling_rate_hz) + shift_ms / 1000
    x_mm = place.r_mm + beside * float(options.speed)
    y_mm = place.zero_mm - values * options.gain / 1000
    inside = (x_mm >= place.left_mm) & (x_mm <= place.right_mm)
    inside &= (y_mm >= place.top_mm - 1) & (y_mm <= place.bottom_mm + 1)
    y_mm = np.where(inside, y_mm, np.nan)
    data = "".join(
        path_data(x_mm[start:stop], y_mm[start:stop]) for start, stop in runs_without_gaps(y_mm)
    )
    if not data:
        return ""
    return line(
        data,
        colour=colour,
        width=TRACE_WIDTH * UNITS_PER_MM,
        name=name,
        more=f'transform="scale({1 / UNITS_PER_MM:g})" stroke-linejoin="round"',
    )


def _pulse(baseline_mm: float, options: MedianOptions) -> str:
    """Draw 1 mV for 200 ms on the baseline, left of the beats."""
    width = CALIBRATION_SECONDS * options.speed
    foot = (_PULSE_MM - width) / 4
    pulse = f"v-{options.gain:d}h{width:g}v{options.gain:d}"
    data = f"M{foot:g} {baseline_mm:g}h{foot:g}{pulse}h{foot:g}"
    return line(data, colour=TRACE, width=TRACE_WIDTH, name="calibration")


def _footer(
    measured: EcgMeasurement, options: MedianOptions, words: Captions
) -> list[tuple[str, str]]:
    beat = measured.median_beat
    count = 0 if beat is None else beat.beat_count
    parts = [
        f"{options.speed:d} mm/s",
        f"{options.gain:d} mm/mV",
        words.median_of.format(n=count),
        f"{measured.method} {measured.version}",
    ]
    return [(" · ".join(parts), INK)]
