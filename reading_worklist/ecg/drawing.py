"""The one renderer: an ECG page as SVG in true millimetres.

The screen shows the same SVG that the report prints, so that both are
calibrated alike. The viewBox is in millimetres, and the numbers a caliper needs
are in data attributes: on the root ``data-mm-per-mv``, ``data-mm-per-second``;
on each lead's group ``data-lead``, ``data-x-mm``, ``data-zero-mm`` (where 0 µV
lies), ``data-start-seconds``, ``data-seconds``; lengths on a lead count from the
top left of the element with ``data-part="paper"``, whose place in the viewBox is
``data-paper-x-mm``, ``data-paper-y-mm`` on the root. Only plain shapes,
attributes and text are used, which browsers and resvg (typst) draw alike.
Nothing of the patient is on the page unless the caller passes it as header.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from reading_worklist.ecg.captions import (
    CAPTIONS,
    QUALITY,
    Captions,
    Language,
    display_filter_text,
    recorded_filter_text,
)
from reading_worklist.ecg.display_filter import DisplayFilter
from reading_worklist.ecg.layout import (
    CALIBRATION_SECONDS,
    TRACE_WIDTH_MM,
    Cell,
    Gain,
    LayoutName,
    LeadOrder,
    PaperSpeed,
    Plan,
    natural_layout,
    plan_page,
)
from reading_worklist.ecg.quality.findings import Code
from reading_worklist.ecg.svg import (
    ALERT,
    BIG_SQUARE_MM,
    FONTS,
    INK,
    QUIET,
    TRACE,
    TRACE_WIDTH,
    grid,
    line,
    off_scale_arrow,
    text,
    title,
)
from reading_worklist.ecg.traces import Trace, draw_trace, place
from storage.ecg.leads import Lead
from storage.ecg.waveform import EcgRecord, LeadOrigin

_MARGIN_MM: Final = 2.0
_HEADER_LINE_MM: Final = 5.0
_FOOTER_LINE_MM: Final = 4.0
_MAX_EXTRA_MM: Final = 50.0
_LABEL_MM: Final = 3.0
# At most this many points a page, about 180 kB: for twelve leads of 10 s a step of 0.15 mm.
_MAX_POINTS: Final = 40_000


@dataclass(frozen=True, slots=True)
class DrawingOptions:
    """How to draw a page.

    layout None is the record's natural one. start_seconds is kept inside the
    record. order, rhythm: see `layout.plan_page`. header lines stand above the
    grid, in the caller's responsibility.
    findings: what a check found wrong with leads so that they had to be recorded
    again; it stands beside their names.
    max_height_mm bounds the page; None lets tall complexes enlarge it by up to
    50 mm above and below.
    """

    layout: LayoutName | None = None
    speed: PaperSpeed = PaperSpeed.MM_25
    gain: Gain = Gain.MM_10
    display_filter: DisplayFilter = DisplayFilter.NONE
    start_seconds: float = 0.0
    order: LeadOrder = LeadOrder.STANDARD
    rhythm: tuple[Lead, ...] | None = None
    language: Language = Language.EN
    header: tuple[str, ...] = ()
    findings: Mapping[Lead, tuple[Code, ...]] = field(default_factory=dict[Lead, tuple[Code, ...]])
    max_height_mm: float | None = None


@dataclass(frozen=True, slots=True)
class DrawnEcg:
    """A drawn page: the SVG text, its true size, and the stretch of the record on it.

    off_scale names the leads that leave the page; the page says so too.
    next_start_seconds is where the following page starts, None on the last.
    """

    svg: str
    width_mm: float
    height_mm: float
    layout: LayoutName
    start_seconds: float
    page_seconds: float
    next_start_seconds: float | None
    off_scale: tuple[str, ...]


def draw(record: EcgRecord, options: DrawingOptions | None = None) -> DrawnEcg:
    """Draw one page of the record; as DrawingOptions() says when no options are given.

    A trace may overlap its neighbours, as on paper. The page grows for what
    would leave it; what even then leaves it is marked, never silently cut.
    """
    options = options or DrawingOptions()
    words = CAPTIONS[options.language]
    layout = options.layout or natural_layout(record)
    plan = plan_page(
        record,
        layout,
        options.speed,
        options.start_seconds,
        order=options.order,
        rhythm=options.rhythm,
    )
    traces = [
        replace(
            place(cell, options.speed, options.gain, options.display_filter),
            doubts=_doubts(cell, options),
        )
        for row in plan.rows
        for cell in row
    ]
    footer = _footer(record, plan, options, words)
    top = _MARGIN_MM + len(options.header) * _HEADER_LINE_MM
    # A line is kept for the off-scale remark, so that it never pushes the page over its bound.
    fixed = top + plan.height_mm + (len(footer) + 1) * _FOOTER_LINE_MM + _MARGIN_MM
    bound = None if options.max_height_mm is None else options.max_height_mm - fixed
    above, below = _extra_room(plan, traces, bound)
    off_scale = [trace for trace in traces if _leaves(trace, -above, plan.height_mm + below)]
    names = tuple(dict.fromkeys(trace.cell.label for trace in off_scale))
    if names:
        footer.append((f"{words.off_scale}: {', '.join(names)}", ALERT))
    paper_width, paper_height = plan.trace_x_mm + TRACE_WIDTH_MM, plan.height_mm + above + below
    width = paper_width + 2 * _MARGIN_MM
    height = top + paper_height + len(footer) * _FOOTER_LINE_MM + _MARGIN_MM

    step_mm = 2 * sum(trace.cell.width_mm for trace in traces) / _MAX_POINTS
    paper = "".join(
        (
            *(_calibration_pulse(row[0].baseline_mm, plan, options) for row in plan.rows),
            *(_column_mark(cell) for row in plan.rows for cell in row[1:]),
            *(
                draw_trace(trace, step_mm, options.speed, plan.label_rise_mm, words)
                for trace in traces
            ),
        )
    )
    paper = f'<g data-part="paper" transform="translate(0 {above:g})">{paper}</g>'
    if off_scale:
        # A nested svg clips to its size and needs no id that two pages in one document could share.
        paper = f'<svg width="{paper_width:g}" height="{paper_height:g}">{paper}</svg>' + "".join(
            _arrows(off_scale, above, paper_height)
        )
    svg = "".join(
        (
            '<svg xmlns="http://www.w3.org/2000/svg" ',
            f'width="{width:g}mm" height="{height:g}mm" viewBox="0 0 {width:g} {height:g}" ',
            f'font-family="{FONTS}" ',
            f'data-paper-x-mm="{_MARGIN_MM:g}" data-paper-y-mm="{top + above:g}" ',
            f"{_root_numbers(record, plan, options)}>",
            title(words.title),
            f'<rect width="{width:g}" height="{height:g}" fill="#ffffff"/>',
            *_lines(
                _MARGIN_MM, _MARGIN_MM + 3.5, [(said, INK) for said in options.header], size=3.2
            ),
            f'<g transform="translate({_MARGIN_MM:g} {top:g})">',
            grid(paper_width, paper_height),
            paper,
            *_lines(0, paper_height + 3.4, footer, size=2.6),
            "</g></svg>",
        )
    )
    return DrawnEcg(
        svg=svg,
        width_mm=width,
        height_mm=height,
        layout=layout,
        start_seconds=plan.start_seconds,
        page_seconds=plan.page_seconds,
        next_start_seconds=plan.next_start_seconds,
        off_scale=names,
    )


def _doubts(cell: Cell, options: DrawingOptions) -> tuple[str, ...]:
    """Return what a check found wrong with a cell's lead, in words."""
    lead = None if cell.channel is None else cell.channel.lead
    if lead is None:
        return ()
    words = QUALITY[options.language]
    return tuple(words[one] for one in options.findings.get(lead, ()) if one in words)


def _root_numbers(record: EcgRecord, plan: Plan, options: DrawingOptions) -> str:
    """Return the data attributes of the whole page; the next page's start is empty on the last."""
    following = "" if plan.next_start_seconds is None else f"{plan.next_start_seconds:.10g}"
    numbers = {
        "layout": plan.layout.value,
        "order": options.order.value,
        "mm-per-mv": f"{options.gain:d}",
        "mm-per-second": f"{options.speed:d}",
        "start-seconds": f"{plan.start_seconds:.10g}",
        "page-seconds": f"{plan.page_seconds:g}",
        "next-start-seconds": following,
        "duration-seconds": f"{record.duration_seconds:.10g}",
        "display-filter": options.display_filter.value,
    }
    return " ".join(f'data-{name}="{number}"' for name, number in numbers.items())


def _lines(x: float, y: float, lines: Sequence[tuple[str, str]], *, size: float) -> list[str]:
    """Write lines of (text, colour) from the first baseline down."""
    pitch = _FOOTER_LINE_MM if size < 3 else _HEADER_LINE_MM  # noqa: PLR2004 -- the footer's small print
    return [
        text(x, y + index * pitch, said, size=size, colour=colour)
        for index, (said, colour) in enumerate(lines)
    ]


def _extra_room(plan: Plan, traces: Sequence[Trace], allowed: float | None) -> tuple[float, float]:
    """Return how far the paper grows above and below, in whole big squares.

    Room that one edge has to spare is given to the other first (a negative
    number), so that most pages keep their size. What lies beyond the largest
    growth leaves the page anyway and does not make it grow: one artefact must
    not blow up the sheet.
    """
    reach = _MAX_EXTRA_MM - 1
    every = np.concatenate([trace.present_mm for trace in traces])
    inside = every[(every >= -reach) & (every <= plan.height_mm + reach)]
    first, last = plan.rows[0][0].baseline_mm, plan.rows[-1][0].baseline_mm
    # The names above the first row and ten millimetres below the last always have room.
    highest = min(float(inside.min(initial=first)) - 1, first - plan.label_rise_mm - _LABEL_MM)
    lowest = max(float(inside.max(initial=last)) + 1, last + 10)
    above = math.ceil(-highest / BIG_SQUARE_MM) * BIG_SQUARE_MM
    below = math.ceil((lowest - plan.height_mm) / BIG_SQUARE_MM) * BIG_SQUARE_MM
    above, below = max(above, -max(below, 0)), max(below, -max(above, 0))
    excess = above + below - (allowed if allowed is not None else math.inf)
    while excess > 0 and (above > 0 or below > 0):
        if above >= below:
            above -= BIG_SQUARE_MM
        else:
            below -= BIG_SQUARE_MM
        excess -= BIG_SQUARE_MM
    return above, below


def _leaves(trace: Trace, top: float, bottom: float) -> bool:
    present = trace.present_mm
    return bool(len(present)) and bool(present.min() < top or present.max() > bottom)


def _arrows(traces: Sequence[Trace], above: float, paper_height: float) -> list[str]:
    """Mark where each trace leaves the paper, at its farthest point."""
    arrows: list[str] = []
    for trace in traces:
        y_mm = trace.y_mm + above
        highest, lowest = int(np.nanargmin(y_mm)), int(np.nanargmax(y_mm))
        if y_mm[highest] < 0:
            arrows.append(off_scale_arrow(float(trace.x_mm[highest]), 0, up=True, colour=ALERT))
        if y_mm[lowest] > paper_height:
            x_mm = float(trace.x_mm[lowest])
            arrows.append(off_scale_arrow(x_mm, paper_height, up=False, colour=ALERT))
    return arrows


def _calibration_pulse(baseline: float, plan: Plan, options: DrawingOptions) -> str:
    """Draw 1 mV for 200 ms on the baseline, left of the traces."""
    width = CALIBRATION_SECONDS * options.speed
    foot = (plan.trace_x_mm - width) / 4
    pulse = f"v-{options.gain:d}h{width:g}v{options.gain:d}"
    data = f"M{foot:g} {baseline:g}h{foot:g}{pulse}h{foot:g}"
    return line(data, colour=TRACE, width=TRACE_WIDTH, name="calibration")


def _column_mark(cell: Cell) -> str:
    """Separate a lead from the one before it on the row."""
    data = f"M{cell.x_mm:g} {cell.baseline_mm - 6:g}v3m0 6v3"
    return line(data, colour=QUIET, width=TRACE_WIDTH)


def _footer(
    record: EcgRecord, plan: Plan, options: DrawingOptions, words: Captions
) -> list[tuple[str, str]]:
    """Return lines of (text, colour): what the page's numbers mean, then what is special."""
    cells = [cell for row in plan.rows for cell in row]
    channels = [cell.channel for cell in cells if cell.channel is not None]
    rates = sorted({cell.group.sampling_rate_hz for cell in cells if cell.group is not None})
    rates = rates or [record.rhythm_groups[0].sampling_rate_hz]
    end = min(plan.start_seconds + plan.page_seconds, record.duration_seconds)
    recorded = recorded_filter_text((channel.filters for channel in channels), words)
    parts = [
        f"{options.speed:d} mm/s",
        f"{options.gain:d} mm/mV",
        f"{words.recorded}: {recorded}",
        " / ".join(f"{rate:g}" for rate in rates) + " Hz",
        display_filter_text(options.display_filter, rates[0], words),
        f"{plan.start_seconds:.6g}–{end:.6g} s / {record.duration_seconds:.6g} s",
    ]
    if plan.columns_simultaneous:
        parts.append(words.simultaneous)
    lines = [(" · ".join(parts), INK if options.display_filter.diagnostic else ALERT)]
    origins = {channel.origin for channel in channels}
    remarks: list[str] = []
    if LeadOrigin.COMPUTED in origins:
        remarks.append(words.computed)
    if LeadOrigin.DEVICE_DERIVED in origins:
        remarks.append(words.device_derived)
    if plan.left_out:
        remarks.append(f"{words.also_recorded}: {', '.join(plan.left_out)}")
    if remarks:
        lines.append((" · ".join(remarks), INK))
    return lines
